"""Whether a directory made somebody an administrator."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column. Whether an earlier administrator became one by hand is not known, so it counts as that: no
    directory takes from them what it may not have given.
    """
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("admin_source", sa.String(length=20), nullable=False, server_default=""))
