"""The settings of a project, for its owners: who works on it."""

from __future__ import annotations

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from packaging.utils import NormalizedName
from werkzeug.wrappers import Response as AnyResponse

from errors import Refusal, UnknownProject
from permissions import PROJECT_ROLES, Permission, allows
from services import INDEX
from views import services
from views.errors import status_of
from views.guards import actor, identity, requires, where
from views.simple import normalized
from views.web import blueprint
from views.web.teams import REFUSALS, holder_said, said


@blueprint.get("/project/<name>/settings")
@requires(Permission.MANAGE, project="name")
def project_settings(name: str) -> AnyResponse:
    """Who is what on a project."""
    project = normalized(name)
    if name != project:
        return redirect(url_for("web.project_settings", name=project), 301)
    return _page(project)


@blueprint.post("/project/<name>/settings/roles")
@requires(Permission.MANAGE, project="name", proved=True)
def give_project_role(name: str) -> AnyResponse:
    """Give a role on a project."""
    project, holder = normalized(name), holder_said()
    try:
        services().rights.grant(INDEX, project, holder, said("role"), by=actor())
    except REFUSALS as refusal:
        return _page(project, refusal)
    flash(f"{holder.name} is {said('role')} of {project}.")
    return _back(project)


@blueprint.post("/project/<name>/settings/roles/take")
@requires(Permission.MANAGE, project="name", proved=True)
def take_project_role(name: str) -> AnyResponse:
    """Take a role on a project away."""
    project, holder = normalized(name), holder_said()
    try:
        was = services().rights.revoke(INDEX, project, holder, by=actor())
    except REFUSALS as refusal:
        return _page(project, refusal)
    flash(f"{holder.name} is no longer {was} of {project}.")
    return _back(project)


def _back(project: NormalizedName) -> AnyResponse:
    """To the settings, or to the project for whoever just gave their own right to them away."""
    g.pop("identity", None)
    still = allows(identity(), Permission.MANAGE, where(Permission.MANAGE, project))
    return redirect(url_for("web.project_settings" if still else "web.project", name=project), 303)


def _page(project: NormalizedName, refusal: Refusal | None = None) -> Response:
    rights = services().readers.rights
    ground, roles = rights.ground(INDEX, project), rights.grants(index=INDEX, project=project)
    if not ground.exists and not roles:
        raise UnknownProject(project)
    page = render_template(
        "project_settings.html",
        name=project,
        ground=ground,
        roles=roles,
        known_roles=PROJECT_ROLES,
        sentence=refusal.sentence if refusal else "",
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)
