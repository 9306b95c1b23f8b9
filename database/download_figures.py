"""What was downloaded, to be read: by day, and by one dimension at a time over the last days.

A project's figures are rows that lie together, so that they are read in milliseconds, however large the table is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select

from database.engine import Database
from database.models import DownloadCount, PackageIndex, Project
from database.statistics import WHOLE_INDEX, Dimension, today
from simple.model import ProjectDetail, ProjectStatus, offered_files, offered_versions

FIRST_DAY = date(1970, 1, 1)
LATELY = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class DayCount:
    """The downloads of one day, UTC."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class Part:
    """The downloads of one detail of a value; "": those without one."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Share:
    """The downloads of one value of a dimension, with its details, most first; "": the value is not known."""

    name: str
    count: int
    parts: tuple[Part, ...]


class DownloadFigures:
    """The downloads of one index, or of one of its projects where a name is given.

    The last days are whole days of UTC, today among them.
    """

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index

    def lately(self, project: str = WHOLE_INDEX) -> dict[int, int]:
        """The downloads of the last LATELY days, by that number of days."""
        by_day = self.by_day(max(LATELY), project)
        return {days: sum(day.count for day in by_day[-days:]) for days in LATELY}

    def by_day(self, days: int, project: str = WHOLE_INDEX) -> list[DayCount]:
        """The downloads of each of the last ``days`` days, oldest first; a day without any counts 0."""
        last = today()
        with self.database.reading() as connection:
            rows = connection.execute(
                select(DownloadCount.day, DownloadCount.count).where(self._rows(project, Dimension.TOTAL), _since(days))
            )
            counts = {row[0]: int(row[1]) for row in rows}
        return [
            DayCount(FIRST_DAY + timedelta(days=day), counts.get(day, 0)) for day in range(last - days + 1, last + 1)
        ]

    def shares(self, dimension: Dimension, days: int, project: str = WHOLE_INDEX) -> list[Share]:
        """The downloads of the last ``days`` days by the values of a dimension, most first."""
        return _shares(self._counted(dimension, days, project))

    def releases(self, days: int, detail: ProjectDetail) -> list[Share]:
        """The downloads of the last ``days`` days by release and file of a project, most first.

        A deleted file is shown nowhere, so what is not listed counts together, under "".
        """
        filenames = {file.filename for file in offered_files(detail)}
        versions = set(offered_versions(detail))
        counted = self._counted(Dimension.VERSION, days, detail.name)
        return _shares(
            (version if version in versions else "", filename if filename in filenames else "", count)
            for version, filename, count in counted
        )

    def _counted(self, dimension: Dimension, days: int, project: str) -> list[tuple[str, str, int]]:
        """Value, detail and their downloads."""
        count = func.sum(DownloadCount.count)
        with self.database.reading() as connection:
            rows = connection.execute(
                select(DownloadCount.value, DownloadCount.detail, count)
                .where(self._rows(project, dimension), _since(days))
                .group_by(DownloadCount.value, DownloadCount.detail)
            )
            return [(value, detail, int(number)) for value, detail, number in rows]

    def top_projects(self, days: int, *, limit: int = 20) -> list[tuple[str, int]]:
        """The most downloaded projects of the last ``days`` days with their downloads, most first.

        Those that are listed: neither deleted ones nor quarantined ones.
        """
        count = func.sum(DownloadCount.count)
        statement = (
            select(DownloadCount.value, count)
            .join(Project, Project.name == DownloadCount.value)
            .join(PackageIndex, PackageIndex.id == Project.index_id)
            .where(
                self._rows(WHOLE_INDEX, Dimension.PROJECT), _since(days), PackageIndex.name == self.index,
                Project.file_count > 0, Project.status != ProjectStatus.QUARANTINED,
            )
            .group_by(DownloadCount.value)
            .order_by(count.desc(), DownloadCount.value)
            .limit(limit)
        )  # fmt: skip
        with self.database.reading() as connection:
            return [(row[0], int(row[1])) for row in connection.execute(statement)]

    def _rows(self, project: str, dimension: Dimension) -> ColumnElement[bool]:
        return (
            (DownloadCount.index_name == self.index)
            & (DownloadCount.project == project)
            & (DownloadCount.dimension == dimension)
        )


def _since(days: int) -> ColumnElement[bool]:
    return DownloadCount.day > today() - days


def _shares(counted: Iterable[tuple[str, str, int]]) -> list[Share]:
    """From values, details and their downloads; the same ones count together."""
    values: dict[str, Counter[str]] = {}
    for value, detail, count in counted:
        values.setdefault(value, Counter())[detail] += count
    shares = [Share(value, details.total(), _most_first(details)) for value, details in values.items()]
    return sorted(shares, key=lambda share: (-share.count, share.name))


def _most_first(details: Counter[str]) -> tuple[Part, ...]:
    return tuple(Part(*one) for one in sorted(details.items(), key=lambda one: (-one[1], one[0])))
