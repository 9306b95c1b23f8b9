"""Tests of distributions.zip_structure and zip_archive: a zip has one reading or is refused."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distributions.archives import Member, list_members, read_member
from distributions.zip_archive import open_zip
from errors import Invalid, InvalidArchive, NotFound, TooLarge
from tests.factory import build_sdist, build_wheel, compressed, wheel_bytes, zip_bytes

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


def test_a_sound_zip_is_taken(tmp_path: Path) -> None:
    """Stored and deflated members and folders are read without a warning."""
    folder = Raw(name=b"folder/", data=b"", attributes=0o40755 << 16 | 16)
    assert opened(tmp_path, raw_zip(folder, Raw(), Raw(name=b"b", method=8, data=b"x" * 9999))) == ()


@pytest.mark.parametrize("data", [b"not a zip", b"PK\x03\x04" + b"x" * 100, END, compressed(b"x" * 600)])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    """S40: something else under a wheel's name is refused."""
    assert "not a zip" in refused(tmp_path, data)


def test_a_tar_header_in_the_first_member_is_seen(tmp_path: Path) -> None:
    """S40: a stored first member can hold the checksum of a tar header; that is found."""
    start = raw_zip(Raw(name=b"a", data=b"\x00" * 481))[:31]
    block = bytearray(start + b"\x00" * 481)
    block[124:136] = b"00000000000\x00"
    for _ in range(4):  # the CRC in the zip's header counts into the tar's checksum
        block[148:156] = b"        "
        block[148:156] = b"%06o\x00 " % sum(block)
        block[:31] = raw_zip(Raw(name=b"a", data=bytes(block[31:])))[:31]
        for filler in range(256):
            block[200] = filler
            block[:31] = raw_zip(Raw(name=b"a", data=bytes(block[31:])))[:31]
            plain = sum(block[:148]) + sum(block[156:]) + 8 * 32
            if bytes(block[148:156]) == b"%06o\x00 " % plain:
                assert "both a zip and a tar" in refused(tmp_path, raw_zip(Raw(name=b"a", data=bytes(block[31:]))))
                return
    pytest.fail("no polyglot was found to try")


@pytest.mark.parametrize("names", [(b"a", b"a"), (b"a/", b"a")])
def test_duplicate_names_are_refused(tmp_path: Path, names: tuple[bytes, bytes]) -> None:
    """S41: one name stands for one member."""
    members = [Raw(name=name, data=b"") for name in names]
    assert "twice" in refused(tmp_path, raw_zip(*members))


def test_members_without_directory_entry_are_refused(tmp_path: Path) -> None:
    """S42: a local header that the central directory does not know is refused."""
    hidden = raw_zip(Raw(name=b"hidden"))
    hidden = hidden[: hidden.index(b"PK\x01\x02")]
    assert "no member describes" in refused(tmp_path, raw_zip(Raw(), before_directory=hidden))


def test_directory_entries_without_member_are_refused(tmp_path: Path) -> None:
    """S42: an entry of the directory whose local header is missing is refused."""
    data = bytearray(raw_zip(Raw()))
    data[:4] = b"XXXX"
    assert "no local header" in refused(tmp_path, bytes(data))


@pytest.mark.parametrize(
    "change",
    [{"local_name": b"b.txt"}, {"local_name": b"a.txtx"}, {"local_size": 4}, {"local_crc": 1}],
    ids=["name", "longer name", "size", "crc"],
)
def test_headers_that_disagree_are_refused(tmp_path: Path, change: dict[str, bytes | int]) -> None:
    """S42: local header and central directory must say the same."""
    assert "Mis-matched" in refused(tmp_path, raw_zip(replace(Raw(), **change)))  # type: ignore[arg-type]


def test_data_before_and_after_the_zip_are_refused(tmp_path: Path) -> None:
    """S43: no byte before the first member, none after the end."""
    data = raw_zip(Raw())
    assert "data before" in refused(tmp_path, b"#!/bin/sh\n" + data)
    assert "does not end" in refused(tmp_path, data + b"x")
    assert refused(tmp_path, data[:-1])


def test_a_second_end_record_is_refused(tmp_path: Path) -> None:
    """S43: neither a second record behind the first nor one hidden in front of it is taken."""
    data = raw_zip(Raw())
    assert refused(tmp_path, data + data[data.index(END) :])
    rival = struct.pack("<4s4H2LH", END, 0, 0, 1, 1, 51, 40, 0)
    hidden = raw_zip(Raw(comment=rival))
    reach = len(hidden) - hidden.index(END) - 22
    hidden = hidden.replace(rival, rival[:-2] + struct.pack("<H", reach))
    assert "second end record" in refused(tmp_path, hidden)


def test_a_zip_in_a_zip_is_no_second_end(tmp_path: Path) -> None:
    """A member may itself be a zip, stored as it is."""
    assert opened(tmp_path, raw_zip(Raw(data=raw_zip(Raw())), Raw(name=b"b"))) == ()


def test_comments_are_told_and_bounded(tmp_path: Path) -> None:
    """S43: a declared comment is taken up to 256 bytes, with a warning."""
    assert "comment" in opened(tmp_path, raw_zip(Raw(), comment=b"c" * 256))[0]
    assert "comment" in refused(tmp_path, raw_zip(Raw(), comment=b"c" * 257))
    assert "comment" in opened(tmp_path, raw_zip(Raw(comment=b"c")))[0]


def test_a_false_count_is_refused(tmp_path: Path) -> None:
    """S42: the end record must count what the directory lists."""
    assert "announces 2" in refused(tmp_path, raw_zip(Raw(), count=2))


def zip64(data: bytes, *, length: int = 44, at: int | None = None, count: int = 1) -> bytes:
    """A zip with a zip64 end record and locator before its end record."""
    end = data.rindex(END)
    _, _, _, _, _, size, offset, _ = struct.unpack_from("<4s4H2LH", data, end)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", length, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end if at is None else at, 1)
    return data[:end] + record + locator + data[end:]


def test_zip64_records_must_fit(tmp_path: Path) -> None:
    """S44: a zip64 end record is taken where it agrees, refused where length, place or counts do not."""
    data = raw_zip(Raw())
    assert opened(tmp_path, zip64(data)) == ()
    for bent in (zip64(data, length=50), zip64(data, at=3), zip64(data, count=2)):
        assert refused(tmp_path, bent)


def test_large_members_as_zipfile_writes_them(tmp_path: Path) -> None:
    """The standard library's zip64 members and streamed members are taken."""
    path = tmp_path / "written.zip"
    with path.open("wb") as file, zipfile.ZipFile(Unseekable(file), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("streamed.txt", b"x" * 1000)
        with archive.open("wide.txt", "w", force_zip64=True) as member:
            member.write(b"y" * 1000)
    assert opened(tmp_path, path.read_bytes()) == ()
    with zipfile.ZipFile(path, "w") as archive, archive.open("wide.txt", "w", force_zip64=True) as member:
        member.write(b"y" * 1000)
    assert opened(tmp_path, path.read_bytes()) == ()


class Unseekable(io.RawIOBase):
    """A pipe, as far as zipfile can tell."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self.file = file

    def writable(self) -> bool:
        """It can be written."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Pass it on."""
        return self.file.write(data)


@pytest.mark.parametrize("magic", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_data_descriptors_that_agree_are_taken(tmp_path: Path, magic: bool, wide: bool) -> None:
    """S44: streaming writers exist; their descriptors are taken where they say what the directory says."""
    streamed = Raw(flags=8, descriptor=descriptor(b"hello", magic=magic, wide=wide))
    assert opened(tmp_path, raw_zip(streamed, replace(streamed, name=b"b"))) == ()


@pytest.mark.parametrize("bent", [b"", b"x" * 12, descriptor(b"hellO"), descriptor(b"hello") + b"x"])
def test_data_descriptors_that_disagree_are_refused(tmp_path: Path, bent: bytes) -> None:
    """S44: a descriptor that is missing or says something else is refused."""
    assert "data descriptor" in refused(tmp_path, raw_zip(Raw(flags=8, descriptor=bent)))


def test_repeated_extra_fields_are_refused(tmp_path: Path) -> None:
    """S44: two zip64 fields, or a second name in a Unicode path field, give two readings."""
    wide = struct.pack("<HHQ", 1, 8, 5)
    assert "extra fields" in refused(tmp_path, raw_zip(Raw(extra=wide + wide)))
    path = struct.pack("<HHBL", 0x7075, 10, 1, zlib.crc32(b"a.txt"))
    assert opened(tmp_path, raw_zip(Raw(extra=path + b"a.txt"))) == ()
    assert "second name" in refused(tmp_path, raw_zip(Raw(extra=path + b"b.txt")))
    assert "extra fields" in refused(tmp_path, raw_zip(Raw(extra=b"\x01\x00\xff\x00")))


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 95, 99])
def test_other_methods_are_refused(tmp_path: Path, method: int) -> None:
    """S45: only stored and deflated members are taken."""
    assert f"method {method}" in refused(tmp_path, raw_zip(Raw(method=method)))


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x20, 0x2000])
def test_encryption_and_unknown_flags_are_refused(tmp_path: Path, flags: int) -> None:
    """S45: encrypted, patched or masked members are refused."""
    assert refused(tmp_path, raw_zip(Raw(flags=flags)))


def test_members_for_newer_readers_are_refused(tmp_path: Path) -> None:
    """S45: a member that says it needs a later version of the format than installers read is refused."""
    data = bytearray(raw_zip(Raw()))
    needed = data.index(b"PK\x01\x02") + 6
    data[needed] = 63
    assert opened(tmp_path, bytes(data)) == ()
    data[needed] = 64
    assert "newer reader" in refused(tmp_path, bytes(data))


def test_several_disks_are_refused(tmp_path: Path) -> None:
    """S45: a member on another disk, or an end record of another, is refused."""
    assert "disk" in refused(tmp_path, raw_zip(Raw(disk=1)))
    data = bytearray(raw_zip(Raw()))
    data[data.rindex(END) + 4] = 1
    assert "disks" in refused(tmp_path, bytes(data))


@pytest.mark.parametrize(
    "name",
    [
        b"../x",
        b"a/../../x",
        b"a/..",
        b"/etc/passwd",
        b"C:/x",
        b"c:x",
        b"a\\b",
        b"a\x00b",
        b"a\nb",
        b"\x7f",
        b"",
        b"a" * 5000,
    ],
)
def test_bad_member_names_are_refused(tmp_path: Path, name: bytes) -> None:
    """S46: no name leads out of the archive or cannot be shown."""
    assert "member" in refused(tmp_path, raw_zip(Raw(name=name)))


def test_names_must_be_utf8(tmp_path: Path) -> None:
    """S46: names are ASCII, or UTF-8 and marked as such."""
    name = "grüße".encode()
    assert opened(tmp_path, raw_zip(Raw(name=name, flags=0x800))) == ()
    assert "UTF-8" in refused(tmp_path, raw_zip(Raw(name=name)))
    assert "UTF-8" in refused(tmp_path, raw_zip(Raw(name="grüße".encode("latin-1"), flags=0x800)))


@pytest.mark.parametrize("names", [("a.py", "A.py"), ("gr\u00fc\u00dfe", "gru\u0308sse")])
def test_names_that_clash_elsewhere_are_told(tmp_path: Path, names: tuple[str, str]) -> None:
    """S47: names that are one file on macOS or Windows give a warning."""
    (warning,) = opened(tmp_path, raw_zip(*(Raw(name=name.encode(), flags=0x800) for name in names)))
    assert "macOS" in warning


def test_symlinks_are_refused(tmp_path: Path) -> None:
    """S48: a symbolic link among the members is refused."""
    assert "symbolic link" in refused(tmp_path, raw_zip(Raw(data=b"/etc/passwd", attributes=0o120777 << 16)))


def test_bombs_are_refused_by_their_declared_size(tmp_path: Path) -> None:
    """S49: more than 64 MiB at a ratio of more than 50 is refused before anything is inflated."""
    bomb = zip_bytes({"zeros": bytes(70 << 20)})
    started = time.perf_counter()
    assert "bomb" in refused(tmp_path, bomb)
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize("size", [10, 4_999, 5_001])
def test_sizes_that_lie_are_found_while_reading(tmp_path: Path, size: int) -> None:
    """S49: real bytes are counted; a member that inflates to more or less than declared is refused."""
    assert "declared" in refused(tmp_path, raw_zip(Raw(method=8, data=b"x" * 5000, size=size)))


def test_a_lying_bomb_stops_at_its_declared_size(tmp_path: Path) -> None:
    """S49: a member declared as small costs only what it declared."""
    data = raw_zip(Raw(method=8, data=bytes(60 << 20), size=10))
    started = time.perf_counter()
    assert "declared" in refused(tmp_path, data)
    assert time.perf_counter() - started < 0.1


def test_wrong_checksums_and_trailing_deflate_data_are_refused(tmp_path: Path) -> None:
    """S42: the bytes must have the declared checksum, and the compressed stream must end where it says."""
    data = bytearray(raw_zip(Raw()))
    data[data.index(b"hello")] = ord("j")
    assert "checksum" in refused(tmp_path, bytes(data))
    whole = raw_zip(Raw(method=8, data=b"x" * 500))
    packed = struct.unpack_from("<L", whole, 18)[0]
    inside = 30 + 5
    swapped = whole[:inside] + b"\x03\x00" + b"\x00" * (packed - 2) + whole[inside + packed :]
    assert "declared" in refused(tmp_path, swapped)


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """S49: two entries that share bytes, as in quine bombs, are refused."""
    data = bytearray(raw_zip(Raw(name=b"a"), Raw(name=b"b")))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    assert "overlaps" in refused(tmp_path, bytes(data))
    inside = raw_zip(Raw(name=b"in"))
    data = bytearray(raw_zip(Raw(name=b"out", data=inside[: inside.index(b"PK\x01\x02")]), Raw(name=b"in")))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<L", 30 + 3)
    assert "overlaps" in refused(tmp_path, bytes(data))


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    """S49: more than 100,000 members are refused by their count."""
    data = zip64(raw_zip(Raw(), count=0xFFFF), count=100_001)
    assert "100,000" in refused(tmp_path, data)


def test_contents_are_listed_and_read(tmp_path: Path) -> None:
    """Members can be listed with their sizes and read within a limit, from wheels and zip sdists."""
    path = build_wheel(tmp_path, files={"sample/data.txt": b"x" * 1000})
    members = list_members(path, path.name)
    assert members[0].name == "sample/data.txt"
    assert members[0].size == 1000
    assert members[0].compressed_size is not None
    assert read_member(path, path.name, "sample/data.txt", 1000) == b"x" * 1000
    with pytest.raises(TooLarge):
        read_member(path, path.name, "sample/data.txt", 999)
    with pytest.raises(NotFound):
        read_member(path, path.name, "sample/nothing", 999)
    sdist = build_sdist(tmp_path, extension=".zip", files={"a": b"1"})
    assert Member("sample-1.0/a", 1, 3) in list_members(sdist, sdist.name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_damage_is_taken_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever bytes of a wheel are changed or cut, it is read or refused by our own class."""
    whole = bytearray(wheel_bytes())
    changes: list[tuple[int, int]] = data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4)
    )
    for at, value in changes:
        whole[at] = value
    cut = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    sentence = ""
    try:
        opened(tmp_path, bytes(whole[:cut]))
    except Invalid as refusal:
        sentence = refusal.sentence
    assert sentence.isascii()
