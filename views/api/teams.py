"""``/api/teams``: teams and who is in them, for administrators."""

from __future__ import annotations

from typing import Any

from flask import Response

from people.documents import team_documents
from permissions import Permission
from views import services
from views.api import blueprint
from views.api import people_shapes as shapes
from views.api.bodies import read_body
from views.api.operations import Operation, Reply, described
from views.api.packages import answer
from views.guards import actor, requires

_TEAM_NOW = {200: Reply("The team as it is now.", shapes.TEAM)}


@blueprint.get("/teams")
@requires(Permission.ADMIN)
@described(Operation("List the teams", "people", {200: Reply("The teams.", shapes.TEAM_LIST)}))
def list_teams() -> Response:
    """Every team."""
    rights = services().readers.rights
    return answer({"teams": team_documents(rights.teams(), rights)})


@blueprint.post("/teams")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Make a team",
        "people",
        {201: Reply("The team.", shapes.TEAM)},
        description="The name administrators is not taken: it stands for them where groups of a directory are named.",
        body=shapes.NEW_TEAM_BODY,
        refusals={409: "There is a team of that name."},
    )
)
def create_team() -> Response:
    """Make a team."""
    body = read_body(shapes.NEW_TEAM_BODY)
    services().rights.create_team(body["name"], body.get("title", ""), by=actor())
    return answer(_document(body["name"]), 201)


@blueprint.get("/teams/<team>")
@requires(Permission.ADMIN)
@described(Operation("Describe a team", "people", {200: Reply("The team.", shapes.TEAM)}))
def show_team(team: str) -> Response:
    """One team."""
    return answer(_document(team))


@blueprint.delete("/teams/<team>")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Delete a team",
        "people",
        {200: Reply("The team is no more.", shapes.TEAM_DELETED)},
        description="Its roles end with it.",
        refusals={409: "Names belong to the team, or a project would have no owner."},
    )
)
def delete_team(team: str) -> Response:
    """Delete a team, with its roles."""
    name = services().readers.rights.team(team).name
    services().rights.delete_team(name, by=actor())
    return answer({"deleted": name})


@blueprint.put("/teams/<team>/members/<username>")
@requires(Permission.ADMIN)
@described(Operation("Put a user into a team", "people", _TEAM_NOW))
def add_member(team: str, username: str) -> Response:
    """Put a user into a team; it is no fault if they are in it."""
    services().rights.add_member(team, username, by=actor())
    return answer(_document(team))


@blueprint.delete("/teams/<team>/members/<username>")
@requires(Permission.ADMIN)
@described(Operation("Take a user out of a team", "people", _TEAM_NOW))
def remove_member(team: str, username: str) -> Response:
    """Take a user out of a team; 404 if they are not in it."""
    services().rights.remove_member(team, username, by=actor())
    return answer(_document(team))


def _document(name: str) -> dict[str, Any]:
    rights = services().readers.rights
    return team_documents([rights.team(name)], rights)[0]
