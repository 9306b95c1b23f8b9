"""A password is written as Apache takes it, and nothing else changes, whatever fails and whoever else writes."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from credentials.htpasswd import HtpasswdFile
from credentials.passwords import Passwords
from errors import Forbidden, InvalidRequest, StorageFailed, StorageFull
from tests.conftest import ROOT
from tests.credentials.htpasswd.apache import SHA_X, is_good_for_apache

NOBODY = 65534


def test_apache_takes_what_is_written(of: Callable[..., HtpasswdFile], path: Path) -> None:
    """A new name and a changed one; the hash is bcrypt of cost 10, and a long password counts as Apache has it."""
    file = of()
    assert file.set_password("bob", "first")
    assert is_good_for_apache(path, "bob", "first")
    assert not file.set_password("bob", "pässword of bob")
    assert file.set_password("зоя", "y" * 100)
    assert is_good_for_apache(path, "bob", "pässword of bob")
    assert is_good_for_apache(path, "зоя", "y" * 100)
    assert not is_good_for_apache(path, "bob", "first")
    assert file.verify("bob", "pässword of bob")
    assert not file.verify("bob", "first")
    assert [kept[:7] for _, kept in file.entries()] == ["$2y$10$", "$2y$10$"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"bob:@\n"), (b"a:x", b"a:x\nbob:@\n"), (b"a:x\r\n", b"a:x\r\nbob:@\r\n"),
        (b"a:x\r\nb:y", b"a:x\r\nb:y\r\nbob:@\r\n"), (b"# bob:x\nbob:x\n\n z \n", b"# bob:x\nbob:@\n\n z \n"),
        (b"bob:x\r\na:y", b"bob:@\r\na:y"), (b"a:y\nbob:x", b"a:y\nbob:@"),
        (b"b\xe9:x\nbob:\xff\n", b"b\xe9:x\nbob:@\n"),
        (b"\tbob:x:Bob B. \r\nbobby:y\nbob", b"\tbob:@:Bob B. \r\nbobby:y\nbob"),
        (b"bob:x\nbob:y\n", b"bob:@\nbob:y\n"), (b"#bob:x\n", b"#bob:x\nbob:@\n"), (b"bob:\n", b"bob:@\n"),
    ],
)  # fmt: skip
def test_other_lines_stay(of: Callable[..., HtpasswdFile], path: Path, before: bytes, after: bytes) -> None:
    """Byte for byte: comments, endings, third fields, what cannot be read, and the last line without an end."""
    file = of(before)
    file.set_password("bob", "x")
    written = path.read_bytes()
    kept = dict(file.entries())["bob"].encode()
    assert written.replace(kept, b"@") == after
    assert file.verify("bob", "x")


def test_mode_owner_and_link_stay(of: Callable[..., HtpasswdFile], path: Path, tmp_path: Path) -> None:
    """And nothing is left beside the file."""
    of(b"a:x\n")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    before = path.stat()
    link = tmp_path / "link"
    link.symlink_to(path)
    assert HtpasswdFile(link, Passwords()).set_password("bob", "x")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert link.is_symlink()
    assert is_good_for_apache(path, "bob", "x")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "name", ["", "a:b", "a\nb", "a\rb", "a\0b", "a\x7fb", "#a", " a", "a ", "x" * 256, "é" * 128, "\udc80"]
)
def test_names_that_cannot_stand_in_a_file(of: Callable[..., HtpasswdFile], path: Path, name: str) -> None:
    """They would be read as another name or line, or as a comment."""
    file = of(b"a:x\n")
    with pytest.raises(InvalidRequest):
        file.set_password(name, "x")
    assert path.read_bytes() == b"a:x\n"


@pytest.mark.parametrize("password", ["", "a\0b", "x" * 4097])
def test_passwords_that_cannot_be(of: Callable[..., HtpasswdFile], path: Path, password: str) -> None:
    """Nothing is written."""
    file = of(b"a:x\n")
    with pytest.raises(InvalidRequest):
        file.set_password("bob", password)
    assert path.read_bytes() == b"a:x\n"


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        (errno.EROFS, Forbidden), (errno.EACCES, Forbidden), (errno.EBUSY, Forbidden), (errno.ENOSPC, StorageFull),
        (errno.EIO, StorageFailed),
    ],
)  # fmt: skip
def test_a_failure_leaves_the_file(
    of: Callable[..., HtpasswdFile], path: Path, monkeypatch: pytest.MonkeyPatch, number: int, refusal: type[Exception]
) -> None:
    """A read-only disk, a file mounted by itself, a full disk: the file is as it was, and nothing lies beside it."""
    file = of(f"bob:{SHA_X}\n")

    def fails(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fails)
        with pytest.raises(refusal, match=r"htpasswd file|store is full"):
            file.set_password("bob", "new")
    assert file.verify("bob", "x")
    assert list(path.parent.iterdir()) == [path]
    assert not file.set_password("bob", "new")  # and no lock is left


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to write everywhere."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o777, 0o444), (0o555, 0o666)])
def test_a_read_only_file_or_folder(folder_mode: int, file_mode: int) -> None:
    """For a person who is not root: the people get in, no password is changed, and a sentence says why."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "htpasswd"
        path.write_text(f"bob:{SHA_X}\n")
        path.chmod(file_mode)
        folder.chmod(folder_mode)
        file = HtpasswdFile(path, Passwords())
        assert file.verify("bob", "x")  # what is imported for it may be root's alone to read
        with as_nobody():
            assert file.verify("bob", "x")
            with pytest.raises(Forbidden, match="Permission denied"):
                file.set_password("bob", "new")
        assert list(folder.iterdir()) == [path]
        assert file.verify("bob", "x")
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_a_file_that_vanished_is_not_made_anew(of: Callable[..., HtpasswdFile], path: Path) -> None:
    """Whoever took it away would find one with a single name."""
    file = of()
    path.unlink()
    with pytest.raises(StorageFailed, match="No such file"):
        file.set_password("bob", "x")
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"")  # a file where the folder was
    with pytest.raises(StorageFailed, match="Not a directory"):
        file.set_password("bob", "x")


def test_processes_that_write_at_once_lose_nothing(of: Callable[..., HtpasswdFile]) -> None:
    """Four of six names each; a reader meanwhile never misses who was there before."""
    file = of(f"bob:{SHA_X}\n# end\n")
    script = (
        "import sys; from pathlib import Path; from credentials.htpasswd import HtpasswdFile; "
        "from credentials.passwords import Passwords; file = HtpasswdFile(Path(sys.argv[1]), Passwords())\n"
        "for number in range(6): assert file.set_password(f'{sys.argv[2]}{number}', 'x')"
    )
    writers = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", script, str(file.path), letter], cwd=ROOT)
        for letter in "abcd"
    ]
    while any(writer.poll() is None for writer in writers):
        assert file.knows("bob")
    assert [writer.returncode for writer in writers] == [0] * 4
    names = {name for name, _ in file.entries()}
    assert names == {"bob", *(f"{letter}{number}" for letter in "abcd" for number in range(6))}
    assert b"# end\n" in file.path.read_bytes()
    assert list(file.path.parent.iterdir()) == [file.path]


def test_threads_that_write_at_once_lose_nothing(of: Callable[..., HtpasswdFile]) -> None:
    """The lock holds between threads of one process, too."""
    file = of()
    threads = [threading.Thread(target=file.set_password, args=(f"t{number}", "x")) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name for name, _ in file.entries()} == {f"t{number}" for number in range(8)}
