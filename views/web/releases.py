"""Managing one release: yanking it or files of it, and the way to deleting them."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from packaging.utils import NormalizedName
from werkzeug.wrappers import Response as AnyResponse

from errors import Refusal
from permissions import Permission
from views import services, this_index
from views.errors import status_of
from views.guards import actor, requires
from views.releases import release_named
from views.simple import normalized
from views.web import blueprint
from views.web.project_frame import rights_on
from views.web.project_settings import reason_said
from views.web.release import history_of
from views.web.teams import REFUSALS, said


@blueprint.get("/project/<name>/settings/releases/<version>")
@requires(Permission.YANK, project="name")
def manage_release(name: str, version: str) -> AnyResponse:
    """One release, with what can be done to it."""
    project, spelled = _known(name, version)
    if (name, version) != (project, spelled):
        return redirect(url_for("web.manage_release", name=project, version=spelled), 301)
    return _page(project, spelled)


@blueprint.post("/project/<name>/settings/releases/<version>/yank")
@requires(Permission.YANK, project="name")
def yank_release(name: str, version: str) -> AnyResponse:
    """Yank a release or one of its files, or take a yank back (PEP 592)."""
    project, spelled = _known(name, version)
    manager, filename = services().manager, said("filename") or None
    what = filename or f"{project} {spelled}"
    try:
        if said("do") == "unyank":
            changed = manager.unyank(this_index().name, project, spelled, filename, by=actor())
        else:
            changed = manager.yank(this_index().name, project, spelled, filename, reason_said(), by=actor())
    except REFUSALS as refusal:
        return _page(project, spelled, refusal)
    state = "no longer yanked" if said("do") == "unyank" else "yanked"
    flash(f"{what} is {state}." if changed else f"{what} was so already; nothing changed.")
    return redirect(url_for("web.manage_release", name=project, version=spelled), 303)


def _known(name: str, version: str) -> tuple[NormalizedName, str]:
    """Project and version as the catalogue spells them. Raises UnknownProject, UnknownRelease."""
    project = normalized(name)
    return project, release_named(project, version).version


def _page(project: NormalizedName, version: str, refusal: Refusal | None = None) -> Response:
    detail = this_index().catalogue.project_detail(project)
    page = render_template(
        "manage_release.html",
        name=project,
        version=version,
        files=[file for file in detail.files if file.version == version],
        this=next(line for line in history_of(detail) if line.version == version),
        may=rights_on(project),
        sentence=refusal.sentence if refusal else "",
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)
