"""Proving again who one is, before tokens, roles and second factors are changed."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from database.accounts import Account
from errors import Forbidden, Invalid, NotAuthenticated, Refusal
from permissions import Permission
from views import services
from views.errors import status_of
from views.guards import requires
from views.web import blueprint, session
from views.web.login import answered_passkey, factors_of, prove_factor, typed_password, unkept
from views.web.urls import safe_next


@blueprint.get("/login/confirm")
@requires(Permission.FACTORS)
def confirm() -> AnyResponse:
    """The form."""
    return _form(request.args.get("next"))


@blueprint.post("/login/confirm")
@requires(Permission.FACTORS)
def confirmed() -> AnyResponse:
    """Check it, and go on under a new session."""
    person, target = session.person(), request.form.get("next")
    try:
        method = _prove(person)
    except (NotAuthenticated, Invalid, Forbidden) as refusal:
        return _form(target, refusal)
    session.start(person, method)
    return unkept(redirect(safe_next(target), 303))


def _prove(person: Account) -> str:
    """How they proved it: a passkey alone, or the password, with a code where there is a second factor.

    Raises NotAuthenticated, InvalidRequest, Forbidden, TooManyAttempts.
    """
    if request.form.get("credential"):
        if answered_passkey().id != person.id:
            raise NotAuthenticated("This passkey belongs to another account; use one of yours.")
        return "passkey"
    found = typed_password(person.username)
    if found.id != person.id:
        raise NotAuthenticated("This is another account; sign out first.")
    return f"password and {prove_factor(person)}" if person.has_factor else "password"


def _form(target: str | None, refusal: Refusal | None = None) -> Response:
    person = session.person()
    values: dict[str, Any] = factors_of(person) if person.has_factor else {"has_app": False, "question": None}
    page = render_template(
        "confirm.html",
        next=safe_next(target),
        person=person,
        sentence=refusal.sentence if refusal else "",
        openid=services().settings.openid_name if person.source == "openid" else "",
        **values,
    )
    return unkept(make_response(page, status_of(refusal) if refusal else 200))
