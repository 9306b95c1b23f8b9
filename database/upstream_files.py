"""The record of files that were taken in from other indexes: what each was when it was first seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.utils import NormalizedName
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from database.engine import Database
from database.journal import Change
from database.upstream_models import UpstreamFile
from simple.kept import TakenFile

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of which an upstream tells another digest (``algorithm=hex``) than when it was taken in."""

    project: NormalizedName
    filename: str
    sha256: str
    told_digest: str
    first_seen: datetime


class UpstreamFiles:
    """The reader of the record."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._revisions: dict[str, tuple[int, str]] = {}

    def of_project(self, upstream: str, name: NormalizedName) -> Mapping[str, TakenFile]:
        """The files of a project that were ever taken in, by filename, whether their bytes are kept or not."""
        statement = select(
            UpstreamFile.filename, UpstreamFile.version, UpstreamFile.sha256, UpstreamFile.size, UpstreamFile.location
        ).where(UpstreamFile.upstream == upstream, UpstreamFile.project == name)
        with self.database.reading() as connection:
            return {row.filename: TakenFile(name, *row) for row in connection.execute(statement)}

    def kept(self, upstream: str, name: NormalizedName) -> frozenset[str]:
        """The filenames of a project whose bytes are kept."""
        statement = select(UpstreamFile.filename).where(
            UpstreamFile.upstream == upstream, UpstreamFile.project == name, UpstreamFile.is_kept
        )
        with self.database.reading() as connection:
            return frozenset(connection.execute(statement).scalars())

    def projects(self, upstream: str) -> Sequence[NormalizedName]:
        """The projects of which bytes are kept, sorted."""
        statement = (
            select(UpstreamFile.project).where(UpstreamFile.upstream == upstream, UpstreamFile.is_kept).distinct()
        )
        with self.database.reading() as connection:
            return [NormalizedName(name) for name in sorted(connection.execute(statement).scalars())]

    def revision(self, upstream: str) -> str:
        """A digest of ``projects``; it is made again only when anything in the database has changed."""
        now = self.database.changes.current()
        at, revision = self._revisions.get(upstream, (-1, ""))
        if at != now:
            revision = hashlib.sha256("\n".join(self.projects(upstream)).encode()).hexdigest()
            self._revisions[upstream] = now, revision
        return revision

    def note_change(self, upstream: str, filename: str, digest: str) -> None:
        """The upstream now tells another digest (``algorithm=hex``) of a file; noted if it was taken in."""
        with self.database.writing() as change:
            change.connection.execute(
                update(UpstreamFile)
                .where(UpstreamFile.upstream == upstream, UpstreamFile.filename == filename)
                .values(told_digest=digest)
            )

    def changed(self, upstream: str) -> list[ChangedFile]:
        """The files that the upstream now calls something else, by project and name."""
        statement = select(
            UpstreamFile.project, UpstreamFile.filename, UpstreamFile.sha256, UpstreamFile.told_digest,
            UpstreamFile.first_seen,
        ).where(UpstreamFile.upstream == upstream, UpstreamFile.told_digest != "")  # fmt: skip
        with self.database.reading() as connection:
            rows = connection.execute(statement.order_by(UpstreamFile.project, UpstreamFile.filename))
            return [ChangedFile(NormalizedName(row[0]), *row[1:]) for row in rows]

    def totals(self, upstream: str) -> tuple[int, int]:
        """How many files of an upstream are kept, and how many bytes they have."""
        statement = select(func.count(), func.coalesce(func.sum(UpstreamFile.size), 0)).where(
            UpstreamFile.upstream == upstream, UpstreamFile.is_kept
        )
        with self.database.reading() as connection:
            files, size = connection.execute(statement).one()
        return int(files), int(size)


def record_taken(change: Change, upstream: str, file: TakenFile) -> None:
    """Record that a file was taken in. One that was there before stays what it was; its bytes are kept again."""
    made = insert(UpstreamFile).values(
        upstream=upstream,
        filename=file.filename,
        project=file.project,
        version=file.version,
        sha256=file.sha256,
        size=file.size,
        location=file.location,
        first_seen=change.at,
        is_kept=True,
        told_digest="",
    )
    change.connection.execute(
        made.on_conflict_do_update(
            index_elements=["upstream", "filename"],
            set_={"is_kept": True, "location": file.location},
            where=UpstreamFile.sha256 == file.sha256,
        )
    )


def record_evicted(change: Change, locations: Iterable[str]) -> None:
    """Record that bytes are no longer kept; what the files were stands."""
    gone = list(locations)
    for start in range(0, len(gone), _AT_ONCE):
        change.connection.execute(
            update(UpstreamFile).where(UpstreamFile.location.in_(gone[start : start + _AT_ONCE])).values(is_kept=False)
        )


def forget_files(change: Change, upstream: str, project: NormalizedName | None = None) -> None:
    """Forget what the files of an upstream were, or of one project of it: what comes next counts as first seen."""
    statement = delete(UpstreamFile).where(UpstreamFile.upstream == upstream)
    if project is not None:
        statement = statement.where(UpstreamFile.project == project)
    change.connection.execute(statement)
