"""Drawings made here, as SVG that needs no script: bars over time with an axis, and the bars of a table's rows.

They have no size of their own in pixels across: places are percentages, so that letters stay as large as the page's,
and bars as wide as there is room. Colours come from the style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from database.download_figures import DayCount

_HEIGHT: Final = 176  # pixels from the top line of the axis to its bottom line
_ABOVE, _BELOW = 8, 26  # pixels for the letters of the axis
_MOST_LINES: Final = 4
_LABELS: Final = 4  # as many as a narrow screen has room for
_MOST_BARS: Final = 100  # more days than that are drawn by week
_SHARE_OF_ROOM: Final = 0.76  # of the room of a bar; the rest is what stands between two
_DAYS_OF_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Span:
    """One bar: what was counted from one day to another, both included."""

    first: date
    last: date
    count: int

    @property
    def words(self) -> str:
        """The days for people: ``3 Feb 2026``, ``3 Feb to 9 Feb 2026``."""
        last = f"{day_words(self.last)} {self.last.year}"
        if self.first == self.last:
            return last
        year = f" {self.first.year}" if self.first.year != self.last.year else ""
        return f"{day_words(self.first)}{year} to {last}"


def day_words(day: date) -> str:
    """A day without its year: ``3 Feb``."""
    return f"{day.day} {day:%b}"


def spans_of(days: Sequence[DayCount]) -> list[Span]:
    """The days as they are drawn: each for itself, or by week where they are many; odd days join the first week."""
    length = 1 if len(days) <= _MOST_BARS else _DAYS_OF_WEEK
    odd = len(days) % length
    begins = [0, *range(odd + length, len(days), length)] if days else []
    pieces = [days[begin:end] for begin, end in pairwise([*begins, len(days)])]
    return [Span(of[0].day, of[-1].day, sum(day.count for day in of)) for of in pieces]


def bar_chart(spans: Sequence[Span], title: str, ident: str) -> Markup:
    """Bars from left to right. ``title`` is what a screen reader says, ``ident`` an id that the page has once."""
    top, step = _scale(max((span.count for span in spans), default=0))
    ident, height = escape(ident), _ABOVE + _HEIGHT + _BELOW
    parts = [
        f'<svg class="plot" width="100%" height="{height}" role="img" aria-labelledby="{ident}">',
        f'<title id="{ident}">{escape(title)}</title>',
        *(_line(value, top) for value in range(0, top + 1, step)),
        *(_bar(span, number, len(spans), top) for number, span in enumerate(spans)),
        *(_label(spans, number) for number in _labelled(len(spans))),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 - numbers, days, and what was escaped


def share_bar(count: int, total: int) -> Markup:
    """A part of a whole as a bar in the room that there is."""
    width = max(0.5, 100 * count / total) if count else 0
    return Markup(  # noqa: S704 - a number
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="bar-mark" width="{width:.1f}" height="8"/></svg>'
    )


def share_words(count: int, total: int) -> str:
    """A part of a whole for people: ``12 %``, ``under 1 %``."""
    if not total:
        return "0 %"
    percent = 100 * count / total
    if 0 < percent < 1:
        return "under 1 %"
    return f"{min(percent, 99) if count < total else 100:.0f} %"


def short_number(number: int) -> str:
    """A round number for an axis: ``800``, ``1,500``, ``20k``, ``1.5M``."""
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= max(unit, 10_000):
            return f"{number / unit:.10g}{letter}"
    return f"{number:,}"


def _scale(most: int) -> tuple[int, int]:
    """The number at the top of the axis, and the step from one line to the next: 1, 2 or 5 with zeros behind."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            lines = -(-most // (step * factor))
            if lines <= _MOST_LINES:
                return max(lines, 1) * step * factor, step * factor
        step *= 10


def _line(value: int, top: int) -> str:
    y = _ABOVE + _HEIGHT - _HEIGHT * value // top
    return (
        f'<line class="{"axis" if value == 0 else "grid"}" x1="0" y1="{y}.5" x2="100%" y2="{y}.5"/>'
        f'<text x="-8" y="{y + 4}" text-anchor="end">{short_number(value)}</text>'
    )


def _bar(span: Span, number: int, bars: int, top: int) -> str:
    room = 100 / bars
    drawn = max(_HEIGHT * span.count / top, 2) if span.count else 0
    mark = (
        f'<rect class="bar-mark" x="{room * (number + (1 - _SHARE_OF_ROOM) / 2):.2f}%" '
        f'y="{_ABOVE + _HEIGHT - drawn:.1f}" width="{room * _SHARE_OF_ROOM:.2f}%" height="{drawn:.1f}"/>'
        if span.count
        else ""
    )
    # The whole column tells its number, not only what is drawn of it.
    return (
        f"<g><title>{span.words}: {span.count:,}</title>"
        f'<rect class="column" x="{room * number:.2f}%" y="{_ABOVE}" width="{room:.2f}%" height="{_HEIGHT}"/>{mark}</g>'
    )


def _labelled(bars: int) -> list[int]:
    """Which bars have their day below them: the first, the last, and some between at even distances."""
    labels = min(_LABELS, bars)
    return [round(number * (bars - 1) / (labels - 1)) for number in range(labels)] if labels > 1 else list(range(bars))


def _label(spans: Sequence[Span], number: int) -> str:
    last = len(spans) - 1
    place, anchor = f"{100 * (number + 0.5) / len(spans):.2f}%", "middle"
    if number == 0:
        place, anchor = "0", "start"
    elif number == last:
        place, anchor = "100%", "end"
    day = spans[number].last if number == last else spans[number].first
    return f'<text x="{place}" y="{_ABOVE + _HEIGHT + 19}" text-anchor="{anchor}">{day_words(day)}</text>'
