"""Rendered descriptions. Those of earlier releases are filled in by the server, after its start."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "rendered_descriptions",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("renderer", sa.String(length=300), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["releases.id"],
            name=op.f("fk_rendered_descriptions_release_id_releases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_rendered_descriptions")),
    )
