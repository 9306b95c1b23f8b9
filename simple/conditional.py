"""Ranges and preconditions of HTTP (RFC 9110, sections 13 and 14), as pure functions of header values.

Entity tags are written as in the header, with their quotes. Times are the header's own text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
_OPAQUE_TAG: Final = re.compile(r'"[^"]*"')
_LONGEST_RANGE: Final = 80  # characters: one range of two 19-digit numbers has 45
_LONGEST_DATE: Final = 64


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A satisfiable range: bytes ``first`` to ``last``, both inclusive, of ``size`` bytes in all."""

    first: int
    last: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes the 206 carries."""
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        """The value of the 206's Content-Range."""
        return f"bytes {self.first}-{self.last}/{self.size}"


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """A sound range that lies outside the ``size`` bytes there are: answer 416."""

    size: int

    @property
    def content_range(self) -> str:
        """The value of the 416's Content-Range."""
        return f"bytes */{self.size}"


def parse_range(header: str | None, size: int) -> ByteRange | Unsatisfiable | None:
    """What a Range header asks of a representation of ``size`` bytes; None: ignore it and answer 200 with all.

    Several ranges, an unknown unit and bad syntax are ignored, as RFC 9110, 14.2 allows, so no header makes an answer
    larger than the file.
    """
    if header is None or len(header) > _LONGEST_RANGE:
        return None
    match = _ONE_RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(int(last), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        return Unsatisfiable(size)
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1, size)


def _suffix(length: int, size: int) -> ByteRange | Unsatisfiable | None:
    """The last ``length`` bytes; a suffix longer than the file is the whole file."""
    if length == 0:
        return Unsatisfiable(size)
    if size == 0:
        return None  # satisfiable, but no Content-Range can say "all of nothing"
    return ByteRange(max(size - length, 0), size - 1, size)


def matches_none(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names ``etag``, compared weakly: the client has it already, answer 304."""
    if if_none_match is None:
        return False
    if if_none_match == etag or if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in _OPAQUE_TAG.findall(if_none_match)


def range_still_valid(if_range: str | None, etag: str, last_modified: str) -> bool:
    """Whether the Range may be obeyed: no If-Range, the same strong tag, or exactly our Last-Modified."""
    if if_range is None:
        return True
    validator = if_range.strip()
    return validator == last_modified or (validator == etag and not etag.startswith("W/"))


def modified_since(if_modified_since: str | None, last_modified: str) -> bool:
    """Whether the whole must be sent: no If-Modified-Since, one that is no date, or an older one."""
    if if_modified_since is None:
        return True
    if if_modified_since == last_modified:
        return False
    theirs, ours = _moment(if_modified_since), _moment(last_modified)
    return theirs is None or ours is None or ours > theirs


def not_modified(if_none_match: str | None, if_modified_since: str | None, etag: str, last_modified: str) -> bool:
    """Whether to answer 304; If-Modified-Since counts only where there is no If-None-Match (RFC 9110, 13.1.3)."""
    if if_none_match is not None:
        return matches_none(if_none_match, etag)
    return not modified_since(if_modified_since, last_modified)


def http_date(moment: datetime) -> str:
    """``Sun, 06 Nov 1994 08:49:37 GMT``; a time without an offset is UTC already."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return format_datetime(aware.astimezone(UTC), usegmt=True)


def _moment(text: str) -> datetime | None:
    """A date of any of the three forms that HTTP has had; None where it is none."""
    if len(text) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
