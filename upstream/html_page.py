"""Links and metas of an HTML page (PEP 503, 629, 714, 792), read in pieces and to a limit.

The parser is never told that the page has ended: only then does Python's go over what was left open again and again.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin

from pypi_simple import Link

from upstream.failures import CannotFetch

_PIECE = 1 << 18
_LONGEST_TEXT = 1000  # of a link: a filename is far shorter


class _Reader(HTMLParser):
    def __init__(self, base_url: str, most_links: int) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[Link] = []
        self.metas: dict[str, str] = {}
        self._base_url = base_url
        self._has_base = False
        self._most_links = most_links
        self._count = 0
        self._open: tuple[str, dict[str, str | list[str]]] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "base" and given.get("href") and not self._has_base:
            self._base_url, self._has_base = _joined(self._base_url, given["href"]), True
        elif tag == "meta" and given.get("name", "").startswith("pypi:"):
            self.metas.setdefault(given["name"].removeprefix("pypi:"), given.get("content", ""))
        elif tag == "a" and "href" in given:
            self._count += 1
            if self._count > self._most_links:
                raise CannotFetch(f"its page has more than {self._most_links:,} links", is_outage=False)
            self._open, self._text = (_joined(self._base_url, given["href"].strip()), {**given}), ""

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._text = (self._text + data)[:_LONGEST_TEXT]

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            url, attributes = self._open
            self.links.append(Link(self._text.strip(), url, attributes))
            self._open = None


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return ""


def read_html(
    body: bytes, base_url: str, charset: str, most_links: int, check_time: Callable[[], None]
) -> tuple[list[Link], dict[str, str]]:
    """The links of a page with their absolute addresses, and its ``pypi:`` metas without that word, the first of each.

    ``check_time`` is called between pieces and raises when the time is over. Raises CannotFetch for a page with too
    many links.
    """
    try:
        decoder = codecs.getincrementaldecoder(charset or "utf-8")("replace")
    except LookupError:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
    reader = _Reader(base_url, most_links)
    for start in range(0, len(body), _PIECE):
        check_time()
        reader.feed(decoder.decode(body[start : start + _PIECE]))
    return reader.links, reader.metas
