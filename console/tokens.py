"""``cli.py user``: the API tokens of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
)
from console.output import answer, as_json, say, table, wanted
from console.users import account_of, remind, user, username_of
from permissions import SCOPES

if TYPE_CHECKING:
    from people.tokens import Limits


@user.command("token")
@username_option
@click.option("--token-name", metavar="TEXT", help="What the token is for.")
@click.option("--expires-days", type=click.IntRange(min=0), metavar="DAYS", help="How long it stands; 0: for ever.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="What it is for; else all but admin.")
@click.option("--project", "projects", multiple=True, metavar="NAME", help="A project, or acme-*; else all.")
@click.option("--index", metavar="NAME", help="The one index that it is for; else any.")
@click.option("--note", default="", metavar="TEXT", help="A word about it.")
@json_option
@where_options
@pass_chosen
def token(chosen: Chosen, /, username: str | None, token_name: str | None, json_: bool, **said: Any) -> None:
    """Make an API token.

    It stands alone on a line of stdout, this once; explanations go to stderr.
    """
    from people.documents import new_token_document, place_of

    name = username_of(username)
    label = wanted(token_name, "--token-name", "Name of the token")
    with services_of(chosen) as services:
        text, row = services.tokens.create_token(name, label, _limits(**said), by=shell_actor())
        owner = account_of(services, name)
        stands = services.authenticator.identities.stands(owner)
        remind(services.settings)
    if owner.active and not stands:
        say(f"{owner.username} is not in {place_of(owner)} that these settings name: the token is good once they are.")
    if not owner.active:
        say(f"{owner.username} is deactivated: the token is good once `cli.py user activate` brought them back.")
    if json_:
        as_json(new_token_document(text.text, row))
        return
    until = f"until {row.expires:%Y-%m-%d %H:%M} UTC" if row.expires else "until it is revoked"
    say(f"Token {row.id} ({row.name}) of {row.username}, good {until}. It is shown this once; use it as the password.")
    click.echo(text.text)


def _limits(
    expires_days: int | None, scopes: tuple[str, ...], projects: tuple[str, ...], index: str | None, note: str
) -> Limits:
    from people.tokens import USUAL, USUAL_SCOPES, Limits

    days = USUAL if expires_days is None else expires_days or None
    return Limits(days, scopes or USUAL_SCOPES, index, projects, note)


@user.command("tokens")
@username_option
@json_option
@where_options
@pass_chosen
def tokens(chosen: Chosen, username: str | None, json_: bool) -> None:
    """List a user's API tokens.

    Those that are not revoked, newest first.
    """
    from people.documents import token_line

    name = username_of(username)
    with reading(chosen) as reader:
        found = reader.tokens.of_user(account_of(reader, name).username)
    if json_:
        as_json([token_line(row) for row in found])
        return
    columns = ("ID", "NAME", "CREATED", "EXPIRES", "LAST USED", "FROM", "SCOPES", "INDEX", "PROJECTS", "NOTE")
    rows = (
        (
            row.id, row.name, row.created, row.expires, row.last_used, row.last_address, row.scopes, row.index,
            ", ".join(row.projects), row.note,
        )
        for row in found
    )  # fmt: skip
    table(columns, rows, nothing="No tokens.")


@user.command("revoke-token")
@username_option
@click.option("--token", "text", metavar="ID", help="The token's id, as `tokens` lists it, or the token itself.")
@json_option
@where_options
@pass_chosen
def revoke_token(chosen: Chosen, username: str | None, text: str | None, json_: bool) -> None:
    """Revoke an API token."""
    from credentials.tokens import read_token

    name = username_of(username)
    said = wanted(text, "--token", "Token, or its id")
    whole = read_token(said)
    public_id = whole.id if whole else said
    with services_of(chosen) as services:
        owner = account_of(services, name)
        services.tokens.revoke_token(owner.username, public_id, by=shell_actor())
    if json_:
        as_json({"revoked": public_id})
    else:
        answer(f"Token {public_id} of {owner.username} was revoked.")
