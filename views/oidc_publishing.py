"""``/_/oidc``: how a CI job comes to a short-lived upload token (trusted publishing), as PyPI answers it.

The job asks for the audience, lets its provider sign a token for it, shows that, and gets ours. Nobody signs in: what
the provider signed is the proof. Answers are JSON in PyPI's shapes.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from database.journal import ANONYMOUS
from errors import InvalidIdentityToken, InvalidRequest, Refusal, TooLarge
from views import services, this_index
from views.api.bodies import LARGEST, parse_object
from views.errors import headers_of, status_of
from views.guards import actor_named, requires

blueprint = Blueprint("oidc_publishing", __name__, url_prefix="/_/oidc")

_FAILED: Final = "Token request failed"
_OFF: Final = "Trusted publishing is off on this server; use an API token, or ask an administrator."


@blueprint.get("/audience")
@requires(None)
def audience() -> Response:
    """For whom the provider has to sign."""
    rules = services().publishers.rules
    return _json({"audience": rules.audience}) if rules.enabled else _json({"message": _OFF}, 403)


@blueprint.post("/mint-token")
@requires(None)  # the provider's token is the proof
def mint_token() -> Response:
    """An upload token for the provider's. ``project`` narrows it to one of several projects that the job fits."""
    body = _body()
    token, project = _text(body, "token"), _text(body, "project") if body.get("project") is not None else None
    minted = services().publishers.mint(token, index=this_index().name, project=project, by=actor_named(ANONYMOUS))
    return _json({"success": True, "token": minted.text, "expires": int(minted.expires.timestamp())})


@blueprint.post("/burn-token")
@requires(None)  # whoever has the token may end it
def burn_token() -> Response:
    """End an upload token before its time; one that has ended, or was none, is answered alike."""
    services().publishers.burn(_text(_body(), "token"), by=actor_named(ANONYMOUS))
    return _json({"success": True})


@blueprint.errorhandler(Refusal)
def refused(refusal: Refusal) -> Response:
    """A refusal in PyPI's shape: what is wrong with the token is 422, the server's own trouble what it is."""
    code, status = refusal.code, status_of(refusal)
    if isinstance(refusal, InvalidIdentityToken):
        code, status = refusal.why, 422
    errors = [{"code": code, "description": refusal.sentence}]
    return _json({"message": _FAILED, "errors": errors}, status, headers_of(refusal, status))


def _body() -> dict[str, Any]:
    """Whatever is wrong with the body is PyPI's ``invalid-payload``, except that it is too large."""
    raw = request.stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise TooLarge(f"The body has more than {LARGEST:,} bytes; send the token alone.")
    try:
        return parse_object(raw)
    except InvalidRequest as refusal:
        raise InvalidIdentityToken(refusal.sentence, "invalid-payload") from refusal


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidIdentityToken(f"The body needs the field '{name}', a text; send it.", "invalid-payload")
    return value


def _json(document: dict[str, Any], status: int = 200, headers: list[tuple[str, str]] | None = None) -> Response:
    response = Response(orjson.dumps(document), status, headers or [("Cache-Control", "no-store")])
    response.content_type = "application/json"
    return response
