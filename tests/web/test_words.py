"""Figures and tags in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from views.web.words import count_words, moment_words, size_words, stamp, tag_words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (99_949, "99.9 kB"), (123_456, "123 kB"),
        (999_999, "1.0 MB"), (1_234_567, "1.2 MB"), (5_000_000_000, "5.0 GB"), (7_000_000_000_000_000, "7,000 TB"),
    ],
)  # fmt: skip
def test_sizes_are_read_at_a_glance(size: int, words: str) -> None:
    """A size has a few digits and the unit that fits."""
    assert size_words(size) == words


def test_counts_have_their_noun() -> None:
    """One file, several files, and thousands are grouped."""
    assert [count_words(n, "file") for n in (0, 1, 1204)] == ["0 files", "1 file", "1,204 files"]
    assert count_words(2, "entry", "entries") == "2 entries"


def test_moments_are_utc() -> None:
    """A moment is told in UTC, to the minute for people and to the second for programs."""
    moment = datetime(2026, 2, 3, 11, 5, 7, 123, timezone(timedelta(hours=2)))
    assert moment_words(moment) == "3 Feb 2026, 09:05 UTC"
    assert stamp(moment) == "2026-02-03T09:05:07Z"
    assert stamp(datetime(2026, 2, 3, 9, 5, 7, 999, UTC)) == "2026-02-03T09:05:07Z"


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("py3-none-any", "Python 3, any platform"),
        ("py2.py3-none-any", "Python 2 and 3, any platform"),
        ("cp312-cp312-manylinux_2_28_x86_64", "CPython 3.12, Linux x86-64, glibc 2.28+"),
        ("cp39-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64", "CPython 3.9 and later, Linux ARM64, glibc 2.17+"),
        ("cp313-cp313t-win_amd64", "CPython 3.13, free-threaded, Windows x86-64"),
        ("pp310-pypy310_pp73-musllinux_1_2_i686", "PyPy 3.10, Linux x86-32, musl 1.2+"),
        ("cp312-cp312-macosx_11_0_universal2", "CPython 3.12, macOS 11.0+ x86-64 and ARM64"),
        ("cp27-cp27m-win32", "CPython 2.7, Windows x86-32"),
        ("cp312-cp312-linux_riscv64", "CPython 3.12, Linux riscv64"),
        ("cp313-cp313-ios_13_0_arm64_iphoneos", "CPython 3.13, ios_13_0_arm64_iphoneos"),
        ("cp38.cp39.cp310.cp311.cp312-none-any", "CPython 3.8, CPython 3.9, CPython 3.10, 2 more, any platform"),
    ],
)
def test_tags_say_what_a_wheel_fits(ending: str, words: str) -> None:
    """The tags of a wheel in words; what is not known stands as it is."""
    assert tag_words(f"looms-1.0-{ending}.whl") == tag_words(f"looms-1.0-1-{ending}.whl") == words


def test_an_sdist_is_source() -> None:
    """Whatever its ending."""
    assert {tag_words(f"looms-1.0{ending}") for ending in (".tar.gz", ".zip", ".tar.bz2")} == {"Source"}


@given(st.lists(st.text("abcp123_.", min_size=1), min_size=3, max_size=3))
def test_strange_tags_are_no_fault(parts: list[str]) -> None:
    """Tags that mean nothing to us never break a page."""
    assert tag_words(f"looms-1.0-{'-'.join(parts)}.whl")
