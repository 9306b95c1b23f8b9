"""``/api/register`` and ``/register_user``: scripts make users, and change their passwords, with the admin token.

The password may come in the query, as older deployments send it; queries never reach a log here.
"""

from __future__ import annotations

import hmac
from typing import Any, Final

from flask import Blueprint, Response, request

from credentials.passwords import advice
from errors import Forbidden, InvalidRequest, NotAuthenticated
from views import services
from views.api import blueprint
from views.api.bodies import read_body, read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.packages import answer
from views.api.schemas import Schema, flag, maybe, record, text
from views.guards import actor_named, peer, requires

older = Blueprint("registration", __name__)

_THROTTLED_AS: Final = "the admin token"
_USERNAME: Final = text("The name of the user.", maxLength=100)
_PASSWORD: Final = text("The password.", maxLength=4096)
_QUERY: Final = (Parameter("username", _USERNAME), Parameter("password", _PASSWORD))
_BODY: Final = record("The user; it may stand in the query instead.", (), username=_USERNAME, password=_PASSWORD)
_REGISTERED: Final[Schema] = record(
    "The user as they are now.",
    username=text("The name."),
    created=flag("Whether the user is new; else the password was changed."),
    advice=maybe(text("Why the password is weak, if it is.")),
)
_OPERATION: Final = Operation(
    "Register a user",
    "people",
    {
        200: Reply("The password was changed.", _REGISTERED),
        201: Reply("The user was made.", _REGISTERED),
    },
    description="With the token of the setting admin_token as Authorization: Bearer; closed where none is set. The "
    "user goes into the htpasswd file if one is in force, else into the user table. Username and password are sent "
    "as JSON or in the query.",
    query=_QUERY,
    body=_BODY,
    body_optional=True,
    refusals={
        401: "No admin token, or a wrong one.",
        403: "Registration is closed, or the htpasswd file cannot be written.",
        409: "The name is an administrator's.",
        429: "Too many wrong tokens.",
        503: "The server's own trouble; nothing was changed. Try again after Retry-After.",
    },
    security="registration",
)


@blueprint.post("/register")
@requires(None)
@described(_OPERATION)
def register() -> Response:
    """Make a user, or change a password."""
    return _register()


@older.post("/register_user")
@requires(None)
def register_user() -> Response:
    """The same, where older deployments have it."""
    return _register()


def _register() -> Response:
    _must_bear_the_token()
    said = _said()
    by = actor_named("admin token")
    username, created = services().users.register(said["username"], said["password"], by=by)
    warning = advice(said["password"], username) or None
    return answer({"username": username, "created": created, "advice": warning}, 201 if created else 200)


def _must_bear_the_token() -> None:
    """Raises NotAuthenticated, Forbidden where no token is set, TooManyAttempts."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        raise NotAuthenticated("Registering needs the admin token; send it as Authorization: Bearer.")
    wanted = services().settings.admin_token
    if not wanted:
        raise Forbidden("Registration is closed; set PYPI_ADMIN_TOKEN (or PYPI_ADMIN_TOKEN_FILE) to open it.")
    throttle, address = services().authenticator.throttle, peer().address
    throttle.must_allow(_THROTTLED_AS, address)
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), wanted.encode()):
        throttle.failed(_THROTTLED_AS, address)
        services().sign_ins.note("session.refused", _THROTTLED_AS, address, "token")
        raise NotAuthenticated("This is not the admin token; send it as Authorization: Bearer.")
    throttle.succeeded(_THROTTLED_AS, address)


def _said() -> dict[str, Any]:
    """Username and password, from the body or the query. Raises InvalidRequest where either is missing or doubled."""
    in_query = {name: value for name, value in read_query(_QUERY).items() if value is not None}
    has_body = bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "")
    if has_body and in_query:
        raise InvalidRequest("Username and password stand in the query and in the body; send them once.")
    if has_body:
        return read_body(_BODY)
    for name in ("username", "password"):
        if name not in in_query:
            raise InvalidRequest(f"The request has no {name}; send username and password as JSON or in the query.")
    return in_query
