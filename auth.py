"""Who is asking, and what they may do. No Flask, no SQL.

Permissions are data, and ``allows`` is the one place that answers. A credential is checked once; a good verdict is kept
for a while under a keyed digest of the header, and ends at once when any account or right changes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from credentials.passwords import Passwords
from credentials.throttle import Throttle
from credentials.tokens import read_token
from database.accounts import Account, Accounts
from errors import Forbidden, NotAuthenticated

TOKEN_USER = "__token__"  # noqa: S105 - a name, not a secret
_LONGEST_HEADER = 8192
_VERDICTS_KEPT = 10_000


class Permission(Enum):
    """What a request may need."""

    READ = "read"
    UPLOAD = "upload"
    YANK = "yank"
    DELETE = "delete"
    ACCOUNT = "account"
    ADMIN = "admin"


class Role(Enum):
    """What a person is on an index, as the set of what they may do there."""

    READER = frozenset({Permission.READ})
    UPLOADER = frozenset({Permission.READ, Permission.UPLOAD, Permission.YANK})
    MAINTAINER = frozenset({Permission.READ, Permission.UPLOAD, Permission.YANK, Permission.DELETE})
    ADMINISTRATOR = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking. ``token`` is the public id of the token they came with, if any.

    ``by_session`` is a person signed in with a browser's cookie, whose unsafe requests need more proof.
    """

    username: str | None
    role: Role
    user_id: int | None = None
    token: str | None = None
    by_session: bool = False
    has_default_password: bool = False
    expires: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether this is a person or their token, not anybody."""
        return self.username is not None

    @property
    def is_admin(self) -> bool:
        """Whether this is a server administrator."""
        return self.role is Role.ADMINISTRATOR


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a request came from; ``forwarded`` if through a proxy, trusted or not.

    ``named_locally`` is whether it spoke to this server by a name of the machine itself: a page in a browser whose name
    was rebound to 127.0.0.1, or a forwarder that says nothing of itself, comes from loopback too.
    """

    address: str
    forwarded: bool = False
    named_locally: bool = True

    @property
    def is_local(self) -> bool:
        """Whether this is a program on the same machine, speaking directly."""
        try:
            return self.named_locally and not self.forwarded and ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False


ANYBODY = Identity(None, Role.READER)
ANYBODY_ON_AN_OPEN_SERVER = Identity(None, Role.MAINTAINER)


def allows(identity: Identity, permission: Permission, index: str = "main") -> bool:  # noqa: ARG001
    """The one place that answers: may they? Roles are the same on every index as yet."""
    if permission is Permission.ACCOUNT:
        return identity.is_known and identity.token is None  # a token cannot make tokens
    return permission in identity.role.value


@dataclass(frozen=True, slots=True)
class _Verdict:
    identity: Identity
    at: float
    access: int
    expires: datetime | None


class Authenticator:
    """Turns an Authorization header into an Identity."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        *,
        enabled: bool,
        read_expires: float,
        write_expires: float,
        default_password: bool = True,
    ) -> None:
        self.accounts = accounts
        self.passwords = passwords
        self.enabled = enabled
        self.default_password = default_password
        self._lifetime = {False: read_expires, True: write_expires}
        self.throttle = Throttle()
        self._key = secrets.token_bytes(32)
        self._verdicts: OrderedDict[bytes, _Verdict] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def nobody(self) -> Identity:
        """Who asks without a credential."""
        return ANYBODY if self.enabled else ANYBODY_ON_AN_OPEN_SERVER

    def remembered(self, header: str, *, writing: bool = False) -> Identity | None:
        """The identity of a header that was found good before and still is; None if it has to be checked."""
        verdict = self._verdicts.get(self._digest(header))
        if verdict is None or verdict.access != self.accounts.access_serial():
            return None
        if verdict.expires is not None and verdict.expires <= datetime.now(UTC):
            return None
        return verdict.identity if time.monotonic() - verdict.at < self._lifetime[writing] else None

    def authenticate(self, header: str | None, peer: Peer, *, writing: bool = False) -> Identity:
        """Who sends this header. Raises NotAuthenticated for a credential that is not good.

        On an open server every credential is taken and none is looked at, since clients often send one anyway.
        """
        if not self.enabled or header is None:
            return self.nobody
        known = self.remembered(header, writing=writing)
        if known is not None and (not known.has_default_password or self._takes_default_password(peer)):
            return known
        access = self.accounts.access_serial()  # before the check: a change meanwhile makes the verdict void
        identity = self._check(header, peer)
        with self._lock:
            self._verdicts[self._digest(header)] = _Verdict(identity, time.monotonic(), access, identity.expires)
            if len(self._verdicts) > _VERDICTS_KEPT:
                self._verdicts.popitem(last=False)
        return identity

    def _takes_default_password(self, peer: Peer) -> bool:
        return self.default_password and peer.is_local

    def _digest(self, header: str) -> bytes:
        return hashlib.blake2b(header.encode("utf-8", "surrogatepass"), key=self._key, digest_size=24).digest()

    def _check(self, header: str, peer: Peer) -> Identity:
        if len(header) > _LONGEST_HEADER:
            raise NotAuthenticated("The Authorization header is too long; send a username and a password or token.")
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() == "basic":
            username, password = _basic(rest)
            return self.check_token(password, username) or self.check_password(username, password, peer)
        if scheme.lower() in {"bearer", "token"}:
            identity = self.check_token(rest)
            if identity is not None:
                return identity
        raise NotAuthenticated("The credential is not one of this server's; send a username and password, or a token.")

    def check_token(self, text: str, username: str = TOKEN_USER) -> Identity | None:
        """Who owns this token; None if it has not the form of one.

        It comes under the name ``__token__`` or its owner's. Raises NotAuthenticated for one that does not stand.
        """
        token = read_token(text)
        if token is None:
            return None
        found = self.accounts.token(token.id)
        now = datetime.now(UTC)
        if found is None or not token.fits(found[2]) or found[1].revoked is not None:
            raise NotAuthenticated("The token is not known or was revoked; make a new one.")
        account, row, _ = found
        if row.expires is not None and row.expires <= now:
            raise NotAuthenticated(f"The token {row.name!r} expired on {row.expires:%Y-%m-%d}; make a new one.")
        if not account.active:
            raise NotAuthenticated("The account of this token is deactivated; ask an administrator.")
        if username not in {TOKEN_USER, ""} and username.lower() != account.username.lower():
            raise NotAuthenticated("The token belongs to another user; send it under the name __token__.")
        return Identity(account.username, role_of(account), account.id, token=row.id, expires=row.expires)

    def check_password(self, username: str, password: str, peer: Peer) -> Identity:
        """Who this name and password belong to.

        Raises NotAuthenticated, the same for unknown names; TooManyAttempts; Unavailable; and Forbidden for the shipped
        password from anywhere but this machine.
        """
        self.throttle.must_allow(username, peer.address)
        account = self.accounts.user(username)
        good = self.passwords.verify(account.password_hash if account else None, password)
        if account is None or not good or not account.active:
            self.throttle.failed(username, peer.address)
            raise NotAuthenticated("The username or password is wrong; check both, or use a token.")
        self.throttle.succeeded(username, peer.address)
        if account.default_password and not self._takes_default_password(peer):
            raise Forbidden(
                "The default password is taken from this machine only; change it there with "
                f"`cli.py user password --username {account.username}`, then sign in."
            )
        return identity_of(account)


def role_of(account: Account) -> Role:
    """What an account is on every index, as yet: an administrator or an uploader."""
    return Role.ADMINISTRATOR if account.is_admin else Role.UPLOADER


def identity_of(account: Account, *, by_session: bool = False) -> Identity:
    """The identity of a person who proved to be the owner of an account."""
    return Identity(
        account.username,
        role_of(account),
        account.id,
        by_session=by_session,
        has_default_password=account.default_password,
    )


def _basic(encoded: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise NotAuthenticated("The Basic credential is not base64 of UTF-8 text; send it again.") from error
    username, colon, password = text.partition(":")
    if not colon:
        raise NotAuthenticated("The Basic credential has no colon between username and password; send it again.")
    return username, password
