"""Each index put together: what it holds, and the sources through which it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from config import Settings
from database.catalogue import Catalogue
from database.deletions import Deletions
from database.descriptions import Descriptions
from database.download_figures import DownloadFigures
from database.engine import Database
from database.indexes import SERVER, IndexRow, IndexRows, KeptRow
from database.requirements import Requirements
from database.search import Search
from database.statistics import DownloadCounter
from indexes.reading import IndexReader, Kept, Member, Names, Redirect
from storage import Storage


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is asked of what one index holds. It stands as long as the index does, whatever is changed about it."""

    catalogue: Catalogue
    deletions: Deletions
    descriptions: Descriptions
    search: Search
    requirements: Requirements
    downloads: DownloadCounter
    download_figures: DownloadFigures


@dataclass(frozen=True, slots=True)
class IndexServices:
    """Everything that answers requests about one index. ``is_closed``: it is read only by who holds a role on it."""

    row: IndexRow
    reader: IndexReader
    holdings: Holdings
    is_closed: bool

    @property
    def name(self) -> str:
        """The index's name."""
        return self.row.name

    @property
    def catalogue(self) -> Catalogue:
        """The reader of what it holds."""
        return self.holdings.catalogue

    @property
    def deletions(self) -> Deletions:
        """What was deleted and can come back."""
        return self.holdings.deletions

    @property
    def descriptions(self) -> Descriptions:
        """The rendered descriptions."""
        return self.holdings.descriptions

    @property
    def search(self) -> Search:
        """The search in what it holds."""
        return self.holdings.search

    @property
    def requirements(self) -> Requirements:
        """Who requires whom."""
        return self.holdings.requirements

    @property
    def downloads(self) -> DownloadCounter:
        """The counter of downloads."""
        return self.holdings.downloads

    @property
    def download_figures(self) -> DownloadFigures:
        """The figures of downloads."""
        return self.holdings.download_figures


Upstreams = Callable[[IndexRow], tuple[Member | Redirect, ...]]


class Assembly:
    """Puts every index together as the rows now say; what stands from one time to the next is kept.

    ``upstreams`` gives an index's upstreams as members.
    """

    def __init__(self, database: Database, storage: Storage, settings: Settings, upstreams: Upstreams) -> None:
        self._database = database
        self._storage = storage
        self._settings = settings
        self._upstreams = upstreams
        self._rows = IndexRows(database)
        self._holdings: dict[int, Holdings] = {}

    def make(self) -> Mapping[str, IndexServices]:
        """The services of every index, by name."""
        rows = {row.name: row for row in self._rows.all()}
        kept = self._rows.kept()
        readers: dict[str, IndexReader] = {}

        def reader(row: IndexRow) -> IndexReader:
            if row.name not in readers:
                bases = tuple(reader(rows[base]) for base in row.bases)
                readers[row.name] = self._reader(row, bases, kept)
            return readers[row.name]

        # A row's id is never another index's while this process runs: SQLite gives a removed one's out again only
        # where it was the last, and then the name tells.
        return {
            row.name: IndexServices(row, reader(row), self._held(row), row.closed and self._settings.auth_enabled)
            for row in rows.values()
        }

    def _held(self, row: IndexRow) -> Holdings:
        found = self._holdings.get(row.id)
        if found is None or found.catalogue.index != row.name:
            database, name = self._database, row.name
            found = self._holdings[row.id] = Holdings(
                Catalogue(database, name, base_url=address_of(self._settings.base_url, name)),
                Deletions(database, name),
                Descriptions(database, name),
                Search(database, name),
                Requirements(database, name),
                DownloadCounter(database, name),
                DownloadFigures(database, name),
            )
        return found

    def _reader(self, row: IndexRow, bases: tuple[IndexReader, ...], kept: list[KeptRow]) -> IndexReader:
        catalogue = self._held(row).catalogue
        own = Member(
            row.name, "", catalogue, lambda record: self._storage.open(record.location), catalogue.core_metadata
        )
        patterns = tuple(Kept(one.index, one.pattern, one.team) for one in kept if one.index in {row.name, SERVER})
        return IndexReader(row.name, catalogue, own, Names(patterns), row.opened, bases, self._upstreams(row))


def address_of(base_url: str, index: str) -> str:
    """Where an index is: ``main`` at the server's own address, the others below it. "" where that is not known."""
    return base_url if index == "main" or not base_url else f"{base_url}/index/{index}"
