"""What pages weigh and when something is seen: ``python -m benchmarks.pages --url URL --project NAME``.

Chromium, 1280 pixels wide, opens each page of a running server: with an empty cache, a new profile each time, and once
more with what it has kept. A page's bytes are those that came over the wire, heads and compressed bodies; the time is
that of First Contentful Paint (W3C Paint Timing), in milliseconds after the navigation began. Medians.
"""

from __future__ import annotations

import argparse
import getpass
import json
import shutil
import statistics
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.servers import JSON

_PAINT = """new Promise((found) => new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByName('first-contentful-paint')) found(entry.startTime);
}).observe({ type: 'paint', buffered: true }))"""
_TYPES = {"Document": "html", "Stylesheet": "css", "Script": "js"}
_HEADS = ("page", "HTML", "unpacked", "style", "script", "all", "requests", "seen again", "first paint", "again")


@dataclass
class Visit:
    """One opening of a page: bytes over the wire by type, requests, bytes of the HTML as unpacked, and the paint."""

    sent: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    unpacked: int = 0
    paint: float = 0.0


def pages_of(url: str, project: str) -> dict[str, str]:
    """Addresses of the main pages that everybody sees; those of a project show its newest release and a file of it."""
    asked = Request(f"{url}/simple/{project}/", headers={"Accept": JSON})
    with urlopen(asked) as answer:
        detail = json.load(answer)
    name, versions, filename = detail["name"], detail["versions"], detail["files"][-1]["filename"]
    newest = versions[-1]
    release = f"/project/{name}/{newest}"
    found = {
        "home": "/",
        "all projects": "/search",
        "search": f"/search?q={name[:4]}",
        "project": f"/project/{name}/",
        "release history": f"/project/{name}/history",
        "files": f"{release}/files",
        "dependencies": f"{release}/dependencies",
        "statistics": f"/project/{name}/statistics",
        "inside a file": f"{release}/files/{filename}",
    }
    if len(versions) > 1:
        found["comparison"] = f"/project/{name}/compare?from={versions[-2]}&to={newest}"
    return found


# Of those who have signed in; the rest need an administrator.
SIGNED_IN = {"upload": "/upload", "account": "/account"}
ADMINISTRATION = {
    "dashboard": "/admin/", "projects": "/admin/projects", "users": "/admin/users", "journal": "/admin/journal",
    "uploads": "/admin/uploads", "all statistics": "/admin/statistics",
}  # fmt: skip


def visit(context: BrowserContext, path: str) -> Visit:
    """Open a page. Raises SystemExit if it is not answered with 200."""
    page = context.new_page()
    seen, types = Visit(), dict[str, str]()
    devtools = context.new_cdp_session(page)

    def answered(said: Mapping[str, Any]) -> None:
        types[said["requestId"]] = _TYPES.get(said["type"], "other")

    def finished(said: Mapping[str, Any]) -> None:
        kind = types.get(said["requestId"], "other")
        size = int(said["encodedDataLength"])
        seen.sent[kind] = seen.sent.get(kind, 0) + size
        seen.requests += size > 0  # what comes from the cache is no request

    devtools.on("Network.responseReceived", answered)
    devtools.on("Network.loadingFinished", finished)
    devtools.send("Network.enable")
    answer = page.goto(path, wait_until="networkidle")
    if answer is None or answer.status != 200:
        raise SystemExit(f"{path} answers {answer.status if answer else 'nothing'}")
    seen.unpacked = len(answer.body())
    seen.paint = page.evaluate(_PAINT)
    page.close()
    return seen


def measure(browser: Browser, url: str, path: str, rounds: int, state: Any) -> dict[str, float]:
    """Figures of one page."""
    first, again = [], []
    for _ in range(rounds):
        with _profile(browser, url, state) as context:
            first.append(visit(context, path))
            again.append(visit(context, path))
    one, other = first[0], again[0]
    return {
        **{kind: one.sent.get(kind, 0) for kind in ("html", "css", "js")},
        "unpacked": one.unpacked,
        "all": sum(one.sent.values()),
        "requests": one.requests,
        "again": sum(other.sent.values()),
        "paint": statistics.median(seen.paint for seen in first),
        "paint again": statistics.median(seen.paint for seen in again),
    }


@contextmanager
def _profile(browser: Browser, url: str, state: Any = None) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}, storage_state=state)
    yield context
    context.close()


def _signed_in(browser: Browser, url: str, username: str) -> Any:
    """The cookies of somebody who signs in; the password is asked for, or read from stdin where that is no terminal."""
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with _profile(browser, url) as context:
        page = context.new_page()
        _send_login(page, username, password)
        return context.storage_state()


def _send_login(page: Page, username: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for(state="attached")


def row(name: str, figure: Mapping[str, float]) -> str:
    """A line of the table: kB of 1,000 bytes, and milliseconds."""
    sizes = [f"{figure[kind] / 1000:.1f} kB" for kind in ("html", "unpacked", "css", "js", "all")]
    cells = [name, *sizes, f"{figure['requests']:.0f}", f"{figure['again'] / 1000:.1f} kB"]
    paints = [f"{figure[when]:.0f} ms" for when in ("paint", "paint again")]
    return f"| {' | '.join([*cells, *paints])} |"


def main() -> int:
    """Measure each page, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__, allow_abbrev=False)
    parser.add_argument("--url", required=True, help="The server.")
    parser.add_argument("--project", required=True, help="Whose pages are opened.")
    parser.add_argument("--username", help="Open the pages of this administrator, too.")
    parser.add_argument("--rounds", type=int, default=7, help="How often each page is opened.")
    parser.add_argument("--json", type=Path, help="Write all figures here.")
    asked = parser.parse_args()
    url = asked.url.rstrip("/")
    print(f"| {' | '.join(_HEADS)} |\n|{' --- |' * len(_HEADS)}")
    figures = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        pages, state = pages_of(url, asked.project), None
        if asked.username:
            pages |= SIGNED_IN | ADMINISTRATION
            state = _signed_in(browser, url, asked.username)
        for name, path in pages.items():
            own = state if path in {*SIGNED_IN.values(), *ADMINISTRATION.values()} else None
            figures[name] = measure(browser, url, path, asked.rounds, own)
            print(row(name, figures[name]), flush=True)
        browser.close()
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
