"""A real Chromium for the tests of pages: how it is started, visits a site, signs in, and what it finds on a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import PASSWORDS

ARGUMENTS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run",
]  # fmt: skip


@contextmanager
def started_chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def visit(
    chromium: Browser, site: str, *, scheme: str = "light", width: int = 1280, scripts: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a fresh browser, and the list of what it complains of or asks outside the site."""
    dark = scheme == "dark"
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        permissions=["clipboard-read", "clipboard-write"],
        base_url=site,
        ignore_https_errors=site.startswith("https:"),
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("request", lambda sent: None if sent.url.startswith(f"{site}/") else faults.append(sent.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type in {"error", "warning"} else None)
    yield page, faults
    context.close()


def sign_in(page: Page, username: str) -> None:
    """Through the form, as a person does."""
    page.goto("/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORDS[username])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def look(page: Page, path: str) -> list[str]:
    """What is wrong with the page at this path."""
    page.goto(path)
    return [f"{path}: {fault}" for fault in faults_of(page)]


# A word of a button on two lines; controls beside each other in a row whose edges differ.
_UNEVEN = """() => {
  const lines = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return new Set([...range.getClientRects()].map((one) => Math.round(one.bottom / 4))).size;
  };
  const shown = (place, what) => [...place.querySelectorAll(what)].filter((one) => one.checkVisibility());
  const words = shown(document, "button, a.button").filter((one) => !/\\s/.test(one.textContent.trim()));
  const torn = words.filter((one) => lines(one) > 1);
  const uneven = shown(document, ".filters, .fields, .search").flatMap((row) => {
    const boxes = shown(row, "input, select, button").map((one) => one.getBoundingClientRect());
    const apart = (a, b) => Math.max(Math.abs(a.top - b.top), Math.abs(a.bottom - b.bottom)) > 1;
    const differ = (a, b) => a.top < b.bottom && b.top < a.bottom && apart(a, b);
    return boxes.some((one) => boxes.some((other) => differ(one, other))) ? [row] : [];
  });
  return [...torn.map((one) => `torn: ${one.outerHTML}`), ...uneven.map((one) => `uneven: ${one.outerHTML}`)];
}"""


def faults_of(page: Page, *, with_axe: bool = True) -> list[str]:
    """What axe finds on a page, whether it is wider than the screen, and what in it is torn or out of line."""
    rules = violations(page) if with_axe else []
    found = [f"{rule['id']} {[node['html'] for node in rule['nodes']]}" for rule in rules]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*found, *([f"{wide} pixels too wide"] if wide > 0 else []), *page.evaluate(_UNEVEN)]


def violations(page: Page) -> list[dict[str, Any]]:
    """The violations that axe finds."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return found
