"""Forms: each carries a token that only this server's own pages can know (CSRF); advice about what was typed."""

from __future__ import annotations

import hmac
import secrets

from flask import flash, request, session
from markupsafe import Markup

from credentials.passwords import advice
from errors import Forbidden
from views.guards import SAFE_METHODS

_KEY = "csrf"
_FIELD = "csrf_token"
_LARGEST_FORM = 65_536


def csrf_field() -> Markup:
    """The hidden field for a form; the token stands for as long as the browser's session."""
    token = session.get(_KEY)
    if token is None:
        token = session[_KEY] = secrets.token_urlsafe(32)
    return Markup('<input type="hidden" name="{}" value="{}">').format(_FIELD, token)


def must_carry_csrf() -> None:
    """Raises Forbidden for a form without the token of this browser's session."""
    if request.method in SAFE_METHODS:
        return
    request.max_content_length = _LARGEST_FORM
    known, given = session.get(_KEY, ""), request.form.get(_FIELD, "")
    if not known or not hmac.compare_digest(known.encode(), given.encode()):
        raise Forbidden(
            "The form has expired or did not come from this server's own page; "
            "allow cookies, load the page again and send it once more."
        )


def flash_advice(password: str, username: str) -> None:
    """Say on the next page why a password that was just taken is weak, if it is."""
    sentence = advice(password, username)
    if sentence:
        flash(sentence, "warn")
