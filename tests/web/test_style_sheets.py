"""The style sheets and the pages fit: nothing in them is for nobody, nothing in a page is without its rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from distributions.code_colours import COLOURS
from services import Services
from tests.web import contents_site, site
from tests.web.conftest import Visitor
from tests.web.pages import PAGES
from views.web.assets import FOLDER

ROOT = FOLDER.parent
SHEETS = {path.name: path for path in FOLDER.glob("*.css")}
# Classes that scripts, drawings and the markup of descriptions write, by the file that does.
WRITTEN = {
    "static/site.js": {"hidden", "copy"},
    "static/upload.js": {"badge", "live", "over"},
    "views/web/charts.py": {"plot", "axis", "bar-mark", "column", "share"},
    "credentials/totp.py": {"qr"},
    "distributions/page_markup.py": {"image", "table", "alert", "good", "warn", "bad", "footnote", "title"},
    "distributions/code_colours.py": set(COLOURS),
}
NOT_STYLED = {"grid", "final"}  # lines of a chart and releases that look as the others do
LARGEST = 14_000  # bytes of the sheet that every page has
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
ATTRIBUTE = re.compile(r'\sclass="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"', re.DOTALL)
# A text in a tag that can become part of a class: none that is compared with, or that a value is looked up by.
TEXT = re.compile(r"""(?P<compared>[=!]= )?(?:'([^']*)'|"([^"]*)")(?P<key>:)?""")


def of_sheet(path: Path) -> set[str]:
    """The classes that a style sheet has rules for."""
    css = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    rules = re.findall(r"([^{};]+)\{", css)
    return {name for selectors in rules for name in re.findall(r"\.([A-Za-z][\w-]*)", selectors)}


def of_templates() -> Iterator[str]:
    """The classes in the attributes of the templates, with all that a tag in one can become."""
    for path in (ROOT / "templates").rglob("*.html"):
        for attribute in ATTRIBUTE.findall(path.read_text()):
            yield from TAG.sub(" ", attribute).split()
            for found in TEXT.finditer(" ".join(TAG.findall(attribute))):
                if not found["compared"] and not found["key"]:
                    yield from (found[2] or found[3] or "").split()


def test_every_rule_is_for_something_and_every_class_has_a_rule() -> None:
    """A class in a sheet is in a template, script or drawing; one that is written there is in a sheet."""
    ruled = set().union(*map(of_sheet, SHEETS.values()))
    used = {*of_templates(), *set().union(*WRITTEN.values())}
    assert (ruled - used, used - ruled - NOT_STYLED) == (set(), set())


@pytest.mark.parametrize("name", WRITTEN)
def test_classes_are_written_where_it_is_said(name: str) -> None:
    """The list above holds no class that its file does not know."""
    words = set(re.findall(r"[\w-]+", (ROOT / name).read_text()))
    assert words >= WRITTEN[name]


def test_a_page_links_the_sheets_that_it_needs(alice: Visitor, secured: Services, tmp_path: Path) -> None:
    """Each class in a page has a rule in a sheet of that page."""
    site.stock(secured, tmp_path / "looms")
    contents_site.stock(secured, tmp_path / "weft")
    rules = {name: of_sheet(path) for name, path in SHEETS.items()}
    for address in dict.fromkeys(one.path for one in PAGES if one.site in {"full", "closed"}):
        page = alice.get(address).text
        classes = {one for words in ATTRIBUTE.findall(page) for one in words.split()} - NOT_STYLED
        linked = re.findall(r'href="/static/([\w-]+\.css)\?', page)
        assert classes - set().union(*(rules[name] for name in linked)) == set(), address


def test_the_sheet_of_every_page_is_small() -> None:
    """What few pages need stands in sheets of their own."""
    assert SHEETS["style.css"].stat().st_size < LARGEST


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pairs(name: str) -> dict[str, tuple[str, str]]:
    """The colours of a style sheet, in light and dark."""
    found = re.findall(r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (ROOT / "static" / name).read_text())
    return {colour: (light, dark) for colour, light, dark in found}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_of_code_can_be_read(scheme: int) -> None:
    """At least 4.5 to 1 on every ground, that of a marked line too, in light and dark (WCAG 2.2, 1.4.3)."""
    grounds = [pairs("style.css")[name][scheme] for name in ("--paper", "--surface", "--sunken", "--warn")]
    colours = [both[scheme] for both in pairs("code.css").values()]
    assert len(colours) == 7
    for colour in colours:
        for ground in grounds:
            light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (colour, ground)
