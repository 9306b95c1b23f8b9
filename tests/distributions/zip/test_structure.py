"""A zip has one reading, from the first byte to the last, or is refused."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from errors import Invalid
from tests.distributions.zip.raw_zip import END, Raw, descriptor, opened, raw_zip, refused, zip64
from tests.factory import compressed, wheel_bytes


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


def test_several_disks_are_refused(tmp_path: Path) -> None:
    """S45: a member on another disk, or an end record of another, is refused."""
    assert "disk" in refused(tmp_path, raw_zip(Raw(disk=1)))
    data = bytearray(raw_zip(Raw()))
    data[data.rindex(END) + 4] = 1
    assert "disks" in refused(tmp_path, bytes(data))


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
