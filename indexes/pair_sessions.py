"""Browsers that came with a secret of a declared index: each is known by a cookie, and the rest is kept here."""

from __future__ import annotations

import hashlib
import secrets
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from database import index_sessions as rows
from database.engine import Database
from database.index_sessions import IndexSessions, NewIndexSession
from database.indexes import index_named
from database.journal import Actor, Entry
from indexes.pairs import Pair

_TOUCHES: Final = 20  # in its idle time a session is noted as seen so often, at most once a minute


class PairSessions:
    """Begins and ends them. One ends ``days`` after it began at the latest, and after so many idle minutes."""

    def __init__(self, database: Database, *, days: int, idle_minutes: int) -> None:
        self.database = database
        self._rows = IndexSessions(database)
        self._days = days
        self._idle = timedelta(minutes=idle_minutes)
        self._seen: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def sign_in(self, pair: Pair, *, by: Actor, agent: str) -> str:
        """A new session; the secret for its cookie. Raises UnknownIndex."""
        secret = secrets.token_urlsafe(32)
        with self.database.writing() as change:
            index_id = index_named(change.connection, pair.index).id
            new = NewIndexSession(
                _hashed(secret), pair.uploads, pair.stamp, change.at + timedelta(days=self._days), by.address, agent
            )
            rows.add_index_session(change.connection, index_id, new, change.at)
            change.record(by, Entry("session.start", detail={"index": pair.index, "method": "secret of an index"}))
        return secret

    def pair(self, secret: str) -> Pair | None:
        """The pair with which the browser of a cookie came, while the session stands and was not left alone too long.

        Whether its secret is still the index's is not known here.
        """
        now = datetime.now(UTC)
        hashed = _hashed(secret)
        found = self._rows.session(hashed, now)
        if found is None:
            return None
        unseen = now - max(found.last_seen, self._seen.get(hashed, found.last_seen))
        if unseen > self._idle:
            return None
        if unseen > min(self._idle / _TOUCHES, timedelta(minutes=1)):
            with self._lock:
                self._seen[hashed] = now
        return Pair(found.index, found.uploads, found.stamp)

    def sign_out(self, secret: str, *, by: Actor) -> None:
        """End a session on the server: a copy of its cookie is worth nothing afterwards."""
        with self.database.writing() as change:
            index = rows.end_index_session(change.connection, _hashed(secret))
            if index is not None:
                change.record(by, Entry("session.end", detail={"index": index}))

    def flush_uses(self) -> None:
        """Write down when sessions were last used."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            with self.database.writing() as change:
                for hashed, at in seen.items():
                    rows.touch_index_session(change.connection, hashed, at)
        except BaseException:
            with self._lock:
                self._seen = seen | self._seen
            raise


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
