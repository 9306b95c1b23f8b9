"""Light or dark as somebody chose it, and moments told by how long ago they were, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from services import Services
from tests.web.browser import violations, visit
from tests.web.conftest import publish_wheel
from tests.web.site import serving

pytestmark = pytest.mark.browser

INK = "getComputedStyle(document.body).color"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which something was uploaded just now."""

    def fill(services: Services, folder: Path) -> None:
        folder.mkdir()
        publish_wheel(services, folder)

    with serving(tmp_path_factory.mktemp("appearance"), stocked=False, fill=fill) as url:
        yield url


def test_an_appearance_that_was_chosen_stays(chromium: Browser, site: str) -> None:
    """From the next page on, before anything is drawn, until the system is to decide again; axe finds nothing."""
    with visit(chromium, site, scheme="light") as (page, faults):
        page.goto("/")
        light = page.evaluate(INK)
        page.get_by_label("Appearance").select_option("dark")
        dark = page.evaluate(INK)
        assert dark != light
        page.goto("/search")
        assert page.evaluate(INK) == dark
        assert page.get_by_label("Appearance").input_value() == "dark"
        assert violations(page) == []
        page.get_by_label("Appearance").select_option("as the system")
        page.reload()
        assert page.evaluate(INK) == light
    assert faults == []


def test_a_recent_moment_is_told_by_how_long_ago_it_was(chromium: Browser, site: str) -> None:
    """The moment itself stays within reach; without scripts it is what is shown."""
    with visit(chromium, site) as (page, faults):
        page.goto("/")
        time = page.locator("time").first
        assert time.inner_text() == "this minute"
        assert (time.get_attribute("title") or "").endswith("UTC")
    with visit(chromium, site, scripts=False) as (page, _):
        page.goto("/")
        assert page.locator("time").first.inner_text().endswith("UTC")
        assert page.get_by_label("Appearance").count() == 0 or not page.get_by_label("Appearance").is_visible()
    assert faults == []


def test_a_moment_to_come_keeps_its_date(chromium: Browser, site: str) -> None:
    """Until when something can be undone is a day, in whichever sentence it stands."""
    with visit(chromium, site) as (page, faults):
        page.goto("/project/sample/settings/delete")
        sentence = page.get_by_text("You can undo this until").inner_text()
    assert re.match(r"You can undo this until \d+ \w{3} \d{4}, \d\d:\d\d UTC\.", sentence)
    assert faults == []
