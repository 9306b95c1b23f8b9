"""Downloads, counted without a write for each: kept in memory, added to the table now and then and at the end."""

from __future__ import annotations

import threading
import time
from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from database.engine import Database
from database.models import Downloads

_DAY_SECONDS = 86_400
_Key = tuple[str, int, str, str, str]  # index, day, filename, project, version


def today() -> int:
    """Days since 1970, UTC."""
    return int(time.time()) // _DAY_SECONDS


class DownloadCounter:
    """The downloads of this process that are not in the table yet."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index
        self._lock = threading.Lock()
        self._waiting: Counter[_Key] = Counter()
        self._total = (-1, 0)

    def count(self, project: str, version: str, filename: str) -> None:
        """One whole file was sent."""
        key = (self.index, today(), filename, project, version)
        with self._lock:
            self._waiting[key] += 1

    def flush(self) -> int:
        """Add what waits to the table, in one transaction; how many downloads. If that fails they go on waiting."""
        with self._lock:
            taken, self._waiting = self._waiting, Counter()
        if not taken:
            return 0
        try:
            with self.database.writing() as change:
                for (index, day, filename, project, version), count in taken.items():
                    statement = insert(Downloads).values(
                        index_name=index, day=day, filename=filename, project=project, version=version, count=count
                    )
                    keys = [Downloads.index_name, Downloads.day, Downloads.filename]
                    change.connection.execute(
                        statement.on_conflict_do_update(
                            index_elements=keys, set_={"count": Downloads.count + statement.excluded.count}
                        )
                    )
        except BaseException:
            with self._lock:
                self._waiting.update(taken)
            raise
        return taken.total()

    def total(self, project: str | None = None) -> int:
        """Downloads in the table, of one project or of all; the latter is summed once while nothing changes."""
        now = self.database.changes.current()
        if project is None and self._total[0] == now:
            return self._total[1]
        statement = select(func.coalesce(func.sum(Downloads.count), 0)).where(Downloads.index_name == self.index)
        if project is not None:
            statement = statement.where(Downloads.project == project)
        with self.database.reading() as connection:
            found = int(connection.execute(statement).scalar_one())
        if project is None:
            self._total = (now, found)
        return found
