"""The projects as those who look after the server see them: whose, how large, in which state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select

from database.engine import Database
from database.identity_models import Grant, Team, User
from database.models import File, PackageIndex, Project
from database.rights import OWNER

SORTS: Final = ("updated", "name", "size", "files")
STATES: Final = ("active", "archived", "deprecated", "quarantined", "without owner")
WITHOUT_OWNER: Final = STATES[-1]


@dataclass(frozen=True, slots=True)
class ManagedProject:
    """A project: its owners (users, then teams), its files and their bytes, its status and the reason for it."""

    name: str
    display_name: str
    status: str
    status_reason: str | None
    latest_version: str | None
    files: int
    bytes: int
    updated: datetime
    owners: tuple[str, ...]


class ManagedProjects:
    """The projects of one index that have files, quarantined ones too."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index

    def count(self, *, prefix: str = "", state: str = "") -> int:
        """How many begin with ``prefix`` and are in a state of STATES, or in any."""
        with self.database.reading() as connection:
            statement = select(func.count()).select_from(Project).where(*self._where(prefix, state))
            return connection.execute(statement).scalar_one()

    def page(
        self, *, prefix: str = "", state: str = "", sort: str = "updated", limit: int, offset: int = 0
    ) -> list[ManagedProject]:
        """Some of them, by a word of SORTS: names rise, all else falls."""
        size = select(func.coalesce(func.sum(File.size), 0)).where(File.project_id == Project.id).scalar_subquery()
        order: dict[str, ColumnElement[Any]] = {
            "updated": Project.updated.desc(), "name": Project.name.asc(), "size": size.desc(),
            "files": Project.file_count.desc(),
        }  # fmt: skip
        statement = (
            select(
                Project.name, Project.display_name, Project.status, Project.status_reason, Project.latest_version,
                Project.file_count, size, Project.updated,
            )
            .where(*self._where(prefix, state))
            .order_by(order[sort], Project.name)
            .limit(limit)
            .offset(offset)
        )  # fmt: skip
        with self.database.reading() as connection:
            rows = connection.execute(statement).all()
            owners: dict[str, list[str]] = {}
            named = select(Grant.project, func.coalesce(User.username, Team.name)).select_from(Grant)
            named = named.outerjoin(User, User.id == Grant.user_id).outerjoin(Team, Team.id == Grant.team_id)
            names = [row[0] for row in rows]
            owning = named.where(self._is_ours(Grant.index_id), Grant.role == OWNER, Grant.project.in_(names))
            for project, owner in connection.execute(owning.order_by(Grant.id)):
                owners.setdefault(project, []).append(owner)
        return [ManagedProject(*(*row, tuple(owners.get(row[0], ())))) for row in rows]

    def _where(self, prefix: str, state: str) -> list[ColumnElement[bool]]:
        where = [self._is_ours(Project.index_id), Project.file_count > 0]
        if prefix:
            where += [Project.name >= prefix, Project.name < prefix + "\U0010ffff"]
        if state == WITHOUT_OWNER:
            owned = select(Grant.id).where(
                Grant.index_id == Project.index_id, Grant.project == Project.name, Grant.role == OWNER
            )
            where.append(~owned.exists())
        elif state:
            where.append(Project.status == state)
        return where

    def _is_ours(self, index_id: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = index_id == (
            select(PackageIndex.id).where(PackageIndex.name == self.index).scalar_subquery()
        )
        return found
