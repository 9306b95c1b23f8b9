"""The members of a compressed tar, one after the other, bounded and never extracted.

``tarfile`` reads the headers, since installers use it too; it is fed by a reader that counts, goes only forward and
hands out no header of unusual size. That stops bombs, headers of a gigabyte and negative sizes (CVE-2025-8194). It
also reads each header's own size field, since some readers take a member's size there and others in the pax header
before it (CVE-2025-62518).
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import posixpath
import re
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from distributions.members import (
    CHUNK,
    MIB,
    archive_errors,
    check_member_count,
    check_member_name,
    clashing_names,
    most_unpacked,
)
from distributions.zip_structure import looks_like_zip
from errors import InvalidArchive, shown

_LONGEST_HEADER: Final = 128 << 10  # bytes of one pax header or GNU long name
_XZ_MEMORY: Final = 128 * MIB
_FORMS: Final = {
    ".tar.gz": (b"\x1f\x8b", "gzip"),
    ".tgz": (b"\x1f\x8b", "gzip"),
    ".tar.bz2": (b"BZh", "bzip2"),
    ".tar.xz": (b"\xfd7zXZ\x00", "xz"),
}
_EXTENDED: Final = frozenset({b"x", b"X", b"g", b"L", b"K"})  # headers that speak of the next one
_OCTAL: Final = re.compile(rb" *([0-7]*)(?:[ \x00].*)?", re.DOTALL)
_PAX_SIZE: Final = re.compile(rb"(?:\A|\n)[0-9]+ size=")


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Decompressed:
    """A bz2 or xz file as a stream; the memory that an xz may ask for is bounded, which ``lzma.open`` cannot."""

    def __init__(self, file: BinaryIO, form: str) -> None:
        self._file, self._form = file, form
        self._decompressor = self._new()

    def _new(self) -> bz2.BZ2Decompressor | lzma.LZMADecompressor:
        if self._form == "bzip2":
            return bz2.BZ2Decompressor()
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        while True:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data or self._file.read(CHUNK)
                if not rest.strip(b"\x00"):
                    return b""
                self._decompressor = self._new()
            else:
                rest = self._file.read(CHUNK) if self._decompressor.needs_input else b""
                if self._decompressor.needs_input and not rest:
                    raise EOFError("the compressed data end too early")
            found = self._decompressor.decompress(rest, size)
            if found:
                return found


class _Headers:
    """What the headers themselves say of sizes, so that no two readers can find the next header at different places.

    It is shown what ``tarfile`` reads: a block for each header and, behind an extended one, what that holds.
    """

    def __init__(self) -> None:
        self.size = 0  # by the last member's own header
        self._kinds: set[bytes] = set()
        self._holding = b""

    def show(self, block: bytes) -> None:
        """Look at one read; raises InvalidArchive."""
        if self._holding:
            kind, self._holding = self._holding, b""
            # Of two sizes some readers take the first; a size for every member is never meant.
            if kind not in {b"L", b"K"} and len(_PAX_SIZE.findall(block)) > (kind != b"g"):
                raise InvalidArchive("The tar has a pax header with more than one member's size; build it again.")
        elif len(block) == tarfile.BLOCKSIZE and any(block):
            self._header(block[156:157], _size_field(block[124:136]))

    def _header(self, kind: bytes, size: int) -> None:
        if kind not in _EXTENDED:
            self._kinds.clear()
            self.size = size
            return
        if kind in self._kinds and kind != b"g":
            raise InvalidArchive("The tar has a member with two extended headers of one kind; build it again.")
        self._kinds.add(kind)
        self._holding = kind


def _size_field(field: bytes) -> int:
    """A header's size in bytes: octal digits, or base-256 behind a byte of 0x80. Raises InvalidArchive."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    octal = _OCTAL.fullmatch(field)
    if octal is None:
        raise InvalidArchive("The tar has a header with a size that cannot be; build it again.")
    return int(octal[1] or b"0", 8)


class _Forward:
    """What ``tarfile`` reads from: counted, bounded, and unable to go back."""

    def __init__(self, stream: _Readable, limit: int) -> None:
        self._stream, self._limit = stream, limit
        self._at = 0
        self._ends = 0
        self.last = b""
        self.headers = _Headers()

    def tell(self) -> int:
        """Bytes read so far."""
        return self._at

    def seek(self, position: int) -> None:
        """Read on to a position. tarfile wants to go back only where a size is negative."""
        if position < self._at:
            raise InvalidArchive("The tar has a header with a size that cannot be; build it again.")
        while self._at < position:
            if not self.take(min(position - self._at, CHUNK)):
                raise EOFError("the tar ends inside a member")

    def read(self, size: int) -> bytes:
        """A header for tarfile: exactly ``size`` bytes unless the stream ends."""
        if not 0 <= size <= _LONGEST_HEADER:
            raise InvalidArchive(f"The tar has a header of {size:,} bytes; {_LONGEST_HEADER:,} is the limit.")
        parts = []
        while size:
            part = self.take(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
        self.last = b"".join(parts)
        self.headers.show(self.last)
        return self.last

    def take(self, size: int) -> bytes:
        """Up to ``size`` bytes of the stream, counted."""
        part = self._stream.read(size)
        self._at += len(part)
        if self._at > self._limit:
            raise InvalidArchive(
                f"The archive unpacks to more than {self._limit:,} bytes; it is taken for a compression bomb."
            )
        if not part:
            self._ends += 1
            if self._ends > 64:
                raise EOFError("the tar ends inside a header")
        return part


@dataclass(slots=True)
class TarMember:
    """A member while the tar stands at it; ``chunks`` reads its bytes, once and before the next is asked for.

    ``target`` is where a link points, from the archive's root; empty for what is no link.
    """

    name: str
    size: int
    is_file: bool
    target: str
    _source: _Forward

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in pieces."""
        left = self.size if self.is_file else 0
        while left:
            chunk = self._source.take(min(left, CHUNK))
            if not chunk:
                raise EOFError("the tar ends inside a member")
            left -= len(chunk)
            yield chunk


@dataclass(slots=True)
class TarWalk:
    """One pass over a tar. ``warnings`` and the checks of links and the top directory are complete after it."""

    archive: tarfile.TarFile
    source: _Forward
    warnings: list[str] = field(default_factory=list)
    top: str = ""
    files: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _links: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[TarMember]:
        count = 0
        while (info := self.archive.next()) is not None:
            self.archive.members = []  # type: ignore[attr-defined]  # it would keep every header
            count += 1
            check_member_count(count)
            name = self._checked(info)
            yield TarMember(name, info.size, info.isreg(), self._links.get(name, ""), self.source)
        self._check_end()
        self._check_links()
        clash = clashing_names(self._names)
        if clash is not None:
            self.warnings.append(
                f"The members {shown(clash[0])} and {shown(clash[1])} are one file on macOS and Windows."
            )

    def _checked(self, info: tarfile.TarInfo) -> str:
        name = info.name
        while name.startswith("./"):
            name = name[2:]
        if info.isdir() and name in {"", "."}:
            return "."
        check_member_name(name)
        if not name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise InvalidArchive(f"The tar's member {shown(name)} has a name that is not UTF-8; build it again.")
        self._check_kind(info, name)
        if info.size != self.source.headers.size:
            raise InvalidArchive(
                f"The tar's member {shown(name)} has {self.source.headers.size:,} bytes by its header and "
                f"{info.size:,} by its pax header; build it again."
            )
        self._check_top(name)
        if not info.isdir():
            if name in self._names:
                raise InvalidArchive(f"The tar has the member {shown(name)} twice; build it again.")
            self.files.add(name)
        self._names.add(name)
        if info.issym() or info.islnk():
            self._links[name] = self._target(info, name)
        return name

    @staticmethod
    def _check_kind(info: tarfile.TarInfo, name: str) -> None:
        if info.issparse() or info.type == tarfile.GNUTYPE_SPARSE:
            raise InvalidArchive(f"The tar's member {shown(name)} is a sparse file; pack it whole.")
        if (
            not (info.isreg() or info.isdir() or info.issym() or info.islnk())
            or info.type not in tarfile.SUPPORTED_TYPES
        ):
            raise InvalidArchive(
                f"The tar's member {shown(name)} is a device, a FIFO or of unknown type; leave it out."
            )
        # Folders inherit the group bit on shared machines, and it means nothing there.
        if info.mode & 0o4000 or (info.mode & 0o2000 and not info.isdir()):
            raise InvalidArchive(f"The tar's member {shown(name)} is setuid or setgid; take those bits away.")
        if info.size < 0 or (info.size and not info.isreg()):
            raise InvalidArchive(f"The tar's member {shown(name)} has a size that cannot be; build it again.")

    def _check_top(self, name: str) -> None:
        top = name.partition("/")[0]
        if not self.top:
            self.top = top
        elif top != self.top:
            raise InvalidArchive(
                f"The tar has two top directories, {shown(self.top)} and {shown(top)}; an sdist has exactly one."
            )

    def _target(self, info: tarfile.TarInfo, name: str) -> str:
        """Where a link points, from the archive's root, as written; it may not leave the top directory."""
        link = info.linkname
        target = posixpath.join(posixpath.dirname(name), link) if info.issym() else link.removeprefix("./")
        inside = posixpath.normpath(target)
        if not link or link[0] == "/" or "\\" in link or ":" in link[:2] or inside.split("/")[0] != self.top:
            raise InvalidArchive(
                f"The tar's link {shown(name)} points to {shown(link)}, outside its top directory; leave it out."
            )
        return target

    def _check_links(self) -> None:
        """No member or target may lie behind a link to a folder: what '..' means there depends on who extracts."""
        if not self._links:
            return
        for name in (*self._names, *self._links.values()):
            place: list[str] = []
            for part in name.split("/")[:-1]:
                if part == "..":
                    place = place[:-1]
                elif part not in {"", "."}:
                    place.append(part)
                if "/".join(place) in self._links:
                    raise InvalidArchive(
                        f"The tar's member {shown(name)} lies behind the link {shown('/'.join(place))}; "
                        "pack the files themselves."
                    )

    def _check_end(self) -> None:
        """tarfile takes any damaged header but the first for the end; only zeros are one."""
        if any(self.source.last):
            raise InvalidArchive(f"The tar is damaged near byte {self.source.tell():,}; build and upload it again.")
        if not self.source.last:
            self.warnings.append("The tar has no end marker.")
        while rest := self.source.take(CHUNK):
            if rest.strip(b"\x00"):
                raise InvalidArchive("The tar has data after its end; build it again.")


@contextmanager
def open_tar(path: Path, filename: str, extension: str) -> Iterator[TarWalk]:
    """Open a compressed tar for one pass; what goes wrong while it is open is InvalidArchive (S40, S50 to S53)."""
    magic, form = _FORMS[extension]
    with archive_errors(f"The file {shown(filename)}"), path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        if file.read(len(magic)) != magic:
            raise InvalidArchive(f"{shown(filename)} is not a {form} file; build and upload it again.")
        if looks_like_zip(file, size):
            raise InvalidArchive(f"{shown(filename)} is both a zip and a tar file; build it again.")
        file.seek(0)
        stream: _Readable = gzip.GzipFile(fileobj=file) if form == "gzip" else _Decompressed(file, form)
        source = _Forward(stream, most_unpacked(size))
        with closing(tarfile.open(fileobj=source, mode="r:", encoding="utf-8")) as archive:  # type: ignore[call-overload]
            yield TarWalk(archive, source)
