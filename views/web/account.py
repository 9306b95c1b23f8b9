"""One's own account: tokens and password."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from credentials.tokens import TokenText
from database.accounts import TABLE, Account
from database.tokens import TokenRow
from errors import Forbidden, InvalidRequest, NotAuthenticated, Refusal, UnknownIndex, UnknownUser, shown
from people.tokens import MOST_DAYS, USUAL, USUAL_SCOPES, Days, Limits
from permissions import Identity, Permission
from views import services, this_index
from views.errors import status_of
from views.guards import actor, identity, peer, requires
from views.web import blueprint, session
from views.web.forms import flash_advice
from views.web.index_switch import readable_indexes
from views.web.install import install_box
from views.web.login import unkept
from views.web.upload_tools import access_with, tools_for

_MAY: Final = {"read": "read", "upload": "upload", "yank": "yank", "admin": "administer"}


@blueprint.get("/account")
@requires(Permission.ACCOUNT)
def account() -> Response:
    """The signed-in person's tokens and password."""
    return _page()


@blueprint.post("/account/tokens")
@requires(Permission.ACCOUNT, proved=True)
def create_token() -> Response:
    """Make a token. Its page is the only place where it is ever shown."""
    name = request.form.get("name", "")
    try:
        token, row = services().tokens.create_token(_account().username, name, _limits(), by=actor())
    except (InvalidRequest, UnknownIndex) as refusal:
        return _page(refusal, where="token", name=name)
    return _page(token=token, made=row, status=201)


@blueprint.post("/account/tokens/<public_id>/revoke")
@requires(Permission.ACCOUNT)
def revoke_token(public_id: str) -> AnyResponse:
    """End one of one's own tokens."""
    services().tokens.revoke_token(_account().username, public_id, by=actor())
    flash("The token was revoked.")
    return redirect(url_for("web.account"), 303)


@blueprint.post("/account/password")
@requires(Permission.ACCOUNT, proved=True)  # the session that follows counts as proved, with the second factor too
def change_password() -> AnyResponse:
    """Change one's own password, which ends every session, and go on in a new one."""
    person, by = session.person(), actor()
    if person.source != TABLE:
        raise Forbidden(f"The password of {person.username} is kept elsewhere ({person.source}); change it there.")
    try:
        _must_be_password(person, request.form.get("old_password", ""))
        new = _new_password()
        services().users.set_password(person.username, new, by=by)
    except InvalidRequest as refusal:
        return _page(refusal, where="password")
    session.start(_account(), current_user.row.method)
    flash("Your password was changed; other browsers were signed out.")
    flash_advice(new, person.username)
    return redirect(url_for("web.account"), 303)


def _must_be_password(person: Account, password: str) -> None:
    try:
        services().authenticator.check_password(person.username, password, peer())
    except NotAuthenticated:
        raise InvalidRequest("The old password is not right; nothing was changed.") from None


def _new_password() -> str:
    new = request.form.get("new_password", "")
    if new != request.form.get("new_password_again", ""):
        raise InvalidRequest("The two new passwords differ; type the same one twice.")
    return new


def _limits() -> Limits:
    """What the form limits the token to. Raises InvalidRequest, UnknownIndex."""
    form = request.form
    return Limits(
        days=None if "no_end" in form else _days(form.get("expires_days", "")),
        scopes=form.getlist("scopes"),
        index=_index_said(),
        projects=form.get("projects", "").replace(",", " ").split(),
        note=form.get("note", "").strip(),
    )


def _index_said() -> str | None:
    """The index that the form names; None for all. Raises UnknownIndex, also for one that the asker may not read."""
    name = request.form.get("index", "")
    if name and name not in {one.name for one in readable_indexes()}:
        raise UnknownIndex(name)
    return name or None


def _days(text: str) -> Days:
    """The days that a form says; nothing is for the usual ones."""
    text = text.strip()
    if not text:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise InvalidRequest(f"{shown(text)} is not a number of days; write one such as 90, or nothing.")
    return int(text)


def _account() -> Account:
    asker: Identity = identity()
    found = services().accounts.user(asker.username or "")
    if found is None:
        raise UnknownUser(asker.username or "")
    return found


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _role() -> str:
    """What the asker is on the index, in words."""
    asker = identity()
    if asker.is_admin:
        return "an administrator"
    role = asker.role_on(this_index().name).value
    words = {"none": "without a role on the index", "uploader": "an uploader", "owner": "an owner of the index"}
    return words.get(role, f"a {role} of the index")


def _page(
    refusal: Refusal | None = None,
    *,
    where: str = "",
    token: TokenText | None = None,
    made: TokenRow | None = None,
    name: str = "",
    status: int = 200,
) -> Response:
    longest = services().tokens.max_days
    person = _account()
    values: dict[str, Any] = {
        "person": person,
        "tokens": services().readers.tokens.of_user(person.username),
        "token": token,
        "made": made,
        "made_may": _listed([_MAY[word] for word in made.scopes.split()]) if made else "",
        "token_name": name,
        "longest_days": longest,
        "usual_days": min(services().tokens.usual_days, longest or MOST_DAYS),
        "sentence": refusal.sentence if refusal else "",
        "where": where,
        "role": _role(),
        "scopes": request.form.getlist("scopes") if where == "token" else USUAL_SCOPES,
        "projects": request.form.get("projects", "") if where == "token" else "",
        "note": request.form.get("note", "") if where == "token" else "",
        "box": install_box(password=token.text, index=made.index) if token and made else None,
        "upload_tools": tools_for(access_with(token.text, made.index)) if token and made else (),
        "indexes": [one.row for one in readable_indexes()],
        "chosen_index": request.form.get("index", "") if where == "token" else "",
    }
    page = render_template("account.html", **values)
    return unkept(make_response(page, status_of(refusal) if refusal else status))
