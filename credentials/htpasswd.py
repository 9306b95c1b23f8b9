"""People of an Apache htpasswd file: read when it changes, written atomically and under a lock.

Lines are ``name:hash``; of a doubled name the first counts, as Apache has it. Entries of DES and of plain text are
named by ``weak_names`` and let nobody in.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkstemp
from typing import Final

import bcrypt
import structlog

from credentials.legacy_hashes import BCRYPT_BYTES, OldHash, read, spend
from credentials.passwords import LONGEST_BYTES, Passwords, must_be_possible
from errors import Forbidden, InvalidRequest, InvalidSetting, Refusal, StorageFailed, StorageFull, shown

if os.name == "nt":
    import msvcrt
else:
    import fcntl

# OWASP's least, and about what argon2id takes here, so that both kinds of people wait alike; an Apache that shares the
# file checks it at each request.
COST: Final = 10
NAMED: Final = 5  # so many people are named where something is wrong with their lines
_LONGEST_NAME: Final = 255
# A file system's clock ticks: after a second change within one tick the file looks as it did. FAT's is the longest.
_TICK_SECONDS: Final = 2.0
_READ_ONLY: Final = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EBUSY}
logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Reading:
    """The file as it was read, and will be again until ``settled``. ``cost`` is that of the dearest bcrypt in it."""

    seen: tuple[int, ...] | None = None
    settled: bool = False
    number: int = 0
    content: bytes = b""
    trouble: str = ""
    entries: dict[str, str] = field(default_factory=dict)
    taken: dict[str, OldHash] = field(default_factory=dict)
    cost: int = COST


class HtpasswdFile:
    """One file. ``hashing`` bounds how many slow hashes are computed at once."""

    def __init__(self, path: Path, hashing: Passwords) -> None:
        self.path = path
        self._hashing = hashing
        self._lock = threading.Lock()
        self._reading = _Reading()

    def check(self) -> None:
        """Raises InvalidSetting for a file that is not there or cannot be read."""
        try:
            _read(self.path)
        except OSError as error:
            raise InvalidSetting(
                f"The htpasswd file {shown(str(self.path), 200)} cannot be read: {error.strerror}; "
                "make it with Apache's htpasswd, or name another."
            ) from error

    def stamp(self) -> Hashable:
        """A value that changes with the file; None while it is not there. Costs one look at the disk, and a reading
        after a change.
        """
        reading = self._current()
        return None if reading.seen is None else (reading.seen, reading.number)

    def entries(self) -> list[tuple[str, str]]:
        """Names and hashes, in the order of the file; none while it cannot be read."""
        return list(self._current().entries.items())

    def knows(self, username: str) -> bool:
        """Whether the file has somebody of exactly that name, with a hash that is taken."""
        return username in self._current().taken

    def spelled(self, username: str) -> str | None:
        """The name as the file has it, in whatever case; None for nobody's."""
        entries = self._current().entries
        return username if username in entries else next((n for n in entries if n.lower() == username.lower()), None)

    def weak_names(self) -> list[str]:
        """Who stands in the file with a hash that is not taken: DES, plain text, or what nobody could wait for."""
        reading = self._current()
        return [name for name in reading.entries if name not in reading.taken]

    def verify(self, username: str, password: str) -> bool:
        """Whether the password is that of the name. Every refusal takes as long as that of an unknown name.

        Raises Unavailable where too many others wait.
        """
        secret = password.encode("utf-8", "surrogatepass")
        if not secret or len(secret) > LONGEST_BYTES:
            return False
        reading = self._current()
        old = reading.taken.get(username)
        with self._hashing.place():
            if old is not None and old.fits(secret):
                return True
            # Each cost doubles the time: 2^c + 2^c + 2^(c+1) + ... + 2^(n-1) is 2^n, as for a hash of the cost n.
            for cost in range(old.cost, reading.cost) if old is not None and old.cost else [reading.cost]:
                spend(secret, cost)
            return False

    def set_password(self, username: str, password: str) -> bool:
        """Write a name with its bcrypt; True for a new one. All other lines stay as they are, byte for byte.

        Of the password bcrypt takes the first 72 bytes. Apache's tool knows no lock: what it writes in the same moment
        may be lost. Raises InvalidRequest for what cannot stand in the file, Forbidden where it is read-only,
        StorageFull, StorageFailed, and Unavailable where too many others wait.
        """
        name = _written(username)
        must_be_possible(password)
        secret = password.encode("utf-8", "surrogatepass")
        if b"\0" in secret:
            raise InvalidRequest("The password has a NUL character; choose one without.")
        with self._hashing.place():
            hashed = bcrypt.hashpw(secret[:BCRYPT_BYTES], bcrypt.gensalt(COST)).replace(b"$2b$", b"$2y$", 1)
        try:
            path = self.path.resolve(strict=True)  # a link stays one
            with _locked(path):
                after, is_new = _with_entry(_read(path)[0], name, hashed)
                _replace(path, after)
        except OSError as error:
            raise _refusal_of(error) from error
        return is_new

    def _current(self) -> _Reading:
        """The file as it is now, read anew where it has changed."""
        seen = self._look()
        reading = self._reading
        if reading.settled and reading.seen == seen:
            return reading
        with self._lock:
            self._reading = self._read_after(self._reading)
            return self._reading

    def _look(self) -> tuple[int, ...] | None:
        try:
            return _seen(self.path.stat())
        except OSError:
            return None

    def _read_after(self, last: _Reading) -> _Reading:
        now = time.time()
        try:
            content, status = _read(self.path)
        except OSError as error:
            seen, trouble = self._look(), error.strerror or str(error)
            if last.number and (last.seen, last.trouble) == (seen, trouble):
                return last  # the same stamp, so that what was remembered of others stands
            logger.warning("htpasswd file cannot be read", path=str(self.path), reason=trouble)
            return _Reading(seen, seen is None, last.number + 1, trouble=trouble)
        settled = all(abs(now - at) > _TICK_SECONDS for at in (status.st_mtime, status.st_ctime))
        if content == last.content and last.number and not last.trouble:
            return replace(last, seen=_seen(status), settled=settled)
        entries: dict[str, str] = {}
        for name, kept in parse(content):
            entries.setdefault(name, kept)
        taken = {name: old for name, kept in entries.items() if (old := read(kept)) is not None}
        weak = [name for name in entries if name not in taken]
        if last.number and weak and weak != [name for name in last.entries if name not in last.taken]:
            logger.warning("htpasswd file has hashes that are not taken", path=str(self.path), names=weak[:NAMED],
                           people=len(weak))  # fmt: skip
        dearest = max([COST, *(old.cost for old in taken.values())])
        return _Reading(_seen(status), settled, last.number + 1, content, "", entries, taken, dearest)


def parse(raw: bytes) -> list[tuple[str, str]]:
    """Names and hashes of a file, in its order; lines that are not UTF-8 or no entries are passed over."""
    found = []
    for line in raw.split(b"\n"):
        name, colon, rest = line.strip().partition(b":")
        if not colon or not name or name.startswith(b"#"):
            continue
        with suppress(UnicodeDecodeError):
            found.append((name.decode(), rest.partition(b":")[0].decode().strip()))
    return found


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    """Content and state of one moment. A pipe or device, which might never end, is refused."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        return file.read(), status


def _seen(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns


def _written(username: str) -> bytes:
    """The name as it stands in the file. Raises InvalidRequest for one that would be read as another, or as none."""
    raw = username.encode("utf-8", "surrogatepass")
    sound = username.isprintable() and username == username.strip() and ":" not in username
    if not sound or not username or username.startswith("#") or len(raw) > _LONGEST_NAME:
        raise InvalidRequest(f"{shown(username)} cannot stand in an htpasswd file; choose another name.")
    return raw


def _with_entry(before: bytes, name: bytes, hashed: bytes) -> tuple[bytes, bool]:
    lines = before.split(b"\n")
    for position, line in enumerate(lines):
        head, colon, rest = line.partition(b":")
        if colon and head.strip() == name:
            kept = rest.partition(b":")[0].rstrip()
            lines[position] = head + colon + hashed + rest[len(kept) :]
            return b"\n".join(lines), False
    ending = b"\r\n" if lines[0].endswith(b"\r") else b"\n"
    missing = ending if lines[-1] else b""
    return before + missing + name + b":" + hashed + ending, True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, of all processes of this program.

    The lock is on the file itself, which whoever may write it can take. It is replaced while others wait, so they look
    again whether theirs is still the one. Windows replaces no open file: there the lock is a file beside it.
    """
    descriptor = _lock_of(path)
    try:
        while os.name != "nt" and not os.path.samestat(os.fstat(descriptor), path.stat()):
            os.close(descriptor)
            descriptor = -1
            descriptor = _lock_of(path)
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _lock_of(path: Path) -> int:
    """An open file with the lock, waited for."""
    beside = os.name == "nt"
    descriptor = os.open(
        path.with_name(f".{path.name}.lock") if beside else path, os.O_RDWR | (os.O_CREAT if beside else 0), 0o600
    )
    try:
        if os.name == "nt":
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another, whole or not at all, with its mode and where possible its owner."""
    before = path.stat()
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if os.name != "nt":
                with suppress(PermissionError):
                    os.chown(name, before.st_uid, before.st_gid)
            Path(name).chmod(stat.S_IMODE(before.st_mode))
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    if os.name != "nt":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _refusal_of(error: OSError) -> Refusal:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageFull()
    why = error.strerror or str(error)
    if error.errno in _READ_ONLY:
        return Forbidden(f"The htpasswd file or its folder cannot be written: {why}; change it where it is kept.")
    return StorageFailed(f"The htpasswd file could not be written: {why}; an administrator has to look at it.")
