"""Rendered descriptions: kept beside their releases, and which of them another rendering has made out of date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, or_, select

from database.engine import Database
from database.models import PackageIndex, Project, Release, RenderedDescription
from distributions.descriptions import Rendered, renderer

_FORGET = delete(RenderedDescription).where(RenderedDescription.release_id == bindparam("release"))
_KEEP = insert(RenderedDescription)
_PAGE = 50  # releases read at a time: their descriptions may have a megabyte each


@dataclass(frozen=True, slots=True)
class Unrendered:
    """A release whose description waits to be rendered, with the text and content type that it has now."""

    release_id: int
    text: str
    content_type: str | None


class Descriptions:
    """The rendered descriptions of one index."""

    def __init__(self, database: Database, index: str) -> None:
        self.database = database
        self.index = index

    def rendered(self, name: NormalizedName, key: str) -> Rendered | None:
        """What is kept for a release, of whichever rendering; None where it was never rendered."""
        with self.database.reading() as connection:
            row = connection.execute(
                select(RenderedDescription.html, RenderedDescription.notes, RenderedDescription.problem)
                .join(Release, Release.id == RenderedDescription.release_id)
                .join(Project, Project.id == Release.project_id)
                .join(PackageIndex, PackageIndex.id == Project.index_id)
                .where(PackageIndex.name == self.index, Project.name == name, Release.key == key)
            ).first()
        return Rendered(row.html, tuple(row.notes), row.problem) if row else None

    def count_outdated(self) -> int:
        """How many descriptions, of all indexes, are not of the rendering that this program has."""
        with self.database.reading() as connection:
            return connection.execute(
                select(func.count())
                .select_from(Release)
                .outerjoin(RenderedDescription, RenderedDescription.release_id == Release.id)
                .where(_is_outdated())
            ).scalar_one()

    def outdated(self) -> Iterator[Unrendered]:
        """Those, newest release first; read a few at a time."""
        last: int | None = None
        while True:
            with self.database.reading() as connection:
                rows = connection.execute(
                    select(Release.id, Release.description, Release.core_metadata)
                    .outerjoin(RenderedDescription, RenderedDescription.release_id == Release.id)
                    .where(_is_outdated(), *([] if last is None else [Release.id < last]))
                    .order_by(Release.id.desc())
                    .limit(_PAGE)
                ).all()
            for row in rows:
                yield Unrendered(row.id, row.description, row.core_metadata.get("description_content_type"))
            if len(rows) < _PAGE:
                return
            last = rows[-1].id

    def keep(self, release: Unrendered, rendered: Rendered) -> bool:
        """Keep what a description was rendered to. False where it is another one by now, or gone.

        Nothing that the index holds changes by it, so it leaves no row in the journal.
        """
        with self.database.writing() as change:
            row = change.connection.execute(
                select(Release.description, Release.core_metadata).where(Release.id == release.release_id)
            ).first()
            if row is None or row.description != release.text:
                return False
            if row.core_metadata.get("description_content_type") != release.content_type:
                return False
            keep(change.connection, release.release_id, rendered)
        return True


def keep(connection: Connection, release_id: int, rendered: Rendered | None) -> None:
    """Put a rendered description beside its release, in place of an earlier one; None waits to be rendered."""
    connection.execute(_FORGET, {"release": release_id})
    if rendered is not None:
        connection.execute(
            _KEEP,
            {
                "release_id": release_id, "renderer": renderer(), "html": rendered.html,
                "notes": list(rendered.notes), "problem": rendered.problem,
            },
        )  # fmt: skip


def _is_outdated() -> ColumnElement[bool]:
    return or_(RenderedDescription.renderer.is_(None), RenderedDescription.renderer != renderer()) & (
        Release.description != ""
    )
