"""Users, tokens and sessions: queries and writes. Secrets come here as hashes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, or_, select, update

from database.engine import Database
from database.journal import ACCESS
from database.models import Session, Token, User
from errors import NameTaken, UnknownToken, UnknownUser, shown


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the rest of the program sees one."""

    id: int
    username: str
    password_hash: str
    email: str
    is_admin: bool
    active: bool
    default_password: bool
    created: datetime
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token without its secret. ``id`` is the public part that stands in the token itself."""

    id: str
    name: str
    username: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_address: str | None
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser and its person."""

    account: Account
    created: datetime
    last_seen: datetime
    expires: datetime


class Accounts:
    """The reader of accounts. The functions below it change them, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._access = (-1, 0)

    def access_serial(self) -> int:
        """A number that moves with every change of accounts and rights; kept until anything in the database changes."""
        now = self.database.changes.current()
        seen_at, serial = self._access
        if seen_at != now:
            row = self.database.quick("SELECT value FROM counters WHERE name = ?", (ACCESS,))
            serial = int(row[0]) if row else 0
            self._access = (now, serial)
        return serial

    def user(self, username: str) -> Account | None:
        """The account of that name, in whatever case, or None."""
        with self.database.reading() as connection:
            row = connection.execute(_accounts().where(User.username_key == username.lower())).first()
        return Account(*row) if row else None

    def users(self) -> list[Account]:
        """Every account, by name."""
        with self.database.reading() as connection:
            return [Account(*row) for row in connection.execute(_accounts().order_by(User.username_key))]

    def has_admin(self) -> bool:
        """Whether an active administrator exists."""
        with self.database.reading() as connection:
            row = connection.execute(select(User.id).where(User.is_admin, User.active).limit(1)).first()
        return row is not None

    def default_password_stands(self) -> bool:
        """Whether an active account still has the shipped password."""
        with self.database.reading() as connection:
            row = connection.execute(select(User.id).where(User.default_password, User.active).limit(1)).first()
        return row is not None

    def token(self, public_id: str) -> tuple[Account, TokenRow, str] | None:
        """The token of that public id with its owner and the hash of its secret, whether it stands or not."""
        with self.database.reading() as connection:
            row = connection.execute(_tokens(Token.secret_sha256).where(Token.public_id == public_id)).first()
            if row is None:
                return None
            owner = connection.execute(_accounts().where(User.username == row.username)).one()
        return Account(*owner), TokenRow(*row[:-1]), row[-1]

    def tokens_of(self, username: str) -> list[TokenRow]:
        """The tokens of a user that are not revoked, newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                _tokens()
                .where(User.username_key == username.lower(), Token.revoked.is_(None))
                .order_by(Token.id.desc())
            )
            return [TokenRow(*row) for row in rows]

    def session(self, id_sha256: str, now: datetime) -> SessionRow | None:
        """The session of that hashed cookie while it and its account stand."""
        with self.database.reading() as connection:
            row = connection.execute(
                _accounts(Session.created, Session.last_seen, Session.expires)
                .join(Session, Session.user_id == User.id)
                .where(Session.id_sha256 == id_sha256, Session.expires > now, User.active)
            ).first()
        return SessionRow(Account(*row[:9]), *row[9:]) if row else None


def _accounts(*more: Any) -> Select[Any]:
    return select(
        User.id, User.username, User.password_hash, User.email, User.is_admin, User.active, User.default_password,
        User.created, User.last_login, *more,
    )  # fmt: skip


def _tokens(*more: Any) -> Select[Any]:
    return select(
        Token.public_id, Token.name, User.username, Token.created, Token.expires, Token.last_used,
        Token.last_address, Token.revoked, *more,
    ).join(User, User.id == Token.user_id)  # fmt: skip


def add_user(
    connection: Connection,
    username: str,
    password_hash: str,
    *,
    email: str,
    is_admin: bool,
    default: bool,
    at: datetime,
) -> None:
    """Make an account. Raises NameTaken."""
    if _user_id(connection, username) is not None:
        raise NameTaken(f"A user named {shown(username)} exists; choose another name, or change that user's password.")
    connection.execute(
        insert(User).values(
            username=username, username_key=username.lower(), password_hash=password_hash, email=email,
            is_admin=is_admin, active=True, default_password=default, created=at,
        )
    )  # fmt: skip


def change_user(connection: Connection, username: str, **values: object) -> None:
    """Change columns of an account: ``password_hash``, ``default_password``, ``active``, ``is_admin``, ``email``,
    ``last_login``. Raises UnknownUser.
    """
    user_id = user_id_of(connection, username)
    connection.execute(update(User).where(User.id == user_id).values(**values))


def count_active_admins(connection: Connection) -> int:
    """How many active administrators there are."""
    return connection.execute(select(func.count()).select_from(User).where(User.is_admin, User.active)).scalar_one()


def user_id_of(connection: Connection, username: str) -> int:
    """The row of a user. Raises UnknownUser."""
    found = _user_id(connection, username)
    if found is None:
        raise UnknownUser(username)
    return found


def _user_id(connection: Connection, username: str) -> int | None:
    return connection.execute(select(User.id).where(User.username_key == username.lower())).scalar_one_or_none()


def add_token(
    connection: Connection,
    username: str,
    public_id: str,
    secret_sha256: str,
    name: str,
    expires: datetime | None,
    at: datetime,
) -> None:
    """Keep a new token of a user. Raises UnknownUser."""
    connection.execute(
        insert(Token).values(
            public_id=public_id, secret_sha256=secret_sha256, user_id=user_id_of(connection, username), name=name,
            created=at, expires=expires,
        )
    )  # fmt: skip


def revoke_token(connection: Connection, username: str, public_id: str, at: datetime) -> str:
    """End a token of a user; its name. Raises UnknownToken, also for another's."""
    row = connection.execute(
        select(Token.id, Token.name)
        .join(User, User.id == Token.user_id)
        .where(Token.public_id == public_id, User.username_key == username.lower(), Token.revoked.is_(None))
    ).first()
    if row is None:
        raise UnknownToken
    connection.execute(update(Token).where(Token.id == row.id).values(revoked=at))
    return str(row.name)


def touch_token(connection: Connection, public_id: str, address: str | None, at: datetime) -> None:
    """Note when and from where a token was last used."""
    connection.execute(
        update(Token)
        .where(Token.public_id == public_id, or_(Token.last_used.is_(None), Token.last_used < at))
        .values(last_used=at, last_address=address)
    )


def add_session(
    connection: Connection,
    id_sha256: str,
    user_id: int,
    *,
    expires: datetime,
    at: datetime,
    address: str | None,
    agent: str,
) -> None:
    """Keep a new session, and forget those that have ended."""
    connection.execute(delete(Session).where(Session.expires <= at))
    connection.execute(
        insert(Session).values(
            id_sha256=id_sha256, user_id=user_id, created=at, last_seen=at, expires=expires, address=address,
            user_agent=agent[:300],
        )
    )  # fmt: skip


def end_sessions(connection: Connection, *, id_sha256: str | None = None, username: str | None = None) -> None:
    """End one session by its hashed cookie, or all of a user."""
    if id_sha256 is not None:
        connection.execute(delete(Session).where(Session.id_sha256 == id_sha256))
    if username is not None:
        user_id = user_id_of(connection, username)
        connection.execute(delete(Session).where(Session.user_id == user_id))
