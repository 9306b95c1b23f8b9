"""The documents that tell of people: accounts, tokens, teams, roles, names, publishers, in the types of JSON.

The API answers with them and ``cli.py --json`` prints them, so that a script reads the same from both. A line stands in
a list, a document for itself. ``views.api`` has their schemas.
"""

from __future__ import annotations

from typing import Any

from credentials.passwords import advice
from credentials.publishers import describe
from database.accounts import Account
from database.publishers import PublisherRow
from database.rights import GrantRow, PatternRow, Rights, TeamRow
from database.tokens import TokenRow
from people.publishers import publisher_of
from simple.model import utc_stamp

Document = dict[str, Any]


def account_line(account: Account) -> Document:
    """An account."""
    return {
        "username": account.username,
        "email": account.email,
        "admin": account.is_admin,
        "active": account.active,
        "source": account.source,
        "second_factor": account.has_factor,
        "default_password": account.default_password,
        "created": utc_stamp(account.created),
        "last_login": utc_stamp(account.last_login) if account.last_login else None,
    }


def account_document(account: Account, rights: Rights) -> Document:
    """An account with its teams and the roles that it holds itself."""
    teams = [team.name for team in rights.teams() if account.username in dict(team.members)]
    roles = [role_line(row) for row in rights.grants(user=account.username)]
    return {**account_line(account), "teams": teams, "roles": roles}


def changed_account_document(account: Account, rights: Rights, password: str | None = None) -> Document:
    """An account after a change, with advice against the new password where it is weak."""
    weak = advice(password, account.username) if password is not None else ""
    return {**account_document(account, rights), "advice": weak or None}


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


def team_document(team: TeamRow, rights: Rights) -> Document:
    """A team with its members, roles and names."""
    return {
        "name": team.name,
        "title": team.title,
        "created": utc_stamp(team.created),
        "members": [{"username": username, "source": source or None} for username, source in team.members],
        "roles": [role_line(row) for row in rights.grants(team=team.name)],
        "patterns": [row.pattern for row in rights.patterns() if row.team == team.name],
    }


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
