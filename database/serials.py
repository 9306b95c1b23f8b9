"""The serials of an index and its projects, kept while nothing in the database changes."""

from __future__ import annotations

from typing import Final

from packaging.utils import NormalizedName

from database.engine import Database
from errors import UnknownProject

_UNKNOWN: Final = -1
_MOST: Final = 200_000  # names that are kept: strangers may ask for any


class Serials:
    """The serials of one index."""

    def __init__(self, database: Database, index_id: int) -> None:
        self._database = database
        self._index_id = index_id
        self._serials: dict[str | None, int] = {}
        self._at = -1

    def serial(self, name: NormalizedName | None) -> int:
        """That of a project with files, or of the index for None. Raises UnknownProject."""
        now = self._database.changes.current()
        if now != self._at or len(self._serials) > _MOST:
            self._serials = {}
            self._at = now
        serials = self._serials  # a thread that saw an older state goes on with its own dictionary
        serial = serials.get(name)
        if serial is None:
            serial = serials[name] = self._read(name)
        if serial == _UNKNOWN:
            raise UnknownProject(name or "")
        return serial

    def has_had(self, name: NormalizedName) -> bool:
        """Whether there is, or was, a project of that name."""
        statement = "SELECT 1 FROM projects WHERE index_id = ? AND name = ?"
        return self._database.quick(statement, (self._index_id, name)) is not None

    def _read(self, name: NormalizedName | None) -> int:
        if name is None:
            row = self._database.quick("SELECT serial FROM indexes WHERE id = ?", (self._index_id,))
        else:
            row = self._database.quick(
                "SELECT serial FROM projects WHERE index_id = ? AND name = ? AND file_count > 0", (self._index_id, name)
            )
        return _UNKNOWN if row is None else int(row[0])
