"""Tests of distributions.filenames: what a filename says, and which are refused before any parser sees them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag
from packaging.version import Version

from distributions.filenames import (
    LONGEST_FILENAME,
    check_project_name,
    check_version,
    expected_filename,
    parse_filename,
    release_key,
    ultranormalize,
)
from errors import Invalid, InvalidFilename, InvalidName, InvalidVersion


def test_wheel_filename_is_taken_apart() -> None:
    """A wheel's filename gives project, version, build and tags."""
    parsed = parse_filename("foo_bar-1.0-2b-py2.py3-none-any.whl")
    assert (parsed.project, parsed.name, parsed.version) == ("foo-bar", "foo_bar", Version("1.0"))
    assert (parsed.kind, parsed.extension, parsed.python_tag) == ("bdist_wheel", ".whl", "py2.py3")
    assert parsed.build == (2, "b")
    assert parsed.tags == {Tag("py2", "none", "any"), Tag("py3", "none", "any")}
    assert not parsed.legacy


def test_sdist_filename_is_taken_apart() -> None:
    """An sdist's filename gives project and version, and has no tags."""
    parsed = parse_filename("foo_bar-1.0.tar.gz")
    assert (parsed.project, parsed.version, parsed.kind) == ("foo-bar", Version("1.0"), "sdist")
    assert (parsed.python_tag, parsed.tags, parsed.build, parsed.legacy) == ("source", frozenset(), (), False)


@pytest.mark.parametrize(
    ("filename", "name", "version", "extension"),
    [
        ("Foo.Bar-1.0.tar.gz", "Foo.Bar", "1.0", ".tar.gz"),
        ("foo-bar-1.0.tar.gz", "foo-bar", "1.0", ".tar.gz"),
        ("foo-1.0.zip", "foo", "1.0", ".zip"),
        ("foo-1.0.tar.bz2", "foo", "1.0", ".tar.bz2"),
        ("foo-1.0.tgz", "foo", "1.0", ".tgz"),
        ("foo-1.0.tar.xz", "foo", "1.0", ".tar.xz"),
        ("name-1.0-1.tar.gz", "name", "1.0.post1", ".tar.gz"),
        ("name-1.0-beta1.tar.gz", "name", "1.0b1", ".tar.gz"),
        ("python-3-2.0.tar.gz", "python-3", "2.0", ".tar.gz"),
        ("foo-2-1.tar.gz", "foo-2", "1", ".tar.gz"),
    ],
)
def test_legacy_sdist_names_are_split_at_the_version(filename: str, name: str, version: str, extension: str) -> None:
    """Old sdist names are split at the last dash that leaves a version, and marked as legacy."""
    parsed = parse_filename(filename)
    assert (parsed.name, parsed.version, parsed.extension) == (name, Version(version), extension)
    assert parsed.legacy


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("CASEY-1.0-py3-none-any.whl", "casey-1.0-py3-none-any.whl"),
        ("a.b-1.0-1-py3-none-any.whl", "a_b-1.0-1-py3-none-any.whl"),
        ("Foo.Bar-1.0.tar.gz", "foo_bar-1.0.tar.gz"),
        ("foo-01.0.tar.gz", "foo-1.0.tar.gz"),
        ("foo-1.0.zip", "foo-1.0.tar.gz"),
    ],
)
def test_without_legacy_the_expected_filename_is_named(filename: str, expected: str) -> None:
    """S28, S30: a name that is not normalized is refused with the expected one where legacy names are not taken."""
    assert expected_filename(parse_filename(filename)) == expected
    with pytest.raises(InvalidFilename, match=expected.replace(".", r"\.")):
        parse_filename(filename, accept_legacy=False)
    assert parse_filename(expected, accept_legacy=False).filename == expected


@pytest.mark.parametrize("filename", ["../../x-1.0.tar.gz", "..\\x-1.0.tar.gz", "/abs-1.0.tar.gz", "a/b-1.0.tar.gz"])
def test_path_separators_are_refused(filename: str) -> None:
    """S21: a filename never holds a path."""
    with pytest.raises(InvalidFilename, match="path separators"):
        parse_filename(filename)


@pytest.mark.parametrize("letter", ["\x00", "\x01", "\n", "\r", "\x1f", "\x7f", " "])
def test_control_characters_are_refused(letter: str) -> None:
    """S22: neither NUL nor another control character may stand in a filename."""
    with pytest.raises(InvalidFilename):
        parse_filename(f"a{letter}-1.0.tar.gz")
    with pytest.raises(InvalidFilename):
        parse_filename(f"a-1.0.tar.gz{letter}")


def test_percent_encoding_is_refused() -> None:
    """S23: percent-encoded line ends never reach a header or a link."""
    with pytest.raises(InvalidFilename, match="'%'"):
        parse_filename("x-1.0%0d%0aX:y-py3-none-any.whl")


def test_long_filenames_are_refused() -> None:
    """S24: a filename leaves room for what is put behind it."""
    name = "a" * 100
    assert len(parse_filename(f"{name}-1.0.tar.gz").filename) < LONGEST_FILENAME
    with pytest.raises(InvalidFilename, match="too long"):
        parse_filename(f"{name}-1.0-py3-none-{'a' * 100}.whl")


@pytest.mark.parametrize("name", ["p\u0430ckage", "\uff50ackage", "\ufb01sh", "a\u202eb", "a\u200bb", "\u043f\u0430"])
def test_letters_beyond_ascii_are_refused(name: str) -> None:
    """S25: look-alikes, ligatures, direction marks and invisible characters are refused in names and filenames."""
    for filename in (f"{name}-1.0.tar.gz", f"{name}-1.0-py3-none-any.whl"):
        with pytest.raises(InvalidFilename):
            parse_filename(filename)
    with pytest.raises(InvalidName):
        check_project_name(name)


@pytest.mark.parametrize("name", ["", "a\n", "-a", "a-", ".a", "a.", "_", "a b", "a" * 129, "a/b"])
def test_names_outside_the_specification_are_refused(name: str) -> None:
    """S25: the whole name is matched, its end included."""
    with pytest.raises(InvalidName):
        check_project_name(name)


@pytest.mark.parametrize("name", ["Foo.Bar", "foo_bar", "FOO--bar", "foo-bar"])
def test_spellings_are_one_project(name: str) -> None:
    """S27: spellings that PEP 503 normalizes to the same are the same project."""
    assert check_project_name(name) == "foo-bar"


@pytest.mark.parametrize("version", ["1" * 5000, "1" * 129, "", "one", "1.0\n", " 1.0", "1.0 ", "1.0\u0661", "\u0661"])
def test_what_is_no_version_is_refused(version: str) -> None:
    """S31: no text makes anything but InvalidVersion, also one with more digits than int() takes."""
    with pytest.raises(InvalidVersion):
        check_version(version)


def test_a_bad_version_in_a_filename_is_named_as_such() -> None:
    """S31: a filename whose version is none is an invalid version, not an invalid archive."""
    for filename in ("foo-one.tar.gz", "foo-one-py3-none-any.whl"):
        with pytest.raises(InvalidVersion):
            parse_filename(filename)


def test_versions_with_trailing_zeros_are_one_release() -> None:
    """S32: 1.0 and 1.0.0 have one release key, 1.0.1 has another."""
    assert release_key(Version("1.0")) == release_key(Version("1.0.0")) == release_key(Version("v1"))
    assert release_key(Version("1.0.1")) != release_key(Version("1.0"))


def test_local_versions_are_taken() -> None:
    """S33: a local version is kept, as private indexes need it."""
    assert parse_filename("foo-1.0+cu126-py3-none-any.whl").version == Version("1.0+cu126")
    assert parse_filename("foo-1.0+x.tar.gz").version.local == "x"


def test_tag_bombs_are_refused_at_once() -> None:
    """S34: a filename that stands for more than 1000 tags is refused before the tags are multiplied."""
    tags = "-".join(".".join(f"{letter}{n}" for n in range(11)) for letter in "abc")
    started = time.perf_counter()
    with pytest.raises(InvalidFilename, match="1000 tags"):
        parse_filename(f"pkg-1.0-{tags}.whl")
    assert time.perf_counter() - started < 0.05


@pytest.mark.parametrize(
    "filename",
    [
        "a-1.0.egg",
        "a-1.0.exe",
        "a-1.0.html",
        "a-1.0.tar.gz.asc",
        "a-1.0-py3-none-any.WHL",
        "a-1.0.msi",
        "a-1.0.rpm",
        "a",
    ],
)
def test_other_endings_are_refused(filename: str) -> None:
    """S35: only wheels and sdists are taken, their endings in lower case."""
    with pytest.raises(InvalidFilename, match="ending"):
        parse_filename(filename)


@pytest.mark.parametrize("filename", [".htaccess-1.0.tar.gz", "-a-1.0.tar.gz", "..-1.0.tar.gz", "-1.0.tar.gz"])
def test_leading_dots_and_dashes_are_refused(filename: str) -> None:
    """S36: no hidden files, nothing that a shell takes for an option."""
    with pytest.raises(InvalidFilename, match="begin"):
        parse_filename(filename)


@pytest.mark.parametrize("name", ["COM1", "nul", "Con", "aux", "LPT9"])
def test_devices_of_windows_are_refused(name: str) -> None:
    """S37: a device on Windows is no project and begins no filename."""
    with pytest.raises(InvalidName, match="device"):
        check_project_name(name)
    for filename in (f"{name}-1.0.tar.gz", f"{name}.x-1.0-py3-none-any.whl", f"{name}.tar.gz"):
        with pytest.raises(InvalidFilename, match="device"):
            parse_filename(filename)


def test_trailing_dots_are_refused() -> None:
    """S37: Windows drops a dot at the end of a filename."""
    with pytest.raises(InvalidFilename):
        parse_filename("a-1.0.tar.gz.")


@pytest.mark.parametrize(
    "filename",
    ["a-1.0.whl", "a-1.0-none-any.whl", "a-1.0-x-py3-none-any.whl", "a__b-1.0-py3-none-any.whl", "a-1.0-py3--any.whl"],
)
def test_malformed_wheel_names_are_refused(filename: str) -> None:
    """A wheel's filename has five parts, or six with a build that begins with a digit."""
    with pytest.raises(InvalidFilename):
        parse_filename(filename)


@pytest.mark.parametrize("name", ["Illo", "1110", "i-l.l_O", "LIL0"])
def test_look_alikes_are_equal_when_ultranormalized(name: str) -> None:
    """S26: names that differ in separators, l, i and 1, or o and 0 look alike."""
    assert ultranormalize(name) == "1110"


@given(
    st.text(max_size=60)
    | st.from_regex(r"[a-zA-Z0-9._+!-]{1,40}(-[a-z0-9.]{1,9}){0,5}\.(whl|tar\.gz|zip)", fullmatch=True)
)
def test_any_text_is_a_filename_or_refused(text: str) -> None:
    """Whatever text comes is parsed or refused by our own classes, and what is parsed is plain ASCII."""
    sentence = ""
    try:
        parsed = parse_filename(text)
    except Invalid as refusal:
        sentence = refusal.sentence
    else:
        assert parsed.filename.isascii()
        assert parse_filename(expected_filename(parsed)).project == parsed.project
    assert sentence.isascii()
