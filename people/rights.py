"""Every change to teams, roles and the names that belong to a team."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import NormalizedName

from database import accounts as account_rows
from database import rights as rows
from database.engine import Database
from database.journal import Actor, Change, Entry
from database.rights import OWNER, Rights
from errors import Conflict, InvalidRequest, NotFound, UnknownRole, shown
from people.tokens import checked_pattern
from permissions import INDEX_ROLES, PROJECT_ROLES

_TEAM = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_TITLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a role: a user, or a team."""

    name: str
    is_team: bool = False

    def rows(self, change: Change) -> tuple[int | None, int | None]:
        """The row of the user, or of the team. Raises UnknownUser, UnknownTeam."""
        if self.is_team:
            return None, rows.team_id_of(change.connection, self.name)
        return account_rows.user_id_of(change.connection, self.name), None

    def detail(self) -> dict[str, str]:
        """As the journal names them, and as ``Rights.grants`` is asked."""
        return {"team" if self.is_team else "user": self.name}


class RightsManager:
    """Makes teams, gives and takes roles and names."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rights = Rights(database)

    # -- teams

    def create_team(self, name: str, title: str = "", *, by: Actor) -> None:
        """Make a team. Raises InvalidRequest, NameTaken."""
        if not _TEAM.fullmatch(name) or name.lower() == "administrators":
            raise InvalidRequest(
                f"{shown(name)} cannot be a team's name; use up to 100 letters, digits and . _ - between them."
            )
        if len(title) > _TITLE_CHARACTERS or not title.isprintable():
            raise InvalidRequest(f"A team's title may have {_TITLE_CHARACTERS} printable characters; shorten it.")
        with self.database.writing() as change:
            rows.add_team(change.connection, name, title, change.at)
            change.record(by, Entry("team.create", detail={"team": name, "title": title}))

    def delete_team(self, name: str, *, by: Actor) -> None:
        """Remove a team, with its roles. Raises UnknownTeam, and Conflict while names belong to it or it is the last
        owner of something.
        """
        with self.database.writing() as change:
            team_id = rows.team_id_of(change.connection, name)
            patterns = rows.patterns_of_team(change.connection, team_id)
            if patterns:
                raise Conflict(f"The names {', '.join(patterns)} belong to this team; give them to another team first.")
            owned = rows.owned_by_team(change.connection, team_id)
            rows.remove_team(change.connection, team_id)
            for index, project in owned:
                _must_keep_an_owner(change, index, project)
            change.moves_access()
            change.record(by, Entry("team.delete", detail={"team": name}))

    def add_member(self, team: str, username: str, *, by: Actor) -> bool:
        """Put a user into a team; False if they were in it. Raises UnknownTeam, UnknownUser."""
        with self.database.writing() as change:
            team_id = rows.team_id_of(change.connection, team)
            user_id = account_rows.user_id_of(change.connection, username)
            added = rows.set_member(change.connection, team_id, user_id, "", change.at)
            change.moves_access()
            change.record(by, Entry("team.add", detail={"team": team, "user": username}))
        return added

    def remove_member(self, team: str, username: str, *, by: Actor) -> None:
        """Take a user out of a team. Raises UnknownTeam, UnknownUser; NotFound if they are not in it."""
        with self.database.writing() as change:
            team_id = rows.team_id_of(change.connection, team)
            user_id = account_rows.user_id_of(change.connection, username)
            if not rows.remove_member(change.connection, team_id, user_id):
                raise NotFound(f"{username} is not in the team {team}; look at the team for who is.")
            change.moves_access()
            change.record(by, Entry("team.remove", detail={"team": team, "user": username}))

    # -- roles

    def grant(self, index: str, project: NormalizedName | None, holder: Holder, role: str, *, by: Actor) -> str | None:
        """Give a role on an index, or on a project of it; the role that they had there before, if any.

        Raises InvalidRequest for a role that is none there, UnknownIndex, UnknownUser, UnknownTeam, and Conflict where
        the last owner would become something else.
        """
        known = PROJECT_ROLES if project else INDEX_ROLES
        if role not in known:
            raise InvalidRequest(
                f"{shown(role)} is no role on {'a project' if project else 'an index'}; choose from {', '.join(known)}."
            )
        with self.database.writing() as change:
            before = rows.set_grant(change.connection, index, project or "", holder.rows(change), role, change.at)
            if before == role:
                return before
            if before == OWNER:
                _must_keep_an_owner(change, index, project or "")
            change.moves_access()
            detail: dict[str, str | None] = {**holder.detail(), "role": role, "before": before, "index": index}
            change.record(by, _entry("role.grant", project, detail))
        return before

    def revoke(self, index: str, project: NormalizedName | None, holder: Holder, *, by: Actor) -> str:
        """Take a role away; which it was. Raises UnknownRole, and Conflict for a project's last owner."""
        with self.database.writing() as change:
            before = rows.remove_grant(change.connection, index, project or "", holder.rows(change))
            if before is None:
                raise UnknownRole(holder.name, project or index)
            if before == OWNER:
                _must_keep_an_owner(change, index, project or "")
            change.moves_access()
            detail: dict[str, str | None] = {**holder.detail(), "role": before, "index": index}
            change.record(by, _entry("role.revoke", project, detail))
        return before

    # -- names

    def set_pattern(self, index: str, pattern: str, team: str, *, by: Actor) -> bool:
        """Give names such as ``acme-*`` to a team, also if they were another's; False if they were its own.

        Raises InvalidRequest, UnknownIndex, UnknownTeam.
        """
        pattern = checked_pattern(pattern)
        with self.database.writing() as change:
            team_id = rows.team_id_of(change.connection, team)
            moved = rows.set_pattern(change.connection, index, pattern, team_id, change.at)
            change.moves_access()
            change.record(by, Entry("pattern.set", detail={"index": index, "pattern": pattern, "team": team}))
        return moved

    def remove_pattern(self, index: str, pattern: str, *, by: Actor) -> None:
        """Give names up. Raises InvalidRequest, NotFound, UnknownIndex."""
        pattern = checked_pattern(pattern)
        with self.database.writing() as change:
            if not rows.remove_pattern(change.connection, index, pattern):
                raise NotFound(f"No team has the names {shown(pattern)}; list the patterns to see which do.")
            change.moves_access()
            change.record(by, Entry("pattern.remove", detail={"index": index, "pattern": pattern}))


def _entry(action: str, project: NormalizedName | None, detail: dict[str, str | None]) -> Entry:
    """A role moves no page, so its row has no index."""
    return Entry(action, project=project, detail=detail)


def _must_keep_an_owner(change: Change, index: str, project: str) -> None:
    if project and rows.ownerless(change.connection, index, project):
        raise Conflict(f"This is the last owner of {project}; give it to another one first.")
