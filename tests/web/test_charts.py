"""The drawings: what they say, and that nothing of a stranger's gets into them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from database.download_figures import DayCount
from views.web.charts import Span, bar_chart, share_bar, share_words, short_number, spans_of


def days_of(*counts: int) -> list[DayCount]:
    """Days from New Year's Eve on."""
    return [DayCount(date(2025, 12, 31) + timedelta(days=number), count) for number, count in enumerate(counts)]


def drawn(*counts: int) -> ET.Element:
    """A chart as an XML tree."""
    return ET.fromstring(bar_chart(spans_of(days_of(*counts)), "Title", "here"))


def heights(tree: ET.Element) -> list[float]:
    """The heights of the bars that are drawn."""
    return [float(bar.attrib["height"]) for bar in tree.iter("rect") if bar.attrib["class"] == "bar-mark"]


def test_a_chart_speaks_for_itself() -> None:
    """A picture with a title that readers find, a line of the axis for each step, a number for each day."""
    tree = drawn(0, 3, 6)
    assert (tree.attrib["role"], tree.attrib["aria-labelledby"]) == ("img", "here")
    title = tree.find("title")
    assert title is not None
    assert (title.attrib["id"], title.text) == ("here", "Title")
    assert [text.text for text in tree.iter("text")] == ["0", "2", "4", "6", "31 Dec", "1 Jan", "2 Jan"]
    assert [text.findtext("title") for text in tree.iter("g")] == ["31 Dec 2025: 0", "1 Jan 2026: 3", "2 Jan 2026: 6"]


def test_bars_are_as_high_as_their_numbers() -> None:
    """In proportion, with none for nothing, and always something to see for a single download."""
    assert heights(drawn(0, 3, 6)) == [88, 176]
    assert heights(drawn(1, 100_000)) == [2, 176]
    assert heights(drawn(0, 0)) == []


def test_bars_stay_in_the_picture() -> None:
    """Places are percentages of the width, all between its edges."""
    for bars in (1, 2, 30, 100):
        tree = drawn(*range(bars))
        for bar in tree.iter("rect"):
            left, width = (float(bar.attrib[name].rstrip("%")) for name in ("x", "width"))
            assert 0 <= left < left + width <= 100.1


def test_many_days_are_drawn_by_week() -> None:
    """A year is 52 bars; the odd day joins the first week; no download is lost."""
    spans = spans_of(days_of(*[1] * 365))
    assert (len(spans), spans[0].count, spans[1].count) == (52, 8, 7)
    assert sum(span.count for span in spans) == 365
    assert spans[0].words == "31 Dec 2025 to 7 Jan 2026"
    assert spans[1].words == "8 Jan to 14 Jan 2026"
    assert spans_of([]) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (800, "800"), (1500, "1,500"), (9999, "9,999"), (20_000, "20k"), (1_500_000, "1.5M"), (2 * 10**9, "2G")],
)
def test_axes_have_short_numbers(number: int, words: str) -> None:
    """So that they fit beside the drawing."""
    assert short_number(number) == words


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [(0, 0, "0 %"), (0, 9, "0 %"), (1, 1000, "under 1 %"), (1, 3, "33 %"), (999, 1000, "99 %"), (7, 7, "100 %")],
)
def test_shares_in_words(count: int, total: int, words: str) -> None:
    """All is only all, and little is not nothing."""
    assert share_words(count, total) == words


def test_bars_of_shares() -> None:
    """As wide as the share, and never too thin to be seen."""
    widths = [re.findall(r'width="([\d.]+)" height="8"/>', share_bar(count, 200))[0] for count in (0, 1, 100, 200)]
    assert widths == ["0.0", "0.5", "50.0", "100.0"]


def test_titles_are_escaped() -> None:
    """What is said in a drawing is text."""
    chart = bar_chart([Span(date(2026, 1, 1), date(2026, 1, 1), 1)], "<b>&", 'a"b')
    assert "<b>" not in chart
    assert 'id="a&#34;b"' in chart
