"""The outermost layer: what the servers under us let through that they should not, the request's number, its log line.

Then the fast path, then Flask.
"""

from __future__ import annotations

import copy
import itertools
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import prometheus_client
import prometheus_client.core

from config import Settings
from errors import Unavailable
from indexes.pairs import PairAuthenticator
from views import addressing
from views.access_log import AccessLog, Line
from views.fastpath import FastPath
from views.guards import is_local_name, is_trusted, peer_of
from views.lane import SlowLane
from views.pairs import pick_index

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

REQUEST_ID = "pypi.request_id"
_GOOD_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,80}")
# Host = uri-host [ ":" port ] (RFC 9110, 7.2); a comma is a doubled header that the server joined.
_GOOD_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_LONGEST_PATH = 4096
_LONGEST_QUERY = 32_768
_MOST_HOSTS = 100
_FOR_SUPERVISORS = ("/health", "/ready")
_NO_LENGTH = (None, "", "0")
_BAD_HOST = (
    "The Host header is missing, doubled or not a name of this server; the settings base_url and trusted_hosts say by "
    "which names it may be called."
)
_SHOWN_AGENT = 80  # pip and uv send hundreds of characters about their machine
_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class Front:
    """The WSGI application that the server calls."""

    def __init__(
        self, app: Application, fast: FastPath, log: AccessLog, settings: Settings, lane: SlowLane,
        pairs: PairAuthenticator | None = None,
    ) -> None:  # fmt: skip
        self._app = app
        self._pairs = pairs
        self._fast = fast
        self._log = log
        self._settings = settings
        self._lane = lane
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._good_hosts: set[str] = set()
        self._has_proxies = bool(settings.trusted_proxies)
        self.registry = prometheus_client.CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "pypi_clone_requests", "Requests answered.", ["status", "way"], registry=self.registry
        )
        self._seconds = prometheus_client.Histogram(
            "pypi_clone_request_seconds", "Seconds until an answer by Flask was begun.", buckets=_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self._fast_answers = {code: itertools.count() for code in (200, 206, 304, 416)}
        self.registry.register(self)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        started = time.perf_counter()
        request_id = environ[REQUEST_ID] = self._request_id(environ)
        addressing.split(environ)
        if self._pairs is not None:
            pick_index(environ, self._pairs)
        if environ.get("HTTP_HOST") in self._good_hosts:
            answer = self._fast.answer(environ)
            if answer is not None:
                status_line, headers, body, size = answer
                start_response(status_line, [*headers, ("X-Request-ID", request_id)])
                status = int(status_line[:3])
                next(self._fast_answers[status])
                self._add_line(environ, status, size, started)
                return body
        fault = self._fault(environ)
        if fault is not None:
            return self._refuse(environ, start_response, fault, started)
        if environ.get("CONTENT_LENGTH") in _NO_LENGTH and "HTTP_TRANSFER_ENCODING" not in environ:
            return self._by_flask(environ, start_response, started)
        try:
            place = self._lane.take()
        except Unavailable as error:
            return self._refuse(environ, start_response, ("503 Service Unavailable", error.sentence), started)
        try:
            return self._by_flask(environ, start_response, started)
        finally:
            place.leave()  # the body was read; what is sent back takes a place of its own

    def collect(self) -> Iterator[prometheus_client.core.CounterMetricFamily]:
        """The fast path's answers, for the registry: counted without a lock, which would cost a page a microsecond."""
        family = prometheus_client.core.CounterMetricFamily(
            "pypi_clone_fast_requests", "Requests answered before Flask.", labels=["status"]
        )
        for status, counter in self._fast_answers.items():
            family.add_metric([str(status)], next(copy.copy(counter)))
        yield family

    def close(self) -> None:
        """Write the last log lines."""
        self._log.close()

    def _request_id(self, environ: Environ) -> str:
        given = environ.get("HTTP_X_REQUEST_ID")
        if given is not None and _GOOD_REQUEST_ID.fullmatch(given):
            return str(given)
        return f"{self._prefix}-{next(self._numbers):06x}"

    def _fault(self, environ: Environ) -> tuple[str, str] | None:
        """What is wrong with the request's frame: a status and a sentence, or None."""
        if len(environ.get("PATH_INFO", "")) > _LONGEST_PATH or len(environ.get("QUERY_STRING", "")) > _LONGEST_QUERY:
            return "414 URI Too Long", "The address is too long; shorten it."
        if "\0" in environ.get("PATH_INFO", ""):
            return "400 Bad Request", "The address has a NUL character; leave it out."
        host = environ.get("HTTP_HOST", "")
        known = (
            environ.get("PATH_INFO") in _FOR_SUPERVISORS  # they ask by whatever address they know
            or self._is_good_host(host)
            or self._is_own_machine(environ, host)
        )
        if not known and not self._is_proxied_name(environ, host):
            return "400 Bad Request", _BAD_HOST
        length = environ.get("CONTENT_LENGTH")
        if length and not (length.isascii() and length.isdigit() and len(length) < 19):
            return "400 Bad Request", "The Content-Length is not a number of bytes; send one."
        if "HTTP_TRANSFER_ENCODING" in environ and length:
            return "400 Bad Request", "The request has both Content-Length and Transfer-Encoding; send one of them."
        return None

    def _is_good_host(self, host: str) -> bool:
        if host in self._good_hosts:
            return True
        name = _name_in(host)
        if name is None:
            return False
        accepted = self._settings.accepted_hosts
        if accepted and name.lower().strip("[]") not in {one.strip("[]") for one in accepted}:
            return False
        if not accepted and self._settings.is_local and not is_local_name(host):
            return False
        if len(self._good_hosts) >= _MOST_HOSTS:
            self._good_hosts.clear()
        self._good_hosts.add(host)
        return True

    def _is_own_machine(self, environ: Environ, host: str) -> bool:
        """Whether a program on this machine asks directly, by a name of the machine: for monitoring and repairs."""
        return _name_in(host) is not None and is_local_name(host) and peer_of(environ, self._settings).is_local

    def _is_proxied_name(self, environ: Environ, host: str) -> bool:
        """Whether a foreign name on a server of this machine only may be that of a proxy that it was not told of.

        A page of a stranger's whose name was rebound to 127.0.0.1 looks the same but for being a script's request in a
        browser, and can feign the forwarded header. Where everybody may upload, scripts are therefore refused.
        """
        if self._settings.accepted_hosts or _name_in(host) is None or "HTTP_X_FORWARDED_FOR" not in environ:
            return False
        by_script = environ.get("HTTP_SEC_FETCH_DEST") == "empty" or "HTTP_ORIGIN" in environ
        return self._settings.auth_enabled or not by_script

    def _refuse(
        self, environ: Environ, start_response: StartResponse, fault: tuple[str, str], started: float
    ) -> Iterable[bytes]:
        status, sentence = fault
        body = f"{sentence}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-ID", environ[REQUEST_ID]),
        ]
        if status.startswith("503"):
            headers.append(("Retry-After", "2"))
        start_response(status, headers)
        self._requests.labels(status[:3], "front").inc()
        self._add_line(environ, int(status[:3]), len(body), started)
        return [body]

    def _by_flask(self, environ: Environ, start_response: StartResponse, started: float) -> Iterable[bytes]:
        self._believe_proxy(environ)
        seen: dict[str, int] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen["status"] = int(status[:3])
            headers.append(("X-Request-ID", environ[REQUEST_ID]))
            self._requests.labels(status[:3], "flask").inc()
            self._seconds.observe(time.perf_counter() - started)
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        body = self._app(environ, start)
        return Logged(body, lambda size: self._add_line(environ, seen.get("status", 500), size, started))

    def _believe_proxy(self, environ: Environ) -> None:
        """Take scheme and prefix from a trusted proxy, and from nobody else; the Host it passes on is checked above."""
        if not self._has_proxies or not is_trusted(environ.get("REMOTE_ADDR", ""), self._settings):
            return
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "")
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX", "")
        if re.fullmatch(r"(?:/[A-Za-z0-9._-]+)+", prefix):
            addressing.prefix_again(environ, prefix)

    def _add_line(self, environ: Environ, status: int, size: int, started: float) -> None:
        client = peer_of(environ, self._settings).address if self._has_proxies else environ.get("REMOTE_ADDR", "")
        self._log.add(
            Line(
                time.time(),
                environ["REQUEST_METHOD"],
                environ.get(addressing.PATH) or environ.get("PATH_INFO", ""),
                status,
                size,
                (time.perf_counter() - started) * 1000,
                environ.get("pypi.user", "-"),
                client,
                environ[REQUEST_ID],
                environ.get("HTTP_USER_AGENT", "-")[:_SHOWN_AGENT],
            )
        )


def _name_in(host: str) -> str | None:
    """The name or address in a Host header; None for one that is not well-formed."""
    found = _GOOD_HOST.fullmatch(host)
    return found[1] if found is not None and int(found[2] or 0) <= 65_535 else None


class Logged:
    """A body whose end is told, with the bytes that were sent."""

    def __init__(self, body: Iterable[bytes], ended: Callable[[int], None]) -> None:
        self._body = body
        self._pieces = iter(body)
        self._ended = ended
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self._size += len(piece)
        return piece

    def close(self) -> None:
        """Close the body and write the line."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
        self._ended(self._size)
