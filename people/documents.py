"""The documents that tell of people: accounts, tokens, teams, roles, names, publishers, in the types of JSON.

The API answers with them and ``cli.py --json`` prints them, so that a script reads the same from both. A line stands in
a list, a document for itself. ``views.api`` has their schemas.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from credentials.passwords import advice
from credentials.publishers import describe
from database.accounts import TABLE, Account
from database.publishers import PublisherRow
from database.rights import GrantRow, PatternRow, Rights, TeamRow
from database.tokens import TokenRow
from identities import Identities
from people.publishers import publisher_of
from simple.model import utc_stamp

Document = dict[str, Any]

_PLACES: Final = {"htpasswd": "the htpasswd file", "ldap": "the LDAP directory", "openid": "the OpenID provider"}
_NO_RIGHTS: Final = "none"


def place_of(account: Account) -> str:
    """Who checks somebody's password, in words; "" where this server does."""
    return "" if account.source == TABLE else _PLACES.get(account.source, account.source)


def leaving(before: Account) -> str:
    """What a new password here means for somebody of a directory; "" for whoever is of the user table."""
    place = place_of(before)
    return f"{before.username} leaves {place} for the user table; what is there counts no more." if place else ""


def account_line(account: Account, identities: Identities) -> Document:
    """An account. It ``stands`` while it is active and, if a directory vouches for it, known there."""
    return {
        "username": account.username,
        "email": account.email,
        "admin": account.is_admin,
        "active": account.active,
        "stands": identities.stands(account),
        "source": account.source,
        "second_factor": account.has_factor,
        "default_password": account.default_password,
        "created": utc_stamp(account.created),
        "last_login": utc_stamp(account.last_login) if account.last_login else None,
    }


def account_document(account: Account, rights: Rights, identities: Identities) -> Document:
    """An account with its teams and the roles that it holds itself."""
    teams = [team.name for team in rights.teams() if account.username in dict(team.members)]
    roles = [role_line(row) for row in rights.grants(user=account.username)]
    return {**account_line(account, identities), "teams": teams, "roles": roles}


def changed_account_document(
    account: Account, rights: Rights, identities: Identities, password: str | None = None, remark: str = ""
) -> Document:
    """An account after a change, with advice against the new password where it is weak, and a remark on what else the
    change means.
    """
    weak = advice(password, account.username) if password is not None else ""
    return {**account_document(account, rights, identities), "advice": weak or None, "remark": remark or None}


def token_line(row: TokenRow) -> Document:
    """A token of somebody who is known, without its secret."""
    return {
        "id": row.id,
        "name": row.name,
        "created": utc_stamp(row.created),
        "expires": utc_stamp(row.expires) if row.expires else None,
        "last_used": utc_stamp(row.last_used) if row.last_used else None,
        "last_address": row.last_address,
        "scopes": row.scopes.split(),
        "index": row.index,
        "projects": list(row.projects),
        "note": row.note,
    }


def new_token_document(text: str, row: TokenRow) -> Document:
    """A token that was just made, with its text."""
    line = token_line(row)
    del line["last_used"], line["last_address"]
    return {"token": text, **line}


def team_documents(teams: Iterable[TeamRow], rights: Rights) -> list[Document]:
    """Teams with their members, roles and names; two queries for all of them."""
    roles, patterns = [row for row in rights.grants() if row.is_team], rights.patterns()
    return [
        {
            "name": team.name,
            "title": team.title,
            "created": utc_stamp(team.created),
            "members": [{"username": username, "source": source or None} for username, source in team.members],
            "roles": [role_line(row) for row in roles if row.holder == team.name],
            "patterns": [row.pattern for row in patterns if row.team == team.name],
        }
        for team in teams
    ]


def role_line(row: GrantRow) -> Document:
    """A role and who holds it."""
    return {
        "index": row.index,
        "project": row.project or None,
        "user": None if row.is_team else row.holder,
        "team": row.holder if row.is_team else None,
        "role": row.role,
        "created": utc_stamp(row.created),
    }


def role_sentence(row: GrantRow, rights: Rights, before: str | None) -> str:
    """A role that was just given, and what it was before; of one without rights what the holder's teams still give."""
    place = row.project or f"the index {row.index}"
    if row.role != _NO_RIGHTS:
        was = "without rights" if before == _NO_RIGHTS else before
        return f"{row.holder} is {row.role} of {place}{f', no longer {was}' if before not in {None, row.role} else ''}."
    less = f"is no longer {before} of {place} and " if before not in {None, _NO_RIGHTS} else ""
    where = "there" if less else f"on {place}"
    if row.is_team:
        return f"The team {row.holder} {less}gives no rights {where}; its members keep what other roles give them."
    given = [
        f"{one.role} by the team {team.name}"
        for team in rights.teams()
        if row.holder in dict(team.members)
        for one in rights.grants(index=row.index, project="", team=team.name)
        if one.role != _NO_RIGHTS
    ]
    still = f", but is still {' and '.join(given)}" if given else ""
    return f"{row.holder} {less}has no rights {where} by a role of their own{still}."


def pattern_line(row: PatternRow) -> Document:
    """Names that belong to a team."""
    return {"index": row.index, "pattern": row.pattern, "team": row.team, "created": utc_stamp(row.created)}


def publisher_line(row: PublisherRow) -> Document:
    """A trusted publisher."""
    return {
        "id": row.id,
        "project": row.project,
        "kind": row.kind,
        "issuer": row.issuer,
        "fields": dict(row.fields),
        "description": describe(publisher_of(row)),
        "created": utc_stamp(row.created),
        "created_by": row.created_by,
        "last_used": utc_stamp(row.last_used) if row.last_used else None,
        "pending": row.pending,
    }
