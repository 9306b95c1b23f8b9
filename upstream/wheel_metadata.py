"""The core metadata of a wheel, read from as little of the wheel as that takes.

A zip has its table of contents at its end. With HTTP ranges the end is read, then the one member that is wanted; a
wheel of 500 MB costs some 70 kB.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from packaging.utils import NormalizedName, canonicalize_name

from upstream.failures import CannotFetch

_METADATA = re.compile(r"([^/-]+)-[^/]+\.dist-info/METADATA")
_READ_AHEAD = 1 << 16
_MOST_BYTES = 32 << 20  # of the table of contents and the member
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_NO_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)


class NoMetadata(Exception):
    """The bytes hold no core metadata that can be read."""


class Windows(io.RawIOBase):
    """A file of which single stretches are read, each once and with what follows it: ``read(first, last)`` gives one.

    Raises NoMetadata when too much is read.
    """

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._read = read
        self._position = 0
        self._windows: list[tuple[int, bytes]] = []
        self._left = _MOST_BYTES

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Anywhere."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read from somewhere else on."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill what is at hand, or can be had with one reading more."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        piece = self._at_hand(wanted) or self._fetched(wanted)
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _at_hand(self, wanted: int) -> bytes:
        for start, window in self._windows:
            if start <= self._position < start + len(window):
                return window[self._position - start :][:wanted]
        return b""

    def _fetched(self, wanted: int) -> bytes:
        first = self._position
        if self._size - first <= _READ_AHEAD:  # near the end: what stands before it is wanted next
            first = max(0, self._size - _READ_AHEAD)
        last = min(self._size, max(self._position + wanted, first + _READ_AHEAD)) - 1
        self._left -= last - first + 1
        if self._left < 0:
            raise NoMetadata
        window = self._read(first, last)
        if len(window) != last - first + 1:
            raise CannotFetch("it sends another range than was asked for", is_outage=False)
        self._windows.append((first, window))
        return self._at_hand(wanted)


def metadata_of(file: Windows | BinaryIO, project: NormalizedName, limit: int) -> bytes:
    """The METADATA of a wheel of a project, at most ``limit`` bytes. Raises NoMetadata, and what reading the file does.

    ``zipfile`` compares the bytes with the checksum in the table of contents.
    """
    if isinstance(file, Windows):
        readable: BinaryIO = io.BufferedReader(file)
    else:
        readable = file
    try:
        with zipfile.ZipFile(readable) as archive:
            member = _member(archive, project)
            if member.file_size > limit or member.compress_type not in _METHODS:
                raise NoMetadata
            with archive.open(member) as opened:
                body = opened.read(limit + 1)
    except _NO_ZIP as error:
        raise NoMetadata from error
    if len(body) > limit:
        raise NoMetadata
    return body


def _member(archive: zipfile.ZipFile, project: NormalizedName) -> zipfile.ZipInfo:
    for member in archive.infolist():
        found = _METADATA.fullmatch(member.filename)
        if found is not None and canonicalize_name(found[1]) == project:
            return member
    raise NoMetadata
