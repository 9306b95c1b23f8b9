"""``/api/tokens``: one's own API tokens."""

from __future__ import annotations

from flask import Response

from credentials.tokens import read_token
from people.documents import new_token_document, token_line
from people.tokens import USUAL, USUAL_SCOPES, Limits
from permissions import Permission
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
        description=f"{_FOR_PEOPLE} One for an index is made by those who may read it.",
        body=shapes.new_token_body,
        refusals={404: "There is no such index."},
    )
)
def create_token() -> Response:
    """Make a token of one's own."""
    body = read_body(shapes.new_token_body(services().settings))
    if "index" in body:
        must(Permission.LIST, index=body["index"])
    limits = Limits(
        days=body.get("expires_days", USUAL) or None,  # null and 0 are for ever, where that is allowed
        scopes=body.get("scopes", USUAL_SCOPES),
        index=body.get("index"),
        projects=body.get("projects", ()),
        note=body.get("note", ""),
    )
    token, row = services().tokens.create_token(_username(), body["name"], limits, by=actor())
    return answer(new_token_document(token.text, row), 201)


@blueprint.get("/tokens")
@requires(Permission.ACCOUNT)
@described(
    Operation("List one's tokens", "tokens", {200: Reply("The tokens.", shapes.TOKEN_LIST)}, description=_FOR_PEOPLE)
)
def list_tokens() -> Response:
    """One's own tokens, without their secrets."""
    return answer({"tokens": [token_line(row) for row in services().readers.tokens.of_user(_username())]})


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
    services().tokens.revoke_token(_username(), public_id, by=actor())
    return answer({"revoked": public_id})


def _username() -> str:
    return must(Permission.ACCOUNT).username or ""
