"""What happened lately: uploads and downloads, for those who look after the server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from database.catalogue import Upload
from database.engine import Database
from database.models import Downloads, File, PackageIndex, Project, Release
from database.statistics import today

_FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class DayCount:
    """The downloads of one day, UTC."""

    day: date
    count: int


class Activity:
    """The activity of one index."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index

    def uploads(self, *, limit: int, offset: int = 0) -> list[Upload]:
        """The files of the index, newest first, also those of quarantined projects."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(Project.name, Release.version, File.filename, File.uploader, File.uploaded, File.size)
                .join(Release, Release.id == File.release_id)
                .join(Project, Project.id == File.project_id)
                .join(PackageIndex, PackageIndex.id == File.index_id)
                .where(PackageIndex.name == self.index)
                .order_by(File.uploaded.desc(), File.id.desc())
                .limit(limit)
                .offset(offset)
            )
            return [Upload(*row) for row in rows]

    def downloads_by_day(self, days: int) -> list[DayCount]:
        """The downloads of each of the last ``days`` days, oldest first, today last; a day without any counts 0."""
        last = today()
        with self.database.reading() as connection:
            rows = connection.execute(
                select(Downloads.day, func.sum(Downloads.count))
                .where(Downloads.index_name == self.index, Downloads.day > last - days)
                .group_by(Downloads.day)
            )
            counts = {row[0]: int(row[1]) for row in rows}
        return [
            DayCount(_FIRST_DAY + timedelta(days=day), counts.get(day, 0)) for day in range(last - days + 1, last + 1)
        ]

    def top_projects(self, days: int, *, limit: int = 20) -> list[tuple[str, int]]:
        """The most downloaded projects of the last ``days`` days with their downloads, most first."""
        total = func.sum(Downloads.count)
        with self.database.reading() as connection:
            rows = connection.execute(
                select(Downloads.project, total)
                .where(Downloads.index_name == self.index, Downloads.day > today() - days)
                .group_by(Downloads.project)
                .order_by(total.desc(), Downloads.project)
                .limit(limit)
            )
            return [(row[0], int(row[1])) for row in rows]
