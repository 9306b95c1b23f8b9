"""The templates have nothing in them that no page uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from views.web.assets import FOLDER

ROOT = FOLDER.parent / "templates"
TEMPLATES = sorted(ROOT.rglob("*.html"))
IMPORT = re.compile(r'\{% from "([^"]+)" import ([^%]+?) %\}')
MACRO = re.compile(r"\{%-? macro (\w+)\(")


def imported(text: str) -> dict[str, str]:
    """What a template imports: the macro's own name by the one that it has here."""
    pairs = (said.strip().split(" as ") for _, names in IMPORT.findall(text) for said in names.split(","))
    return {pair[-1]: pair[0] for pair in pairs}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_imported_is_called(path: Path) -> None:
    """A name that a template imports stands in it once more, with its parentheses."""
    text = path.read_text()
    calls = set(re.findall(r"\b(\w+)\(", IMPORT.sub("", text)))
    assert imported(text).keys() - calls == set()


def test_every_macro_is_of_use() -> None:
    """It is called in its own file or imported by another."""
    texts = [path.read_text() for path in TEMPLATES]
    called = {name for text in texts for name in re.findall(r"\b(\w+)\(", MACRO.sub("", text))}
    taken = {name for text in texts for name in imported(text).values()}
    assert {name for text in texts for name in MACRO.findall(text)} - called - taken == set()
