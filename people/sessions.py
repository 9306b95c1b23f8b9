"""Every change to signed-in browsers."""

from __future__ import annotations

import hashlib
import secrets
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from database import sessions as rows
from database.accounts import Account, change_user
from database.engine import Database
from database.journal import Actor, Entry
from database.sessions import NewSession, SessionRow, Sessions
from errors import UnknownSession

_TOUCHES: Final = 20  # in its idle time a session is noted as seen so often, at most once a second


class SessionManager:
    """Begins and ends sessions. One ends ``days`` after it began at the latest, and after so many idle minutes."""

    def __init__(self, database: Database, *, days: int = 7, idle_minutes: int = 720, admin_idle_minutes: int = 60):
        self.database = database
        self.sessions = Sessions(database)
        self.days = days
        self._idle = {False: timedelta(minutes=idle_minutes), True: timedelta(minutes=admin_idle_minutes)}
        self._seen: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def sign_in(self, account: Account, method: str, *, by: Actor, agent: str) -> str:
        """A new session of a person, who proved it by ``method``; the secret for their cookie."""
        secret = secrets.token_urlsafe(32)
        with self.database.writing() as change:
            new = NewSession(
                _hashed(secret), secrets.token_hex(8), change.at + timedelta(days=self.days), by.address, agent, method
            )
            rows.add_session(change.connection, account.id, new, change.at)
            change_user(change.connection, account.username, last_login=change.at)
            detail = {"user": account.username, "method": method, "session": new.public_id}
            change.record(by, Entry("session.start", detail=detail))
        return secret

    def session(self, secret: str) -> SessionRow | None:
        """The session of a cookie while it stands and was not left alone for too long."""
        now = datetime.now(UTC)
        hashed = _hashed(secret)
        found = self.sessions.session(hashed, now)
        if found is None:
            return None
        last_seen = max(found.last_seen, self._seen.get(hashed, found.last_seen))
        idle = self._idle[found.account.is_admin]
        if now - last_seen > idle:
            return None
        if now - last_seen > min(max(idle / _TOUCHES, timedelta(seconds=1)), timedelta(minutes=1)):
            with self._lock:
                self._seen[hashed] = now
        return found

    def flush_uses(self) -> None:
        """Write down when sessions were last used."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            with self.database.writing() as change:
                for hashed, at in seen.items():
                    rows.touch_session(change.connection, hashed, at)
        except BaseException:
            with self._lock:
                self._seen = seen | self._seen
            raise

    def sign_out(self, secret: str, *, by: Actor) -> None:
        """End a session on the server: a copy of its cookie is worth nothing afterwards."""
        with self.database.writing() as change:
            if rows.end_session(change.connection, id_sha256=_hashed(secret)):
                change.record(by, Entry("session.end", detail={"user": by.name}))

    def end(self, username: str, public_id: str, *, by: Actor) -> None:
        """End one session of a user. Raises UnknownSession, also for another's."""
        with self.database.writing() as change:
            if not rows.end_session(change.connection, username=username, public_id=public_id):
                raise UnknownSession
            change.record(by, Entry("session.end", detail={"user": username, "session": public_id}))

    def end_all(self, username: str, *, but: str | None = None, by: Actor) -> int:
        """End every session of a user, but the one whose cookie is ``but``; how many. Raises UnknownUser."""
        with self.database.writing() as change:
            ended = rows.end_sessions(change.connection, username, but=_hashed(but) if but else "")
            change.record(by, Entry("session.end-all", detail={"user": username, "sessions": ended}))
        return ended


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
