"""One upstream as this process knows it: what it is set to, whether it answers, and what is asked of it."""

from __future__ import annotations

import base64
import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from errors import UpstreamFailed
from upstream.addresses import Reach
from upstream.breaker import Breaker
from upstream.failures import CannotFetch

_MOST_BREAKERS = 256  # hosts that failed lately, of one upstream


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """How one upstream is set up.

    ``key`` names it for ever: what was taken in belongs to it. ``url`` has passed ``check_url``. Without a ``username``
    and ``password`` nothing is said of who asks. ``is_offline``: nothing is asked, what was taken in is served.
    ``private_hosts`` are names of hosts with its files that may be in our own network.
    """

    key: str
    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    allow_private: bool = False
    is_offline: bool = False
    private_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """What administrators see of an upstream in this process.

    ``why`` says in words what went wrong last. ``open_until`` is until when nobody is asked, None if it is asked.
    ``kept_pages`` are those of its projects; ``waiting`` how many requests wait for it now.
    """

    key: str
    url: str
    is_offline: bool
    last_success: datetime | None
    last_failure: datetime | None
    why: str
    open_until: datetime | None
    kept_pages: int
    waiting: int


class Upstream:
    """One upstream. Safe between threads; ``clock`` is monotonic, in seconds."""

    def __init__(self, config: UpstreamConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.config = config
        self.reach = Reach.of(config.url, allow_private=config.allow_private, private_hosts=config.private_hosts)
        self.clock = clock
        self._lock = threading.Lock()
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()
        self._last_success: datetime | None = None
        self._last_failure: datetime | None = None
        self._why = ""

    @property
    def shown_url(self) -> str:
        """Its address for people and logs: there are no secrets in it."""
        parts = urlsplit(self.config.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()

    @property
    def authorization(self) -> str:
        """What its Authorization header says (RFC 7617); "" where nothing is said."""
        if not self.config.username and not self.config.password:
            return ""
        pair = f"{self.config.username}:{self.config.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def stored_as(self, sha256: str) -> str:
        """The key of a file's bytes in the store.

        Upstreams that everybody may read share bytes. Those that need a password or lie inside have their own, so that
        nobody gets at them by listing their digest on the page of another index.
        """
        if self.config.allow_private or self.config.private_hosts or self.authorization:
            return f"{hashlib.sha256(self.config.key.encode()).hexdigest()[:16]}-{sha256}"
        return sha256

    @contextmanager
    def asking(self, url: str) -> Iterator[None]:
        """Ask something at an address within this block. Raises CannotFetch at once while its host is left alone.

        What the block raises as CannotFetch is noted, and counted where it is an outage.
        """
        if self.config.is_offline:
            raise CannotFetch("nothing is asked of it (offline)", is_outage=False, retry_after=60)
        breaker = self._breaker(url)
        if not breaker.may_ask():
            seconds = max(1, math.ceil(breaker.seconds_open()))
            raise CannotFetch("it failed again and again and is left alone for now", retry_after=seconds)
        try:
            yield
        except CannotFetch as error:
            if error.is_outage:
                breaker.failed()
            self.note_failure(error.why)
            raise
        breaker.succeeded()
        with self._lock:
            self._last_success = datetime.now(UTC)

    def note_failure(self, why: str) -> None:
        """Remember what went wrong, for administrators."""
        with self._lock:
            self._last_failure, self._why = datetime.now(UTC), why

    def refusal(self, what: str, error: CannotFetch) -> UpstreamFailed:
        """The refusal of something that was not had."""
        return UpstreamFailed(
            f"{what} cannot be had from the upstream {self.shown_url}: {error.why}.", error.retry_after
        )

    def state(self, kept_pages: int, waiting: int) -> UpstreamState:
        """What administrators see."""
        seconds = self._breaker(self.config.url).seconds_open()
        with self._lock:
            return UpstreamState(
                key=self.config.key,
                url=self.shown_url,
                is_offline=self.config.is_offline,
                last_success=self._last_success,
                last_failure=self._last_failure,
                why=self._why,
                open_until=datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None,
                kept_pages=kept_pages,
                waiting=waiting,
            )

    def _breaker(self, url: str) -> Breaker:
        host = urlsplit(url).netloc
        with self._lock:
            breaker = self._breakers.get(host)
            if breaker is None:
                breaker = self._breakers[host] = Breaker(self.clock)
                if len(self._breakers) > _MOST_BREAKERS:
                    self._breakers.popitem(last=False)
            self._breakers.move_to_end(host)
            return breaker
