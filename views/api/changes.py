"""``/api/packages``: yanking, deleting, undoing that, and setting the status of what is there."""

from __future__ import annotations

from flask import Response
from packaging.utils import NormalizedName

from permissions import Permission
from simple.model import ProjectStatus
from views import services, this_index
from views.api import blueprint, shapes
from views.api.bodies import read_body
from views.api.operations import Operation, Reply, described
from views.api.packages import answer, status_document
from views.guards import actor, requires
from views.releases import release_named
from views.simple import normalized

_YANKED = {200: Reply("It is so now.", shapes.YANKED)}
_DELETED = {200: Reply("The files are listed no more.", shapes.DELETED)}
_UNDO = (
    "It can be undone for as long as the setting undo_days says. The filenames are not given out again, also not for "
    "the same bytes."
)


@blueprint.post("/packages/<name>/<version:version>/yank")
@requires(Permission.YANK, project="name")
@described(
    Operation(
        "Yank a release or one of its files",
        "packages",
        _YANKED,
        description="Installers pass a yanked file over unless it is asked for exactly (PEP 592).",
        body=shapes.YANK_BODY,
        body_optional=True,
    )
)
def yank(name: str, version: str) -> Response:
    """Yank a release or one of its files."""
    body = read_body(shapes.YANK_BODY, optional=True)
    project, spelled = _release(name, version)
    changed = services().manager.yank(
        this_index().name, project, spelled, body.get("filename"), body["reason"], by=actor()
    )
    return _yanked(project, spelled, body.get("filename"), changed, yanked=True)


@blueprint.delete("/packages/<name>/<version:version>/yank")
@requires(Permission.YANK, project="name")
@described(
    Operation(
        "Take a yank back",
        "packages",
        _YANKED,
        description="A reason is taken as with the yank, for scripts that send one, and is not kept.",
        body=shapes.YANK_BODY,
        body_optional=True,
    )
)
def unyank(name: str, version: str) -> Response:
    """Take the yank of a release or of one of its files back."""
    body = read_body(shapes.YANK_BODY, optional=True)
    project, spelled = _release(name, version)
    changed = services().manager.unyank(this_index().name, project, spelled, body.get("filename"), by=actor())
    return _yanked(project, spelled, body.get("filename"), changed, yanked=False)


def _release(name: str, version: str) -> tuple[NormalizedName, str]:
    """Project and version as the catalogue spells them. Raises UnknownProject, UnknownRelease."""
    project = normalized(name)
    return project, release_named(project, version).version


def _yanked(project: NormalizedName, version: str, filename: str | None, changed: int, *, yanked: bool) -> Response:
    return answer({"name": project, "version": version, "filename": filename, "yanked": yanked, "changed": changed})


@blueprint.delete("/packages/<name>")
@requires(Permission.DELETE, project="name")
@described(
    Operation(
        "Delete a project's files",
        "packages",
        _DELETED,
        description=f"{_UNDO} The project leaves every list; its name and the roles on it stand.",
        body=shapes.DELETE_BODY,
        body_optional=True,
    )
)
def delete_project(name: str) -> Response:
    """Delete every file of a project."""
    return _delete(normalized(name), None, None)


@blueprint.delete("/packages/<name>/<version:version>")
@requires(Permission.DELETE, project="name")
@described(
    Operation("Delete a release", "packages", _DELETED, description=_UNDO, body=shapes.DELETE_BODY, body_optional=True)
)
def delete_release(name: str, version: str) -> Response:
    """Delete every file of a release."""
    return _delete(*_release(name, version), None)


@blueprint.delete("/packages/<name>/<version:version>/<filename:filename>")
@requires(Permission.DELETE, project="name")
@described(
    Operation("Delete a file", "packages", _DELETED, description=_UNDO, body=shapes.DELETE_BODY, body_optional=True)
)
def delete_file(name: str, version: str, filename: str) -> Response:
    """Delete one file."""
    return _delete(*_release(name, version), filename)


def _delete(project: NormalizedName, version: str | None, filename: str | None) -> Response:
    reason = read_body(shapes.DELETE_BODY, optional=True)["reason"]
    return answer(
        services().manager.delete(this_index().name, project, version, filename, reason=reason, by=actor()).document()
    )


@blueprint.put("/packages/<name>/status")
@requires(Permission.DELETE, project="name")
@described(
    Operation(
        "Set a project's status",
        "packages",
        {200: Reply("The status as it is now.", shapes.STATUS)},
        description="archived: no new files. quarantined: nor is any given out. deprecated: a mark only.",
        body=shapes.STATUS_BODY,
    )
)
def set_status(name: str) -> Response:
    """Set a project's status marker (PEP 792)."""
    body = read_body(shapes.STATUS_BODY)
    project, status = normalized(name), ProjectStatus(body["status"])
    this_index().catalogue.validity(project)  # raises UnknownProject also for one that has no files left
    services().manager.set_status(this_index().name, project, status, body["reason"] or None, by=actor())
    return answer(status_document(project, status, body["reason"]))
