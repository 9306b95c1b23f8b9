"""How commands speak: tables and questions on a terminal, whole lines and errors elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from console.output import cell, clean, in_units
from tests.console.running import (
    ROOT,
    data,
    missing,
    on_a_terminal,
    program,
)
from tests.factory import build_wheel


def test_without_a_terminal_a_missing_value_is_a_wrong_use_and_nobody_is_asked(filled: Path) -> None:
    """The real program, its stdin open: it ends at once with exit code 2 and names the option."""
    for arguments, option in (
        (("user", "create"), "--username"),
        (("user", "create", "--username", "a"), "--password"),
        (("user", "password", "--username", "a"), "--password"),
        (("user", "token", "--username", "a"), "--token-name"),
        (("user", "revoke-token", "--username", "a"), "--token"),
        (("packages", "info"), "--package-name"),
        (("packages", "search"), "--query"),
        (("packages", "yank", "--package-name", "sample"), "--package-version"),
        (("packages", "delete", "--package-name", "sample"), "--yes"),
    ):
        missing(option, *arguments)
    done = program("user", "create", stdin=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--username" in done.stderr


def test_without_a_terminal_nothing_is_cut_or_coloured(dist: Path) -> None:
    """A line of a table is one line, however long, even where the terminal is said to be narrow."""
    summary = "word " * 100 + "end"
    build_wheel(dist, "long", summary=summary)
    program("packages", "import", dist)
    done = program("packages", "list", env={**os.environ, "COLUMNS": "40", "FORCE_COLOR": "1"})
    assert next(line for line in done.stdout.splitlines() if line.startswith("long ")).endswith(summary)
    assert "\x1b" not in done.stdout


def test_a_token_stands_alone_on_its_line() -> None:
    """TOKEN=$(cli.py user token ...) is the token and nothing else; what it is stands on stderr."""
    program("user", "create", "--username", "ci", "--password", "x")
    done = program("user", "token", "--username", "ci", "--token-name", "CI/CD Token", "--expires-days", "30")
    assert done.returncode == 0
    assert re.fullmatch(r"pcl_\w{10}_\w{43}_\w{6}\n", done.stdout)
    assert "CI/CD Token" in done.stderr
    assert "have authentication off" in done.stderr


def test_a_reader_that_goes_away_is_no_fault(filled: Path) -> None:
    """`cli.py packages list | head -0` leaves no trace behind."""
    command = [sys.executable, str(ROOT / "cli.py"), "packages", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_names_that_a_narrow_terminal_cannot_show_do_not_end_a_listing(dist: Path) -> None:
    """A letter that the terminal's encoding lacks becomes an escape."""
    build_wheel(dist, "arrow", summary="here → there")
    program("packages", "import", dist)
    done = program("packages", "list", env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert "here \\u2192 there" in done.stdout


def test_control_characters_of_strangers_do_not_reach_the_terminal(dist: Path) -> None:
    """What uploads say of themselves is printed, never obeyed: escapes in tables, ASCII in JSON."""
    assert clean("\x1b[31mred\x9b\u202e\nnext\udcff") == "\\x1b[31mred\\x9b\\u202e next\\udcff"
    assert cell("\x07") == "\\x07"


def test_sizes_are_written_for_people() -> None:
    """Decimal units, one decimal."""
    assert [in_units(size) for size in (0, 999, 1000, 26_600, 5 * 10**9, 7 * 10**15)] == [
        "0 B", "999 B", "1.0 kB", "26.6 kB", "5.0 GB", "7000.0 TB",
    ]  # fmt: skip


# -- on a terminal


def test_a_person_is_asked_for_what_is_missing_with_the_password_hidden_and_twice() -> None:
    """Username, then the password and the password again; it is never shown, and it is the one that counts."""
    conversation = (("Username:", "carol\n"), ("Password:", "hunter22\n"), ("Repeat for confirmation:", "hunter22\n"))
    code, shown = on_a_terminal(["user", "create"], *conversation)
    assert code == 0, shown
    assert "hunter22" not in shown
    assert [one["username"] for one in data("user", "list")] == ["carol"]


def test_a_person_is_asked_before_a_deletion(filled: Path) -> None:
    """No leaves everything as it is, with exit code 1; yes deletes."""
    delete = ["packages", "delete", "--package-name", "sample"]
    code, shown = on_a_terminal(delete, ("[y/N]:", "n\n"))
    assert (code, "Nothing was changed" in shown) == (1, True)
    assert data("stats")["files"] == 3
    code, shown = on_a_terminal(delete, ("[y/N]:", "y\n"))
    assert code == 0
    assert data("stats")["files"] == 1


def test_ctrl_c_at_a_question_is_130() -> None:
    """Nothing is made, and the exit code is that of an interrupt."""
    code, _ = on_a_terminal(["user", "create"], ("Username:", "\x04"))
    assert code == 130
    assert not Path("packages").exists()


def test_a_terminal_gets_a_drawn_table(filled: Path) -> None:
    """The same rows as elsewhere, with a rule under the names of the columns."""
    code, shown = on_a_terminal(["packages", "list"])
    assert code == 0
    assert "─" in shown
    assert "other-thing" in shown
