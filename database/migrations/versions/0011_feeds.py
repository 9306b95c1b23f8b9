"""Feeds: releases and projects in the order in which they came."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the indexes, without which the fifty newest of half a million would be found by reading all."""
    op.create_index("ix_releases_created", "releases", ["created"], unique=False)
    op.create_index("ix_projects_index_id_created", "projects", ["index_id", "created"], unique=False)
