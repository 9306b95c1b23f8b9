"""The tabs of a project and the install box in a real Chromium: by keyboard, without scripts, in any width."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser import look, sign_in, violations, visit
from tests.web.site import serving

pytestmark = pytest.mark.browser

TOOLS = ["pip", "uv", "poetry", "pdm", "requirements.txt", "CI"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stocked server on which reading needs a login."""
    folder = tmp_path_factory.mktemp("tabs")
    with serving(folder, auth_enabled="true", auth_require="list, download, update") as url:
        yield url


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stocked server without accounts."""
    with serving(tmp_path_factory.mktemp("open-tabs")) as url:
        yield url


def shown_lines(page: Page) -> list[str]:
    """What the box shows now."""
    return page.locator(".choice:visible .command code").all_inner_texts()


@pytest.mark.parametrize("scripts", [True, False])
def test_each_tool_is_one_click_away(chromium: Browser, open_site: str, scripts: bool) -> None:
    """With scripts and without: one tool's lines are shown at a time, and none is wider than the screen."""
    with visit(chromium, open_site, scripts=scripts, width=320) as (page, faults):
        page.goto("/project/looms/")
        seen: list[list[str]] = []
        for tool in TOOLS:
            page.get_by_text(tool, exact=True).locator("visible=true").first.click()
            expect(page.get_by_role("radio", name=tool, exact=True)).to_be_checked()
            seen.append(shown_lines(page))
            if scripts:
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                assert violations(page) == []
        assert [lines[-1].split()[0] for lines in seen] == ["[global]", "uv", "poetry", "pdm", "pip", "uv"]
        assert faults == []


def test_the_box_is_used_with_the_keyboard(chromium: Browser, open_site: str) -> None:
    """Arrow keys choose a tool, Tab goes on to its copy button, Enter copies the line whole."""
    with visit(chromium, open_site) as (page, faults):
        page.goto("/project/looms/")
        page.get_by_role("radio", name="pip").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="uv")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Copy the uv command", exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        page.get_by_role("status").get_by_text("Copied").wait_for(state="attached")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"uv pip install --default-index {open_site}/simple/ looms"
        assert faults == []


def test_lines_of_several_rows_are_copied_as_they_are(chromium: Browser, open_site: str) -> None:
    """A file's lines keep their ends, so that they can be pasted."""
    with visit(chromium, open_site) as (page, _):
        page.goto("/")
        page.get_by_text("uv", exact=True).first.click()
        page.get_by_role("button", name="Copy the uv settings").click()
        page.get_by_role("status").get_by_text("Copied").wait_for(state="attached")
        assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
            "[[tool.uv.index]]", 'name = "ours"', f'url = "{open_site}/simple/"', "default = true",
        ]  # fmt: skip


def test_a_closed_index_says_how_to_log_in(chromium: Browser, site: str) -> None:
    """Above the box there is the line for .netrc, and where to get a token; axe finds nothing."""
    with visit(chromium, site, width=320, scheme="dark") as (page, faults):
        sign_in(page, "bob")
        assert look(page, "/project/looms/") == []
        note = page.get_by_text("Reading here needs a login.").locator("xpath=ancestor::div[1]")
        assert "machine 127.0.0.1 login __token__ password TOKEN" in note.inner_text()
        note.get_by_role("link", name="your account").click()
        page.wait_for_url("**/account")
        assert faults == []


def test_tabs_are_walked_with_the_keyboard(chromium: Browser, open_site: str) -> None:
    """Each tab is a link; the page that it leads to marks it as the current one, and so on to a user of the project."""
    with visit(chromium, open_site) as (page, faults):
        page.goto("/project/looms/1.1/")
        for tab in ("Release history", "Files", "Dependencies"):
            page.get_by_role("navigation", name="Project").get_by_role("link", name=tab).focus()
            page.keyboard.press("Enter")
            current = page.get_by_role("navigation", name="Project").locator("[aria-current=page]")
            expect(current).to_have_text(tab)
        link = page.get_by_role("row").get_by_role("link", name="weaving-mill")
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/project/weaving-mill/")
        assert faults == []
