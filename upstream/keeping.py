"""What this room is given by others: where pages, the record of files, and bytes are kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import BinaryIO, Protocol

from packaging.utils import NormalizedName

from simple.kept import KeptPage, TakenFile


class PageKeeper(Protocol):
    """Keeps the pages of upstreams, by the upstream's key and the project's normalized name.

    Every method raises what the database does: DatabaseBusy, StorageFull, StorageFailed.
    """

    def load(self, upstream: str, name: NormalizedName) -> KeptPage | None:
        """The page that is kept, or None."""
        ...

    def save(self, upstream: str, name: NormalizedName, page: KeptPage) -> None:
        """Keep a page in the place of the one before."""
        ...

    def forget(self, upstream: str, name: NormalizedName) -> None:
        """Keep it no longer."""
        ...

    def count(self, upstream: str) -> int:
        """How many pages of projects that are there are kept."""
        ...


class FileRecordKeeper(Protocol):
    """The record of the files that were taken in."""

    def of_project(self, upstream: str, name: NormalizedName) -> Mapping[str, TakenFile]:
        """The files of a project that were ever taken in, by filename, whether their bytes are kept or not."""
        ...

    def kept(self, upstream: str, name: NormalizedName) -> frozenset[str]:
        """The filenames of a project whose bytes are kept."""
        ...

    def projects(self, upstream: str) -> Sequence[NormalizedName]:
        """The projects of which bytes are kept, sorted."""
        ...

    def revision(self, upstream: str) -> Hashable:
        """Something that changes whenever ``projects`` does."""
        ...

    def note_change(self, upstream: str, filename: str, digest: str) -> None:
        """The upstream now tells another digest (``algorithm=hex``) of a file; of interest if it was taken in."""
        ...


Taken = Callable[[TakenFile], None]
"""Called with every file that was taken in, after its bytes are on stable storage: who records it and in which journal
is not decided here. What it raises is logged, and it is called again when the file is next asked for."""


class PartFile(Protocol):
    """Bytes on their way in, which others read while they come."""

    def write(self, piece: bytes) -> None:
        """Append. Raises StorageFull, StorageFailed."""
        ...

    def open(self) -> BinaryIO:
        """A handle of its own on the bytes so far, which stays good when they get their key or are dropped."""
        ...

    def finish(self, key: str) -> None:
        """Put the bytes on stable storage under their key. Raises StorageFull, StorageFailed."""
        ...

    def drop(self) -> None:
        """Leave nothing behind. After ``finish`` it does nothing."""
        ...


class Followed(Protocol):
    """Bytes that another process takes in just now."""

    def open(self) -> BinaryIO:
        """A handle of its own on them."""
        ...

    def size(self) -> int:
        """How many bytes have come."""
        ...

    def is_over(self) -> bool:
        """Whether the other process is done with them, in whichever way."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...


class ByteStore(Protocol):
    """Bytes by key: a sha256, or one with something before or behind it. What was used longest ago may go."""

    def size(self, key: str) -> int | None:
        """How many bytes there are under this key; None where there are none."""
        ...

    def open(self, key: str) -> BinaryIO:
        """The bytes, from the start. Raises MissingBytes, StorageFailed."""
        ...

    def put(self, key: str, body: bytes) -> None:
        """Keep a few bytes under a key. Raises StorageFull, StorageFailed."""
        ...

    def remove(self, key: str) -> None:
        """Keep them no longer. None there is no error. Raises StorageFailed."""
        ...

    def begin(self, part: str) -> PartFile | None:
        """A place for bytes to come in under a name; None while another process has one. Raises StorageFailed."""
        ...

    def follow(self, part: str) -> Followed | None:
        """The bytes that another process takes in under a name; None if it has just ended. Raises StorageFailed."""
        ...
