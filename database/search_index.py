"""What the search knows of each project, kept beside it within the transaction that changes it.

Three things for each project that may be shown, and nothing for any other: a narrow row to sort by, its licences and
classifiers, and a row of the full-text index. In that, ``middle`` has every ending of the name (``aiohttp``, ``iohttp``
... ``ttp``), so that a word in the middle of a name is the beginning of one of them; and ``facts`` has a token for each
fact that can be filtered by, so that filtering is one more word to look for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, column, delete, func, insert, select, table, text, update

from database.models import DownloadCount, Facet, File, Listing, PackageIndex, Project, ProjectFacet, Release, Word
from database.spelling import known_words
from database.statistics import Dimension
from database.words import squeezed, words_in
from distributions.facts import classifiers_of, licenses_of, pythons_of
from simple.model import ProjectStatus

CLASSIFIER, LICENSE = "classifier", "license"
WHEEL, YANKED = "wheel", "yanked"
_DESCRIPTION_CHARACTERS = 100_000
SHORTEST_MIDDLE = 3
_LONGEST_NAME = 60
_ADD = text(
    "INSERT INTO search (rowid, start, name, middle, about, description, facts) "
    "VALUES (:id, :start, :name, :middle, :about, :description, :facts)"
)
_FORGET = text("DELETE FROM search WHERE rowid = :id")
_PROJECT = (
    select(
        Project.id, Project.index_id, Project.name, Project.display_name, Project.status, Project.updated,
        Project.summary, Project.file_count, Release.id.label("release_id"), Release.core_metadata, Release.description,
        PackageIndex.name.label("index_name"),
    )
    .join(PackageIndex, PackageIndex.id == Project.index_id)
    .outerjoin(Release, (Release.project_id == Project.id) & (Release.version == Project.latest_version))
    .where(Project.id == bindparam("id"))
)  # fmt: skip
_KINDS = select(File.kind, File.yanked).where(File.release_id == bindparam("release_id"))
_DOWNLOADS = select(func.coalesce(func.sum(DownloadCount.count), 0)).where(
    DownloadCount.index_name == bindparam("index_name"),
    DownloadCount.project == bindparam("project"),
    DownloadCount.dimension == Dimension.TOTAL,
)
_LIST = insert(Listing)
_UNLIST = delete(Listing).where(Listing.project_id == bindparam("id"))
_TOUCH = update(Listing).where(Listing.project_id == bindparam("id")).values(updated=bindparam("at"))
_RENEW = _TOUCH.values(is_yanked=bindparam("yanked"))
_FACETS = select(ProjectFacet.facet_id).where(ProjectFacet.project_id == bindparam("id"))
_KNOWN_FACETS = select(Facet.kind, Facet.value, Facet.id).where(
    Facet.index_id == bindparam("index_id"), Facet.value.in_(bindparam("values", expanding=True))
)
_MAKE_FACET = insert(Facet).returning(Facet.id)
_LINK = insert(ProjectFacet)
_UNLINK = delete(ProjectFacet).where(
    ProjectFacet.project_id == bindparam("id"), ProjectFacet.facet_id.in_(bindparam("facets", expanding=True))
)
_COUNT_FACETS = (
    update(Facet)
    .where(Facet.id.in_(bindparam("facets", expanding=True)))
    .values(projects=Facet.projects + bindparam("more"))
)
_ADD_WORDS = insert(Word).prefix_with("OR IGNORE", dialect="sqlite")


@dataclass(frozen=True, slots=True)
class Offered:
    """What the latest release of a project offers: whether a wheel is among it, and whether all of it is yanked."""

    has_wheel: bool
    is_yanked: bool


def python_token(python: str) -> str:
    """The fact that a Python version is welcome."""
    return "p" + python.replace(".", "")


def status_token(status: str) -> str:
    """The fact that a project has a status."""
    return f"status{status}"


def facet_token(facet_id: int) -> str:
    """The fact that a project has a licence or classifier."""
    return f"f{facet_id}"


def index_token(index_id: int) -> str:
    """The fact that a project belongs to an index."""
    return f"i{index_id}"


def initial_token(letter: str) -> str:
    """The fact that a name begins with a letter or digit."""
    return f"n{letter}"


def refresh(connection: Connection, project_id: int) -> None:
    """Make the search know a project as its rows have it now; or nothing of it, where it may not be shown."""
    row = connection.execute(_PROJECT, {"id": project_id}).first()
    if row is None or row.release_id is None or not row.file_count or not ProjectStatus(row.status).offers_files:
        forget(connection, project_id)
        return
    offered = _offered(connection, row.release_id)
    _list(connection, row, offered)
    facets = _link_facets(connection, row)
    connection.execute(_FORGET, {"id": project_id})
    connection.execute(_ADD, {**_columns(row), "facts": " ".join(_facts(row, offered, facets))})
    words = [{"word": word, "backwards": word[::-1]} for word in sorted(known_words(f"{row.name} {row.summary}"))]
    if words:
        connection.execute(_ADD_WORDS, words)


def _list(connection: Connection, row: Any, offered: Offered) -> None:
    renewed = {"id": row.id, "at": row.updated, "yanked": offered.is_yanked}
    if connection.execute(_RENEW, renewed).rowcount:
        return
    downloads = connection.execute(_DOWNLOADS, {"index_name": row.index_name, "project": row.name}).scalar_one()
    connection.execute(
        _LIST,
        {
            "project_id": row.id, "index_id": row.index_id, "name": row.name, "updated": row.updated,
            "downloads": downloads, "is_yanked": offered.is_yanked,
        },
    )  # fmt: skip


def _offered(connection: Connection, release_id: int) -> Offered:
    files = connection.execute(_KINDS, {"release_id": release_id}).all()
    standing = [file.kind for file in files if file.yanked is None]
    return Offered("bdist_wheel" in (standing or [file.kind for file in files]), not standing)


def _columns(row: Any) -> dict[str, Any]:
    start = squeezed(row.name)
    name = start[:_LONGEST_NAME]
    endings = (name[at:] for at in range(len(name) - SHORTEST_MIDDLE + 1))
    about = f"{row.summary} {row.core_metadata.get('keywords') or ''}"
    return {
        "id": row.id, "start": start, "name": _folded(row.name), "middle": " ".join(endings), "about": _folded(about),
        "description": _folded(row.description[:_DESCRIPTION_CHARACTERS]),
    }  # fmt: skip


def _folded(content: str) -> str:
    return " ".join(words_in(content))


def _facts(row: Any, offered: Offered, facets: Iterable[int]) -> Iterable[str]:
    yield index_token(row.index_id)
    yield status_token(row.status)
    yield initial_token(row.name[0])
    if offered.has_wheel:
        yield WHEEL
    if offered.is_yanked:
        yield YANKED
    yield from map(python_token, pythons_of(str(row.core_metadata.get("requires_python") or "")))
    yield from map(facet_token, facets)


def _link_facets(connection: Connection, row: Any) -> list[int]:
    """Note the licences and classifiers of a project; their numbers."""
    wanted = {(LICENSE, value) for value in licenses_of(row.core_metadata)}
    wanted |= {(CLASSIFIER, value) for value in classifiers_of(row.core_metadata)}
    facets = _numbers(connection, row.index_id, wanted) if wanted else set()
    _relink(connection, row.id, facets)
    return sorted(facets)


def _numbers(connection: Connection, index_id: int, wanted: set[tuple[str, str]]) -> set[int]:
    rows = connection.execute(_KNOWN_FACETS, {"index_id": index_id, "values": [value for _, value in wanted]})
    known = {(row.kind, row.value): int(row.id) for row in rows}
    for kind, value in sorted(wanted - known.keys()):
        made = {"index_id": index_id, "kind": kind, "value": value, "projects": 0}
        known[kind, value] = connection.execute(_MAKE_FACET, made).scalar_one()
    return {known[one] for one in wanted}


def _relink(connection: Connection, project_id: int, facets: set[int]) -> None:
    before = set(connection.execute(_FACETS, {"id": project_id}).scalars())
    if gone := sorted(before - facets):
        connection.execute(_UNLINK, {"id": project_id, "facets": gone})
        connection.execute(_COUNT_FACETS, {"facets": gone, "more": -1})
    if new := sorted(facets - before):
        connection.execute(_LINK, [{"project_id": project_id, "facet_id": one} for one in new])
        connection.execute(_COUNT_FACETS, {"facets": new, "more": 1})


def forget(connection: Connection, project_id: int) -> None:
    """Make the search know nothing of a project."""
    _relink(connection, project_id, set())
    connection.execute(_UNLIST, {"id": project_id})
    connection.execute(_FORGET, {"id": project_id})


def touch(connection: Connection, project_id: int, at: datetime) -> None:
    """A project changed then, in nothing that can be searched or filtered by."""
    connection.execute(_TOUCH, {"id": project_id, "at": at})


def behind(connection: Connection, *, after: int = 0, most: int | None = None) -> list[int]:
    """Projects that the search should know and does not, or knows and should not, by their numbers, after one.

    There are none but after an upgrade, or when the full-text index was lost.
    """
    shown = (Project.file_count > 0) & (Project.status != ProjectStatus.QUARANTINED)
    listed = select(Listing.project_id)
    known: Select[Any] = select(column("id")).select_from(table("search_docsize"))
    unknown = Project.id.not_in(listed) | Project.id.not_in(known)
    wrong = (shown & unknown) | (~shown & Project.id.in_(listed))
    return list(
        connection.execute(
            select(Project.id).where(Project.id > after, wrong).order_by(Project.id).limit(most)
        ).scalars()
    )
