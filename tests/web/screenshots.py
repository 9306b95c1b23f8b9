"""Pictures of every page: ``python -m tests.web.screenshots FOLDER``, which ./test.sh --screenshots runs.

Each page of ``pages.PAGES``, for everybody who sees it, wide and narrow, light and dark; and an index.html for people.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby, product
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page

from tests.web.browser import sign_in, started_chromium, visit
from tests.web.pages import PAGES, WHO, WebPage, every_site

WIDTHS, SCHEMES = (1280, 320), ("light", "dark")
LONGEST = 6_000  # pixels; what is below is not in the picture
_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Screenshots of PyPI Clone</title>
<style>
body { font: 1rem system-ui, sans-serif; margin: 1rem; background: #888; color: #000; }
nav { columns: 14rem; }
nav a, h2 a { color: inherit; }
h2 { position: sticky; top: 0; padding: .25rem .5rem; background: #ccc; font-size: 1rem; }
.shots { display: flex; gap: 1%; align-items: start; }
.shots a { flex: 1; }
.shots a.wide { flex: 2; }
.shots img { display: block; width: 100%; height: auto; }
</style>
"""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: of which page, who looks at it, how wide in pixels, in which colour scheme."""

    page: str
    who: str
    width: int
    scheme: str

    @property
    def filename(self) -> str:
        """The name of its file."""
        return f"{self.page}-{self.who}-{self.width}-{self.scheme}.png"


def take(chromium: Browser, folder: Path, pages: Iterable[WebPage]) -> list[Shot]:
    """Take the pictures of these pages into a folder, with the index; which there are, in the order of the pages."""
    pages = list(pages)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, every_site(Path(place), {one.site for one in pages}) as sites:
        for site, who, width, scheme in product(sites, WHO, WIDTHS, SCHEMES):
            seen = [one for one in pages if one.site == site and who in one.who]
            if not seen:
                continue
            with visit(chromium, sites[site], scheme=scheme, width=width) as (page, _):
                if WHO[who]:
                    sign_in(page, WHO[who])
                for one in seen:
                    one.open(page)
                    _picture(page, folder / Shot(one.name, who, width, scheme).filename)
    taken = list(_shots(pages))
    (folder / "index.html").write_text(_index(taken), encoding="utf-8")
    return taken


def _picture(page: Page, path: Path) -> None:
    width, height = page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
    clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": min(height, LONGEST)}
    page.screenshot(path=path, full_page=True, clip=clip, animations="disabled")


def _shots(pages: Iterable[WebPage]) -> Iterator[Shot]:
    for one in pages:
        for who, width, scheme in product(one.who, WIDTHS, SCHEMES):
            yield Shot(one.name, who, width, scheme)


def _index(shots: Iterable[Shot]) -> str:
    rows, names = [], []
    for (name, who), group in groupby(shots, key=lambda shot: (shot.page, shot.who)):
        mark = f"{name}-{who}"
        names.append(f'<li><a href="#{mark}">{escape(name)}</a> {escape(who)}</li>')
        images = "".join(
            f'<a class="{"wide" if shot.width > 600 else "narrow"}" href="{shot.filename}">'
            f'<img src="{shot.filename}" alt="{shot.width} pixels, {shot.scheme}"></a>'
            for shot in group
        )
        rows.append(f'<h2 id="{mark}"><a href="#{mark}">{escape(name)}</a> · {escape(who)}</h2>\n')
        rows.append(f'<div class="shots">{images}</div>\n')
    return f"{_HEAD}<h1>Screenshots</h1>\n<nav><ul>{''.join(names)}</ul></nav>\n{''.join(rows)}</html>\n"


def main() -> None:
    """Take all of them into the folder that the command names."""
    folder = Path(sys.argv[1])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    with started_chromium() as chromium:
        taken = take(chromium, folder, PAGES)
    print(f"{len(taken)} screenshots of {len(PAGES)} pages: {folder / 'index.html'}")


if __name__ == "__main__":
    main()
