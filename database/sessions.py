"""Signed-in browsers: queries and writes. Secrets come as hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from database.accounts import ACCOUNT_COLUMNS, Account, account_columns, user_id_of
from database.engine import Database
from database.identity_models import Session, User


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser and its person. ``method`` says how they proved who they are, ``proved`` when last."""

    account: Account
    public_id: str
    created: datetime
    last_seen: datetime
    expires: datetime
    address: str | None
    user_agent: str
    method: str
    proved: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a session is to be."""

    id_sha256: str
    public_id: str
    expires: datetime
    address: str | None
    user_agent: str
    method: str


class Sessions:
    """The reader of sessions. The functions below it change them, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def session(self, id_sha256: str, now: datetime) -> SessionRow | None:
        """The session of that hashed cookie while it and its account stand."""
        with self.database.reading() as connection:
            row = connection.execute(
                account_columns(*_COLUMNS)
                .join(Session, Session.user_id == User.id)
                .where(Session.id_sha256 == id_sha256, Session.expires > now, User.active)
            ).first()
        return _session(row) if row else None

    def of_user(self, username: str, now: datetime) -> list[SessionRow]:
        """The sessions of a user that stand, the last used first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                account_columns(*_COLUMNS)
                .join(Session, Session.user_id == User.id)
                .where(User.username_key == username.lower(), Session.expires > now)
                .order_by(Session.last_seen.desc())
            )
            return [_session(row) for row in rows]


_COLUMNS: tuple[Any, ...] = (
    Session.public_id, Session.created, Session.last_seen, Session.expires, Session.address, Session.user_agent,
    Session.method, Session.proved,
)  # fmt: skip


def _session(row: Any) -> SessionRow:
    return SessionRow(Account(*row[:ACCOUNT_COLUMNS]), *row[ACCOUNT_COLUMNS:])


def add_session(connection: Connection, user_id: int, new: NewSession, at: datetime) -> None:
    """Keep a new session, and forget those that have ended."""
    connection.execute(delete(Session).where(Session.expires <= at))
    connection.execute(
        insert(Session).values(
            id_sha256=new.id_sha256, public_id=new.public_id, user_id=user_id, created=at, last_seen=at,
            expires=new.expires, address=new.address, user_agent=new.user_agent[:300], method=new.method, proved=at,
        )
    )  # fmt: skip


def end_session(connection: Connection, *, id_sha256: str = "", username: str = "", public_id: str = "") -> int:
    """End one session by its hashed cookie, or of a user by its public id; how many ended."""
    where = Session.id_sha256 == id_sha256
    if public_id:
        where = (Session.public_id == public_id) & (Session.user_id == user_id_of(connection, username))
    return connection.execute(delete(Session).where(where)).rowcount


def end_sessions(connection: Connection, username: str, *, but: str = "") -> int:
    """End all sessions of a user, but the one of a hashed cookie; how many ended. Raises UnknownUser."""
    user_id = user_id_of(connection, username)
    return connection.execute(delete(Session).where(Session.user_id == user_id, Session.id_sha256 != but)).rowcount


def touch_session(connection: Connection, id_sha256: str, at: datetime) -> None:
    """Note when a session was last used."""
    connection.execute(
        update(Session).where(Session.id_sha256 == id_sha256, Session.last_seen < at).values(last_seen=at)
    )
