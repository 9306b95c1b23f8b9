"""API tokens: queries and writes. Of a secret only its hash comes here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select, update

from database.accounts import ACCOUNT_COLUMNS, Account, account_columns, user_id_of
from database.engine import Database
from database.identity_models import Token, User
from errors import UnknownToken


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token without its secret. ``id`` is the public part that stands in the token itself.

    ``scopes`` are words with spaces between them; ``index`` None is any index, ``projects`` empty any project.
    """

    id: str
    name: str
    username: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_address: str | None
    revoked: datetime | None
    scopes: str
    index: str | None
    projects: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be: its name, end, scopes and note; secrets as hashes."""

    public_id: str
    secret_sha256: str
    name: str
    expires: datetime | None
    scopes: str
    index: str | None = None
    projects: Sequence[str] = ()
    note: str = ""


class Tokens:
    """The reader of tokens. The functions below it change them, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def token(self, public_id: str) -> tuple[Account, TokenRow, str] | None:
        """The token of that public id with its owner and the hash of its secret, whether it stands or not."""
        with self.database.reading() as connection:
            row = connection.execute(
                account_columns(*_COLUMNS, Token.secret_sha256)
                .join(Token, Token.user_id == User.id)
                .where(Token.public_id == public_id)
            ).first()
        if row is None:
            return None
        return Account(*row[:ACCOUNT_COLUMNS]), _token(row[ACCOUNT_COLUMNS:-1]), row[-1]

    def of_user(self, username: str) -> list[TokenRow]:
        """The tokens of a user that are not revoked, newest first."""
        return self._standing(User.username_key == username.lower())

    def unused_since(self, moment: datetime) -> list[TokenRow]:
        """Everybody's tokens that stand, were made before and not used since, newest first."""
        return self._standing(Token.created < moment, or_(Token.last_used.is_(None), Token.last_used < moment))

    def standing(self) -> list[TokenRow]:
        """Everybody's tokens that are not revoked, newest first."""
        return self._standing()

    def _standing(self, *where: Any) -> list[TokenRow]:
        with self.database.reading() as connection:
            rows = connection.execute(_tokens().where(Token.revoked.is_(None), *where).order_by(Token.id.desc()))
            return [_token(row) for row in rows]


_COLUMNS: tuple[Any, ...] = (
    Token.public_id, Token.name, User.username, Token.created, Token.expires, Token.last_used, Token.last_address,
    Token.revoked, Token.scopes, Token.index_name, Token.projects, Token.note,
)  # fmt: skip


def _tokens() -> Select[Any]:
    return select(*_COLUMNS).join(User, User.id == Token.user_id)


def _token(row: Any) -> TokenRow:
    facts: Any = (*row[:10], tuple(row[10] or ()), row[11])
    return TokenRow(*facts)


def add_token(connection: Connection, username: str, new: NewToken, at: datetime) -> None:
    """Keep a new token of a user. Raises UnknownUser."""
    connection.execute(
        insert(Token).values(
            public_id=new.public_id, secret_sha256=new.secret_sha256, user_id=user_id_of(connection, username),
            name=new.name, created=at, expires=new.expires, scopes=new.scopes, index_name=new.index,
            projects=list(new.projects), note=new.note,
        )
    )  # fmt: skip


def revoke_token(connection: Connection, username: str | None, public_id: str, at: datetime) -> tuple[str, str]:
    """End a token of a user, or of anybody for None; whose it was and its name. Raises UnknownToken, also for
    another's.
    """
    statement = (
        select(Token.id, User.username, Token.name)
        .join(User, User.id == Token.user_id)
        .where(Token.public_id == public_id, Token.revoked.is_(None))
    )
    if username is not None:
        statement = statement.where(User.username_key == username.lower())
    row = connection.execute(statement).first()
    if row is None:
        raise UnknownToken
    connection.execute(update(Token).where(Token.id == row.id).values(revoked=at))
    return str(row.username), str(row.name)


def touch_token(connection: Connection, public_id: str, address: str | None, at: datetime) -> None:
    """Note when and from where a token was last used."""
    connection.execute(
        update(Token)
        .where(Token.public_id == public_id, or_(Token.last_used.is_(None), Token.last_used < at))
        .values(last_used=at, last_address=address)
    )
