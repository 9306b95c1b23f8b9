"""``/api/packages/<name>/publishers``: which CI jobs may upload to a project without a password."""

from __future__ import annotations

from typing import Final

from flask import Response

from people.documents import publisher_line
from permissions import Permission
from views import services, this_index
from views.api import blueprint, publishing_shapes
from views.api.bodies import read_body
from views.api.operations import Operation, Reply, described
from views.api.packages import answer
from views.guards import actor, identity, requires
from views.publisher_rights import claims_of, must_manage_publishers

_FOR_WHOM: Final = (
    "For owners of the project; of a name that is still free, for whoever may start it, each with their own. A token "
    "that adds one needs the scopes admin and upload. A publisher uploads for as long as who added it may."
)
_WITHOUT_RIGHT: Final = {403: "A known asker without the right, or a server without accounts."}


@blueprint.get("/packages/<name>/publishers")
@requires(Permission.MANAGE, project="name", asked_inside=True)
@described(
    Operation(
        "List a project's trusted publishers",
        "packages",
        {200: Reply("The publishers.", publishing_shapes.PUBLISHERS)},
        description=_FOR_WHOM,
        refusals=_WITHOUT_RIGHT,
    )
)
def list_publishers(name: str) -> Response:
    """The trusted publishers of a project."""
    mine = must_manage_publishers(name)
    found = services().publishers.of_project(this_index().name, mine.project, added_by=mine.added_by)
    return answer({"publishers": [publisher_line(row) for row in found]})


@blueprint.post("/packages/<name>/publishers")
@requires(Permission.MANAGE, project="name", proved=True, asked_inside=True)
@described(
    Operation(
        "Trust a CI job to upload",
        "packages",
        {201: Reply("The publisher.", publishing_shapes.PUBLISHER)},
        description=f"{_FOR_WHOM} docs/publishing.md has the fields of each kind.",
        body=publishing_shapes.NEW_PUBLISHER,
        refusals={**_WITHOUT_RIGHT, 409: "It is there already, or there are too many."},
    )
)
def add_publisher(name: str) -> Response:
    """Add a trusted publisher."""
    project = must_manage_publishers(name, adding=True).project
    body = read_body(publishing_shapes.NEW_PUBLISHER)
    fields = {one: body[one] for one in publishing_shapes.FIELD_NAMES if one in body} | claims_of(
        body.get("claims", ())
    )
    issuer, user_id = body.get("issuer", ""), identity().user_id
    row = services().publishers.add(
        this_index().name, project, body["kind"], fields, issuer, by=actor(), user_id=user_id
    )
    return answer(publisher_line(row), 201)


@blueprint.delete("/packages/<name>/publishers")
@requires(Permission.MANAGE, project="name", proved=True, asked_inside=True)
@described(
    Operation(
        "Trust a CI job no more",
        "packages",
        {200: Reply("Its tokens are worth nothing now.", publishing_shapes.REMOVED)},
        description=_FOR_WHOM,
        body=publishing_shapes.REMOVE,
        refusals=_WITHOUT_RIGHT,
    )
)
def remove_publisher(name: str) -> Response:
    """Remove a trusted publisher."""
    mine = must_manage_publishers(name)
    public_id = read_body(publishing_shapes.REMOVE)["id"]
    services().publishers.remove(this_index().name, mine.project, public_id, added_by=mine.added_by, by=actor())
    return answer({"removed": public_id})
