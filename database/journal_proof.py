"""The proof of the journal: its chain computed anew, and held against heads that were written down earlier.

The chain shows a row that was changed, taken out or put in. Who can write the database can compute the whole chain
anew, or take rows off its end; an anchor that was kept elsewhere shows that, too.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from database.engine import Database
from database.journal import Actor, Entry, chain_hash
from database.journal_reading import PAGE, ROWS, kept_detail, kept_moment
from database.models import JournalEntry, PackageIndex
from errors import InvalidRequest, shown

Progress = Callable[[int, int], None]  # how many rows are done, of how many
MOST_FAULTS: Final = 100  # so many of a chain's faults are told; all are counted
_ANCHOR: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A serial and the hash of its row, written down: while the journal has both, nothing up to it was changed."""

    serial: int
    hash: str

    @classmethod
    def of(cls, text: str) -> Anchor:
        """From ``SERIAL:HASH``. Raises InvalidRequest."""
        found = _ANCHOR.fullmatch(text.strip().lower())
        if found is None:
            raise InvalidRequest(
                f"{shown(text)} is no head of a journal; write SERIAL:HASH, the hash as 64 hex digits."
            )
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.serial}:{self.hash}"


@dataclass(frozen=True, slots=True)
class ChainFault:
    """A row that does not fit, or one that is not there, and a sentence that says why."""

    serial: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk along the chain found.

    ``first`` is the first serial that was looked at, ``head`` the last row. ``broken`` counts all faults, of which
    ``faults`` has the first ones. ``is_complete``: the walk reached the journal's end.
    """

    rows: int
    first: int | None
    head: Anchor | None
    faults: tuple[ChainFault, ...]
    broken: int
    is_complete: bool

    @property
    def holds(self) -> bool:
        """Whether all that was looked at fits."""
        return not self.broken

    def document(self) -> dict[str, Any]:
        """The report in the types of JSON, as API and shell tell it; ``head`` is what ``Anchor.of`` reads."""
        return {
            "holds": self.holds, "complete": self.is_complete, "rows": self.rows, "first": self.first,
            "last": {"serial": self.head.serial, "hash": self.head.hash} if self.head else None,
            "head": str(self.head) if self.head else None, "broken": self.broken,
            "faults": [{"serial": one.serial, "reason": one.reason} for one in self.faults],
        }  # fmt: skip


def head(database: Database) -> Anchor | None:
    """The last row's serial and hash; None for an empty journal."""
    with database.reading_damaged("journal") as connection:
        return _anchor(connection, None)


def serial_before(database: Database, rows: int) -> int:
    """The serial after which the newest ``rows`` rows begin; 0 if there are no more of them."""
    with database.reading_damaged("journal") as connection:
        found = connection.execute(
            select(JournalEntry.serial).order_by(JournalEntry.serial.desc()).offset(rows).limit(1)
        ).scalar_one_or_none()
    return found or 0


def verify(
    database: Database,
    *,
    after: int = 0,
    limit: int | None = None,
    expected: Sequence[Anchor] = (),
    progress: Progress = lambda _done, _total: None,
    stop: threading.Event | None = None,
) -> ChainReport:
    """Compute the chain anew: a row that was changed, taken out or put in shows.

    ``after`` and ``limit`` choose a piece, which is held against the hash of the row before it. Each of ``expected``
    must be there as it was written down. Once ``stop`` is set, no further page is read. Raises StorageFailed.
    """
    with database.reading_damaged("journal") as connection:
        total = connection.execute(
            select(func.count()).select_from(JournalEntry).where(JournalEntry.serial > after)
        ).scalar_one()
        before = _anchor(connection, after)
    chain = _Chain(before.hash if before else "", after, expected)
    while not (stop is not None and stop.is_set()):
        size = PAGE if limit is None else min(PAGE, limit - chain.rows)
        with database.reading_damaged("journal") as connection:
            rows = connection.execute(
                ROWS.where(JournalEntry.serial > chain.last).order_by(JournalEntry.serial).limit(size)
            ).all()
        moved = [chain.take(row) for row in rows]
        progress(chain.rows, max(total, chain.rows))
        if len(rows) < size or not any(moved):
            chain.end(_cut_off(database))
            return chain.report(is_complete=True)
        if chain.rows == limit:
            break
    return chain.report(is_complete=False)


class _Chain:
    """A walk along the chain: where it stands and what it found."""

    def __init__(self, previous: str, last: int, expected: Sequence[Anchor]) -> None:
        self.rows = 0
        self.last = last
        self._previous = previous
        self._first: int | None = None
        self._expected: dict[int, set[str]] = {}
        for anchor in expected:
            self._expected.setdefault(anchor.serial, set()).add(anchor.hash)
        self._faults: list[ChainFault] = []
        self._broken = 0

    def take(self, row: Any) -> bool:
        """Hold one row against the one before it; whether the walk came further with it."""
        serial, moves = row.serial, bool(row.serial > self.last)
        if not moves:
            self._fault(serial, f"Row {serial} stands after {self.last}, but serials rise: the table is damaged.")
        elif not _fits(self._previous, row):
            self._fault(serial, f"Row {serial} ({row.action}) does not fit the chain: it or one before was changed.")
        if self._expected.pop(serial, {row.chain}) != {row.chain}:
            self._fault(serial, f"Row {serial} has another hash than was written down: the chain was made anew.")
        self.rows += 1
        self._first = serial if self._first is None else self._first
        self.last, self._previous = max(self.last, serial), str(row.chain)
        return moves

    def end(self, faults: Iterator[ChainFault]) -> None:
        """Add what shows at the journal's end only."""
        for serial in sorted(self._expected):
            self._fault(serial, f"Row {serial}, whose hash was written down, is not there: it was taken out or off.")
        for fault in faults:
            self._fault(fault.serial, fault.reason)

    def _fault(self, serial: int, reason: str) -> None:
        self._broken += 1
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(ChainFault(serial, reason))

    def report(self, *, is_complete: bool) -> ChainReport:
        """What was found."""
        end = None if self._first is None else Anchor(self.last, self._previous)
        return ChainReport(self.rows, self._first, end, tuple(self._faults), self._broken, is_complete)


def _fits(previous: str, row: Any) -> bool:
    at, detail = kept_moment(row.at), kept_detail(row.detail)
    if at is None or detail is None:
        return False
    by = Actor(row.actor, row.token, row.address, row.request_id)
    entry = Entry(row.action, row.index_name, row.project, row.version, row.filename, detail)
    return chain_hash(previous, row.serial, at, by, entry) == str(row.chain)


def _anchor(connection: Connection, serial: int | None) -> Anchor | None:
    """The last row, or the last up to a serial."""
    last = select(JournalEntry.serial, JournalEntry.chain).order_by(JournalEntry.serial.desc()).limit(1)
    row = connection.execute(last if serial is None else last.where(JournalEntry.serial <= serial)).first()
    return Anchor(row.serial, str(row.chain)) if row else None


def _cut_off(database: Database) -> Iterator[ChainFault]:
    """A chain says nothing of rows taken from its end; the serials of indexes do."""
    with database.reading_damaged("journal") as connection:
        last = connection.execute(select(func.max(JournalEntry.serial))).scalar_one() or 0
        indexes = connection.execute(select(PackageIndex.name, PackageIndex.serial)).all()
    for name, serial in indexes:
        if serial > last:
            yield ChainFault(
                last, f"The journal ends at {last}, but index {name} stands at {serial}: its end was taken off."
            )
