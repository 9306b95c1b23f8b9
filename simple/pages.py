"""The simple pages as ready bytes, drawn once per change and kept while they are valid.

A page is valid while its source says so (a hosted project: while its serial stands), so every worker sees a change at
once and none needs to be told.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from threading import Event, Lock
from typing import Final, NamedTuple

import zstandard
from packaging.utils import NormalizedName

from simple import html, json
from simple.negotiation import SIMPLE_JSON, TEXT_HTML
from simple.sources import Source

DEFAULT_MAX_BYTES: Final = 64 * 1024 * 1024
_OVERHEAD: Final = 2048  # bytes that a kept page takes beside its body: headers, keys, objects

# The page belongs to nobody's browser session: what a stranger may have written into it must not run (OWASP ASVS 3.4).
_GUARDS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

Headers = tuple[tuple[str, str], ...]


class PageKey(NamedTuple):
    """Which page: ``source`` is a word for who draws it, ``project`` None for the list.

    A ``private`` page is not for everybody: caches on the way may not keep it.
    """

    source: str
    project: NormalizedName | None
    media_type: str
    coding: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One representation of a simple page, ready to be sent.

    ``etag`` is strong and quoted. ``headers`` are all of the 200's, ``not_modified_headers`` all of the 304's.
    """

    body: bytes
    etag: str
    headers: Headers
    not_modified_headers: Headers


@dataclass(slots=True)
class _Flight:
    """A drawing under way; ``page`` stays None if it failed."""

    landed: Event = field(default_factory=Event)
    page: Page | None = None


class Pages:
    """The pages that were drawn, least recently used out first, at most ``max_bytes`` of them. Safe between threads."""

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[PageKey, tuple[Hashable, Page]] = OrderedDict()
        self._flights: dict[tuple[PageKey, Hashable], _Flight] = {}
        self._lock = Lock()
        self._bytes = 0

    @property
    def kept_bytes(self) -> int:
        """What the kept pages take, bodies and a flat sum for the rest: what tests hold against ``max_bytes``."""
        return self._bytes

    def cached(self, key: PageKey, validity: Hashable) -> Page | None:
        """The page if it is kept and valid: one look-up without a lock, for the fast path."""
        kept = self._kept.get(key)
        if kept is None or kept[0] != validity:
            return None
        try:
            self._kept.move_to_end(key)
        except KeyError:  # another thread has just dropped it: the page in hand is as valid as before
            return kept[1]
        return kept[1]

    def get(self, key: PageKey, source: Source) -> Page:
        """The page, kept or drawn now; threads that ask for the same cold page wait for one drawing.

        The validity is read before the drawing, so a page may be newer than what it is kept under, never older.
        Raises UnknownProject and what else the source raises; failures are not kept.
        """
        validity = source.validity(key.project)
        while True:
            page = self.cached(key, validity)
            if page is not None:
                return page
            flight, is_mine = self._flight(key, validity)
            if is_mine:
                return self._fly(flight, key, source, validity)
            flight.landed.wait()
            if flight.page is not None:
                return flight.page
            # The other thread's drawing failed: this one tries itself, and fails with an exception of its own.

    def _flight(self, key: PageKey, validity: Hashable) -> tuple[_Flight, bool]:
        """The drawing under way for this page, and whether the caller is the one to do it."""
        with self._lock:
            flight = self._flights.get((key, validity))
            if flight is not None:
                return flight, False
            flight = self._flights[key, validity] = _Flight()
            kept = self._kept.get(key)
            if kept is not None and kept[0] == validity:
                flight.page = kept[1]  # it landed between the caller's look-up and this one
            return flight, True

    def _fly(self, flight: _Flight, key: PageKey, source: Source, validity: Hashable) -> Page:
        try:
            if flight.page is None:
                page = draw(source, key)
                self._keep(key, validity, page)
                flight.page = page
            return flight.page
        finally:
            with self._lock:
                del self._flights[key, validity]
            flight.landed.set()

    def _keep(self, key: PageKey, validity: Hashable, page: Page) -> None:
        """Keep the page and drop the least recently used ones; a page larger than the whole bound is not kept."""
        with self._lock:
            replaced = self._kept.pop(key, None)
            if replaced is not None:
                self._bytes -= _weight(replaced[1])
            if _weight(page) > self.max_bytes:
                return
            self._kept[key] = validity, page
            self._bytes += _weight(page)
            while self._bytes > self.max_bytes:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._bytes -= _weight(dropped)


def draw(source: Source, key: PageKey) -> Page:
    """Draw one page: the project's detail, or the project list for None. Raises what the source raises."""
    pen = json if key.media_type == SIMPLE_JSON else html
    if key.project is None:
        listing = source.project_list()
        return _page(pen.draw_project_list(listing), listing.serial, key)
    detail = source.project_detail(key.project)
    return _page(pen.draw_project_detail(detail), detail.serial, key, _stale(detail.stale_since))


def _stale(since: datetime | None) -> Headers:
    """What HTTP says of an answer that could not be refreshed (RFC 9111, 5.1 and 5.5), as it is drawn now."""
    if since is None:
        return ()
    age = max(0, int((datetime.now(UTC) - since).total_seconds()))
    return (("Warning", '110 - "Response is Stale"'), ("Age", str(age)))


def _page(plain: bytes, serial: int, key: PageKey, extra: Headers = ()) -> Page:
    media_type, coding, private = key.media_type, key.coding, key.private
    body = coded(plain, coding)
    etag = f'"{sha256(f"{media_type} {coding} ".encode() + body).hexdigest()[:32]}"'
    shared = (
        ("ETag", etag),
        ("Cache-Control", "private, no-cache" if private else "no-cache"),
        ("Vary", "Accept, Accept-Encoding, Authorization" if private else "Accept, Accept-Encoding"),
        ("X-PyPI-Last-Serial", str(serial)),
        *extra,
    )
    headers = (
        ("Content-Type", f"{TEXT_HTML}; charset=utf-8" if media_type == TEXT_HTML else media_type),
        ("Content-Length", str(len(body))),
        *((("Content-Encoding", coding),) if coding != "identity" else ()),
        *shared,
        *_GUARDS,
    )
    return Page(body, etag, headers, shared)


def coded(plain: bytes, coding: str) -> bytes:
    """The bytes in a content coding (RFC 9110, 8.4.1), the same each time: gzip writes no time of day.

    Raises ValueError for a coding that ``negotiate_coding`` does not give.
    """
    if coding == "gzip":
        return gzip.compress(plain, compresslevel=5, mtime=0)
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(plain)
    if coding != "identity":
        raise ValueError(f"no content coding {coding!r}; negotiate_coding() gives gzip, zstd or identity")
    return plain


def _weight(page: Page) -> int:
    return len(page.body) + _OVERHEAD
