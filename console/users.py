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
    password_option,
    password_stdin_option,
    reading,
    services_of,
    shell_actor,
    username_option,
    where_options,
    yes_option,
)
from console.output import answer, as_json, facts, may_ask, must_confirm, say, secret_said, table, wanted
from errors import NameTaken, Refusal, UnknownUser

if TYPE_CHECKING:
    from database.accounts import Account
    from services import Services


@click.group()
@where_options
def user() -> None:
    """Manage accounts and their API tokens."""


def username_of(username: str | None) -> str:
    """The name that was said or is asked for."""
    return wanted(username, "--username", "Username")


def remind(settings: Settings) -> None:
    """Say that by these settings accounts count for nothing."""
    if not settings.auth_enabled:
        say(
            "The settings that this command reads have authentication off. It does not see a server that was started "
            "with flags such as --auth; keep settings in pypi.conf."
        )


@user.command("create")
@username_option
@password_option
@password_stdin_option
@click.option("--email", default="", help="E-mail address.")
@click.option("--admin", is_flag=True, help="Make an administrator.")
@json_option
@where_options
@pass_chosen
def create(
    chosen: Chosen, /, username: str | None, password: str | None, password_stdin: bool, json_: bool, **said: Any
) -> None:
    """Make an account."""
    name, admin = username_of(username), said["admin"]
    word = secret_said(password, from_stdin=password_stdin, option="--password", question="Password")
    with services_of(chosen) as services:
        services.users.create_user(name, word, email=said["email"], is_admin=admin, by=shell_actor())
        made = account_of(services, name)
        document = _document(services, made, word)
        remind(services.settings)
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
        found, identities = reader.accounts.users(), reader.identities()
        documents = [account_line(one, identities) for one in found]
        remind(reader.settings)
    if json_:
        as_json(documents)
        return
    columns = (
        "USERNAME", "EMAIL", "ADMIN", "ACTIVE", "STANDS", "SOURCE", "SECOND FACTOR", "CREATED", "LAST LOGIN",
        "DEFAULT PASSWORD",
    )  # fmt: skip
    rows = (
        (
            one.username, one.email, one.is_admin, one.active, document["stands"], one.source, one.has_factor,
            one.created, one.last_login, one.default_password,
        )
        for one, document in zip(found, documents, strict=True)
    )  # fmt: skip
    table(columns, rows, nothing="No users.")


@user.command("show")
@username_option
@json_option
@where_options
@pass_chosen
def show(chosen: Chosen, username: str | None, json_: bool) -> None:
    """Show an account: where it comes from, whether it stands, its teams and roles."""
    from people.documents import account_document

    name = username_of(username)
    with reading(chosen) as reader:
        found = account_of(reader, name)
        document = account_document(found, reader.rights, reader.identities())
        roles = reader.rights.grants(user=found.username)
        remind(reader.settings)
    if json_:
        as_json(document)
        return
    facts([
        ("username", found.username), ("e-mail", found.email), ("administrator", found.is_admin),
        ("active", found.active), ("stands", document["stands"]), ("source", found.source),
        ("second factor", found.has_factor), ("created", found.created), ("last login", found.last_login),
        ("teams", ", ".join(document["teams"])),
    ])  # fmt: skip
    if roles:
        answer("")
        table(("ROLE", "INDEX", "PROJECT"), ((one.role, one.index, one.project) for one in roles))


def _document(services: Services, account: Account, password: str | None = None, *, remark: str = "") -> dict[str, Any]:
    from people.documents import changed_account_document

    identities = services.authenticator.identities
    return changed_account_document(account, services.readers.rights, identities, password, remark)


def _advise(document: dict[str, Any]) -> None:
    """Say why a new password is weak, if it is, though it was taken, and what else the change means."""
    if document["advice"]:
        say(f"Advice: {document['advice']}")
    if document["remark"]:
        say(document["remark"])


def account_of(opened: Services | Reader, username: str) -> Account:
    """The account of that name. Raises UnknownUser."""
    account = opened.accounts.user(username)
    if account is None:
        raise UnknownUser(username)
    return account


def _set_active(chosen: Chosen, username: str | None, *, active: bool, json_: bool) -> None:
    name = username_of(username)
    with services_of(chosen) as services:
        before = account_of(services, name)
        services.users.set_active(name, active=active, by=shell_actor())
        after = account_of(services, name)
        document = _document(services, after)
    if json_:
        as_json(document)
        return
    word = "active" if active else "deactivated"
    answer(f"{after.username} is {word}{' already' if before.active == active else ''}.")


@user.command("deactivate")
@username_option
@yes_option
@json_option
@where_options
@pass_chosen
def deactivate(chosen: Chosen, username: str | None, yes: bool, json_: bool) -> None:
    """Deactivate an account.

    Its tokens and sessions end with it. Nothing is erased: `activate` brings it back.
    """
    _deactivate(chosen, username, yes=yes, json_=json_)


@user.command("delete")
@username_option
@yes_option
@json_option
@where_options
@pass_chosen
def delete(chosen: Chosen, username: str | None, yes: bool, json_: bool) -> None:
    """Deactivate an account, under the former name of `deactivate`.

    Scripts have it without --yes, so it asks on a terminal only.
    """
    _deactivate(chosen, username, yes=yes or not may_ask(), json_=json_)


def _deactivate(chosen: Chosen, username: str | None, *, yes: bool, json_: bool) -> None:
    name = username_of(username)
    must_confirm(f"Deactivate {name}? Their tokens and sessions end.", yes=yes)
    _set_active(chosen, name, active=False, json_=json_)


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
    name = username_of(username)
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
    name, address = username_of(username), wanted(email, "--email", "E-mail address")
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
@password_stdin_option
@json_option
@where_options
@pass_chosen
def change_password(
    chosen: Chosen, username: str | None, password: str | None, password_stdin: bool, json_: bool
) -> None:
    """Change a password; the person's sessions end.

    Somebody of an htpasswd file or a directory leaves it for the user table.
    """
    from people.documents import leaving

    name = username_of(username)
    word = secret_said(password, from_stdin=password_stdin, option="--password", question="New password")
    with services_of(chosen) as services:
        before = account_of(services, name)
        services.users.set_password(name, word, by=shell_actor())
        changed = account_of(services, name)
        document = _document(services, changed, word, remark=leaving(before))
    _advise(document)
    if json_:
        as_json(document)
    else:
        answer(f"The password of {changed.username} was changed; their sessions ended.")


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
            except NameTaken:
                refused.append((name, "is in the user table already; left as it is"))
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
