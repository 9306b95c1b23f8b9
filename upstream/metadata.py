"""The core metadata of files (PEP 658): from the upstream, from the bytes that are here, or from a part of a wheel.

It is kept beside the file's bytes, under the file's own digest. What was made from a part of a wheel, which no digest
covers, stands only until the whole wheel is here; what is verified never changes.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from urllib.parse import urlsplit

from errors import Refusal, UnknownFile
from upstream.client import Client
from upstream.failures import CannotFetch
from upstream.fetching import Fetcher, Wanted
from upstream.flights import Flights, Waiting
from upstream.keeping import ByteStore, Taken
from upstream.pages import failed_status
from upstream.upstream import Upstream
from upstream.wheel_metadata import NoMetadata, Windows, metadata_of

logger = logging.getLogger("pypi_clone.upstream")

VERIFIED = ".metadata"
PROVISIONAL = ".metadata-of-a-part"


class MetadataFinder:
    """Finds the core metadata of the files of every upstream."""

    def __init__(self, client: Client, store: ByteStore, fetcher: Fetcher, waiting: Waiting, most: int) -> None:
        self._client = client
        self._store = store
        self._fetcher = fetcher
        self._waiting = waiting
        self._flights: Flights[bytes] = Flights(most, client.limits.page)

    def find(self, upstream: Upstream, wanted: Wanted, taken: Taken) -> bytes:
        """The core metadata of a file that has some. Raises UnknownFile, UpstreamFailed, StorageFull, StorageFailed."""
        location = upstream.stored_as(wanted.file.sha256) if wanted.file.sha256 else None
        kept = self._kept(location, VERIFIED) if location is not None else None
        if kept is not None:
            return kept
        key = (upstream.config.key, wanted.project, wanted.file.filename)
        with self._waiting.place(upstream.config.key):
            flight = self._flights.join(key, lambda: self._made(upstream, wanted, taken))
            return flight.result()

    def _made(self, upstream: Upstream, wanted: Wanted, taken: Taken) -> bytes:
        if not wanted.file.sha256:  # without a digest only the whole file has one
            with suppress(NoMetadata):
                return self._from_the_whole(upstream, wanted, taken)
            raise UnknownFile(f"{wanted.file.filename}{VERIFIED}")
        location = upstream.stored_as(wanted.file.sha256)
        try:
            if wanted.file.kind == "bdist_wheel" and self._store.size(location) is not None:
                return self._from_the_whole(upstream, wanted, taken)
            if wanted.file.core_metadata is not None:
                offered = self._offered(upstream, wanted, location)
                if offered is not None:
                    return offered
            if wanted.file.kind == "bdist_wheel":
                return self._from_a_part(upstream, wanted, location) or self._from_the_whole(upstream, wanted, taken)
        except CannotFetch as error:
            raise upstream.refusal(f"The core metadata of {wanted.file.filename}", error) from error
        except NoMetadata:
            pass
        raise UnknownFile(f"{wanted.file.filename}{VERIFIED}")

    # -- the three ways

    def _offered(self, upstream: Upstream, wanted: Wanted, location: str) -> bytes | None:
        """What the upstream has beside the file; None where it turns out to have nothing. Raises CannotFetch."""
        parts = urlsplit(wanted.file.url)
        url = parts._replace(path=parts.path + VERIFIED).geturl()
        with upstream.asking(url):
            limit = self._client.limits.metadata_bytes
            answer = self._client.small(upstream.reach, url, {}, limit, upstream.authorization)
            if answer.status in {404, 410}:
                return None
            if answer.status != 200:
                raise failed_status(answer.status, answer.headers)
            told = wanted.file.core_metadata
            if told and hashlib.sha256(answer.body).hexdigest() != told:
                logger.error(
                    "The upstream %s sent other core metadata of %s than its page says; nothing was kept.",
                    upstream.shown_url, wanted.file.filename,
                )  # fmt: skip
                raise CannotFetch("it sent other bytes than its page says, and nothing was kept", is_outage=False)
        return self._keep(location, VERIFIED, answer.body)

    def _from_a_part(self, upstream: Upstream, wanted: Wanted, location: str) -> bytes | None:
        """Read from ranges of a wheel; None where the upstream gives no ranges. Raises CannotFetch, NoMetadata."""
        kept = self._kept(location, PROVISIONAL)
        if kept is not None:
            return kept
        with upstream.asking(wanted.file.url):
            try:
                size = wanted.file.size or self._size(upstream, wanted)
                windows = Windows(size, lambda first, last: self._range(upstream, wanted, first, last))
                body = metadata_of(windows, wanted.project, self._client.limits.metadata_bytes)
            except _NoRanges:
                return None
        return self._keep(location, PROVISIONAL, body)

    def _from_the_whole(self, upstream: Upstream, wanted: Wanted, taken: Taken) -> bytes:
        """Read from the verified bytes of a wheel. Raises NoMetadata, UpstreamFailed, StorageFull, StorageFailed."""
        if wanted.file.kind != "bdist_wheel":
            raise NoMetadata
        found = self._fetcher.kept(upstream, wanted) or self._fetcher.join(upstream, wanted, taken).taken()
        with self._store.open(found.location) as file:

            def read(first: int, last: int) -> bytes:
                file.seek(first)
                return file.read(last - first + 1)

            body = metadata_of(Windows(found.size, read), wanted.project, self._client.limits.metadata_bytes)
        before = self._kept(found.location, PROVISIONAL)
        if before is not None:
            if before != body:
                logger.error(
                    "The upstream %s sent other core metadata in a part of %s than is in the whole file.",
                    upstream.shown_url, wanted.file.filename,
                )  # fmt: skip
            self._store.remove(found.location + PROVISIONAL)
        return self._keep(found.location, VERIFIED, body)

    def _size(self, upstream: Upstream, wanted: Wanted) -> int:
        """How many bytes a file has, from the answer to a range of one byte."""
        answer = self._asked(upstream, wanted, "bytes=0-0")
        total = answer[0].rpartition("/")[2]
        if not (total.isascii() and total.isdigit() and len(total) < 19):
            raise _NoRanges
        return int(total)

    def _range(self, upstream: Upstream, wanted: Wanted, first: int, last: int) -> bytes:
        said, body = self._asked(upstream, wanted, f"bytes={first}-{last}")
        if not said.startswith(f"bytes {first}-{last}/"):
            raise _NoRanges
        return body

    def _asked(self, upstream: Upstream, wanted: Wanted, asked: str) -> tuple[str, bytes]:
        """The Content-Range and the bytes of a range (RFC 9110, 14)."""
        limit = self._client.limits.metadata_bytes + (1 << 17)
        reach, authorization = upstream.reach, upstream.authorization
        answer = self._client.range(reach, wanted.file.url, asked, limit, authorization)
        if answer.status in {200, 416, 501}:
            raise _NoRanges
        if answer.status != 206:
            raise failed_status(answer.status, answer.headers)
        return answer.headers.get("Content-Range", ""), answer.body

    # -- what is kept

    def _kept(self, location: str, ending: str) -> bytes | None:
        if self._store.size(location + ending) is None:
            return None
        with self._store.open(location + ending) as file:
            return file.read()

    def _keep(self, location: str, ending: str, body: bytes) -> bytes:
        try:
            self._store.put(location + ending, body)
        except Refusal as error:
            logger.warning("Core metadata of a file is not kept: %s", error.sentence)
        return body


class _NoRanges(Exception):
    pass
