"""How an account becomes an ``Identity``: what its person is where, and whether their way to sign in is enough."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from packaging.utils import NormalizedName

from credentials.people import Person
from database.accounts import TABLE, Account, Accounts
from database.rights import Ground, Rights
from database.sessions import SessionRow
from database.tokens import TokenRow
from permissions import MAIN, SCOPES, Identity, Permission, Role, Scope, Where, allows

PASSKEY = "passkey"
OPENID = "openid"


class Directory(Protocol):
    """People who are kept elsewhere: an htpasswd file, an LDAP directory. ``source`` is its word in the user table.

    One that is ``local`` answers without asking another machine, in about the same time for every name.
    """

    source: str
    local: bool

    def stamp(self) -> Hashable:
        """A value that changes when verdicts about its people must end."""
        ...

    def has(self, username: str) -> bool:
        """Whether it still has somebody who was known to be of it."""
        ...

    def check(self, username: str, password: str) -> Person | None:
        """Who this is; None for a wrong password or an unknown name. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of signing in. Lives are in seconds; ``public`` is what anybody may.

    ``directory_roles`` has what the people of a directory are on ``main``; ``must_have_factor`` the least role that has
    to have a second factor: None for nobody, "administrators" before any role.
    """

    enabled: bool
    read_expires: float = 3600
    write_expires: float = 300
    default_password: bool = True
    public: frozenset[Permission] = frozenset()
    public_role: Role = Role.NONE
    default_role: Role = Role.UPLOADER
    directory_roles: tuple[tuple[str, Role], ...] = ()
    require_factor: str = "nobody"
    most_failures: int = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is on an index as a whole; ``setting`` is the one of [auth] that says so where no role does."""

    role: Role
    setting: str = ""


class Identities:
    """Makes identities, with the roles that stand now."""

    def __init__(self, rights: Rights, rules: Rules, directories: Mapping[str, Directory]) -> None:
        self._rights = rights
        self.rules = rules
        self._directories = directories

    def stands(self, account: Account) -> bool:
        """Whether an account is active and, if it comes from a directory, still in there."""
        if not account.active or account.source == TABLE:
            return account.active
        directory = self._directories.get(account.source)
        return directory is not None and directory.has(account.username)

    def by_password(self, account: Account) -> Identity:
        """Somebody who proved to be the owner of an account by its password alone."""
        return self._identity(account, limited=account.has_factor or self.must_have_factor(account))

    def by_session(self, found: SessionRow) -> Identity:
        """A signed-in browser; without a factor that its person must have it may only set one up."""
        account = found.account
        strong = found.method in {PASSKEY, OPENID}  # a provider asks for a factor of its own
        missing = not account.has_factor and not strong and self.must_have_factor(account)
        return self._identity(account, by_session=True, limited=missing)

    def by_token(self, account: Account, row: TokenRow) -> Identity:
        """Somebody's API token."""
        return self._identity(account, token=row.id, scope=scope_of(row), expires=row.expires)

    def may_upload(self, account: Account, index: str, project: str) -> bool:
        """Whether somebody may upload to a project, or start it, however they would sign in."""
        name = NormalizedName(project)
        place = place_of(index, name, self._rights.ground(index, name))
        return self.stands(account) and allows(self._identity(account), Permission.UPLOAD, place)

    def lets_publish(self, added_by: str | None, accounts: Accounts, index: str, project: str) -> bool:
        """Whether a trusted publisher may upload: as far as who added it may. One of the shell, None, starts no
        project, since that would be nobody's.
        """
        if added_by is None:
            return self._rights.ground(index, NormalizedName(project)).exists
        account = accounts.user(added_by)
        return account is not None and self.may_upload(account, index, project)

    def standing(self, account: Account, index: str = MAIN) -> Standing:
        """What somebody is on an index by their roles and those of their teams, else by the settings."""
        held = self._rights.held(account.id).roles
        roles = [Role(word) for there, project, word in held if there == index and not project]
        if roles:
            return Standing(max(roles, key=lambda role: role.rank))
        if index != MAIN:
            return Standing(Role.NONE)
        is_special = account.source in dict(self.rules.directory_roles)
        return Standing(self._default_role(account), f"{account.source}_role" if is_special else "default_role")

    def must_have_factor(self, account: Account) -> bool:
        """Whether the settings demand a second factor of this account."""
        demanded = self.rules.require_factor
        if demanded in {"nobody", "everybody"} or account.is_admin:
            return demanded != "nobody"
        if demanded == "administrators":
            return False
        held = self._rights.held(account.id)
        if any(project for _, project, _ in held.roles) or (held.teams and held.teams & self._rights.naming_teams()):
            return True
        return self.standing(account).role.rank >= Role.UPLOADER.rank

    def _default_role(self, account: Account) -> Role:
        return dict(self.rules.directory_roles).get(account.source, self.rules.default_role)

    def _identity(
        self,
        account: Account,
        *,
        token: str | None = None,
        scope: Scope | None = None,
        expires: datetime | None = None,
        by_session: bool = False,
        limited: bool = False,
    ) -> Identity:
        held = self._rights.held(account.id)
        roles: dict[tuple[str, str], Role] = {}
        for index, project, word in held.roles:
            roles[index, project] = max(Role(word), roles.get((index, project), Role.NONE), key=lambda role: role.rank)
        return Identity(
            account.username,
            account.id,
            is_admin=account.is_admin,
            public=self.rules.public,
            roles=roles,
            otherwise=self._default_role(account),
            teams=held.teams,
            token=token,
            scope=scope,
            limited=limited,
            by_session=by_session,
            has_default_password=account.default_password,
            expires=expires,
        )


def place_of(index: str, project: NormalizedName, ground: Ground, *, closed: bool = False) -> Where:
    """A project and the facts about its name."""
    return Where(index, project, ground.exists, ground.owners, ground.team, ground.team_name, ground.pattern, closed)


def scope_of(row: TokenRow) -> Scope:
    """What a token is limited to."""
    words = [SCOPES[word] for word in row.scopes.split() if word in SCOPES]
    return Scope(frozenset().union(*words), row.index, row.projects)
