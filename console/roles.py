"""``cli.py role`` and ``cli.py pattern``: who is what, and which names belong to which team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.options import (
    Chosen,
    index_option,
    json_option,
    package_option,
    pass_chosen,
    reading,
    services_of,
    shell_actor,
    team_option,
    username_option,
    where_options,
    yes_option,
)
from console.output import answer, as_json, must_confirm, say, table, wanted
from console.standing import telling_of_defaults
from permissions import INDEX_ROLES, Role

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from database.rights import GrantRow
    from people.rights import Holder
    from services import Services

pattern_option = click.option(
    "--pattern", metavar="NAMES", help="A name, or the beginning of names with * behind it: 'acme-*'."
)


def _project(name: str | None) -> NormalizedName | None:
    from distributions.filenames import check_project_name

    return None if name is None else check_project_name(name)


def _concerned(services: Services, holder: Holder, project: str | None) -> tuple[str, ...]:
    """Whose role on the index changes with the holder's. Raises UnknownTeam."""
    if project is not None:
        return ()
    if holder.is_team:
        return tuple(name for name, _ in services.readers.rights.team(holder.name).members)
    return (holder.name,)


def _holder(username: str | None, team: str | None) -> Holder:
    """Whom a role is given or taken; a user is asked for where neither was said."""
    from people.rights import Holder

    if username is not None and team is not None:
        raise click.UsageError("Options '--username' and '--team' exclude each other; a role has one holder.")
    if team is not None:
        return Holder(team, is_team=True)
    return Holder(wanted(username, "--username", "Username"))


# -- roles


@click.group()
@where_options
def role() -> None:
    """Manage roles.

    A user or a team holds one on a project (--package-name) or, without it, on the index. On a project: maintainer
    (uploads and yanks) and owner (deletes and gives roles, too). On the index: none, reader, uploader (starts
    projects), maintainer (changes every project) and owner (gives roles on every project, too).
    """


@role.command("list")
@username_option
@team_option
@package_option
@index_option
@json_option
@where_options
@pass_chosen
def list_roles(
    chosen: Chosen, username: str | None, team: str | None, package_name: str | None, index: str, json_: bool
) -> None:
    """List the roles: of a user, of a team, on a project, or all."""
    from people.documents import role_line

    project = _project(package_name)
    with reading(chosen) as reader:
        found = reader.rights.grants(index=index, project=project, user=username, team=team)
    if json_:
        as_json([role_line(one) for one in found])
        return
    rows = ((one.project or "(the index)", one.role, one.holder, _kind(one), one.created) for one in found)
    table(("PROJECT", "ROLE", "HOLDER", "KIND", "SINCE"), rows, nothing="No roles.")


def _kind(row: GrantRow) -> str:
    return "team" if row.is_team else "user"


@role.command("grant")
@username_option
@team_option
@package_option
@click.option("--role", "word", type=click.Choice(INDEX_ROLES), help="The role; it takes the place of an earlier one.")
@index_option
@json_option
@where_options
@pass_chosen
def grant(chosen: Chosen, /, username: str | None, team: str | None, json_: bool, **said: Any) -> None:
    """Give a role.

    A project that is not there yet is kept for whom the role is given to. On the index a role takes the place of
    default_role, also where it is less.
    """
    from people.documents import role_line, role_sentence

    holder, project = _holder(username, team), _project(said["package_name"])
    word = wanted(said["word"], "--role", "Role")
    with services_of(chosen) as services:
        with telling_of_defaults(services, _concerned(services, holder, project), said["index"]):
            before = services.rights.grant(said["index"], project, holder, word, by=shell_actor())
        (now,) = services.readers.rights.grants(index=said["index"], project=project or "", **holder.detail())
        sentence = role_sentence(now, services.readers.rights, before)
        is_new = project is not None and not services.readers.rights.ground(said["index"], project).exists
    if is_new:
        say(f"There is no project {project} yet; until somebody with a role on it starts it, its name is kept.")
    if json_:
        as_json({**role_line(now), "before": before})
        return
    answer(sentence)


@role.command("revoke")
@username_option
@team_option
@package_option
@index_option
@yes_option
@json_option
@where_options
@pass_chosen
def revoke(chosen: Chosen, /, username: str | None, team: str | None, yes: bool, json_: bool, **said: Any) -> None:
    """Take a role away.

    A project's last owner stays. Who has no role on the index any more is what default_role says.
    """
    holder, project = _holder(username, team), _project(said["package_name"])
    where = project or f"the index {said['index']}"
    must_confirm(f"Take the role of {holder.name} on {where} away?", yes=yes)
    with (
        services_of(chosen) as services,
        telling_of_defaults(services, _concerned(services, holder, project), said["index"]),
    ):
        before = services.rights.revoke(said["index"], project, holder, by=shell_actor())
    if json_:
        as_json({"revoked": before})
    else:
        answer(f"{holder.name} {_ended(before)} {where}.")


def _ended(role: str) -> str:
    return f"is no longer {role} of" if role != Role.NONE.value else "no longer has a role without rights on"


# -- names


@click.group()
@where_options
def pattern() -> None:
    """Manage which names belong to which team.

    Under a pattern such as acme-* only its team starts projects; the narrowest pattern that covers a name counts.
    """


def _checked(said: str | None) -> str:
    from people.tokens import checked_pattern

    return checked_pattern(wanted(said, "--pattern", "Pattern of names"))


@pattern.command("list")
@index_option
@json_option
@where_options
@pass_chosen
def list_patterns(chosen: Chosen, index: str, json_: bool) -> None:
    """List the names that belong to teams."""
    from people.documents import pattern_line

    with reading(chosen) as reader:
        found = reader.rights.patterns(index)
    if json_:
        as_json([pattern_line(one) for one in found])
        return
    table(("NAMES", "TEAM", "SINCE"), ((one.pattern, one.team, one.created) for one in found), nothing="No patterns.")


@pattern.command("set")
@pattern_option
@team_option
@index_option
@json_option
@where_options
@pass_chosen
def set_pattern(chosen: Chosen, pattern: str | None, team: str | None, index: str, json_: bool) -> None:
    """Give names to a team, also if they were another's."""
    from people.documents import pattern_line

    names, name = _checked(pattern), wanted(team, "--team", "Name of the team")
    with services_of(chosen) as services:
        services.rights.set_pattern(index, names, name, by=shell_actor())
        now = next(one for one in services.readers.rights.patterns(index) if one.pattern == names)
        others = services.readers.rights.of_others(index, names, name)
    if json_:
        as_json(pattern_line(now))
    else:
        answer(f"Projects named {now.pattern} are started by the team {now.team} alone.")
    if others:
        say(f"Owned by others than the team, and left to them: {', '.join(others)}.")


@pattern.command("remove")
@pattern_option
@index_option
@yes_option
@json_option
@where_options
@pass_chosen
def remove_pattern(chosen: Chosen, pattern: str | None, index: str, yes: bool, json_: bool) -> None:
    """Give names up, so that any uploader may start projects under them."""
    names = _checked(pattern)
    must_confirm(f"Give the names {names} up?", yes=yes)
    with services_of(chosen) as services:
        services.rights.remove_pattern(index, names, by=shell_actor())
    if json_:
        as_json({"removed": names})
    else:
        answer(f"The names {names} belong to no team.")
