"""What was deleted and can be brought back: every row about it is kept aside, and its bytes stay where they lie.

A deletion and its undoing are one transaction each and touch no byte, so a crash neither loses what can be brought back
nor lists what is not there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import Connection, Select, delete, func, insert, or_, select, update

from database.engine import Database
from database.holdings import HeldFile, refresh_project
from database.kept_rows import put_back, rows_about
from database.models import (
    BurnedFilename,
    DeletedFile,
    DeletedRelease,
    Deletion,
    File,
    PackageIndex,
    Project,
    Release,
)
from errors import Conflict, Gone, NotFound, shown

_AT_ONCE = 500  # files read and written at a time


@dataclass(frozen=True, slots=True)
class Deleted:
    """One deletion: what it took of which project, who did it, and until when it can be undone.

    Without ``filename`` a whole release was named, without ``version`` the whole project. ``size`` is in bytes.
    """

    id: str
    project: NormalizedName
    version: str | None
    filename: str | None
    reason: str
    by: str
    deleted: datetime
    expires: datetime
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that a deletion took, as its journal row and its bytes know it."""

    filename: str
    version: str
    location: str
    size: int
    sha256: str


class Deletions:
    """The reader of what can be undone on one index."""

    def __init__(self, database: Database, index: str) -> None:
        self.database = database
        self.index = index

    def standing(
        self, project: NormalizedName | None = None, *, limit: int | None = None, offset: int = 0
    ) -> list[Deleted]:
        """The deletions that can be undone now, newest first; of one project, or all."""
        statement = self._standing(_deletions(), project).order_by(Deletion.deleted.desc(), Deletion.id.desc())
        with self.database.reading() as connection:
            return [_deleted(row) for row in connection.execute(statement.limit(limit).offset(offset))]

    def count(self, project: NormalizedName | None = None) -> int:
        """How many deletions can be undone now."""
        counted = select(func.count(Deletion.id)).join(Project, Project.id == Deletion.project_id)
        with self.database.reading() as connection:
            return int(connection.execute(self._standing(counted, project)).scalar_one())

    def one(self, project: NormalizedName | None, public_id: str) -> Deleted:
        """One deletion, of this project or of whichever. Raises as ``must_stand`` does."""
        with self.database.reading() as connection:
            return must_stand(connection, self.index, project, public_id, datetime.now(UTC))

    def is_due(self) -> bool:
        """Whether there are deletions, on whichever index, whose bytes are to go."""
        with self.database.reading() as connection:
            over = or_(Deletion.ended.is_not(None), Deletion.expires <= datetime.now(UTC))
            return connection.execute(select(Deletion.id).where(over).limit(1)).first() is not None

    def _standing(self, statement: Select[Any], project: NormalizedName | None) -> Select[Any]:
        statement = statement.join(PackageIndex, PackageIndex.id == Project.index_id).where(
            PackageIndex.name == self.index, Deletion.ended.is_(None), Deletion.expires > datetime.now(UTC)
        )
        return statement if project is None else statement.where(Project.name == project)


def _deletions() -> Select[*tuple[Any, ...]]:
    return select(
        Deletion.public_id, Project.name, Deletion.version, Deletion.filename, Deletion.reason, Deletion.actor,
        Deletion.deleted, Deletion.expires, Deletion.files, Deletion.size,
    ).join(Project, Project.id == Deletion.project_id)  # fmt: skip


def _deleted(row: Any) -> Deleted:
    return Deleted(row[0], NormalizedName(row[1]), *row[2:])


def must_stand(
    connection: Connection, index: str, project: NormalizedName | None, public_id: str, at: datetime
) -> Deleted:
    """A deletion that can be undone at a moment. Raises NotFound; Gone for one whose time is over."""
    statement = (
        _deletions()
        .join(PackageIndex, PackageIndex.id == Project.index_id)
        .where(PackageIndex.name == index, Deletion.public_id == public_id)
    )
    if project is not None:
        statement = statement.where(Project.name == project)
    row = connection.execute(statement.add_columns(Deletion.ended)).first()
    if row is None:
        raise NotFound(f"There is no deletion {shown(public_id)} to undo here; list the deletions to see which can be.")
    found = _deleted(row[:-1])
    if row.ended is not None or found.expires <= at:
        raise Gone(
            f"This deletion could be undone until {found.expires:%Y-%m-%d %H:%M} UTC or until it was purged; "
            "publish the files again under a new version."
        )
    return found


# -- taking away


def keep(connection: Connection, files: Sequence[HeldFile], named: Deleted) -> None:
    """Keep every row about these files of one project, which are about to be unlisted (``holdings.remove_files``)."""
    project_id = connection.execute(select(File.project_id).where(File.id == files[0].id)).scalar_one()
    deletion_id = connection.execute(
        insert(Deletion)
        .values(
            public_id=named.id, project_id=project_id, version=named.version, filename=named.filename,
            reason=named.reason, actor=named.by, deleted=named.deleted, expires=named.expires, files=named.files,
            size=named.size,
        )
        .returning(Deletion.id)
    ).scalar_one()  # fmt: skip
    releases: dict[int, int] = {}
    for start in range(0, len(files), _AT_ONCE):
        some = files[start : start + _AT_ONCE]
        about = rows_about(connection, "files", [file.id for file in some])
        own = {file.id: about[file.id]["files"][0] for file in some}
        new = {row["release_id"] for row in own.values()} - set(releases)
        releases |= _keep_releases(connection, deletion_id, sorted(new))
        connection.execute(
            insert(DeletedFile),
            [
                {
                    "deletion_id": deletion_id, "deleted_release_id": releases[own[file.id]["release_id"]],
                    "filename": file.filename, "filename_key": file.filename.lower(), "kind": own[file.id]["kind"],
                    "location": file.location, "size": file.size, "sha256": file.sha256, "rows": about[file.id],
                }
                for file in some
            ],
        )  # fmt: skip


def new_id() -> str:
    """What a deletion is called outside the database."""
    return secrets.token_hex(6)


def _keep_releases(connection: Connection, deletion_id: int, release_ids: list[int]) -> dict[int, int]:
    """The row that keeps each release."""
    kept = {}
    for release_id, rows in rows_about(connection, "releases", release_ids).items():
        own = rows["releases"][0]
        values = {"deletion_id": deletion_id, "version": own["version"], "key": own["key"], "rows": rows}
        kept[release_id] = connection.execute(
            insert(DeletedRelease).values(values).returning(DeletedRelease.id)
        ).scalar_one()
    return kept


# -- bringing back


def kept_files(connection: Connection, public_id: str) -> list[KeptFile]:
    """The files that a deletion took."""
    rows = connection.execute(
        select(DeletedFile.filename, DeletedRelease.version, DeletedFile.location, DeletedFile.size, DeletedFile.sha256)
        .join(DeletedRelease, DeletedRelease.id == DeletedFile.deleted_release_id)
        .join(Deletion, Deletion.id == DeletedFile.deletion_id)
        .where(Deletion.public_id == public_id)
        .order_by(DeletedFile.id)
    )
    return [KeptFile(*row) for row in rows]


def bring_back(connection: Connection, deleted: Deleted, at: datetime) -> list[str]:
    """List again what a deletion took, as it was, and let the deletion go; the versions whose release is new again.

    Raises Conflict where something else stands in the place by now.
    """
    deletion_id, project_id, index_id = connection.execute(
        select(Deletion.id, Deletion.project_id, Project.index_id)
        .join(Project, Project.id == Deletion.project_id)
        .where(Deletion.public_id == deleted.id)
    ).one()
    _must_be_free(connection, index_id, project_id, deletion_id)
    releases, made = _bring_releases_back(connection, project_id, deletion_id)
    for some in _kept_rows(connection, DeletedFile, deletion_id):
        ids = [{"releases": releases[row.deleted_release_id]} for row in some]
        put_back(connection, "files", [row.rows for row in some], ids)
    names = select(DeletedFile.filename_key).where(DeletedFile.deletion_id == deletion_id)
    connection.execute(
        delete(BurnedFilename).where(BurnedFilename.index_id == index_id, BurnedFilename.filename_key.in_(names))
    )
    connection.execute(delete(Deletion).where(Deletion.id == deletion_id))
    refresh_project(connection, project_id, at)
    return made


def _must_be_free(connection: Connection, index_id: int, project_id: int, deletion_id: int) -> None:
    ours = DeletedFile.deletion_id == deletion_id
    taken = connection.execute(
        select(File.filename)
        .join(DeletedFile, or_(DeletedFile.filename_key == File.filename_key, DeletedFile.location == File.location))
        .where(ours, File.index_id == index_id)
    ).scalar()
    if taken is not None:
        raise Conflict(f"The file {shown(taken, 200)} stands in its place by now; delete that one first.")
    sdist = connection.execute(
        select(File.filename, Release.version)
        .join(Release, Release.id == File.release_id)
        .join(DeletedRelease, DeletedRelease.key == Release.key)
        .join(DeletedFile, DeletedFile.deleted_release_id == DeletedRelease.id)
        .where(ours, Release.project_id == project_id, DeletedFile.kind == "sdist", File.kind == "sdist")
    ).first()
    if sdist is not None:
        raise Conflict(
            f"Release {sdist.version} has another source distribution by now, {sdist.filename}, and there can be only "
            "one; delete that one first."
        )


def _kept_rows(
    connection: Connection, table: type[DeletedFile] | type[DeletedRelease], deletion_id: int
) -> Iterator[Sequence[Any]]:
    last = -1
    while True:
        rows = connection.execute(
            select(table.__table__)
            .where(table.deletion_id == deletion_id, table.id > last)
            .order_by(table.id)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _bring_releases_back(connection: Connection, project_id: int, deletion_id: int) -> tuple[dict[int, int], list[str]]:
    """The release of each one that was kept, put back where it is not there; the versions of those put back."""
    statement = select(Release.key, Release.id).where(Release.project_id == project_id)
    there: dict[str, int] = {row[0]: row[1] for row in connection.execute(statement)}
    ids: dict[int, int] = {}
    made: list[str] = []
    for some in _kept_rows(connection, DeletedRelease, deletion_id):
        new = [row for row in some if row.key not in there]
        if new:
            put = put_back(connection, "releases", [row.rows for row in new], [{}] * len(new))
            there.update(zip((row.key for row in new), put, strict=True))
        made += [row.version for row in new]
        ids |= {row.id: there[row.key] for row in some}
    return ids, made


# -- letting go


def end(connection: Connection, public_id: str, at: datetime) -> None:
    """Say that a deletion is undone no more, before its bytes go."""
    connection.execute(update(Deletion).where(Deletion.public_id == public_id).values(ended=at))


def overdue(connection: Connection, at: datetime) -> list[tuple[str, Deleted, bool]]:
    """Index, deletion and whether its end was begun, of all that cannot be undone any more."""
    rows = connection.execute(
        _deletions()
        .join(PackageIndex, PackageIndex.id == Project.index_id)
        .where(or_(Deletion.ended.is_not(None), Deletion.expires <= at))
        .add_columns(PackageIndex.name.label("index_name"), Deletion.ended)
        .order_by(Deletion.id)
    )
    return [(row.index_name, _deleted(row[:-2]), row.ended is not None) for row in rows]


def wanted(connection: Connection, public_id: str) -> set[str]:
    """Those of a deletion's locations that a listed file, or another deletion, has too: they stay when it is let go."""
    own = (
        select(DeletedFile.location)
        .join(Deletion, Deletion.id == DeletedFile.deletion_id)
        .where(Deletion.public_id == public_id)
    )
    others = (
        select(DeletedFile.location)
        .join(Deletion, Deletion.id == DeletedFile.deletion_id)
        .where(DeletedFile.location.in_(own), Deletion.public_id != public_id)
    )
    # The index of locations begins with that of the package index.
    listed = select(File.location).where(File.index_id.in_(select(PackageIndex.id)), File.location.in_(own))
    return {*connection.execute(others).scalars(), *connection.execute(listed).scalars()}


def forget(connection: Connection, public_id: str) -> None:
    """Drop every row of a deletion; the names of its files stay burned."""
    connection.execute(delete(Deletion).where(Deletion.public_id == public_id))
