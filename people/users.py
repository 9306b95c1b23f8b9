"""Every change to accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from credentials.htpasswd import HtpasswdFile
from credentials.passwords import Passwords, must_be_possible
from credentials.people import Person
from database import accounts as rows
from database import rights as right_rows
from database import sessions as session_rows
from database.accounts import TABLE, Account, Accounts
from database.engine import Database
from database.journal import Actor, Change, Entry
from errors import Conflict, InvalidRequest, UnknownUser, shown
from people.directories import HTPASSWD

DEFAULT_ADMIN = "admin"
ADMINISTRATORS = "administrators"  # the word for them where groups of a directory are named
_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,98}[A-Za-z0-9])?")


class UserManager:
    """Makes and changes accounts.

    ``groups`` has, by source ("ldap", "openid"), which group of the directory is which team here; ``htpasswd`` is the
    file of passwords that is in force, if any. ``shortest_password`` is in characters, 0 for no limit.
    """

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        *,
        htpasswd: HtpasswdFile | None = None,
        groups: Mapping[str, Mapping[str, str]] | None = None,
        shortest_password: int = 0,
    ) -> None:
        self.database = database
        self.accounts = Accounts(database)
        self.passwords = passwords
        self.htpasswd = htpasswd
        self.groups = groups or {}
        self.shortest_password = shortest_password

    def ensure_admin(self, password: str | None) -> str:
        """Make the administrator ``admin`` where no administrator exists; "made", "promoted" or "" for nothing done.

        Without a password it gets the shipped one, ``admin``, which is taken from this machine only.
        """
        if self.accounts.has_admin():
            return ""
        by = Actor("start")
        found = self.accounts.user(DEFAULT_ADMIN)
        if found is None:
            self._add(DEFAULT_ADMIN, password or DEFAULT_ADMIN, "", is_admin=True, default=password is None, by=by)
            return "made"
        if found.source != TABLE:  # the name is a directory's: the table takes it, or nobody of ours could get in
            self.set_password(DEFAULT_ADMIN, password or DEFAULT_ADMIN, default=password is None, by=by)
        self.set_admin(DEFAULT_ADMIN, is_admin=True, by=by)
        self.set_active(DEFAULT_ADMIN, active=True, by=by)
        return "promoted"

    def create_user(self, username: str, password: str, *, email: str = "", is_admin: bool = False, by: Actor) -> None:
        """Make an account. Raises InvalidRequest for a name or password that cannot be, NameTaken."""
        self.must_be_password(password)
        self._add(username, password, email, is_admin=is_admin, default=False, by=by)

    def import_user(self, username: str, password_hash: str, *, by: Actor) -> None:
        """Make an account with a hash that is kept elsewhere, in the form of ``credentials.legacy_hashes``.

        Raises InvalidRequest, NameTaken; Conflict for somebody of another directory. Somebody of the htpasswd file
        becomes one of the table.
        """
        must_be_username(username)
        found = self.accounts.user(username)
        if found is not None and found.source not in {TABLE, HTPASSWD}:
            raise Conflict(
                f"{found.username} comes from {found.source}, so no password is kept here for them; left as it is."
            )
        with self.database.writing() as change:
            if found is not None and found.source == HTPASSWD:
                rows.change_user(change.connection, username, password_hash=password_hash, source=TABLE)
                rows.unlink_identities(change.connection, found.id)
                session_rows.end_sessions(change.connection, username)
            else:
                rows.add_user(change.connection, username, password_hash, at=change.at)
            change.moves_access()
            change.record(by, Entry("user.import", detail={"user": username}))

    def _add(self, username: str, password: str, email: str, *, is_admin: bool, default: bool, by: Actor) -> None:
        must_be_username(username)
        must_be_email(email)
        password_hash = self.passwords.hash(password)
        with self.database.writing() as change:
            rows.add_user(
                change.connection, username, password_hash, email=email, is_admin=is_admin, default=default,
                at=change.at,
            )  # fmt: skip
            change.moves_access()
            change.record(by, Entry("user.create", detail={"user": username, "admin": is_admin}))

    def must_be_password(self, password: str) -> None:
        """Raises InvalidRequest for what cannot be a new password: empty, too long, or shorter than is allowed here."""
        must_be_possible(password)
        if len(password) < self.shortest_password:
            raise InvalidRequest(
                f"A password needs at least {self.shortest_password} characters here; choose a longer one."
            )

    def set_password(self, username: str, password: str, *, default: bool = False, by: Actor) -> None:
        """Change a password and end the person's sessions; somebody of a directory becomes one of the table, without
        what the directory gave them. ``default`` marks the shipped password, which may be short.

        Raises UnknownUser, InvalidRequest; Conflict where the last administrator is one by a directory's word.
        """
        if not default:
            self.must_be_password(password)
        account = self.account(username)
        password_hash = self.passwords.hash(password)
        with self.database.writing() as change:
            if account.source != TABLE:
                self._leave_directory(change, account)
            rows.change_user(
                change.connection, username, password_hash=password_hash, default_password=default, source=TABLE
            )
            session_rows.end_sessions(change.connection, username)
            change.moves_access()
            change.record(by, Entry("user.password", detail={"user": username}))

    def set_email(self, username: str, email: str, *, by: Actor) -> None:
        """Change an e-mail address; empty for none. Raises UnknownUser, InvalidRequest."""
        must_be_email(email)
        with self.database.writing() as change:
            rows.change_user(change.connection, username, email=email)
            change.record(by, Entry("user.email", detail={"user": username}))

    def set_active(self, username: str, *, active: bool, by: Actor) -> None:
        """Deactivate an account, with its tokens and sessions, or bring it back.

        Raises UnknownUser, and Conflict for the last administrator.
        """
        account = self.account(username)
        if account.active == active:
            return
        with self.database.writing() as change:
            rows.change_user(change.connection, username, active=active)
            if not active:
                session_rows.end_sessions(change.connection, username)
            self._must_keep_an_admin(change, account)
            change.moves_access()
            action = "user.activate" if active else "user.deactivate"
            change.record(by, Entry(action, detail={"user": account.username}))

    def set_admin(self, username: str, *, is_admin: bool, by: Actor) -> None:
        """Make somebody an administrator, or no longer. Raises UnknownUser, and Conflict for the last one."""
        account = self.account(username)
        with self.database.writing() as change:
            rows.change_user(change.connection, username, is_admin=is_admin, admin_source="")
            self._must_keep_an_admin(change, account)
            change.moves_access()
            change.record(by, Entry("user.admin", detail={"user": account.username, "admin": is_admin}))

    def account(self, username: str) -> Account:
        """The account of that name. Raises UnknownUser."""
        account = self.accounts.user(username)
        if account is None:
            raise UnknownUser(username)
        return account

    def _must_keep_an_admin(self, change: Change, before: Account) -> None:
        if before.is_admin and before.active and rows.count_active_admins(change.connection) == 0:
            raise Conflict("This is the last active administrator; make another one first.")

    # -- people of elsewhere

    def register(self, username: str, password: str, *, by: Actor) -> tuple[str, bool]:
        """Make a user or change their password, in the htpasswd file if one is in force, else in the table; the name
        as it is kept, and True for a new one. A name of the table stays the table's.

        Raises InvalidRequest; Conflict for the name of an administrator or of another directory; Forbidden,
        StorageFull, StorageFailed where the file cannot be written; Unavailable where too many others wait.
        """
        must_be_username(username)
        found = self.accounts.user(username)
        if found is not None and found.is_admin:
            raise Conflict("This is an administrator, whose password is not changed here; sign in to change it.")
        if found is not None and found.source not in {TABLE, HTPASSWD}:
            raise Conflict(f"{found.username} comes from {found.source}, and their password is changed there.")
        if self.htpasswd is None or (found is not None and found.source == TABLE):
            if found is None:
                self.create_user(username, password, by=by)
            else:
                self.set_password(username, password, by=by)
            return (found.username if found else username), found is None
        self.must_be_password(password)
        username = self.htpasswd.spelled(username) or (found.username if found else username)
        is_new = self.htpasswd.set_password(username, password)
        with self.database.writing() as change:
            if found is not None:
                session_rows.end_sessions(change.connection, username)
            change.moves_access()
            detail = {"user": username, "in": "htpasswd"}
            change.record(by, Entry("user.create" if is_new else "user.password", detail=detail))
        return username, is_new

    def admit(self, person: Person, source: str, *, by: Actor) -> Account:
        """The account of somebody whom a directory vouches for: found by issuer and subject, made where there is none;
        their teams follow their groups.

        Raises Conflict where the name belongs to somebody else.
        """
        found = self.accounts.linked(person.issuer, person.subject)
        if found is None:
            self._enter(person, source, by)
        elif found.source == source and found.username != person.username:
            raise Conflict(f"You are known here as {found.username}; your new name needs an administrator's help.")
        mapped = self.groups.get(source)
        if mapped:
            self._follow_groups(person, source, mapped, by)
        account = self.accounts.linked(person.issuer, person.subject)
        if account is None:
            raise UnknownUser(person.username)
        return account

    def _enter(self, person: Person, source: str, by: Actor) -> None:
        must_be_username(person.username)
        known = self.accounts.user(person.username)
        # A name is given to somebody else sooner or later; the account stays that of issuer and subject.
        if known is not None and (known.source != source or self.accounts.is_linked(known.id)):
            raise Conflict(
                f"The name {known.username} belongs to another account here; ask an administrator to link or rename it."
            )
        with self.database.writing() as change:
            if known is None:
                user_id = rows.add_user(
                    change.connection, person.username, "", email=person.email, source=source, at=change.at
                )
                change.record(by, Entry("user.create", detail={"user": person.username, "source": source}))
            else:
                user_id = known.id
            rows.link_identity(change.connection, user_id, person.issuer, person.subject, change.at)
            change.record(by, Entry("user.link", detail={"user": person.username, "issuer": person.issuer}))
            change.moves_access()

    def unlink(self, username: str, *, by: Actor) -> bool:
        """Forget whom a directory or provider knows as a user, so that who signs in next under that name is they;
        False if nothing was known. Raises UnknownUser.
        """
        account = self.account(username)
        with self.database.writing() as change:
            forgotten = rows.unlink_identities(change.connection, account.id)
            change.moves_access()
            change.record(by, Entry("user.unlink", detail={"user": account.username}))
        return forgotten

    def _follow_groups(self, person: Person, source: str, mapped: Mapping[str, str], by: Actor) -> None:
        """What was given by hand stays, teams and being an administrator; what the directory gave is what it gives
        now. The last administrator stays one, since nobody else could mend the groups.
        """
        account = self.accounts.linked(person.issuer, person.subject)
        if account is None:
            return
        wanted = {mapped[group] for group in person.groups if group in mapped}
        is_admin = ADMINISTRATORS in wanted
        with self.database.reading() as connection:
            before = right_rows.teams_by_source(connection, account.id, source)
            after = right_rows.team_ids(connection, wanted - {ADMINISTRATORS})
            by_directory = rows.admin_source(connection, account.id) == source
        gives_admin = is_admin != account.is_admin and (is_admin or by_directory)
        if before == after and not gives_admin:
            return
        with self.database.writing() as change:
            for team_id in after - before:
                right_rows.set_member(change.connection, team_id, account.id, source, change.at)
            for team_id in before - after:
                right_rows.remove_member(change.connection, team_id, account.id)
            is_last = account.active and rows.count_active_admins(change.connection) == 1
            if gives_admin and (is_admin or not is_last):
                admin_source = source if is_admin else ""
                rows.change_user(change.connection, account.username, is_admin=is_admin, admin_source=admin_source)
            change.moves_access()
            detail = {"user": account.username, "source": source, "groups": sorted(wanted)}
            change.record(by, Entry("user.groups", detail=detail))

    def _leave_directory(self, change: Change, account: Account) -> None:
        """End what a directory gave somebody: its teams, being an administrator by its groups, being known to it."""
        for team_id in right_rows.teams_by_source(change.connection, account.id, account.source):
            right_rows.remove_member(change.connection, team_id, account.id)
        rows.unlink_identities(change.connection, account.id)
        if account.is_admin and rows.admin_source(change.connection, account.id) == account.source:
            rows.change_user(change.connection, account.username, is_admin=False, admin_source="")
            self._must_keep_an_admin(change, account)

    def renew(self, account: Account, password: str, *, by: Actor) -> None:
        """Keep a password that was just found good under the hash of today."""
        password_hash = self.passwords.hash(password)
        with self.database.writing() as change:
            rows.change_user(change.connection, account.username, password_hash=password_hash)
            change.record(by, Entry("user.rehash", detail={"user": account.username}))


def must_be_username(username: str) -> None:
    """Raises InvalidRequest for what cannot be a username."""
    if not _USERNAME.fullmatch(username) or username.startswith("__"):
        raise InvalidRequest(
            f"{shown(username)} cannot be a username; use up to 100 letters, digits and . _ @ - between them."
        )


def must_be_email(email: str) -> None:
    """Raises InvalidRequest for what is neither empty nor an e-mail address."""
    if len(email) > 300 or (email and ("@" not in email or not email.isprintable())):
        raise InvalidRequest(f"{shown(email)} is not an e-mail address; write one, or leave it out.")
