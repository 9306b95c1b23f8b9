"""``cli.py user``: the signed-in browsers and second factors of an account."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from console.options import (
    Chosen,
    json_option,
    pass_chosen,
    reading,
    services_of,
    shell_actor,
    username_option,
    where_options,
    yes_option,
)
from console.output import answer, as_json, must_confirm, table
from console.users import account_of, user, username_of


@user.command("sessions")
@username_option
@json_option
@where_options
@pass_chosen
def sessions(chosen: Chosen, username: str | None, json_: bool) -> None:
    """List the browsers that are signed in as a user."""
    name = username_of(username)
    from database.sessions import Sessions

    with reading(chosen) as reader:
        account = account_of(reader, name)
        found = [
            {
                "id": one.public_id, "address": one.address, "browser": one.user_agent, "method": one.method,
                "since": one.created, "last_seen": one.last_seen, "expires": one.expires,
            }
            for one in Sessions(reader.database).of_user(account.username, datetime.now(UTC))
        ]  # fmt: skip
    if json_:
        as_json(found)
        return
    columns = ("ID", "FROM", "BROWSER", "BY", "SINCE", "LAST SEEN", "EXPIRES")
    table(columns, (tuple(one.values()) for one in found), nothing="No browsers are signed in.")


@user.command("end-sessions")
@username_option
@click.option("--session", "public_id", metavar="ID", help="Only this one; else all.")
@json_option
@where_options
@pass_chosen
def end_sessions(chosen: Chosen, username: str | None, public_id: str | None, json_: bool) -> None:
    """Sign a user's browsers out."""
    name = username_of(username)
    with services_of(chosen) as services:
        account = services.users.account(name)
        if public_id is not None:
            services.sessions.end(account.username, public_id, by=shell_actor())
            ended = 1
        else:
            ended = services.sessions.end_all(account.username, by=shell_actor())
    if json_:
        as_json({"ended": ended})
    else:
        answer(f"Signed {ended:,} {'browser' if ended == 1 else 'browsers'} of {account.username} out.")


@user.command("reset-factors")
@username_option
@yes_option
@json_option
@where_options
@pass_chosen
def reset_factors(chosen: Chosen, username: str | None, yes: bool, json_: bool) -> None:
    """Remove a user's second factors, for who lost theirs.

    Be sure who asks: afterwards the password alone signs in. Their browsers are signed out.
    """
    name = username_of(username)
    must_confirm(f"Remove every second factor of {name}?", yes=yes)
    with services_of(chosen) as services:
        account = services.users.account(name)
        removed = services.factors.reset(account, by=shell_actor())
    if json_:
        as_json({"removed": removed})
    else:
        answer(f"Removed {removed:,} second {'factor' if removed == 1 else 'factors'} of {account.username}.")


@user.command("unlink")
@username_option
@yes_option
@json_option
@where_options
@pass_chosen
def unlink(chosen: Chosen, username: str | None, yes: bool, json_: bool) -> None:
    """Forget whom a directory or OpenID provider knows as a user.

    For somebody who has moved there: who signs in next under that name is taken for them, so be sure who that is.
    """
    name = username_of(username)
    must_confirm(f"Forget whom a directory or provider knows as {name}?", yes=yes)
    with services_of(chosen) as services:
        account = services.users.account(name)
        forgotten = services.users.unlink(account.username, by=shell_actor())
    if json_:
        as_json({"unlinked": forgotten})
    else:
        answer(f"{account.username} is linked to nobody elsewhere{'' if forgotten else ', as before'}.")
