"""Which indexes there are, what each adds to what it holds, and the names that stay theirs: queries and writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import Connection, delete, insert, select, update

from database.engine import Database
from database.identity_models import Grant, NamePattern, Team, Token, TrustedPublisher
from database.index_models import IndexBase, IndexSession, KeptName, OpenedName, Upstream
from database.journal import Change
from database.models import (
    BurnedFilename,
    Deletion,
    DownloadCount,
    Facet,
    File,
    Listing,
    PackageIndex,
    Project,
    ProjectFacet,
    Requirement,
)
from database.upstream_files import forget_files
from database.upstream_pages import forget_pages
from errors import NameTaken, UnknownIndex, shown

SERVER = ""  # in the place of an index's name: all of them


@dataclass(frozen=True, slots=True)
class UpstreamRow:
    """An upstream of an index. ``mode`` is "redirect" or "cache"; ``sealed_password`` "" where it has none."""

    id: str
    url: str
    mode: str
    username: str
    sealed_password: str
    allow_private: bool


@dataclass(frozen=True, slots=True)
class IndexRow:
    """An index: ``bases`` by name and ``upstreams``, both in order; ``opened`` names take files of theirs, too."""

    id: int
    name: str
    title: str
    created: datetime
    closed: bool
    declared: bool
    bases: tuple[str, ...]
    upstreams: tuple[UpstreamRow, ...]
    opened: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A pattern of names that are asked of nobody else. ``index`` is "" where this holds for every index.

    ``team`` has the team to which the names belong, where it is for that reason that they are kept.
    """

    index: str
    pattern: str
    created: datetime
    actor: str = ""
    team: str = ""


class IndexRows:
    """The reader. The functions below it change what it reads, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def all(self) -> list[IndexRow]:
        """Every index, ``main`` first, then by name."""
        with self.database.reading() as connection:
            return _indexes(connection)

    def kept(self) -> list[KeptRow]:
        """Every pattern of names that stay here: those that were kept, and those that belong to teams."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(PackageIndex.name, KeptName.pattern, KeptName.created, KeptName.actor)
                .outerjoin_from(KeptName, PackageIndex, PackageIndex.id == KeptName.index_id)
                .order_by(PackageIndex.name, KeptName.pattern)
            )
            kept = [KeptRow(row[0] or SERVER, *row[1:]) for row in rows]
            return kept + _of_teams(connection)

    def synced(self, name: str) -> datetime | None:
        """When an index was last brought in line with what lies in the store; None for never."""
        with self.database.reading() as connection:
            return connection.execute(select(PackageIndex.synced).where(PackageIndex.name == name)).scalar()

    def holders(self, name: NormalizedName) -> list[str]:
        """The indexes that hold a project of that name, or held one, by name."""
        with self.database.reading() as connection:
            return list(
                connection.execute(
                    select(PackageIndex.name)
                    .join(Project, Project.index_id == PackageIndex.id)
                    .where(Project.name == name)
                    .order_by(PackageIndex.name)
                ).scalars()
            )


def _of_teams(connection: Connection) -> list[KeptRow]:
    rows = connection.execute(
        select(PackageIndex.name, NamePattern.pattern, NamePattern.created, Team.name)
        .join(PackageIndex, PackageIndex.id == NamePattern.index_id)
        .join(Team, Team.id == NamePattern.team_id)
        .order_by(PackageIndex.name, NamePattern.pattern)
    )
    return [KeptRow(row[0], row[1], row[2], team=row[3]) for row in rows]


def _indexes(connection: Connection) -> list[IndexRow]:
    names = {row.id: row.name for row in connection.execute(select(PackageIndex.id, PackageIndex.name))}
    bases: dict[int, list[str]] = {}
    for row in connection.execute(select(IndexBase.index_id, IndexBase.base_id).order_by(IndexBase.position)):
        bases.setdefault(row.index_id, []).append(names[row.base_id])
    upstreams: dict[int, list[UpstreamRow]] = {}
    for one in connection.execute(
        select(
            Upstream.index_id, Upstream.public_id, Upstream.url, Upstream.mode, Upstream.username,
            Upstream.sealed_password, Upstream.allow_private,
        ).order_by(Upstream.position, Upstream.id)
    ):  # fmt: skip
        upstreams.setdefault(one[0], []).append(UpstreamRow(*one[1:]))
    opened: dict[int, set[str]] = {}
    for pair in connection.execute(select(OpenedName.index_id, OpenedName.project)):
        opened.setdefault(pair.index_id, set()).add(pair.project)
    rows = connection.execute(
        select(
            PackageIndex.id, PackageIndex.name, PackageIndex.title, PackageIndex.created, PackageIndex.closed,
            PackageIndex.declared,
        ).order_by(PackageIndex.name != "main", PackageIndex.name)
    )  # fmt: skip
    return [
        IndexRow(
            *row, tuple(bases.get(row.id, ())), tuple(upstreams.get(row.id, ())), frozenset(opened.get(row.id, ()))
        )
        for row in rows
    ]


def index_named(connection: Connection, name: str) -> IndexRow:
    """One index. Raises UnknownIndex."""
    for row in _indexes(connection):
        if row.name == name:
            return row
    raise UnknownIndex(name)


def must_be_there(database: Database, name: str) -> None:
    """Raises UnknownIndex where there is no index of that name."""
    with database.reading() as connection:
        index_named(connection, name)


def all_indexes(connection: Connection) -> list[IndexRow]:
    """Every index, within a transaction."""
    return _indexes(connection)


def add_index(connection: Connection, name: str, title: str, at: datetime, *, closed: bool, declared: bool) -> None:
    """Make an index. Raises NameTaken."""
    if connection.execute(select(PackageIndex.id).where(PackageIndex.name == name)).first() is not None:
        raise NameTaken(f"An index named {shown(name)} exists; choose another name, or change that one.")
    connection.execute(
        insert(PackageIndex).values(name=name, title=title, created=at, serial=0, closed=closed, declared=declared)
    )


def set_index(connection: Connection, index_id: int, **values: Any) -> None:
    """Set ``title``, ``closed`` or ``declared``."""
    connection.execute(update(PackageIndex).where(PackageIndex.id == index_id).values(**values))


def set_synced(connection: Connection, names: Sequence[str], at: datetime) -> None:
    """Write down when indexes were brought in line with what lies in the store."""
    connection.execute(update(PackageIndex).where(PackageIndex.name.in_(names)).values(synced=at))


def set_bases(connection: Connection, index_id: int, bases: Sequence[str]) -> None:
    """Put these indexes under another one, in this order. Raises UnknownIndex."""
    connection.execute(delete(IndexBase).where(IndexBase.index_id == index_id))
    for position, base in enumerate(bases):
        base_id = index_named(connection, base).id
        connection.execute(insert(IndexBase).values(index_id=index_id, base_id=base_id, position=position))


def set_upstreams(change: Change, index_id: int, upstreams: Sequence[UpstreamRow]) -> None:
    """Give an index these upstreams, in this order; what was kept of those that it has no more is forgotten."""
    connection = change.connection
    had = connection.execute(select(Upstream.public_id).where(Upstream.index_id == index_id)).scalars()
    for gone in set(had) - {one.id for one in upstreams}:
        forget_pages(change, gone)
        forget_files(change, gone)
    connection.execute(delete(Upstream).where(Upstream.index_id == index_id))
    for position, one in enumerate(upstreams):
        connection.execute(
            insert(Upstream).values(
                public_id=one.id, index_id=index_id, position=position, url=one.url, mode=one.mode,
                username=one.username, sealed_password=one.sealed_password, allow_private=one.allow_private,
                created=change.at,
            )
        )  # fmt: skip


def holds_anything(connection: Connection, index_id: int) -> bool:
    """Whether an index has files, or deleted ones that can come back."""
    files = select(File.id).where(File.index_id == index_id).limit(1)
    deleted = select(Deletion.id).join(Project, Project.id == Deletion.project_id).where(Project.index_id == index_id)
    return any(connection.execute(one).first() is not None for one in (files, deleted.limit(1)))


def bases_of_others(connection: Connection, index_id: int) -> list[str]:
    """The indexes that have this one as a base."""
    return list(
        connection.execute(
            select(PackageIndex.name)
            .join(IndexBase, IndexBase.index_id == PackageIndex.id)
            .where(IndexBase.base_id == index_id)
            .order_by(PackageIndex.name)
        ).scalars()
    )


def remove_index(connection: Connection, index_id: int, name: str, at: datetime) -> None:
    """Remove an index that holds nothing, with its roles, names and figures. Its journal stays.

    Tokens for it alone end: they must not be for a later one of its name.
    """
    limited = (Token.index_name == name) & Token.revoked.is_(None)
    connection.execute(update(Token).where(limited).values(revoked=at))
    projects = select(Project.id).where(Project.index_id == index_id)
    for table in (ProjectFacet, Listing, Requirement):
        connection.execute(delete(table).where(table.project_id.in_(projects)))
    for owned in (
        Facet, Grant, NamePattern, TrustedPublisher, BurnedFilename, IndexBase, IndexSession, Upstream, KeptName,
        OpenedName, Project,
    ):  # fmt: skip
        connection.execute(delete(owned).where(owned.index_id == index_id))
    connection.execute(delete(DownloadCount).where(DownloadCount.index_name == name))
    connection.execute(delete(PackageIndex).where(PackageIndex.id == index_id))


def keep_names(connection: Connection, index_id: int | None, pattern: str, actor: str, at: datetime) -> bool:
    """Keep names from bases and upstreams, of one index or (None) of all; False if they were kept already."""
    if connection.execute(_kept(index_id, pattern)).first() is not None:
        return False
    connection.execute(insert(KeptName).values(index_id=index_id, pattern=pattern, created=at, actor=actor))
    return True


def release_names(connection: Connection, index_id: int | None, pattern: str) -> bool:
    """Let others answer for names again; whether they were kept."""
    found = connection.execute(_kept(index_id, pattern)).scalars().all()
    connection.execute(delete(KeptName).where(KeptName.id.in_(found)))
    return bool(found)


def _kept(index_id: int | None, pattern: str) -> Any:
    here = KeptName.index_id.is_(None) if index_id is None else KeptName.index_id == index_id
    return select(KeptName.id).where(here, KeptName.pattern == pattern)


def set_opened(connection: Connection, index_id: int, project: str, *, opened: bool, actor: str, at: datetime) -> bool:
    """Let bases and upstreams add to a project, or no longer; whether that changed."""
    here = (OpenedName.index_id == index_id) & (OpenedName.project == project)
    was = connection.execute(select(OpenedName.project).where(here)).first() is not None
    if was and not opened:
        connection.execute(delete(OpenedName).where(here))
    elif opened and not was:
        connection.execute(insert(OpenedName).values(index_id=index_id, project=project, created=at, actor=actor))
    return was != opened
