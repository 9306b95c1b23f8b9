"""``cli.py user``: accounts and their tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config import Settings
from console.options import (
    Chosen,
    Reader,
    json_option,
    pass_chosen,
    reading,
    services_of,
    shell_actor,
    username_option,
    where_options,
)
from console.output import answer, as_json, say, table, wanted
from errors import Refusal, UnknownUser

if TYPE_CHECKING:
    from database.accounts import Account
    from people.tokens import Limits
    from services import Services

SCOPES = ("read", "upload", "yank", "admin")
password_option = click.option("--password", help="The password; on a terminal it is asked for, hidden.")


@click.group()
@where_options
def user() -> None:
    """Manage accounts and their API tokens."""


def _username(username: str | None) -> str:
    return wanted(username, "--username", "Username")


def _remind(settings: Settings) -> None:
    if not settings.auth_enabled:
        say("Authentication is off, so nobody is asked who they are; accounts are kept for when --auth turns it on.")


@user.command("create")
@username_option
@password_option
@click.option("--email", default="", help="E-mail address.")
@click.option("--admin", is_flag=True, help="Make an administrator.")
@json_option
@where_options
@pass_chosen
def create(chosen: Chosen, username: str | None, password: str | None, email: str, admin: bool, json_: bool) -> None:
    """Make an account."""
    name = _username(username)
    secret = wanted(password, "--password", "Password", secret=True)
    with services_of(chosen) as services:
        services.users.create_user(name, secret, email=email, is_admin=admin, by=shell_actor())
        made = _account(services, name)
        document = _document(services, made, secret)
        _remind(services.settings)
    _advise(document)
    if json_:
        as_json(document)
    else:
        answer(f"Made the {'administrator' if admin else 'user'} {made.username}.")


@user.command("list")
@json_option
@where_options
@pass_chosen
def list_users(chosen: Chosen, json_: bool) -> None:
    """List the accounts."""
    from people.documents import account_line

    with reading(chosen) as reader:
        found = reader.accounts.users()
        _remind(reader.settings)
    if json_:
        as_json([account_line(one) for one in found])
        return
    columns = (
        "USERNAME", "EMAIL", "ADMIN", "ACTIVE", "SOURCE", "SECOND FACTOR", "CREATED", "LAST LOGIN", "DEFAULT PASSWORD",
    )  # fmt: skip
    rows = (
        (
            one.username, one.email, one.is_admin, one.active, one.source, one.has_factor, one.created, one.last_login,
            one.default_password,
        )
        for one in found
    )  # fmt: skip
    table(columns, rows, nothing="No users.")


def _document(services: Services, account: Account, password: str | None = None) -> dict[str, Any]:
    from people.documents import changed_account_document

    return changed_account_document(account, services.readers.rights, password)


def _advise(document: dict[str, Any]) -> None:
    """Say why a new password is weak, if it is; it was taken all the same."""
    if document["advice"]:
        say(f"Advice: {document['advice']}")


def _account(opened: Services | Reader, username: str) -> Account:
    account = opened.accounts.user(username)
    if account is None:
        raise UnknownUser(username)
    return account


def _set_active(chosen: Chosen, username: str | None, *, active: bool, json_: bool) -> None:
    name = _username(username)
    with services_of(chosen) as services:
        before = _account(services, name)
        services.users.set_active(name, active=active, by=shell_actor())
        after = _account(services, name)
        document = _document(services, after)
    if json_:
        as_json(document)
        return
    word = "active" if active else "deactivated"
    answer(f"{after.username} is {word}{' already' if before.active == active else ''}.")


@user.command("delete")
@username_option
@json_option
@where_options
@pass_chosen
def delete(chosen: Chosen, username: str | None, json_: bool) -> None:
    """Deactivate an account.

    Its tokens and sessions end with it. Nothing is erased: `activate` brings it back.
    """
    _set_active(chosen, username, active=False, json_=json_)


@user.command("activate")
@username_option
@json_option
@where_options
@pass_chosen
def activate(chosen: Chosen, username: str | None, json_: bool) -> None:
    """Bring a deactivated account back."""
    _set_active(chosen, username, active=True, json_=json_)


@user.command("admin")
@username_option
@click.option("--admin/--no-admin", default=True, help="Whether they are one; an administrator if not said.")
@json_option
@where_options
@pass_chosen
def set_admin(chosen: Chosen, username: str | None, admin: bool, json_: bool) -> None:
    """Make a user an administrator, or no longer.

    Administrators may do everything; the last active one stays.
    """
    name = _username(username)
    with services_of(chosen) as services:
        before = services.users.account(name)
        if before.is_admin != admin:
            services.users.set_admin(name, is_admin=admin, by=shell_actor())
        after = services.users.account(name)
        document = _document(services, after)
    if json_:
        as_json(document)
        return
    word = "an administrator" if admin else "no administrator"
    answer(f"{after.username} is {word}{' already' if before.is_admin == admin else ''}.")


@user.command("email")
@username_option
@click.option("--email", metavar="ADDRESS", help="The e-mail address; '' for none.")
@json_option
@where_options
@pass_chosen
def set_email(chosen: Chosen, username: str | None, email: str | None, json_: bool) -> None:
    """Change a user's e-mail address."""
    name, address = _username(username), wanted(email, "--email", "E-mail address")
    with services_of(chosen) as services:
        services.users.set_email(name, address, by=shell_actor())
        after = services.users.account(name)
        document = _document(services, after)
    if json_:
        as_json(document)
    else:
        answer(f"The e-mail address of {after.username} is {after.email or 'empty'} now.")


@user.command("password")
@username_option
@password_option
@json_option
@where_options
@pass_chosen
def change_password(chosen: Chosen, username: str | None, password: str | None, json_: bool) -> None:
    """Change a password; the person's sessions end."""
    name = _username(username)
    secret = wanted(password, "--password", "New password", secret=True)
    with services_of(chosen) as services:
        services.users.set_password(name, secret, by=shell_actor())
        changed = _account(services, name)
        document = _document(services, changed, secret)
    _advise(document)
    if json_:
        as_json(document)
    else:
        answer(f"The password of {changed.username} was changed; their sessions ended.")


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
    from people.documents import new_token_document

    name = _username(username)
    label = wanted(token_name, "--token-name", "Name of the token")
    with services_of(chosen) as services:
        text, row = services.tokens.create_token(name, label, _limits(**said), by=shell_actor())
        owner = _account(services, name)
        _remind(services.settings)
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

    name = _username(username)
    with reading(chosen) as reader:
        found = reader.tokens.of_user(_account(reader, name).username)
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

    name = _username(username)
    said = wanted(text, "--token", "Token, or its id")
    whole = read_token(said)
    public_id = whole.id if whole else said
    with services_of(chosen) as services:
        owner = _account(services, name)
        services.tokens.revoke_token(owner.username, public_id, by=shell_actor())
    if json_:
        as_json({"revoked": public_id})
    else:
        answer(f"Token {public_id} of {owner.username} was revoked.")


@user.command("import")
@click.option(
    "--htpasswd", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", required=True,
    help="The htpasswd file.",
)  # fmt: skip
@json_option
@where_options
@pass_chosen
@click.pass_context
def import_users(ctx: click.Context, chosen: Chosen, path: Path, json_: bool) -> None:
    """Take the people of an Apache htpasswd file into the user table.

    They keep their passwords. Weak hashes are kept inside strong ones and replaced at the next sign-in. Exit code 1 if
    any could not be taken: names that are there, hashes of DES or plain text.
    """
    from credentials import legacy_hashes
    from credentials.htpasswd import parse

    taken, refused = [], []
    with services_of(chosen) as services:
        for name, kept in dict(reversed(parse(path.read_bytes()))).items():
            wrapped = legacy_hashes.wrap(kept, services.users.passwords)
            if wrapped is None:
                refused.append((name, "the kind of its hash is too weak; give them a new password"))
                continue
            try:
                services.users.import_user(name, wrapped, by=shell_actor())
                taken.append(name)
            except Refusal as refusal:
                refused.append((name, refusal.sentence))
    taken.sort()
    refused.sort()
    if json_:
        as_json({"imported": taken, "refused": [{"user": name, "reason": reason} for name, reason in refused]})
    else:
        answer(f"Imported {len(taken):,} of {len(taken) + len(refused):,} people.")
        table(("REFUSED", "WHY"), refused)
    ctx.exit(int(bool(refused)))
