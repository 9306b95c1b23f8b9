"""``cli.py team``: teams and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.options import (
    Chosen,
    json_option,
    pass_chosen,
    reading,
    services_of,
    shell_actor,
    team_option,
    username_option,
    where_options,
    yes_option,
)
from console.output import answer, as_json, facts, must_confirm, table, wanted
from console.standing import telling_of_defaults
from console.users import username_of
from permissions import MAIN

if TYPE_CHECKING:
    from database.rights import Rights, TeamRow


@click.group()
@where_options
def team() -> None:
    """Manage teams.

    A team holds roles and names (`cli.py role`, `cli.py pattern`); whoever is in it has what it has.
    """


def _team(name: str | None) -> str:
    return wanted(name, "--team", "Name of the team")


def _document(row: TeamRow, rights: Rights) -> dict[str, Any]:
    return _documents([row], rights)[0]


def _documents(teams: list[TeamRow], rights: Rights) -> list[dict[str, Any]]:
    from people.documents import team_documents

    return team_documents(teams, rights)


@team.command("create")
@team_option
@click.option("--title", default="", metavar="TEXT", help="What it is, for people.")
@json_option
@where_options
@pass_chosen
def create(chosen: Chosen, team: str | None, title: str, json_: bool) -> None:
    """Make a team."""
    name = _team(team)
    with services_of(chosen) as services:
        services.rights.create_team(name, title, by=shell_actor())
        made = services.readers.rights.team(name)
        document = _document(made, services.readers.rights)
    if json_:
        as_json(document)
    else:
        answer(f"Made the team {made.name}.")


@team.command("list")
@json_option
@where_options
@pass_chosen
def list_teams(chosen: Chosen, json_: bool) -> None:
    """List the teams."""
    with reading(chosen) as reader:
        found = reader.rights.teams()
        if json_:
            as_json(_documents(found, reader.rights))
            return
    rows = ((one.name, one.title, ", ".join(name for name, _ in one.members), one.created) for one in found)
    table(("TEAM", "TITLE", "MEMBERS", "CREATED"), rows, nothing="No teams.")


@team.command("show")
@team_option
@json_option
@where_options
@pass_chosen
def show(chosen: Chosen, team: str | None, json_: bool) -> None:
    """Show a team: its members, roles and names."""
    name = _team(team)
    with reading(chosen) as reader:
        found = reader.rights.team(name)
        roles = reader.rights.grants(team=found.name)
        patterns = [one for one in reader.rights.patterns() if one.team == found.name]
        document = _document(found, reader.rights)
    if json_:
        as_json(document)
        return
    facts([("team", found.name), ("title", found.title), ("created", found.created)])
    answer("")
    table(("MEMBER", "FROM"), ((name, source or "by hand") for name, source in found.members), nothing="No members.")
    if roles:
        answer("")
        table(("ROLE", "INDEX", "PROJECT"), ((one.role, one.index, one.project) for one in roles))
    if patterns:
        answer("")
        table(("NAMES", "INDEX"), ((one.pattern, one.index) for one in patterns))


@team.command("delete")
@team_option
@yes_option
@json_option
@where_options
@pass_chosen
def delete(chosen: Chosen, team: str | None, yes: bool, json_: bool) -> None:
    """Delete a team, with its roles.

    It is refused while names belong to it, or while a project has no other owner.
    """
    name = _team(team)
    must_confirm(f"Delete the team {name}? Its members lose what they may by it.", yes=yes)
    with services_of(chosen) as services:
        found = services.readers.rights.team(name)
        with telling_of_defaults(services, (username for username, _ in found.members), MAIN):
            services.rights.delete_team(found.name, by=shell_actor())
    if json_:
        as_json({"deleted": found.name})
    else:
        answer(f"Deleted the team {found.name}.")


@team.command("add")
@team_option
@username_option
@json_option
@where_options
@pass_chosen
def add(chosen: Chosen, team: str | None, username: str | None, json_: bool) -> None:
    """Put a user into a team."""
    name, who = _team(team), username_of(username)
    with services_of(chosen) as services:
        with telling_of_defaults(services, (who,), MAIN):
            added = services.rights.add_member(name, who, by=shell_actor())
        found, account = services.readers.rights.team(name), services.users.account(who)
        document = _document(found, services.readers.rights)
    if json_:
        as_json(document)
    else:
        answer(f"{account.username} is in {found.name}{' now' if added else ' already'}.")


@team.command("remove")
@team_option
@username_option
@yes_option
@json_option
@where_options
@pass_chosen
def remove(chosen: Chosen, team: str | None, username: str | None, yes: bool, json_: bool) -> None:
    """Take a user out of a team.

    Whom a directory put there comes back with their next sign-in.
    """
    name, who = _team(team), username_of(username)
    must_confirm(f"Take {who} out of {name}?", yes=yes)
    with services_of(chosen) as services:
        with telling_of_defaults(services, (who,), MAIN):
            services.rights.remove_member(name, who, by=shell_actor())
        found, account = services.readers.rights.team(name), services.users.account(who)
        document = _document(found, services.readers.rights)
    if json_:
        as_json(document)
    else:
        answer(f"{account.username} is no longer in {found.name}.")
