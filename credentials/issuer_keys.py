"""What an issuer publishes, fetched: OpenID Connect Discovery 1.0 and JSON Web Key Sets (RFC 7517).

An issuer is a stranger's server. So its answers are bounded in size and time, it cannot send us elsewhere, and its
name is checked against what it says of itself.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

import orjson

import outbound
from credentials.people import is_loopback
from errors import InvalidRequest, shown

if TYPE_CHECKING:
    import jwt
    import requests
    import urllib3

LONGEST_ISSUER = 255
CONNECT_SECONDS = 3.0
LARGEST_DOCUMENT = 1024 * 1024
_SMALLEST_RSA_BITS = 2048
_DISCOVERY = "/.well-known/openid-configuration"
_ISSUER = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[\x21-\x7e]*)?")


class CannotUse(Exception):
    """Why what an issuer publishes was not had: words to stand after "cannot be had: "."""


def check_issuer_url(issuer: str) -> SplitResult:
    """An issuer's address taken apart; raises InvalidRequest for what can be no issuer, or none that is ever asked."""
    if len(issuer) > LONGEST_ISSUER or not _ISSUER.fullmatch(issuer) or "?" in issuer or "#" in issuer:
        raise InvalidRequest(
            f"The issuer {shown(issuer)} is not an address; give it as the provider does, as in https://ci.example.com."
        )
    try:
        parts = urlsplit(issuer)
        port = parts.port
    except ValueError as error:
        raise InvalidRequest(f"The issuer {shown(issuer)} has no host or port that can be; correct it.") from error
    if port == 0 or _is_never_asked(parts.hostname or ""):
        raise InvalidRequest(f"The issuer {shown(issuer)} is at an address that is never asked; name its host.")
    return parts


def fetch_keys(issuer: str, seconds: float) -> dict[tuple[str, str], jwt.PyJWK]:
    """The keys of an issuer by algorithm and name, within about ``seconds``. Raises CannotUse."""
    with Deadline(seconds) as deadline, _session(deadline) as session:
        found = _discovered(session, deadline, issuer)
        return _read_keys(_get_json(session, deadline, _checked_jwks_uri(issuer, found.get("jwks_uri"))))


def fetch_discovery(issuer: str, seconds: float) -> dict[str, Any]:
    """An issuer's discovery document, within about ``seconds``. Raises CannotUse."""
    with Deadline(seconds) as deadline, _session(deadline) as session:
        return _discovered(session, deadline, issuer)


def _discovered(session: requests.Session, deadline: Deadline, issuer: str) -> dict[str, Any]:
    found = _get_json(session, deadline, issuer.rstrip("/") + _DISCOVERY)
    if found.get("issuer") != issuer:
        raise CannotUse(f"its discovery document names another issuer, {shown(found.get('issuer'), 100)}")
    return found


def _is_never_asked(host: str) -> bool:
    """Whether a host is an address, and one that is never asked."""
    address = outbound.literal_address(host)
    return address is not None and outbound.is_never_asked(address)


def _checked_jwks_uri(issuer: str, address: object) -> str:
    """Where the keys are: by the issuer's own scheme, and over plain http at its own host only."""
    if not isinstance(address, str):
        raise CannotUse("its discovery document names no jwks_uri")
    try:
        ours, theirs = check_issuer_url(issuer), check_issuer_url(address.partition("?")[0])
    except InvalidRequest as error:
        raise CannotUse("the jwks_uri of its discovery document cannot be used") from error
    if ours.scheme != theirs.scheme or (ours.scheme == "http" and ours.netloc != theirs.netloc):
        raise CannotUse("its discovery document names a jwks_uri of another scheme or an insecure host")
    return address


def _read_keys(document: Mapping[str, Any]) -> dict[tuple[str, str], jwt.PyJWK]:
    """The public keys for the algorithms taken here; members of other kinds are passed over (RFC 7517, 5)."""
    import jwt

    found: dict[tuple[str, str], jwt.PyJWK] = {}
    listed = document.get("keys")
    for member in listed if isinstance(listed, list) else ():
        if not isinstance(member, dict):
            continue
        algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(member.get("kty")), "")
        if not algorithm or member.get("use", "sig") != "sig" or member.get("alg", algorithm) != algorithm:
            continue
        public = {name: member[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in member}
        try:
            key = jwt.PyJWK(public, algorithm)
        except (jwt.PyJWTError, KeyError):
            continue
        if (algorithm == "RS256" and key.key.key_size >= _SMALLEST_RSA_BITS) or member.get("crv") == "P-256":
            found.setdefault((algorithm, str(member.get("kid", ""))), key)
    if not found:
        raise CannotUse("it publishes no key that can be used")
    return found


def _get_json(session: requests.Session, deadline: Deadline, url: str) -> dict[str, Any]:
    """A small JSON object at an address that answers for itself. Raises CannotUse."""
    import requests

    here = {"no_proxy": "*"} if is_loopback(urlsplit(url).hostname) else None
    limits = (CONNECT_SECONDS, deadline.seconds)
    try:
        with session.get(url, timeout=limits, allow_redirects=False, stream=True, proxies=here) as got:
            if got.status_code != 200:
                raise CannotUse(f"it answers {got.status_code} instead of 200")
            body = bytearray()
            for piece in got.iter_content(8192):
                body += piece
                if len(body) > LARGEST_DOCUMENT:
                    raise CannotUse("its answer is larger than 1 MiB")
    except requests.RequestException as error:
        deadline.must_not_be_over()
        raise CannotUse("it does not answer as it should") from error
    deadline.must_not_be_over()
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise CannotUse("its answer is not JSON") from error
    if not isinstance(document, dict):
        raise CannotUse("its answer is not a JSON object")
    return document


class Deadline:
    """Cuts connections off when the time is over: a read's own timeout starts anew with each byte that drips in."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for one in self._sockets:
            one.close()

    def must_not_be_over(self) -> None:
        """Raises CannotUse: what was read may have been cut off."""
        if self.over:
            raise CannotUse(f"it took longer than {self.seconds:g} seconds")

    def watch(self, connected: socket.socket) -> None:
        """Take a new connection in charge; raises OSError where nothing may be said to the other end."""
        host = str(connected.getpeername()[0])
        with self._lock:
            if self.over or _is_never_asked(host):
                connected.close()
                raise OSError(f"the connection to {host} is not used")
            self._sockets.append(connected.dup())  # TLS takes the socket itself over

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            for one in self._sockets:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:  # the other end was faster
                    continue


def put_under(deadline: Deadline, session: requests.Session) -> None:
    """Have all connections of a session end with the deadline, and none go to an address that is never asked."""
    from requests.adapters import HTTPAdapter

    pools = _watched_pools(deadline)

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
            super().init_poolmanager(*arguments, **named)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
            manager = super().proxy_manager_for(*arguments, **named)
            manager.pool_classes_by_scheme = pools
            return manager

    session.mount("https://", Adapter())
    session.mount("http://", Adapter())


def _session(deadline: Deadline) -> requests.Session:
    """A session for one fetch, by the proxy and with the certificates that the environment may name."""
    import requests

    session = requests.Session()
    session.auth = lambda request: request  # else a password from ~/.netrc would be sent along
    session.headers.update({"User-Agent": "pypi-clone", "Accept": "application/json", "Accept-Encoding": "identity"})
    put_under(deadline, session)
    return session


def _watched_pools(deadline: Deadline) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    """urllib3's pools, whose connections are under the deadline from their first byte."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            deadline.watch(connected)
            return connected

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            deadline.watch(connected)
            return connected

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
