"""The journal in the forms that leave this server: JSON lines, whole, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Final

from database.journal_reading import JournalRow

COLUMNS: Final = tuple(one.name for one in fields(JournalRow))
# What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), in narrow and in full-width signs.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def json_text(value: object) -> str:
    """A value as JSON on one line, in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def json_lines(rows: Iterable[JournalRow]) -> Iterator[bytes]:
    """One JSON object a row, each on a line of its own."""
    return (f"{json_text(row.document())}\n".encode("ascii") for row in rows)


def csv_lines(rows: Iterable[JournalRow]) -> Iterator[bytes]:
    """A line of names, then one a row (RFC 4180, UTF-8); what would be a formula gets an apostrophe before it, what is
    no printable character is an escape, and the detail is JSON.
    """
    yield _csv_line(COLUMNS)
    for row in rows:
        yield _csv_line([_cell(value) for value in row.document().values()])


LINES: Final[dict[str, Callable[[Iterable[JournalRow]], Iterator[bytes]]]] = {"jsonl": json_lines, "csv": csv_lines}
MEDIA_TYPES: Final = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8; header=present"}


def visible(text: str) -> str:
    """A stranger's text with an escape for every character that is not printable."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "backslashreplace").decode("ascii") for one in text
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json_text(value)
    text = str(value)
    return ("'" if text.startswith(_FORMULA) else "") + visible(text)


def _csv_line(cells: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
