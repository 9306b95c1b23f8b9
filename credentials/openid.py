"""Signing in through an OpenID provider, with authlib, which is installed only where it is wanted.

OpenID Connect Core 1.0, the authorization code flow, with PKCE (RFC 7636), state, nonce, and the issuer in the answer
(RFC 9207). What the provider signs is checked by ``credentials.issuers``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import logging
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credentials.issuer_keys import LARGEST_DOCUMENT, CannotUse, Deadline, check_issuer_url, fetch_discovery, put_under
from credentials.issuers import LEEWAY_SECONDS, Issuers
from credentials.people import Person, is_loopback, username_here
from errors import (
    Forbidden,
    InvalidIdentityToken,
    InvalidRequest,
    InvalidSetting,
    NotAuthenticated,
    Unavailable,
    shown,
)

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 3.0
STEP_SECONDS = 5.0
LIFESPAN_SECONDS = 3600.0
PAUSE_SECONDS = 5.0
LONGEST_ECHO = 160
LONGEST_CODE = 4096
LONGEST_SUBJECT = 255
logger = logging.getLogger("pypi_clone.openid")


@dataclass(frozen=True)
class OpenIdSettings:
    """Where the provider is, and what this server is to it. Raises InvalidSetting for what cannot work.

    ``name`` is what people call the provider. An empty ``groups_claim`` means that groups are not asked for.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    name: str = "OpenID"
    scopes: str = "openid profile email"
    username_claim: str = "preferred_username"
    groups_claim: str = "groups"

    def __post_init__(self) -> None:
        if not self.client_id:
            raise InvalidSetting(
                "The OpenID client id is empty; the provider gives one when this server is registered."
            )
        if not (self.client_id + self.client_secret).isascii():
            raise InvalidSetting("The OpenID client id and secret have characters outside ASCII; copy them anew.")
        if "openid" not in self.scopes.split():
            raise InvalidSetting("The OpenID scopes lack openid, without which a provider does not say who signs in.")
        if not self.username_claim:
            raise InvalidSetting("The OpenID username claim is empty; preferred_username is usual.")


@dataclass(frozen=True)
class Started:
    """A sign-in under way: where the browser goes, and what has to be kept for it on this side, in its own session.

    ``not_before`` (seconds since 1970) is the earliest time at which the person may have proved who it is; 0: any.
    """

    url: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    not_before: int = 0


@dataclass(frozen=True)
class _Endpoints:
    """What the discovery document says."""

    authorization: str
    token: str
    userinfo: str
    auth_method: str
    names_itself: bool


class OpenIdProvider:
    """A provider to sign in through; one for a process, for all its threads. Raises InvalidSetting without authlib."""

    def __init__(self, settings: OpenIdSettings) -> None:
        self.settings = settings
        self._issuers = Issuers()
        try:
            self._issuers.check(settings.issuer)
        except InvalidRequest as refusal:
            raise InvalidSetting(refusal.sentence) from None
        self._session_of, self._library_error = _load_authlib()
        self._lock = threading.Lock()
        self._endpoints: _Endpoints | None = None
        self._ask_again = 0.0

    def begin(self, redirect_uri: str, *, again: bool = False, max_age: int | None = None) -> Started:
        """Where to send the browser. Raises Unavailable if the provider does not answer.

        ``again`` asks the provider to let the person sign in anew. Only ``max_age`` (seconds) makes it prove that: the
        person must have proved who it is at most so long ago, and ``finish`` refuses otherwise.
        """
        endpoints = self._discovered()
        state, nonce, code_verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        with self._session(endpoints) as session:
            url, _ = session.create_authorization_url(
                endpoints.authorization,
                redirect_uri=redirect_uri,
                state=state,
                nonce=nonce,
                code_verifier=code_verifier,
                prompt="login" if again else None,
                max_age=None if max_age is None else str(max_age),
            )
        not_before = 0 if max_age is None else int(time.time()) - max_age - LEEWAY_SECONDS
        return Started(url, state, nonce, code_verifier, not_before)

    def finish(self, redirect_uri: str, started: Started, query: Mapping[str, str]) -> Person:
        """Who the browser brings back, from the query of its request to ``redirect_uri``, the same as of ``begin``.

        Raises InvalidRequest for an answer that belongs to no sign-in of this browser, NotAuthenticated if the provider
        does not let the person in, InvalidIdentityToken and Forbidden for an answer that does not hold or a name that
        does not fit, and Unavailable if the provider fails.
        """
        if not _same(query.get("state", ""), started.state):
            raise InvalidRequest("This answer belongs to no sign-in that was begun in this browser; sign in once more.")
        endpoints = self._discovered()
        if query.get("iss", "" if endpoints.names_itself else self.settings.issuer) != self.settings.issuer:
            raise InvalidRequest(
                "The answer comes from another provider than the one that was asked; sign in once more."
            )
        if "error" in query:
            raise self._refused(query["error"], query.get("error_description", ""))
        code = query.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            raise InvalidRequest("The answer of the provider lacks its code; sign in once more.")
        with self._session(endpoints) as session:
            token = self._redeemed(session, endpoints, redirect_uri, started, code)
            claims = self._verified(token, started)
            return self._person(claims, self._more(session, endpoints, claims))

    def _redeemed(
        self, session: Any, endpoints: _Endpoints, redirect_uri: str, started: Started, code: str
    ) -> Mapping[str, Any]:
        """The tokens that the provider gives for the code, once."""
        with self._troubles():
            try:
                token: Mapping[str, Any] = session.fetch_token(
                    endpoints.token,
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=redirect_uri,
                    code_verifier=started.code_verifier,
                    allow_redirects=False,
                )
            except self._library_error as error:
                if error.error != "invalid_grant":
                    raise
                raise NotAuthenticated(
                    f"{self.settings.name} takes the code of this sign-in no longer; sign in once more."
                ) from error
            if not (isinstance(token.get("id_token"), str) and isinstance(token.get("access_token"), str)):
                raise TypeError("the answer to the code holds no ID token or no access token")
        return token

    def _verified(self, token: Mapping[str, Any], started: Started) -> Mapping[str, Any]:
        """The claims of the ID token (OpenID Connect Core 1.0, 3.1.3.7)."""
        client = self.settings.client_id
        claims = self._issuers.verify(token["id_token"], issuer=self.settings.issuer, audience=client)
        if not _same(claims.get("nonce"), started.nonce):
            raise InvalidIdentityToken("The identity token belongs to another sign-in; sign in once more.")
        if claims.get("azp", client) != client:
            raise InvalidIdentityToken("The identity token was given to another client; sign in once more.")
        if "at_hash" in claims and not _same(claims["at_hash"], _half_hash(token["access_token"])):
            raise InvalidIdentityToken(
                "The identity token and the access token do not belong together; sign in once more."
            )
        if not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
            raise InvalidIdentityToken(
                f"The identity token does not say who it is about (claim sub, of up to {LONGEST_SUBJECT} characters); "
                "ask an administrator."
            )
        proved = claims.get("auth_time", 0)
        if started.not_before and not (type(proved) in (int, float) and proved >= started.not_before):
            raise InvalidIdentityToken(
                f"{self.settings.name} does not show that you proved just now who you are; sign in there anew."
            )
        return claims

    def _more(self, session: Any, endpoints: _Endpoints, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider says at its userinfo address, asked only for what the ID token lacks."""
        wanted = {self.settings.username_claim, self.settings.groups_claim} - {""}
        if wanted <= claims.keys() or not endpoints.userinfo:
            return {}
        with self._troubles():
            found = _object(session.get(endpoints.userinfo, allow_redirects=False))
        if not _same(found.get("sub"), claims["sub"]):
            raise InvalidIdentityToken(f"{self.settings.name} answers about somebody else; sign in once more.")
        return found

    def _person(self, claims: Mapping[str, Any], more: Mapping[str, Any]) -> Person:
        found = {**more, **claims}
        is_doubtful = found.get("email_verified", True) in (False, "false")
        name = found.get(self.settings.username_claim)
        if not isinstance(name, str) or not name:
            raise Forbidden(
                f"{self.settings.name} does not tell your username (claim {shown(self.settings.username_claim)}); "
                "ask an administrator."
            )
        if self.settings.username_claim == "email" and is_doubtful:
            raise Forbidden(f"{self.settings.name} has not verified your e-mail address; verify it there first.")
        groups = found.get(self.settings.groups_claim, []) if self.settings.groups_claim else []
        groups = [groups] if isinstance(groups, str) else groups
        if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
            raise InvalidIdentityToken(
                f"The claim {shown(self.settings.groups_claim)} is not a list of names; ask an administrator."
            )
        email = found.get("email")
        email = email if isinstance(email, str) and not is_doubtful else ""
        return Person(username_here(name), claims["sub"], self.settings.issuer, email, frozenset(groups))

    def _refused(self, error: str, description: str) -> NotAuthenticated | Unavailable:
        """An error that the provider sends the browser back with (RFC 6749, 4.1.2.1), as a refusal of ours."""
        said = shown(description or error, LONGEST_ECHO)
        if error in {"server_error", "temporarily_unavailable"}:
            return Unavailable(f"{self.settings.name} cannot sign anybody in just now and says {said}; try again.")
        return NotAuthenticated(f"{self.settings.name} did not sign you in and says {said}; sign in once more.")

    # What is asked of the provider.

    def _discovered(self) -> _Endpoints:
        """The endpoints, asked for once an hour; after a failure what was known stays, and there is a pause."""
        with self._lock:
            if time.monotonic() >= self._ask_again:
                try:
                    self._endpoints = self._discover()
                except Unavailable:
                    self._ask_again = time.monotonic() + PAUSE_SECONDS
                else:
                    self._ask_again = time.monotonic() + LIFESPAN_SECONDS
            if self._endpoints is None:
                raise self._failed()
            return self._endpoints

    def _discover(self) -> _Endpoints:
        """Reads the discovery document (OpenID Connect Discovery 1.0, 4)."""
        with self._troubles():
            found = fetch_discovery(self.settings.issuer, STEP_SECONDS)
            methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            posted = "client_secret_post" in methods and "client_secret_basic" not in methods
            method = "client_secret_post" if posted else "client_secret_basic"
            return _Endpoints(
                self._address(found, "authorization_endpoint"),
                self._address(found, "token_endpoint"),
                self._address(found, "userinfo_endpoint") if "userinfo_endpoint" in found else "",
                method if self.settings.client_secret else "none",
                found.get("authorization_response_iss_parameter_supported") is True,
            )

    def _address(self, found: Mapping[str, Any], name: str) -> str:
        """An endpoint: over https, or like an issuer of plain http at its own host or on this machine."""
        address, issuer = str(found.get(name)), urlsplit(self.settings.issuer)
        try:
            parts = check_issuer_url(address.partition("?")[0])
        except InvalidRequest as error:
            raise ValueError(f"the {name} of the discovery document cannot be used") from error
        plain = parts.scheme == issuer.scheme == "http" and (
            parts.netloc == issuer.netloc or is_loopback(parts.hostname)
        )
        if parts.scheme != "https" and not plain:
            raise ValueError(f"the discovery document has an insecure {name}")
        return address

    @contextmanager
    def _session(self, endpoints: _Endpoints) -> Iterator[Any]:
        """A session of authlib and requests for one sign-in, which takes small answers only, and soon."""
        chosen = self.settings
        with (
            Deadline(2 * STEP_SECONDS) as deadline,
            self._session_of(
                chosen.client_id,
                chosen.client_secret,
                token_endpoint_auth_method=endpoints.auth_method,
                scope=chosen.scopes,
                code_challenge_method="S256",
                default_timeout=(CONNECT_SECONDS, STEP_SECONDS),
                leeway=0,
            ) as session,
        ):
            session.trust_env = not is_loopback(urlsplit(chosen.issuer).hostname)
            session.headers.update(
                {"User-Agent": "pypi-clone", "Accept": "application/json", "Accept-Encoding": "identity"}
            )
            session.hooks["response"].append(_bounded)
            put_under(deadline, session)
            yield session

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        """What goes wrong with the provider is for the log; people get one sentence."""
        import requests
        import urllib3

        try:
            yield
        except (
            CannotUse, requests.RequestException, urllib3.exceptions.HTTPError, self._library_error, OSError,
            LookupError, TypeError, ValueError,
        ) as error:  # fmt: skip
            logger.warning("Nobody can sign in through %s: %s.", self.settings.issuer, shown(error, 500))
            raise self._failed() from error

    def _failed(self) -> Unavailable:
        return Unavailable(f"{self.settings.name} does not answer as it should; try again, or tell an administrator.")


def _load_authlib() -> tuple[Any, Any]:
    """The session and the root of the errors; the library has no types."""
    try:
        from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
        from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
    except ImportError:
        raise InvalidSetting(
            "Signing in through OpenID needs authlib, which is missing; install what requirements-extras.txt lists."
        ) from None
    return OAuth2Session, AuthlibBaseError


def _bounded(response: requests.Response, **_: object) -> requests.Response:
    """The response, read to its end if that comes within 1 MiB; a redirect is refused."""
    import requests

    body = bytearray()
    with response:
        if response.is_redirect:
            raise requests.RequestException("it answers with a redirect")
        while piece := response.raw.read1(65536):
            body += piece
            if len(body) > LARGEST_DOCUMENT:
                raise requests.RequestException("its answer is larger than 1 MiB")
    whole = requests.Response()
    whole.status_code, whole.headers, whole.url = response.status_code, response.headers, response.url
    whole.raw = io.BytesIO(body)
    return whole


def _object(response: requests.Response) -> dict[str, Any]:
    """The JSON object of a good answer; raises TypeError or ValueError for another one."""
    found = response.json() if response.status_code == 200 else None
    if not isinstance(found, dict):
        raise TypeError(f"{response.url} answers {response.status_code} without a JSON object")
    return found


def _same(given: object, expected: str) -> bool:
    """Compared in constant time."""
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _half_hash(text: str) -> str:
    """at_hash for RS256 and ES256 (OpenID Connect Core 1.0, 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()
