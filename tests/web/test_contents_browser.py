"""The pages of files and comparisons in a real Chromium: accessible, quiet, harmless, without scripts too."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests.web.browser import look, visit
from tests.web.contents_site import HIDING_NAME, HOSTILE_NAME, serving_contents

pytestmark = pytest.mark.browser

WEFT = "/project/weft/1.0/files/weft-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An open server with something inside its files."""
    with serving_contents(tmp_path_factory.mktemp("contents")) as url:
        yield url


@pytest.fixture(scope="module")
def closed_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same where downloading needs a login."""
    with serving_contents(tmp_path_factory.mktemp("closed"), auth_enabled="true", auth_require="download") as url:
        yield url


@pytest.mark.parametrize("name", [HOSTILE_NAME, HIDING_NAME])
def test_hostile_contents_do_nothing(chromium: Browser, site: str, name: str) -> None:
    """Nothing of them runs, and no other host is asked."""
    with visit(chromium, site) as (page, faults):
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.goto(f"{WEFT}?path={quote(name)}")
        page.locator(".code").wait_for()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_withheld_is_told(chromium: Browser, closed_site: str, scheme: str) -> None:
    """Somebody who may only list sees sound pages, and where to sign in."""
    with visit(chromium, closed_site, scheme=scheme, width=320) as (page, faults):
        for path in (WEFT, "/project/weft/compare?from=1.0&to=1.1"):
            assert look(page, path) == []
            page.get_by_role("main").get_by_role("link", name="Sign in").click()
            assert "/login?next=" in page.url
    assert faults == []


def test_the_way_from_a_project_to_a_line(chromium: Browser, site: str) -> None:
    """Through the tree to a file, to a line of it, whose address marks the line; all without scripts."""
    with visit(chromium, site, width=320, scripts=False) as (page, faults):
        page.goto("/project/weft/1.0/files")
        page.get_by_role("link", name="Contents of weft-1.0-py3-none-any.whl").click()
        folder = page.locator("summary", has_text="patterns/")
        leaf = page.get_by_role("link", name="leaves.txt")
        assert leaf.is_visible()
        folder.click()
        assert not leaf.is_visible()
        page.get_by_role("link", name="loom.py").click()
        page.get_by_role("link", name="10", exact=True).click()
        assert page.url.endswith("?path=weft/loom.py#L10")
        assert page.locator(":target").inner_text().strip().endswith("threads: int = 1842")
        page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="weft-1.0-py3-none-any.whl").click()
        assert page.get_by_role("heading", name="weft-1.0-py3-none-any.whl").is_visible()
    assert faults == []


def test_two_releases_are_chosen_and_compared(chromium: Browser, site: str) -> None:
    """By the form, without scripts; each difference can be opened and closed."""
    with visit(chromium, site, scripts=False) as (page, faults):
        page.goto("/project/weft/history")
        page.get_by_role("link", name="Compare 1.1 with 1.0").click()
        page.get_by_label("From", exact=True).select_option("1.0")
        page.get_by_label("To", exact=True).select_option("1.1")
        page.get_by_role("button", name="Compare").click()
        assert page.get_by_role("heading", name="What changed from 1.0 to 1.1").is_visible()
        assert page.locator("ins", has_text="threads: int = 1843").is_visible()
        assert page.locator("del", has_text="threads: int = 1842").is_visible()
    assert faults == []


@pytest.mark.parametrize(("scheme", "keyword"), [("light", "rgb(122, 46, 142)"), ("dark", "rgb(216, 174, 240)")])
def test_code_is_coloured(chromium: Browser, site: str, scheme: str, keyword: str) -> None:
    """Without scripts, in the scheme of the reader; a file without a language, and a difference, are plain."""
    colour = "element => getComputedStyle(element).color"
    with visit(chromium, site, scheme=scheme) as (page, faults):
        page.goto(f"{WEFT}?path=weft/loom.py")
        words = page.locator(".code .k")
        assert words.all_inner_texts()[:2] == ["from", "import"]
        assert words.first.evaluate(colour) == keyword
        for plain in (f"{WEFT}?path=weft/arabic.txt", "/project/weft/compare?from=1.0&to=1.1"):
            page.goto(plain)
            assert page.locator(".code").first.is_visible()
            assert page.locator(".code :is(.k, .s, .m, .c, .n, .b)").count() == 0
    assert faults == []


def test_digests_and_texts_are_copied_as_they_are(chromium: Browser, site: str) -> None:
    """A digest by its button; a text by selecting it, without the line numbers."""
    with visit(chromium, site) as (page, faults):
        page.goto(WEFT)
        page.get_by_role("button", name="Copy the SHA-256 digest").click()
        page.get_by_role("button", name="Copy the SHA-256 digest").get_by_text("Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(".digest code").first.inner_text()
        page.goto(f"{WEFT}?path=weft/patterns/leaves.txt")
        page.evaluate("getSelection().selectAllChildren(document.querySelector('.code'))")
        page.keyboard.press("Control+c")
        assert page.evaluate("navigator.clipboard.readText()").split() == ["leaf"] * 12
    assert faults == []
