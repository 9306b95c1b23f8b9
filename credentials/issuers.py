"""Identity tokens of other providers, checked with the keys that those publish.

OpenID Connect Discovery 1.0 says where the keys are, RFC 7517 what they look like, RFC 7519 and RFC 8725 how a token is
checked. A CI provider signs such a token for a job (trusted publishing), a sign-in provider for a person.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from credentials.issuer_keys import LONGEST_ISSUER, CannotUse, check_issuer_url, fetch_keys
from credentials.people import is_loopback
from errors import InvalidIdentityToken, InvalidRequest, IssuerUnavailable, shown

if TYPE_CHECKING:
    import jwt

ALGORITHMS = ("RS256", "ES256")
REQUIRED = ("aud", "exp", "iat", "iss", "sub")
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 16 * 1024
LIFESPAN_SECONDS = 300.0
STALE_SECONDS = 3600.0
# The least time between two questions to an issuer whose keys are at hand, and to one of which nothing is known yet.
PAUSE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 5.0
WHOLE_SECONDS = 10.0
# Each that waits for an issuer holds one of the server's threads.
_MAY_WAIT = 32
_HEADER = (
    "The header of the identity token is malformed, or demands an extension (crit) that is not known here; "
    "send the token exactly as the provider gave it."
)
logger = logging.getLogger("pypi_clone.issuers")


def unverified_issuer(token: str) -> str:
    """Who a token says that it is from. Nothing is proved by it: it only tells whose keys to try.

    Raises InvalidIdentityToken for what is no token.
    """
    import jwt

    _must_look_like_a_token(token)
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.PyJWTError as error:
        raise _malformed() from error
    if not isinstance(issuer, str) or not 0 < len(issuer) <= LONGEST_ISSUER:
        raise InvalidIdentityToken(
            "The identity token does not say who issued it; send the one that the provider gave."
        )
    return issuer


class Issuers:
    """Checks identity tokens, and remembers the keys of their issuers; one for a process, for all its threads.

    Issuers are asked over https, those on this machine over plain http too. ``seconds`` is the most that one fetch may
    take, by ``clock`` keys grow old: both are there for tests, which cannot wait so long.
    """

    def __init__(
        self,
        *,
        seconds: float = WHOLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: dict[str, _Keys] = {}
        self._waiting = threading.BoundedSemaphore(_MAY_WAIT)

    def check(self, issuer: str) -> None:
        """Raises InvalidRequest for an issuer that would not be asked; to be called before one is stored."""
        parts = check_issuer_url(issuer)
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise InvalidRequest(f"The issuer {shown(issuer, 200)} would be asked without encryption; use https.")

    def verify(self, token: str, *, issuer: str, audience: str) -> Mapping[str, Any]:
        """The claims of a token that ``issuer`` signed for ``audience`` alone and that is valid now.

        ``issuer`` is one that somebody here configured, never just what the token says. The claims of ``REQUIRED`` are
        there; ``jti``, ``nonce`` and who it is are the caller's to check.
        Raises InvalidIdentityToken, IssuerUnavailable, and InvalidRequest as ``check`` does.
        """
        self.check(issuer)
        algorithm, key_id = _read_header(token)
        if unverified_issuer(token) != issuer:
            raise InvalidIdentityToken(f"The identity token was not issued by {shown(issuer, 200)}; send one that was.")
        key = self._key(issuer, algorithm, key_id)
        return _checked_claims(token, key, algorithm, issuer, audience)

    def _key(self, issuer: str, algorithm: str, key_id: str) -> jwt.PyJWK:
        """The issuer's key of that name, fetched if need be, and not more often than is decent."""
        known = self._known.setdefault(issuer, _Keys())
        key, age = known.find(algorithm, key_id), self._clock() - known.fetched
        if key is not None and age < LIFESPAN_SECONDS:
            return key
        with self._flight(issuer, known, may_go_without=key is not None and age < STALE_SECONDS) as ours:
            if ours:
                self._refresh(issuer, known)
        now = self._clock()
        key = known.find(algorithm, key_id)
        if now - known.fetched < STALE_SECONDS:
            if key is not None:
                return key
            if not known.failure:
                raise InvalidIdentityToken(
                    "The identity token is signed with a key that its issuer does not publish; ask it for a new one."
                )
        raise _unavailable(issuer, known.failure, math.ceil(max(1.0, known.tried + known.pause(now) - now)))

    @contextmanager
    def _flight(self, issuer: str, known: _Keys, *, may_go_without: bool) -> Iterator[bool]:
        """Only one thread asks an issuer; the others wait for it, or go without where older keys will do: False."""
        if not known.flight.acquire(blocking=False):
            if may_go_without:
                yield False
                return
            self._wait(issuer, known)
        try:
            yield True
        finally:
            known.flight.release()

    def _wait(self, issuer: str, known: _Keys) -> None:
        if self._waiting.acquire(blocking=False):
            try:
                if known.flight.acquire(timeout=2 * self._seconds):
                    return
            finally:
                self._waiting.release()
        raise _unavailable(issuer, "too many wait for its answer", int(PAUSE_SECONDS))

    def _refresh(self, issuer: str, known: _Keys) -> None:
        """Fetch the keys, unless somebody just did; a failure is remembered, and what was known is kept."""
        now = self._clock()
        if now - known.tried < known.pause(now):
            return
        try:
            found, known.failure = fetch_keys(issuer, self._seconds), ""
        except CannotUse as failure:
            known.failure = str(failure)
            cause = f"{failure} ({failure.__cause__})" if failure.__cause__ else str(failure)
            logger.warning("the keys of issuer %s could not be fetched: %s", issuer, cause)
        else:
            known.keys, known.fetched = found, now
        known.tried = self._clock()


@dataclass
class _Keys:
    """What is known of an issuer: its keys by algorithm and name, and when (monotonic seconds) it was asked."""

    keys: Mapping[tuple[str, str], jwt.PyJWK] = field(default_factory=dict)
    fetched: float = -math.inf
    tried: float = -math.inf
    failure: str = ""
    flight: threading.Lock = field(default_factory=threading.Lock)

    def find(self, algorithm: str, key_id: str) -> jwt.PyJWK | None:
        """The key of that name; without a name, the only one there is (OpenID Connect Core 1.0, 10.1)."""
        keys = self.keys
        if key_id:
            return keys.get((algorithm, key_id))
        fitting = [key for (of, _), key in keys.items() if of == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def pause(self, now: float) -> float:
        """How long the issuer is left alone after it was asked, in seconds."""
        return PAUSE_SECONDS if now - self.fetched < STALE_SECONDS else FIRST_PAUSE_SECONDS


def _unavailable(issuer: str, why: str, seconds: int) -> IssuerUnavailable:
    return IssuerUnavailable(
        f"The keys of {shown(issuer, 200)} cannot be had: {why}; try again in {seconds} seconds.", seconds
    )


# The token.


def _malformed() -> InvalidIdentityToken:
    return InvalidIdentityToken("The identity token is malformed; send it exactly as the provider gave it.")


def _must_look_like_a_token(token: str) -> None:
    if len(token) > LONGEST_TOKEN:
        raise InvalidIdentityToken(
            f"The identity token has more than {LONGEST_TOKEN:,} characters; send the provider's token alone."
        )
    if not token.isascii() or token.count(".") != 2:
        raise _malformed()


def _read_header(token: str) -> tuple[str, str]:
    """Algorithm and name of the key; whatever key or address of a key stands in the header is not looked at."""
    import jwt

    _must_look_like_a_token(token)
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise InvalidIdentityToken(_HEADER) from error
    if "crit" in header or "b64" in header:
        raise InvalidIdentityToken(_HEADER)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise InvalidIdentityToken(
            f"The identity token is signed with {shown(algorithm, 20)}; only {' and '.join(ALGORITHMS)} are taken."
        )
    key_id: str = header.get("kid", "")
    return algorithm, key_id


def _checked_claims(token: str, key: jwt.PyJWK, algorithm: str, issuer: str, audience: str) -> Mapping[str, Any]:
    import jwt

    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(REQUIRED), "enforce_minimum_key_length": True},
        )
    except jwt.PyJWTError as error:
        raise InvalidIdentityToken(_sentence(error, audience)) from error
    if claims["aud"] not in (audience, [audience]):
        raise InvalidIdentityToken("The identity token is for several audiences; ask for one that is for this alone.")
    for name in ("iat", "exp", "nbf"):
        if name in claims and type(claims[name]) not in (int, float):
            raise InvalidIdentityToken(
                f"The claim {name} of the identity token is not a time in seconds; ask its issuer for a sound one."
            )
    return claims


def _sentence(error: jwt.PyJWTError, audience: str) -> str:
    """What was wrong, and what to do."""
    import jwt

    match error:
        case jwt.MissingRequiredClaimError():
            return f"The identity token lacks the claim {shown(error.claim)}; ask its issuer to include it."
        case jwt.ExpiredSignatureError():
            return "The identity token has expired; ask its issuer for a new one just before it is used."
        case jwt.ImmatureSignatureError():
            return "The identity token is not valid yet; compare the clocks of its issuer and of this server."
        case jwt.InvalidAudienceError():
            return f"The identity token is for another audience; ask for one whose audience is {shown(audience)}."
        case jwt.InvalidSignatureError():
            return "The identity token does not bear its issuer's signature; send it exactly as it was given."
        case _:
            return "The identity token is malformed or has a claim of the wrong kind; ask its issuer for a new one."
