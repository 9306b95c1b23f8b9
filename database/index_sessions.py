"""Browsers that came with a secret of a declared index: queries and writes. Cookies come as hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from database.engine import Database
from database.index_models import IndexSession
from database.models import PackageIndex


@dataclass(frozen=True, slots=True)
class IndexSessionRow:
    """Such a browser. ``uploads`` where it came with the secret to upload with, ``stamp`` tells which one that was."""

    index: str
    uploads: bool
    stamp: str
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class NewIndexSession:
    """What a session is to be."""

    id_sha256: str
    uploads: bool
    stamp: str
    expires: datetime
    address: str | None
    user_agent: str


class IndexSessions:
    """The reader. The functions below it change what it reads, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def session(self, id_sha256: str, now: datetime) -> IndexSessionRow | None:
        """The session of that hashed cookie, if it has not ended."""
        with self.database.reading() as connection:
            row = connection.execute(
                select(PackageIndex.name, IndexSession.uploads, IndexSession.stamp, IndexSession.last_seen)
                .join(PackageIndex, PackageIndex.id == IndexSession.index_id)
                .where(IndexSession.id_sha256 == id_sha256, IndexSession.expires > now)
            ).first()
        return IndexSessionRow(*row) if row else None


def add_index_session(connection: Connection, index_id: int, new: NewIndexSession, at: datetime) -> None:
    """Keep a new session, and forget those that have ended."""
    connection.execute(delete(IndexSession).where(IndexSession.expires <= at))
    connection.execute(
        insert(IndexSession).values(
            id_sha256=new.id_sha256, index_id=index_id, uploads=new.uploads, stamp=new.stamp, created=at, last_seen=at,
            expires=new.expires, address=new.address, user_agent=new.user_agent[:300],
        )
    )  # fmt: skip


def end_index_session(connection: Connection, id_sha256: str) -> str | None:
    """End one session; whose index it was for, None if there was none."""
    index = connection.execute(
        select(PackageIndex.name)
        .join(IndexSession, IndexSession.index_id == PackageIndex.id)
        .where(IndexSession.id_sha256 == id_sha256)
    ).scalar()
    connection.execute(delete(IndexSession).where(IndexSession.id_sha256 == id_sha256))
    return index


def touch_index_session(connection: Connection, id_sha256: str, at: datetime) -> None:
    """Note when a session was last used."""
    connection.execute(
        update(IndexSession)
        .where(IndexSession.id_sha256 == id_sha256, IndexSession.last_seen < at)
        .values(last_seen=at)
    )
