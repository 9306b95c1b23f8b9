"""What may be done, by whom, where: permissions and roles as data, and ``allows``, the one place that answers.

Pure: no Flask, no SQL, no clock. ``auth.py`` finds out who is asking; what it finds is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Final

MAIN: Final = "main"


class Permission(Enum):
    """What a request may need."""

    LIST = "list"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    YANK = "yank"
    DELETE = "delete"
    MANAGE = "manage"
    ACCOUNT = "account"
    FACTORS = "factors"
    ADMIN = "admin"


READING: Final = frozenset({Permission.LIST, Permission.DOWNLOAD})
CHANGING: Final = frozenset({Permission.UPLOAD, Permission.YANK, Permission.DELETE})
# The operations of the setting auth_require, as other simple servers know them.
OPERATIONS: Final[Mapping[str, frozenset[Permission]]] = {
    "list": frozenset({Permission.LIST}),
    "download": frozenset({Permission.DOWNLOAD}),
    "update": CHANGING,
}
# What a token may be limited to.
SCOPES: Final[Mapping[str, frozenset[Permission]]] = {
    "read": READING,
    "upload": frozenset({Permission.UPLOAD}),
    "yank": frozenset({Permission.YANK}),
    "admin": frozenset({Permission.DELETE, Permission.MANAGE, Permission.ADMIN}),
}


class Role(Enum):
    """What a person is on an index or a project; the value is the word that people see."""

    NONE = "none"
    READER = "reader"
    UPLOADER = "uploader"
    MAINTAINER = "maintainer"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """Its place among the roles; of several that somebody holds the highest counts."""
        return list(Role).index(self)


# An uploader may also start projects and add to those that nobody owns: see `_at_project`.
ON_INDEX: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.NONE: frozenset(),
    Role.READER: READING,
    Role.UPLOADER: READING,
    Role.MAINTAINER: READING | CHANGING,
    Role.OWNER: READING | CHANGING | {Permission.MANAGE},
}
ON_PROJECT: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.MAINTAINER: frozenset({Permission.UPLOAD, Permission.YANK}),
    Role.OWNER: frozenset({Permission.UPLOAD, Permission.YANK, Permission.DELETE, Permission.MANAGE}),
}
ON_OWNERLESS: Final = frozenset({Permission.UPLOAD, Permission.YANK})
PROJECT_ROLES: Final = tuple(role.value for role in ON_PROJECT)
INDEX_ROLES: Final = tuple(role.value for role in Role)
_ADMINISTRATOR: Final = frozenset(Permission) - {Permission.ACCOUNT, Permission.FACTORS}


@dataclass(frozen=True, slots=True)
class Where:
    """A place: an index, or a project of it with what is known of its name.

    Without a project it asks whether there is any place on the index where they might. ``team`` is that whose pattern
    of names covers the project. A ``closed`` index is read by those who hold a role on it, and by nobody else.
    """

    index: str = MAIN
    project: str | None = None
    exists: bool = True
    owners: tuple[str, ...] = ()
    team: int | None = None
    team_name: str = ""
    pattern: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is limited to: some permissions, one index or any, some projects (names, or ``acme-*``) or any.

    ``below`` are the indexes through which that one is read; they may be read, too, and no more.
    """

    permissions: frozenset[Permission]
    index: str | None = None
    projects: tuple[str, ...] = ()
    below: frozenset[str] = frozenset()

    def covers(self, permission: Permission, where: Where) -> bool:
        """Whether the token is for this. Of one for some projects, a whole index cannot be read."""
        if permission not in self.permissions:
            return False
        if self.index not in {None, where.index} and not (permission in READING and where.index in self.below):
            return False
        if not self.projects:
            return True
        if where.project is None:
            return permission not in READING and permission is not Permission.ADMIN
        return any(
            where.project.startswith(one[:-1]) if one.endswith("*") else where.project == one for one in self.projects
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking. ``token`` is the public id of the token they came with, if any.

    ``public`` is what anybody may; ``roles`` has what they are by index and project ("" for the index itself), and
    ``otherwise`` what they are on ``main`` if nothing there says so. ``limited`` is somebody who came with a password
    alone where a second factor is on or demanded: they may read. ``by_session`` is a person signed in with a browser,
    ``by_pair`` nobody in particular, who came with a secret of an index.
    """

    username: str | None
    user_id: int | None = None
    is_admin: bool = False
    public: frozenset[Permission] = frozenset()
    roles: Mapping[tuple[str, str], Role] = field(default_factory=lambda: MappingProxyType({}))
    otherwise: Role = Role.NONE
    teams: frozenset[int] = frozenset()
    token: str | None = None
    scope: Scope | None = None
    limited: bool = False
    by_session: bool = False
    by_pair: bool = False
    has_default_password: bool = False
    expires: datetime | None = None
    publisher: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether this is a person, their token or a trusted publisher, not anybody."""
        return self.username is not None

    def role_on(self, index: str, *, closed: bool = False) -> Role:
        """What they are on an index as a whole: by a role on it, else on ``main`` as the settings say, and elsewhere a
        reader, if it is not closed and they are somebody.
        """
        held = self.roles.get((index, ""))
        if held is not None or closed:
            return held or Role.NONE
        if index == MAIN:
            return self.otherwise
        return Role.READER if self.is_known else Role.NONE


def allows(identity: Identity, permission: Permission, where: Where = Where()) -> bool:
    """The one place that answers: may they?"""
    if permission in {Permission.ACCOUNT, Permission.FACTORS}:
        return _may_manage_self(identity, permission)
    if permission in identity.public and not where.closed:
        return True
    if not identity.is_known and permission in READING:
        return False  # who need not sign in to upload may yet have to in order to read
    if identity.scope is not None and not identity.scope.covers(permission, where):
        return False
    if identity.limited and permission not in READING:
        return False
    return permission in rights(identity, where)


def may_trust_publishers(identity: Identity, where: Where, *, adding: bool = False) -> bool:
    """Whether they may say which jobs upload to a project: who manages it, and for a name that is still free who may
    start it. A publisher uploads, so a token that adds one has to be for that as well.
    """
    if identity.publisher is not None:
        return False
    if adding and identity.scope is not None and not identity.scope.covers(Permission.UPLOAD, where):
        return False
    if allows(identity, Permission.MANAGE, where):
        return True
    if where.exists or not identity.is_known or identity.limited:
        return False
    if identity.scope is not None and not identity.scope.covers(Permission.MANAGE, where):
        return False
    return Permission.UPLOAD in rights(identity, where)


def _may_manage_self(identity: Identity, permission: Permission) -> bool:
    """A token cannot make tokens; who still has to set a second factor up may do that and no more."""
    if identity.user_id is None or identity.token is not None:
        return False
    return not identity.limited or (identity.by_session and permission is Permission.FACTORS)


def rights(identity: Identity, where: Where) -> frozenset[Permission]:
    """All that they may at a place, whatever their token is limited to."""
    if identity.is_admin:
        return _ADMINISTRATOR
    role = identity.role_on(where.index, closed=where.closed)
    held = ON_INDEX[role]
    if role is Role.MAINTAINER and where.team is not None and not where.exists and where.team not in identity.teams:
        held -= {Permission.UPLOAD}  # who looks after the index starts no project under a team's names either
    return held | (_at_project(identity, where) if where.project is not None else _somewhere(identity, where.index))


def _at_project(identity: Identity, where: Where) -> frozenset[Permission]:
    own = ON_PROJECT.get(identity.roles.get((where.index, where.project or ""), Role.NONE), frozenset())
    if where.team is not None and where.team in identity.teams:
        return own | ON_PROJECT[Role.MAINTAINER]
    role = identity.role_on(where.index)
    if role is Role.UPLOADER and not where.owners and where.team is None:
        return own | ON_OWNERLESS
    return own


def _somewhere(identity: Identity, index: str) -> frozenset[Permission]:
    held: frozenset[Permission] = frozenset()
    if identity.role_on(index) is Role.UPLOADER or identity.teams:
        held = ON_OWNERLESS
    for (there, project), role in identity.roles.items():
        if there == index and project:
            held |= ON_PROJECT.get(role, frozenset())
    return held - {Permission.MANAGE}


def why_not(identity: Identity, permission: Permission, where: Where) -> str:
    """One sentence for somebody known who may not: what is missing, and whom to ask."""
    who = identity.username
    if identity.limited and identity.by_session:
        return f"{who} has to have a second factor here; set one up on the security page of your account first."
    if identity.limited and permission in {Permission.ACCOUNT, Permission.FACTORS}:
        return (
            f"{who} has to use a second factor, so a password alone does not manage tokens or the account, and no "
            "token does; sign in with a browser for that."
        )
    if identity.limited and permission not in READING:
        return (
            f"{who} has to use a second factor, so a password alone does not do this; "
            "make an API token in the browser and send that."
        )
    if identity.token is not None and permission in {Permission.ACCOUNT, Permission.FACTORS}:
        return "A token cannot manage accounts, tokens or second factors; use your username and password."
    if identity.scope is not None and not identity.scope.covers(permission, where):
        return _BEYOND_PAIR if identity.by_pair else _beyond_token(identity.scope, permission, where)
    if permission not in CHANGING | {Permission.MANAGE}:
        return f"{who} may not {_IN_WORDS[permission]}; ask an administrator."
    if where.project is None:
        return f"{who} may not {_IN_WORDS[permission]} any project here; ask an administrator."
    # Whose a name is, and that it is there, is told only to those who may read the index.
    may_read = allows(identity, Permission.LIST, Where(where.index, closed=where.closed))
    return f"{who} may not {_IN_WORDS[permission]} {where.project}: {_of_whom(where if may_read else Where())}"


_IN_WORDS: Final[Mapping[Permission, str]] = {
    Permission.LIST: "read this index",
    Permission.DOWNLOAD: "download from this index",
    Permission.UPLOAD: "upload to",
    Permission.YANK: "yank files of",
    Permission.DELETE: "delete files of",
    Permission.MANAGE: "manage",
    Permission.ACCOUNT: "change this account",
    Permission.FACTORS: "change these second factors",
    Permission.ADMIN: "do this: it is for administrators",
}


_BEYOND_PAIR: Final = (
    "The secret that was sent does not let you do this; upload with the index's secret for that, and for the rest "
    "sign in as yourself."
)


def _beyond_token(scope: Scope, permission: Permission, where: Where) -> str:
    """Which limit of a token is in the way."""
    word = next((word for word, permissions in SCOPES.items() if permission in permissions), "")
    if permission not in scope.permissions:
        return f"This token lacks the scope '{word}'; use one that has it, or make one."
    if scope.index not in {None, where.index}:
        return f"This token is for the index {scope.index} only; use one that is for {where.index}."
    place = where.project or ("the whole index" if permission in READING else "the whole server")
    more = f" and {len(scope.projects) - 5} more" if len(scope.projects) > 5 else ""
    return f"This token is for {', '.join(scope.projects[:5])}{more} only, not for {place}; use one that covers it."


def _of_whom(where: Where) -> str:
    if where.owners:
        return f"it belongs to {', '.join(where.owners[:5])}; ask there for a role on it."
    if where.team is not None:
        return f"names like {where.pattern} belong to the team {where.team_name}; ask one of its members."
    return "it needs a role on the project or the index; ask an administrator."
