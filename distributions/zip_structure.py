"""The structure of a zip, read by ourselves: every byte of the file must belong to exactly one record.

Readers of zips disagree (some trust the central directory, some the local headers, some skip what precedes them), so
a file that leaves room for two readings is refused: APPNOTE.TXT 6.3.10, and the rules that PyPI has set in 2025.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from distributions.members import (
    MIB,
    check_bomb,
    check_member_count,
    check_member_name,
    clashing_names,
)
from errors import InvalidArchive, shown

STORED: Final = 0
DEFLATED: Final = 8

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_LOCAL_MAGIC, _CENTRAL_MAGIC, _DESCRIPTOR_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x07\x08"
_END_MAGIC, _END64_MAGIC, _LOCATOR_MAGIC = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"

_ENCRYPTED: Final = 0x0001
_DESCRIPTOR: Final = 0x0008
_UTF8: Final = 0x0800
_KNOWN_FLAGS: Final = 0x0006 | _DESCRIPTOR | _UTF8  # 0x0006: how hard the deflater tried
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_LONGEST_COMMENT: Final = 256
_NEWEST_VERSION: Final = 63  # of the format, in tenths: what zipfile takes
_LARGEST_DIRECTORY: Final = 64 * MIB
_SYMLINK, _FILE_TYPE = 0o120000, 0o170000


@dataclass(slots=True)
class Entry:
    """A member as the central directory has it; ``data`` is where its bytes begin, known after the local headers."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    attributes: int
    data: int = 0

    @property
    def is_folder(self) -> bool:
        """Zips name folders with a slash at the end."""
        return self.raw_name.endswith(b"/")


@dataclass(frozen=True, slots=True)
class Structure:
    """A checked zip: its entries in the order of their bytes, and what is odd about it but harmless."""

    entries: tuple[Entry, ...]
    warnings: tuple[str, ...]


def looks_like_zip(file: BinaryIO, size: int) -> bool:
    """Whether a zip reader would find a central directory in this file, wherever it stands."""
    start = max(0, size - _END.size - _FULL16)
    file.seek(start)
    tail = file.read(size - start)
    at = tail.rfind(_END_MAGIC)
    while at >= 0:
        if at + _END.size <= len(tail):
            directory = _END.unpack_from(tail, at)[5]
            file.seek(max(0, start + at - directory))
            if file.read(4) == _CENTRAL_MAGIC:
                return True
        at = tail.rfind(_END_MAGIC, 0, at)
    return False


def read_structure(file: BinaryIO, size: int, filename: str) -> Structure:
    """Read and check every record of a zip of ``size`` bytes. Raises InvalidArchive (S40 to S49)."""
    count, directory_size, directory_offset, comment = _read_end(file, size, filename)
    check_member_count(count)
    warnings = []
    if comment:
        warnings.append(f"The zip has a comment of {comment} bytes.")
    file.seek(directory_offset)
    entries, commented = _read_directory(file.read(directory_size), count)
    if commented:
        warnings.append(f"{commented} of the zip's members have comments.")
    _check_names(entries, warnings)
    check_bomb(sum(entry.size for entry in entries), size)
    entries.sort(key=lambda entry: entry.offset)
    _check_local_headers(file, entries, directory_offset)
    return Structure(tuple(entries), tuple(warnings))


def _read_end(file: BinaryIO, size: int, filename: str) -> tuple[int, int, int, int]:
    """Count, size and offset of the central directory, and the comment's length."""
    length = min(size, _LOCATOR.size + _END64.size + _END.size + _FULL16)
    file.seek(size - length)
    tail = file.read(length)
    end = _find_end(tail, size, filename)
    _, disk, start_disk, count_here, count, directory_size, offset, comment = _END.unpack_from(tail, end)
    before = size - length + end
    if tail[max(0, end - _LOCATOR.size) : end].startswith(_LOCATOR_MAGIC):
        said = (disk, start_disk, count_here, count, directory_size, offset)
        count, directory_size, offset, before = _read_end64(file, before, said)
    elif disk or start_disk or count_here != count:
        raise InvalidArchive("The zip says that it has several disks; build it again as one file.")
    if directory_size > _LARGEST_DIRECTORY:
        raise InvalidArchive(
            f"The zip's central directory has {directory_size:,} bytes; that is too many to be honest."
        )
    if offset + directory_size != before:
        raise InvalidArchive(
            f"The zip's central directory should end at byte {offset + directory_size:,} but its end record stands at "
            f"byte {before:,}: there is data before or inside the archive; build it again."
        )
    return count, directory_size, offset, comment


def _find_end(tail: bytes, size: int, filename: str) -> int:
    at = tail.rfind(_END_MAGIC)
    if at < 0 or at + _END.size > len(tail):
        raise InvalidArchive(f"{shown(filename)} is not a zip file, or its end is missing; build and upload it again.")
    comment = int(_END.unpack_from(tail, at)[7])
    behind = len(tail) - at - _END.size - comment
    if _has_rival(tail, at):
        raise InvalidArchive("The zip has a second end record; build it again.")
    if behind != 0:
        raise InvalidArchive(f"The zip of {size:,} bytes does not end where its end record says ({behind:+,} bytes).")
    if comment > _LONGEST_COMMENT:
        raise InvalidArchive(f"The zip has a comment of {comment:,} bytes; {_LONGEST_COMMENT} is the limit.")
    return at


def _has_rival(tail: bytes, end: int) -> bool:
    """Whether an earlier end record, with the rest of the file as its comment, would do as well.

    Others may stand in the data of a member that is itself a zip: nobody reads those as this file's end.
    """
    at = tail.find(_END_MAGIC)
    while at < end:
        if at + _END.size <= len(tail):
            reach = at + _END.size + _END.unpack_from(tail, at)[7]
            if reach == len(tail):
                return True
        at = tail.find(_END_MAGIC, at + 1)
    return False


def _read_end64(file: BinaryIO, end: int, said: Sequence[int]) -> tuple[int, int, int, int]:
    """The zip64 end record, which must stand right before its locator and say what the old one says."""
    at = end - _LOCATOR.size - _END64.size
    if at < 0:
        raise InvalidArchive("The zip has a zip64 locator without its record; build it again.")
    file.seek(at)
    record = file.read(_END64.size + _LOCATOR.size)
    magic, length, _, _, disk, start_disk, count_here, count, directory_size, offset = _END64.unpack_from(record)
    _, locator_disk, locator_offset, disks = _LOCATOR.unpack_from(record, _END64.size)
    if magic != _END64_MAGIC or length != _END64.size - 12 or locator_offset != at or locator_disk or disks != 1:
        raise InvalidArchive("The zip's zip64 end record and its locator do not fit each other; build it again.")
    full = (disk, start_disk, count_here, count, directory_size, offset)
    marks = (_FULL16, _FULL16, _FULL16, _FULL16, _FULL32, _FULL32)
    if disk or start_disk or count_here != count:
        raise InvalidArchive("The zip says that it has several disks; build it again as one file.")
    if any(old not in {new, mark} for old, new, mark in zip(said, full, marks, strict=True)):
        raise InvalidArchive("The zip's two end records do not say the same; build it again.")
    return count, directory_size, offset, at


def _read_directory(directory: bytes, count: int) -> tuple[list[Entry], int]:
    """The entries of the central directory, and how many carry comments."""
    entries: list[Entry] = []
    at = commented = 0
    while at < len(directory):
        if len(directory) - at < _CENTRAL.size or directory[at : at + 4] != _CENTRAL_MAGIC:
            raise InvalidArchive(
                f"The zip's central directory has an unknown record at its byte {at:,}; build it again."
            )
        entry, length, comment = _read_central(directory, at)
        at += length
        commented += comment > 0
        entries.append(entry)
    if at != len(directory) or len(entries) != count:
        raise InvalidArchive(
            f"The zip's end record announces {count:,} members but its directory has {len(entries):,}; build it again."
        )
    return entries, commented


def _read_central(directory: bytes, at: int) -> tuple[Entry, int, int]:
    fields = _CENTRAL.unpack_from(directory, at)
    (
        _,
        _,
        needed,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        name_size,
        extra_size,
        comment,
        disk,
        _,
        attributes,
        offset,
    ) = fields
    name_end = at + _CENTRAL.size + name_size
    raw_name = directory[at + _CENTRAL.size : name_end]
    name = _decoded(raw_name, flags)
    extra = directory[name_end : name_end + extra_size]
    if extra:
        values = _zip64_values(name, raw_name, extra, (size, packed, offset))
        size, packed, offset = values
    if needed & 0xFF > _NEWEST_VERSION:
        raise InvalidArchive(f"The zip's member {shown(name)} wants a newer reader than there is; build it again.")
    _check_entry(name, flags, method, disk)
    if attributes >> 16 & _FILE_TYPE == _SYMLINK:
        raise InvalidArchive(f"The zip's member {shown(name)} is a symbolic link; pack the file itself.")
    entry = Entry(raw_name, name, flags, method, crc, packed, size, offset, attributes)
    if entry.is_folder and (size or packed > 2):
        raise InvalidArchive(f"The zip's folder {shown(name)} has contents of its own; build it again.")
    return entry, _CENTRAL.size + name_size + extra_size + comment, comment


def _check_entry(name: str, flags: int, method: int, disk: int) -> None:
    if flags & _ENCRYPTED:
        raise InvalidArchive(f"The zip's member {shown(name)} is encrypted; pack it without a password.")
    if flags & ~_KNOWN_FLAGS:
        raise InvalidArchive(f"The zip's member {shown(name)} has flags {flags:#06x}, which no builder needs.")
    if method not in {STORED, DEFLATED}:
        raise InvalidArchive(
            f"The zip's member {shown(name)} is compressed by method {method}; only stored and deflated are taken."
        )
    if disk:
        raise InvalidArchive(f"The zip's member {shown(name)} is on another disk; build it again as one file.")


def _decoded(raw_name: bytes, flags: int) -> str:
    try:
        return raw_name.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise InvalidArchive(
            f"The zip's member {shown(raw_name.decode('latin-1'))} has a name that is neither ASCII nor marked UTF-8; "
            "build it again with a current tool."
        ) from error


def _zip64_values(name: str, raw_name: bytes, extra: bytes, values: Sequence[int]) -> list[int]:
    """Sizes (and offset), with those that did not fit into 32 bits taken from the zip64 field."""
    fields = _extra_fields(name, extra)
    path = fields.get(_UNICODE_PATH)
    if path is not None and path[5:] != raw_name:
        raise InvalidArchive(f"The zip's member {shown(name)} has a second name in its extra fields; build it again.")
    wide = fields.get(_ZIP64, b"")
    found = list(values)
    at = 0
    for place, value in enumerate(values):
        if value == _FULL32 and at + 8 <= len(wide):
            (found[place],) = struct.unpack_from("<Q", wide, at)
            at += 8
    return found


def _extra_fields(name: str, extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if len(body) != length or (kind in fields and kind in {_ZIP64, _UNICODE_PATH}):
            raise InvalidArchive(f"The zip's member {shown(name)} has extra fields that do not fit; build it again.")
        fields[kind] = body
        at += 4 + length
    if any(extra[at:]):
        raise InvalidArchive(f"The zip's member {shown(name)} has extra fields that do not fit; build it again.")
    return fields


def _check_names(entries: Sequence[Entry], warnings: list[str]) -> None:
    names = set()
    for entry in entries:
        check_member_name(entry.name)
        plain = entry.name.rstrip("/")
        if plain in names:
            raise InvalidArchive(f"The zip has the member {shown(entry.name)} twice; build it again.")
        names.add(plain)
    clash = clashing_names(entry.name for entry in entries)
    if clash is not None:
        warnings.append(f"The members {shown(clash[0])} and {shown(clash[1])} are one file on macOS and Windows.")


def _check_local_headers(file: BinaryIO, entries: Sequence[Entry], directory_offset: int) -> None:
    """Local headers must say what the directory says, and follow each other from byte 0 without gap or overlap."""
    at = 0
    for number, entry in enumerate(entries):
        if entry.offset != at:
            what = "overlaps the one before it" if entry.offset < at else "has bytes before it that no member describes"
            raise InvalidArchive(f"The zip's member {shown(entry.name)} {what}; build it again.")
        end = entries[number + 1].offset if number + 1 < len(entries) else directory_offset
        at = _check_local_header(file, entry, end)
    if at != directory_offset:
        raise InvalidArchive("The zip has bytes before its central directory that no member describes; build it again.")


def _check_local_header(file: BinaryIO, entry: Entry, end: int) -> int:
    """Check one local header and return where the member's bytes end, its data descriptor included."""
    file.seek(entry.offset)
    header = file.read(_LOCAL.size + len(entry.raw_name))
    if len(header) < _LOCAL.size or header[:4] != _LOCAL_MAGIC:
        raise InvalidArchive(f"The zip's member {shown(entry.name)} has no local header; build it again.")
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(header)
    if header[_LOCAL.size :] != entry.raw_name or name_size != len(entry.raw_name):
        raise _mismatch(entry, "name")
    if extra_size:
        extra = file.read(extra_size)
        size, packed = _zip64_values(entry.name, entry.raw_name, extra, (size, packed))
    if flags != entry.flags or method != entry.method:
        raise _mismatch(entry, "flags or method")
    entry.data = entry.offset + _LOCAL.size + name_size + extra_size
    behind = entry.data + entry.packed
    if flags & _DESCRIPTOR:
        if any(said not in {0, known} for said, known in _pairs(entry, crc, packed, size)):
            raise _mismatch(entry, "sizes or checksum")
        return _check_descriptor(file, entry, behind, end)
    if (crc, packed, size) != (entry.crc, entry.packed, entry.size):
        raise _mismatch(entry, "sizes or checksum")
    return behind


def _pairs(entry: Entry, crc: int, packed: int, size: int) -> tuple[tuple[int, int], ...]:
    # Streaming writers of zip64 leave the mark for "see the extra field" in both sizes.
    return (
        (crc, entry.crc),
        (0 if packed == _FULL32 else packed, entry.packed),
        (0 if size == _FULL32 else size, entry.size),
    )


def _check_descriptor(file: BinaryIO, entry: Entry, at: int, end: int) -> int:
    """A data descriptor, of 12 to 24 bytes, must agree with the directory and reach to the next record."""
    known = struct.pack("<3L", entry.crc, entry.packed & _FULL32, entry.size & _FULL32)
    wide = struct.pack("<LQQ", entry.crc, entry.packed, entry.size)
    if 12 <= end - at <= 24:
        file.seek(at)
        if file.read(end - at) in {known, wide, _DESCRIPTOR_MAGIC + known, _DESCRIPTOR_MAGIC + wide}:
            return end
    raise _mismatch(entry, "data descriptor")


def _mismatch(entry: Entry, what: str) -> InvalidArchive:
    return InvalidArchive(
        f"Mis-matched {what} of the zip's member {shown(entry.name)}: its local header and the central directory "
        "differ; build it again."
    )
