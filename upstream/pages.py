"""The pages of upstreams: in memory, in the database, and asked for again when their time is over.

A page is fresh for as long as the upstream says, within bounds. After that it is asked for with its ETag; while that
fails it is served as stale. "There is no such project" is remembered for a minute at most and failures never, so that
an upstream that is down is not mistaken for one that lacks the project.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from packaging.utils import NormalizedName

from errors import NotKept, Refusal, UnknownProject
from simple.kept import KeptPage
from upstream.client import Answer, Client, Grow, LargePages
from upstream.failures import CannotFetch
from upstream.flights import Flights, Waiting
from upstream.keeping import FileRecordKeeper, PageKeeper
from upstream.page import UpstreamPage, digest_of, keep_first_seen
from upstream.parsing import ACCEPT, read_page
from upstream.upstream import Upstream

logger = logging.getLogger("pypi_clone.upstream")

SHORTEST_FRESH = 60
LONGEST_FRESH = 600
UNKNOWN_SECONDS = 60
_RETRY_SECONDS = 30.0  # a page that could not be refreshed is left as it is
_PATIENCE = 2.0  # seconds that somebody waits for a refresh when there is a page to be had
_OFFLINE_SECONDS = 10.0  # the database is looked into again, where a mirror may have been imported
_MEMORY_FILES = 200_000  # on the pages in memory; a file takes about half a kilobyte
_PAGE_WEIGHT = 20  # a page without files, as so many of them
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,9})")
_NO_CACHE = re.compile(r"(?:^|,)\s*(?:no-cache|no-store)\b")
_OUTAGES = frozenset({408, 425, 429})

Key = tuple[str, NormalizedName]


@dataclass(frozen=True, slots=True)
class Held:
    """A page at hand; ``page`` is None where the upstream said that there is no such project.

    ``looked_at`` and ``retry_at`` are on the monotonic clock: when it was read, and before when it is not asked for.
    """

    page: UpstreamPage | None
    digest: str
    fetched: datetime
    expires: datetime
    looked_at: float
    retry_at: float = 0.0

    @property
    def is_stale(self) -> bool:
        """Whether its time is over."""
        return datetime.now(UTC) >= self.expires


class PageMemory:
    """The pages that were used lately, of every upstream. Safe between threads."""

    def __init__(self, most_files: int = _MEMORY_FILES) -> None:
        self._most = most_files
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, Held] = OrderedDict()
        self._weight = 0

    def get(self, key: Key) -> Held | None:
        """The page, if it is in memory."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
            return held

    def put(self, key: Key, held: Held) -> Held:
        """Remember a page, and forget those that were not used for longest; the page."""
        with self._lock:
            self._put(key, held)
        return held

    def replace(self, key: Key, old: Held, new: Held) -> Held:
        """Remember a page in the place of another one; what is remembered now, if that is neither."""
        with self._lock:
            held = self._held.get(key)
            if held is not None and held is not old:
                return held if held.page is not None else new
            self._put(key, new)
        return new

    def drop(self, key: Key) -> None:
        """Forget a page."""
        with self._lock:
            self._drop(key)

    def _put(self, key: Key, held: Held) -> None:
        self._drop(key)
        self._held[key] = held
        self._weight += _weight(held)
        while self._weight > self._most and len(self._held) > 1:
            self._drop(next(iter(self._held)))

    def _drop(self, key: Key) -> None:
        replaced = self._held.pop(key, None)
        if replaced is not None:
            self._weight -= _weight(replaced)


def _weight(held: Held) -> int:
    return _PAGE_WEIGHT + (len(held.page.files) if held.page is not None else 0)


@dataclass(frozen=True, slots=True)
class PageTools:
    """What the pages of all upstreams of a process share."""

    client: Client
    pages: PageKeeper
    files: FileRecordKeeper
    memory: PageMemory
    flights: Flights[Held | CannotFetch]
    waiting: Waiting
    large: LargePages


class ProjectPages:
    """The pages of one upstream."""

    def __init__(self, upstream: Upstream, tools: PageTools) -> None:
        self._upstream = upstream
        self._tools = tools

    def current(self, name: NormalizedName) -> Held:
        """The page of a project, fresh if that can be. Raises UnknownProject; UpstreamFailed where none is at hand."""
        key = self._key(name)
        held = self._tools.memory.get(key)
        if self._upstream.config.is_offline:
            return self._offline(name, held)
        if held is None or (held.is_stale and held.page is None):
            held = self._load(name) or held
        if held is not None and not held.is_stale:
            return _known(held, name)
        usable = held if held is not None and held.page is not None else None
        if usable is not None and self._upstream.clock() < usable.retry_at:
            return usable
        return _known(self._refreshed(name, usable), name)

    def at_hand(self, name: NormalizedName) -> Held:
        """The page as ``current`` has just given it, without asking again unless it was forgotten since."""
        held = self._tools.memory.get(self._key(name))
        return held if held is not None and held.page is not None else self.current(name)

    def reloaded(self, name: NormalizedName) -> Held | None:
        """The page as another process may have kept it meanwhile; None where there is none."""
        return self._load(name)

    def forget(self, name: NormalizedName) -> None:
        """Forget a project's page, so that what the upstream says next counts as first seen."""
        self._tools.pages.forget(*self._key(name))
        self._tools.memory.drop(self._key(name))

    def _key(self, name: NormalizedName) -> Key:
        return self._upstream.config.key, name

    def _offline(self, name: NormalizedName, held: Held | None) -> Held:
        if held is None or self._upstream.clock() - held.looked_at > _OFFLINE_SECONDS:
            held = self._load(name)
        if held is None or held.page is None:
            raise NotKept(name)
        return held

    def _load(self, name: NormalizedName) -> Held | None:
        """The page in the database, now in memory too."""
        key = self._key(name)
        kept = self._tools.pages.load(*key)
        page = self._read(key, kept)
        if kept is None or page is None:
            return None
        before = self._tools.memory.get(key)
        held = Held(
            page=None if kept.is_gone else page,
            digest=kept.digest,
            fetched=kept.fetched,
            expires=kept.expires,
            looked_at=self._upstream.clock(),
            retry_at=before.retry_at if before is not None else 0.0,
        )
        return self._tools.memory.put(key, held)

    def _read(self, key: Key, kept: KeptPage | None) -> UpstreamPage | None:
        """The page that is kept, which is taken from memory where it is the same; None where it cannot be read."""
        if kept is None:
            return None
        held = self._tools.memory.get(key)
        if held is not None and held.page is not None and held.digest == kept.digest:
            return held.page
        return UpstreamPage.from_bytes(kept.body)

    def _refreshed(self, name: NormalizedName, usable: Held | None) -> Held:
        """The page asked for again; the one at hand where that fails or takes too long."""
        key = self._key(name)
        patience = _PATIENCE if usable is not None else self._tools.client.limits.page + 1
        outcome: Held | CannotFetch
        try:
            with self._tools.waiting.place(self._upstream.config.key):
                outcome = self._tools.flights.join(key, lambda: self._fetch(name)).wait(patience)
        except TimeoutError:
            outcome = CannotFetch("it does not answer in time")
        except Refusal:
            if usable is not None:
                return usable
            raise
        if not isinstance(outcome, CannotFetch):
            return outcome
        if usable is None:
            raise self._upstream.refusal(f"The page of {name}", outcome)
        wait = max(_RETRY_SECONDS, float(outcome.retry_after))
        return self._tools.memory.replace(key, usable, replace(usable, retry_at=self._upstream.clock() + wait))

    # -- in a flight

    def _fetch(self, name: NormalizedName) -> Held | CannotFetch:
        """Ask the upstream, unless another process just did."""
        kept = self._tools.pages.load(*self._key(name))
        old = self._read(self._key(name), kept)
        if kept is not None and old is not None and datetime.now(UTC) < kept.expires:
            return self._remember(name, kept, None if kept.is_gone else old)
        url = f"{self._upstream.config.url}{quote(name)}/"
        try:
            with self._upstream.asking(url), self._tools.large.one() as grow:
                is_known = old is not None and kept is not None and not kept.is_gone
                answer = self._ask(url, kept if is_known else None, grow)
                if answer.status == 200:
                    new = read_page(name, answer, self._upstream.reach, self._tools.client.limits)
        except CannotFetch as error:
            logger.warning("The page of %s was not had from %s: %s.", name, self._upstream.shown_url, error.why)
            return error
        if answer.status == 200:
            return self._take(name, new, answer, old)
        if answer.status == 304 and kept is not None and old is not None:
            fresh = replace(kept, fetched=datetime.now(UTC), expires=_expiry(answer.headers), is_gone=False)
            return self._keep_anew(name, fresh, old)
        return self._gone(name, kept, old)

    def _ask(self, url: str, kept: KeptPage | None, grow: Grow) -> Answer:
        """The upstream's answer of 200, 304 or 404; any other is CannotFetch."""
        headers = {"Accept": ACCEPT}
        if kept is not None and kept.etag:
            headers["If-None-Match"] = kept.etag
        if kept is not None and kept.last_modified:
            headers["If-Modified-Since"] = kept.last_modified
        reach, authorization = self._upstream.reach, self._upstream.authorization
        answer = self._tools.client.page(reach, url, headers, authorization, grow)
        if answer.status in {200, 404, 410} or (answer.status == 304 and len(headers) > 1):
            return answer
        raise failed_status(answer.status, answer.headers)

    def _take(self, name: NormalizedName, new: UpstreamPage, answer: Answer, old: UpstreamPage | None) -> Held:
        """A new page: held against what was seen before, and kept."""
        if old is not None and 0 < new.serial < old.serial:
            why = f"it went back from serial {old.serial} to {new.serial} with {name}; the newer page is kept"
            logger.warning("Of the upstream %s: %s.", self._upstream.shown_url, why)
            self._upstream.note_failure(why)
            return self._kept_on(name, old)
        page = keep_first_seen(new, old, self._tools.files.of_project(*self._key(name)))
        self._alarm(new, page, old)
        body = page.to_bytes()
        kept = KeptPage(
            body=body,
            digest=digest_of(body),
            etag=_validator(answer.headers.get("ETag", "")),
            last_modified=_validator(answer.headers.get("Last-Modified", "")),
            serial=page.serial,
            fetched=datetime.now(UTC),
            expires=_expiry(answer.headers),
        )
        return self._keep(name, kept, page)

    def _keep_anew(self, name: NormalizedName, kept: KeptPage, old: UpstreamPage) -> Held:
        """A page that has not changed, with what was learnt meanwhile of files that were taken in."""
        taken = self._tools.files.of_project(*self._key(name))
        page = replace(keep_first_seen(old, old, taken), changed=old.changed)
        if page == old:
            return self._keep(name, kept, old)
        body = page.to_bytes()
        return self._keep(name, replace(kept, body=body, digest=digest_of(body)), page)

    def _kept_on(self, name: NormalizedName, old: UpstreamPage) -> Held:
        kept = self._tools.pages.load(*self._key(name))
        if kept is None:
            raise UnknownProject(name)
        soon = datetime.now(UTC) + timedelta(seconds=SHORTEST_FRESH)
        return self._keep(name, replace(kept, expires=soon, is_gone=False), old)

    def _gone(self, name: NormalizedName, kept: KeptPage | None, old: UpstreamPage | None) -> Held:
        """The upstream has no such project. What was first seen of it stands, should it come again."""
        now = datetime.now(UTC)
        until = now + timedelta(seconds=UNKNOWN_SECONDS)
        if kept is not None and old is not None:
            return self._keep(name, replace(kept, fetched=now, expires=until, is_gone=True), None)
        unknown = Held(None, "", now, until, self._upstream.clock())
        return self._tools.memory.put(self._key(name), unknown)

    def _keep(self, name: NormalizedName, kept: KeptPage, page: UpstreamPage | None) -> Held:
        try:
            self._tools.pages.save(*self._key(name), kept)
        except Refusal as error:
            logger.warning("The page of %s is kept in memory only: %s", name, error.sentence)
        return self._remember(name, kept, page)

    def _remember(self, name: NormalizedName, kept: KeptPage, page: UpstreamPage | None) -> Held:
        held = Held(page, kept.digest, kept.fetched, kept.expires, self._upstream.clock())
        return self._tools.memory.put(self._key(name), held)

    def _alarm(self, new: UpstreamPage, page: UpstreamPage, old: UpstreamPage | None) -> None:
        """Say aloud what the upstream tells otherwise than before."""
        before = set(old.changed) if old is not None else set()
        if new.dropped and (old is None or old.dropped != new.dropped):
            logger.warning(
                "The page of %s from %s has %d entries that cannot be listed; they are left out.",
                page.name, self._upstream.shown_url, new.dropped,
            )  # fmt: skip
        for filename in page.changed:
            if filename in before:
                continue
            logger.error(
                "The upstream %s now tells another digest of %s than when it was first seen; the first one stands.",
                self._upstream.shown_url, filename,
            )  # fmt: skip
            with suppress(Refusal):  # it is in the log, and on the page that is kept
                self._tools.files.note_change(self._upstream.config.key, filename, new.files[filename].digest)


def failed_status(status: int, headers: Mapping[str, str]) -> CannotFetch:
    """An answer's status as a failure; one of 500 and more, or one that asks for patience, is an outage."""
    if status in {401, 403}:
        return CannotFetch(f"it refuses us with {status}; its credentials may be wrong", is_outage=False)
    wait = headers.get("Retry-After", "")
    seconds = min(int(wait), 120) if wait.isascii() and wait.isdigit() and len(wait) < 9 else 10
    is_outage = status >= 500 or status in _OUTAGES
    return CannotFetch(f"it answers {status}", is_outage=is_outage, retry_after=max(1, seconds))


def _known(held: Held, name: NormalizedName) -> Held:
    if held.page is None:
        raise UnknownProject(name)
    return held


def _validator(text: str) -> str:
    """An ETag or date that is sent back as it came; "" for one that is too long to be kept."""
    return text if len(text) <= 200 and text.isascii() and text.isprintable() else ""


def _expiry(headers: Mapping[str, str]) -> datetime:
    """Until when an answer is fresh (RFC 9111): as it says, within our bounds."""
    control = headers.get("Cache-Control", "").lower()
    told = _MAX_AGE.search(control)
    age = headers.get("Age", "")
    seconds = int(told[1]) if told is not None else LONGEST_FRESH
    if told is not None and age.isascii() and age.isdigit() and len(age) < 9:
        seconds -= int(age)
    if _NO_CACHE.search(control) is not None:
        seconds = 0
    return datetime.now(UTC) + timedelta(seconds=min(max(seconds, SHORTEST_FRESH), LONGEST_FRESH))
