"""Members are what installers everywhere can read, under names that are safe, in the sizes that they declare."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from distributions.archives import Member
from errors import TooLarge
from tests.distributions.inside import bytes_in, members_of
from tests.distributions.zip.raw_zip import Raw, opened, raw_zip, refused, zip64
from tests.factory import build_sdist, build_wheel, zip_bytes


@pytest.mark.parametrize("names", [(b"a", b"a"), (b"a/", b"a")])
def test_duplicate_names_are_refused(tmp_path: Path, names: tuple[bytes, bytes]) -> None:
    """S41: one name stands for one member."""
    members = [Raw(name=name, data=b"") for name in names]
    assert "twice" in refused(tmp_path, raw_zip(*members))


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


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    """S49: more than 100,000 members are refused by their count."""
    data = zip64(raw_zip(Raw(), count=0xFFFF), count=100_001)
    assert "100,000" in refused(tmp_path, data)


def test_contents_are_listed_and_read(tmp_path: Path) -> None:
    """Members can be listed with their sizes and read within a limit, from wheels and zip sdists."""
    path = build_wheel(tmp_path, files={"sample/data.txt": b"x" * 1000})
    members = members_of(path)
    assert members[0].name == "sample/data.txt"
    assert members[0].size == 1000
    assert members[0].compressed_size is not None
    assert bytes_in(path, "sample/data.txt", 1000) == b"x" * 1000
    with pytest.raises(TooLarge):
        bytes_in(path, "sample/data.txt", 999)
    sdist = build_sdist(tmp_path, extension=".zip", files={"a": b"1"})
    assert Member("sample-1.0/a", 1, 3) in members_of(sdist)
