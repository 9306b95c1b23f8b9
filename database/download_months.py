"""Old downloads, kept by month instead of by day: exact in all and by value, and far fewer rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from database.download_figures import FIRST_DAY
from database.engine import Database
from database.models import DownloadCount
from database.statistics import WHOLE_INDEX, Dimension, today

KEPT_DAYS: Final = 400  # longer than any period that is shown by day
_PROJECTS_AT_ONCE: Final = 10  # in one transaction, so that others need not wait for long


class _Month(NamedTuple):
    """A month: its first day and the first after it, both as days since 1970."""

    first: int
    after: int


def fold(database: Database, index: str, stopped: Callable[[], bool]) -> int:
    """Give the downloads of each month that ended more than KEPT_DAYS days ago to its first day; how many months.

    It goes project by project, the whole index last, and goes on where it was stopped or killed. Raises DatabaseBusy,
    StorageFull, StorageFailed.
    """
    folded = 0
    for month in _months_left(database, index):
        projects = [*_projects(database, index, month), WHOLE_INDEX]
        for begin in range(0, len(projects), _PROJECTS_AT_ONCE):
            if stopped():
                return folded
            with database.writing() as change:
                for project in projects[begin : begin + _PROJECTS_AT_ONCE]:
                    _fold(change.connection, index, project, month)
        folded += 1
    return folded


def is_due(database: Database, index: str) -> bool:
    """Whether there is a month to fold."""
    return bool(_months_left(database, index))


def _months_left(database: Database, index: str) -> list[_Month]:
    """The months that are old enough and of which the whole index has another day than the first."""
    limit = _month_of(today() - KEPT_DAYS).first
    with database.reading() as connection:
        days = connection.execute(
            select(DownloadCount.day).where(
                DownloadCount.index_name == index,
                DownloadCount.project == WHOLE_INDEX,
                DownloadCount.dimension == Dimension.TOTAL,
                DownloadCount.day < limit,
            )
        ).scalars()
        return sorted({_month_of(day) for day in days if _month_of(day).first != day})


def _projects(database: Database, index: str, month: _Month) -> list[str]:
    with database.reading() as connection:
        found = connection.execute(
            select(DownloadCount.value)
            .where(_rows(index, WHOLE_INDEX, month), DownloadCount.dimension == Dimension.PROJECT)
            .distinct()
        ).scalars()
        return sorted(set(found) - {WHOLE_INDEX})


def _fold(connection: Connection, index: str, project: str, month: _Month) -> None:
    where = _rows(index, project, month)
    names = ("dimension", "value", "detail")
    columns: list[Any] = [getattr(DownloadCount, name) for name in names]
    counts = connection.execute(select(*columns, func.sum(DownloadCount.count)).where(where).group_by(*columns)).all()
    if not counts:
        return
    connection.execute(delete(DownloadCount).where(where))
    fixed = {"index_name": index, "project": project, "day": month.first}
    connection.execute(
        insert(DownloadCount),
        [{**fixed, **dict(zip(names, row[:3], strict=True)), "count": int(row[3])} for row in counts],
    )


def _rows(index: str, project: str, month: _Month) -> ColumnElement[bool]:
    return (
        (DownloadCount.index_name == index)
        & (DownloadCount.project == project)
        & DownloadCount.dimension.in_(list(Dimension))  # said for the key: days come behind it
        & (DownloadCount.day >= month.first)
        & (DownloadCount.day < month.after)
    )


def _month_of(day: int) -> _Month:
    first = (FIRST_DAY + timedelta(days=day)).replace(day=1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return _Month((first - FIRST_DAY).days, (after - FIRST_DAY).days)
