"""What those who look after the server read: projects, tokens in use, background jobs, settings in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby

from flask import flash, redirect, render_template, request, url_for
from packaging.utils import canonicalize_name
from werkzeug.wrappers import Response as AnyResponse

from database.job_runs import JobRuns
from database.managed_projects import SORTS, STATES, ManagedProjects
from errors import InvalidRequest, shown
from permissions import Permission
from views import services
from views.guards import actor, requires
from views.paging import pages_of
from views.web import blueprint
from views.web.choosing import chosen_index, index_names
from views.web.search import page_number

_PROJECTS_PER_PAGE = 50
_RUNS = 100
_IDLE_DAYS = 90
_SHOWN_TOKENS = ("all", "idle", "expired", "for ever")


@blueprint.get("/admin/projects")
@requires(Permission.ADMIN)
def admin_projects() -> str:
    """Every project with its owners, size and state."""
    prefix = canonicalize_name(request.args.get("name", "").strip())
    index = chosen_index().name
    state, sort = _one_of("state", ("", *STATES)), _one_of("sort", SORTS)
    projects, page = ManagedProjects(services().database, index), page_number()
    total = projects.count(prefix=prefix, state=state)
    offset = (page - 1) * _PROJECTS_PER_PAGE
    return render_template(
        "admin/projects.html",
        projects=projects.page(prefix=prefix, state=state, sort=sort, limit=_PROJECTS_PER_PAGE, offset=offset),
        total=total, page=page, pages=pages_of(total, _PROJECTS_PER_PAGE), states=STATES, sorts=SORTS,
        chosen={"name": prefix, "state": state, "sort": sort, "index": index}, names=index_names(),
    )  # fmt: skip


@blueprint.get("/admin/tokens")
@requires(Permission.ADMIN)
def admin_tokens() -> str:
    """Everybody's tokens that are not revoked, those that are long idle or never end among them."""
    now, wanted = datetime.now(UTC), _one_of("show", _SHOWN_TOKENS)
    idle = {one.id for one in services().readers.tokens.unused_since(now - timedelta(days=_IDLE_DAYS))}
    every = services().readers.tokens.standing()
    expired = {one.id for one in every if one.expires is not None and one.expires <= now}
    sets = {
        "all": {one.id for one in every}, "idle": idle, "expired": expired,
        "for ever": {one.id for one in every if one.expires is None},
    }  # fmt: skip
    return render_template(
        "admin/tokens.html",
        tokens=[one for one in every if one.id in sets[wanted]],
        counts={word: len(ids) for word, ids in sets.items()},
        wanted=wanted, idle=idle, expired=expired, idle_days=_IDLE_DAYS,
    )  # fmt: skip


@blueprint.post("/admin/tokens/<public_id>/revoke")
@requires(Permission.ADMIN, proved=True)
def admin_revoke_token(public_id: str) -> AnyResponse:
    """End anybody's token."""
    owner = services().tokens.revoke_token(None, public_id, by=actor())
    flash(f"The token {public_id} of {owner} works no more.")
    return redirect(url_for("web.admin_tokens"), 303)


@blueprint.get("/admin/jobs")
@requires(Permission.ADMIN)
def admin_jobs() -> str:
    """What ran beside the requests, and how it ended."""
    return render_template("admin/jobs.html", runs=JobRuns(services().database).latest(_RUNS))


@blueprint.get("/admin/settings")
@requires(Permission.ADMIN)
def admin_settings() -> str:
    """The settings in force and where each came from; secrets are masked."""
    settings = services().settings
    sections = [(name, list(rows)) for name, rows in groupby(settings.rows(), key=lambda row: row.section)]
    return render_template("admin/settings.html", sections=sections, warnings=settings.warnings)


def _one_of(argument: str, known: tuple[str, ...]) -> str:
    """The word that the address chooses, or the first. Raises InvalidRequest."""
    said = request.args.get(argument) or known[0]
    if said not in known:
        raise InvalidRequest(f"{shown(said)} is not known here; choose one of {', '.join(filter(None, known))}.")
    return said
