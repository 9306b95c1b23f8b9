"""Descriptions in a real Chromium: what is in them does nothing, is reached, and scrolls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.browser import visit
from tests.web.readmes import fill
from tests.web.site import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a project for each kind of description."""
    with serving(tmp_path_factory.mktemp("described"), stocked=False, fill=fill) as url:
        yield url


def test_a_megabyte_is_shown(chromium: Browser, described: str) -> None:
    """The page of a description that was cut loads, is as wide as the screen and leads to the rest."""
    with visit(chromium, described, width=320) as (page, faults):
        page.goto("/project/long/")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_role("link", name="Read the whole text").click()
        page.wait_for_url("**/project/long/1.0/description.txt")
        assert faults == []


def test_a_hostile_description_does_nothing(chromium: Browser, described: str) -> None:
    """S71, S72: no script of it runs, nothing of the page is covered or shadowed, no field of its own is there."""
    with visit(chromium, described) as (page, faults):
        page.add_init_script("window.alert = () => { window.alerted = true; }")
        page.goto("/project/hostile/")
        assert page.evaluate("window.alerted") is None
        assert page.evaluate("document.getElementById('main').tagName") == "MAIN"
        assert page.evaluate("typeof document.csrf_token") == "undefined"
        assert page.locator(".readme :is(form, button, iframe, img, input:not([type=checkbox]))").count() == 0
        assert page.evaluate("[...document.querySelectorAll('.readme *')].every(e => !e.hasAttribute('style'))")
        assert faults == []


def test_places_in_a_description_are_reached(chromium: Browser, described: str) -> None:
    """A link into it leads to its heading, a footnote to its note and back."""
    with visit(chromium, described) as (page, _):
        page.goto("/project/gfm/")
        page.get_by_role("link", name="usage").click()
        assert page.locator(":target").inner_text() == "Usage"
        page.locator(".readme sup a").click()
        assert page.locator(":target").inner_text().startswith("The note.")


def test_a_wide_table_scrolls_by_keyboard(chromium: Browser, described: str) -> None:
    """Its box takes the focus and scrolls; the page does not."""
    with visit(chromium, described, width=320) as (page, _):
        page.goto("/project/wide/")
        box = page.get_by_role("group", name="Table")
        box.focus()
        # Scrolling is smooth; a wait of Playwright's own would need eval, which the page's policy forbids.
        for _ in range(100):
            page.keyboard.press("ArrowRight")
            if box.evaluate("element => element.scrollLeft > 0"):
                break
            page.wait_for_timeout(50)
        assert box.evaluate("element => element.scrollLeft > 0")
        assert page.evaluate("window.scrollX") == 0


@pytest.mark.parametrize("kind", ["gfm", "restructured"])
def test_code_is_shown_as_it_was_laid_out(chromium: Browser, described: str, kind: str) -> None:
    """88 columns, the width of many projects, fit without a break, in Markdown and reStructuredText alike."""
    with visit(chromium, described) as (page, _):
        page.goto(f"/project/{kind}/")
        code = page.locator(".readme > pre, .readme div > pre").first
        heights = code.evaluate(
            """pre => ["x", "x".repeat(88)].map(line => {
                const written = pre.querySelector("code") || pre;
                written.textContent = line;
                return pre.clientHeight;
            })"""
        )
        assert heights[0] == heights[1]
        assert code.evaluate("pre => getComputedStyle(pre.querySelector('code') || pre).fontSize") == "13.328px"


def test_what_follows_a_heading_stands_near_it(chromium: Browser, described: str) -> None:
    """At every level nearer than the heading is to what comes before it."""
    with visit(chromium, described) as (page, _):
        page.goto("/project/gfm/")
        below = page.locator(".readme :is(h3, h4, h5, h6)").evaluate_all(
            "all => all.map(h => h.nextElementSibling.getBoundingClientRect().top - h.getBoundingClientRect().bottom)"
        )
        assert below
        assert max(below) <= 16


def test_text_runs_in_its_own_direction(chromium: Browser, described: str) -> None:
    """An Arabic paragraph in an English description begins at the right, and code never does."""
    with visit(chromium, described) as (page, _):
        page.goto("/project/gfm/")
        sides = page.evaluate(
            """() => {
                const side = text => {
                    const walker = document.createTreeWalker(document.querySelector('.readme'), NodeFilter.SHOW_TEXT);
                    while (walker.nextNode()) {
                        if (!walker.currentNode.data.includes(text)) continue;
                        const range = document.createRange();
                        range.selectNodeContents(walker.currentNode);
                        const box = walker.currentNode.parentElement.getBoundingClientRect();
                        const words = range.getBoundingClientRect();
                        return words.left - box.left > 20 ? 'right' : 'left';
                    }
                };
                return [side('سلام —'), side('Weaves ')];
            }"""
        )
        assert sides == ["right", "left"]
