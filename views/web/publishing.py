"""Trusted publishers: a project's, and those of projects that one's jobs are still to start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from packaging.utils import NormalizedName
from werkzeug.wrappers import Response as AnyResponse

from credentials import publishers as told
from database.publishers import PublisherRow
from distributions.filenames import check_project_name
from errors import Conflict, InvalidName, InvalidRequest, Refusal
from people.publishers import publisher_of
from permissions import Permission
from views import services, this_index
from views.errors import status_of
from views.guards import actor, identity, requires
from views.publisher_rights import Publishing, claims_of, must_manage_publishers
from views.web import blueprint
from views.web.project_frame import frame_of_name, project_of_name
from views.web.urls import own_url


@dataclass(frozen=True, slots=True)
class ShownPublisher:
    """A publisher as its row shows it."""

    row: PublisherRow
    description: str
    link: str | None


@blueprint.get("/project/<name>/publishing")
@requires(Permission.MANAGE, project="name", asked_inside=True)
def publishing(name: str) -> Response:
    """The trusted publishers of a project."""
    return _project_page(must_manage_publishers(name))


@blueprint.post("/project/<name>/publishing")
@requires(Permission.MANAGE, project="name", proved=True, asked_inside=True)
def trust(name: str) -> AnyResponse:
    """Add one."""
    mine = must_manage_publishers(name, adding=True)
    try:
        _add(mine.project)
    except (InvalidRequest, Conflict) as refusal:
        return _project_page(mine, refusal)
    return redirect(url_for("web.publishing", name=mine.project), 303)


@blueprint.post("/project/<name>/publishing/<public_id>/remove")
@requires(Permission.MANAGE, project="name", proved=True, asked_inside=True)
def trust_no_more(name: str, public_id: str) -> AnyResponse:
    """Remove one; its tokens end."""
    mine = must_manage_publishers(name)
    row = services().publishers.remove(this_index().name, mine.project, public_id, added_by=mine.added_by, by=actor())
    flash(f"{told.describe(publisher_of(row))} uploads to {mine.project} no more.")
    return redirect(url_for("web.publishing", name=mine.project), 303)


@blueprint.get("/account/publishing")
@requires(Permission.ACCOUNT)
def pending_publishing() -> Response:
    """The publishers that one added for projects without a file."""
    return _account_page()


@blueprint.post("/account/publishing")
@requires(Permission.ACCOUNT, proved=True)
def trust_pending() -> AnyResponse:
    """Add one for a new project."""
    try:
        wanted = check_project_name(request.form.get("new_project", "").strip())
        _add(must_manage_publishers(wanted, adding=True).project)
    except (InvalidRequest, InvalidName, Conflict) as refusal:
        return _account_page(refusal)
    return redirect(url_for("web.pending_publishing"), 303)


def _add(project: NormalizedName) -> None:
    form = request.form
    kind = told.KINDS.get(form.get("kind", ""))
    fields = {one.name: form.get(one.name, "") for one in kind.fields} if kind else {}
    if kind is not None and kind.name == "oidc":
        fields = claims_of(line for line in form.get("claims", "").splitlines() if line.strip())
    row = services().publishers.add(
        this_index().name,
        project,
        form.get("kind", ""),
        fields,
        form.get("issuer", ""),
        by=actor(),
        user_id=identity().user_id,
    )
    flash(f"{told.describe(publisher_of(row))} may upload to {project} now.")


def _project_page(mine: Publishing, refusal: Refusal | None = None) -> Response:
    found = services().publishers.of_project(this_index().name, mine.project, added_by=mine.added_by)
    detail = project_of_name(mine.project)
    frame = frame_of_name(mine.project, "web.publishing", detail)
    return _page("publishing.html", found, refusal, frame=frame, project=mine.project, is_there=detail is not None)


def _account_page(refusal: Refusal | None = None) -> Response:
    found = services().readers.publishers.pending_of(identity().user_id or 0)
    return _page("pending_publishing.html", found, refusal, project=request.form.get("new_project", ""))


def _page(template: str, rows: Sequence[PublisherRow], refusal: Refusal | None, **more: Any) -> Response:
    rules = services().publishers.rules
    sent: Mapping[str, str] = request.form if refusal else {}
    page = render_template(
        template,
        publishers=[_shown(row) for row in rows],
        kinds=[(kind, rules.issuers[name]) for name, kind in told.KINDS.items() if rules.issuers[name]],
        enabled=rules.enabled,
        sentence=refusal.sentence if refusal else "",
        sent=sent,
        base=own_url(),
        **more,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


def _shown(row: PublisherRow) -> ShownPublisher:
    publisher = publisher_of(row)
    return ShownPublisher(row, told.describe(publisher).partition(":")[2], told.url(publisher))
