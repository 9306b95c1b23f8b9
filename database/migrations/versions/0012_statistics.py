"""Downloads by day, version, Python, installer and platform."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_COLUMNS = ("index_name", "project", "dimension", "day", "value", "detail", "count")


def upgrade() -> None:
    """Make the table of counts by dimension, with every download that was counted before, and drop the earlier one."""
    op.create_table(
        "download_counts",
        sa.Column("index_name", sa.String(length=100), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("dimension", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "index_name", "project", "dimension", "day", "value", "detail", name=op.f("pk_download_counts")
        ),
        sqlite_with_rowid=False,
    )
    earlier = sa.table("downloads", *map(sa.column, ("index_name", "day", "filename", "project", "version", "count")))
    _take_over(earlier, earlier.c.project, "total")
    _take_over(earlier, earlier.c.project, "version", earlier.c.version, earlier.c.filename)
    _take_over(earlier, sa.literal(""), "total")
    _take_over(earlier, sa.literal(""), "project", earlier.c.project)
    for dimension in ("python", "installer", "platform"):  # what was counted says nothing of the client
        _take_over(earlier, earlier.c.project, dimension)
        _take_over(earlier, sa.literal(""), dimension)
    op.drop_index(op.f("ix_downloads_project"), table_name="downloads")
    op.drop_table("downloads")


def _take_over(earlier: Any, project: Any, dimension: str, *named: Any) -> None:
    """Sum the earlier counts by day and by what is named: value and detail."""
    value, detail = (*named, sa.literal(""), sa.literal(""))[:2]
    columns = [earlier.c.index_name, project, sa.literal(dimension), earlier.c.day, value, detail]
    groups = [column for column in columns if isinstance(column, sa.ColumnClause)]
    counts = sa.table("download_counts", *map(sa.column, _COLUMNS))
    op.execute(
        sa.insert(counts).from_select(_COLUMNS, sa.select(*columns, sa.func.sum(earlier.c.count)).group_by(*groups))
    )
