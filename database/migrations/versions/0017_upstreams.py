"""Pages of other indexes, and the record of files that were taken in from them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "upstream_pages",
        sa.Column("upstream", sa.String(length=200), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("etag", sa.String(length=200), nullable=False),
        sa.Column("last_modified", sa.String(length=200), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("fetched", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("is_gone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("upstream", "project", name=op.f("pk_upstream_pages")),
    )
    op.create_table(
        "upstream_files",
        sa.Column("upstream", sa.String(length=200), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("location", sa.String(length=100), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("is_kept", sa.Boolean(), nullable=False),
        sa.Column("told_digest", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("upstream", "filename", name=op.f("pk_upstream_files")),
    )
    op.create_index(op.f("ix_upstream_files_location"), "upstream_files", ["location"], unique=False)
    op.create_index("ix_upstream_files_upstream_project", "upstream_files", ["upstream", "project"], unique=False)
