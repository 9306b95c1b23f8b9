"""Everything about upstreams that a process has once: connections, pages in memory, fetches, who waits for whom."""

from __future__ import annotations

import threading

import outbound
from upstream.client import Client, LargePages, Limits
from upstream.fetching import Fetcher
from upstream.flights import Flights, Waiting
from upstream.keeping import ByteStore, FileRecordKeeper, PageKeeper, Taken
from upstream.metadata import MetadataFinder
from upstream.pages import PageMemory, PageTools, ProjectPages
from upstream.source import Recorded, SourceTools, UpstreamSource
from upstream.upstream import Upstream, UpstreamConfig

MOST_PAGES = 16
MOST_FILES = 48
MOST_WAITING = 48


class UpstreamHub:
    """Hands out sources for upstreams. One a process; safe between threads.

    At most ``most_pages`` pages and ``most_files`` files are fetched at a time; more of them wait for their turn. At
    most ``most_waiting`` threads wait for either: fewer than the process has, so that it goes on answering while an
    upstream hangs, and about as many as one client asks for at once (uv: 50).
    """

    def __init__(
        self,
        pages: PageKeeper,
        files: FileRecordKeeper,
        store: ByteStore,
        *,
        limits: Limits | None = None,
        most_pages: int = MOST_PAGES,
        most_files: int = MOST_FILES,
        most_waiting: int = MOST_WAITING,
        resolver: outbound.Resolver = outbound.resolve,
    ) -> None:
        self._client = Client(limits, resolver)
        seconds = self._client.limits.page
        self._waiting = Waiting(most_waiting)
        self._page_tools = PageTools(
            self._client, pages, files, PageMemory(), Flights(most_pages, seconds), self._waiting, LargePages(seconds)
        )
        fetcher = Fetcher(self._client, store, files, most_files)
        metadata = MetadataFinder(self._client, store, fetcher, self._waiting, most_pages)
        self._tools = SourceTools(pages, files, store, fetcher, metadata, self._waiting, Recorded())
        self._lock = threading.Lock()
        self._upstreams: dict[str, Upstream] = {}

    def source(self, config: UpstreamConfig, taken: Taken) -> UpstreamSource:
        """A source for an upstream, whose files ``taken`` has recorded when they are taken in.

        What is known of the upstream's health stays while its configuration does. Raises InvalidSetting for an
        address that ``check_url`` would not have passed.
        """
        with self._lock:
            upstream = self._upstreams.get(config.key)
            if upstream is None or upstream.config != config:
                upstream = self._upstreams[config.key] = Upstream(config)
        return UpstreamSource(upstream, ProjectPages(upstream, self._page_tools), self._tools, taken)

    def files_were_dropped(self) -> None:
        """Files went from the store, or their records: what is remembered of them is looked up again."""
        self._tools.recorded.clear()

    def close(self) -> None:
        """Break off the fetches under way, and let go of the connections. The database may be closed then."""
        self._tools.fetcher.close()
        self._client.close()
