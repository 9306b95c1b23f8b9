"""Who has a secret of a declared index: pairs of an index's name and its secret, at the addresses that all share.

At ``/simple/``, ``/upload`` and the like such a pair says which index is meant and what may be done there: reading with
the one secret, reading and uploading with the other, and nothing anywhere else. People's own credentials are none here.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from auth import Notebook, Peer, basic_pair
from credentials.throttle import Throttle
from credentials.verdicts import Verdicts
from errors import NotAuthenticated
from identities import Rules
from indexes.declared import Declaration
from permissions import READING, Identity, Permission, Role, Scope

PREFIX: Final = "index:"  # before the index's name where an account's would stand; no account can be called so
_LONGEST_HEADER: Final = 8192
_NO_PAIR: Final = "This address asks for the name of an index and its secret; send them as username and password."
_WRONG_PAIR: Final = "The name or the secret of the index is wrong; check both."


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair that was found good. ``stamp`` tells its secret from any other, and nobody can guess the secret by it."""

    index: str
    uploads: bool
    stamp: str


@dataclass(frozen=True, slots=True)
class _Stamps:
    reads: str
    uploads: str


class PairAuthenticator:
    """Turns a Basic credential into the identity of an index's secret.

    ``key`` signs what is kept of secrets; ``access`` is what verdicts stand under; ``inside`` names the indexes through
    which an index is read: itself and those below it.
    """

    def __init__(
        self,
        declared: Declaration,
        rules: Rules,
        *,
        key: bytes,
        throttle: Throttle,
        notebook: Notebook,
        access: Callable[[], Hashable],
        inside: Callable[[str], frozenset[str]],
    ) -> None:
        self.intervals = {one.name: one.sync_seconds for one in declared.indexes.values() if one.sync_seconds}
        self._rules = rules
        self._key = key
        self._throttle = throttle
        self._notebook = notebook
        self._access = access
        self._inside = inside
        self._stamps = {
            one.name: _Stamps(self._stamp(one.name, one.read_secret), self._stamp(one.name, one.write_secret))
            for one in declared.indexes.values()
        }
        self._nobodys = _Stamps(secrets.token_hex(32), secrets.token_hex(32))
        self._verdicts: Verdicts[Identity] = Verdicts(rules.read_expires, rules.write_expires)

    def declares(self, name: str) -> bool:
        """Whether a declared index is called so, in whatever case."""
        return name.lower() in self._stamps

    # -- headers

    def index_of(self, header: str | None) -> str | None:
        """The declared index whose name a header has, whatever its secret; None for any other header."""
        if header is None:
            return None
        try:
            name, _ = _pair_of(header)
        except NotAuthenticated:
            return None
        return name if name in self._stamps else None

    def remembered(self, header: str, *, writing: bool = False) -> Identity | None:
        """The identity of a header that was found good before and still is; None if it has to be checked."""
        return self._verdicts.remembered(header, self._access(), writing=writing)

    def authenticate(self, header: str | None, peer: Peer, *, writing: bool = False) -> Identity:
        """Who sends this header.

        Raises NotAuthenticated for none, and for an unknown name as for a wrong secret; TooManyAttempts.
        """
        if header is None:
            raise NotAuthenticated(_NO_PAIR)
        known = self.remembered(header, writing=writing)
        if known is not None:
            return known
        access = self._access()  # before the check: a change meanwhile makes the verdict void
        name, secret = _pair_of(header)
        identity = self.identity(self.check(name, secret, peer))
        self._verdicts.keep(header, identity, access)
        return identity

    # -- pairs

    def check(self, name: str, secret: str, peer: Peer) -> Pair:
        """The pair of this name and secret. Raises NotAuthenticated, TooManyAttempts."""
        if not secret:  # uv asks so before it looks into its keyring: no guess, and never right
            raise NotAuthenticated(_NO_PAIR)
        name = name.lower()
        # Counted apart from a person of the same name.
        account = f"{PREFIX}{name}"
        self._throttle.must_allow(account, peer.address)
        pair = self.find(name, secret)
        if pair is None:
            self._throttle.failed(account, peer.address, self._verdicts.digest(f"{name}\0{secret}"))
            self._notebook.note("session.refused", account, peer.address, "secret of an index")
            raise NotAuthenticated(_WRONG_PAIR)
        self._throttle.must_allow(account, peer.address)
        self._throttle.succeeded(account, peer.address)
        return pair

    def find(self, name: str, secret: str) -> Pair | None:
        """The pair, if it is good; a wrong one is not counted. It takes as long for a name that is none."""
        name = name.lower()
        stamps = self._stamps.get(name, self._nobodys)
        given = self._stamp(name, secret)
        uploads = hmac.compare_digest(given, stamps.uploads)
        reads = hmac.compare_digest(given, stamps.reads)
        return Pair(name, uploads, given) if secret and (uploads or reads) else None

    def stands(self, pair: Pair) -> bool:
        """Whether a pair that was good still is: the secret is the same, and for the same."""
        stamps = self._stamps.get(pair.index, self._nobodys)
        return hmac.compare_digest(pair.stamp, stamps.uploads if pair.uploads else stamps.reads)

    def identity(self, pair: Pair) -> Identity:
        """What somebody with this pair may: on its index, and reading below it what is closed to nobody who is known.

        It is a maintainer so that it may upload to each project; the scope leaves no more of that than uploading.
        """
        permissions = READING | {Permission.UPLOAD} if pair.uploads else READING
        return Identity(
            f"{PREFIX}{pair.index}",
            public=self._rules.public,
            roles={(pair.index, ""): Role.MAINTAINER if pair.uploads else Role.READER},
            otherwise=Role.NONE if self._rules.default_role is Role.NONE else Role.READER,
            scope=Scope(permissions, pair.index, below=self._inside(pair.index)),
            by_pair=True,
        )

    def _stamp(self, name: str, secret: str) -> str:
        text = f"secret of an index\0{name}\0{secret}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, sha256).hexdigest()


def _pair_of(header: str) -> tuple[str, str]:
    """The name, in lower case, and the secret that a header holds. Raises NotAuthenticated."""
    if len(header) > _LONGEST_HEADER:
        raise NotAuthenticated(_NO_PAIR)
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise NotAuthenticated(_NO_PAIR)
    name, secret = basic_pair(rest)
    return name.lower(), secret
