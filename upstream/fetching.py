"""Files on their way in: one fetch for any number of askers, who get the bytes while they come.

A fetch runs in a thread of its own and goes on when those who wanted it have left. The bytes lie in a part file that
one process writes and all others follow. The last piece is held back until the digest was verified, so that nobody
ever gets the whole of a lie; what is not verified is not kept.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, cast

from packaging.utils import NormalizedName

from errors import MissingBytes, Refusal, StorageFailed, UpstreamFailed
from simple.kept import TakenFile
from upstream.client import Client, Incoming
from upstream.failures import CannotFetch
from upstream.keeping import ByteStore, FileRecordKeeper, Followed, PartFile, Taken
from upstream.page import UpstreamFile
from upstream.pages import failed_status
from upstream.upstream import Upstream

logger = logging.getLogger("pypi_clone.upstream")

HELD_BACK = 1 << 16
"""How many bytes of the end nobody gets before all were verified: a wheel's table of contents is among them."""
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to be taken in: of which project, and what the page says of it."""

    project: NormalizedName
    file: UpstreamFile


class Fetch:
    """One file on its way in. Everybody who reads it waits here."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: Callable[[], BinaryIO] | None = None
        self._come = 0
        self._total: int | None = None
        self._taken: TakenFile | None = None
        self._error: Refusal | None = None

    # -- told by the thread that fetches

    def begun(self, opener: Callable[[], BinaryIO], total: int | None) -> None:
        """The bytes begin to come, ``total`` of them if that is known."""
        with self._changed:
            self._open, self._total = opener, total
            self._changed.notify_all()

    def came(self, come: int) -> None:
        """So many bytes have come."""
        with self._changed:
            self._come = come
            self._changed.notify_all()

    def ended(self, taken: TakenFile) -> None:
        """All of them have come and are verified."""
        with self._changed:
            self._taken, self._total, self._come = taken, taken.size, taken.size
            self._changed.notify_all()

    def failed(self, error: Refusal) -> None:
        """They will not come."""
        with self._changed:
            self._error, self._open = error, None
            self._changed.notify_all()

    # -- asked by those who wait

    def size(self) -> int:
        """How many bytes it has, as soon as that is known. Raises UpstreamFailed, StorageFull, StorageFailed."""
        self._wait(lambda: self._total is not None)
        return self._total or 0

    def taken(self) -> TakenFile:
        """What was taken in, when all has come. Raises as ``size`` does."""
        self._wait(lambda: self._taken is not None)
        return cast("TakenFile", self._taken)

    def open(self) -> BinaryIO:
        """A handle of its own on the bytes so far, once they begin to come. Raises as ``size`` does."""
        self._wait(lambda: self._open is not None)
        opener = self._open
        if opener is not None:
            with suppress(MissingBytes):
                return opener()
        # It broke off just now, which is about to be told; or it has ended, and went from the store again.
        taken = self.taken()
        raise MissingBytes(taken.location)

    def readable(self, position: int) -> int:
        """Up to where bytes may be given out, once that is beyond a position or all are there. Raises as ``size``."""
        self._wait(lambda: self._taken is not None or self._free() > position)
        return self._free()

    def _free(self) -> int:
        if self._taken is not None:
            return self._taken.size
        return 0 if self._total is None else max(0, min(self._come, self._total - HELD_BACK))

    def _wait(self, ready: Callable[[], bool]) -> None:
        """The thread that fetches has limits of its own, so this ends."""
        with self._changed:
            self._changed.wait_for(lambda: ready() or self._error is not None)
            if self._error is not None and not ready():
                raise self._error


class TailedFile(io.RawIOBase):
    """A file that is read while it comes: reading waits for the bytes. Raises as ``Fetch.size`` does.

    A short read is no end: that comes with an empty one.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._file = fetch.open()
        self._position = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Anywhere; what has not come yet is waited for when it is read."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read from somewhere else on."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill what can be filled now, at least one byte unless it is at its end."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        free = self._fetch.readable(self._position)
        self._file.seek(self._position)
        piece = self._file.read(max(0, min(wanted, free - self._position)))
        if not piece:
            raise StorageFailed("A file that was being taken in is shorter than it was; try again.")
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Let go of it; the fetch goes on."""
        if not self.closed:
            self._file.close()
        super().close()


class Fetcher:
    """The fetches of one process, at most ``most`` at a time; more of them wait for their turn."""

    def __init__(self, client: Client, store: ByteStore, files: FileRecordKeeper, most: int) -> None:
        self._client = client
        self._store = store
        self._files = files
        self._turns = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._fetches: dict[str, Fetch] = {}
        self._threads: set[threading.Thread] = set()
        self._is_closed = threading.Event()

    def join(self, upstream: Upstream, wanted: Wanted, taken: Taken) -> Fetch:
        """The fetch of a file, begun now if there is none."""
        name = part_name(upstream, wanted)
        with self._lock:
            fetch = self._fetches.get(name)
            if fetch is not None:
                return fetch
            fetch = self._fetches[name] = Fetch()
            errand = _Errand(upstream, wanted, taken, fetch, name)
            thread = threading.Thread(target=self._fly, args=(errand,), daemon=True, name="upstream file")
            self._threads.add(thread)
            thread.start()
        return fetch

    def kept(self, upstream: Upstream, wanted: Wanted) -> TakenFile | None:
        """The file, if its bytes are in the store."""
        file = wanted.file
        if not file.sha256:
            found = self._files.of_project(upstream.config.key, wanted.project).get(file.filename)
            return found if found is not None and self._store.size(found.location) is not None else None
        location = upstream.stored_as(file.sha256)
        size = self._store.size(location)
        if size is None:
            return None
        return TakenFile(wanted.project, file.filename, file.version, file.sha256, size, location)

    def close(self, seconds: float = 5.0) -> None:
        """Break off what is under way, and wait some seconds until that has ended. What was begun is fetched anew."""
        self._is_closed.set()
        until = time.monotonic() + seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    # -- in a thread

    def _fly(self, errand: _Errand) -> None:
        try:
            with self._turn():
                self._run(errand)
        except Refusal as error:
            self._forget(errand)
            errand.fetch.failed(error)
        except Exception:
            logger.exception("Taking in %s failed.", errand.wanted.file.filename)
            self._forget(errand)
            errand.fetch.failed(
                UpstreamFailed("The file could not be taken in; an administrator finds why in the log.")
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._client.limits.head):
            raise UpstreamFailed("Too much is being fetched from other indexes just now; try again.", 5)
        try:
            yield
        finally:
            self._turns.release()

    def _forget(self, errand: _Errand) -> None:
        with self._lock:
            self._fetches.pop(errand.name, None)

    def _run(self, errand: _Errand) -> None:
        while True:
            part = self._store.begin(errand.name)
            if part is not None:
                break
            followed = self._store.follow(errand.name)
            if followed is not None and self._follow(errand, followed):
                return
        try:
            taken = self.kept(errand.upstream, errand.wanted)
            if taken is not None:  # by another process, a moment ago
                errand.fetch.begun(partial(self._store.open, taken.location), taken.size)
            else:
                taken = self._bring(errand, part)
        finally:
            part.drop()
        self._end(errand, taken)

    def _end(self, errand: _Errand, taken: TakenFile) -> None:
        record(errand.taken, taken)
        self._forget(errand)
        errand.fetch.ended(taken)

    def _follow(self, errand: _Errand, followed: Followed) -> bool:
        """Read along with another process; whether anything came of that. Raises UpstreamFailed if it broke off."""
        come, since = 0, time.monotonic()
        patience = self._client.limits.head + self._client.limits.idle
        with closing(followed):
            while not followed.is_over() and time.monotonic() - since < patience and not self._is_closed.is_set():
                time.sleep(_POLL)
                size = followed.size()
                if size != come:
                    if not come:
                        errand.fetch.begun(partial(self._opened, errand, followed), errand.wanted.file.size)
                    come, since = size, time.monotonic()
                    errand.fetch.came(come)
            taken = self.kept(errand.upstream, errand.wanted)
            if taken is not None:
                errand.fetch.begun(partial(self._store.open, taken.location), taken.size)
                self._end(errand, taken)
            elif come:
                raise UpstreamFailed(f"{errand.wanted.file.filename} could not be taken in; try again in a moment.", 5)
        return taken is not None

    def _opened(self, errand: _Errand, followed: Followed) -> BinaryIO:
        try:
            return followed.open()
        except MissingBytes:  # it has its own place by now, unless it broke off
            taken = self.kept(errand.upstream, errand.wanted)
            if taken is None:
                raise
            return self._store.open(taken.location)

    def _bring(self, errand: _Errand, part: PartFile) -> TakenFile:
        upstream, file = errand.upstream, errand.wanted.file
        try:
            with (
                upstream.asking(file.url),
                self._client.file(upstream.reach, file.url, upstream.authorization) as incoming,
            ):
                total = self._announced(file, incoming)
                errand.fetch.begun(part.open, total)
                sha256, size = self._receive(errand, part, incoming, total)
        except CannotFetch as error:
            logger.warning("%s was not had from %s: %s.", file.filename, upstream.shown_url, error.why)
            raise upstream.refusal(file.filename, error) from error
        location = upstream.stored_as(sha256)
        part.finish(location)
        return TakenFile(errand.wanted.project, file.filename, file.version, sha256, size, location)

    def _announced(self, file: UpstreamFile, incoming: Incoming) -> int | None:
        """How many bytes will come. Raises CannotFetch where that is not what the page says, or too many."""
        if incoming.status != 200:
            raise failed_status(incoming.status, incoming.headers)
        # Some say "gzip" of a file that is one by itself: its digest tells whether these are its bytes.
        if incoming.headers.get("Content-Encoding", "identity").lower() != "identity" and not file.digest:
            raise CannotFetch("it sends a file in a coding that was not asked for", is_outage=False)
        length = incoming.length
        if length is not None and file.size is not None and length != file.size:
            raise CannotFetch(f"it sends {length:,} bytes where its page says {file.size:,}", is_outage=False)
        total = length if file.size is None else file.size
        if total is not None and total > self._client.limits.file_bytes:
            raise CannotFetch(f"it has more than {self._client.limits.file_bytes:,} bytes", is_outage=False)
        return total

    def _receive(self, errand: _Errand, part: PartFile, incoming: Incoming, total: int | None) -> tuple[str, int]:
        """Write what comes, and verify it; the sha256 and how many bytes. Raises CannotFetch for other bytes."""
        algorithm, _, expected = errand.wanted.file.digest.partition("=")
        sha256 = hashlib.sha256()
        told = sha256 if algorithm in {"sha256", ""} else hashlib.new(algorithm, usedforsecurity=False)
        size = 0
        for piece in incoming.pieces():
            size += len(piece)
            if size > (self._client.limits.file_bytes if total is None else total):
                raise CannotFetch("it sends more bytes than it said", is_outage=False)
            if self._is_closed.is_set():
                raise UpstreamFailed("The server is being stopped; try again in a moment.", 5)
            part.write(piece)
            sha256.update(piece)
            if told is not sha256:
                told.update(piece)
            errand.fetch.came(size)
        if total is not None and size != total:
            raise CannotFetch("its answer was cut off")
        if expected and told.hexdigest() != expected:
            logger.error(
                "The upstream %s sent other bytes of %s than its page says (%s instead of %s); nothing was kept.",
                errand.upstream.shown_url, errand.wanted.file.filename, told.hexdigest(), expected,
            )  # fmt: skip
            raise CannotFetch("it sent other bytes than its page says, and nothing was kept", is_outage=False)
        return sha256.hexdigest(), size


@dataclass(frozen=True, slots=True)
class _Errand:
    upstream: Upstream
    wanted: Wanted
    taken: Taken
    fetch: Fetch
    name: str


def part_name(upstream: Upstream, wanted: Wanted) -> str:
    """What a file's part is called: by what it will be, or else by where it comes from."""
    if wanted.file.sha256:
        return upstream.stored_as(wanted.file.sha256)
    facts = "\0".join((upstream.config.key, wanted.project, wanted.file.filename, wanted.file.url, wanted.file.digest))
    return f"by-name-{hashlib.sha256(facts.encode()).hexdigest()}"


def record(taken: Taken, file: TakenFile) -> bool:
    """Have a file recorded that was taken in; whether that was done. It is tried again when it is next asked for."""
    try:
        taken(file)
    except Refusal as error:
        logger.warning("%s was taken in and could not be recorded: %s", file.filename, error.sentence)
        return False
    return True
