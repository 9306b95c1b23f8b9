"""Ranges and preconditions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple.conditional import (
    ByteRange,
    Unsatisfiable,
    http_date,
    matches_none,
    modified_since,
    not_modified,
    parse_range,
    range_still_valid,
)

SIZE = 1431
ETAG = '"0123abcd"'
DATE = "Sat, 21 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=0-0", 0, 0),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-100", SIZE - 100, SIZE - 1),
        ("bytes=10-99999999", 10, SIZE - 1),
        ("bytes=-99999999", 0, SIZE - 1),  # poetry's first request on a small wheel
        ("bytes=1430-1430", 1430, 1430),
        ("Bytes=0-99", 0, 99),
        ("bytes= 0-99 ", 0, 99),
    ],
)
def test_a_single_range_is_obeyed(header: str, first: int, last: int) -> None:
    """Clipped at the end; a suffix longer than the file is the whole file."""
    answer = parse_range(header, SIZE)
    assert answer == ByteRange(first, last, SIZE)
    assert isinstance(answer, ByteRange)
    assert answer.content_range == f"bytes {first}-{last}/{SIZE}"
    assert answer.length == last - first + 1


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", "bytes=99999-", f"bytes={'9' * 60}-", "bytes=-0"])
def test_a_range_outside_the_file_is_unsatisfiable(header: str) -> None:
    """416, which says how large the file is."""
    answer = parse_range(header, SIZE)
    assert isinstance(answer, Unsatisfiable)
    assert answer.content_range == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=0-1,4-5",
        "items=0-1",
        "bytes=5-1",
        f"bytes={SIZE + 5}-{SIZE}",
        "bytes=-",
        "bytes=",
        "bytes",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=--5",
        "bytes=+1-2",
        "bytes=0x1-2",
        "bytes=1.0-2",
        "bytes=\N{ARABIC-INDIC DIGIT ONE}-",
        "bytes=0-1\n",
        "bytes=" + "9" * 10_000 + "-",
        "bytes=" + ",".join(["0-0"] * 10_000),
    ],
    ids=lambda header: ascii(header)[:30],
)
def test_other_ranges_are_ignored(header: str | None) -> None:
    """Several ranges, other units and bad syntax get the whole file, never more and never an error."""
    assert parse_range(header, SIZE) is None


def test_an_empty_file_has_no_range() -> None:
    """From its first byte on is outside; its last bytes are all of nothing."""
    assert parse_range("bytes=0-", 0) == Unsatisfiable(0)
    assert parse_range("bytes=-5", 0) is None


NUMBERS = st.one_of(st.just(""), st.integers(0, 40).map(str), st.text("0123456789", max_size=40))


@given(
    st.one_of(st.text(), st.tuples(NUMBERS, NUMBERS).map(lambda pair: f"bytes={pair[0]}-{pair[1]}")),
    st.binary(max_size=30),
)
def test_a_range_is_the_slice_that_it_says(header: str, content: bytes) -> None:
    """Nothing is raised; a 206 is a non-empty slice of the file, as long as its length says."""
    answer = parse_range(header, len(content))
    if isinstance(answer, ByteRange):
        part = content[answer.first : answer.last + 1]
        assert 0 < len(part) == answer.length <= len(content)
        assert answer.size == len(content)


@given(st.integers(0, 40), st.integers(0, 40), st.binary(min_size=1, max_size=30))
def test_ranges_are_what_python_slices(first: int, length: int, content: bytes) -> None:
    """Closed, open and suffix ranges give the bytes that slicing gives."""
    size = len(content)
    for header, expected in (
        (f"bytes={first}-{first + length}", content[first : first + length + 1]),
        (f"bytes={first}-", content[first:]),
        (f"bytes=-{length}", content[max(size - length, 0) :]),
    ):
        answer = parse_range(header, size)
        if isinstance(answer, ByteRange):
            assert content[answer.first : answer.last + 1] == expected
        else:
            assert answer == Unsatisfiable(size)
            assert expected == b""


@pytest.mark.parametrize(
    "header",
    [ETAG, f"W/{ETAG}", f'"other", {ETAG}', f'"a,b",W/{ETAG} , "c"', "*", " * ", f" {ETAG}"],
)
def test_a_known_tag_matches(header: str) -> None:
    """If-None-Match compares weakly, alone or in a list; a star matches all."""
    assert matches_none(header, ETAG)
    assert matches_none(header, f"W/{ETAG}")


@pytest.mark.parametrize("header", [None, "", '"other"', "0123abcd", '"0123ABCD"', '"0123abcd', '"x*"', "W/", '","'])
def test_another_tag_does_not_match(header: str | None) -> None:
    """Tags are opaque, quoted and case-sensitive."""
    assert not matches_none(header, ETAG)


@pytest.mark.parametrize("if_range", [None, ETAG, f" {ETAG} ", DATE])
def test_a_resumed_download_goes_on(if_range: str | None) -> None:
    """Without If-Range, with the same strong tag, or with exactly our Last-Modified."""
    assert range_still_valid(if_range, ETAG, DATE)


@pytest.mark.parametrize(
    "if_range", ['"other"', f"W/{ETAG}", "*", "", f'{ETAG}, "b"', "Sat, 21 Nov 2026 08:00:01 GMT", "0123abcd"]
)
def test_a_download_of_something_else_starts_again(if_range: str) -> None:
    """Another tag, a weak one, a list or another date: the whole file."""
    assert not range_still_valid(if_range, ETAG, DATE)


def test_a_weak_tag_of_ours_never_joins_parts() -> None:
    """If-Range needs strong validators on both sides."""
    assert not range_still_valid(f"W/{ETAG}", f"W/{ETAG}", DATE)


@pytest.mark.parametrize(
    ("if_modified_since", "changed"),
    [
        (None, True),
        (DATE, False),
        ("Sun, 22 Nov 2026 08:00:00 GMT", False),
        ("Fri, 20 Nov 2026 08:00:00 GMT", True),
        ("Friday, 20-Nov-26 08:00:00 GMT", True),
        ("Sun Nov 22 08:00:00 2026", False),
        ("yesterday", True),
        ("", True),
        ("Sat, 21 Nov 99999999 08:00:00 GMT", True),
        ("9" * 5000, True),
    ],
    ids=lambda value: str(value)[:30],
)
def test_if_modified_since(if_modified_since: str | None, changed: bool) -> None:
    """All three forms of a date are read; what is no date is ignored."""
    assert modified_since(if_modified_since, DATE) is changed


def test_the_tag_decides_where_both_are_there() -> None:
    """RFC 9110, 13.1.3: If-Modified-Since is ignored beside If-None-Match."""
    assert not not_modified('"other"', DATE, ETAG, DATE)
    assert not_modified(ETAG, "Fri, 20 Nov 2026 08:00:00 GMT", ETAG, DATE)
    assert not_modified(None, DATE, ETAG, DATE)
    assert not not_modified(None, None, ETAG, DATE)


@given(st.text(), st.text())
def test_no_precondition_raises(one: str, other: str) -> None:
    """Headers are strangers' text."""
    assert not matches_none(one, ETAG) or ETAG in one or one.strip() == "*"
    assert range_still_valid(one, ETAG, DATE) is (one.strip() in {ETAG, DATE})
    assert modified_since(one, DATE) in {True, False}
    assert not_modified(one, other, ETAG, DATE) in {True, False}


@given(
    st.sampled_from(["Sat, ", ""]),
    st.integers(-1, 10**6),
    st.sampled_from(["Nov", "Foo", "11"]),
    st.integers(-1, 10**12),
    st.sampled_from(["GMT", "-0000", "+9999", "+2400", "+99999999", ""]),
)
def test_no_date_like_text_raises(weekday: str, day: int, month: str, year: int, zone: str) -> None:
    """Impossible days, years and zones are no dates."""
    assert modified_since(f"{weekday}{day} {month} {year} 08:00:00 {zone}", DATE) in {True, False}


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 21, 8, 0, 0, 999999, tzinfo=UTC),
        datetime(2026, 11, 21, 9, 0, tzinfo=timezone(timedelta(hours=1))),
        datetime(2026, 11, 21, 8, 0),  # noqa: DTZ001 - as a database without zones gives it
    ],
    ids=["utc", "offset", "none"],
)
def test_dates_are_written_as_http_wants(moment: datetime) -> None:
    """In GMT, whole seconds, English names."""
    assert http_date(moment) == DATE
