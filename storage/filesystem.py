"""The plain store: ``<root>/<project>/<filename>``, one folder to copy, look into and back up.

Bytes arrive under ``<root>/.state/incoming``, are synced, renamed to their final name, and the folder is synced. What
is replaced or in the way goes to ``<root>/.state/trash``. Files are opened part by part without following links.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from errors import MissingBytes, Refusal, StorageFailed, StorageFull, Unavailable
from storage import Digests, Incoming, StoredFile
from storage.locks import FileLock, try_lock

STATE = ".state"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_CLAIM_STRIPES = 64


def refusal_of(error: OSError) -> Refusal:
    """What an operating system error means to the person who waits."""
    if error.errno in _FULL:
        return StorageFull()
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return Unavailable("The server has too many files open just now; try again.", 2)
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return StorageFailed(
            "The package store cannot be written: its disk is read-only or belongs to another user.", 60
        )
    return StorageFailed(
        f"The package store failed ({error.strerror or error}); an administrator has to look at it.", 60
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise refusal_of(error) from error


class IncomingFile:
    """One temporary file, locked while its process lives, so that the sweep at a start knows those left by a crash."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._hashes = (hashlib.sha256(), hashlib.md5(usedforsecurity=False), hashlib.blake2b(digest_size=32))
        # Under the lock of the sweep, which else might take the file before it is locked.
        with _translated(), FileLock(folder.with_name("locks") / "incoming"):
            descriptor, name = tempfile.mkstemp(dir=folder)
            try_lock(descriptor)
        self._path: Path | None = Path(name)
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    @property
    def path(self) -> Path:
        """Where the bytes lie until they are put."""
        if self._path is None:
            raise ValueError("the bytes were put or dropped")
        return self._path

    def write(self, chunk: bytes) -> None:
        """Append a piece and digest it. Raises StorageFull, StorageFailed; then nothing is left behind."""
        try:
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self.drop()
            raise refusal_of(error) from error
        for digest in self._hashes:
            digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> Digests:
        """The digests of what was written."""
        sha256, md5, blake2b = (digest.hexdigest() for digest in self._hashes)
        return Digests(sha256, md5, blake2b)

    def sync(self) -> None:
        """Put the bytes on stable storage. An error is final: a second fsync would lie (the kernel drops pages)."""
        os.fsync(self._file.fileno())

    def moved(self) -> None:
        """The file has its final name."""
        self._path = None
        self._file.close()

    def drop(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None

    def __enter__(self) -> IncomingFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.drop()


class FilesystemStorage:
    """The store in a folder. ``root`` is made if it is not there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / STATE / "incoming"
        self._trash = root / STATE / "trash"
        self._locks = root / STATE / "locks"
        self._failed: str | None = None
        self._stripes = [threading.Lock() for _ in range(_CLAIM_STRIPES)]
        with _translated():
            for folder in (self._incoming, self._trash, self._locks):
                folder.mkdir(parents=True, exist_ok=True)

    # -- in

    def receive(self) -> Incoming:
        """A temporary file on this file system."""
        if self._failed:
            raise StorageFailed(self._failed, 60)
        return IncomingFile(self._incoming)

    @contextmanager
    def claimed(self, key: str) -> Iterator[None]:
        """Hold one of 64 locks, chosen by the key, against other threads and processes."""
        stripe = int.from_bytes(hashlib.blake2b(key.lower().encode(), digest_size=4).digest()) % _CLAIM_STRIPES
        with self._stripes[stripe], FileLock(self._locks / f"{stripe:02}"):
            yield

    def put(self, incoming: Incoming, key: str) -> None:
        """Sync, rename, sync the folder: after that the bytes survive the plug being pulled."""
        temporary = cast("IncomingFile", incoming)
        target = self.root / key
        with _translated():
            self._sync(temporary.sync)
            if target.is_symlink() or target.exists():
                self.set_aside(key)
            temporary.path.chmod(0o644)
            made = _rename(temporary.path, target)
            temporary.moved()
            for folder in (target.parent, *made):
                self._sync_folder(folder)

    def _sync(self, sync: object) -> None:
        try:
            sync()  # type: ignore[operator]
        except OSError as error:
            if error.errno == errno.EIO:
                # fsync is never tried twice: Linux marks the lost pages clean and the second call succeeds.
                self._failed = "The disk failed to keep an upload; uploads stay closed until the server is restarted."
            raise

    def _sync_folder(self, folder: Path) -> None:
        if os.name == "nt":
            return  # Windows cannot open folders; NTFS journals the rename
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            self._sync(lambda: os.fsync(descriptor))
        finally:
            os.close(descriptor)

    # -- out

    def open(self, key: str) -> BinaryIO:
        """The file, opened without following a link anywhere on the way."""
        try:
            descriptor = self._descriptor(key)
        except FileNotFoundError as error:
            raise MissingBytes(key) from error
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                raise StorageFailed(
                    f"{key} is a link or lies under one; links in the store are not followed."
                ) from error
            raise refusal_of(error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise StorageFailed(f"{key} is not a plain file.")
        return os.fdopen(descriptor, "rb", buffering=0)

    def _descriptor(self, key: str) -> int:
        flags = os.O_RDONLY | _NOFOLLOW | _BINARY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        if os.open not in os.supports_dir_fd:
            return os.open(self.root / key, flags)
        with self._folder_of(key) as folder:
            return os.open(key.rpartition("/")[2], flags, dir_fd=folder)

    @contextmanager
    def _folder_of(self, key: str) -> Iterator[int]:
        """The folder that a key lies in, opened part by part without following links."""
        at = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in key.split("/")[:-1]:
                inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW, dir_fd=at)
                os.close(at)
                at = inner
            yield at
        finally:
            os.close(at)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """The file's own path, after it was seen to be a plain file inside the root."""
        self.open(key).close()
        yield self.root / key

    def set_aside(self, key: str) -> None:
        """Move a file to the trash, under the moment and its name."""
        target = self.root / key
        place = self._trash / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{threading.get_ident()}"
        with _translated():
            if not target.is_symlink() and not target.exists():
                return
            place.mkdir()
            target.rename(place / target.name)
            self._tidy(target.parent)

    def remove(self, keys: Iterable[str]) -> None:
        """Unlink files and sync their folders, so that they do not come back when the plug is pulled."""
        folders = set()
        with _translated():
            for key in keys:
                with contextlib.suppress(FileNotFoundError):
                    self._unlink(key)
                    folders.add((self.root / key).parent)
            for folder in folders:
                with contextlib.suppress(FileNotFoundError):  # another purge tidied it away
                    self._sync_folder(folder)
                self._tidy(folder)

    def _unlink(self, key: str) -> None:
        if os.unlink not in os.supports_dir_fd:
            (self.root / key).unlink()
            return
        with self._folder_of(key) as folder:
            os.unlink(key.rpartition("/")[2], dir_fd=folder)

    def _tidy(self, folder: Path) -> None:
        with contextlib.suppress(OSError):  # other files lie there
            if folder != self.root:
                folder.rmdir()

    # -- about

    def walk(self, under: str = "") -> Iterator[StoredFile]:
        """Every plain file below the root, or below a folder of it, hidden files and folders left out; links are not
        followed.
        """
        top = self.root / under
        if under and top.is_symlink():
            return
        for folder, folders, names in os.walk(top, onerror=_unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                try:
                    found = path.lstat()
                except FileNotFoundError:
                    continue  # it went while we looked
                if not name.startswith(".") and stat.S_ISREG(found.st_mode):
                    modified = datetime.fromtimestamp(found.st_mtime, UTC)
                    yield StoredFile(path.relative_to(self.root).as_posix(), found.st_size, modified)

    def free_bytes(self) -> int:
        """Free bytes of the file system under the root."""
        with _translated():
            return shutil.disk_usage(self.root).free

    def ping(self) -> None:
        """Raise StorageFailed if the root is gone or an earlier sync failed."""
        if self._failed:
            raise StorageFailed(self._failed, 60)
        if not self._incoming.is_dir():
            raise StorageFailed(f"The data directory {self.root} is not there.")

    def sweep(self, trash_days: int) -> int:
        """Remove what a crash left incoming, and the trash of more than ``trash_days`` days; how many files."""
        swept = 0
        with FileLock(self._locks / "incoming"):
            for path in self._incoming.iterdir():
                swept += _remove_if_abandoned(path)
        oldest = time.time() - trash_days * 86_400
        for place in self._trash.iterdir():
            if place.is_dir() and place.stat().st_mtime < oldest:
                shutil.rmtree(place)
                swept += 1
        return swept


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise refusal_of(error) from error


def _rename(source: Path, target: Path) -> list[Path]:
    """Rename into folders that are made if need be; the folders that got a new one. A deletion may remove them again
    meanwhile: then once more.
    """
    made: list[Path] = []
    while True:
        if not target.parent.is_dir():
            made = [folder.parent for folder in (target.parent, *target.parent.parents) if not folder.is_dir()]
            target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.rename(target)
        except FileNotFoundError:
            if target.parent.is_dir() or not source.exists():
                raise
        else:
            return made


def _remove_if_abandoned(path: Path) -> bool:
    try:
        with path.open("rb+") as file:
            if not try_lock(file.fileno()):
                return False
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return False
    return True
