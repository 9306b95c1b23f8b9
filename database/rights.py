"""Teams, roles and name patterns: who may do what where. Queries and writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, update

from database.engine import Database
from database.identity_models import Grant, NamePattern, Team, TeamMember, User
from database.models import PackageIndex, Project
from errors import NameTaken, UnknownIndex, UnknownTeam, shown

OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Held:
    """What a person holds: roles by index and project ("" for the whole index), the highest last; their teams."""

    roles: tuple[tuple[str, str, str], ...] = ()
    teams: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """The facts about one project's name: is it there, who owns it, which team's pattern covers it."""

    exists: bool = False
    owners: tuple[str, ...] = ()
    pattern: str = ""
    team: int | None = None
    team_name: str = ""


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team with its members, by name."""

    id: int
    name: str
    title: str
    created: datetime
    members: tuple[tuple[str, str], ...] = field(default=())  # username, source ("" by hand)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One role: its holder is a user or a team. ``project`` is empty for the whole index."""

    index: str
    project: str
    holder: str
    is_team: bool
    role: str
    created: datetime


@dataclass(frozen=True, slots=True)
class PatternRow:
    """A pattern of names and the team that it belongs to."""

    index: str
    pattern: str
    team: str
    created: datetime


class Rights:
    """The reader of teams and roles. The functions below it change them, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def held(self, user_id: int) -> Held:
        """The roles that a person holds alone or by a team, and their teams."""
        mine = select(TeamMember.team_id).where(TeamMember.user_id == user_id)
        with self.database.reading() as connection:
            teams = frozenset(connection.execute(mine).scalars())
            rows = connection.execute(
                select(PackageIndex.name, Grant.project, Grant.role)
                .join(PackageIndex, PackageIndex.id == Grant.index_id)
                .where(or_(Grant.user_id == user_id, Grant.team_id.in_(mine)))
            )
            return Held(tuple((row[0], row[1], row[2]) for row in rows), teams)

    def ground(self, index: str, project: NormalizedName) -> Ground:
        """The facts about a project's name."""
        with self.database.reading() as connection:
            return ground(connection, index, project)

    def teams(self) -> list[TeamRow]:
        """Every team, by name."""
        with self.database.reading() as connection:
            members: dict[int, list[tuple[str, str]]] = {}
            for row in connection.execute(
                select(TeamMember.team_id, User.username, TeamMember.source)
                .join(User, User.id == TeamMember.user_id)
                .order_by(User.username_key)
            ):
                members.setdefault(row[0], []).append((row[1], row[2]))
            rows = connection.execute(select(Team.id, Team.name, Team.title, Team.created).order_by(Team.name_key))
            return [TeamRow(*row, tuple(members.get(row[0], ()))) for row in rows]

    def team(self, name: str) -> TeamRow:
        """One team, by its name in whatever case. Raises UnknownTeam."""
        for team in self.teams():
            if team.name.lower() == name.lower():
                return team
        raise UnknownTeam(name)

    def grants(
        self, *, index: str | None = None, project: str | None = None, user: str | None = None, team: str | None = None
    ) -> list[GrantRow]:
        """Roles, by index, project and holder; of one index, one project ("" for the index itself), user or team."""
        statement = _grants()
        for column, value in (
            (PackageIndex.name, index), (Grant.project, project),
            (User.username_key, user and user.lower()), (Team.name_key, team and team.lower()),
        ):  # fmt: skip
            if value is not None:
                statement = statement.where(column == value)
        with self.database.reading() as connection:
            return [_grant(row) for row in connection.execute(statement)]

    def naming_teams(self) -> frozenset[int]:
        """The rows of the teams to which some names belong: their people maintain and start projects."""
        with self.database.reading() as connection:
            return frozenset(connection.execute(select(NamePattern.team_id).distinct()).scalars())

    def of_others(self, index: str, pattern: str, team: str) -> list[str]:
        """The projects under a pattern that are owned, and by nobody of a team: giving it the names takes them from
        no one.
        """
        with self.database.reading() as connection:
            team_id = team_id_of(connection, team)
            members = select(TeamMember.user_id).where(TeamMember.team_id == team_id)
            own = (Grant.team_id == team_id) | Grant.user_id.in_(members)
            owned = (
                select(Grant.project, func.max(case((own, 1), else_=0)))
                .where(Grant.index_id == _index_id(connection, index), Grant.role == OWNER, Grant.project != "")
                .group_by(Grant.project)
                .order_by(Grant.project)
            )
            return [name for name, is_own in connection.execute(owned) if not is_own and covers(pattern, name)]

    def patterns(self, index: str | None = None) -> list[PatternRow]:
        """Every pattern of names, by index and pattern."""
        statement = (
            select(PackageIndex.name, NamePattern.pattern, Team.name, NamePattern.created)
            .join(PackageIndex, PackageIndex.id == NamePattern.index_id)
            .join(Team, Team.id == NamePattern.team_id)
            .order_by(PackageIndex.name, NamePattern.pattern)
        )
        if index is not None:
            statement = statement.where(PackageIndex.name == index)
        with self.database.reading() as connection:
            return [PatternRow(*row) for row in connection.execute(statement)]

    def projects_of(self, username: str, index: str) -> list[tuple[str, str]]:
        """Role and project of everything that a user holds alone on an index, by project."""
        return [(row.role, row.project) for row in self.grants(index=index, user=username) if row.project]


def _grants() -> Any:
    return (
        select(
            PackageIndex.name, Grant.project, User.username, Team.name, Grant.role, Grant.created,
        )
        .join(PackageIndex, PackageIndex.id == Grant.index_id)
        .outerjoin(User, User.id == Grant.user_id)
        .outerjoin(Team, Team.id == Grant.team_id)
        .order_by(PackageIndex.name, Grant.project, Team.name_key, User.username_key)
    )  # fmt: skip


def _grant(row: Any) -> GrantRow:
    index, project, username, team, role, created = row
    return GrantRow(index, project, team or username, team is not None, role, created)


def ground(connection: Connection, index: str, project: NormalizedName) -> Ground:
    """The facts about a project's name, within a transaction."""
    index_id = _index_id(connection, index)
    found = connection.execute(select(Project.id).where(Project.index_id == index_id, Project.name == project)).first()
    owners = connection.execute(
        select(func.coalesce(Team.name, User.username))
        .select_from(Grant)
        .outerjoin(User, User.id == Grant.user_id)
        .outerjoin(Team, Team.id == Grant.team_id)
        .where(Grant.index_id == index_id, Grant.project == project, Grant.role == OWNER)
        .order_by(Grant.id)
    ).scalars()
    patterns = connection.execute(
        select(NamePattern.pattern, Team.id, Team.name)
        .join(Team, Team.id == NamePattern.team_id)
        .where(NamePattern.index_id == index_id)
    )
    pattern, team, team_name = _narrowest(project, ((row[0], row[1], row[2]) for row in patterns))
    return Ground(found is not None, tuple(owners), pattern, team, team_name)


def _narrowest(project: str, patterns: Iterable[tuple[str, int, str]]) -> tuple[str, int | None, str]:
    """The narrowest pattern that covers a name: the name itself, then ``acme-secret-*`` before ``acme-*``."""
    covering = [one for one in patterns if covers(one[0], project)]
    return max(covering, key=lambda one: (not one[0].endswith("*"), len(one[0])), default=("", None, ""))


def covers(pattern: str, project: str) -> bool:
    """Whether a name, or a beginning with ``*`` behind it, covers a normalized project name."""
    return project.startswith(pattern[:-1]) if pattern.endswith("*") else project == pattern


def _index_id(connection: Connection, index: str) -> int:
    found = connection.execute(select(PackageIndex.id).where(PackageIndex.name == index)).scalar_one_or_none()
    if found is None:
        raise UnknownIndex(index)
    return found


def team_id_of(connection: Connection, name: str) -> int:
    """The row of a team. Raises UnknownTeam."""
    found = connection.execute(select(Team.id).where(Team.name_key == name.lower())).scalar_one_or_none()
    if found is None:
        raise UnknownTeam(name)
    return found


def team_ids(connection: Connection, names: Iterable[str]) -> set[int]:
    """The rows of the teams of these names that there are."""
    keys = [name.lower() for name in names]
    return set(connection.execute(select(Team.id).where(Team.name_key.in_(keys))).scalars())


def add_team(connection: Connection, name: str, title: str, at: datetime) -> int:
    """Make a team; its row. Raises NameTaken."""
    if connection.execute(select(Team.id).where(Team.name_key == name.lower())).first() is not None:
        raise NameTaken(f"A team named {shown(name)} exists; choose another name.")
    return connection.execute(
        insert(Team).values(name=name, name_key=name.lower(), title=title, created=at).returning(Team.id)
    ).scalar_one()


def remove_team(connection: Connection, team_id: int) -> None:
    """Remove a team with its members and roles; its patterns must be gone."""
    for table in (TeamMember, Grant):
        connection.execute(delete(table).where(table.team_id == team_id))
    connection.execute(delete(Team).where(Team.id == team_id))


def patterns_of_team(connection: Connection, team_id: int) -> list[str]:
    """The patterns that belong to a team."""
    return list(connection.execute(select(NamePattern.pattern).where(NamePattern.team_id == team_id)).scalars())


def set_member(connection: Connection, team_id: int, user_id: int, source: str, at: datetime) -> bool:
    """Put a person into a team; False if they are there. Who was put there by hand stays so."""
    here = and_(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
    if connection.execute(select(TeamMember.team_id).where(here)).first() is not None:
        if not source:
            connection.execute(update(TeamMember).where(here).values(source=""))
        return False
    connection.execute(insert(TeamMember).values(team_id=team_id, user_id=user_id, source=source, added=at))
    return True


def remove_member(connection: Connection, team_id: int, user_id: int) -> bool:
    """Take a person out of a team; whether they were in it."""
    return bool(
        connection.execute(
            delete(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
        ).rowcount
    )


def teams_by_source(connection: Connection, user_id: int, source: str) -> set[int]:
    """The teams that a person is in because a directory says so."""
    return set(
        connection.execute(
            select(TeamMember.team_id).where(TeamMember.user_id == user_id, TeamMember.source == source)
        ).scalars()
    )


def set_grant(
    connection: Connection, index: str, project: str, holder: tuple[int | None, int | None], role: str, at: datetime
) -> str | None:
    """Give a holder, a user's or a team's row, a role; the role that they had, if any. Raises UnknownIndex."""
    where = _of(_index_id(connection, index), project, holder)
    before = connection.execute(select(Grant.role).where(where)).scalar_one_or_none()
    if before is None:
        user_id, team_id = holder
        connection.execute(
            insert(Grant).values(
                index_id=_index_id(connection, index), project=project, user_id=user_id, team_id=team_id, role=role,
                created=at,
            )
        )  # fmt: skip
    elif before != role:
        connection.execute(update(Grant).where(where).values(role=role))
    return before


def remove_grant(connection: Connection, index: str, project: str, holder: tuple[int | None, int | None]) -> str | None:
    """Take a role away; which it was, None if there was none. Raises UnknownIndex."""
    where = _of(_index_id(connection, index), project, holder)
    before = connection.execute(select(Grant.role).where(where)).scalar_one_or_none()
    connection.execute(delete(Grant).where(where))
    return before


def _of(index_id: int, project: str, holder: tuple[int | None, int | None]) -> ColumnElement[bool]:
    user_id, team_id = holder
    held_by = Grant.user_id == user_id if user_id is not None else Grant.team_id == team_id
    return and_(Grant.index_id == index_id, Grant.project == project, held_by)


def ownerless(connection: Connection, index: str, project: str) -> bool:
    """Whether nobody owns a project, or an index for ""."""
    return (
        connection.execute(
            select(Grant.id).where(
                Grant.index_id == _index_id(connection, index), Grant.project == project, Grant.role == OWNER
            )
        ).first()
        is None
    )


def own_if_ownerless(connection: Connection, index: str, project: str, username: str, at: datetime) -> bool:
    """Make a user the owner of a project that nobody owns; whether it was so."""
    user_id = connection.execute(select(User.id).where(User.username_key == username.lower())).scalar_one_or_none()
    if user_id is None or not ownerless(connection, index, project):
        return False
    set_grant(connection, index, project, (user_id, None), OWNER, at)
    return True


def owned_by_team(connection: Connection, team_id: int) -> list[tuple[str, str]]:
    """Index and project of everything that a team owns."""
    rows = connection.execute(
        select(PackageIndex.name, Grant.project)
        .join(PackageIndex, PackageIndex.id == Grant.index_id)
        .where(Grant.team_id == team_id, Grant.role == OWNER)
    )
    return [(row[0], row[1]) for row in rows]


def set_pattern(connection: Connection, index: str, pattern: str, team_id: int, at: datetime) -> bool:
    """Give a pattern to a team, also if it was another's; False if it was that team's. Raises UnknownIndex."""
    index_id = _index_id(connection, index)
    here = and_(NamePattern.index_id == index_id, NamePattern.pattern == pattern)
    before = connection.execute(select(NamePattern.team_id).where(here)).scalar_one_or_none()
    if before is None:
        connection.execute(insert(NamePattern).values(index_id=index_id, pattern=pattern, team_id=team_id, created=at))
    else:
        connection.execute(update(NamePattern).where(here).values(team_id=team_id))
    return before != team_id


def remove_pattern(connection: Connection, index: str, pattern: str) -> bool:
    """Give a pattern up; whether it was there. Raises UnknownIndex."""
    return bool(
        connection.execute(
            delete(NamePattern).where(
                NamePattern.index_id == _index_id(connection, index), NamePattern.pattern == pattern
            )
        ).rowcount
    )
