"""A change of the file counts from the next question on, and costs nothing while there is none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from credentials.htpasswd import HtpasswdFile
from credentials.passwords import Passwords
from errors import InvalidSetting
from tests.credentials.htpasswd.apache import SHA_X, SHA_Y, htpasswd


def test_apaches_change_is_noticed_at_once(path: Path) -> None:
    """A new password, somebody new, somebody gone; the stamp moves each time, and stands while nothing happens."""
    htpasswd(path, "bob", "old", "-s")
    file = HtpasswdFile(path, Passwords())
    stamps = [file.stamp()]
    assert file.verify("bob", "old")
    for number in range(10):
        htpasswd(path, "bob", f"new{number}", "-s")
        assert file.verify("bob", f"new{number}")
        assert file.stamp() == file.stamp()
        stamps.append(file.stamp())
    htpasswd(path, "carol", "hers", "-s")
    assert file.knows("carol")
    subprocess.run(["htpasswd", "-D", str(path), "bob"], check=True, capture_output=True)
    assert not file.knows("bob")
    assert len({*stamps, file.stamp()}) == 12


def test_changes_within_one_tick_are_noticed(of: Callable[..., HtpasswdFile], path: Path) -> None:
    """A second writing in place, of the same size and within a tick of the file system's clock, counts too."""
    file = of(f"bob:{SHA_X}\n")
    before = file.stamp()
    for number in range(500):
        kept = (SHA_Y, SHA_X)[number % 2]
        with path.open("r+b") as writing:
            writing.write(f"bob:{kept}\n".encode())
        after = file.stamp()
        assert after != before
        assert file.entries() == [("bob", kept)]
        before = after


def test_a_settled_file_is_not_read_again(of: Callable[..., HtpasswdFile], monkeypatch: pytest.MonkeyPatch) -> None:
    """Long after the last change a question costs one look at the disk."""
    import credentials.htpasswd as module

    file = of(f"bob:{SHA_X}\n")
    monkeypatch.setattr(module, "_TICK_SECONDS", -1)
    assert file.knows("bob")
    stamp = file.stamp()
    monkeypatch.setattr(module, "_read", None)  # reading would fail
    assert file.knows("bob")
    assert file.verify("bob", "x")
    assert file.stamp() == stamp


def test_a_file_that_vanishes_lets_nobody_in(of: Callable[..., HtpasswdFile], path: Path) -> None:
    """One warning says so; when it is back, so are its people."""
    file = of(f"bob:{SHA_X}\n")
    assert file.knows("bob")
    present = file.stamp()
    moved = path.rename(path.with_name("moved"))
    with structlog.testing.capture_logs() as log:
        for _ in range(3):
            assert not file.knows("bob")
            assert not file.verify("bob", "x")
            assert file.entries() == []
            assert file.stamp() is None
    assert [(line["log_level"], line["path"]) for line in log] == [("warning", str(path))]
    moved.rename(path)
    assert file.verify("bob", "x")
    assert file.stamp() not in {present, None}
    path.unlink()
    path.mkdir()
    with structlog.testing.capture_logs() as log:
        assert not file.knows("bob")
        assert not file.verify("bob", "x")
        stamp = file.stamp()
        assert file.stamp() == stamp  # or nobody's good password would be remembered, not even of the table
    assert len(log) == 1


def test_a_check_names_the_file(path: Path) -> None:
    """A file that is not there, a folder, and a pipe that would be waited for."""
    file = HtpasswdFile(path, Passwords())
    for present in ("nothing", "folder", "pipe"):
        if present == "folder":
            path.mkdir()
        elif present == "pipe":
            path.rmdir()
            os.mkfifo(path)
        with pytest.raises(InvalidSetting, match="cannot be read") as caught:
            file.check()
        assert str(path)[-40:] in caught.value.sentence
    path.unlink()
    path.write_bytes(b"")
    file.check()


def test_weak_hashes_are_named_when_the_file_is_read_again(of: Callable[..., HtpasswdFile], path: Path) -> None:
    """The first screen of a start names those that are there; the log those that come later, five at most, once."""
    file = of(f"bob:{SHA_X}\n")
    assert file.knows("bob")
    with structlog.testing.capture_logs() as log:
        path.write_text(f"bob:{SHA_X}\n" + "".join(f"old{number}:plain\n" for number in range(7)))
        assert not file.knows("old0")
        path.write_text(path.read_text() + f"eve:{SHA_X}\n")
        assert file.knows("eve")
    (line,) = log
    assert (line["log_level"], line["names"], line["people"]) == ("warning", [f"old{number}" for number in range(5)], 7)
