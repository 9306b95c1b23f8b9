"""``/api/tokens``: one's own API tokens."""

from __future__ import annotations

from typing import Any

from flask import Response

from auth import Permission
from credentials.tokens import read_token
from database.accounts import TokenRow
from simple.model import utc_stamp
from views import services
from views.api import blueprint, shapes
from views.api.bodies import read_body
from views.api.operations import Operation, Reply, described
from views.api.packages import answer
from views.guards import actor, must, requires

_FOR_PEOPLE = "It takes a username and a password; a token cannot manage tokens."


@blueprint.post("/tokens")
@requires(Permission.ACCOUNT)
@described(
    Operation(
        "Make a token",
        "tokens",
        {201: Reply("The token, shown this once.", shapes.NEW_TOKEN)},
        description=_FOR_PEOPLE,
        body=shapes.new_token_body,
    )
)
def create_token() -> Response:
    """Make a token of one's own."""
    body = read_body(shapes.new_token_body(services().settings))
    token, row = services().account_manager.create_token(
        _username(), body["name"], body.get("expires_days"), by=actor()
    )
    document = {
        "token": token.text, "id": row.id, "name": row.name, "created": utc_stamp(row.created), "expires": _expiry(row),
    }  # fmt: skip
    return answer(document, 201)


@blueprint.get("/tokens")
@requires(Permission.ACCOUNT)
@described(
    Operation("List one's tokens", "tokens", {200: Reply("The tokens.", shapes.TOKEN_LIST)}, description=_FOR_PEOPLE)
)
def list_tokens() -> Response:
    """One's own tokens, without their secrets."""
    return answer({"tokens": [_line(row) for row in services().accounts.tokens_of(_username())]})


@blueprint.delete("/tokens")
@requires(Permission.ACCOUNT)
@described(
    Operation(
        "Revoke a token",
        "tokens",
        {200: Reply("The token is worth nothing now.", shapes.REVOKED)},
        description=f"{_FOR_PEOPLE} Another's token is answered like one that is not there.",
        body=shapes.REVOKE_BODY,
        refusals={404: "There is no such token of the asker's."},
    )
)
def revoke_token() -> Response:
    """End a token of one's own, by its text or its public id."""
    sent = read_body(shapes.REVOKE_BODY)["token"].strip()
    token = read_token(sent)
    public_id = token.id if token else sent
    services().account_manager.revoke_token(_username(), public_id, by=actor())
    return answer({"revoked": public_id})


def _username() -> str:
    return must(Permission.ACCOUNT).username or ""


def _line(row: TokenRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "created": utc_stamp(row.created),
        "expires": _expiry(row),
        "last_used": utc_stamp(row.last_used) if row.last_used else None,
        "last_address": row.last_address,
    }


def _expiry(row: TokenRow) -> str | None:
    return utc_stamp(row.expires) if row.expires else None
