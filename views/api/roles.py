"""``/api/roles``, ``/api/packages/<name>/roles`` and ``/api/patterns``: who is what, and which names are whose."""

from __future__ import annotations

from typing import Any

from flask import Response
from packaging.utils import NormalizedName, canonicalize_name

from errors import InvalidRequest, UnknownProject
from people.documents import pattern_line, role_line
from people.rights import Holder
from people.tokens import checked_pattern
from permissions import Permission
from views import services, this_index
from views.api import blueprint
from views.api import people_shapes as shapes
from views.api.bodies import read_body, read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.packages import answer
from views.guards import actor, requires
from views.simple import normalized

_ROLE_NOW = {200: Reply("The role as it is now.", shapes.ROLE)}
_ROLE_GONE = {200: Reply("The role that it was.", shapes.ROLE_REVOKED)}
_LAST_OWNER = {409: "It is the project's last owner."}
_INSTEAD = "It takes the place of a role that they had there."
_NO_INDEX = {404: "There is no such index."}
_NO_HOLDER = {404: "There is no such user or team."}
_LIST_QUERY = (
    Parameter("index", shapes.optional_index("Only on this index.")),
    Parameter("project", {**shapes.PROJECT, "description": "Only on this project, in any spelling."}),
    Parameter("username", {**shapes.USERNAME, "description": "Only those that this user holds themselves."}),
    Parameter("team", {**shapes.TEAM_NAME, "description": "Only those of this team."}),
)
_PATTERN_QUERY = (Parameter("index", shapes.optional_index("Only of this index.")),)


# -- on the index


@blueprint.get("/roles")
@requires(Permission.ADMIN)
@described(
    Operation(
        "List the roles",
        "people",
        {200: Reply("The roles.", shapes.ROLE_LIST)},
        description="Those on indexes and on projects. Whoever holds none on the index is what the settings say.",
        query=_LIST_QUERY,
        refusals=_NO_INDEX,
    )
)
def list_roles() -> Response:
    """Roles, by whatever was asked for."""
    asked = read_query(_LIST_QUERY)
    _must_be_there(asked["index"])
    project = canonicalize_name(asked["project"]) if asked["project"] else None
    found = services().readers.rights.grants(
        index=asked["index"], project=project, user=asked["username"], team=asked["team"]
    )
    return answer({"roles": [role_line(row) for row in found]})


def _must_be_there(index: str | None) -> None:
    """Raises UnknownIndex for the name of an index that is none."""
    if index:
        services().at(index)


@blueprint.put("/roles")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Give a role on the index",
        "people",
        _ROLE_NOW,
        description=_INSTEAD,
        body=shapes.ROLE_BODY,
        refusals=_NO_HOLDER,
    )
)
def give_role() -> Response:
    """Give a role on the index."""
    body = read_body(shapes.ROLE_BODY)
    return _give(body["index"], None, body)


@blueprint.delete("/roles")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Take a role on the index away",
        "people",
        _ROLE_GONE,
        body=shapes.ROLE_GONE_BODY,
        refusals={404: "There is no such user or team, or it holds no role there."},
    )
)
def take_role() -> Response:
    """Take a role on the index away."""
    body = read_body(shapes.ROLE_GONE_BODY)
    return _take(body["index"], None, body)


# -- on a project


@blueprint.get("/packages/<name>/roles")
@requires(Permission.LIST, project="name")
@described(
    Operation(
        "List a project's roles",
        "people",
        {200: Reply("The roles.", shapes.ROLE_LIST)},
        description="Whoever may see the project sees who owns and maintains it.",
    )
)
def project_roles(name: str) -> Response:
    """Who is what on a project."""
    project = normalized(name)
    found = services().readers.rights.grants(index=this_index().name, project=project)
    if not services().readers.rights.ground(this_index().name, project).exists:
        raise UnknownProject(name)
    return answer({"roles": [role_line(row) for row in found]})


@blueprint.put("/packages/<name>/roles")
@requires(Permission.MANAGE, project="name")
@described(
    Operation(
        "Give a role on a project",
        "people",
        _ROLE_NOW,
        description=f"{_INSTEAD} Owners of the project and of the index may. The name of a project that is not there "
        "yet is kept for whom the role is given to.",
        body=shapes.PROJECT_ROLE_BODY,
        refusals=_LAST_OWNER,
    )
)
def give_project_role(name: str) -> Response:
    """Give a role on a project."""
    body = read_body(shapes.PROJECT_ROLE_BODY)
    return _give(this_index().name, normalized(name), body)


@blueprint.delete("/packages/<name>/roles")
@requires(Permission.MANAGE, project="name")
@described(
    Operation(
        "Take a role on a project away",
        "people",
        _ROLE_GONE,
        body=shapes.PROJECT_ROLE_GONE_BODY,
        refusals=_LAST_OWNER,
    )
)
def take_project_role(name: str) -> Response:
    """Take a role on a project away."""
    body = read_body(shapes.PROJECT_ROLE_GONE_BODY)
    return _take(this_index().name, normalized(name), body)


def _give(index: str, project: NormalizedName | None, body: dict[str, Any]) -> Response:
    holder = _holder(body)
    services().rights.grant(index, project, holder, body["role"], by=actor())
    (row,) = services().readers.rights.grants(index=index, project=project or "", **holder.detail())
    return answer(role_line(row))


def _take(index: str, project: NormalizedName | None, body: dict[str, Any]) -> Response:
    return answer({"revoked": services().rights.revoke(index, project, _holder(body), by=actor())})


def _holder(body: dict[str, Any]) -> Holder:
    if ("user" in body) == ("team" in body):
        raise InvalidRequest("The body must name a user or a team, and not both; send one of the fields.")
    return Holder(body["team"], is_team=True) if "team" in body else Holder(body["user"])


# -- names


@blueprint.get("/patterns")
@requires(Permission.ADMIN)
@described(
    Operation(
        "List the names that belong to teams",
        "people",
        {200: Reply("The patterns.", shapes.PATTERN_LIST)},
        description="Under a pattern only its team starts projects; of several that cover a name the narrowest counts.",
        query=_PATTERN_QUERY,
        refusals=_NO_INDEX,
    )
)
def list_patterns() -> Response:
    """Every pattern of names."""
    asked = read_query(_PATTERN_QUERY)
    _must_be_there(asked["index"])
    return answer({"patterns": [pattern_line(row) for row in services().readers.rights.patterns(asked["index"])]})


@blueprint.put("/patterns")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Give names to a team",
        "people",
        {200: Reply("The pattern as it is now.", shapes.PATTERN)},
        description="Also if they were another team's.",
        body=shapes.PATTERN_BODY,
        refusals={404: "There is no such team."},
    )
)
def set_pattern() -> Response:
    """Give names to a team."""
    body = read_body(shapes.PATTERN_BODY)
    pattern = checked_pattern(body["pattern"])
    services().rights.set_pattern(body["index"], pattern, body["team"], by=actor())
    rows = services().readers.rights.patterns(body["index"])
    return answer(pattern_line(next(row for row in rows if row.pattern == pattern)))


@blueprint.delete("/patterns")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Take names from their team",
        "people",
        {200: Reply("They belong to no team.", shapes.PATTERN_REMOVED)},
        body=shapes.PATTERN_GONE_BODY,
        refusals={404: "There is no such pattern."},
    )
)
def remove_pattern() -> Response:
    """Take names from their team."""
    body = read_body(shapes.PATTERN_GONE_BODY)
    pattern = checked_pattern(body["pattern"])
    services().rights.remove_pattern(body["index"], pattern, by=actor())
    return answer({"removed": pattern})
