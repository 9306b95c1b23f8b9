"""The security page of an account: second factors, recovery codes, and the browsers that are signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from errors import Forbidden, Invalid, InvalidRequest, Refusal
from people.factors import NewApp
from permissions import Permission
from views import services
from views.errors import status_of
from views.guards import actor, requires
from views.web import blueprint, session
from views.web.login import party, unkept
from views.web.urls import own_url


@blueprint.get("/account/security")
@requires(Permission.FACTORS)
def security() -> Response:
    """Second factors and sessions."""
    return _page()


@blueprint.post("/account/factors/app")
@requires(Permission.FACTORS, proved=True)
def begin_app() -> Response:
    """Show the seed of a new authenticator app."""
    return _page(app=services().factors.begin_app(session.person(), _host()))


@blueprint.post("/account/factors/app/confirm")
@requires(Permission.FACTORS, proved=True)
def add_app() -> AnyResponse:
    """Set the app up once its code is right."""
    here, person, form = services().factors, session.person(), request.form
    try:
        codes = here.add_app(person, form.get("ticket", ""), form.get("code", ""), form.get("name", ""), by=actor())
    except InvalidRequest as refusal:
        return _page(refusal, app=here.resume_app(person, form.get("ticket", ""), _host()))
    return _added("Your authenticator app is set up.", codes)


@blueprint.post("/account/factors/passkey")
@requires(Permission.FACTORS, proved=True)
def add_passkey() -> AnyResponse:
    """Keep a passkey that the device has registered."""
    form = request.form
    try:
        codes = services().factors.add_passkey(
            session.person(), form.get("question", ""), form.get("credential", ""), form.get("name", ""), party(),
            by=actor(),
        )  # fmt: skip
    except (Invalid, Forbidden) as refusal:
        return _page(refusal)
    return _added("Your passkey is registered.", codes)


@blueprint.post("/account/factors/<public_id>/remove")
@requires(Permission.FACTORS, proved=True)
def remove_factor(public_id: str) -> AnyResponse:
    """Remove one of one's own factors."""
    name = services().factors.remove(session.person(), public_id, by=actor())
    flash(f"{name} is no second factor any more.")
    return redirect(url_for("web.security"), 303)


@blueprint.post("/account/factors/codes")
@requires(Permission.FACTORS, proved=True)
def new_codes() -> Response:
    """Show new recovery codes, this once."""
    return _page(codes=services().factors.new_codes(session.person(), by=actor()))


@blueprint.post("/account/sessions/<public_id>/end")
@requires(Permission.FACTORS)
def end_session(public_id: str) -> AnyResponse:
    """Sign one browser out."""
    services().sessions.end(session.person().username, public_id, by=actor())
    flash("That browser was signed out.")
    return redirect(url_for("web.security"), 303)


@blueprint.post("/account/sessions/end")
@requires(Permission.FACTORS)
def end_sessions() -> AnyResponse:
    """Sign all other browsers out."""
    services().sessions.end_all(session.person().username, but=current_user.get_id(), by=actor())
    flash("All other browsers were signed out.")
    return redirect(url_for("web.security"), 303)


def _added(sentence: str, codes: Sequence[str]) -> AnyResponse:
    """A new factor: other browsers, which came in without it, are signed out; the codes are shown this once."""
    services().sessions.end_all(session.person().username, but=current_user.get_id(), by=actor())
    flash(f"{sentence} Other browsers were signed out.")
    return _page(codes=codes) if codes else redirect(url_for("web.security"), 303)


def _host() -> str:
    return urlsplit(own_url()).netloc


def _page(refusal: Refusal | None = None, *, app: NewApp | None = None, codes: Sequence[str] = ()) -> Response:
    here, person = services(), session.person()
    try:
        question, no_passkeys = here.factors.ask_new_passkey(person, party()), ""
    except InvalidRequest as lacking:  # at an IP address, say
        question, no_passkeys = None, lacking.sentence
    values: dict[str, Any] = {
        "person": person,
        "factors": here.factors.factors.of_user(person.id),
        "codes_left": here.factors.factors.codes_left(person.id),
        "sessions": here.sessions.sessions.of_user(person.username, datetime.now(UTC)),
        "this_session": current_user.row.public_id,
        "must_have_factor": here.authenticator.identities.must_have_factor(person),
        "app": app,
        "codes": codes,
        "question": question,
        "no_passkeys": no_passkeys,
        "sentence": refusal.sentence if refusal else "",
    }
    page = render_template("security.html", **values)
    return unkept(make_response(page, status_of(refusal) if refusal else 200))
