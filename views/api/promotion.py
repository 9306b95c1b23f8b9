"""``/api/packages/<name>/<version>/promote`` and ``/api/packages/<name>/open``: what goes from index to index."""

from __future__ import annotations

from flask import Response

from permissions import Permission
from views import services, this_index
from views.api import blueprint, index_shapes
from views.api.bodies import read_body
from views.api.operations import Operation, Reply, described
from views.api.packages import answer
from views.guards import actor, requires
from views.promoting import promote
from views.releases import offered_release
from views.simple import normalized


@blueprint.post("/packages/<name>/<version:version>/promote")
@requires(Permission.DOWNLOAD, project="name")
@described(
    Operation(
        "Promote a release to another index",
        "packages",
        {200: Reply("The release is there.", index_shapes.PROMOTED)},
        description="All its files or none; they keep their times, yanks and attestations. It needs the right to "
        "upload to the project on the other index and, to move it, to delete it on this one.",
        body=index_shapes.PROMOTION_BODY,
        refusals={409: "One of its files clashes with what the other index has, or had."},
    )
)
def promote_release(name: str, version: str) -> Response:
    """Copy or move a release of this index to another one."""
    body = read_body(index_shapes.PROMOTION_BODY)
    project = normalized(name)
    found = offered_release(this_index().catalogue.project_detail(project), version)
    return answer(promote(project, found.version, body["to"], move=body.get("move", False)).document())


@blueprint.put("/packages/<name>/open")
@requires(Permission.MANAGE, project="name")
@described(
    Operation(
        "Let others add files to a project",
        "packages",
        {200: Reply("It is so now.", index_shapes.OPENED)},
        description="Bases and upstreams, then. Whoever may publish under its name there decides what installers take "
        "from here as soon as their version is higher (dependency confusion).",
    )
)
def open_project(name: str) -> Response:
    """Let bases and upstreams add files to a project."""
    project = normalized(name)
    this_index().catalogue.validity(project)  # raises UnknownProject
    changed = services().indexes.open_project(this_index().name, project, opened=True, by=actor())
    return answer({"name": project, "open": True, "changed": changed})


@blueprint.delete("/packages/<name>/open")
@requires(Permission.MANAGE, project="name")
@described(
    Operation(
        "Let nobody else add files to a project",
        "packages",
        {200: Reply("It is so now.", index_shapes.OPENED)},
        description="As it is for every project that was not opened.",
    )
)
def close_project(name: str) -> Response:
    """Let nobody else add files to a project."""
    project = normalized(name)
    changed = services().indexes.open_project(this_index().name, project, opened=False, by=actor())
    return answer({"name": project, "open": False, "changed": changed})
