"""Which project requires which, by the release that stands for each: kept with every change, and asked both ways."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select

from database.engine import Database
from database.models import PackageIndex, Project, Requirement
from distributions.requirements import by_project
from simple.model import ProjectStatus

_KEPT = select(Requirement.required, Requirement.texts).where(Requirement.project_id == bindparam("project_id"))
_FORGET = delete(Requirement).where(Requirement.project_id == bindparam("project_id"))
_KEEP = insert(Requirement)
_WHOSE = select(Project.index_id, Project.name).where(Project.id == bindparam("project_id"))
_AT_ONCE = 500  # names in one question
MOST_TEXTS = 20  # of one project on another: a stranger's must not fill the page of what they require


def keep(connection: Connection, project_id: int, metadata: Mapping[str, Any]) -> None:
    """Set what a project requires, by the metadata of the release that stands for it, or by none."""
    found = {name: texts[:MOST_TEXTS] for name, texts in by_project(metadata).items()}
    kept = {row.required: row.texts for row in connection.execute(_KEPT, {"project_id": project_id})}
    if found == kept:
        return
    if kept:
        connection.execute(_FORGET, {"project_id": project_id})
    if found:
        index_id, project = connection.execute(_WHOSE, {"project_id": project_id}).one()
        whose = {"project_id": project_id, "index_id": index_id, "project": project}
        rows = [{**whose, "required": name, "texts": texts} for name, texts in found.items()]
        connection.execute(_KEEP, rows)


@dataclass(frozen=True, slots=True)
class Here:
    """A project of the index, as one that requires it is told of it; ``version`` is its latest, None in quarantine."""

    name: str
    version: str | None
    status: ProjectStatus


@dataclass(frozen=True, slots=True)
class Dependent:
    """A project whose latest release requires another, and how: ``requirements`` as its metadata has them, at most
    MOST_TEXTS.
    """

    name: str
    display_name: str
    version: str | None
    status: str
    requirements: tuple[str, ...]


class Requirements:
    """The reader of one index."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        with database.reading() as connection:
            self._index_id = connection.execute(select(PackageIndex.id).where(PackageIndex.name == index)).scalar_one()

    def here(self, names: Collection[str]) -> dict[str, Here]:
        """Those of the projects, by normalized name, that are on the index and have files."""
        wanted, found = list(names), dict[str, Here]()
        statement = select(Project.name, Project.latest_version, Project.status).where(
            Project.index_id == self._index_id,
            Project.file_count > 0,
            Project.name.in_(bindparam("names", expanding=True)),
        )
        with self.database.reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                for row in connection.execute(statement, {"names": wanted[start : start + _AT_ONCE]}):
                    status = ProjectStatus(row.status)
                    version = row.latest_version if status.offers_files else None
                    found[row.name] = Here(row.name, version, status)
        return found

    def count_dependents(self, name: NormalizedName) -> int:
        """How many other projects require this one; quarantined ones do not count."""
        statement = select(func.count()).select_from(Requirement).join(Project, Project.id == Requirement.project_id)
        with self.database.reading() as connection:
            return connection.execute(statement.where(*self._dependents_of(name))).scalar_one()

    def dependents(self, name: NormalizedName, *, limit: int, offset: int = 0) -> list[Dependent]:
        """A page of the other projects that require this one, by name; none that is quarantined."""
        statement = (
            select(Project.name, Project.display_name, Project.latest_version, Project.status, Requirement.texts)
            .join(Project, Project.id == Requirement.project_id)
            .where(*self._dependents_of(name))
            .order_by(Requirement.project)
            .limit(limit)
            .offset(offset)
        )
        with self.database.reading() as connection:
            return [
                Dependent(row.name, row.display_name, row.latest_version, row.status, tuple(row.texts[:MOST_TEXTS]))
                for row in connection.execute(statement)
            ]

    def _dependents_of(self, name: NormalizedName) -> tuple[ColumnElement[bool], ...]:
        return (
            Requirement.index_id == self._index_id,
            Requirement.required == name,
            Requirement.project != name,  # extras that are made of others name their own project
            Project.status != ProjectStatus.QUARANTINED,
        )
