"""The journal, read and proved: filters, walks of bounded memory, the chain, and the forms that leave the server."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from database import journal_proof, journal_reading, schema
from database.engine import Database
from database.journal import Actor, Entry, chain_hash
from database.journal_export import COLUMNS, csv_lines, json_lines
from database.journal_proof import Anchor, head, verify
from database.journal_reading import JournalFilter, count, moment_of, read, stream
from errors import InvalidRequest, StorageFailed
from tests.conftest import ROOT

ALICE = Actor("alice", "tok1", "192.0.2.1", "req-1")
BOB = Actor("bob", None, "2001:db8::7")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with six changes by two people."""
    with closing(Database(tmp_path / "index.sqlite3")) as made:
        schema.prepare(made)
        note(made, ALICE, Entry("user.create", detail={"user": "bob", "admin": False}))
        note(made, BOB, Entry("release.create", "main", "looms", "1.0"))
        note(made, BOB, Entry("file.publish", "main", "looms", "1.0", "looms-1.0.tar.gz", {"sha256": "0" * 64}))
        note(made, ALICE, Entry("file.yank", "main", "looms", "1.0", "looms-1.0.tar.gz", {"reason": "Tuesdays"}))
        note(made, ALICE, Entry("project.status", "main", "attic", detail={"status": "archived"}))
        note(made, ALICE, Entry("files.other", detail={"before": {"a": 1}, "after": {"a": 2}}))
        yield made


def note(database: Database, by: Actor, *entries: Entry) -> None:
    """Write rows in one change."""
    with database.writing() as change:
        for entry in entries:
            change.record(by, entry)


def tamper(database: Database, statement: str, *values: object) -> None:
    """Change the file as somebody with a tool of their own does."""
    connection = database._connect()
    connection.execute(statement, values)
    connection.close()


def actions(database: Database, **words: str) -> list[str]:
    """The actions of the rows that fit, oldest first."""
    return [row.action for row in read(database, JournalFilter.of(words), limit=100)]


# -- filters


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"action": "file.yank"}, ["file.yank"]),
        ({"action": "file.*"}, ["file.publish", "file.yank"]),
        ({"action": "file_*"}, []),
        (
            {"action": "*"},
            ["user.create", "release.create", "file.publish", "file.yank", "project.status", "files.other"],
        ),
        ({"actor": "bob"}, ["release.create", "file.publish"]),
        ({"actor": "bob' OR 1=1 --"}, []),
        ({"actor": "alice", "project": "LOOMS"}, ["file.yank"]),
        ({"token": "tok1", "action": "user.*"}, ["user.create"]),
        ({"address": "2001:db8::7", "version": "1.0", "filename": "looms-1.0.tar.gz"}, ["file.publish"]),
        ({"index": "main", "request_id": "req-1"}, ["file.yank", "project.status"]),
        ({"actor": "", "project": "attic"}, ["project.status"]),
    ],
)
def test_all_that_is_said_must_fit(database: Database, words: dict[str, str], found: list[str]) -> None:
    """Each word narrows; a star is every action that begins so and no other sign; an empty word says nothing."""
    assert actions(database, **words) == found
    assert count(database, JournalFilter.of(words)) == len(found)


def test_rows_say_all_that_was_recorded(database: Database) -> None:
    """A row is what the change said, with its moment in UTC."""
    row = read(database, JournalFilter(action="file.yank"), limit=1)[0]
    assert (row.actor, row.token, row.address, row.request_id) == ("alice", "tok1", "192.0.2.1", "req-1")
    assert (row.index, row.project, row.version, row.filename) == ("main", "looms", "1.0", "looms-1.0.tar.gz")
    assert row.detail == {"reason": "Tuesdays"}
    assert abs((datetime.now(UTC) - row.at).total_seconds()) < 600
    assert list(row.document()) == list(COLUMNS)


def test_serials_and_moments_are_bounds(database: Database) -> None:
    """Rows lie between the serials; `since` counts itself, `until` does not."""
    rows = read(database, JournalFilter(), limit=100)
    second, fifth = rows[1], rows[4]
    between = JournalFilter(after_serial=second.serial, before_serial=fifth.serial)
    assert read(database, between, limit=100) == rows[2:4]
    assert read(database, JournalFilter(since=second.at, until=fifth.at), limit=100) == rows[1:4]
    assert read(database, JournalFilter(), limit=2, newest_first=True) == rows[:-3:-1]


@pytest.mark.parametrize(
    ("text", "beginning", "end"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00", "2026-02-01T00:00:00+00:00"),
        ("2026-01-31T12:00", "2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00+00:00"),
        ("2026-01-31t12:00:00.5z", "2026-01-31T12:00:00.500000+00:00", "2026-01-31T12:00:00.500000+00:00"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
        ("9999-12-31", "9999-12-31T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_a_day_is_taken_in_whole(text: str, beginning: str, end: str) -> None:
    """Moments are RFC 3339, in UTC unless they say otherwise."""
    assert (moment_of(text).isoformat(), moment_of(text, is_end=True).isoformat()) == (beginning, end)


@pytest.mark.parametrize(
    "words", [{"since": "2026-02-30"}, {"until": "soon"}, {"after_serial": "-1"}, {"before_serial": "1" * 19}]
)
def test_what_is_no_moment_or_serial_is_refused(words: dict[str, str]) -> None:
    """With a sentence that shows how to write it."""
    with pytest.raises(InvalidRequest):
        JournalFilter.of(words)


def test_moments_at_the_edges_of_time_are_bounds_too(database: Database) -> None:
    """The first and the last moment that can be written neither fail nor wrap round."""
    edges = {"since": "0001-01-01T00:00:00+23:59", "until": "9999-12-31T23:59:59.999999-23:59"}
    assert len(actions(database, **edges)) == 6


# -- the walk


def test_a_walk_reads_a_page_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row once, in order, with no more in memory than a page, and narrowed as asked."""
    monkeypatch.setattr(journal_reading, "PAGE", 2)
    rows = read(database, JournalFilter(), limit=100)
    assert list(stream(database, JournalFilter())) == rows
    assert list(stream(database, JournalFilter(after_serial=rows[0].serial, actor="alice"))) == rows[3:]
    assert list(stream(database, JournalFilter(project="nothing"))) == []


def test_a_walk_sees_one_state(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are written while it goes on are not in it, and hold nobody up."""
    monkeypatch.setattr(journal_reading, "PAGE", 2)
    walk = stream(database, JournalFilter())
    begun = list(itertools.islice(walk, 1))
    note(database, BOB, Entry("later"), Entry("later"))
    assert "later" not in [row.action for row in [*begun, *walk]]
    assert count(database, JournalFilter()) == 8


def test_a_damaged_detail_is_shown_as_it_is(database: Database) -> None:
    """Its row is not lost; a moment that is none is said to be damaged, with what to do."""
    tamper(database, "UPDATE journal SET detail = 'no json' WHERE action = 'file.yank'")
    assert read(database, JournalFilter(action="file.yank"), limit=1)[0].detail == {"unreadable": "no json"}
    tamper(database, "UPDATE journal SET at = 'x' WHERE action = 'file.yank'")
    with pytest.raises(StorageFailed, match="journal verify"):
        read(database, JournalFilter(action="file.yank"), limit=1)


# -- the proof


def test_a_sound_journal_holds(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over any number of pages; the report has the number of rows, the first serial and the head."""
    rows = read(database, JournalFilter(), limit=100)
    for page in (1, 2, 6, 7):
        monkeypatch.setattr(journal_proof, "PAGE", page)
        seen: list[tuple[int, int]] = []
        found = verify(database, progress=lambda done, total: seen.append((done, total)))  # noqa: B023 - called here
        assert (found.holds, found.is_complete, found.rows, found.first) == (True, True, 6, rows[0].serial)
        assert found.head == head(database) == Anchor(rows[-1].serial, rows[-1].chain)
        assert seen[-1] == (6, 6)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = 'carol' WHERE serial = ?",
        "UPDATE journal SET at = at + 1 WHERE serial = ?",
        "UPDATE journal SET at = 'x' WHERE serial = ?",
        "UPDATE journal SET at = 9000000000000000000 WHERE serial = ?",
        "UPDATE journal SET project = NULL WHERE serial = ?",
        "UPDATE journal SET detail = '[]' WHERE serial = ?",
        "UPDATE journal SET detail = replace(hex(zeroblob(5000)), '0', '[') WHERE serial = ?",
        "UPDATE journal SET address = '192.0.2.99' WHERE serial = ?",
    ],
)
def test_a_changed_row_is_named(database: Database, statement: str) -> None:
    """Whatever was changed in it, and it alone."""
    serial = read(database, JournalFilter(action="file.yank"), limit=1)[0].serial
    tamper(database, statement, serial)
    found = verify(database)
    assert [fault.serial for fault in found.faults] == [serial]
    assert f"Row {serial} (file.yank) does not fit the chain" in found.faults[0].reason
    assert (found.holds, found.rows, found.broken) == (False, 6, 1)


def test_a_row_taken_out_moved_or_put_in_shows(database: Database) -> None:
    """The row after the gap does not fit; nor does one under a new serial, nor one that was made up."""
    rows = read(database, JournalFilter(), limit=100)
    tamper(database, "DELETE FROM journal WHERE serial = ?", rows[2].serial)
    assert [fault.serial for fault in verify(database).faults] == [rows[3].serial]
    tamper(database, "UPDATE journal SET serial = serial + 1000 WHERE serial = ?", rows[5].serial)
    assert [fault.serial for fault in verify(database).faults] == [rows[3].serial, rows[5].serial + 1000]
    tamper(
        database,
        "INSERT INTO journal (serial, at, action, actor, detail, chain) VALUES (?, 0, 'x', 'y', '{}', ?)",
        rows[0].serial - 1,
        "0" * 64,
    )
    assert verify(database).faults[0].serial == rows[0].serial - 1


def test_an_end_taken_off_shows_where_an_index_was_changed(database: Database) -> None:
    """The index stands at a serial that the journal does not have."""
    rows = read(database, JournalFilter(), limit=100)
    tamper(database, "DELETE FROM journal WHERE serial >= ?", rows[4].serial)
    found = verify(database)
    assert [fault.serial for fault in found.faults] == [rows[3].serial]
    assert "its end was taken off" in found.faults[0].reason


def test_a_head_written_down_notices_a_cut_and_a_rewritten_chain(database: Database) -> None:
    """Both hold together by themselves; only what was kept elsewhere tells."""
    kept = head(database)
    assert kept is not None
    note(database, BOB, Entry("later"))
    assert verify(database, expected=[kept, Anchor.of(str(kept))]).holds
    assert not verify(database, expected=[kept, Anchor(kept.serial, "0" * 64)]).holds
    _rewrite(database, "bob", "carol")
    assert verify(database).holds
    found = verify(database, expected=[kept])
    assert [(fault.serial, "another hash" in fault.reason) for fault in found.faults] == [(kept.serial, True)]
    tamper(database, "DELETE FROM journal WHERE action IN ('later', 'files.other')")
    assert verify(database).holds
    assert "is not there" in verify(database, expected=[kept]).faults[0].reason


def _rewrite(database: Database, before: str, after: str) -> None:
    """What a clever attacker does: another actor, and every hash computed anew."""
    tamper(database, "UPDATE journal SET actor = ? WHERE actor = ?", after, before)
    chain = ""
    for row in read(database, JournalFilter(), limit=100):
        by = Actor(row.actor, row.token, row.address, row.request_id)
        entry = Entry(row.action, row.index, row.project, row.version, row.filename, row.detail)
        chain = chain_hash(chain, row.serial, row.at, by, entry)
        tamper(database, "UPDATE journal SET chain = ? WHERE serial = ?", chain, row.serial)


def test_a_piece_is_held_against_the_row_before(database: Database) -> None:
    """Piece by piece the whole journal is proved, with no request that takes long."""
    last, rows = 0, 0
    while True:
        found = verify(database, after=last, limit=4)
        assert found.holds
        rows += found.rows
        if found.is_complete:
            break
        assert found.head is not None
        last = found.head.serial
    assert rows == 6
    tamper(database, "UPDATE journal SET actor = 'carol' WHERE action = 'file.yank'")
    assert verify(database, limit=3).holds
    assert not verify(database, after=last - 1).holds
    assert verify(database, after=last).holds
    newest = journal_proof.serial_before(database, 2)
    assert verify(database, after=newest).rows == 2
    assert journal_proof.serial_before(database, 6) == 0


def test_a_stopped_proof_says_so(database: Database) -> None:
    """What it did not reach, it says nothing of."""
    stop = threading.Event()
    stop.set()
    found = verify(database, stop=stop)
    assert (found.rows, found.is_complete, found.head) == (0, False, None)


def test_faults_are_counted_beyond_those_that_are_told(database: Database) -> None:
    """A wholly changed journal does not fill the memory with sentences."""
    note(database, BOB, *[Entry("later")] * 300)
    tamper(database, "UPDATE journal SET actor = 'carol'")
    found = verify(database)
    assert (found.broken, len(found.faults)) == (306, journal_proof.MOST_FAULTS)


@pytest.mark.parametrize("text", ["", "1", "1:", "1:abc", "x:" + "0" * 64, "1:" + "g" * 64, "1:" + "0" * 65])
def test_what_is_no_head_is_refused(text: str) -> None:
    """A head is a serial, a colon and 64 hex digits."""
    with pytest.raises(InvalidRequest):
        Anchor.of(text)


def test_an_empty_journal_is_no_fault(tmp_path: Path) -> None:
    """It has no rows, no head and nothing to say."""
    with closing(Database(tmp_path / "new.sqlite3")) as made:
        schema.prepare(made)
        assert verify(made).holds
        assert (head(made), list(stream(made, JournalFilter()))) == (None, [])


# -- the forms


def _csv_of(database: Database, **words: str) -> list[dict[str, str]]:
    text = b"".join(csv_lines(stream(database, JournalFilter.of(words)))).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a\x1b[31mb\x00\u202e", "a\\x1b[31mb\\x00\\u202e"),
        ('a,"b"\nc', 'a,"b"\\nc'),
        ("Łódź", "Łódź"),
    ],
)
def test_formulas_and_controls_are_quoted_in_csv(database: Database, hostile: str, shown: str) -> None:
    """S123: no cell is a formula, and none has a character that is not printable."""
    note(database, Actor(hostile, address=hostile), Entry("later", detail={hostile: hostile}))
    (row,) = _csv_of(database, action="later")
    assert (row["actor"], row["address"]) == (shown, shown)
    assert json.loads(row["detail"]) == {hostile: hostile}
    assert "".join(row.values()).isprintable()


def test_csv_has_every_column(database: Database) -> None:
    """A line of names, then the rows; what a row does not say is empty."""
    rows = _csv_of(database)
    assert len(rows) == 6
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["project"] == ""


def test_an_export_can_be_proved_without_this_program(database: Database, tmp_path: Path) -> None:
    """The program in docs/operations.md computes the same head from JSON lines, and finds a changed one."""
    note(database, Actor("Łódź"), Entry("later", detail={"ü": [1, None, True, {"b": 1.5, "a": "\ud800"}]}))
    found = re.search(r"```python\n(import datetime.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    assert found
    program, export = tmp_path / "prove.py", tmp_path / "journal.jsonl"
    program.write_text(found[1])
    lines = list(json_lines(stream(database, JournalFilter())))

    def prove() -> Any:
        return subprocess.run([sys.executable, program, export], capture_output=True, text=True, check=False)

    export.write_bytes(b"".join(lines))
    assert prove().stdout == f"{head(database)}\n"
    export.write_bytes(b"".join([lines[0], lines[1].replace(b"bob", b"eve"), *lines[2:]]))
    assert (prove().returncode, prove().stdout) == (1, "")
