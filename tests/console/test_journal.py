"""What ``cli.py journal`` promises: changes listed, exported all or nothing, and proved."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.watching import EVERY_SECONDS
from database.engine import Database
from database.journal import Actor, Entry
from tests.console.running import ROOT, data, good, program, refusal, run

DATABASE = Path("packages/.state/index.sqlite3")


def tamper(statement: str) -> None:
    """Change the file as somebody with a tool of their own does."""
    with closing(Database(DATABASE)) as database:
        connection = database._connect()
        connection.execute(statement)
        connection.close()


def note(*entries: Entry, by: str = "somebody@shell") -> None:
    """Write rows in one change."""
    with closing(Database(DATABASE)) as database, database.writing() as change:
        for entry in entries:
            change.record(Actor(by, address="192.0.2.1"), entry)


def listed(*arguments: str) -> list[str]:
    """The actions that a listing has."""
    return [row["action"] for row in data("journal", "list", *arguments)]


@pytest.fixture
def stocked(filled: Path) -> Path:
    """Two projects, imported from the shell, and an account."""
    good("user", "create", "--username", "bob", "--password", "x")
    return filled


@pytest.mark.usefixtures("stocked")
def test_changes_are_listed_newest_first() -> None:
    """With who made them; --oldest-first turns it round, --limit cuts it and says so."""
    newest, oldest = listed(), listed("--oldest-first")
    assert newest == oldest[::-1]
    assert newest[0] == "user.create"
    assert "release.create" in newest
    text = good("journal", "list", "--action", "user.*")
    assert text.splitlines()[0].split() == [
        "SERIAL", "TIME", "ACTION", "ACTOR", "FROM", "PROJECT", "VERSION", "FILENAME", "DETAIL",
    ]  # fmt: skip
    assert "@shell" in text
    assert '{"user":"bob","admin":false}' in text
    result = run("journal", "list", "--limit", "2")
    assert len(result.stdout.splitlines()) == 3
    assert "--limit shows more" in result.stderr


@pytest.mark.usefixtures("stocked")
def test_every_filter_narrows() -> None:
    """By action, project, version, file, actor, address, index, serial."""
    note(Entry("token.create"), by="carol")
    assert listed("--actor", "carol") == listed("--address", "192.0.2.1") == ["token.create"]
    assert listed("--index", "main", "--action", "release.*") == ["release.create"] * 2
    assert listed("--package-name", "Other_Thing", "--package-version", "2.0", "--action", "file.publish") == [
        "file.publish"
    ]
    assert listed("--file", "sample-1.0.tar.gz", "--action", "file.publish") == ["file.publish"]
    assert listed("--token", "x") == listed("--request-id", "x") == []
    newest = data("journal", "list", "--limit", "1")[0]["serial"]
    assert listed("--after", str(newest - 1)) == ["token.create"]
    assert "token.create" not in listed("--before", str(newest))
    assert "No such changes." in run("journal", "list", "--actor", "nobody").stderr


@pytest.mark.usefixtures("stocked")
def test_since_and_until_take_days_moments_and_how_long_ago() -> None:
    """2026-01-31, 2026-01-31T12:00Z, 7d, 12h, 30m, 2w; a day is taken in whole."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    everything = listed()
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    for since in ("7d", "12h", "30m", "2w", "2026-01-31", "2020-01-01T12:00Z"):
        assert listed("--since", since, "--until", tomorrow) == everything
    assert listed("--until", "30m") == listed("--since", tomorrow) == listed("--until", "2020-01-01") == []
    assert listed("--until", today, "--since", "2w") in (everything, [])  # [] only where midnight was just now
    for wrong in ("soon", "7x", "2026-02-30", "999999w", "-1d"):
        result = run("journal", "list", "--since", wrong)
        assert (result.exit_code, "7d, 12h" in result.stderr or "longer ago" in result.stderr) == (2, True)


@pytest.mark.usefixtures("stocked")
def test_a_stranger_cannot_steer_the_terminal() -> None:
    """What is not printable is an escape."""
    note(Entry("later"), by="eve\x1b]0;x\x07\nroot")
    text = good("journal", "list", "--action", "later")
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2


@pytest.mark.usefixtures("stocked")
def test_an_export_is_whole_and_private() -> None:
    """JSON lines, one a row, oldest first, in a file that its owner alone may read; the same on stdout."""
    text = good("journal", "export", "--output", "journal.jsonl")
    rows = [json.loads(line) for line in Path("journal.jsonl").read_text().splitlines()]
    assert text == f"Wrote {len(rows)} rows to journal.jsonl.\n"
    assert rows == data("journal", "list", "--oldest-first")
    assert stat.S_IMODE(Path("journal.jsonl").stat().st_mode) == 0o600
    assert good("journal", "export") == Path("journal.jsonl").read_text()
    told = data("journal", "export", "--output", "journal.jsonl", "--action", "user.*")
    assert told == {
        "output": "journal.jsonl", "format": "jsonl", "rows": 1, "bytes": Path("journal.jsonl").stat().st_size,
    }  # fmt: skip
    assert run("journal", "export", "--json").exit_code == 2


@pytest.mark.usefixtures("stocked")
def test_csv_has_no_formulas() -> None:
    """S123: a name that a spreadsheet would compute is quoted."""
    note(Entry("later"), by="=cmd|' /C calc'!A0")
    text = good("journal", "export", "--format", "csv", "--action", "later")
    head, row = text.splitlines()
    assert head.startswith("serial,at,action,")
    assert ",'=cmd|' /C calc'!A0," in row


@pytest.mark.usefixtures("stocked")
def test_an_export_that_fails_leaves_what_was_there() -> None:
    """A damaged row ends it: the older file stands, no piece of a new one lies about, one line says why."""
    Path("journal.jsonl").write_text("older")
    tamper("UPDATE journal SET at = 'x' WHERE action = 'user.create'")
    assert "journal verify" in refusal("journal", "export", "--output", "journal.jsonl")
    assert Path("journal.jsonl").read_text() == "older"
    assert not list(Path().glob(".journal.jsonl.*"))
    assert "nowhere" in refusal("journal", "export", "--output", "nowhere/journal.jsonl")


@pytest.mark.usefixtures("stocked")
def test_ctrl_c_ends_an_export_without_a_piece_of_it() -> None:
    """Exit code 130; neither the file nor a part of it is there."""
    note(*[Entry("later")] * 30_000)
    command = [sys.executable, "-c", STOPPED, str(ROOT), "journal", "export", "--output", "journal.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (128 + signal.SIGINT, "")
    assert [path.name for path in Path().glob("*journal.jsonl*")] == []


# The program, with a Ctrl-C when the tenth row is on its way.
STOPPED = """
import os, signal, sys
sys.path.insert(0, sys.argv.pop(1))
import cli
from database.journal_reading import JournalRow
real, calls = JournalRow.document, []
def document(row):
    calls.append(1)
    if len(calls) == 10:
        os.kill(os.getpid(), signal.SIGINT)
    return real(row)
JournalRow.document = document
cli.main(prog_name="cli.py")
"""


@pytest.mark.usefixtures("stocked")
def test_a_reader_that_goes_away_is_no_fault() -> None:
    """``| head -1`` gets its line, and the program ends quietly."""
    note(*[Entry("later")] * 5_000)
    command = [sys.executable, str(ROOT / "cli.py"), "journal", "export"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.usefixtures("stocked")
def test_long_work_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, so that what is exported to stdout stays whole."""
    assert EVERY_SECONDS > 0
    monkeypatch.setattr("console.watching.EVERY_SECONDS", 0.0)
    note(*[Entry("later")] * 3_000)
    result = run("journal", "export")
    assert len(result.stdout.splitlines()) > 3_000
    assert "Exporting: 1,000 of 3," in result.stderr
    assert "Verifying: 2,000 of 3," in run("journal", "verify").stderr


@pytest.mark.usefixtures("stocked")
def test_a_sound_journal_is_proved() -> None:
    """The rows and the head are printed; the head, written down, is still good after further changes."""
    found = data("journal", "verify")
    assert (found["holds"], found["complete"], found["broken"], found["faults"]) == (True, True, 0, [])
    assert found["rows"] == len(listed())
    assert found["head"] == f"{found['last']['serial']}:{data('journal', 'list', '--limit', '1')[0]['chain']}"
    assert found["head"] in good("journal", "verify")
    note(Entry("later"))
    assert data("journal", "verify", "--expect", found["head"])["rows"] == found["rows"] + 1


@pytest.mark.usefixtures("stocked")
def test_a_changed_journal_is_exit_code_1() -> None:
    """The broken serial is named; so is a head that was cut off or does not fit, by the real program."""
    head = data("journal", "verify")["head"]
    serial = data("journal", "list", "--limit", "2")[1]["serial"]
    wrong = head[:-1] + ("1" if head[-1] == "0" else "0")
    for expected in (wrong, f"{int(head.split(':')[0]) + 1}:{'0' * 64}"):
        done = program("journal", "verify", "--expect", expected)
        assert (done.returncode, expected.split(":", maxsplit=1)[0] in done.stdout) == (1, True)
    tamper(f"UPDATE journal SET actor = 'nobody' WHERE serial = {serial}")
    result = run("journal", "verify", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["holds"], found["faults"][0]["serial"]) == (1, False, serial)
    text = run("journal", "verify")
    assert (text.exit_code, f"Row {serial}" in text.stdout) == (1, True)
    tamper("UPDATE journal SET actor = 'nobody'")
    assert run("check").exit_code == 1
    for unfit in ("x", "1:2", head + "0"):
        assert run("journal", "verify", "--expect", unfit).exit_code == 2


@pytest.mark.usefixtures("stocked")
def test_many_faults_are_counted_not_all_told() -> None:
    """A hundred are listed; stderr says how many there are."""
    note(*[Entry("later")] * 150)
    tamper("UPDATE journal SET chain = 'x'")
    result = run("journal", "verify")
    assert "These are the first 100 of 1" in result.stderr
    assert result.exit_code == 1
    assert any("rows do not fit" in one["reason"] for one in json.loads(run("check", "--json").stdout)["problems"])


def test_an_empty_journal_is_sound() -> None:
    """A new server has nothing to list or to prove."""
    Path("packages").mkdir()
    assert data("journal", "list") == []
    assert data("journal", "verify")["head"] is None
    assert good("journal", "export") == ""
    assert [path.name for path in Path().iterdir()] == ["packages"]
