"""People of an Apache htpasswd file: read when it changes, written atomically and under a lock.

Lines are ``name:hash``; of a doubled name the first counts, as Apache has it. Taken are bcrypt, apr1, SHA and the crypt
family but DES; entries of DES and of plain text are named by ``weak_names`` and let nobody in.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import threading
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Final

import bcrypt
import structlog

from credentials.legacy_hashes import checks, is_taken
from credentials.passwords import LONGEST_BYTES, Passwords
from errors import Forbidden, InvalidRequest, InvalidSetting, shown

if os.name != "nt":
    import fcntl

_ROUNDS: Final = 10  # about 50 ms: what argon2id takes here, so that both kinds of people wait alike
_BCRYPT_BYTES: Final = 72  # Apache cuts a longer password there, too
_LONGEST_NAME: Final = 255
_COST: Final = re.compile(r"\$2[aby]\$(\d\d)\$")
logger = structlog.get_logger()


class HtpasswdFile:
    """One file. ``hashing`` bounds how many slow hashes are computed at once."""

    def __init__(self, path: Path, hashing: Passwords) -> None:
        self.path = path
        self._hashing = hashing
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._stamp: Hashable = ()
        self._nobody = b""

    def check(self) -> None:
        """Raises InvalidSetting for a file that is not there or cannot be read."""
        try:
            self.path.read_bytes()
        except OSError as error:
            raise InvalidSetting(
                f"The htpasswd file {shown(str(self.path), 200)} cannot be read: {error.strerror}; "
                "make it with Apache's htpasswd, or name another."
            ) from error

    def stamp(self) -> Hashable:
        """A value that changes with the file; None while it is not there. Costs one look at the disk."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns

    def _entries(self) -> dict[str, str]:
        """The hashes by name, read anew where the file has changed; none while it cannot be read."""
        stamp = self.stamp()
        if stamp == self._stamp:
            return self._known
        with self._lock:
            try:
                found = dict(reversed(parse(self.path.read_bytes())))
            except OSError as error:
                logger.warning("htpasswd file cannot be read", path=str(self.path), reason=error.strerror)
                found = {}
            self._known, self._stamp, self._nobody = found, stamp, b""
        return found

    def entries(self) -> list[tuple[str, str]]:
        """Names and hashes, in the order of the file."""
        known = self._entries()
        return list(reversed(known.items()))

    def knows(self, username: str) -> bool:
        """Whether the file has somebody of exactly that name, with a hash that is taken."""
        return is_taken(self._entries().get(username, ""))

    def weak_names(self) -> list[str]:
        """Who stands in the file with a hash that is not taken: DES, plain text."""
        return [name for name, kept in self.entries() if not is_taken(kept)]

    def verify(self, username: str, password: str) -> bool:
        """Whether the password is that of the name; an unknown name takes as long as a known one.

        Raises Unavailable where too many others wait.
        """
        raw = password.encode("utf-8", "surrogatepass")
        if not password or len(raw) > LONGEST_BYTES:
            return False
        kept = self._entries().get(username, "")
        with self._hashing.place():
            if not is_taken(kept):
                bcrypt.checkpw(raw[:_BCRYPT_BYTES], self._dummy())
                return False
            return checks(kept, password)

    def _dummy(self) -> bytes:
        """A hash of nobody's, as dear as those of the file mostly are."""
        if not self._nobody:
            costs = [int(found[1]) for kept in self._known.values() if (found := _COST.match(kept))]
            usual = sorted(costs)[len(costs) // 2] if costs else _ROUNDS
            self._nobody = bcrypt.hashpw(b"nobody has this password", bcrypt.gensalt(usual))
        return self._nobody

    def set_password(self, username: str, password: str) -> bool:
        """Write a name with its bcrypt; True for a new one. All other lines stay as they are, byte for byte.

        Raises InvalidRequest for what cannot stand in the file, Forbidden where it cannot be written.
        """
        _must_be_name(username)
        hashed = bcrypt.hashpw(password.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(_ROUNDS)).replace(b"$2b$", b"$2y$", 1)
        line = username.encode() + b":" + hashed
        try:
            with _locked(self.path):
                before = self.path.read_bytes() if self.path.exists() else b""
                after, is_new = _with_line(before, username.encode(), line)
                _replace(self.path, after)
        except OSError as error:
            raise Forbidden(
                f"The htpasswd file cannot be written: {error.strerror}; change it where it is kept."
            ) from error
        return is_new


def parse(raw: bytes) -> list[tuple[str, str]]:
    """Names and hashes of a file, in its order; lines that are not UTF-8 or no entries are passed over."""
    found = []
    for line in raw.splitlines():
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:
            continue
        name, colon, kept = text.partition(":")
        if colon and name and not text.startswith("#"):
            found.append((name, kept.split(":")[0].strip()))
    return found


def _must_be_name(username: str) -> None:
    raw = username.encode("utf-8", "surrogatepass")
    if not username or ":" in username or not username.isprintable() or len(raw) > _LONGEST_NAME:
        raise InvalidRequest(f"{shown(username)} cannot stand in an htpasswd file; choose another name.")


def _with_line(before: bytes, name: bytes, line: bytes) -> tuple[bytes, bool]:
    lines = before.splitlines(keepends=True)
    for position, old in enumerate(lines):
        if old.partition(b":")[0].strip() == name and not old.startswith(b"#"):
            ending = old[len(old.rstrip(b"\r\n")) :]
            lines[position] = line + (ending or b"\n")
            return b"".join(lines), False
    if lines and not lines[-1].endswith((b"\n", b"\r")):
        lines[-1] += b"\n"
    return b"".join([*lines, line + b"\n"]), True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, of all processes of this program; the lock is a file beside it."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.name != "nt":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another, whole or not at all, with its mode and owner."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            before = path.stat()
            Path(name).chmod(stat.S_IMODE(before.st_mode))
            if os.name != "nt":
                with contextlib.suppress(PermissionError):
                    os.chown(name, before.st_uid, before.st_gid)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
