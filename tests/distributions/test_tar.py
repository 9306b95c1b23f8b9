"""Tests of distributions.tar_structure: tars are read forward, counted, and never extracted."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distributions import members
from distributions.archives import Member
from distributions.tar_structure import open_tar
from errors import Invalid, InvalidArchive, TooLarge
from tests.distributions.inside import bytes_in, members_of
from tests.factory import build_sdist, compressed, sdist_bytes, tar_bytes, zip_bytes

NAME = "sample-1.0.tar.gz"


def opened(directory: Path, data: bytes, extension: str = ".tar.gz") -> list[str]:
    """The warnings of a tar that is read to its end."""
    path = directory / "file"
    path.write_bytes(data)
    with open_tar(path, NAME, extension) as walk:
        for member in walk:
            sum(len(chunk) for chunk in member.chunks())
        return walk.warnings


def refused(directory: Path, data: bytes, extension: str = ".tar.gz") -> str:
    """The sentence with which a tar is refused, within a second."""
    started = time.perf_counter()
    with pytest.raises(InvalidArchive) as caught:
        opened(directory, data, extension)
    assert time.perf_counter() - started < 2
    assert caught.value.sentence.isascii()
    return caught.value.sentence


def special(name: str, kind: bytes, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """A member that is no file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def with_members(**members: bytes | tarfile.TarInfo) -> bytes:
    """A tar.gz of one file and these members."""
    found: Mapping[str, bytes | tarfile.TarInfo] = {"top/a.txt": b"hello", **members}
    return tar_bytes(found)


def plain_tar(name: str = "top/a.txt", content: bytes = b"hello") -> bytearray:
    """A tar of one file, not compressed."""
    return bytearray(gzip.decompress(tar_bytes({name: content})))


def resealed(tar: bytearray, at: int = 0) -> bytes:
    """The tar with the checksum of the header at ``at`` made right again, compressed."""
    tar[at + 148 : at + 156] = b"        "
    tar[at + 148 : at + 156] = b"%06o\x00 " % sum(tar[at : at + 512])
    return compressed(bytes(tar))


@pytest.mark.parametrize(
    ("extension", "form"), [(".tar.gz", "gz"), (".tgz", "gz"), (".tar.bz2", "bz2"), (".tar.xz", "xz")]
)
def test_sound_tars_are_taken(tmp_path: Path, extension: str, form: str) -> None:
    """Each form is read to its end without a warning, files larger than a buffer too."""
    content = bytes(range(256)) * 4096
    data = tar_bytes({"top/a": content, "top/b": b"", "top/" + "n" * 200: b"x"}, compression=form)
    assert opened(tmp_path, data, extension) == []


def test_contents_are_listed_and_read(tmp_path: Path) -> None:
    """Members can be listed with their sizes and read within a limit."""
    path = build_sdist(tmp_path, files={"a": b"12345"})
    assert Member("sample-1.0/a", 5) in members_of(path)
    assert bytes_in(path, "sample-1.0/a", 5) == b"12345"
    with pytest.raises(TooLarge):
        bytes_in(path, "sample-1.0/a", 4)


@pytest.mark.parametrize("extension", [".tar.gz", ".tar.bz2", ".tar.xz"])
@pytest.mark.parametrize("data", [b"not a tar", b"", b"\x1f\x8b", bytes(plain_tar())])
def test_what_is_not_compressed_is_refused(tmp_path: Path, data: bytes, extension: str) -> None:
    """S40: something else under an sdist's name is refused."""
    assert refused(tmp_path, data, extension)


@pytest.mark.parametrize("form", ["gz", "bz2", "xz"])
def test_compressed_things_that_are_no_tar_are_refused(tmp_path: Path, form: str) -> None:
    """S40: a compressed text, and a compressed nothing, are no tar."""
    for content in (b"", b"hello", b"x" * 5000):
        assert refused(tmp_path, compressed(content, form), f".tar.{form}")


def test_a_file_that_is_zip_and_tar_is_refused(tmp_path: Path) -> None:
    """S40: a tar.gz with a zip behind it, or inside its gzip header, is refused."""
    data, extra = sdist_bytes(), zip_bytes({"a": b"b"})
    assert "both a zip and a tar" in refused(tmp_path, data + extra)
    header = data[:3] + b"\x04" + data[4:10] + len(extra).to_bytes(2, "little") + extra  # FEXTRA
    assert opened(tmp_path, data[:3] + b"\x04" + data[4:10] + b"\x01\x00x" + data[10:]) == []
    assert "both a zip and a tar" in refused(tmp_path, header + data[10:])


def test_bombs_are_stopped_while_they_unpack(tmp_path: Path) -> None:
    """S50: more than 64 MiB and 50 times the file is refused when it is reached."""
    info = tarfile.TarInfo("top/zeros")
    info.size = 70 << 20
    assert "bomb" in refused(tmp_path, gzip.compress(info.tobuf() + bytes(info.size + 1024), 1))


@pytest.mark.parametrize("form", ["gz", "bz2", "xz"])
def test_bombs_of_every_form_are_stopped(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S50: the count is kept for each form, and where the bytes lie behind the tar's end."""
    monkeypatch.setattr(members, "BOMB_SIZE", 1 << 20)
    sound = tar_bytes({"top/a": bytes(1000 << 10)}, compression=form)
    assert opened(tmp_path, sound, f".tar.{form}") == []
    assert "bomb" in refused(tmp_path, tar_bytes({"top/a": bytes(2 << 20)}, compression=form), f".tar.{form}")
    behind = compressed(bytes(plain_tar()) + bytes(2 << 20), form)
    assert "bomb" in refused(tmp_path, behind, f".tar.{form}")


def test_an_xz_may_not_ask_for_much_memory(tmp_path: Path) -> None:
    """S50: an xz with a dictionary of 1 GiB is refused before the memory is taken."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    data = bytearray(lzma.compress(bytes(plain_tar()), filters=filters))
    assert opened(tmp_path, bytes(data), ".tar.xz") == []
    at = data.index(b"\x21\x01") + 2  # the dictionary's size in the block header, sealed by a CRC
    data[at] = 36
    header = data[12 : 12 + (data[12] + 1) * 4 - 4]
    import zlib

    data[12 + len(header) : 16 + len(header)] = zlib.crc32(bytes(header)).to_bytes(4, "little")
    assert "emory" in refused(tmp_path, bytes(data), ".tar.xz")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("link", ["/etc/passwd", "../../etc/passwd", "../other/x", "a/../../../x", "C:/x", "..\\x", ""])
def test_links_that_lead_out_are_refused(tmp_path: Path, kind: bytes, link: str) -> None:
    """S51: no link is absolute or leaves the top directory."""
    assert "link" in refused(tmp_path, with_members(link=special("top/link", kind, link)))


def test_links_that_stay_inside_are_taken(tmp_path: Path) -> None:
    """S51: links within the top directory are ordinary in sdists."""
    data = with_members(
        one=special("top/b/link", tarfile.SYMTYPE, "../a.txt"), two=special("top/h", tarfile.LNKTYPE, "top/a.txt")
    )
    assert opened(tmp_path, data) == []


def test_members_behind_a_link_are_refused(tmp_path: Path) -> None:
    """S51: a member, or the target of a link, behind a link to a folder may come to lie anywhere."""
    folder = special("top/d", tarfile.SYMTYPE, "x")
    inside = tarfile.TarInfo("top/d/evil")
    assert "behind the link" in refused(tmp_path, with_members(a=folder, b=inside))
    escape = special("top/e", tarfile.SYMTYPE, "d/../../x")
    assert refused(tmp_path, with_members(a=folder, b=escape))
    sly = special("top/e", tarfile.SYMTYPE, "q/../d/y/../z")
    assert "behind the link" in refused(tmp_path, with_members(a=folder, b=sly))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"])
def test_devices_and_unknown_kinds_are_refused(tmp_path: Path, kind: bytes) -> None:
    """S51: devices, FIFOs and kinds that nobody knows are refused."""
    assert "device" in refused(tmp_path, with_members(x=special("top/x", kind)))


def test_sparse_members_are_refused(tmp_path: Path) -> None:
    """S51: sparse members are refused, in GNU's old form and in pax's."""
    old = special("top/x", tarfile.GNUTYPE_SPARSE)
    assert "sparse" in refused(tmp_path, with_members(x=old))
    pax = tarfile.TarInfo("top/x")
    pax.pax_headers = {"GNU.sparse.size": "1000", "GNU.sparse.map": "0,1"}
    assert "sparse" in refused(tmp_path, with_members(x=pax))


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6755])
def test_setuid_files_are_refused(tmp_path: Path, mode: int) -> None:
    """S51: no member asks to run as somebody else."""
    assert "setuid" in refused(tmp_path, with_members(x=special("top/x", tarfile.REGTYPE, mode=mode)))


def test_folders_may_have_the_group_bit(tmp_path: Path) -> None:
    """The group bit of a folder comes from shared machines and means nothing here."""
    assert opened(tmp_path, with_members(x=special("top/x", tarfile.DIRTYPE, mode=0o2755))) == []


def test_two_top_directories_are_refused(tmp_path: Path) -> None:
    """S52: an sdist has exactly one top directory."""
    assert "two top directories" in refused(tmp_path, tar_bytes({"one/a": b"", "two/a": b""}))


def test_names_may_begin_with_a_dot_and_slash(tmp_path: Path) -> None:
    """`tar c ./name` writes such names; they are the same names."""
    data = tar_bytes({"./": special("./", tarfile.DIRTYPE), "./top/a": b"", "top/b": b""})
    path = tmp_path / NAME
    path.write_bytes(data)
    assert [member.name for member in members_of(path)] == ["top/a", "top/b"]


@pytest.mark.parametrize("name", ["top/../x", "/top/x", "top\\x", "C:/x", "top/a\nb", "top/\udcff"])
def test_bad_member_names_are_refused(tmp_path: Path, name: str) -> None:
    """S46, S51: no name leads out of the archive or cannot be shown."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo(name))
    assert "member" in refused(tmp_path, data.getvalue())


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    """S41: which of two files of one name counts depends on the reader."""
    assert "twice" in refused(tmp_path, with_members(x=special("top/a.txt", tarfile.REGTYPE)))


@pytest.mark.parametrize(
    "size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"\xff" * 11 + b"\x00", b"-0000000001\x00", b"zzzz" * 3]
)
def test_impossible_sizes_are_refused(tmp_path: Path, size: bytes) -> None:
    """S53: negative, overflowing and unreadable sizes end in a refusal, never in a loop."""
    tar = plain_tar()
    tar[124:136] = size
    assert refused(tmp_path, resealed(tar))


def test_impossible_sizes_behind_the_first_member_are_refused(tmp_path: Path) -> None:
    """S53: the same for a later header, which tarfile alone would take for the end."""
    tar = bytearray(gzip.decompress(tar_bytes({"top/a": b"x" * 600, "top/b": b"y"})))
    size = tar[1536 + 124 : 1536 + 136]
    tar[1536 + 124 : 1536 + 136] = b"\xff" * 12
    assert refused(tmp_path, resealed(tar, 1536))
    tar[1536 + 124 : 1536 + 136] = size
    tar[1536 + 148 : 1536 + 156] = b"garbage!"
    assert "damaged near byte" in refused(tmp_path, compressed(bytes(tar)))


def pax_header(records: bytes, kind: bytes = b"x") -> bytes:
    """An extended header with these records, as blocks."""
    info = tarfile.TarInfo("PaxHeaders/x")
    info.type, info.size = kind, len(records)
    return info.tobuf(tarfile.USTAR_FORMAT) + records.ljust(-(-len(records) // 512) * 512, b"\0")


def before_member(headers: bytes, size: int = 0, content: bytes = b"") -> bytes:
    """A tar.gz whose second member, of ``size`` bytes by its own header, stands behind these headers."""
    info = tarfile.TarInfo("top/blob")
    info.size = size
    whole = bytes(plain_tar()[:1024]) + headers + info.tobuf(tarfile.USTAR_FORMAT) + content
    return compressed(whole + bytes(1024))


def test_two_sizes_of_one_member_are_refused(tmp_path: Path) -> None:
    """CVE-2025-62518: readers that take the other size would find a header inside the member."""
    hidden = tarfile.TarInfo("top/setup.py").tobuf(tarfile.USTAR_FORMAT) + bytes(512)
    said = b"13 size=1024\n"
    assert "by its pax header" in refused(tmp_path, before_member(pax_header(said), 0, hidden))
    assert "by its pax header" in refused(tmp_path, before_member(pax_header(b"10 size=0\n"), 1024, b""))
    twice = pax_header(said + b"10 size=0\n")
    assert "more than one member's size" in refused(tmp_path, before_member(twice, 0, hidden))
    assert "more than one member's size" in refused(tmp_path, before_member(pax_header(said, b"g"), 1024, hidden))
    chained = pax_header(b"10 size=0\n") + pax_header(said)
    assert "two extended headers" in refused(tmp_path, before_member(chained, 0, hidden))
    assert opened(tmp_path, before_member(pax_header(said), 1024, hidden)) == []


@pytest.mark.parametrize("kind", [b"x", b"X", b"g", b"L", b"K"])
@pytest.mark.parametrize("size", [b"\xff" * 12, b"\xff" * 10 + b"\xfe\x00", b"-0000000001\0", b"+0000000000\0"])
def test_headers_of_negative_size_are_refused(tmp_path: Path, kind: bytes, size: bytes) -> None:
    """What tarfile takes for an empty pax header or long name is read otherwise elsewhere."""
    tar = bytearray(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)) + plain_tar()
    tar[124:136] = size
    tar[156:157] = kind
    assert "size that cannot be" in refused(tmp_path, resealed(tar))


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_giant_headers_are_refused(tmp_path: Path, kind: bytes) -> None:
    """S53: a pax header or long name that claims a gigabyte is not read into memory."""
    tar = plain_tar()
    tar[124:136] = b"%011o\x00" % (1 << 30)
    tar[156:157] = kind
    assert "header" in refused(tmp_path, resealed(tar))


def test_endless_chains_of_headers_are_refused(tmp_path: Path) -> None:
    """S53: headers for headers for headers end in a refusal."""
    tar = plain_tar(content=b"")
    tar[124:136] = b"%011o\x00" % 0
    tar[156:157] = b"x"
    block = gzip.decompress(resealed(tar))[:512]
    assert refused(tmp_path, compressed(block * 5000))


@pytest.mark.parametrize(("extension", "form"), [(".tar.gz", "gz"), (".tar.bz2", "bz2"), (".tar.xz", "xz")])
def test_truncated_files_are_refused(tmp_path: Path, extension: str, form: str) -> None:
    """S53: a file that was cut off anywhere is refused."""
    import random

    content = random.Random(1).randbytes(3000)
    data = tar_bytes({"top/a": content, "top/b": content}, compression=form)
    for length in range(1, len(data), 97):
        assert refused(tmp_path, data[:length], extension)
    assert refused(tmp_path, data[:-1], extension)


def test_a_tar_cut_off_before_it_was_compressed_is_refused(tmp_path: Path) -> None:
    """S53: the gzip may be whole and the tar inside it not."""
    tar = bytes(plain_tar(content=b"x" * 2000))
    for length in (100, 600, 1000, 2500):
        assert refused(tmp_path, compressed(tar[:length]))


def test_a_missing_end_marker_is_told(tmp_path: Path) -> None:
    """Some old builders wrote no end marker: taken with a warning."""
    tar = bytes(plain_tar())
    assert opened(tmp_path, compressed(tar[:1024])) == ["The tar has no end marker."]


def test_data_after_the_end_is_refused(tmp_path: Path) -> None:
    """S43: nothing hides behind the end of the tar or of the gzip."""
    tar = bytes(plain_tar())
    assert "after its end" in refused(tmp_path, compressed(tar + b"hidden"))
    assert refused(tmp_path, compressed(tar) + b"hidden")
    assert refused(tmp_path, compressed(tar, "bz2") + b"hidden", ".tar.bz2")
    assert refused(tmp_path, compressed(tar, "xz") + b"hidden!!", ".tar.xz")


def test_a_wrong_checksum_of_the_gzip_is_refused(tmp_path: Path) -> None:
    """S53: the gzip's own checksum is looked at."""
    data = bytearray(sdist_bytes())
    data[-8] ^= 1
    assert "damaged" in refused(tmp_path, bytes(data))


def test_names_that_clash_elsewhere_are_told(tmp_path: Path) -> None:
    """S47: names that are one file on macOS or Windows give a warning."""
    (warning,) = opened(tmp_path, tar_bytes({"top/a": b"", "top/A": b""}))
    assert "macOS" in warning


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S49: the members of a tar are counted too."""
    monkeypatch.setattr(members, "MOST_MEMBERS", 10)
    assert opened(tmp_path, tar_bytes({f"top/{n}": b"" for n in range(10)})) == []
    assert "members" in refused(tmp_path, tar_bytes({f"top/{n}": b"" for n in range(11)}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_damage_is_taken_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever bytes of a tar are changed, before or after compression, it is read or refused by our own class."""
    whole = bytearray(gzip.decompress(sdist_bytes()))
    changes = data.draw(st.lists(st.tuples(st.integers(0, 2600), st.integers(0, 255)), max_size=6))
    for at, value in changes:
        whole[at] = value
    packed = bytearray(resealed(whole) if data.draw(st.booleans()) else compressed(bytes(whole)))
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(packed) - 1), st.integers(0, 255)), max_size=2)):
        packed[at] = value
    sentence = ""
    try:
        opened(tmp_path, bytes(packed))
    except Invalid as refusal:
        sentence = refusal.sentence
    assert sentence.isascii()
