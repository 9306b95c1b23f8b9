"""Where the bytes live. One protocol, whatever lies under it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, Self


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of some bytes, as lower-case hex; ``blake2b`` is the one of 256 bits."""

    sha256: str
    md5: str
    blake2b: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that lies in the store: its key, its size in bytes, when it was last written."""

    key: str
    size: int
    modified: datetime


class Incoming(Protocol):
    """Bytes on their way in: written piece by piece to the store's own file system, digests computed on the way.

    As a context manager it leaves nothing behind unless it was ``put``.
    """

    size: int

    @property
    def path(self) -> Path:
        """Where the bytes can be read while they are checked; all of them after ``finish``."""
        ...

    def write(self, chunk: bytes) -> None:
        """Append. Raises StorageFull or StorageFailed; the bytes so far are then gone."""
        ...

    def finish(self) -> Digests:
        """No more bytes come; their digests."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


class Storage(Protocol):
    """A store of files under plain keys, ``<project>/<filename>``, checked to be safe before they come here."""

    def receive(self) -> Incoming:
        """A place for bytes on their way in. Raises StorageFull, StorageFailed."""
        ...

    def claimed(self, key: str) -> AbstractContextManager[None]:
        """Nobody else puts under this key meanwhile, in any process."""
        ...

    def put(self, incoming: Incoming, key: str) -> None:
        """Give the bytes their key. On return they are on stable storage.

        What lies under the key already is moved aside, never overwritten; the caller holds the claim and knows that
        no row lists it.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """The bytes, from the start. Raises MissingBytes; StorageFailed for what is not a plain file."""
        ...

    def local(self, key: str) -> AbstractContextManager[Path]:
        """A path under which the bytes can be read while the block runs. Raises as ``open`` does."""
        ...

    def set_aside(self, key: str) -> None:
        """Move the bytes out of the way, to where a person can still fetch them. None there is no error."""
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Remove the bytes under these keys for good. None there is no error. Raises StorageFailed."""
        ...

    def walk(self, under: str = "") -> Iterator[StoredFile]:
        """Every file that lies in the store, in whatever layout, in order of keys; of those below one folder only, if
        that is named.
        """
        ...

    def free_bytes(self) -> int:
        """How many more bytes the store can take."""
        ...

    def ping(self) -> None:
        """Raise StorageFailed if the store cannot be used."""
        ...
