"""The settings of a project: its releases, its status, who works on it, what was deleted of it."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from packaging.utils import NormalizedName
from werkzeug.wrappers import Response as AnyResponse

from database.deletions import Deleted
from errors import Gone, InvalidRequest, NotFound, Refusal, UnknownProject, shown
from permissions import PROJECT_ROLES, Permission, allows
from simple.model import ProjectStatus
from views import services, this_index
from views.errors import status_of
from views.guards import actor, asked_anew, must, project_named, requires, where
from views.simple import normalized
from views.web import blueprint
from views.web.origin import has_others, others_of
from views.web.project_frame import frame_of_name, project_of_name, rights_on
from views.web.release import history_of
from views.web.teams import REFUSALS, holder_said, said, tell_role

_RELEASES = 20
_REASON_CHARACTERS = 500


@blueprint.get("/project/<name>/settings")
@requires(Permission.MANAGE, project="name", asked_inside=True)
def project_settings(name: str) -> AnyResponse:
    """What can be changed of a project, by whoever may delete of it or manage it."""
    named = project_named(name)
    if named is None or not rights_on(named) & {"delete", "manage"}:
        must(Permission.MANAGE, named)
    project = normalized(name)
    if name != project:
        return redirect(url_for("web.project_settings", name=project), 301)
    return settings_page(project)


@blueprint.post("/project/<name>/settings/roles")
@requires(Permission.MANAGE, project="name", proved=True)
def give_project_role(name: str) -> AnyResponse:
    """Give a role on a project."""
    project, holder = normalized(name), holder_said()
    try:
        before = services().rights.grant(this_index().name, project, holder, said("role"), by=actor())
    except REFUSALS as refusal:
        return settings_page(project, refusal, "roles")
    tell_role(holder, project, before)
    return _back(project)


@blueprint.post("/project/<name>/settings/roles/take")
@requires(Permission.MANAGE, project="name", proved=True)
def take_project_role(name: str) -> AnyResponse:
    """Take a role on a project away."""
    project, holder = normalized(name), holder_said()
    try:
        was = services().rights.revoke(this_index().name, project, holder, by=actor())
    except REFUSALS as refusal:
        return settings_page(project, refusal, "roles")
    flash(f"{holder.name} is no longer {was} of {project}.")
    return _back(project)


@blueprint.post("/project/<name>/settings/status")
@requires(Permission.DELETE, project="name")
def set_project_status(name: str) -> AnyResponse:
    """Set the status marker of a project (PEP 792)."""
    project = normalized(name)
    this_index().catalogue.validity(project)  # raises UnknownProject also for one that has no files
    try:
        services().manager.set_status(this_index().name, project, _status_said(), reason_said() or None, by=actor())
    except InvalidRequest as refusal:
        return settings_page(project, refusal, "status")
    flash(f"{project} is {said('status')}.")
    return redirect(url_for("web.project_settings", name=project), 303)


@blueprint.post("/project/<name>/settings/open")
@requires(Permission.MANAGE, project="name", proved=True)
def open_project(name: str) -> AnyResponse:
    """Let bases and upstreams add files to a project, or no longer."""
    project, opened = normalized(name), said("open") == "yes"
    this_index().catalogue.validity(project)  # raises UnknownProject
    services().indexes.open_project(this_index().name, project, opened=opened, by=actor())
    flash(f"Others {'add files to' if opened else 'add nothing to'} {project} from now on.")
    return redirect(url_for("web.project_settings", name=project), 303)


def _status_said() -> ProjectStatus:
    try:
        return ProjectStatus(said("status"))
    except ValueError as error:
        raise InvalidRequest(f"{shown(said('status'))} is no status; choose one of the list.") from error


def reason_said() -> str:
    """The reason that a form gives, perhaps empty. Raises InvalidRequest."""
    reason = said("reason")
    if len(reason) > _REASON_CHARACTERS or not reason.isprintable():
        raise InvalidRequest(f"A reason may have {_REASON_CHARACTERS} printable characters; shorten it.")
    return reason


def _back(project: NormalizedName) -> AnyResponse:
    """To the settings, or to the project for whoever just gave their own right to them away."""
    still = allows(asked_anew(), Permission.MANAGE, where(Permission.MANAGE, project))
    return redirect(url_for("web.project_settings" if still else "web.project", name=project), 303)


def settings_page(project: NormalizedName, refusal: Refusal | None = None, part: str = "") -> Response:
    """The page, with what was refused in its ``part``. Raises UnknownProject."""
    detail, roles = project_of_name(project), services().readers.rights.grants(index=this_index().name, project=project)
    frame = frame_of_name(project, "web.project_settings", detail)
    if not frame.place.exists and not roles:
        raise UnknownProject(project)
    history = history_of(detail) if detail else []
    page = render_template(
        "project_settings.html",
        frame=frame,
        roles=roles,
        known_roles=PROJECT_ROLES,
        detail=detail,
        history=history if "all" in request.args else history[:_RELEASES],
        history_total=len(history),
        statuses=[status.value for status in ProjectStatus],
        deleted=this_index().deletions.standing(project) if "delete" in frame.may else [],
        just_deleted=_just_deleted(project) if "delete" in frame.may else None,
        others=others_of(this_index(), project) if has_others(this_index()) else [],
        is_opened=project in this_index().reader.opened,
        sentence=refusal.sentence if refusal else "",
        part=part,
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


def _just_deleted(project: NormalizedName) -> Deleted | None:
    """The deletion that led here, as long as it can be undone."""
    deletion = request.args.get("deleted", "")
    try:
        return this_index().deletions.one(project, deletion) if deletion else None
    except (NotFound, Gone):
        return None
