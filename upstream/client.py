"""HTTP as it is spoken to other indexes: every answer is a stranger's.

Names are looked up once and checked (``outbound``), redirects are followed by hand within the upstream's reach,
credentials go to its own origin only, and every request is bounded in time and size. What goes wrong is
``CannotFetch``. A proxy that the environment names is used; it then looks names up itself.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

import outbound
from upstream.addresses import Reach
from upstream.connections import Deadline, connection_pools
from upstream.failures import CannotFetch, failure_of, was_hung_up

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_PIECE = 1 << 16
_LARGE = 8 << 20
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much is taken of an upstream: seconds and bytes.

    A page has ``page`` seconds in all; a file ``head`` until its first byte, and is given up when fewer than ``floor``
    bytes came within ``idle`` seconds. ``html`` bytes are the limit of an HTML page, whose reading takes far longer
    than that of JSON.
    """

    connect: float = 3.0
    page: float = 10.0
    head: float = 30.0
    idle: float = 30.0
    floor: int = 4096
    page_bytes: int = 100 << 20
    html_bytes: int = 32 << 20
    links: int = 100_000
    metadata_bytes: int = 10 << 20
    file_bytes: int = 16 << 30


Grow = Callable[[], None]
"""Called when a page turns out to be a large one. Raises CannotFetch where it cannot be read now."""


class LargePages:
    """Lets one large page be read at a time, from its bytes to its entries: they take hundreds of megabytes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turn = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[Grow]:
        """Read a page within this block, telling when it has become a large one."""
        with ExitStack() as stack:

            def grow() -> None:
                if not self._turn.acquire(timeout=self._seconds):
                    raise CannotFetch("its page is large, and so are others that are being read", is_outage=False)
                stack.callback(self._turn.release)

            yield grow


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: ``url`` is where it came from in the end. Header names are looked up in whatever case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Incoming:
    """An answer whose body is still to come."""

    def __init__(self, url: str, response: urllib3.BaseHTTPResponse, limits: Limits) -> None:
        self._limits = limits
        self.url = url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    @property
    def length(self) -> int | None:
        """How many bytes are announced, None if that is not said."""
        announced = self.headers.get("Content-Length", "")
        return int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else None

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes, in pieces. Raises CannotFetch where it is cut off or stalls."""
        since, came = time.monotonic(), 0
        try:
            while piece := self._response.read1(_PIECE, decode_content=False):
                yield piece
                came += len(piece)
                now = time.monotonic()
                if now - since >= self._limits.idle:
                    if came < self._limits.floor:
                        raise CannotFetch(f"it sends less than {self._limits.floor} bytes in {now - since:.0f} seconds")
                    since, came = now, 0
        except HTTPError as error:
            raise failure_of(error) from error


class Client:
    """Speaks to upstreams; keeps connections for the next request. Safe between threads."""

    def __init__(self, limits: Limits | None = None, resolver: outbound.Resolver = outbound.resolve) -> None:
        self.limits = limits or Limits()
        self._resolver = resolver
        self._proxies = getproxies()
        self._managers: dict[tuple[bool, str | None], urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def page(
        self, reach: Reach, url: str, headers: Mapping[str, str], authorization: str = "", grow: Grow | None = None
    ) -> Answer:
        """A whole answer within the limits of pages, decoded if it is gzipped; ``grow`` is called for one of more than
        8 MiB. Raises CannotFetch.
        """
        coded = {**headers, "Accept-Encoding": "gzip"}
        with self._whole(reach, url, coded, authorization) as (final, response):
            body = (
                _decoded(response, _Body(self.limits.page_bytes, grow))
                if response.status == 200
                else _nothing(response)
            )
            return Answer(final, response.status, response.headers, body)

    def small(self, reach: Reach, url: str, headers: Mapping[str, str], limit: int, authorization: str = "") -> Answer:
        """A small file as it is. Raises CannotFetch, also for more than ``limit`` bytes."""
        plain = {**headers, "Accept-Encoding": "identity"}
        with self._whole(reach, url, plain, authorization) as (final, response):
            body = _plain(response, _Body(limit)) if response.status == 200 else _nothing(response)
            return Answer(final, response.status, response.headers, body)

    def range(self, reach: Reach, url: str, asked: str, limit: int, authorization: str = "") -> Answer:
        """A range of a file (``bytes=0-99``). An answer of 200, which has all of it, comes without its body.

        Raises CannotFetch.
        """
        headers = {"Range": asked, "Accept-Encoding": "identity"}
        with self._whole(reach, url, headers, authorization) as (final, response):
            body = _plain(response, _Body(limit)) if response.status == 206 else b""
            return Answer(final, response.status, response.headers, body)

    @contextmanager
    def file(self, reach: Reach, url: str, authorization: str = "") -> Iterator[Incoming]:
        """A file whose bytes are still to come. Raises CannotFetch."""
        headers = {"Accept-Encoding": "identity"}
        with ExitStack() as stack:
            with Deadline(self.limits.head) as deadline, _translated(deadline):
                final, response = stack.enter_context(self._following(reach, url, headers, authorization, deadline))
            yield Incoming(final, response, self.limits)

    def close(self) -> None:
        """Let go of every connection that is kept."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()

    @contextmanager
    def _whole(
        self, reach: Reach, url: str, headers: Mapping[str, str], authorization: str
    ) -> Iterator[tuple[str, urllib3.BaseHTTPResponse]]:
        """An answer that is read to its end within the time of a page."""
        with (
            Deadline(self.limits.page) as deadline,
            _translated(deadline),
            self._following(reach, url, headers, authorization, deadline) as found,
        ):
            yield found

    @contextmanager
    def _following(
        self, reach: Reach, url: str, headers: Mapping[str, str], authorization: str, deadline: Deadline
    ) -> Iterator[tuple[str, urllib3.BaseHTTPResponse]]:
        """The answer at the end of the redirects, each of which has to stay within reach."""
        for _ in range(_MOST_REDIRECTS + 1):
            if not reach.has(url):
                raise CannotFetch("it sends us to an address that is not asked on its behalf", is_outage=False)
            response = self._open(reach, url, headers, authorization, deadline)
            try:
                target = response.headers.get("Location") if response.status in _REDIRECTS else None
                if target is None:
                    yield url, response
                    return
            finally:
                if response.closed:
                    response.release_conn()
                else:  # a body that was not read to its end takes its connection with it
                    response.close()
            url = urljoin(url, target.partition("#")[0])
        raise CannotFetch(f"it redirects more than {_MOST_REDIRECTS} times", is_outage=False)

    def _open(
        self, reach: Reach, url: str, headers: Mapping[str, str], authorization: str, deadline: Deadline
    ) -> urllib3.BaseHTTPResponse:
        is_own = reach.is_own(url)
        manager = self._manager(url, allow_private=reach.may_be_private(url))
        sent = {"User-Agent": "pypi-clone", **headers}
        if authorization and is_own:
            sent["Authorization"] = authorization
        limits = urllib3.Timeout(connect=self.limits.connect, read=self.limits.idle)
        options: dict[str, Any] = {"redirect": False, "retries": False, "preload_content": False, "timeout": limits}
        with deadline.watching():
            try:
                return manager.request("GET", url, headers=sent, decode_content=False, **options)
            except ProtocolError as error:
                deadline.must_not_be_over()
                if not was_hung_up(error):
                    raise
                return manager.request("GET", url, headers=sent, decode_content=False, **options)

    def _manager(self, url: str, *, allow_private: bool) -> urllib3.PoolManager:
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = None if allow_private or proxy_bypass(host) else self._proxies.get(parts.scheme)
        with self._lock:
            manager = self._managers.get((allow_private, proxy))
            if manager is None:
                seconds = self.limits.connect
                manager = self._managers[allow_private, proxy] = connection_pools(
                    self._resolver, allow_private=allow_private, connect_seconds=seconds, proxy=proxy
                )
        return manager


@contextmanager
def _translated(deadline: Deadline) -> Iterator[None]:
    """Errors of the network as CannotFetch, and so the time that is over when the block is."""
    try:
        yield
    except outbound.ForbiddenAddress as error:
        raise CannotFetch(f"{error.host} leads to an address that is not asked", is_outage=False) from error
    except (HTTPError, OSError) as error:
        deadline.must_not_be_over()
        raise failure_of(error) from error
    deadline.must_not_be_over()


def _nothing(response: urllib3.BaseHTTPResponse) -> bytes:
    """Read what little there may be, so that the connection can be used again."""
    response.read1(_PIECE, decode_content=False)
    return b""


class _Body:
    """What has come of an answer, within a limit."""

    def __init__(self, limit: int, grow: Grow | None = None) -> None:
        self._limit = limit
        self._grow = grow
        self._bytes = bytearray()

    def add(self, piece: bytes) -> None:
        """Append. Raises CannotFetch at the limit."""
        self._bytes += piece
        if len(self._bytes) > self._limit:
            raise CannotFetch(f"its answer has more than {self._limit:,} bytes", is_outage=False)
        if self._grow is not None and len(self._bytes) > _LARGE:
            grow, self._grow = self._grow, None
            grow()

    def whole(self) -> bytes:
        """All of it."""
        return bytes(self._bytes)


def _plain(response: urllib3.BaseHTTPResponse, body: _Body) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise CannotFetch("it answers in a coding that was not asked for")
    while piece := response.read1(_PIECE, decode_content=False):
        body.add(piece)
    return body.whole()


def _decoded(response: urllib3.BaseHTTPResponse, body: _Body) -> bytes:
    """The body, unpacked piece by piece so that a bomb is stopped at the limit."""
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding == "identity":
        return _plain(response, body)
    if coding not in {"gzip", "x-gzip"}:
        raise CannotFetch("it answers in a coding that was not asked for")
    inflater = zlib.decompressobj(_GZIP)
    try:
        while piece := response.read1(_PIECE, decode_content=False):
            while piece and not inflater.eof:
                body.add(inflater.decompress(piece, _PIECE))
                piece = inflater.unconsumed_tail
    except zlib.error as error:
        raise CannotFetch("its answer is no gzip, though it says so") from error
    if not inflater.eof:
        raise CannotFetch("its answer was cut off")
    return body.whole()
