"""Full-text search over names, summaries, keywords and descriptions, with SQLite's FTS5.

What people type is never search syntax: words are taken out of it and quoted. A name that begins with the query comes
first, found by the unique index of names; then what the full-text index ranks, in which the name weighs most. Ranking
costs some 1.6 microseconds a hit, so only the first few thousand hits are ranked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from sqlalchemy import Connection, bindparam, func, select, text

from database.catalogue import ProjectSummary, summary_columns
from database.engine import Database
from database.models import PackageIndex, Project, Word
from errors import InvalidRequest

QUERY_CHARACTERS = 200
_QUERY_WORDS = 10
_RANKED = 5_000
_PREFIXED = 200
_DESCRIPTION_CHARACTERS = 100_000
_SPELLING_LENGTH = 4
_WORD = re.compile(r"[^\W_]+")
_INDEX = text(
    "INSERT INTO search (rowid, name, summary, keywords, description) "
    "VALUES (:id, :name, :summary, :keywords, :description)"
)
_FORGET = text("DELETE FROM search WHERE rowid = :id")
_WEIGHTS = "10.0, 4.0, 3.0, 1.0"  # name, summary, keywords, description


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found: ``total`` hits (at most some thousands are counted), one page of them, and the words that
    were looked for instead where the query's own found nothing.
    """

    total: int
    hits: tuple[ProjectSummary, ...]
    instead: str | None = None


def words_of(content: str) -> set[str]:
    """The words of a text that spelling is corrected by."""
    return {word for word in _WORD.findall(content.lower()) if _SPELLING_LENGTH <= len(word) <= 40}


def index_project(connection: Connection, project_id: int, fields: tuple[str, str, str, str]) -> None:
    """Put a project's name, summary, keywords and description into the full-text index."""
    forget_project(connection, project_id)
    name, summary, keywords, description = fields
    connection.execute(
        _INDEX,
        {
            "id": project_id, "name": name, "summary": summary, "keywords": keywords,
            "description": description[:_DESCRIPTION_CHARACTERS],
        },
    )  # fmt: skip


def forget_project(connection: Connection, project_id: int) -> None:
    """Take a project out of the full-text index."""
    connection.execute(_FORGET, {"id": project_id})


class Search:
    """The search of one index."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index

    def find(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchResult:
        """The projects that fit the query, best first. Every word must occur, or begin a word.

        Raises InvalidRequest for a query of more than QUERY_CHARACTERS.
        """
        if len(query) > QUERY_CHARACTERS:
            raise InvalidRequest(f"A search may have at most {QUERY_CHARACTERS} characters; use fewer words.")
        words = _WORD.findall(query.lower())[:_QUERY_WORDS]
        if not words:
            return SearchResult(0, ())
        with self.database.reading() as connection:
            index_id = connection.execute(select(PackageIndex.id).where(PackageIndex.name == self.index)).scalar_one()
            found = self._by_name(connection, index_id, query)
            ranked = _ranked(connection, [[word] for word in words])
            instead = None
            if not found and not ranked:
                alternatives = [_alternatives(connection, word) for word in words]
                ranked = _ranked(connection, alternatives) if alternatives != [[word] for word in words] else []
                if ranked:
                    instead = " ".join(options[0] for options in alternatives)
                    found = self._by_name(connection, index_id, instead)
            seen = dict.fromkeys([*found, *ranked])
            return self._page(connection, index_id, list(seen), limit, offset, instead)

    def _by_name(self, connection: Connection, index_id: int, query: str) -> list[int]:
        name = canonicalize_name("-".join(query.split()))
        if not name.strip("-"):
            return []
        rows = connection.execute(
            select(Project.id)
            .where(
                Project.index_id == index_id,
                Project.name >= name,
                Project.name < name + "\U0010ffff",
                Project.file_count > 0,
            )
            .order_by(Project.name)
            .limit(_PREFIXED)
        )
        return list(rows.scalars())

    def _page(
        self, connection: Connection, index_id: int, ids: list[int], limit: int, offset: int, instead: str | None
    ) -> SearchResult:
        shown = select(Project.id).where(
            Project.id.in_(bindparam("ids", expanding=True)),
            Project.index_id == index_id,
            Project.file_count > 0,
            Project.status != "quarantined",
        )
        visible = set(connection.execute(shown, {"ids": ids}).scalars())
        ids = [project_id for project_id in ids if project_id in visible]
        wanted = ids[offset : offset + limit]
        rows = connection.execute(select(Project.id, *summary_columns()).where(Project.id.in_(wanted)))
        by_id = {row[0]: ProjectSummary(*row[1:]) for row in rows}
        # The words looked for instead may be those of a quarantined project alone.
        return SearchResult(len(ids), tuple(by_id[project_id] for project_id in wanted), instead if ids else None)


def _ranked(connection: Connection, alternatives: list[list[str]]) -> list[int]:
    """The projects in which some alternative of each word begins a word, best first."""
    match = " AND ".join(f"({' OR '.join(_quoted(word) for word in options)})" for options in alternatives)
    rows = connection.execute(
        text(
            "SELECT rowid FROM (SELECT rowid, bm25(search, " + _WEIGHTS + ") AS score FROM search "  # noqa: S608
            "WHERE search MATCH :match LIMIT :ranked) ORDER BY score, rowid"
        ),
        {"match": match, "ranked": _RANKED},
    )
    return list(rows.scalars())


def _quoted(word: str) -> str:
    return f'"{word}"*'


def _alternatives(connection: Connection, word: str) -> list[str]:
    """The word itself if it is known, else the known words at one edit from it, else itself.

    Two words at one edit share a beginning or an end of about half their length (two swapped neighbours in the very
    middle cost one letter of it), so two ranges of an index hold all candidates.
    """
    if len(word) < _SPELLING_LENGTH:
        return [word]
    half = (len(word) - 1) // 2
    head, tail = word[:half], word[::-1][:half]
    candidates = connection.execute(
        select(Word.word).where(
            func.length(Word.word).between(len(word) - 1, len(word) + 1),
            ((Word.word >= head) & (Word.word < head + "\U0010ffff"))
            | ((Word.backwards >= tail) & (Word.backwards < tail + "\U0010ffff")),
        )
    ).scalars()
    near = sorted(candidate for candidate in candidates if within_one_edit(word, candidate))
    return near[:20] or [word]


def within_one_edit(one: str, other: str) -> bool:
    """Whether one letter was added, left out or changed, or two neighbours were swapped, between the two words."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, left = one[start:], other[start:]
    return (
        rest[1:] == left  # left out
        or rest == left[1:]  # added
        or rest[1:] == left[1:]  # changed
        or (rest[:2] == left[1::-1] and rest[2:] == left[2:])  # swapped
    )
