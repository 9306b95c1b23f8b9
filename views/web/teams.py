"""The administration of teams, of roles on the index, and of the names that belong to teams."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from packaging.utils import NormalizedName
from werkzeug.wrappers import Response as AnyResponse

from distributions.filenames import check_project_name
from errors import Conflict, Invalid, NotFound, Refusal
from people.documents import role_sentence
from people.rights import Holder
from people.tokens import checked_pattern
from permissions import INDEX_ROLES, Permission
from views import services
from views.errors import status_of
from views.guards import actor, requires
from views.web import blueprint
from views.web.choosing import address_of_chosen, chosen_index, index_names

REFUSALS = (Invalid, NotFound, Conflict)  # what is said on the form that was sent


def said(field: str) -> str:
    """What was typed into a field of the form."""
    return request.form.get(field, "").strip()


def holder_said() -> Holder:
    """Whom a form names: a user, or a team."""
    return Holder(said("holder"), is_team=said("kind") == "team")


# -- teams


@blueprint.get("/admin/teams")
@requires(Permission.ADMIN)
def teams() -> Response:
    """Every team, and the form for a new one."""
    return _teams_page()


@blueprint.post("/admin/teams")
@requires(Permission.ADMIN, proved=True)
def create_team() -> AnyResponse:
    """Make a team."""
    name = said("team")
    try:
        services().rights.create_team(name, said("title"), by=actor())
    except REFUSALS as refusal:
        return _teams_page(refusal)
    flash(f"The team {name} is there. Put somebody into it.")
    return _to_team(name)


@blueprint.get("/admin/teams/<team>")
@requires(Permission.ADMIN)
def team(team: str) -> Response:
    """One team: who is in it, what it may, which names are its own."""
    return _team_page(team)


@blueprint.post("/admin/teams/<team>/delete")
@requires(Permission.ADMIN, proved=True)
def delete_team(team: str) -> AnyResponse:
    """Delete a team, with its roles."""
    try:
        services().rights.delete_team(team, by=actor())
    except Conflict as refusal:
        return _team_page(team, refusal, "delete")
    flash(f"The team {team} is no more.")
    return redirect(url_for("web.teams"), 303)


@blueprint.post("/admin/teams/<team>/members")
@requires(Permission.ADMIN, proved=True)
def add_member(team: str) -> AnyResponse:
    """Put somebody into a team."""
    try:
        services().rights.add_member(team, said("username"), by=actor())
    except REFUSALS as refusal:
        return _team_page(team, refusal, "members")
    flash(f"{said('username')} is in the team.")
    return _to_team(team)


@blueprint.post("/admin/teams/<team>/members/remove")
@requires(Permission.ADMIN, proved=True)
def remove_member(team: str) -> AnyResponse:
    """Take somebody out of a team."""
    services().rights.remove_member(team, said("username"), by=actor())
    flash(f"{said('username')} is no longer in the team.")
    return _to_team(team)


@blueprint.post("/admin/teams/<team>/roles")
@requires(Permission.ADMIN, proved=True)
def give_team_role(team: str) -> AnyResponse:
    """Give a team a role on a project, or on the index."""
    try:
        project = _project()
        holder = Holder(team, is_team=True)
        before = services().rights.grant(chosen_index().name, project, holder, said("role"), by=actor())
    except REFUSALS as refusal:
        return _team_page(team, refusal, "roles")
    tell_role(holder, project, before)
    return _to_team(team)


@blueprint.post("/admin/teams/<team>/roles/take")
@requires(Permission.ADMIN, proved=True)
def take_team_role(team: str) -> AnyResponse:
    """Take a role of a team away."""
    try:
        project = _project()
        was = services().rights.revoke(chosen_index().name, project, Holder(team, is_team=True), by=actor())
    except REFUSALS as refusal:
        return _team_page(team, refusal, "roles")
    flash(f"The team is no longer {was} of {project or 'the index ' + chosen_index().name}.")
    return _to_team(team)


@blueprint.post("/admin/teams/<team>/patterns")
@requires(Permission.ADMIN, proved=True)
def give_team_names(team: str) -> AnyResponse:
    """Give names to a team."""
    try:
        services().rights.set_pattern(chosen_index().name, said("pattern"), team, by=actor())
    except REFUSALS as refusal:
        return _team_page(team, refusal, "names")
    _told(said("pattern"), team)
    return _to_team(team)


def _told(pattern: str, team: str) -> None:
    flash(f"The names {pattern} belong to the team {team}.")
    others = services().readers.rights.of_others(chosen_index().name, checked_pattern(pattern), team)
    if others:
        flash(f"Owned by others than the team, and left to them: {', '.join(others)}.")


@blueprint.post("/admin/teams/<team>/patterns/remove")
@requires(Permission.ADMIN, proved=True)
def take_team_names(team: str) -> AnyResponse:
    """Take names from a team."""
    services().rights.remove_pattern(chosen_index().name, said("pattern"), by=actor())
    flash(f"The names {said('pattern')} belong to no team.")
    return _to_team(team)


def _project() -> NormalizedName | None:
    """The project that the form names; None for the index as a whole. Raises InvalidRequest."""
    return check_project_name(said("project")) if said("project") else None


def _to_team(name: str) -> AnyResponse:
    return redirect(url_for("web.team", team=services().readers.rights.team(name).name), 303)


def _teams_page(refusal: Refusal | None = None) -> Response:
    page = render_template(
        "admin/teams.html",
        teams=services().readers.rights.teams(),
        sentence=refusal.sentence if refusal else "",
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


def _team_page(name: str, refusal: Refusal | None = None, place: str = "") -> Response:
    rights = services().readers.rights
    found = rights.team(name)
    page = render_template(
        "admin/team.html",
        team=found,
        roles=rights.grants(team=found.name),
        patterns=[row for row in rights.patterns() if row.team == found.name],
        names=index_names(),
        known_roles=INDEX_ROLES,
        sentence=refusal.sentence if refusal else "",
        where=place,
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


# -- roles and names of the index


@blueprint.get("/admin/roles")
@requires(Permission.ADMIN)
def roles() -> Response:
    """Who is what on the index, and which names belong to which team."""
    return _roles_page()


@blueprint.post("/admin/roles")
@requires(Permission.ADMIN, proved=True)
def give_role() -> AnyResponse:
    """Give a role on the index."""
    holder = holder_said()
    try:
        before = services().rights.grant(chosen_index().name, None, holder, said("role"), by=actor())
    except REFUSALS as refusal:
        return _roles_page(refusal, "roles")
    tell_role(holder, None, before)
    return _to_roles()


@blueprint.post("/admin/roles/take")
@requires(Permission.ADMIN, proved=True)
def take_role() -> AnyResponse:
    """Take a role on the index away."""
    holder = holder_said()
    was = services().rights.revoke(chosen_index().name, None, holder, by=actor())
    flash(f"{holder.name} is no longer {was} of the index {chosen_index().name}.")
    return _to_roles()


@blueprint.post("/admin/patterns")
@requires(Permission.ADMIN, proved=True)
def set_pattern() -> AnyResponse:
    """Give names to a team."""
    try:
        services().rights.set_pattern(chosen_index().name, said("pattern"), said("team"), by=actor())
    except REFUSALS as refusal:
        return _roles_page(refusal, "names")
    _told(said("pattern"), said("team"))
    return _to_roles()


@blueprint.post("/admin/patterns/remove")
@requires(Permission.ADMIN, proved=True)
def remove_pattern() -> AnyResponse:
    """Take names from their team."""
    services().rights.remove_pattern(chosen_index().name, said("pattern"), by=actor())
    flash(f"The names {said('pattern')} belong to no team.")
    return _to_roles()


def _to_roles() -> AnyResponse:
    return redirect(address_of_chosen("web.roles"), 303)


def tell_role(holder: Holder, project: NormalizedName | None, before: str | None) -> None:
    """Say on the next page which role somebody has now, and what stood before or stays beside it."""
    rights = services().readers.rights
    (now,) = rights.grants(index=chosen_index().name, project=project or "", **holder.detail())
    flash(role_sentence(now, rights, before))


def _roles_page(refusal: Refusal | None = None, place: str = "") -> Response:
    rights = services().readers.rights
    page = render_template(
        "admin/roles.html",
        roles=rights.grants(index=chosen_index().name, project=""),
        patterns=rights.patterns(chosen_index().name),
        teams=rights.teams(),
        known_roles=INDEX_ROLES,
        otherwise=services().settings.auth_default_role,
        index=chosen_index().row,
        names=index_names(),
        sentence=refusal.sentence if refusal else "",
        where=place,
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)
