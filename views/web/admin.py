"""The administration: dashboard, users, uploads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from database.accounts import Account
from database.activity import Activity
from database.engine import SAFE_SQLITE, sqlite_version
from database.job_runs import JobRuns
from database.journal_reading import JournalFilter, count
from errors import InvalidRequest, NameTaken, Refusal, UnknownUser
from people.documents import leaving, place_of
from permissions import MAIN, Permission
from views import services
from views.errors import status_of
from views.guards import actor, requires
from views.paging import page_of, pages_of
from views.web import blueprint
from views.web.choosing import chosen_index, index_names
from views.web.forms import flash_advice
from views.web.search import page_number
from views.web.whole_server import WholeServer

_DAYS = 30
_RECENT = 8
_UPLOADS_PER_PAGE = 50
_ROLES_PER_PAGE = 20


@blueprint.get("/admin")
@requires(Permission.ADMIN)
def admin() -> AnyResponse:
    """To the dashboard."""
    return redirect(url_for("web.dashboard"), 302)


@blueprint.get("/admin/")
@requires(Permission.ADMIN)
def dashboard() -> str:
    """What the server holds, all indexes together, and how it is."""
    here, all_of_it = services(), WholeServer.now()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    refused = JournalFilter(action="session.refused", since=yesterday)
    return render_template(
        "admin/dashboard.html",
        indexes=all_of_it.indexes,
        stats=all_of_it.stats(),
        stored=all_of_it.stored(),
        downloads=all_of_it.downloads(),
        uploads=all_of_it.uploads(_RECENT),
        users=here.accounts.users(),
        warnings=here.settings.warnings,
        default_password=here.accounts.default_password_stands(),
        free=here.storage.free_bytes(),
        low_free=here.settings.min_free_space,
        sqlite=".".join(map(str, sqlite_version())),
        sqlite_is_safe=sqlite_version() >= SAFE_SQLITE,
        server=here.settings.server_name,
        days=all_of_it.downloads_by_day(_DAYS),
        upload_days=all_of_it.uploads_by_day(_DAYS),
        failed_jobs=JobRuns(here.database).failed_since(yesterday),
        refused_sign_ins=count(here.database, refused),
    )


@blueprint.get("/admin/uploads")
@requires(Permission.ADMIN)
def uploads() -> str:
    """Every file of an index, newest first."""
    page, index = page_number(), chosen_index()
    total = index.catalogue.stats()["files"]
    return render_template(
        "admin/uploads.html",
        uploads=Activity(services().database, index.name).uploads(
            limit=_UPLOADS_PER_PAGE, offset=(page - 1) * _UPLOADS_PER_PAGE
        ),
        total=total,
        page=page,
        pages=pages_of(total, _UPLOADS_PER_PAGE),
        index=index.name,
        names=index_names(),
    )


@blueprint.get("/admin/users")
@requires(Permission.ADMIN)
def users() -> Response:
    """Every account, and the form for a new one."""
    return _users_page()


@blueprint.post("/admin/users")
@requires(Permission.ADMIN, proved=True)
def create_user() -> AnyResponse:
    """Make an account."""
    form = request.form
    username, email = form.get("username", "").strip(), form.get("email", "").strip()
    manager = services().users
    try:
        is_admin = "is_admin" in form
        manager.create_user(username, form.get("password", ""), email=email, is_admin=is_admin, by=actor())
    except (InvalidRequest, NameTaken) as refusal:
        return _users_page(refusal, username, email)
    flash(f"{username} can sign in now.")
    flash_advice(form.get("password", ""), username)
    return redirect(url_for("web.users"), 303)


@blueprint.get("/admin/users/<username>")
@requires(Permission.ADMIN)
def user(username: str) -> Response:
    """One account and what can be done with it."""
    return _user_page(_account(username))


@blueprint.post("/admin/users/<username>/active")
@requires(Permission.ADMIN, proved=True)
def set_active(username: str) -> AnyResponse:
    """Deactivate an account or bring it back."""
    found, active = _account(username), request.form.get("active") == "yes"
    services().users.set_active(found.username, active=active, by=actor())
    flash(f"{found.username} is {'active again' if active else 'deactivated, with every token and session'}.")
    return redirect(url_for("web.user", username=found.username), 303)


@blueprint.post("/admin/users/<username>/admin")
@requires(Permission.ADMIN, proved=True)
def set_admin(username: str) -> AnyResponse:
    """Make somebody an administrator, or no longer."""
    found, is_admin = _account(username), request.form.get("admin") == "yes"
    if found.is_admin != is_admin:
        services().users.set_admin(found.username, is_admin=is_admin, by=actor())
    flash(f"{found.username} is {'an administrator now' if is_admin else 'no administrator any more'}.")
    if found.username == actor().name and not is_admin:
        return redirect(url_for("web.home"), 303)
    return redirect(url_for("web.user", username=found.username), 303)


@blueprint.post("/admin/users/<username>/password")
@requires(Permission.ADMIN, proved=True)
def reset_password(username: str) -> AnyResponse:
    """Give an account a new password; its sessions end."""
    found, password = _account(username), request.form.get("password", "")
    try:
        services().users.set_password(found.username, password, by=actor())
    except InvalidRequest as refusal:
        return _user_page(found, refusal)
    flash(f"{found.username} has a new password and was signed out everywhere.")
    if place_of(found):
        flash(leaving(found))
    flash_advice(password, found.username)
    return redirect(url_for("web.user", username=found.username), 303)


@blueprint.post("/admin/users/<username>/email")
@requires(Permission.ADMIN, proved=True)
def set_email(username: str) -> AnyResponse:
    """Change an account's e-mail address."""
    found = _account(username)
    try:
        services().users.set_email(found.username, request.form.get("email", "").strip(), by=actor())
    except InvalidRequest as refusal:
        return _user_page(found, refusal, "email")
    flash(f"The e-mail address of {found.username} was changed.")
    return redirect(url_for("web.user", username=found.username), 303)


@blueprint.post("/admin/users/<username>/sessions/end")
@requires(Permission.ADMIN, proved=True)
def end_all_sessions(username: str) -> AnyResponse:
    """Sign every browser of somebody out."""
    found = _account(username)
    ended = services().sessions.end_all(found.username, by=actor())
    flash(f"Signed {ended:,} {'browser' if ended == 1 else 'browsers'} of {found.username} out.")
    return redirect(url_for("web.user", username=found.username), 303)


@blueprint.post("/admin/users/<username>/factors/reset")
@requires(Permission.ADMIN, proved=True)
def reset_factors(username: str) -> AnyResponse:
    """Remove every second factor of somebody who lost theirs."""
    found = _account(username)
    removed = services().factors.reset(found, by=actor())
    flash(f"Removed {removed:,} second {'factor' if removed == 1 else 'factors'} of {found.username}.")
    return redirect(url_for("web.user", username=found.username), 303)


@blueprint.post("/admin/users/<username>/unlink")
@requires(Permission.ADMIN, proved=True)
def unlink(username: str) -> AnyResponse:
    """Forget whom a directory or provider knows as somebody."""
    found = _account(username)
    services().users.unlink(found.username, by=actor())
    flash(f"{found.username} is linked to nobody elsewhere.")
    return redirect(url_for("web.user", username=found.username), 303)


def _account(username: str) -> Account:
    found = services().accounts.user(username)
    if found is None:
        raise UnknownUser(username)
    return found


def _users_page(refusal: Refusal | None = None, username: str = "", email: str = "") -> Response:
    users, identities = services().accounts.users(), services().authenticator.identities
    page = render_template(
        "admin/users.html",
        users=users,
        roles=_roles(users),
        left={one.id: place_of(one) for one in users if one.active and not identities.stands(one)},
        sentence=refusal.sentence if refusal else "",
        username=username,
        email=email,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


def _roles(users: Iterable[Account]) -> dict[int, str]:
    """What each account is on the index main, by its row.

    The settings say the same of all accounts of one source that hold no role there, so one of them is asked about.
    """
    rights, identities = services().readers.rights, services().authenticator.identities
    members = {team.name: {name for name, _ in team.members} for team in rights.teams()}
    holders: set[str] = set()
    for row in rights.grants(index=MAIN, project=""):
        holders |= members[row.holder] if row.is_team else {row.holder}
    roles, known = {}, {}
    for one in users:
        alike = one.username if one.username in holders else "", one.source
        if alike not in known:
            known[alike] = identities.standing(one).role.value
        roles[one.id] = "administrator" if one.is_admin else known[alike]
    return roles


def _user_page(found: Account, refusal: Refusal | None = None, where: str = "password") -> Response:
    here, rights = services(), services().readers.rights
    roles = rights.grants(user=found.username)
    page = render_template(
        "admin/user.html",
        user=found,
        teams=[team for team in rights.teams() if found.username in dict(team.members)],
        has_role=any(not row.project for row in roles),
        roles=page_of(roles, page_number(), _ROLES_PER_PAGE),
        standing=here.authenticator.identities.standing(found),
        names=index_names(),
        tokens=here.readers.tokens.of_user(found.username),
        kept_in=place_of(found),
        stands=here.authenticator.identities.stands(found),
        sessions=here.sessions.sessions.of_user(found.username, datetime.now(UTC)),
        linked=here.accounts.is_linked(found.id),
        sentence=refusal.sentence if refusal else "",
        where=where,
    )
    return make_response(page, status_of(refusal) if refusal else 200)
