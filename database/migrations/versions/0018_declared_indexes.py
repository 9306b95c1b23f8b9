"""When an index was last in line with its store, and browsers that came with the secret of one."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add both."""
    op.add_column("indexes", sa.Column("synced", sa.BigInteger(), nullable=True))
    op.create_table(
        "index_sessions",
        sa.Column("id_sha256", sa.String(length=64), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("uploads", sa.Boolean(), nullable=False),
        sa.Column("stamp", sa.String(length=64), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=80), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_index_sessions_index_id_indexes")),
        sa.PrimaryKeyConstraint("id_sha256", name=op.f("pk_index_sessions")),
    )
    op.create_index(op.f("ix_index_sessions_index_id"), "index_sessions", ["index_id"], unique=False)
