"""Sign-ins without a session: gathered, bounded, written to the journal, and kept out of what mirrors see."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from database import schema, sign_ins
from database.engine import Database
from database.journal_reading import JournalFilter, JournalRow, read
from database.sign_ins import BASIC, MANY, REFUSED, RefusedSignIns
from errors import DatabaseBusy
from services import Services
from tests.conftest import basic
from tests.web.conftest import publish_wheel


class Clock:
    """A clock that stands until it is set."""

    now = 1_795_600_000.0  # 2026-11-25 09:46:40 UTC

    def __call__(self) -> float:
        """The time, in seconds since 1970."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def gathered(clock: Clock) -> RefusedSignIns:
    """Nothing, yet."""
    return RefusedSignIns(clock)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A new database."""
    with closing(Database(tmp_path / "index.sqlite3")) as made:
        schema.prepare(made)
        yield made


def rows(database: Database) -> list[JournalRow]:
    """The whole journal."""
    return read(database, JournalFilter(), limit=100_000)


def details(database: Database) -> list[dict[str, Any]]:
    """The details of the whole journal."""
    return [dict(row.detail) for row in rows(database)]


def counted(database: Database) -> int:
    """How many sign-ins the journal knows."""
    return sum(detail["count"] for detail in details(database))


def test_what_happens_again_within_a_minute_is_one_row(
    gathered: RefusedSignIns, clock: Clock, database: Database
) -> None:
    """With how often, and when first and last; another name, address, reason or minute is another row."""
    for second in (0.0, 3.5, 7.25):
        clock.now = Clock.now + second
        gathered.note(REFUSED, "bob", "192.0.2.1", "password")
    gathered.note(REFUSED, "eve", "192.0.2.1", "password")
    gathered.note(REFUSED, "bob", "192.0.2.2", "password")
    gathered.note(REFUSED, "bob", "192.0.2.1", "token")
    clock.now += 60
    gathered.note(REFUSED, "bob", "192.0.2.1", "password")
    assert gathered.waiting() == 7
    assert (gathered.flush(database), gathered.waiting(), gathered.flush(database)) == (5, 0, 0)
    assert details(database)[0] == {
        "user": "bob", "reason": "password", "count": 3,
        "first": "2026-11-25T09:46:40.000000Z", "last": "2026-11-25T09:46:47.250000Z",
    }  # fmt: skip
    assert counted(database) == 7


def test_a_refused_name_is_claimed_not_proved(gathered: RefusedSignIns, database: Database) -> None:
    """The actor of a refused sign-in is nobody; that of a password found good is its owner."""
    gathered.note(REFUSED, "alice", "192.0.2.1", "password")
    gathered.note(BASIC, "bob", "192.0.2.2", "password")
    gathered.flush(database)
    refused, good = rows(database)
    assert (refused.action, refused.actor, refused.address) == ("session.refused", "anonymous", "192.0.2.1")
    assert refused.detail["user"] == "alice"
    assert (good.action, good.actor, good.address, "user" in good.detail) == (
        "session.basic",
        "bob",
        "192.0.2.2",
        False,
    )
    assert (refused.index, good.index) == (None, None)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a" * 5_000_000, "a" * 100),
        ("a\nb\x1b[31m\x00", "a\\nb\\x1b[31m\\x00"),
        ("\u202e" * 90, ("\\u202e" * 90)[:100]),
        ("\ud800", "\\ud800"),
        ("pcl_abcdefghij_secretsecret_123456", "pcl_abcdefghij..."),
        ("pypi-AgEIcHlwaSsecret", "pypi-AgEIcHlwa..."),
        ("", ""),
    ],
)
def test_what_strangers_send_is_cut_and_cleaned(
    gathered: RefusedSignIns, database: Database, sent: str, kept: str
) -> None:
    """At most 100 printable characters; of a token sent as a name only what is no secret."""
    gathered.note(REFUSED, sent, "192.0.2.1", "password")
    gathered.flush(database)
    assert details(database)[0]["user"] == kept


def test_beyond_the_bound_many_are_counted_together(
    gathered: RefusedSignIns, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of names fills neither memory nor journal, and every one of it is counted."""
    monkeypatch.setattr(sign_ins, "MOST_KEYS", 50)
    for number in range(1_000):
        clock.now += 1
        gathered.note(REFUSED, f"user{number}", f"192.0.2.{number % 250}", "password")
    gathered.note(REFUSED, "user0", "192.0.2.0", "token")
    gathered.note(BASIC, "bob", "192.0.2.1", "password")
    assert gathered.flush(database) == 53
    told = rows(database)
    many = [row for row in told if row.address == MANY]
    assert [(row.action, row.actor, row.detail["reason"], row.detail["count"]) for row in many] == [
        ("session.refused", "anonymous", "password", 950),
        ("session.refused", "anonymous", "token", 1),
        ("session.basic", MANY, "password", 1),
    ]
    assert counted(database) == 1_002


def test_reasons_have_a_bound_as_well(
    gathered: RefusedSignIns, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also words that were meant to be few are counted together in the end."""
    monkeypatch.setattr(sign_ins, "MOST_KEYS", 0)
    for number in range(1_000):
        gathered.note(REFUSED, "bob", "192.0.2.1", f"reason{number}")
    assert gathered.flush(database) == 101
    assert counted(database) == 1_000


def test_a_failed_flush_keeps_what_waits(
    gathered: RefusedSignIns, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not written waits for the next one, together with what came meanwhile; nothing is written twice."""
    monkeypatch.setattr(sign_ins, "_ROWS_AT_ONCE", 2)
    for name in ("a", "b", "c", "d", "e"):
        gathered.note(REFUSED, name, "192.0.2.1", "password")
    real, calls = database.writing, []

    def second_fails() -> Any:
        calls.append(1)
        if len(calls) == 2:
            gathered.note(REFUSED, "c", "192.0.2.1", "password")
            raise DatabaseBusy
        return real()

    monkeypatch.setattr(database, "writing", second_fails)
    with pytest.raises(DatabaseBusy):
        gathered.flush(database)
    assert (gathered.waiting(), counted(database)) == (4, 2)
    assert gathered.flush(database) == 3
    assert counted(database) == 6
    assert {detail["user"]: detail["count"] for detail in details(database)}["c"] == 2


def test_threads_lose_none(gathered: RefusedSignIns, database: Database) -> None:
    """Six threads note while another one flushes."""
    done = threading.Event()

    def note() -> None:
        for number in range(500):
            gathered.note(REFUSED, f"user{number % 7}", "192.0.2.1", "password")

    def flush() -> None:
        while not done.is_set():
            gathered.flush(database)

    noting = [threading.Thread(target=note) for _ in range(6)]
    flushing = threading.Thread(target=flush)
    for thread in (*noting, flushing):
        thread.start()
    for thread in noting:
        thread.join()
    done.set()
    flushing.join()
    gathered.flush(database)
    assert counted(database) == 3_000


def test_sign_ins_stay_out_of_what_mirrors_see(secured: Services, secured_client: FlaskClient, tmp_path: Path) -> None:
    """Rows without an index move no serial of a page and are in no change feed."""
    publish_wheel(secured, tmp_path)
    serial = secured.at().catalogue.validity(None)
    secured_client.get("/api/journal", headers=basic("alice", "wrong"))
    secured_client.get("/api/journal", headers=basic("alice"))
    secured.flush()
    assert {"session.refused", "session.basic"} <= {row.action for row in rows(secured.database)}
    assert secured.at().catalogue.validity(None) == serial
    seen = secured.at().catalogue.changes_since(0)
    assert [row.action for row in seen] == ["release.create", "file.publish"]
    call = b"<?xml version='1.0'?><methodCall><methodName>changelog_since_serial</methodName><params><param><value>"
    call += b"<int>0</int></value></param></params></methodCall>"
    answer = secured_client.post("/pypi", data=call, headers={"Content-Type": "text/xml"})
    assert "add py3 file" in answer.text
    assert "session" not in answer.text
    assert "user" not in answer.text
