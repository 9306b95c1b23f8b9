"""Who is asking: an Authorization header becomes an ``Identity``. No Flask, no SQL.

A credential is checked once; a good verdict is kept for a while under a keyed digest of the header, and ends at once
when any account or right changes. What an identity may do is judged in ``permissions.py``.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from credentials.passwords import Passwords
from credentials.people import Person
from credentials.throttle import Throttle
from credentials.tokens import TokenText, read_token
from credentials.verdicts import MOST_KEPT, Verdicts
from database.accounts import TABLE, Account, Accounts
from database.journal import Actor
from database.publishers import Publishers
from database.rights import Rights
from database.tokens import Tokens
from errors import Forbidden, NotAuthenticated
from identities import Directory, Identities, Rules
from permissions import SCOPES, Identity, Role, Scope

TOKEN_USER = "__token__"  # noqa: S105 - a name, not a secret
_LONGEST_HEADER = 8192
_REFUSAL_SECONDS = 30.0  # short, since a directory elsewhere does not tell when it takes a new password
_UPLOAD_ONLY = Scope(SCOPES["upload"])


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


class Keeper(Protocol):
    """What has to be written down when somebody was let in."""

    def admit(self, person: Person, source: str, *, by: Actor) -> Account:
        """The account of somebody whom a directory vouches for, made where there is none."""
        ...

    def renew(self, account: Account, password: str, *, by: Actor) -> None:
        """Keep the password under the hash of today."""
        ...


class Notebook(Protocol):
    """Where sign-ins without a session are gathered for the journal."""

    def note(self, kind: str, username: str, address: str, reason: str) -> None:
        """Take one, at no cost to speak of."""
        ...


@dataclass(frozen=True, slots=True)
class Readers:
    """What is asked of the database."""

    accounts: Accounts
    tokens: Tokens
    rights: Rights
    publishers: Publishers


class Authenticator:
    """Turns an Authorization header into an Identity."""

    def __init__(
        self,
        readers: Readers,
        passwords: Passwords,
        rules: Rules,
        keeper: Keeper,
        notebook: Notebook,
        directories: Sequence[Directory] = (),
    ) -> None:
        self.readers = readers
        self.passwords = passwords
        self.rules = rules
        self.keeper = keeper
        self.notebook = notebook
        self.directories = {directory.source: directory for directory in directories}
        self.identities = Identities(readers.rights, rules, self.directories)
        self.throttle = Throttle(rules.most_failures, 5 * rules.most_failures)
        self.nobody = Identity(
            None, public=rules.public, otherwise=rules.public_role if rules.enabled else Role.MAINTAINER
        )
        self._verdicts: Verdicts[Identity] = Verdicts(rules.read_expires, rules.write_expires)
        self._refused: OrderedDict[bytes, tuple[float, Hashable]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def enabled(self) -> bool:
        """Whether anybody is asked who they are."""
        return self.rules.enabled

    # -- verdicts

    def access(self) -> Hashable:
        """What a verdict stands under: it changes with every change of accounts, rights and directories."""
        serial = self.readers.accounts.access_serial()
        if not self.directories:
            return serial
        return serial, *(directory.stamp() for directory in self.directories.values())

    def remembered(self, header: str, *, writing: bool = False) -> Identity | None:
        """The identity of a header that was found good before and still is; None if it has to be checked."""
        return self._verdicts.remembered(header, self.access(), writing=writing)

    def authenticate(self, header: str | None, peer: Peer, *, writing: bool = False) -> Identity:
        """Who sends this header. Raises NotAuthenticated for a credential that is not good.

        On an open server every credential is taken and none is looked at, since clients often send one anyway.
        """
        if not self.enabled or header is None:
            return self.nobody
        known = self.remembered(header, writing=writing)
        if known is not None and (not known.has_default_password or self._takes_default_password(peer)):
            return known
        access = self.access()  # before the check: a change meanwhile makes the verdict void
        identity = self._check(header, peer)
        self._verdicts.keep(header, identity, access, identity.expires)
        return identity

    def _takes_default_password(self, peer: Peer) -> bool:
        return self.rules.default_password and peer.is_local

    # -- headers

    def _check(self, header: str, peer: Peer) -> Identity:
        if len(header) > _LONGEST_HEADER:
            raise NotAuthenticated("The Authorization header is too long; send a username and a password or token.")
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() == "basic":
            username, password = basic_pair(rest)
            return self.check_token(password, peer, username) or self._by_password(username, password, peer)
        if scheme.lower() in {"bearer", "token"}:
            identity = self.check_token(rest, peer)
            if identity is not None:
                return identity
        raise NotAuthenticated("The credential is not one of this server's; send a username and password, or a token.")

    def _by_password(self, username: str, password: str, peer: Peer) -> Identity:
        account = self.check_password(username, password, peer)
        self.notebook.note("session.basic", account.username, peer.address, "password")
        return self.identities.by_password(account)

    # -- tokens

    def check_token(self, text: str, peer: Peer, username: str = TOKEN_USER) -> Identity | None:
        """Who owns this token; None if it has not the form of one.

        It comes under the name ``__token__`` or its owner's. Raises NotAuthenticated for one that does not stand.
        """
        token = read_token(text)
        if token is None:
            return None
        try:
            minted = self._minted(token)
            return minted if minted is not None else self._of_token(token, username)
        except NotAuthenticated:
            self.notebook.note("session.refused", f"token {token.id}", peer.address, "token")
            raise

    def _of_token(self, token: TokenText, username: str) -> Identity:
        found = self.readers.tokens.token(token.id)
        if found is None or not token.fits(found[2]) or found[1].revoked is not None:
            raise NotAuthenticated("The token is not known or was revoked; make a new one.")
        account, row, _ = found
        if row.expires is not None and row.expires <= datetime.now(UTC):
            raise NotAuthenticated(f"The token {row.name!r} expired on {row.expires:%Y-%m-%d}; make a new one.")
        if not self.identities.stands(account):
            raise NotAuthenticated("The account of this token is deactivated; ask an administrator.")
        if username not in {TOKEN_USER, ""} and username.lower() != account.username.lower():
            raise NotAuthenticated("The token belongs to another user; send it under the name __token__.")
        return self.identities.by_token(account, row)

    def _minted(self, token: TokenText) -> Identity | None:
        """A trusted publisher's short-lived token: uploads to its projects, as far as who added it may, and no more."""
        found = self.readers.publishers.minted(token.id)
        if found is None:
            return None
        if not token.fits(found.secret_sha256) or found.burned or found.expires <= datetime.now(UTC):
            raise NotAuthenticated("This upload token has ended; let the job ask for a new one.")
        projects = tuple(
            project
            for project, by in found.projects
            if self.identities.lets_publish(by, self.readers.accounts, found.index, project)
        )
        if not projects:
            raise NotAuthenticated("Who added this trusted publisher may upload no more; an owner has to add it anew.")
        return Identity(
            found.name,
            public=self.rules.public,
            roles={(found.index, project): Role.MAINTAINER for project in projects},
            token=token.id,
            scope=Scope(_UPLOAD_ONLY.permissions, found.index, projects),
            expires=found.expires,
            publisher=found.publisher_id,
        )

    # -- passwords

    def check_password(self, username: str, password: str, peer: Peer) -> Account:
        """Whom this name and password belong to.

        Raises NotAuthenticated, the same for unknown names; TooManyAttempts; Unavailable; and Forbidden for the shipped
        password from anywhere but this machine.
        """
        if not password:  # uv asks so, once a file, before it looks into its keyring: no guess, and never right
            raise NotAuthenticated("No password came with the username; send it, or a token.")
        self.throttle.must_allow(username, peer.address)
        guess, access = self._verdicts.digest(f"{username.lower()}\0{password}"), self.access()
        again = self._was_refused(guess, access)
        account = None if again else self._by_table_or_directory(username, password, peer)
        if account is None or not account.active:
            if not again:
                self._keep_refusal(guess, access)
            self.throttle.failed(username, peer.address, guess)
            self.notebook.note("session.refused", username, peer.address, "password")
            raise NotAuthenticated("The username or password is wrong; check both, or use a token.")
        self.throttle.must_allow(username, peer.address)
        self.throttle.succeeded(username, peer.address)
        if account.default_password and not self._takes_default_password(peer):
            raise Forbidden(
                "The default password is taken from this machine only; change it there with "
                f"`cli.py user password --username {account.username}`, then sign in."
            )
        return account

    def _was_refused(self, guess: bytes, access: Hashable) -> bool:
        """Whether this very password was found wrong a moment ago: a program that repeats it costs no slow hash."""
        at, stood = self._refused.get(guess, (-_REFUSAL_SECONDS, None))
        return stood == access and time.monotonic() - at < _REFUSAL_SECONDS

    def _keep_refusal(self, guess: bytes, access: Hashable) -> None:
        with self._lock:
            self._refused[guess] = (time.monotonic(), access)
            self._refused.move_to_end(guess)
            if len(self._refused) > MOST_KEPT:
                self._refused.popitem(last=False)

    def _by_table_or_directory(self, username: str, password: str, peer: Peer) -> Account | None:
        """A name of the table is the table's, whatever a directory says of it, so that an administrator of the table
        gets in while a directory is down. A hash is computed for every name, so that all take about as long.
        """
        account = self.readers.accounts.user(username)
        ours = account is not None and account.source == TABLE
        good = self.passwords.verify(account.password_hash if account and ours else None, password)
        if account is not None and ours:
            if good and self.passwords.needs_rehash(account.password_hash):
                self.keeper.renew(account, password, by=Actor(account.username, None, peer.address))
            for directory in self.directories.values() if not good else ():
                if directory.local:
                    directory.check(username, password)  # so that it takes as long as for an unknown name
            return account if good else None
        for source, directory in self.directories.items():
            person = directory.check(username, password)
            if person is not None:
                return self.keeper.admit(person, source, by=Actor(person.username, None, peer.address))
        return None


def basic_pair(encoded: str) -> tuple[str, str]:
    """The name and password of a Basic credential (RFC 7617). Raises NotAuthenticated."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise NotAuthenticated("The Basic credential is not base64 of UTF-8 text; send it again.") from error
    username, colon, password = text.partition(":")
    if not colon:
        raise NotAuthenticated("The Basic credential has no colon between username and password; send it again.")
    return username, password
