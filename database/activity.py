"""What happened lately, for those who look after the server: uploads. Downloads are in ``download_figures``."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import BigInteger, func, select, type_coerce

from database.catalogue import UPLOADED, Upload
from database.download_figures import FIRST_DAY, DayCount
from database.engine import Database
from database.models import File, PackageIndex, Project, Release
from database.statistics import today

_DAY_MICROSECONDS: Final = 86_400_000_000


class Activity:
    """The activity of one index."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index

    def uploads_by_day(self, days: int) -> list[DayCount]:
        """How many of the files that are there came on each of the last days, the oldest first; UTC."""
        first = today() - days + 1
        day = type_coerce(File.uploaded, BigInteger) // _DAY_MICROSECONDS
        statement = (
            select(day, func.count())
            .join(PackageIndex, PackageIndex.id == File.index_id)
            .where(PackageIndex.name == self.index, type_coerce(File.uploaded, BigInteger) >= first * _DAY_MICROSECONDS)
            .group_by(day)
        )
        with self.database.reading() as connection:
            found = {int(row[0]): int(row[1]) for row in connection.execute(statement)}
        return [DayCount(FIRST_DAY + timedelta(days=one), found.get(one, 0)) for one in range(first, first + days)]

    def uploads(self, *, limit: int, offset: int = 0) -> list[Upload]:
        """The files of the index, newest first, also those of quarantined projects."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(*UPLOADED)
                .join(Release, Release.id == File.release_id)
                .join(Project, Project.id == File.project_id)
                .join(PackageIndex, PackageIndex.id == File.index_id)
                .where(PackageIndex.name == self.index)
                .order_by(File.uploaded.desc(), File.id.desc())
                .limit(limit)
                .offset(offset)
            )
            return [Upload(*row, index=self.index) for row in rows]


def stored_bytes(database: Database) -> int:
    """The size of all files that are there: one that several indexes list lies in the store once."""
    with database.reading() as connection:
        places = select(func.max(File.size).label("size")).group_by(File.location).subquery()
        return int(connection.execute(select(func.coalesce(func.sum(places.c.size), 0))).scalar_one())
