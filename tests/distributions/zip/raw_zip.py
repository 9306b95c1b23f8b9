"""Zips whose every header is written by hand, and what becomes of them when they are opened."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from distributions.zip_archive import open_zip
from errors import InvalidArchive

NAME = "sample-1.0-py3-none-any.whl"
END = b"PK\x05\x06"


@dataclass(frozen=True)
class Raw:
    """A member with everything that its two headers say; the local header says the same unless told otherwise."""

    name: bytes = b"a.txt"
    data: bytes = b"hello"
    method: int = 0
    flags: int = 0
    size: int | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    local_crc: int | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    attributes: int = 0o100644 << 16
    disk: int = 0
    descriptor: bytes = b""


def raw_zip(*members: Raw, before_directory: bytes = b"", comment: bytes = b"", count: int | None = None) -> bytes:
    """A zip from headers written by hand."""
    body, directory = b"", b""
    for member in members:
        packed = member.data
        if member.method == 8:
            deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = deflater.compress(member.data) + deflater.flush()
        crc, size = zlib.crc32(member.data), len(member.data) if member.size is None else member.size
        streamed = bool(member.flags & 8)
        local_crc = (0 if streamed else crc) if member.local_crc is None else member.local_crc
        local_size = (0 if streamed else size) if member.local_size is None else member.local_size
        name = member.name if member.local_name is None else member.local_name
        offset = len(body)
        body += struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, member.flags, member.method, 0, 33, local_crc,
            0 if streamed else len(packed), local_size, len(name), len(member.local_extra),
        )  # fmt: skip
        body += name + member.local_extra + packed + member.descriptor
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 0x314, 20, member.flags, member.method, 0, 33, crc, len(packed), size,
            len(member.name), len(member.extra), len(member.comment), member.disk, 0, member.attributes, offset,
        )  # fmt: skip
        directory += member.name + member.extra + member.comment
    body += before_directory
    number = len(members) if count is None else count
    end = struct.pack("<4s4H2LH", END, 0, 0, number, number, len(directory), len(body), len(comment))
    return body + directory + end + comment


def opened(directory: Path, data: bytes) -> tuple[str, ...]:
    """The warnings of a zip that is read to its end."""
    path = directory / NAME
    path.write_bytes(data)
    with open_zip(path, NAME) as archive:
        archive.verify()
        return archive.warnings


def refused(directory: Path, data: bytes) -> str:
    """The sentence with which a zip is refused."""
    with pytest.raises(InvalidArchive) as caught:
        opened(directory, data)
    assert caught.value.sentence.isascii()
    return caught.value.sentence


def descriptor(data: bytes, *, magic: bool = True, wide: bool = False) -> bytes:
    """The record that a streaming writer puts behind stored data."""
    sizes = struct.pack("<QQ" if wide else "<LL", len(data), len(data))
    return (b"PK\x07\x08" if magic else b"") + struct.pack("<L", zlib.crc32(data)) + sizes


def zip64(data: bytes, *, length: int = 44, at: int | None = None, count: int = 1) -> bytes:
    """A zip with a zip64 end record and locator before its end record."""
    end = data.rindex(END)
    _, _, _, _, _, size, offset, _ = struct.unpack_from("<4s4H2LH", data, end)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", length, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end if at is None else at, 1)
    return data[:end] + record + locator + data[end:]
