"""Sign-ins that leave no session: refused ones, and passwords that were sent along with a request (HTTP Basic).

They come by the thousand, so they are gathered in memory and written to the journal now and then: one row for what
happened again and again within a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final, NamedTuple

from database.engine import Database
from database.journal import ANONYMOUS, Actor, Entry
from database.journal_export import visible
from simple.model import utc_stamp

# Kinds, which are the actions of their journal rows.
REFUSED: Final = "session.refused"
BASIC: Final = "session.basic"
MANY: Final = "many"  # stands for the names and addresses that there was no room for
MOST_KEYS: Final = 10_000
_MOST_MANY: Final = 100  # of those that stand for many, told apart by their reasons
_ROWS_AT_ONCE: Final = 500  # in one transaction, so that others need not wait for long
_LONGEST: Final = {"kind": 40, "username": 100, "address": 80, "reason": 60}
# How API tokens begin, here and on PyPI: sent as a username by mistake, their secret must not be written down.
_TOKENS: Final = ("pcl_", "pypi-")
_SHOWN_OF_TOKEN: Final = 14


class _Key(NamedTuple):
    kind: str
    username: str
    address: str
    reason: str
    minute: int  # since 1970; 0 for those that stand for many


@dataclass(slots=True)
class _Tally:
    """How often, and the first and last time, in seconds since 1970."""

    count: int
    first: float
    last: float


class RefusedSignIns:
    """Gathers sign-ins by kind, name, address, reason and minute; safe for threads.

    At most MOST_KEYS are told apart between two flushes; beyond that names and addresses are counted as ``many``.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[_Key, _Tally] = {}
        self._many: dict[_Key, _Tally] = {}

    def note(self, kind: str, username: str, address: str, reason: str) -> None:
        """Count one. ``kind`` is REFUSED or BASIC, ``username`` what was claimed, ``reason`` a code. Takes
        microseconds and never asks the database.
        """
        now = self._clock()
        key = _Key(
            _clean(kind, "kind"),
            _clean(_without_secret(username), "username"),
            _clean(address, "address"),
            _clean(reason, "reason"),
            int(now // 60),
        )
        with self._lock:
            self._add(key, _Tally(1, now, now))

    def waiting(self) -> int:
        """How many sign-ins are not written yet."""
        with self._lock:
            return sum(tally.count for tallies in (self._told, self._many) for tally in tallies.values())

    def flush(self, database: Database) -> int:
        """Write a journal row for each key, in short transactions; how many rows. What a failure leaves unwritten
        waits for the next flush.
        """
        with self._lock:
            waiting = {**self._told, **self._many}
            self._told, self._many = {}, {}
        written = 0
        try:
            while piece := list(islice(waiting.items(), _ROWS_AT_ONCE)):
                with database.writing() as change:
                    for key, tally in piece:
                        change.record(*_row(key, tally))
                for key, _ in piece:
                    del waiting[key]
                written += len(piece)
        finally:
            with self._lock:
                for key, tally in waiting.items():
                    self._add(key, tally)
        return written

    def _add(self, key: _Key, tally: _Tally) -> None:
        tallies = self._told
        if key.username == key.address == MANY or (key not in self._told and len(self._told) >= MOST_KEYS):
            tallies, key = self._many, _Key(key.kind, MANY, MANY, key.reason, 0)
            if key not in tallies and len(tallies) >= _MOST_MANY:
                key = _Key(key.kind if key.kind == BASIC else REFUSED, MANY, MANY, MANY, 0)
        found = tallies.get(key)
        if found is None:
            tallies[key] = tally
            return
        found.count += tally.count
        found.first, found.last = min(found.first, tally.first), max(found.last, tally.last)


def _row(key: _Key, tally: _Tally) -> tuple[Actor, Entry]:
    detail = {
        "reason": key.reason, "count": tally.count, "first": _stamp(tally.first), "last": _stamp(tally.last),
    }  # fmt: skip
    if key.kind == BASIC:
        return Actor(key.username, address=key.address), Entry(key.kind, detail=detail)
    # Nobody proved the name, so it is no actor.
    claimed = {"user": key.username, **detail}
    return Actor(ANONYMOUS, address=key.address), Entry(key.kind, detail=claimed)


def _without_secret(username: str) -> str:
    return f"{username[:_SHOWN_OF_TOKEN]}..." if username.startswith(_TOKENS) else username


def _clean(text: str, what: str) -> str:
    return visible(text[: _LONGEST[what]])[: _LONGEST[what]]


def _stamp(seconds: float) -> str:
    return utc_stamp(datetime.fromtimestamp(seconds, UTC))
