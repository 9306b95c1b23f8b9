"""Which project requires which, by the release that stands for each."""

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from packaging.utils import canonicalize_name

revision = "0015"
down_revision = "0014"

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_PROJECTS = 500  # read and written at a time


def upgrade() -> None:
    """Add the table, and fill it from the metadata of what is there."""
    requirements = op.create_table(
        "requirements",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("required", sa.String(length=200), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_requirements_index_id_indexes")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_requirements_project_id_projects")),
        sa.PrimaryKeyConstraint("project_id", "required", name=op.f("pk_requirements")),
    )
    columns = ["index_id", "required", "project"]
    op.create_index("ix_requirements_index_id_required_project", "requirements", columns, unique=False)
    for batch in _latest_releases():
        rows = [
            {"project_id": one.id, "required": name, "index_id": one.index_id, "project": one.name, "texts": texts}
            for one in batch
            for name, texts in _required(one.core_metadata).items()
        ]
        if rows:
            op.bulk_insert(requirements, rows)


def _latest_releases() -> Iterator[list[Any]]:
    projects = sa.table("projects", *map(sa.column, ("id", "index_id", "name", "latest_version")))
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("project_id", sa.Integer),
        sa.column("version", sa.String),
        sa.column("core_metadata", sa.JSON),
    ]
    releases = sa.table("releases", *columns)
    last = -1
    while True:
        rows = list(
            op.get_bind().execute(
                sa.select(projects.c.id, projects.c.index_id, projects.c.name, releases.c.core_metadata)
                .join(
                    releases,
                    (releases.c.project_id == projects.c.id) & (releases.c.version == projects.c.latest_version),
                )
                .where(projects.c.id > last)
                .order_by(projects.c.id)
                .limit(_PROJECTS)
            )
        )
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _required(metadata: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in metadata.get("requires_dist") or ():
        named = _NAME.match(text)
        if named is not None:
            found.setdefault(canonicalize_name(named[1]), []).append(text)
    return found
