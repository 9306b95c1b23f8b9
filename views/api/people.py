"""``/api/users``: accounts, for administrators."""

from __future__ import annotations

from typing import Any

from flask import Response

from identities import Identities
from people.documents import account_document, account_line, changed_account_document, leaving
from people.users import must_be_email
from permissions import Permission
from views import services
from views.api import blueprint
from views.api import people_shapes as shapes
from views.api.bodies import read_body
from views.api.operations import Operation, Reply, described
from views.api.packages import answer
from views.guards import actor, requires

_LAST = {409: "It is the last active administrator."}


@blueprint.get("/users")
@requires(Permission.ADMIN)
@described(Operation("List the accounts", "people", {200: Reply("The accounts.", shapes.USER_LIST)}))
def list_users() -> Response:
    """Every account."""
    return answer({"users": [account_line(one, _identities()) for one in services().accounts.users()]})


@blueprint.post("/users")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Make an account",
        "people",
        {201: Reply("The account.", shapes.CHANGED_USER)},
        body=shapes.new_user_body,
        refusals={409: "There is an account of that name."},
    )
)
def create_user() -> Response:
    """Make an account."""
    body = read_body(shapes.new_user_body(services().settings))
    services().users.create_user(
        body["username"],
        body["password"],
        email=body.get("email", ""),
        is_admin=body.get("admin", False),
        by=actor(),
    )
    return answer(_changed(body["username"], body["password"]), 201)


@blueprint.get("/users/<username>")
@requires(Permission.ADMIN)
@described(Operation("Describe an account", "people", {200: Reply("The account.", shapes.USER)}))
def show_user(username: str) -> Response:
    """One account."""
    here = services()
    return answer(account_document(here.users.account(username), here.readers.rights, _identities()))


@blueprint.patch("/users/<username>")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Change an account",
        "people",
        {200: Reply("The account as it is now.", shapes.CHANGED_USER)},
        description="Where the last active administrator would be lost, nothing is changed.",
        body=shapes.changed_user_body,
        refusals=_LAST,
    )
)
def change_user(username: str) -> Response:
    """Change some of an account; what may be refused comes first."""
    body = read_body(shapes.changed_user_body(services().settings))
    users = services().users
    before = users.account(username)
    if "password" in body:
        users.must_be_password(body["password"])
    must_be_email(body.get("email", ""))
    if body.get("admin", before.is_admin) != before.is_admin:
        users.set_admin(username, is_admin=body["admin"], by=actor())
    if "active" in body:
        users.set_active(username, active=body["active"], by=actor())
    if body.get("email", before.email) != before.email:
        users.set_email(username, body["email"], by=actor())
    if "password" in body:
        users.set_password(username, body["password"], by=actor())
    return answer(_changed(username, body.get("password"), leaving(before) if "password" in body else ""))


@blueprint.delete("/users/<username>")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Deactivate an account",
        "people",
        {200: Reply("The account as it is now.", shapes.CHANGED_USER)},
        description="Its tokens and sessions end. Nothing is erased; PATCH with active true brings it back.",
        refusals=_LAST,
    )
)
def deactivate_user(username: str) -> Response:
    """Deactivate an account."""
    services().users.set_active(username, active=False, by=actor())
    return answer(_changed(username))


@blueprint.delete("/users/<username>/sessions")
@requires(Permission.ADMIN)
@described(Operation("Sign somebody's browsers out", "people", {200: Reply("How many there were.", shapes.ENDED)}))
def end_sessions_of_user(username: str) -> Response:
    """End every session of an account."""
    account = services().users.account(username)
    return answer({"ended": services().sessions.end_all(account.username, by=actor())})


@blueprint.delete("/users/<username>/factors")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Remove somebody's second factors",
        "people",
        {200: Reply("How many there were.", shapes.FACTORS_REMOVED)},
        description="For who lost theirs; be sure who asks, since afterwards the password alone signs in. Their "
        "sessions end.",
    )
)
def reset_factors_of_user(username: str) -> Response:
    """Remove every second factor of an account."""
    account = services().users.account(username)
    return answer({"removed": services().factors.reset(account, by=actor())})


@blueprint.delete("/users/<username>/link")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Forget whom a directory knows as a user",
        "people",
        {200: Reply("Whether anybody was known.", shapes.UNLINKED)},
        description="Who signs in next under that name, from a directory or OpenID provider, is taken for them.",
    )
)
def unlink_user(username: str) -> Response:
    """Forget whom a directory or provider knows as a user."""
    return answer({"unlinked": services().users.unlink(username, by=actor())})


def _changed(username: str, password: str | None = None, remark: str = "") -> dict[str, Any]:
    here = services()
    return changed_account_document(here.users.account(username), here.readers.rights, _identities(), password, remark)


def _identities() -> Identities:
    return services().authenticator.identities
