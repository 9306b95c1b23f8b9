"""The journal, read: its rows by what they say, and a walk over all of them.

Rows are never changed, and serials only rise, so a walk in pages up to the serial that was the last one at its start
sees one state of the journal, however long it takes; each page is a transaction of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from packaging.utils import canonicalize_name
from sqlalchemy import BigInteger, ColumnElement, Select, Text, func, select, type_coerce

from database.engine import Database
from database.models import JournalEntry
from errors import InvalidRequest, StorageFailed, shown
from simple.model import utc_stamp

PAGE: Final = 2_000  # rows in memory at a time
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)
_SERIAL: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
ROWS: Final[Select[*tuple[Any, ...]]] = select(
    # Moment and detail as they are kept: a damaged one is a finding, not an exception.
    JournalEntry.serial, type_coerce(JournalEntry.at, BigInteger).label("at"), JournalEntry.action,
    JournalEntry.index_name, JournalEntry.project, JournalEntry.version, JournalEntry.filename, JournalEntry.actor,
    JournalEntry.token, JournalEntry.address, JournalEntry.request_id,
    type_coerce(JournalEntry.detail, Text).label("detail"), JournalEntry.chain,
)  # fmt: skip
_EXACT: Final = {
    "actor": JournalEntry.actor, "token": JournalEntry.token, "address": JournalEntry.address,
    "index": JournalEntry.index_name, "project": JournalEntry.project, "version": JournalEntry.version,
    "filename": JournalEntry.filename, "request_id": JournalEntry.request_id,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """Which rows are meant: all that is said must fit. ``action`` may end in a star: ``file.*``.

    ``since`` is the first moment that counts, ``until`` the first that does not; rows lie between the two serials.
    """

    action: str | None = None
    actor: str | None = None
    token: str | None = None
    address: str | None = None
    index: str | None = None
    project: str | None = None
    version: str | None = None
    filename: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after_serial: int | None = None
    before_serial: int | None = None

    @classmethod
    def of(cls, words: Mapping[str, str | None]) -> JournalFilter:
        """The filter that people and programs write: texts by field; one that is empty or None says nothing.

        Projects may be spelled in any way. Raises InvalidRequest for moments and serials that are none.
        """
        given: dict[str, Any] = {name: text for name, text in words.items() if text}
        if "project" in given:
            given["project"] = canonicalize_name(given["project"])
        for name in given.keys() & {"since", "until"}:
            given[name] = moment_of(given[name], is_end=name == "until")
        for name in given.keys() & {"after_serial", "before_serial"}:
            given[name] = serial_of(given[name])
        return cls(**given)

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter in SQL."""
        found = [column == value for name, column in _EXACT.items() if (value := getattr(self, name)) is not None]
        if self.action is not None:
            found.append(_action_is(self.action))
        bounds = (
            (self.since, JournalEntry.at.__ge__), (self.until, JournalEntry.at.__lt__),
            (self.after_serial, JournalEntry.serial.__gt__), (self.before_serial, JournalEntry.serial.__lt__),
        )  # fmt: skip
        return [*found, *(holds(bound) for bound, holds in bounds if bound is not None)]


def _action_is(action: str) -> ColumnElement[bool]:
    if action.endswith("*"):
        return JournalEntry.action.startswith(action[:-1], autoescape=True)
    return JournalEntry.action == action


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One row of the journal. ``chain`` is the hash that binds it to all before it."""

    serial: int
    at: datetime
    action: str
    index: str | None
    project: str | None
    version: str | None
    filename: str | None
    actor: str
    token: str | None
    address: str | None
    request_id: str | None
    detail: Mapping[str, Any]
    chain: str

    def document(self) -> dict[str, Any]:
        """The row for JSON: the moment as ``yyyy-mm-ddThh:mm:ss.ffffffZ``, everything else as it is."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**found, "at": utc_stamp(self.at)}


def moment_of(text: str, *, is_end: bool = False) -> datetime:
    """A moment (RFC 3339, UTC unless it says otherwise), or a day: its beginning, or with ``is_end`` that of the next.

    Raises InvalidRequest.
    """
    try:
        if _DAY.fullmatch(text):
            found = datetime.combine(date.fromisoformat(text), time(), UTC)
            return found + timedelta(days=1) if is_end else found
        found = datetime.fromisoformat(text.upper())
    except OverflowError:  # after the last day that there is
        return _LAST_MOMENT
    except ValueError as error:
        raise InvalidRequest(
            f"{shown(text)} is neither a day nor a moment; write 2026-01-31 or 2026-01-31T12:00:00Z."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def serial_of(text: str) -> int:
    """A serial. Raises InvalidRequest."""
    if _SERIAL.fullmatch(text) is None:
        raise InvalidRequest(f"{shown(text)} is no serial; serials are whole numbers of at most 18 digits.")
    return int(text)


def read(database: Database, wanted: JournalFilter, *, limit: int, newest_first: bool = False) -> list[JournalRow]:
    """At most ``limit`` rows. Raises StorageFailed for a damaged database."""
    order = JournalEntry.serial.desc() if newest_first else JournalEntry.serial
    with database.reading_damaged("journal") as connection:
        rows = connection.execute(ROWS.where(*wanted.conditions()).order_by(order).limit(limit)).all()
    return [_row(row) for row in rows]


def stream(database: Database, wanted: JournalFilter) -> Iterator[JournalRow]:
    """Every row, oldest first, of the journal as it is at the first step; PAGE rows are in memory at a time.

    Raises StorageFailed for a damaged database.
    """
    with database.reading_damaged("journal") as connection:
        end = connection.execute(select(func.max(JournalEntry.serial))).scalar_one()
    last = -1
    while end is not None:
        with database.reading_damaged("journal") as connection:
            rows = connection.execute(
                ROWS.where(*wanted.conditions(), JournalEntry.serial > last, JournalEntry.serial <= end)
                .order_by(JournalEntry.serial)
                .limit(PAGE)
            ).all()
        yield from map(_row, rows)
        if len(rows) < PAGE:
            return
        last = rows[-1].serial


def count(database: Database, wanted: JournalFilter) -> int:
    """How many rows there are."""
    with database.reading_damaged("journal") as connection:
        return connection.execute(
            select(func.count()).select_from(JournalEntry).where(*wanted.conditions())
        ).scalar_one()


def _row(row: Any) -> JournalRow:
    at, detail = kept_moment(row.at), kept_detail(row.detail)
    if at is None:
        raise StorageFailed(f"Row {row.serial} of the journal is damaged; `cli.py journal verify` names all that are.")
    return JournalRow(
        row.serial, at, row.action, row.index_name, row.project, row.version, row.filename, row.actor, row.token,
        row.address, row.request_id, {"unreadable": str(row.detail)} if detail is None else detail, row.chain,
    )  # fmt: skip


def kept_moment(value: object) -> datetime | None:
    """The moment that so many microseconds since 1970 are, or None for what is damaged."""
    try:
        return _EPOCH + timedelta(microseconds=value) if isinstance(value, int) else None
    except OverflowError:
        return None


def kept_detail(text: object) -> dict[str, Any] | None:
    """The detail that this JSON is, or None for what is damaged."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
