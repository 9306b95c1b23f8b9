"""The search: names first, then summaries and keywords, then descriptions; filtered, sorted, forgiving.

What people type is never search syntax: folded words are taken out of it and quoted. Each layer of hits is one
expression of the full-text index, and so is what filters it, so that counting and cutting a page out of a hundred
thousand projects costs the database milliseconds. Within a layer of names the closest come first, else the most
downloaded; what is sorted by is read from the narrow rows of ``listings``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, column, func, literal_column, select, table

from database import search_index as facts
from database.catalogue import ProjectSummary, summary_columns
from database.engine import Database
from database.models import Facet, Listing, PackageIndex, Project, Release
from database.search_match import Layer, Scope, Wanted
from database.spelling import alternatives
from database.words import passage_of, spans_in_name, spans_of, words_in
from distributions.facts import license_name
from errors import InvalidRequest

QUERY_CHARACTERS: Final = 200
RELEVANCE: Final = "relevance"
SORTS: Final = (RELEVANCE, "name", "updated", "downloads")
_QUERY_WORDS: Final = 10
_ENOUGH: Final = 1_000
_MOST_LICENSES: Final = 40
_MOST_CLASSIFIERS: Final = 100

_Order = tuple[Any, ...]  # what a statement is ordered by
_INDEX_ID = select(PackageIndex.id).where(PackageIndex.name == bindparam("name"))
_FACET = select(Facet.id).where(
    Facet.index_id == bindparam("index_id"),
    Facet.kind == bindparam("kind"),
    Facet.value.collate("NOCASE") == bindparam("value"),
    Facet.projects > 0,
)
_FULL_TEXT = table("search", column("rowid"))
_MATCHES = literal_column("search").op("MATCH")(bindparam("match"))
_COUNT = select(func.count()).select_from(_FULL_TEXT).where(_MATCHES)
_HITS = (
    select(Listing.project_id)
    .select_from(_FULL_TEXT.join(Listing, Listing.project_id == _FULL_TEXT.c.rowid))
    .where(_MATCHES)
)
_SUMMARIES = (
    select(Project.id, *summary_columns(), Listing.downloads, Listing.is_yanked)
    .join(Listing, Listing.project_id == Project.id)
    .where(Project.id.in_(bindparam("ids", expanding=True)))
)
_DESCRIPTIONS = (
    select(Release.project_id, Release.description)
    .join(Project, (Project.id == Release.project_id) & (Project.latest_version == Release.version))
    .where(Project.id.in_(bindparam("ids", expanding=True)))
)
_ORDERS: Final[dict[str, _Order]] = {
    RELEVANCE: (Listing.downloads.desc(), Listing.name),
    "name": (Listing.name.asc(),),
    "updated": (Listing.updated.desc(), Listing.project_id.desc()),
    "downloads": (Listing.downloads.desc(), Listing.name),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a project has to be, beside what is looked for; None and empty: anything.

    ``python`` is a version such as ``3.13``, one of ``distributions.facts.PYTHONS``; ``classifiers`` must all be there,
    each itself or one below it; ``is_yanked``: every release is. All is said of the latest release.
    """

    classifiers: tuple[str, ...] = ()
    license: str = ""
    python: str = ""
    status: str = ""
    has_wheel: bool | None = None
    is_yanked: bool | None = None


ANYTHING: Final = Filters()


@dataclass(frozen=True, slots=True)
class Hit(ProjectSummary):
    """One project that was found. ``passage`` is a piece of its description, where neither name nor summary matched."""

    downloads: int = 0
    is_yanked: bool = False
    passage: str = ""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found: ``total`` hits and one page of them.

    ``words`` are the folded words that were looked for. ``instead`` is what was looked for because the query's own
    words found nothing; ``suggestion`` what may have been meant where only descriptions have the words.
    """

    total: int
    hits: tuple[Hit, ...]
    instead: str | None = None
    suggestion: str | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ranked:
    """How many hits there are, how many of them in more than descriptions, and the projects of one page."""

    total: int
    close: int
    ids: list[int]


@dataclass(frozen=True, slots=True)
class Choices:
    """Licences and classifiers that can be filtered by, the most frequent first."""

    licenses: tuple[str, ...]
    classifiers: tuple[str, ...]


class Search:
    """The search of one index."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index

    def find(
        self, query: str, *, filters: Filters = ANYTHING, sort: str = RELEVANCE, limit: int = 20, offset: int = 0
    ) -> SearchResult:
        """The projects that fit the query and the filters; ``sort`` is one of SORTS.

        Every word must occur, or begin a word, or stand in the name. Without a query all projects that fit the filters,
        those changed last first unless another order is asked for. Raises InvalidRequest for a query of more than
        QUERY_CHARACTERS.
        """
        if len(query) > QUERY_CHARACTERS:
            raise InvalidRequest(f"A search may have at most {QUERY_CHARACTERS} characters; use fewer words.")
        words = words_in(query)[:_QUERY_WORDS]
        with self.database.reading() as connection:
            index_id = connection.execute(_INDEX_ID, {"name": self.index}).scalar_one()
            scope = _scope_of(connection, index_id, filters)
            if scope is None or (query.strip() and not words):
                return SearchResult(0, ())
            page = _Page(connection, index_id, scope, sort, limit, offset)
            return page.search(words) if words else page.browse()

    def near(self, name: str, limit: int = 5) -> tuple[Hit, ...]:
        """The projects whose names are nearest to one that is not there; perhaps none."""
        words = words_in(name[:QUERY_CHARACTERS])[:_QUERY_WORDS]
        if not words:
            return ()
        with self.database.reading() as connection:
            index_id = connection.execute(_INDEX_ID, {"name": self.index}).scalar_one()
            scope = Scope((facts.index_token(index_id),))
            return _Page(connection, index_id, scope, RELEVANCE, limit, 0).names_near(words)

    def choices(self) -> Choices:
        """What the projects of the index can be filtered by."""
        with self.database.reading() as connection:
            index_id = connection.execute(_INDEX_ID, {"name": self.index}).scalar_one()
            licenses = _frequent(connection, index_id, facts.LICENSE, _MOST_LICENSES)
            return Choices(licenses, _frequent(connection, index_id, facts.CLASSIFIER, _MOST_CLASSIFIERS))


def _frequent(connection: Connection, index_id: int, kind: str, most: int) -> tuple[str, ...]:
    rows = connection.execute(
        select(Facet.value)
        .where(Facet.index_id == index_id, Facet.kind == kind, Facet.projects > 0)
        .order_by(Facet.projects.desc(), Facet.value)
        .limit(most)
    )
    return tuple(rows.scalars())


def _scope_of(connection: Connection, index_id: int, filters: Filters) -> Scope | None:
    """What the filters come to; None where a licence or classifier is asked for that no project has."""
    needed, unwanted = [facts.index_token(index_id)], list[str]()
    named = [(facts.LICENSE, license_name(filters.license))] if filters.license else []
    named += [(facts.CLASSIFIER, classifier) for classifier in filters.classifiers]
    for kind, value in named:
        found = connection.execute(_FACET, {"index_id": index_id, "kind": kind, "value": value}).scalars().all()
        if not found:
            return None
        needed.append(f"({' OR '.join(map(facts.facet_token, found))})")
    needed += [facts.python_token(filters.python)] if filters.python else []
    needed += [facts.status_token(filters.status)] if filters.status else []
    for token, is_wanted in ((facts.WHEEL, filters.has_wheel), (facts.YANKED, filters.is_yanked)):
        if is_wanted is not None:
            (needed if is_wanted else unwanted).append(token)
    return Scope(tuple(needed), tuple(unwanted))


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of what somebody asks for, on the connection that answers it."""

    connection: Connection
    index_id: int
    scope: Scope
    sort: str
    limit: int
    offset: int

    def search(self, words: Sequence[str]) -> SearchResult:
        """What fits these words; what fits others near to them, where they are nowhere at all."""
        wanted = Wanted([[word] for word in words])
        found = self._ranked(wanted)
        if found.total:
            suggestion = None if found.close else self._suggestion(words)
            return SearchResult(found.total, self.hits(found.ids, wanted.words), None, suggestion, wanted.words)
        if self._is_anywhere(wanted):
            return SearchResult(0, (), words=wanted.words)  # but the filters leave none of it
        wanted = self._near(words)
        found = self._ranked(wanted)
        instead = wanted.text if found.total else None
        return SearchResult(found.total, self.hits(found.ids, wanted.words), instead, None, wanted.words)

    def browse(self) -> SearchResult:
        """Every project in the scope."""
        order = _ORDERS["updated" if self.sort == RELEVANCE else self.sort]
        if self.scope == Scope((facts.index_token(self.index_id),)):
            of_index = Listing.index_id == self.index_id
            total = self.connection.execute(select(func.count()).select_from(Listing).where(of_index)).scalar_one()
            rows = self.connection.execute(
                select(Listing.project_id).where(of_index).order_by(*order).limit(self.limit).offset(self.offset)
            )
            return SearchResult(total, self.hits(list(rows.scalars())))
        total = self._count(self.scope.around())
        return SearchResult(total, self.hits(self._ids(self.scope.around(), order, self.limit, self.offset)))

    def names_near(self, words: Sequence[str]) -> tuple[Hit, ...]:
        """The projects that have these words in their names, or others near to them."""
        for wanted in (Wanted([[word] for word in words]), self._near(words)):
            match = self.scope.around(wanted.layers()[0].match)
            ids = self._ids(match, (wanted.closeness, *_ORDERS[RELEVANCE]), self.limit, 0)
            if ids:
                return self.hits(ids)
        return ()

    def _near(self, words: Sequence[str]) -> Wanted:
        return Wanted([alternatives(self.connection, word) for word in words])

    def _suggestion(self, words: Sequence[str]) -> str | None:
        """What names and summaries have that is near to words which only descriptions have."""
        wanted = self._near(words)
        close = [layer for layer in wanted.layers() if not layer.in_description]
        is_other = wanted.text != " ".join(words)
        return wanted.text if is_other and self._count(self.scope.around(close[-1].match)) else None

    def _is_anywhere(self, wanted: Wanted) -> bool:
        whole_index = Scope((facts.index_token(self.index_id),))
        if self.scope == whole_index:
            return False
        return any(self._count(whole_index.around(layer.match)) for layer in wanted.layers())

    def _ranked(self, wanted: Wanted) -> _Ranked:
        """The hits layer by layer. Descriptions are looked through where the rest has fewer than a thousand hits."""
        page: list[int] = []
        total = close = 0
        before = Layer("")
        for layer in wanted.layers():
            if layer.in_description and total >= _ENOUGH:
                break
            found, upto = self._layer(wanted, layer, before, total, self.limit - len(page))
            page += found
            if upto is None:
                continue  # the page is full, and a wider layer says how many there are
            total, before = upto, layer
            close = close if layer.in_description else total
        if self.sort != RELEVANCE and total:
            page = self._ids(self.scope.around(before.match), _ORDERS[self.sort], self.limit, self.offset)
        return _Ranked(total, close, page)

    def _layer(
        self, wanted: Wanted, layer: Layer, before: Layer, total: int, most: int
    ) -> tuple[list[int], int | None]:
        """At most so many hits of one layer that belong to the page, and how many there are up to it; None if that was
        not counted. ``total`` are those of the layer before.
        """
        if self.sort != RELEVANCE or not most:
            return [], None if layer.is_step else self._count(self.scope.around(layer.match))
        skipped = max(0, self.offset - total)
        upto = self._count(self.scope.around(layer.match)) if skipped else None
        if upto is not None and upto <= self.offset:
            return [], upto
        only = f"({layer.match}) NOT ({before.match})" if total else layer.match
        order = _ORDERS[RELEVANCE] if before.match else (wanted.closeness, *_ORDERS[RELEVANCE])
        found = self._ids(self.scope.around(only), order, most, skipped)
        if upto is None and len(found) < most:
            upto = total + len(found)
        elif upto is None and not layer.is_step:
            upto = self._count(self.scope.around(layer.match))
        return found, upto

    def _count(self, match: str) -> int:
        return self.connection.execute(_COUNT, {"match": match}).scalar_one()

    def _ids(self, match: str, order: _Order, limit: int, offset: int) -> list[int]:
        statement = _HITS.order_by(*order).limit(limit).offset(offset)
        return list(self.connection.execute(statement, {"match": match}).scalars())

    def hits(self, ids: Sequence[int], words: Sequence[str] = ()) -> tuple[Hit, ...]:
        """These projects, in this order, with a passage of the description where name and summary have no word."""
        rows = {row[0]: row[1:] for row in self.connection.execute(_SUMMARIES, {"ids": list(ids)})}
        found = {project_id: Hit(*rows[project_id]) for project_id in ids if project_id in rows}
        dark = [project_id for project_id, hit in found.items() if words and not _is_lit(hit, words)]
        if dark:
            for project_id, description in self.connection.execute(_DESCRIPTIONS, {"ids": dark}):
                found[project_id] = replace(found[project_id], passage=passage_of(description, words))
        return tuple(found.values())


def _is_lit(hit: Hit, words: Sequence[str]) -> bool:
    return bool(spans_in_name(hit.display_name, words) or spans_of(hit.summary, words))
