"""Forms: each carries a token that only this server's own pages can know (CSRF); advice about what was typed."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, flash, request, session
from markupsafe import Markup

from credentials.passwords import advice
from errors import Forbidden
from views.guards import SAFE_METHODS

FIELD = "csrf_token"
_KEY = "csrf"
_LARGEST_FORM = 65_536
View = TypeVar("View", bound=Callable[..., Any])


def csrf_field() -> Markup:
    """The hidden field for a form; the token stands for as long as the browser's session."""
    token = session.get(_KEY)
    if token is None:
        token = session[_KEY] = secrets.token_urlsafe(32)
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)


def token_in_stream(view: View) -> View:
    """Declare that a view reads its form as a stream and asks ``must_be_token`` itself, before it keeps anything."""
    view.token_in_stream = True  # type: ignore[attr-defined]
    return view


def must_carry_csrf() -> None:
    """Raises Forbidden for a form without the token of this browser's session."""
    if request.method in SAFE_METHODS:
        return
    if getattr(current_app.view_functions.get(request.endpoint or ""), "token_in_stream", False):
        return
    request.max_content_length = _LARGEST_FORM
    must_be_token(request.form.get(FIELD))


def must_be_token(given: str | None) -> None:
    """Raises Forbidden for what is not the token of this browser's session."""
    known = session.get(_KEY, "")
    if not known or not hmac.compare_digest(known.encode(), (given or "").encode()):
        raise Forbidden(
            "The form has expired or did not come from this server's own page; "
            "allow cookies, load the page again and send it once more."
        )


def flash_advice(password: str, username: str) -> None:
    """Say on the next page why a password that was just taken is weak, if it is."""
    sentence = advice(password, username)
    if sentence:
        flash(sentence, "warn")
