"""Promoting a release in the browser: to which index, as a copy or away from here."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for
from packaging.utils import NormalizedName
from werkzeug.wrappers import Response as AnyResponse

from errors import Forbidden, NotAuthenticated, Refusal
from permissions import Permission
from views import this_index
from views.errors import status_of
from views.guards import identity, must, must_have_proved, project_named, requires
from views.promoting import promote, targets
from views.releases import offered_release
from views.simple import normalized
from views.web import blueprint
from views.web.project_frame import rights_on
from views.web.teams import REFUSALS, said
from views.web.words import count_words


# The right to upload is one on the index that it goes to; here it is enough to read.
@blueprint.get("/project/<name>/<version>/promote")
@requires(Permission.UPLOAD, project="name", asked_inside=True)
def promote_release(name: str, version: str) -> AnyResponse:
    """One release, and the indexes that it can go to."""
    must(Permission.DOWNLOAD, project_named(name))
    project, spelled = _known(name, version)
    if (name, version) != (project, spelled):
        return redirect(url_for("web.promote_release", name=project, version=spelled), 301)
    return _page(project, spelled)


@blueprint.post("/project/<name>/<version>/promote")
@requires(Permission.UPLOAD, project="name", asked_inside=True)
def promote_to(name: str, version: str) -> AnyResponse:
    """Promote it. To move it away is to delete it here, which asks for a recent proof like any deletion."""
    must(Permission.DOWNLOAD, project_named(name))
    project, spelled = _known(name, version)
    target, move = said("to"), said("way") == "move"
    if move:
        must_have_proved()
    try:
        promoted = promote(project, spelled, target, move=move)
    except (*REFUSALS, Forbidden) as refusal:
        return _page(project, spelled, refusal)
    what = f"{count_words(len(promoted.copied), 'file')} of {project} {spelled}"
    if promoted.copied:
        flash(f"{what} {'moved' if move else 'copied'} to {target}.")
    else:
        flash(f"Every file of {project} {spelled} was on {target} already{'; it left this index' if move else ''}.")
    return redirect(url_for("web.release", _index=target, name=project, version=spelled), 303)


def _known(name: str, version: str) -> tuple[NormalizedName, str]:
    """Project and version as the catalogue spells them. Raises UnknownProject, UnknownRelease."""
    project = normalized(name)
    return project, offered_release(this_index().catalogue.project_detail(project), version).version


def _page(project: NormalizedName, version: str, refusal: Refusal | None = None) -> Response:
    """The page. Raises NotAuthenticated, Forbidden for somebody who may promote it nowhere."""
    there = targets(project)
    if not there and refusal is None:
        if not identity().is_known:
            raise NotAuthenticated("Promoting needs a login; sign in first.")
        raise Forbidden(
            f"There is no other index that you may upload {project} to; ask an administrator for a role on one."
        )
    detail = this_index().catalogue.project_detail(project)
    page = render_template(
        "promote.html",
        name=project,
        version=version,
        files=[file for file in detail.files if file.version == version],
        targets=[one.row for one in there],
        may=rights_on(project),
        sentence=refusal.sentence if refusal else "",
        to=said("to"),
        way=said("way"),
    )
    return make_response(page, status_of(refusal) if refusal else 200)
