"""Bytes that can be had again, by their digest: what was taken in from other indexes, within a limit.

They lie under ``<root>/<ab>/<key>``, where the key is a sha256, perhaps with a mark of whose they are before it and an
ending for what belongs to them. What comes in lies under ``<root>/incoming``, one file a name, locked by the process
that writes it, and is synced and renamed when it is whole. When the limit is passed, what was used longest ago goes;
the time of a file says when that was.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from errors import MissingBytes
from storage.filesystem import refusal_of
from storage.locks import FileLock, try_lock

_KEY = re.compile(r"((?:[0-9a-f]{16}-)?([0-9a-f]{64}))(\.[a-z-]+)?")
_PART = re.compile(r"(?:[0-9a-f]{16}-|by-name-)?[0-9a-f]{64}")
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_SETTLED_SECONDS = 300.0  # other processes tell only now and then what they use


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise refusal_of(error) from error


@dataclass(frozen=True, slots=True)
class Evicted:
    """What went to keep the limit: the keys of files, and how many bytes they had with all that belongs to them."""

    keys: tuple[str, ...]
    size: int


class DigestFolder:
    """The folder. ``root`` is made if it is not there; ``max_bytes`` is the limit that ``evict`` keeps.

    Safe between threads and processes. What goes wrong with the disk is StorageFull or StorageFailed.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self._incoming = root / "incoming"
        self._lock = threading.Lock()
        self._reading: Counter[str] = Counter()
        self._uses: dict[str, float] = {}
        with _translated():
            self._incoming.mkdir(parents=True, exist_ok=True)

    # -- what is there

    def size(self, key: str) -> int | None:
        """How many bytes there are under a key; None where there are none."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refusal_of(error) from error

    def open(self, key: str) -> BinaryIO:
        """The bytes, from the start, which stay until they are closed. Raises MissingBytes, StorageFailed."""
        with self._lock:
            self._uses[_owner(key)] = time.time()
        return self._opened(key, self._path(key))

    def put(self, key: str, body: bytes) -> None:
        """Keep a few bytes under a key. Raises StorageFull, StorageFailed."""
        with _translated():
            # Under the lock of the sweep, which else might take the file before it is locked.
            with FileLock(self.root / "lock"):
                descriptor, name = tempfile.mkstemp(dir=self._incoming)
                try_lock(descriptor)
            part = PartOfFolder(self, descriptor, Path(name))
        with contextlib.closing(part):
            part.write(body)
            part.finish(key)

    def remove(self, key: str) -> None:
        """Keep the bytes no longer. None there is no error. Raises StorageFailed."""
        with _translated():
            self._path(key).unlink(missing_ok=True)

    # -- what comes in

    def begin(self, part: str) -> PartOfFolder | None:
        """A place for bytes to come in under a name; None while another process has one. Raises StorageFailed."""
        path = self._part_path(part)
        with _translated():
            while True:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NOFOLLOW, 0o600)
                if not try_lock(descriptor):
                    os.close(descriptor)
                    return None
                if _is_at(descriptor, path):
                    os.ftruncate(descriptor, 0)
                    return PartOfFolder(self, descriptor, path)
                os.close(descriptor)  # it was given its key, or dropped, between the two

    def follow(self, part: str) -> FollowedFile | None:
        """The bytes that another process takes in under a name; None if it has just ended. Raises StorageFailed."""
        path = self._part_path(part)
        try:
            descriptor = os.open(path, os.O_RDWR | _NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refusal_of(error) from error
        return FollowedFile(descriptor, path)

    # -- looking after it

    def sweep(self) -> int:
        """Remove what a crash left incoming; how many files."""
        swept = 0
        with _translated(), FileLock(self.root / "lock"):
            for path in self._incoming.iterdir():
                with contextlib.suppress(FileNotFoundError), path.open("rb+") as file:
                    if try_lock(file.fileno()) and _is_at(file.fileno(), path):
                        path.unlink(missing_ok=True)
                        swept += 1
        return swept

    def flush_uses(self) -> int:
        """Note on the files when they were used since the last time; how many. No request waits for this."""
        with self._lock:
            uses, self._uses = self._uses, {}
        noted = 0
        for key, at in uses.items():
            with _translated(), contextlib.suppress(FileNotFoundError):  # only its metadata is here, or it went
                os.utime(self._path(key), (at, at))
                noted += 1
        return noted

    def kept(self) -> Iterator[tuple[str, str]]:
        """The key of every file that is kept, without what belongs to it, and the sha256 that it has to have."""
        for key in sorted(self._groups()):
            if self.size(key) is not None:
                yield key, key[-64:]

    def used_bytes(self) -> int:
        """How many bytes all of it takes."""
        return sum(size for size, _ in self._groups().values())

    def evict(self) -> Evicted:
        """Remove what was used longest ago until the rest is within the limit.

        What is being read in this process stays, and so does what was used in the last five minutes, even if the
        limit is passed for as long. Raises StorageFailed.
        """
        self.flush_uses()
        groups = self._groups()
        over = sum(size for size, _ in groups.values()) - self.max_bytes
        removed, settled, gone = 0, time.time() - _SETTLED_SECONDS, []
        for key, (size, used) in sorted(groups.items(), key=lambda group: group[1][1]):
            if removed >= over or used > settled:
                break
            if self._remove_unread(key):
                removed += size
                gone.append(key)
        return Evicted(tuple(gone), removed)

    def _remove_unread(self, key: str) -> bool:
        with self._lock:
            if self._reading[key] or key in self._uses:
                return False
        path = self._path(key)
        with _translated():
            for one in (path, *path.parent.glob(f"{key}.*")):
                one.unlink(missing_ok=True)
        return True

    def _groups(self) -> dict[str, tuple[int, float]]:
        """Each file with what belongs to it: how many bytes, and when it was last used."""
        groups: dict[str, tuple[int, float]] = {}
        with _translated():
            for folder in self.root.iterdir():
                if len(folder.name) == 2 and folder.is_dir():
                    for entry in os.scandir(folder):
                        found = _KEY.fullmatch(entry.name)
                        with contextlib.suppress(FileNotFoundError):  # it went while we looked
                            facts = entry.stat(follow_symlinks=False)
                            if found is not None:
                                size, used = groups.get(found[1], (0, 0.0))
                                groups[found[1]] = size + facts.st_size, max(used, facts.st_mtime)
        return groups

    # -- for the parts

    def finished(self, descriptor: int, path: Path, key: str) -> Path:
        """Put bytes on stable storage under their key; where they lie then."""
        target = self._path(key)
        with _translated():
            os.fsync(descriptor)
            path.chmod(0o644)
            is_new = not target.parent.is_dir()
            target.parent.mkdir(exist_ok=True)
            path.replace(target)
            for folder in (target.parent, self.root)[: 2 if is_new else 1]:
                _sync_folder(folder)
        return target

    def _opened(self, key: str, path: Path) -> BinaryIO:
        try:
            descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW)
        except FileNotFoundError as error:
            raise MissingBytes(key) from error
        except OSError as error:
            raise refusal_of(error) from error
        with self._lock:
            self._reading[_owner(key)] += 1
        return cast("BinaryIO", _Reading(descriptor, self, _owner(key)))

    def closed(self, key: str) -> None:
        """Somebody reads a file no longer."""
        with self._lock:
            self._reading[key] -= 1
            if self._reading[key] <= 0:
                del self._reading[key]

    def _path(self, key: str) -> Path:
        found = _KEY.fullmatch(key)
        if found is None:
            raise ValueError(f"{key!r} is no key of this store")
        return self.root / found[2][:2] / key

    def _part_path(self, part: str) -> Path:
        if _PART.fullmatch(part) is None:
            raise ValueError(f"{part!r} is no name of a part")
        return self._incoming / f"{part}.part"


class _Reading(io.FileIO):
    """An open file of the folder, which counts as being read until it is closed."""

    def __init__(self, descriptor: int, folder: DigestFolder, key: str) -> None:
        super().__init__(descriptor, "rb")
        self._folder: DigestFolder | None = folder
        self._key = key

    def close(self) -> None:
        super().close()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.closed(self._key)


class PartOfFolder:
    """Bytes on their way in; others read them by handles of their own while they come."""

    def __init__(self, folder: DigestFolder, descriptor: int, path: Path) -> None:
        self._folder = folder
        self._descriptor = descriptor
        self._path: Path | None = path
        self._is_open = True
        self._lock = threading.Lock()

    def write(self, piece: bytes) -> None:
        """Append. Raises StorageFull, StorageFailed."""
        view = memoryview(piece)
        with _translated():
            while view:
                view = view[os.write(self._descriptor, view) :]

    def open(self) -> BinaryIO:
        """A handle of its own on the bytes so far, good for as long as it is open. Raises MissingBytes."""
        with self._lock:
            if self._path is None:
                raise MissingBytes("a file that was being taken in")
            try:
                return self._path.open("rb", buffering=0)
            except FileNotFoundError as error:
                raise MissingBytes(self._path.name) from error

    def finish(self, key: str) -> None:
        """Put the bytes on stable storage under their key. Raises StorageFull, StorageFailed."""
        with self._lock:
            if self._path is None:
                raise ValueError("the bytes were dropped")
            self._path = self._folder.finished(self._descriptor, self._path, key)
            self._let_go()

    def drop(self) -> None:
        """Leave nothing behind. After ``finish`` it does nothing."""
        with self._lock:
            if self._is_open:
                if self._path is not None:
                    self._path.unlink(missing_ok=True)
                self._path = None
                self._let_go()

    close = drop

    def _let_go(self) -> None:
        self._is_open = False
        os.close(self._descriptor)


class FollowedFile:
    """Bytes that another process takes in: it has them locked until it is done with them."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path

    def open(self) -> BinaryIO:
        """A handle of its own on the bytes. Raises MissingBytes once they have got their key or were dropped."""
        try:
            opened = self._path.open("rb", buffering=0)
        except FileNotFoundError as error:
            raise MissingBytes(self._path.name) from error
        if not os.path.sameopenfile(opened.fileno(), self._descriptor):
            opened.close()
            raise MissingBytes(self._path.name)
        return opened

    def size(self) -> int:
        """How many bytes have come."""
        return os.fstat(self._descriptor).st_size

    def is_over(self) -> bool:
        """Whether the other process is done with them, in whichever way."""
        return try_lock(self._descriptor)

    def close(self) -> None:
        """Let go of them."""
        os.close(self._descriptor)


def _owner(key: str) -> str:
    """The key of the file that something belongs to."""
    return key.partition(".")[0]


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still lies at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open folders; NTFS journals the rename
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
