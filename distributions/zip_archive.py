"""The contents of a checked zip: each member is inflated once, counted and compared with what was declared."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tarfile import TarError, TarInfo
from typing import BinaryIO

from distributions.members import CHUNK, archive_errors, check_wanted_size
from distributions.zip_structure import STORED, Entry, Structure, read_structure
from errors import InvalidArchive, shown


class ZipArchive:
    """A zip whose structure is sound. ``files`` are its entries in the order of their bytes, without folders."""

    def __init__(self, file: BinaryIO, structure: Structure) -> None:
        self._file = file
        self.warnings = structure.warnings
        self.files = {entry.name: entry for entry in structure.entries if not entry.is_folder}
        self.folders = tuple(entry.name for entry in structure.entries if entry.is_folder)

    def read(self, name: str, limit: int) -> bytes:
        """One member's bytes; raises TooLarge where there are more than ``limit``, KeyError where there is none."""
        entry = self.files[name]
        check_wanted_size(name, entry.size, limit)
        return b"".join(self.chunks(entry))

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """A member's bytes, in pieces. Raises InvalidArchive where they are not as many, or others, than declared."""
        count = crc = 0
        for chunk in self._stored(entry) if entry.method == STORED else self._inflated(entry):
            count += len(chunk)
            if count > entry.size:
                raise self._not_as_declared(entry)
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if count != entry.size or crc != entry.crc:
            raise self._not_as_declared(entry)

    def verify(self) -> None:
        """Read every member to its end, keeping nothing."""
        for entry in self.files.values():
            for _ in self.chunks(entry):
                pass

    def _stored(self, entry: Entry) -> Iterator[bytes]:
        left = entry.packed
        self._file.seek(entry.data)
        while left:
            chunk = self._file.read(min(left, CHUNK))
            if not chunk:
                raise self._not_as_declared(entry)
            left -= len(chunk)
            yield chunk

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        for packed in self._stored(entry):
            pending = packed
            while pending and not inflater.eof:
                # Output is bounded too: 256 KiB of deflated zeros are 256 MiB.
                chunk = inflater.decompress(pending, 4 * CHUNK)
                pending = inflater.unconsumed_tail
                if chunk:
                    yield chunk
            if inflater.unused_data or (pending and inflater.eof):
                raise self._not_as_declared(entry)
        while not inflater.eof:
            chunk = inflater.decompress(inflater.unconsumed_tail, 4 * CHUNK)
            if not chunk:
                raise self._not_as_declared(entry)
            yield chunk

    @staticmethod
    def _not_as_declared(entry: Entry) -> InvalidArchive:
        return InvalidArchive(
            f"The bytes of the zip's member {shown(entry.name)} do not fit the size and checksum declared for it; "
            "build it again."
        )


@contextmanager
def open_zip(path: Path, filename: str) -> Iterator[ZipArchive]:
    """Open a zip and check its structure; what goes wrong while it is open is InvalidArchive."""
    with archive_errors(f"The file {shown(filename)}"), path.open("rb") as file:
        size = file.seek(0, 2)
        structure = read_structure(file, size, filename)
        file.seek(0)
        if _begins_a_tar(file.read(512)):
            raise InvalidArchive(f"{shown(filename)} is both a zip and a tar file; build it again.")
        yield ZipArchive(file, structure)


def _begins_a_tar(block: bytes) -> bool:
    try:
        TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except TarError:
        return False
    return True
