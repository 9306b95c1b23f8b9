"""The search in a real Chromium: found while typing, walked through by keys, the same without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.browser import violations, visit
from tests.web.site import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stocked server without authentication."""
    with serving(tmp_path_factory.mktemp("site")) as url:
        yield url


def names(page: Page) -> list[str]:
    """The names of the results that are shown."""
    return page.locator(".results h2 a").all_inner_texts()


def test_typing_finds(chromium: Browser, site: str) -> None:
    """Results, total, title and address follow what is typed, without a new page and without a word on the console."""
    with visit(chromium, site) as (page, faults):
        page.goto("/search")
        everything = names(page)
        page.evaluate("window.isTheSamePage = true")
        page.get_by_role("searchbox").press_sequentially("alge", delay=20)
        expect(page.get_by_role("status").first).to_have_text("1 project for alge")
        assert names(page) == ["looms"]
        assert page.locator("mark").all_inner_texts() == ["alge"]
        assert urlsplit(page.url)._replace(netloc="", scheme="").geturl() == "/search?q=alge"
        assert page.title().startswith("Search: alge")
        page.get_by_role("searchbox").press_sequentially("zzz", delay=20)
        expect(page.get_by_role("status").first).to_have_text("Nothing fits algezzz.")
        assert names(page) == []
        page.get_by_role("searchbox").fill("")
        expect(page.locator(".results li")).to_have_count(len(everything))
        assert names(page) == everything
        assert urlsplit(page.url).query == ""
        assert page.evaluate("window.isTheSamePage")
        assert violations(page) == []
        assert faults == []


def test_the_total_is_told_to_a_screen_reader(chromium: Browser, site: str) -> None:
    """It is put into a status that was there before, so it is read out; and it stays the same element."""
    with visit(chromium, site) as (page, _):
        page.goto("/search")
        page.evaluate("window.kept = document.querySelector('[data-found]')")
        assert page.locator("[data-found]").get_attribute("role") == "status"
        page.get_by_role("searchbox").fill("loom")
        expect(page.locator("[data-found]")).to_have_text("1 project for loom")
        page.evaluate("if (window.kept !== document.querySelector('[data-found]')) throw new Error('another')")


def test_the_keys(chromium: Browser, site: str) -> None:
    """`/` leads to the box, the arrows through the results and back, Enter opens, Back returns to the same results."""
    with visit(chromium, site) as (page, faults):
        page.goto("/search?q=a")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        found = names(page)
        assert len(found) == 2
        for key, position in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowDown", 1), ("ArrowUp", 0)):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.innerText") == found[position]
        page.keyboard.press("ArrowUp")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("attic")
        expect(page.locator(".results li")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/project/attic/")
        page.go_back()
        expect(page.get_by_role("searchbox")).to_have_value("attic")
        assert names(page) == ["attic"]
        assert parse_qs(urlsplit(page.url).query) == {"q": ["attic"]}
        assert faults == []


def test_filters_follow_at_once(chromium: Browser, site: str) -> None:
    """A choice narrows what is shown, is in the address and can be taken back by its own link."""
    with visit(chromium, site) as (page, faults):
        page.goto("/search")
        page.get_by_text("Filter and sort").click()
        page.get_by_label("Python", exact=True).select_option("3.10")
        expect(page.get_by_role("link", name="Remove the filter Python 3.10")).to_be_visible()
        assert "looms" not in names(page)
        page.get_by_label("Status", exact=True).select_option("archived")
        expect(page.locator(".results li")).to_have_count(1)
        assert parse_qs(urlsplit(page.url).query) == {"python": ["3.10"], "status": ["archived"]}
        assert violations(page) == []
        page.get_by_role("link", name="Remove the filter Python 3.10").click()
        page.wait_for_url("**/search?status=archived")
        assert names(page) == ["attic"]
        assert page.get_by_label("Status", exact=True).input_value() == "archived"
        assert faults == []


def test_an_older_answer_never_replaces_a_newer_one(chromium: Browser, site: str) -> None:
    """The answer to what was typed first is held back until the later one is shown."""
    held: list[Route] = []

    def hold(route: Route) -> Any:
        held.append(route)

    with visit(chromium, site) as (page, _):
        page.goto("/search")
        page.route("**/search?q=attic", hold)
        page.get_by_role("searchbox").fill("attic")
        page.wait_for_timeout(400)
        page.get_by_role("searchbox").fill("looms")
        expect(page.get_by_role("status").first).to_have_text("1 project for looms")
        assert len(held) == 1
        page.unroute("**/search?q=attic")
        page.wait_for_timeout(300)
        assert names(page) == ["looms"]


def test_a_server_that_is_gone_is_told(chromium: Browser, site: str) -> None:
    """The results stay, and the status says what to do."""
    with visit(chromium, site) as (page, _):
        page.goto("/search?q=looms")
        page.route("**/search?q=attic", lambda route: route.abort())
        page.get_by_role("searchbox").fill("attic")
        expect(page.get_by_role("status").first).to_have_text("The search gave no answer. Press Enter to try again.")
        assert names(page) == ["looms"]


def test_a_page_of_results_is_left_alone(chromium: Browser, site: str) -> None:
    """The second page stays the second when it is opened, and typing begins with the first."""
    with visit(chromium, site) as (page, _):
        page.goto("/search?page=2")
        page.wait_for_timeout(300)
        assert urlsplit(page.url).query == "page=2"
        page.get_by_role("searchbox").fill("looms")
        expect(page.get_by_role("link", name="looms")).to_be_visible()
        assert urlsplit(page.url).query == "q=looms"


def test_the_home_page_finds_as_one_types(chromium: Browser, site: str) -> None:
    """Below its box, at its own address; Back returns to what was found."""
    with visit(chromium, site) as (page, faults):
        page.goto("/")
        page.get_by_role("searchbox").press_sequentially("loom", delay=20)
        expect(page.get_by_role("status").first).to_have_text("1 project for loom")
        assert urlsplit(page.url).path == "/"
        assert violations(page) == []
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/project/looms/")
        page.go_back()
        expect(page.get_by_role("status").first).to_have_text("1 project for loom")
        page.get_by_role("searchbox").fill("")
        expect(page.locator("[data-results]")).to_be_empty()
        assert faults == []


def test_the_same_without_scripts(chromium: Browser, site: str) -> None:
    """Words, filters and order are one form, and its address says only what was chosen."""
    with visit(chromium, site, scripts=False) as (page, faults):
        page.goto("/search")
        page.get_by_role("searchbox").fill("loom")
        page.get_by_text("Filter and sort").click()
        page.get_by_label("Sort by").select_option("name")
        page.get_by_label("Python", exact=True).select_option("3.12")
        page.get_by_role("button", name="Apply").click()
        assert names(page) == ["looms"]
        assert parse_qs(urlsplit(page.url).query) == {"q": ["loom"], "sort": ["name"], "python": ["3.12"]}
        page.get_by_role("link", name="Remove the filter Python 3.12").click()
        assert parse_qs(urlsplit(page.url).query) == {"q": ["loom"], "sort": ["name"]}
        assert faults == []
