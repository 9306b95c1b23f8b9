"""Downloads, counted without a write for each: kept in memory, added to the table now and then and at the end.

The table counts by one dimension at a time, so a download adds to some ten rows, most of which are there already: a
project that is downloaded on a day has about as many rows for it as there are different files, Pythons, installers and
platforms, however many downloads there were.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from database.engine import Database
from database.models import DownloadCount, Listing, PackageIndex
from simple.clients import NOT_TOLD_APART, Client, client_of

_DAY_SECONDS = 86_400
WHOLE_INDEX: Final = ""  # in the place of a project's name
MOST_WAITING: Final = 20_000  # kinds of downloads that are told apart until they are written
MOST_ROWS: Final = 64  # rows of a project, a day and a dimension before details are left out
_KINDS_AT_ONCE: Final = 1_000  # in one transaction, so that others need not wait for long


class Dimension(StrEnum):
    """By what downloads are counted, and what a row's value and detail are then. "": it is not known."""

    TOTAL = "total"  # both ""
    PROJECT = "project"  # of the whole index only: the project's name
    VERSION = "version"  # of a project only: the version, and the filename
    PYTHON = "python"  # Client.python
    INSTALLER = "installer"  # Client.installer, and its version
    PLATFORM = "platform"  # Client.platform, and the C library


_WITH_DETAILS: Final = (Dimension.VERSION, Dimension.INSTALLER, Dimension.PLATFORM)


class _Kind(NamedTuple):
    """Downloads that are counted together; all of a project but the day "": what there was no room for."""

    day: int
    project: str
    version: str
    filename: str
    client: Client


class _Row(NamedTuple):
    """The key of a row of one index."""

    project: str
    dimension: Dimension
    day: int
    value: str
    detail: str


def today() -> int:
    """Days since 1970, UTC."""
    return int(time.time()) // _DAY_SECONDS


class DownloadCounter:
    """The downloads of this process that are not in the table yet; safe for threads.

    Its memory is bounded while the database is away: beyond MOST_WAITING kinds clients are no longer told apart, beyond
    twice as many neither are projects; what is counted stays exact in all.
    """

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index
        self._lock = threading.Lock()
        self._waiting: dict[_Kind, int] = {}
        self._writing = threading.Lock()
        self._held: dict[_Kind, int] = {}  # what a flush took; of whoever holds _writing
        self._total = (-1, 0)

    def count(self, project: str, version: str, filename: str, agent: str = "", *, day: int | None = None) -> None:
        """One whole file was sent to the client that calls itself so (its User-Agent header), today unless another day
        is said. Never raises.
        """
        kind = _Kind(today() if day is None else day, project, version, filename, client_of(agent))
        with self._lock:
            _add(self._waiting, kind, 1)

    def waiting(self) -> int:
        """How many downloads are not in the table yet."""
        with self._lock:
            return sum(self._waiting.values()) + sum(self._held.copy().values())

    def flush(self) -> int:
        """Add what waits to the table, in short transactions; how many downloads.

        What a failure leaves unwritten goes on waiting. A download never waits for a flush. Raises DatabaseBusy,
        StorageFull, StorageFailed.
        """
        written = 0
        with self._writing:
            with self._lock:
                taken, self._waiting = self._waiting, {}
            for kind, count in taken.items():
                _add(self._held, kind, count)
            while piece := dict(islice(self._held.items(), _KINDS_AT_ONCE)):
                with self.database.writing() as change:
                    _write(change.connection, self.index, piece)
                for kind in piece:
                    del self._held[kind]
                written += sum(piece.values())
        return written

    def total(self, project: str | None = None) -> int:
        """Downloads in the table, of one project or of all; the latter is summed once while nothing changes."""
        now = self.database.changes.current()
        if project is None and self._total[0] == now:
            return self._total[1]
        statement = select(func.coalesce(func.sum(DownloadCount.count), 0)).where(
            DownloadCount.index_name == self.index,
            DownloadCount.project == (project or WHOLE_INDEX),
            DownloadCount.dimension == Dimension.TOTAL,
        )
        with self.database.reading() as connection:
            found = int(connection.execute(statement).scalar_one())
        if project is None:
            self._total = (now, found)
        return found


def _add(counts: dict[_Kind, int], kind: _Kind, count: int) -> None:
    known = counts.get(kind)
    if known is None and len(counts) >= MOST_WAITING:
        kind = kind._replace(client=NOT_TOLD_APART)
        if kind not in counts and len(counts) >= 2 * MOST_WAITING:
            kind = _Kind(kind.day, WHOLE_INDEX, "", "", NOT_TOLD_APART)
        known = counts.get(kind)
    counts[kind] = count if known is None else known + count


# -- writing


def _write(connection: Connection, index: str, kinds: Mapping[_Kind, int]) -> None:
    counts: Counter[_Row] = Counter()
    for kind, count in kinds.items():
        for row in _rows(kind):
            counts[row] += count
    counts = _bounded(counts, _values_there(connection, index, counts))
    statement = insert(DownloadCount)
    keys = ("index_name", "project", "dimension", "day", "value", "detail")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=keys, set_={"count": DownloadCount.count + statement.excluded.count}
        ),
        [{"index_name": index, **row._asdict(), "count": counts[row]} for row in sorted(counts)],
    )
    add_to_listings(connection, index, _by_project(counts))


def _by_project(counts: Mapping[_Row, int]) -> Counter[str]:
    """The downloads of each project, by its name."""
    totals: Counter[str] = Counter()
    for row, count in counts.items():
        if row.dimension is Dimension.TOTAL and row.project != WHOLE_INDEX:
            totals[row.project] += count
    return totals


def add_to_listings(connection: Connection, index: str, counts: Mapping[str, int]) -> None:
    """So many more downloads of each project, by its name, in the rows that lists and the search sort by."""
    of_index = select(PackageIndex.id).where(PackageIndex.name == index).scalar_subquery()
    added = (
        update(Listing)
        .where(Listing.index_id == of_index, Listing.name == bindparam("project"))
        .values(downloads=Listing.downloads + bindparam("more"))
    )
    if counts:
        connection.execute(added, [{"project": project, "more": count} for project, count in counts.items()])


def _rows(kind: _Kind) -> Iterator[_Row]:
    """The rows that a download of this kind adds to."""
    day, project, client = kind.day, kind.project, kind.client
    if project != WHOLE_INDEX:
        yield _Row(project, Dimension.VERSION, day, kind.version, kind.filename)
    yield _Row(WHOLE_INDEX, Dimension.PROJECT, day, project, "")
    for place in {project, WHOLE_INDEX}:
        yield _Row(place, Dimension.TOTAL, day, "", "")
        yield _Row(place, Dimension.PYTHON, day, client.python, "")
        yield _Row(place, Dimension.INSTALLER, day, client.installer, client.installer_version)
        yield _Row(place, Dimension.PLATFORM, day, client.platform, client.libc)


_Place = tuple[str, Dimension, int]


def _values_there(connection: Connection, index: str, rows: Iterable[_Row]) -> defaultdict[_Place, set[_Row]]:
    """The rows with details that the table has of the projects and days that are about to be written."""
    there: defaultdict[_Place, set[_Row]] = defaultdict(set)
    by_day: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows:
        by_day[row.day].add(row.project)
    columns = (
        DownloadCount.project, DownloadCount.dimension, DownloadCount.day, DownloadCount.value, DownloadCount.detail,
    )  # fmt: skip
    for day, projects in by_day.items():
        found = connection.execute(
            select(*columns).where(
                DownloadCount.index_name == index,
                DownloadCount.project.in_(projects),
                DownloadCount.dimension.in_(_WITH_DETAILS),
                DownloadCount.day == day,
            )
        )
        for project, dimension, _, value, detail in found:
            row = _Row(project, Dimension(dimension), day, value, detail)
            there[row[:3]].add(row)
    return there


def _bounded(counts: Counter[_Row], there: defaultdict[_Place, set[_Row]]) -> Counter[_Row]:
    """The same counts with details left out where a day has too many of them, so that no client can fill the table.

    The values themselves are few: the releases that there are, and the words that ``simple.clients`` knows.
    """
    bounded: Counter[_Row] = Counter()
    for row, count in sorted(counts.items()):
        if row.dimension in _WITH_DETAILS and row not in there[row[:3]]:
            if len(there[row[:3]]) >= MOST_ROWS:
                row = row._replace(detail="")  # noqa: PLW2901
            there[row[:3]].add(row)
        bounded[row] += count
    return bounded
