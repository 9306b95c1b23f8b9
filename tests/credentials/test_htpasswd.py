"""An htpasswd file, beside Apache's own tool: what it writes is read, and what is written it takes."""

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

import bcrypt
import pytest
import structlog

from credentials.htpasswd import HtpasswdFile
from credentials.passwords import Passwords
from errors import Forbidden, InvalidRequest, InvalidSetting, StorageFailed, StorageFull

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = {"bcrypt": ["-B"], "bcrypt9": ["-BC", "9"], "apr1": ["-m"], "sha1": ["-s"], "sha256": ["-2"], "sha512": ["-5"],
         "rounds": ["-5r", "12345"]}  # fmt: skip
OPENSSL_MD5 = "$1$b71DtaqC$YA2Z2SfZqsvByGGE2X91E1"  # `openssl passwd -1 x`
SHA_X, SHA_Y = "{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=", "{SHA}lcsm8EMEWpJ3z0WqmKnowlM5hEs="
NOBODY = 65534


def htpasswd(path: Path, name: str, password: str, *kind: str) -> None:
    """Run Apache's tool."""
    create = [] if path.exists() else ["-c"]
    subprocess.run(["htpasswd", "-b", *create, *kind, str(path), name, password], check=True, capture_output=True)


def is_good_for_apache(path: Path, name: str, password: str) -> bool:
    """What Apache's tool says."""
    return (
        subprocess.run(["htpasswd", "-vb", str(path), name, password], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file is to be; in a folder of its own, so that what is left in it is seen."""
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder / "htpasswd"


@pytest.fixture
def of(path: Path) -> Callable[..., HtpasswdFile]:
    """Writes the file and opens it."""

    def make(content: bytes | str = b"") -> HtpasswdFile:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return HtpasswdFile(path, Passwords())

    return make


# -- reading


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_apache_writes_is_read(path: Path, kind: list[str]) -> None:
    """Each kind lets its owner in, and nobody else."""
    htpasswd(path, "bob", "pässword of bob", *kind)
    file = HtpasswdFile(path, Passwords())
    assert file.knows("bob")
    assert file.verify("bob", "pässword of bob")
    assert not file.verify("bob", "password of bob")
    assert not file.verify("Bob", "pässword of bob")
    assert file.weak_names() == []


@pytest.mark.parametrize("kind", ["-d", "-p"])
def test_des_and_plain_text_let_nobody_in(path: Path, kind: str) -> None:
    """They are named instead."""
    htpasswd(path, "bob", "secret", kind)
    file = HtpasswdFile(path, Passwords())
    assert not file.knows("bob")
    assert not file.verify("bob", "secret")
    assert file.weak_names() == ["bob"]


def test_the_md5_of_crypt(of: Callable[..., HtpasswdFile]) -> None:
    """As other tools write it."""
    file = of(f"bob:{OPENSSL_MD5}\n")
    assert file.verify("bob", "x")
    assert not file.verify("bob", "y")


def test_lines(of: Callable[..., HtpasswdFile]) -> None:
    """Comments, blank lines, CRLF, a third field, spaces around; the first of a doubled name counts, and what is not
    UTF-8 or no entry is passed over.
    """
    content = (
        f"# bob:{SHA_Y}\n\n   \n  #carol:{SHA_Y}\r\nbob:{SHA_X}\r\n bob:{SHA_Y}\n\tdora:{SHA_X}:Dora D.\n"
        f"no entry\n:{SHA_X}\nзоя:{SHA_X}"
    ).encode() + b"\nb\xe9a:" + SHA_X.encode() + b"\n"  # fmt: skip
    file = of(content)
    assert file.entries() == [("bob", SHA_X), ("dora", SHA_X), ("зоя", SHA_X)]
    assert file.verify("зоя", "x")
    assert not file.verify("bob", "y")
    assert not file.knows("")


def test_bcrypt_takes_72_bytes(path: Path) -> None:
    """As Apache does, of a password and of a hash that it made."""
    htpasswd(path, "bob", "x" * 80, "-B")
    file = HtpasswdFile(path, Passwords())
    assert file.verify("bob", "x" * 80)
    assert file.verify("bob", "x" * 72 + "y" * 4000)
    assert not file.verify("bob", "x" * 71 + "y" * 9)


@pytest.mark.parametrize("password", ["", "\0", "x\0", "x\0y", "\udc80", "y" * 600, "y" * 4096, "y" * 1_000_000])
def test_no_password_is_an_error(of: Callable[..., HtpasswdFile], path: Path, password: str) -> None:
    """NUL, half a surrogate pair and any length are wrong passwords for every kind, known or not."""
    file = of(f"md5:{OPENSSL_MD5}\nplain:x\n")
    for name, kind in KINDS.items():
        htpasswd(path, name, "x", *kind)
    for name in ("nobody", "\udc80", "", "md5", "plain", *KINDS):
        assert not file.verify(name, password)


def test_a_damaged_hash_troubles_nobody_else(of: Callable[..., HtpasswdFile]) -> None:
    """Costs and rounds that cannot be, or would take for ever, let nobody in and are named."""
    bad = {"a": "$2y$00$" + "a" * 53, "b": "$2y$31$" + "a" * 53, "c": "$5$rounds=1$salt$" + "a" * 43, "d": "",
           "e": "{SHA}", "f": "$6$rounds=999999999$salt$" + "a" * 86}  # fmt: skip
    file = of("".join(f"{name}:{kept}\n" for name, kept in bad.items()) + f"bob:{SHA_X}\n")
    assert file.weak_names() == list(bad)
    assert not any(file.verify(name, "x") for name in [*bad, "nobody"])
    assert file.verify("bob", "x")


@pytest.mark.parametrize("dearest", [5, 11])
def test_a_refusal_does_not_tell_who_is_there(path: Path, monkeypatch: pytest.MonkeyPatch, dearest: int) -> None:
    """S102: unknown, weak, quick and cheaper hashes take as many rounds of bcrypt as the dearest, at least those of
    cost 10.
    """
    for name, kind in KINDS.items():
        htpasswd(path, name, "x", *kind)
    htpasswd(path, "des", "x", "-d")
    htpasswd(path, "dear", "x", "-BC", str(dearest))
    rounds: list[int] = []
    real_hash, real_check = bcrypt.hashpw, bcrypt.checkpw

    def counted_hash(password: bytes, salt: bytes) -> bytes:
        rounds.append(2 ** int(salt[4:6]))
        return real_hash(password, salt)

    def counted_check(password: bytes, kept: bytes) -> bool:
        rounds.append(2 ** int(kept[4:6]))
        return real_check(password, kept)

    monkeypatch.setattr(bcrypt, "hashpw", counted_hash)
    monkeypatch.setattr(bcrypt, "checkpw", counted_check)
    file = HtpasswdFile(path, Passwords())
    for name in ("nobody", "des", "dear", *KINDS):
        rounds.clear()
        assert not file.verify(name, "wrong")
        assert sum(rounds) == 2 ** max(10, dearest), name


def test_two_hashes_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever many ask; those of the table count with them."""
    htpasswd(path, "bob", "x", "-BC", "10")
    hashing = Passwords()
    file = HtpasswdFile(path, hashing)
    lock, busy, most = threading.Lock(), 0, 0
    real = bcrypt.checkpw

    def counted(password: bytes, kept: bytes) -> bool:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            return real(password, kept)
        finally:
            with lock:
                busy -= 1

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    threads = [threading.Thread(target=file.verify, args=("bob", "x")) for _ in range(9)]
    with hashing.place():
        for thread in threads[:4]:
            thread.start()
        for thread in threads[:4]:
            thread.join()
        assert most == 1
    for thread in threads[4:]:
        thread.start()
    for thread in threads[4:]:
        thread.join()
    assert most <= 2


# -- noticing changes


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


# -- writing


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
