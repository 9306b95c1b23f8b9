"""The journal: every change appends a row in the same transaction as the change.

Serials and chain hashes are taken last, under the one lock that is held until the commit, so that no later serial
becomes visible before an earlier one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from database.models import Counter, JournalEntry, PackageIndex, Project

_SERIAL_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
ACCESS = "access"
_LAST = select(JournalEntry.serial, JournalEntry.chain).order_by(JournalEntry.serial.desc()).limit(1)
_APPEND = insert(JournalEntry)
_MOVE_INDEX = update(PackageIndex).where(PackageIndex.name == bindparam("index_name")).values(serial=bindparam("to"))
_MOVE_PROJECT = (
    update(Project)
    .where(
        Project.index_id
        == select(PackageIndex.id).where(PackageIndex.name == bindparam("index_name")).scalar_subquery(),
        Project.name == bindparam("project_name"),
    )
    .values(serial=bindparam("to"))
)


ANONYMOUS: Final = "anonymous"  # the name of whoever did something without signing in


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, and from where: what a journal row says of them."""

    name: str
    token: str | None = None
    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a journal row says of a change, before it has a serial. Without an index it moves no page."""

    action: str
    index: str | None = None
    project: str | None = None
    version: str | None = None
    filename: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def first_serial(now: datetime) -> int:
    """Where a new database starts: seconds since 2020, so that it stands above any earlier one's serials."""
    return int((now - _SERIAL_EPOCH).total_seconds())


def chain_hash(previous: str, serial: int, at: datetime, by: Actor, entry: Entry) -> str:
    """The hash that binds a row to all before it."""
    facts = [
        previous, serial, at.isoformat(), entry.action, entry.index, entry.project, entry.version, entry.filename,
        by.name, by.token, by.address, by.request_id, dict(entry.detail),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Change:
    """One change under way: its connection, its moment, and the journal rows that it will leave."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.at = datetime.now(UTC)
        self._entries: list[tuple[Actor, Entry]] = []
        self._moves_access = False

    def record(self, by: Actor, entry: Entry) -> None:
        """Append a row to the journal when the change is sealed."""
        self._entries.append((by, entry))

    def moves_access(self) -> None:
        """Say that accounts or rights change: every cached verdict ends with the commit."""
        self._moves_access = True

    def seal(self) -> int | None:
        """Give the rows their serials and chain, and move those of their projects and indexes; the last serial."""
        if self._moves_access:
            self._move_access()
        if not self._entries:
            return None
        last = self.connection.execute(_LAST).first()
        serial, chain = (last.serial, last.chain) if last else (first_serial(self.at), "")
        rows, projects, indexes = [], {}, {}
        for by, entry in self._entries:
            serial += 1
            chain = chain_hash(chain, serial, self.at, by, entry)
            rows.append(_row(serial, chain, self.at, by, entry))
            if entry.index:
                indexes[entry.index] = serial
                if entry.project:
                    projects[entry.index, entry.project] = serial
        self.connection.execute(_APPEND, rows)
        self._move_serials(projects, indexes)
        return serial

    def _move_access(self) -> None:
        moved = self.connection.execute(
            update(Counter).where(Counter.name == ACCESS).values(value=Counter.value + 1)
        ).rowcount
        if not moved:
            self.connection.execute(insert(Counter).values(name=ACCESS, value=1))

    def _move_serials(self, projects: dict[tuple[str, str], int], indexes: dict[str, int]) -> None:
        for name, serial in indexes.items():
            self.connection.execute(_MOVE_INDEX, {"index_name": name, "to": serial})
        for (index, project), serial in projects.items():
            self.connection.execute(_MOVE_PROJECT, {"index_name": index, "project_name": project, "to": serial})


def _row(serial: int, chain: str, at: datetime, by: Actor, entry: Entry) -> dict[str, Any]:
    return {
        "serial": serial,
        "at": at,
        "action": entry.action,
        "index_name": entry.index,
        "project": entry.project,
        "version": entry.version,
        "filename": entry.filename,
        "actor": by.name,
        "token": by.token,
        "address": by.address,
        "request_id": by.request_id,
        "detail": dict(entry.detail),
        "chain": chain,
    }
