"""Deletions that can be undone: what was deleted, by whom, and the rows that bring it back."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the tables. What was deleted before stays deleted: of its rows nothing is left."""
    _deletions()
    _deleted_releases()
    _deleted_files()


def _deletions() -> None:
    op.create_table(
        "deletions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.Column("filename", sa.String(length=255), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_deletions_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deletions_public_id")),
    )
    op.create_index("ix_deletions_project_id", "deletions", ["project_id"], unique=False)
    op.create_index("ix_deletions_expires", "deletions", ["expires"], unique=False)


def _deleted_releases() -> None:
    op.create_table(
        "deleted_releases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deletion_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deletion_id"],
            ["deletions.id"],
            name=op.f("fk_deleted_releases_deletion_id_deletions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_releases")),
    )
    op.create_index("ix_deleted_releases_deletion_id", "deleted_releases", ["deletion_id"], unique=False)


def _deleted_files() -> None:
    op.create_table(
        "deleted_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deletion_id", sa.Integer(), nullable=False),
        sa.Column("deleted_release_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("filename_key", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("location", sa.String(length=600), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deletion_id"], ["deletions.id"], name=op.f("fk_deleted_files_deletion_id_deletions"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["deleted_release_id"],
            ["deleted_releases.id"],
            name=op.f("fk_deleted_files_deleted_release_id_deleted_releases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_files")),
    )
    op.create_index("ix_deleted_files_deletion_id", "deleted_files", ["deletion_id"], unique=False)
    op.create_index("ix_deleted_files_deleted_release_id", "deleted_files", ["deleted_release_id"], unique=False)
    op.create_index("ix_deleted_files_location", "deleted_files", ["location"], unique=False)
