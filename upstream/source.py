"""An upstream as a source of projects and files (``simple.sources.Source``), and more that only files need."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

from packaging.utils import NormalizedName

from errors import UnknownFile, UnknownProject
from simple.kept import TakenFile
from simple.model import File, ListedProject, ProjectDetail, ProjectList, file_url
from simple.sources import FileRecord
from upstream.fetching import Fetcher, TailedFile, Wanted, record
from upstream.flights import Waiting
from upstream.keeping import ByteStore, FileRecordKeeper, PageKeeper, Taken
from upstream.metadata import MetadataFinder
from upstream.page import UpstreamFile, UpstreamPage
from upstream.pages import Held, ProjectPages
from upstream.upstream import Upstream, UpstreamState

_AGE_STEP = timedelta(minutes=10)  # a stale page tells its age, and is drawn again so often
_MOST_RECORDED = 50_000  # files of which it is remembered that they are recorded


class Recorded:
    """Which files are known to be recorded, so that serving one again asks nobody. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def has(self, upstream: str, filename: str) -> bool:
        """Whether the file is known to be recorded."""
        return (upstream, filename) in self._known

    def add(self, upstream: str, filename: str) -> None:
        """Remember that it is."""
        with self._lock:
            self._known[upstream, filename] = None
            if len(self._known) > _MOST_RECORDED:
                self._known.popitem(last=False)

    def clear(self) -> None:
        """Remember nothing: files were dropped or forgotten."""
        with self._lock:
            self._known.clear()


@dataclass(frozen=True, slots=True)
class SourceTools:
    """What the sources of a process share."""

    pages: PageKeeper
    files: FileRecordKeeper
    store: ByteStore
    fetcher: Fetcher
    metadata: MetadataFinder
    waiting: Waiting
    recorded: Recorded


class UpstreamSource:
    """One upstream of an index. Made by ``UpstreamHub.source``; cheap, and safe between threads.

    Whether a name may be asked of it at all is decided by whoever asks: it sends every name on.
    """

    def __init__(self, upstream: Upstream, pages: ProjectPages, tools: SourceTools, taken: Taken) -> None:
        self._upstream = upstream
        self._pages = pages
        self._tools = tools
        self._taken = taken

    # -- what Source asks

    def project_list(self) -> ProjectList:
        """The projects of which files were taken in and are kept; serials are 0, as the upstream's are not ours."""
        names = self._tools.files.projects(self._upstream.config.key)
        return ProjectList(tuple(ListedProject(name, name, 0) for name in names), 0)

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """The project as the upstream lists it, its files at our own addresses.

        Offline only files are listed whose bytes are here, so that nobody chooses one that cannot be had. Raises
        UnknownProject; UpstreamFailed where the upstream fails and no page of it is kept.
        """
        held = self._pages.at_hand(name)
        page = _page(held, name)
        files = [_listed(page, file) for file in page.files.values()]
        versions = page.versions
        if self._upstream.config.is_offline:
            kept = self._tools.files.kept(self._upstream.config.key, name)
            files = [file for file in files if file.filename in kept]
            with_files = {file.version for file in files}
            versions = tuple(version for version in versions if version in with_files)
        return ProjectDetail(
            name=name,
            files=tuple(files),
            versions=versions,
            serial=page.serial,
            status=page.status,
            status_reason=page.status_reason,
            display_name=name,
            stale_since=held.fetched if held.is_stale else None,
        )

    def file(self, name: NormalizedName, filename: str) -> FileRecord:
        """What a file is. Waits for as much of it as is needed to tell its size and digest, where the page does not.

        Raises UnknownFile; UpstreamFailed, StorageFull, StorageFailed.
        """
        file = self._file(name, filename)
        sha256, size = self._facts(Wanted(name, file))
        metadata = file.core_metadata
        return FileRecord(
            project=name,
            filename=filename,
            version=file.version,
            location=self._upstream.stored_as(sha256),
            size=size,
            sha256=sha256,
            uploaded=file.uploaded,
            core_metadata_sha256="" if metadata is None and file.kind == "bdist_wheel" else metadata,
        )

    def validity(self, name: NormalizedName | None) -> Hashable:
        """The digest of the project's page, asked for again if its time is over, and for how long it is stale.

        For the list: what was taken in. Raises UnknownProject; UpstreamFailed where no page can be had.
        """
        key = self._upstream.config.key
        if name is None:
            return self._tools.files.revision(key)
        held = self._pages.current(name)
        stale = 1 + (datetime.now(UTC) - held.fetched) // _AGE_STEP if held.is_stale else 0
        kept = self._tools.files.kept(key, name) if self._upstream.config.is_offline else frozenset()
        return held.digest, stale, kept

    # -- what files need besides

    def open(self, record: FileRecord) -> BinaryIO:
        """The bytes of a file that ``file`` gave, from the store or while they come from the upstream.

        Reading waits for bytes that are still to come, and raises UpstreamFailed, StorageFull or StorageFailed where
        they do not; the last ones come when all were verified. Raises those itself, UnknownFile and MissingBytes.
        """
        if self._tools.store.size(record.location) is not None:
            self._see_recorded(record)
            return self._tools.store.open(record.location)
        wanted = Wanted(record.project, self._file(record.project, record.filename))
        with self._tools.waiting.place(self._upstream.config.key):
            fetch = self._tools.fetcher.join(self._upstream, wanted, self._take)
            return cast("BinaryIO", TailedFile(fetch, record.size))

    def core_metadata(self, name: NormalizedName, filename: str) -> bytes:
        """The core metadata file of a distribution (PEP 658). Raises UnknownFile, UpstreamFailed and as ``open``."""
        return self._tools.metadata.find(self._upstream, Wanted(name, self._file(name, filename)), self._take)

    def location(self, sha256: str) -> str:
        """The key of a file's bytes in the store."""
        return self._upstream.stored_as(sha256)

    def forget(self, name: NormalizedName) -> None:
        """Forget a project's page, so that files count as first seen when they are listed next.

        The record of files that were taken in is the database's to forget.
        """
        self._pages.forget(name)
        self._tools.recorded.clear()

    def state(self) -> UpstreamState:
        """What administrators see of the upstream, from this process."""
        key = self._upstream.config.key
        return self._upstream.state(self._tools.pages.count(key), self._tools.waiting.count(key))

    # --

    def _file(self, name: NormalizedName, filename: str) -> UpstreamFile:
        try:
            held = self._pages.at_hand(name)
            found = _page(held, name).files.get(filename)
            if found is None:  # another process may know a newer page, and have shown it
                newer = self._pages.reloaded(name)
                held = held if newer is None or newer.page is None else newer
                found = _page(held, name).files.get(filename)
        except UnknownProject:
            raise UnknownFile(filename) from None
        if found is None or not _page(held, name).status.offers_files:
            raise UnknownFile(filename)
        return found

    def _facts(self, wanted: Wanted) -> tuple[str, int]:
        """The sha256 of a file and its size in bytes."""
        if wanted.file.sha256 and wanted.file.size is not None:
            return wanted.file.sha256, wanted.file.size
        kept = self._tools.fetcher.kept(self._upstream, wanted)
        if kept is not None:
            return kept.sha256, kept.size
        with self._tools.waiting.place(self._upstream.config.key):
            fetch = self._tools.fetcher.join(self._upstream, wanted, self._take)
            if wanted.file.sha256:
                return wanted.file.sha256, fetch.size()
            taken = fetch.taken()
            return taken.sha256, taken.size

    def _take(self, file: TakenFile) -> None:
        self._taken(file)
        self._tools.recorded.add(self._upstream.config.key, file.filename)

    def _see_recorded(self, found: FileRecord) -> None:
        """A file may be here for another index only, or without its record, as after a crash."""
        key = self._upstream.config.key
        if self._tools.recorded.has(key, found.filename):
            return
        if found.filename in self._tools.files.kept(key, found.project):
            self._tools.recorded.add(key, found.filename)
            return
        record(
            self._take,
            TakenFile(found.project, found.filename, found.version, found.sha256, found.size, found.location),
        )


def _page(held: Held, name: NormalizedName) -> UpstreamPage:
    if held.page is None:
        raise UnknownProject(name)
    return held.page


def _listed(page: UpstreamPage, file: UpstreamFile) -> File:
    """A file as our own page offers it. Every wheel has core metadata: where the upstream has none, it is made."""
    metadata = file.core_metadata
    return File(
        filename=file.filename,
        url=file_url(page.name, file.filename),
        version=file.version,
        sha256=file.sha256,
        size=file.size,
        uploaded=file.uploaded,
        requires_python=file.requires_python,
        yanked=file.yanked,
        core_metadata="" if metadata is None and file.kind == "bdist_wheel" else metadata,
        provenance=file.provenance,
        md5=file.digest.removeprefix("md5=") if file.digest.startswith("md5=") else None,
        kind=file.kind,
        python_tag=file.python_tag,
    )
