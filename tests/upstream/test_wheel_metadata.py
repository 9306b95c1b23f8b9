"""Core metadata of upstreams' files: theirs, or made here from as little of a wheel as that takes."""

from __future__ import annotations

import logging
import struct
import zipfile
from collections.abc import Callable

import pytest

from errors import UnknownFile, UpstreamFailed
from tests.factory import core_metadata, wheel_members, zip_bytes
from tests.upstream.conftest import DEMO, FILE, WHEEL, Room, a_wheel, incompressible, taken_in
from tests.upstream.fake_upstream import FakeFile, FakeUpstream

THEIRS = b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\nSummary: as the upstream has it\n"
METADATA = f"{FILE}.metadata"


def own(version: str = "1.0") -> bytes:
    """The METADATA inside the wheels of these tests."""
    return core_metadata("demo-pkg", version).encode()


@pytest.fixture
def offering(upstream: FakeUpstream) -> FakeFile:
    """A wheel beside which the upstream has core metadata."""
    wheel = a_wheel(metadata=THEIRS)
    upstream.add(DEMO, wheel)
    return wheel


@pytest.fixture
def bare(upstream: FakeUpstream) -> FakeFile:
    """A wheel of a megabyte without core metadata beside it."""
    wheel = a_wheel(padding=1_000_000)
    upstream.add(DEMO, wheel)
    return wheel


def test_what_the_upstream_has_is_verified_and_kept(room: Room, upstream: FakeUpstream, offering: FakeFile) -> None:
    """One request for it, and none for the wheel."""
    for _ in range(2):
        assert room.source().core_metadata(DEMO, WHEEL) == THEIRS
    assert upstream.paths("/files/.*") == [METADATA]


def test_s130_other_metadata_than_promised_is_not_kept(
    room: Room, upstream: FakeUpstream, offering: FakeFile, caplog: pytest.LogCaptureFixture
) -> None:
    """503, an entry in the log, and the truth when it comes."""
    upstream.misbehave(METADATA, body=THEIRS + b"Requires-Dist: evil\n")
    with pytest.raises(UpstreamFailed, match="other bytes than its page says"):
        room.source().core_metadata(DEMO, WHEEL)
    assert any(entry.levelno == logging.ERROR for entry in caplog.records)
    upstream.behave()
    assert room.source().core_metadata(DEMO, WHEEL) == THEIRS


def test_metadata_that_is_too_large_is_not_read_to_its_end(
    make_room: Callable[..., Room], upstream: FakeUpstream, offering: FakeFile
) -> None:
    """Whatever its length is said to be."""
    room = make_room(metadata_bytes=1000)
    upstream.misbehave(METADATA, body=b"x" * 2000)
    with pytest.raises(UpstreamFailed, match="more than 1,000 bytes"):
        room.source().core_metadata(DEMO, WHEEL)


def test_metadata_that_is_offered_and_not_there_is_made(room: Room, upstream: FakeUpstream, offering: FakeFile) -> None:
    """Installers give up over a promise that is not kept."""
    upstream.misbehave(METADATA, status=404)
    assert room.source().core_metadata(DEMO, WHEEL) == own()


def test_metadata_is_made_from_a_small_part_of_a_wheel(room: Room, upstream: FakeUpstream, bare: FakeFile) -> None:
    """Its end and the one member; the wheel itself is not taken in."""
    assert room.source().core_metadata(DEMO, WHEEL) == own()
    asked = [one.headers["Range"] for one in upstream.asked if one.path == FILE]
    assert 1 <= len(asked) <= 2
    sizes = [int(last) - int(first) + 1 for first, last in (one.removeprefix("bytes=").split("-") for one in asked)]
    assert sum(sizes) <= 140_000
    assert room.taken == []
    assert room.source().core_metadata(DEMO, WHEEL) == own()
    assert len(upstream.paths("/files/.*")) == len(asked)


def test_the_size_that_ranges_need_is_asked_for_where_no_page_tells_it(
    room: Room, upstream: FakeUpstream, bare: FakeFile
) -> None:
    """HTML pages tell none."""
    upstream.html_only = True
    assert room.source().core_metadata(DEMO, WHEEL) == own()
    assert room.taken == []


def test_without_ranges_the_whole_wheel_is_taken_in(room: Room, upstream: FakeUpstream, bare: FakeFile) -> None:
    """It is wanted next anyway, and then is here."""
    upstream.ranges = False
    assert room.source().core_metadata(DEMO, WHEEL) == own()
    assert [taken.filename for taken in room.taken] == [WHEEL]
    before = len(upstream.asked)
    assert taken_in(room.source())[1] == bare.content
    assert len(upstream.asked) == before


def test_a_wheel_that_is_here_is_asked_for_nothing(room: Room, upstream: FakeUpstream, bare: FakeFile) -> None:
    """Its metadata is read from it."""
    taken_in(room.source())
    assert room.source().core_metadata(DEMO, WHEEL) == own()
    assert upstream.paths("/files/.*") == [FILE]


def test_what_was_made_from_a_part_stands_only_until_the_whole_is_here(
    room: Room, upstream: FakeUpstream, bare: FakeFile, caplog: pytest.LogCaptureFixture
) -> None:
    """No digest covers a part, so a lie there does not outlive the wheel; the log tells of it."""
    lie = zip_bytes(
        wheel_members("demo-pkg", "1.0", files={"data.bin": incompressible(1_000_000)}, metadata=THEIRS.decode())
    )
    upstream.misbehave(FILE, status=206, body=lie[-(1 << 16) :], headers=_content_range(bare, 1 << 16))
    assert room.source().core_metadata(DEMO, WHEEL) == THEIRS
    upstream.behave()
    taken_in(room.source())
    for _ in range(2):
        assert room.source().core_metadata(DEMO, WHEEL) == own()
    assert [entry.levelno for entry in caplog.records if "in a part of" in entry.getMessage()] == [logging.ERROR]


def _content_range(wheel: FakeFile, length: int) -> dict[str, str]:
    size = len(wheel.content)
    return {"Content-Range": f"bytes {size - length}-{size - 1}/{size}"}


def test_another_range_than_was_asked_for_is_not_taken(room: Room, upstream: FakeUpstream, bare: FakeFile) -> None:
    """The whole wheel is fetched then."""
    size = len(bare.content)
    upstream.misbehave(FILE, status=206, body=b"x" * 10, headers={"Content-Range": f"bytes 0-9/{size}"})
    with pytest.raises(UpstreamFailed):
        room.source().core_metadata(DEMO, WHEEL)
    assert upstream.paths("/files/.*") == [FILE, FILE]


def test_an_sdist_has_metadata_only_where_the_upstream_says_so(room: Room, upstream: FakeUpstream) -> None:
    """It is not made from an archive that has to be read from its start."""
    upstream.add(DEMO, FakeFile("demo_pkg-1.0.tar.gz", b"sdist"), FakeFile("demo_pkg-2.0.tar.gz", b"2", {}, THEIRS))
    source = room.source()
    assert source.core_metadata(DEMO, "demo_pkg-2.0.tar.gz") == THEIRS
    with pytest.raises(UnknownFile):
        source.core_metadata(DEMO, "demo_pkg-1.0.tar.gz")
    old, new = source.project_detail(DEMO).files
    assert old.core_metadata is None
    assert new.core_metadata


def test_without_a_digest_on_the_page_only_the_whole_wheel_tells(room: Room, upstream: FakeUpstream) -> None:
    """What belongs to a file is kept under its digest, which is learnt from all of it."""
    upstream.projects[DEMO].files[0].extra = {"hashes": {}}
    assert room.source().core_metadata(DEMO, WHEEL) == own()
    assert room.source().core_metadata(DEMO, WHEEL) == own()
    assert upstream.paths("/files/.*") == [FILE]


NO_WHEELS = {
    "no zip": b"x" * 1000,
    "no metadata": zip_bytes({"demo_pkg/__init__.py": b""}),
    "another's metadata": zip_bytes({"other-1.0.dist-info/METADATA": b"Name: other\n"}),
    "a method of its own": zip_bytes(
        {"demo_pkg-1.0.dist-info/METADATA": b"Name: demo-pkg\n"}, compression=zipfile.ZIP_LZMA
    ),
    "a bomb": zip_bytes({"demo_pkg-1.0.dist-info/METADATA": b"x" * (11 << 20)}),
}


@pytest.mark.parametrize("body", NO_WHEELS.values(), ids=NO_WHEELS.keys())
def test_a_wheel_that_is_none_has_no_metadata(room: Room, upstream: FakeUpstream, body: bytes) -> None:
    """Nor does it do harm: the table of contents and the member are bounded."""
    upstream.add(DEMO, FakeFile(WHEEL, body))
    with pytest.raises(UnknownFile):
        room.source().core_metadata(DEMO, WHEEL)


def test_a_table_of_contents_that_is_too_large_is_not_read(room: Room, upstream: FakeUpstream) -> None:
    """The end of a zip may say that 40 MB of names stand before it."""
    size = 40 << 20
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFE, 0xFFFE, size, 0, 0)
    upstream.add(DEMO, FakeFile(WHEEL, b"PK\x01\x02" * (size // 4) + end))
    with pytest.raises(UnknownFile):
        room.source().core_metadata(DEMO, WHEEL)
    assert room.taken == []
