"""Every change to users, tokens and sessions, with its journal row. Neither Flask nor SQL."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from datetime import UTC, datetime, timedelta

from credentials.passwords import Passwords
from credentials.tokens import TokenText, make_token
from database import accounts as rows
from database.accounts import Account, Accounts, SessionRow, TokenRow
from database.engine import Database
from database.journal import Actor, Change, Entry
from errors import Conflict, InvalidRequest, UnknownUser, shown

DEFAULT_ADMIN = "admin"
_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,98}[A-Za-z0-9])?")
_MOST_TOKEN_DAYS = 36_500
_TOKEN_NAME_CHARACTERS = 200


class AccountManager:
    """Makes and changes accounts. ``token_max_days`` 0 means that a token may stand for ever."""

    def __init__(
        self, database: Database, passwords: Passwords, *, token_max_days: int = 0, session_days: int = 7
    ) -> None:
        self.database = database
        self.accounts = Accounts(database)
        self.passwords = passwords
        self.token_max_days = token_max_days
        self.session_days = session_days
        self._uses_lock = threading.Lock()
        self._uses: dict[str, tuple[str | None, datetime]] = {}

    # -- users

    def ensure_admin(self, password: str | None) -> str:
        """Make the administrator ``admin`` where no administrator exists; "made", "promoted" or "" for nothing done.

        Without a password it gets the shipped one, ``admin``, which is taken from this machine only.
        """
        if self.accounts.has_admin():
            return ""
        by = Actor("start")
        if self.accounts.user(DEFAULT_ADMIN) is None:
            self._add(DEFAULT_ADMIN, password or DEFAULT_ADMIN, "", is_admin=True, default=password is None, by=by)
            return "made"
        self.set_admin(DEFAULT_ADMIN, is_admin=True, by=by)
        self.set_active(DEFAULT_ADMIN, active=True, by=by)
        return "promoted"

    def create_user(self, username: str, password: str, *, email: str = "", is_admin: bool = False, by: Actor) -> None:
        """Make an account. Raises InvalidRequest for a name or password that cannot be, NameTaken."""
        self._add(username, password, email, is_admin=is_admin, default=False, by=by)

    def _add(self, username: str, password: str, email: str, *, is_admin: bool, default: bool, by: Actor) -> None:
        if not _USERNAME.fullmatch(username) or username.startswith("__"):
            raise InvalidRequest(
                f"{shown(username)} cannot be a username; use up to 100 letters, digits and . _ @ - between them."
            )
        if len(email) > 300 or (email and ("@" not in email or not email.isprintable())):
            raise InvalidRequest(f"{shown(email)} is not an e-mail address; write one, or leave it out.")
        password_hash = self.passwords.hash(password)
        with self.database.writing() as change:
            rows.add_user(
                change.connection,
                username,
                password_hash,
                email=email,
                is_admin=is_admin,
                default=default,
                at=change.at,
            )
            change.moves_access()
            change.record(by, Entry("user.create", detail={"user": username, "admin": is_admin}))

    def set_password(self, username: str, password: str, *, by: Actor) -> None:
        """Change a password and end the person's sessions. Raises UnknownUser, InvalidRequest."""
        password_hash = self.passwords.hash(password)
        with self.database.writing() as change:
            rows.change_user(change.connection, username, password_hash=password_hash, default_password=False)
            rows.end_sessions(change.connection, username=username)
            change.moves_access()
            change.record(by, Entry("user.password", detail={"user": username}))

    def set_active(self, username: str, *, active: bool, by: Actor) -> None:
        """Deactivate an account, with its tokens and sessions, or bring it back.

        Raises UnknownUser, and Conflict for the last administrator.
        """
        account = self._account(username)
        if account.active == active:
            return
        with self.database.writing() as change:
            rows.change_user(change.connection, username, active=active)
            if not active:
                rows.end_sessions(change.connection, username=username)
            self._must_keep_an_admin(change, account)
            change.moves_access()
            action = "user.activate" if active else "user.deactivate"
            change.record(by, Entry(action, detail={"user": account.username}))

    def set_admin(self, username: str, *, is_admin: bool, by: Actor) -> None:
        """Make somebody an administrator, or no longer. Raises UnknownUser, and Conflict for the last one."""
        account = self._account(username)
        with self.database.writing() as change:
            rows.change_user(change.connection, username, is_admin=is_admin)
            self._must_keep_an_admin(change, account)
            change.moves_access()
            change.record(by, Entry("user.admin", detail={"user": account.username, "admin": is_admin}))

    def _account(self, username: str) -> Account:
        account = self.accounts.user(username)
        if account is None:
            raise UnknownUser(username)
        return account

    def _must_keep_an_admin(self, change: Change, before: Account) -> None:
        if before.is_admin and before.active and rows.count_active_admins(change.connection) == 0:
            raise Conflict("This is the last active administrator; make another one first.")

    # -- tokens

    def create_token(
        self, username: str, name: str, expires_days: int | None, *, by: Actor
    ) -> tuple[TokenText, TokenRow]:
        """A new token of a user. Raises UnknownUser, InvalidRequest."""
        account = self._account(username)
        name = name.strip()
        if not name or len(name) > _TOKEN_NAME_CHARACTERS or not name.isprintable():
            raise InvalidRequest(f"A token needs a name of 1 to {_TOKEN_NAME_CHARACTERS} printable characters.")
        longest = self.token_max_days or _MOST_TOKEN_DAYS
        if expires_days is None and self.token_max_days:
            expires_days = self.token_max_days
        if expires_days is not None and not 1 <= expires_days <= longest:
            raise InvalidRequest(f"A token may stand for 1 to {longest} days; choose expires_days accordingly.")
        token = make_token()
        with self.database.writing() as change:
            expires = change.at + timedelta(days=expires_days) if expires_days is not None else None
            rows.add_token(change.connection, account.username, token.id, token.secret_sha256, name, expires, change.at)
            detail = {"user": account.username, "token": token.id, "name": name}
            change.record(by, Entry("token.create", detail=detail))
            made = TokenRow(token.id, name, account.username, change.at, expires, None, None, None)
        return token, made

    def revoke_token(self, username: str, public_id: str, *, by: Actor) -> None:
        """End a token of a user. Raises UnknownToken."""
        with self.database.writing() as change:
            name = rows.revoke_token(change.connection, username, public_id, change.at)
            change.moves_access()
            change.record(by, Entry("token.revoke", detail={"user": username, "token": public_id, "name": name}))

    def note_use(self, public_id: str, address: str | None) -> None:
        """Keep in mind that a token was used; ``flush_uses`` writes it down, beside the requests."""
        with self._uses_lock:
            self._uses[public_id] = (address, datetime.now(UTC))

    def flush_uses(self) -> None:
        """Write down when and from where tokens were last used."""
        with self._uses_lock:
            uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            with self.database.writing() as change:
                for public_id, (address, at) in uses.items():
                    rows.touch_token(change.connection, public_id, address, at)
        except BaseException:
            with self._uses_lock:
                self._uses = uses | self._uses
            raise

    # -- sessions

    def sign_in(self, username: str, *, by: Actor, agent: str) -> str:
        """A new session of a person; the secret for their cookie."""
        secret = secrets.token_urlsafe(32)
        with self.database.writing() as change:
            user_id = rows.user_id_of(change.connection, username)
            rows.add_session(
                change.connection, _hashed(secret), user_id, expires=change.at + timedelta(days=self.session_days),
                at=change.at, address=by.address, agent=agent,
            )  # fmt: skip
            rows.change_user(change.connection, username, last_login=change.at)
            change.record(by, Entry("session.start", detail={"user": username}))
        return secret

    def session(self, secret: str) -> SessionRow | None:
        """The session of a cookie while it stands."""
        return self.accounts.session(_hashed(secret), datetime.now(UTC))

    def sign_out(self, secret: str, *, by: Actor) -> None:
        """End a session on the server: a copy of its cookie is worth nothing afterwards."""
        with self.database.writing() as change:
            rows.end_sessions(change.connection, id_sha256=_hashed(secret))
            change.record(by, Entry("session.end", detail={"user": by.name}))


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
