"""Signing in and out."""

from __future__ import annotations

from typing import TypeVar

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from errors import Forbidden, NotAuthenticated
from permissions import Permission
from views import services
from views.errors import status_of
from views.guards import must, peer, requires
from views.web import blueprint, session
from views.web.urls import safe_next

Answer = TypeVar("Answer", bound=AnyResponse)


@blueprint.get("/login")
@requires(None)
def login() -> AnyResponse:
    """The form."""
    _must_have_accounts()
    if session.viewer() is not None:
        return unkept(redirect(safe_next(request.args.get("next")), 302))
    return _form(request.args.get("next"))


@blueprint.post("/login")
@requires(None)
def sign_in() -> AnyResponse:
    """Check the password, and begin a session."""
    _must_have_accounts()
    username, target = request.form.get("username", "").strip(), request.form.get("next")
    try:
        account = services().authenticator.check_password(username, request.form.get("password", ""), peer())
    except (NotAuthenticated, Forbidden) as refusal:
        return _form(target, username, refusal.sentence, status_of(refusal))
    session.start(account, "password")
    return unkept(redirect(safe_next(target), 303))


@blueprint.get("/logout")
@requires(None)
def logout() -> AnyResponse:
    """Sign out at once, unless a page of another site, or a guess of the browser, sent this: then ask."""
    guess = request.headers.get("Sec-Purpose", "").startswith("prefetch")
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}
    if (guess or foreign or request.method == "HEAD") and current_user.is_authenticated:
        return unkept(make_response(render_template("logout.html")))
    return _sign_out()


@blueprint.post("/logout")
@requires(None)
def sign_out() -> AnyResponse:
    """Sign out."""
    return _sign_out()


def _sign_out() -> AnyResponse:
    session.end()
    response = unkept(redirect(url_for("web.home"), 303))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _must_have_accounts() -> None:
    if not session.has_accounts():
        must(Permission.ACCOUNT)  # says how to turn authentication on


def _form(target: str | None, username: str = "", sentence: str = "", status: int = 200) -> Response:
    page = render_template("login.html", next=safe_next(target), username=username, sentence=sentence)
    response = make_response(page, status)
    return unkept(response)


def unkept(response: Answer) -> Answer:
    """The answer, to be kept by nobody: what it holds is for one person, once."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
