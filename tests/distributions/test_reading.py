"""Tests of distributions.reading: filename, archive and metadata of wheels and sdists must fit each other."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distributions.reading import Distribution, read_distribution
from errors import Disagreement, Invalid, InvalidArchive, InvalidFilename, InvalidMetadata, StorageFailed
from tests.factory import (
    build_sdist,
    build_wheel,
    core_metadata,
    record_of,
    sdist_bytes,
    tar_bytes,
    wheel_bytes,
    wheel_members,
    zip_bytes,
)

WHEEL = "sample-1.0-py3-none-any.whl"
INFO = "sample-1.0.dist-info"


def read(directory: Path, data: bytes, filename: str = WHEEL) -> Distribution:
    """What these bytes are under this filename."""
    path = directory / "upload.tmp"
    path.write_bytes(data)
    return read_distribution(path, filename)


def refused(directory: Path, data: bytes, filename: str = WHEEL, kind: type[Invalid] = InvalidArchive) -> str:
    """The sentence with which they are refused."""
    with pytest.raises(kind) as caught:
        read(directory, data, filename)
    assert type(caught.value) is kind
    assert caught.value.sentence.isascii()
    return caught.value.sentence


def sealed(members: dict[str, bytes]) -> bytes:
    """A wheel of these members, with a RECORD that fits them."""
    rest = {name: content for name, content in members.items() if not name.endswith("/RECORD")}
    return zip_bytes({**rest, f"{INFO}/RECORD": record_of(rest, f"{INFO}/RECORD")})


def with_record(change: str, by: str) -> bytes:
    """A wheel whose RECORD is bent."""
    members = wheel_members()
    text = members[f"{INFO}/RECORD"].decode()
    assert change in text
    members[f"{INFO}/RECORD"] = text.replace(change, by).encode()
    return zip_bytes(members)


def test_a_wheel_is_read(tmp_path: Path) -> None:
    """A sound wheel gives its filename, size, metadata and the exact bytes of METADATA, without warnings."""
    path = build_wheel(tmp_path, "Some-Name".lower(), "2.0", requires_python=">=3.9", requires_dist=["a>1"], build="3")
    found = read_distribution(path, path.name)
    assert found.filename.project == "some-name"
    assert found.size == path.stat().st_size
    assert found.metadata.requires_dist == ("a>1",)
    assert (
        found.core_metadata
        == core_metadata("some-name", "2.0", requires_python=">=3.9", requires_dist=["a>1"]).encode()
    )
    assert found.warnings == ()


@pytest.mark.parametrize("extension", [".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip"])
def test_an_sdist_is_read(tmp_path: Path, extension: str) -> None:
    """A sound sdist of any form gives its PKG-INFO; forms of old days come with a warning."""
    path = build_sdist(tmp_path, extension=extension)
    found = read_distribution(path, path.name)
    assert found.core_metadata == core_metadata(metadata_version="2.2").encode()
    assert bool(found.warnings) is (extension != ".tar.gz")


def test_unreliable_sdists_serve_no_metadata(tmp_path: Path) -> None:
    """PEP 643: an sdist of metadata 2.1 is read, but its metadata is not served beside it."""
    path = build_sdist(tmp_path, metadata=core_metadata(metadata_version="2.1"))
    assert read_distribution(path, path.name).core_metadata is None


def test_what_factory_builds_is_always_the_same() -> None:
    """Tests may compare digests of what the factory builds."""
    assert hashlib.sha256(wheel_bytes()).digest() == hashlib.sha256(wheel_bytes()).digest()
    assert sdist_bytes() == sdist_bytes()


@pytest.mark.parametrize("filename", [WHEEL, "sample-1.0.tar.gz", "sample-1.0.zip"])
def test_empty_files_are_refused(tmp_path: Path, filename: str) -> None:
    """S19: a file without bytes is refused."""
    assert "is empty" in refused(tmp_path, b"", filename)


def test_the_filename_is_looked_at_first(tmp_path: Path) -> None:
    """A bad filename is refused before the file is opened; a file that is not there is our own trouble."""
    with pytest.raises(InvalidFilename):
        read_distribution(tmp_path / "nothing", "../x-1.0.tar.gz")
    with pytest.raises(StorageFailed):
        read_distribution(tmp_path / "nothing", WHEEL)
    with pytest.raises(InvalidFilename):
        read_distribution(tmp_path / "nothing", "Sample-1.0.zip", accept_legacy=False)


@pytest.mark.parametrize("data", [b"not an archive", sdist_bytes(), zip_bytes({"a": b"b"})])
def test_what_is_no_wheel_is_refused(tmp_path: Path, data: bytes) -> None:
    """S40: bytes of another kind under a wheel's name are refused."""
    refused(tmp_path, data)


@pytest.mark.parametrize(("name", "version"), [("other", "1.0"), ("sample", "99")])
def test_metadata_must_agree_with_the_filename(tmp_path: Path, name: str, version: str) -> None:
    """S29, S30: METADATA that names another project or version is refused, with both values."""
    text = core_metadata(name, version)
    sentence = refused(tmp_path, wheel_bytes(metadata=text), kind=Disagreement)
    assert (name if name != "sample" else version) in sentence
    assert WHEEL in sentence
    refused(tmp_path, sdist_bytes(metadata=text), "sample-1.0.tar.gz", Disagreement)


def test_other_spellings_agree(tmp_path: Path) -> None:
    """S27, S32: names agree when normalized, versions when equal."""
    assert read(tmp_path, wheel_bytes(metadata=core_metadata("Sample", "1.0.0"))).metadata.name == "Sample"
    members = wheel_members("Sample", "1.0")
    assert read(tmp_path, zip_bytes(members)).filename.project == "sample"


def test_the_second_reader_must_agree(tmp_path: Path) -> None:
    """What pkginfo reads as another name is refused: installers would differ too."""
    text = "Metadata-Version: 2.1\nVersion: 1.0\nName: sam\n ple\n"
    refused(tmp_path, wheel_bytes(metadata=text), kind=InvalidMetadata)


def test_members_that_look_like_metadata_do_not_mislead(tmp_path: Path) -> None:
    """Only METADATA in the .dist-info folder counts, however short another path with METADATA in it is."""
    other = core_metadata("requests", "99").encode()
    assert read(tmp_path, wheel_bytes(files={"METADATA": other})).metadata.name == "sample"


@pytest.mark.parametrize("name", ["WHEEL", "METADATA", "RECORD"])
def test_wheels_without_their_files_are_refused(tmp_path: Path, name: str) -> None:
    """S54: each of the three is required, and the path looked for is named."""
    members = wheel_members()
    del members[f"{INFO}/{name}"]
    assert f"{INFO}/{name}" in refused(tmp_path, zip_bytes(members))


def test_two_dist_info_folders_are_refused(tmp_path: Path) -> None:
    """S54: which of two counts depends on the reader."""
    members = {**wheel_members(), "other-1.0.dist-info/METADATA": b""}
    assert "exactly one folder" in refused(tmp_path, sealed(members))


@pytest.mark.parametrize(
    "name", ["sample-1.0.DIST-INFO/METADATA", "Sample-1.0.Dist-Info/x", f"{INFO}/metadata", f"{INFO}/Wheel"]
)
def test_a_dist_info_that_differs_in_case_only_is_refused(tmp_path: Path, name: str) -> None:
    """S54: on a disk that does not tell case apart the last one unpacked would count."""
    sentence = refused(tmp_path, sealed({**wheel_members(), name: b""}))
    folder = name.partition("/")[0]
    assert (f"'{name}' are one file" if folder == INFO else f"here are 2: '{folder}'") in sentence


@pytest.mark.parametrize(
    "folder", ["other-1.0.dist-info", "sample-2.0.dist-info", "sample.dist-info", "x-y-z.dist-info"]
)
def test_a_foreign_dist_info_folder_is_refused(tmp_path: Path, folder: str) -> None:
    """S54: the folder's name and version are the filename's."""
    assert INFO in refused(tmp_path, zip_bytes(wheel_members(dist_info=folder)))


def test_unlisted_members_are_refused(tmp_path: Path) -> None:
    """S55: a member that RECORD does not list is refused and named."""
    assert "'extra.py' is not listed" in refused(tmp_path, zip_bytes({"extra.py": b"", **wheel_members()}))


def test_listed_members_that_are_not_there_are_refused(tmp_path: Path) -> None:
    """S55: RECORD may not list what is not there; five are named, the others counted."""
    lines = "".join(f"gone{n}.py,sha256=AA,1\n" for n in range(7))
    sentence = refused(tmp_path, with_record("sample/", f"{lines}sample/"))
    assert sentence.count("listed but not there") == 5
    assert "and 2 more" in sentence


def test_wrong_hashes_are_refused(tmp_path: Path) -> None:
    """S55: a hash in RECORD that is not the member's is refused."""
    members = wheel_members()
    members["sample/__init__.py"] = b"answer = 43\n"
    assert "'sample/__init__.py' has another sha256" in refused(tmp_path, zip_bytes(members))


@pytest.mark.parametrize(
    ("change", "by"),
    [("sha256=", "md5="), ("sha256=", "sha1="), ("sha256=", "nonsense="), ("sha256=", "")],
)
def test_weak_and_missing_hashes_are_refused(tmp_path: Path, change: str, by: str) -> None:
    """S55: RECORD has sha256 or better for every file but itself."""
    assert "sha256 or better" in refused(tmp_path, with_record(change, by))


def test_wrong_sizes_and_doubled_lines_are_refused(tmp_path: Path) -> None:
    """S55: the size must fit where it is given, and each path stands once."""
    assert "12 bytes, not '13'" in refused(tmp_path, with_record(",12\n", ",13\n"))
    assert read(tmp_path, with_record(",12\n", ",\n")).warnings == ()
    line = next(line for line in wheel_members()[f"{INFO}/RECORD"].decode().splitlines() if "__init__" in line)
    assert "twice" in refused(tmp_path, with_record(line, f"{line}\n{line}"))


def test_signatures_need_no_line(tmp_path: Path) -> None:
    """S55: RECORD.jws and RECORD.p7s are exempt, as RECORD itself and folders are."""
    members = {**wheel_members(), f"{INFO}/RECORD.jws": b"{}", f"{INFO}/RECORD.p7s": b"", "sample/folder/": b""}
    assert read(tmp_path, zip_bytes(members)).warnings == ()


@pytest.mark.parametrize("raw", [b"\xff\xfe", b'"open', b"a,b,c\r" * 3, b"x" * 200_000])
def test_unreadable_records_are_refused(tmp_path: Path, raw: bytes) -> None:
    """S55: a RECORD that is no CSV of UTF-8 is refused."""
    refused(tmp_path, zip_bytes({**wheel_members(), f"{INFO}/RECORD": raw}))


def test_hashes_in_hexadecimal_are_taken_with_a_warning(tmp_path: Path) -> None:
    """S55: some real wheels write hexadecimal; the hash is compared all the same."""
    members = wheel_members()
    lines = [f"{name},sha256={hashlib.sha256(content).hexdigest()},\n" for name, content in members.items()]
    members[f"{INFO}/RECORD"] = "".join(line for line in lines if "/RECORD," not in line).encode()
    assert "hashes" in read(tmp_path, zip_bytes(members)).warnings[0]


def test_large_metadata_is_refused(tmp_path: Path) -> None:
    """S56: METADATA and PKG-INFO of more than 1 MiB are refused."""
    refused(tmp_path, wheel_bytes(description="x" * (1 << 20)), kind=InvalidMetadata)
    long = core_metadata(metadata_version="2.2", description="x" * (1 << 20))
    refused(tmp_path, sdist_bytes(metadata=long), "sample-1.0.tar.gz", InvalidMetadata)
    refused(tmp_path, sdist_bytes(metadata=long, extension=".zip"), "sample-1.0.zip", InvalidMetadata)


@pytest.mark.parametrize("version", ["0.9", "2.0", "", "banana"])
def test_unknown_wheel_versions_are_refused(tmp_path: Path, version: str) -> None:
    """A wheel of another major format version cannot be installed."""
    members = wheel_members()
    members[f"{INFO}/WHEEL"] = f"Wheel-Version: {version}\nTag: py3-none-any\n".encode()
    assert "Wheel-Version" in refused(tmp_path, sealed(members))


def test_other_tags_inside_give_a_warning(tmp_path: Path) -> None:
    """Tags of WHEEL and of the filename should be the same; renamed wheels exist."""
    assert "has others" in read(tmp_path, wheel_bytes(tag="py2-none-any")).warnings[0]


@pytest.mark.parametrize("tag", ["cp311-cp311-linux_x86_64", "cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64"])
def test_platform_wheels_are_taken(tmp_path: Path, tag: str) -> None:
    """A private index takes wheels for plain Linux and of local versions."""
    path = build_wheel(tmp_path, version="1.0+local.1", tag=tag)
    assert read_distribution(path, path.name).warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\n../x = a:b\n",
        "[gui_scripts]\na/b = a:b\n",
        "no section = 1\n",
        "[x",
        "[console_scripts]\n.. = a:b",
    ],
)
def test_bad_entry_points_are_refused(tmp_path: Path, text: str) -> None:
    """S58: scripts get no paths, and the file is INI."""
    members = {f"{INFO}/entry_points.txt": text.encode(), **wheel_members()}
    assert "entry_points.txt" in refused(tmp_path, sealed(members))


def test_good_entry_points_are_taken(tmp_path: Path) -> None:
    """S58: ordinary scripts and entry points of any other group are taken."""
    text = "[console_scripts]\nmy-tool.py = a:b [extra]\n\n[other.group]\nany/thing at all: x = a:b\n"
    assert read(tmp_path, sealed({f"{INFO}/entry_points.txt": text.encode(), **wheel_members()})).warnings == ()


@pytest.mark.parametrize("name", ["evil.pth", "json/__init__.py", "os.py"])
def test_striking_members_give_a_warning(tmp_path: Path, name: str) -> None:
    """S58: files that run at every start of Python, or hide its own modules, are told."""
    assert "installs" in read(tmp_path, wheel_bytes(files={name: b"import os\n"})).warnings[0]


def test_missing_licence_files_give_a_warning(tmp_path: Path) -> None:
    """PEP 639: licence files that the metadata names should be there."""
    text = core_metadata(metadata_version="2.4", extra_headers=["License-File: LICENSE"])
    assert "LICENSE" in read(tmp_path, wheel_bytes(metadata=text)).warnings[0]
    there = wheel_bytes(metadata=text, files={f"{INFO}/licenses/LICENSE": b"Do what you like."})
    assert read(tmp_path, there).warnings == ()
    assert "LICENSE" in read(tmp_path, sdist_bytes(metadata=text), "sample-1.0.tar.gz").warnings[0]


@pytest.mark.parametrize("extension", [".tar.gz", ".zip"])
@pytest.mark.parametrize("top", ["other-1.0", "sample-2.0", "sample", "1.0"])
def test_a_foreign_top_directory_is_refused(tmp_path: Path, top: str, extension: str) -> None:
    """S52: the top directory's name and version are the filename's."""
    data = sdist_bytes(top=top, extension=extension)
    assert "'sample-1.0'" in refused(tmp_path, data, f"sample-1.0{extension}")


def test_old_spellings_of_the_top_directory_are_taken(tmp_path: Path) -> None:
    """S52: the top directory is compared as names and versions are, not letter by letter."""
    assert read(tmp_path, sdist_bytes(top="Sample-1.0.0"), "sample-1.0.tar.gz").warnings == ()


def test_two_top_directories_are_refused(tmp_path: Path) -> None:
    """S52: an sdist has exactly one."""
    members = {"sample-1.0/PKG-INFO": core_metadata().encode(), "other/x": b""}
    assert "two top directories" in refused(tmp_path, tar_bytes(members), "sample-1.0.tar.gz")
    assert "exactly one top directory" in refused(tmp_path, zip_bytes(members), "sample-1.0.zip")


@pytest.mark.parametrize("extension", [".tar.gz", ".zip"])
def test_sdists_without_pkg_info_are_refused(tmp_path: Path, extension: str) -> None:
    """S52: PKG-INFO must lie directly in the top directory; the path looked for is named."""
    info = core_metadata().encode()
    members = {"sample-1.0/sample.egg-info/PKG-INFO": info, "sample-1.0/setup.py": b""}
    data = zip_bytes(members) if extension == ".zip" else tar_bytes(members)
    assert "'sample-1.0/PKG-INFO'" in refused(tmp_path, data, f"sample-1.0{extension}")


def test_legacy_sdists_are_taken_with_a_warning(tmp_path: Path) -> None:
    """Sdists with setup.py alone and an old name are what teams have."""
    data = sdist_bytes(
        "Foo.Bar", "1.0", metadata=core_metadata("Foo.Bar", metadata_version="1.1"), files={"setup.py": b""}
    )
    warnings = read(tmp_path, data, "Foo.Bar-1.0.tar.gz").warnings
    assert "normalized form" in warnings[0]
    assert any("pyproject.toml" in warning for warning in warnings)


def test_zip_sdists_are_read_to_their_end(tmp_path: Path) -> None:
    """S49: also what nobody looks at in a zip sdist is inflated and compared."""
    data = bytearray(sdist_bytes(extension=".zip", files={"data": b"0123456789"}))
    data[data.rindex(b"sample-1.0/data", 0, data.index(b"PK\x01\x02")) + 15] ^= 0xFF
    refused(tmp_path, bytes(data), "sample-1.0.zip")


def test_small_files_are_read_quickly(tmp_path: Path) -> None:
    """A small wheel costs about a millisecond, so that many uploads can be checked."""
    path = build_wheel(tmp_path)
    times = []
    for _ in range(20):
        started = time.perf_counter()
        read_distribution(path, path.name)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.005


def test_tag_bombs_inside_are_not_multiplied(tmp_path: Path) -> None:
    """S34: tags in WHEEL that stand for millions give a warning at once."""
    bomb = "-".join(".".join(f"{letter}{n}" for n in range(300)) for letter in "abc")
    members = wheel_members()
    members[f"{INFO}/WHEEL"] = f"Wheel-Version: 1.0\nTag: {bomb}\n".encode()
    started = time.perf_counter()
    assert "1000 tags" in read(tmp_path, sealed(members)).warnings[0]
    assert time.perf_counter() - started < 0.5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["WHEEL", "RECORD", "METADATA", "entry_points.txt"]), st.binary(max_size=200), st.booleans())
def test_any_bytes_in_its_files_are_taken_or_refused(tmp_path: Path, name: str, raw: bytes, behind: bool) -> None:
    """Whatever a wheel's own files say, it is read or refused by our own class."""
    members = wheel_members()
    before = members.get(f"{INFO}/{name}", b"") if behind else b""
    members[f"{INFO}/{name}"] = before + raw
    sentence = ""
    try:
        read(tmp_path, zip_bytes(members) if name == "RECORD" else sealed(members))
    except Invalid as refusal:
        sentence = refusal.sentence
    assert sentence.isascii()
