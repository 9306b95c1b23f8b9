"""Signing in through an LDAP directory (RFC 4511, RFC 4513) with ldap3, which is installed only where it is wanted.

Two ways to find a person: ``bind_dn`` with ``{username}`` in it is a template, under which the person signs in at once;
otherwise this server signs in as ``bind_dn``, searches for the person, and then tries the person's password.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from credentials.people import Person, is_loopback, username_here
from errors import InvalidSetting, Unavailable, shown

if TYPE_CHECKING:
    import ldap3

CONNECT_SECONDS = 3
STEP_SECONDS = 4
WHOLE_SECONDS = 10
LONGEST_USERNAME = 256
LONGEST_PASSWORD = 4096
_SUCCESS, _SIZE_LIMIT, _NO_SUCH_OBJECT = 0, 4, 32
# The answers to a bind that mean "not with this name and password" (RFC 4511, 4.1.9): constraintViolation and
# unwillingToPerform are how some directories say that an account is locked.
_REFUSED = {19, _NO_SUCH_OBJECT, 34, 48, 49, 50, 53}
_SPECIAL_IN_DN = re.compile(r'[\x00-\x20"#+,;<=>\\\x7f]')
_DN_WORD = re.compile(r"\s*[A-Za-z0-9.-]+\s*=")
logger = logging.getLogger("pypi_clone.ldap")


@dataclass(frozen=True)
class LdapSettings:
    """Where the directory is and how people stand in it. Raises InvalidSetting for what cannot work.

    The person's entry has to match ``user_filter``, below ``user_base`` or, without one, at the DN of the template.
    ``group_filter`` takes ``{dn}`` and ``{username}`` and is used where set; otherwise ``group_attribute`` of the
    entry names the groups. ``subject_attribute`` is one that never changes, such as entryUUID; empty: the entry's DN.
    ``allow_plain`` lets passwords travel unencrypted.
    """

    url: str
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    user_base: str = ""
    user_filter: str = "(uid={username})"
    username_attribute: str = "uid"
    subject_attribute: str = ""
    email_attribute: str = "mail"
    group_attribute: str = "memberOf"
    group_base: str = ""
    group_filter: str = ""
    group_name_attribute: str = "cn"
    start_tls: bool = False
    ca_file: str = ""
    allow_plain: bool = False

    def __post_init__(self) -> None:
        self._check_url()
        if not self.is_template and bool(self.bind_dn) != bool(self.bind_password):
            raise InvalidSetting("The LDAP bind DN and its password belong together; set both, or neither.")
        if not self.user_base and not (self.is_template and _DN_WORD.match(self.bind_dn)):
            raise InvalidSetting("The LDAP user base is empty; say below which DN people are searched for.")
        if self.user_base and "{username}" not in self.user_filter:
            raise InvalidSetting("The LDAP user filter has no {username}; it takes a filter such as (uid={username}).")
        if self.group_filter and not (self.group_base and re.search(r"\{(dn|username)\}", self.group_filter)):
            raise InvalidSetting("An LDAP group filter takes {dn} or {username}, and a group base to search below.")

    def _check_url(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in {"ldap", "ldaps"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise InvalidSetting(
                f"The LDAP address is {shown(re.sub('//[^/@]*@', '//***@', self.url))}; "
                "it takes ldaps://host, or ldap://host with StartTLS."
            )
        if self.start_tls and parts.scheme == "ldaps":
            raise InvalidSetting("StartTLS belongs to ldap://; an ldaps:// address is encrypted from the beginning.")
        if parts.scheme == "ldap" and not (self.start_tls or self.allow_plain or is_loopback(parts.hostname)):
            raise InvalidSetting(
                "An ldap:// address sends passwords unencrypted; use ldaps:// or StartTLS, or allow it expressly."
            )

    @property
    def is_template(self) -> bool:
        """Whether people bind with their own name, without an account of this server."""
        return "{username}" in self.bind_dn


@dataclass(frozen=True)
class _Entry:
    """What a search found: a DN, and the values of the attributes that were asked for, by lower-case name."""

    dn: str
    values: Mapping[str, list[str]]

    def of(self, attribute: str) -> list[str]:
        return self.values.get(attribute.lower(), []) if attribute else []


class LdapDirectory:
    """A directory to sign in through. Raises InvalidSetting where ldap3 or the CA file is missing."""

    def __init__(self, settings: LdapSettings) -> None:
        self.settings = settings
        self._ldap3 = _load_ldap3()
        parts = urlsplit(settings.url)
        self._host, self._encrypted = parts.hostname or "", parts.scheme == "ldaps"
        self._port = parts.port or (636 if self._encrypted else 389)
        self._tls = _verified_tls(self._ldap3, self._host, settings.ca_file)
        self._must_parse()

    def authenticate(self, username: str, password: str) -> Person | None:
        """Who has this name and password; None for a wrong password, an unknown or an ambiguous name.

        Raises Unavailable if the directory does not answer within ten seconds or not as it should, Forbidden if the
        person is known there under a name that cannot be a username here.
        """
        if not _may_be_tried(username, password):
            return None
        deadline = time.monotonic() + WHOLE_SECONDS
        with self._connected(deadline) as first:
            if self.settings.is_template:
                return self._by_template(first, username, password)
            return self._by_search(first, username, password, deadline)

    def _by_template(self, own: _Conversation, username: str, password: str) -> Person | None:
        dn = _filled(self.settings.bind_dn, {"username": escape_dn(username)})
        if not own.bind(dn, password):
            return None
        entry = self._found(own, username, self.settings.user_base or dn)
        return self._person(own, entry, username) if entry else None

    def _by_search(self, service: _Conversation, username: str, password: str, deadline: float) -> Person | None:
        if self.settings.bind_dn and not service.bind(self.settings.bind_dn, self.settings.bind_password):
            raise OSError("bind DN and password of this server are refused")
        entry = self._found(service, username, self.settings.user_base)
        if entry is None:
            return None
        with self._connected(deadline) as own:
            if not own.bind(entry.dn, password):
                return None
        return self._person(service, entry, username)

    def _found(self, talk: _Conversation, username: str, base: str) -> _Entry | None:
        """The one entry of that name; none where the directory has several, since they may be different people."""
        chosen = self.settings
        attributes = [chosen.username_attribute, chosen.subject_attribute, chosen.email_attribute]
        attributes += [] if chosen.group_filter else [chosen.group_attribute]
        text = _filled(chosen.user_filter, {"username": escape_filter(username)})
        found = talk.search(base, text, attributes, most=2, only=not chosen.user_base)
        if len(found) != 1:
            count = "several entries" if found else "no entry that this server may read"
            logger.info("The directory has %s for the username %s.", count, shown(username))
        return found[0] if len(found) == 1 else None

    def _person(self, talk: _Conversation, entry: _Entry, username: str) -> Person:
        """The entry as a person; of several usernames the one that was given, else the first of the alphabet."""
        chosen = self.settings
        names = sorted(
            entry.of(chosen.username_attribute), key=lambda name: (name.casefold() != username.casefold(), name)
        )
        subjects = entry.of(chosen.subject_attribute) if chosen.subject_attribute else [entry.dn]
        if not names or len(subjects) != 1:
            missing = chosen.subject_attribute if names else chosen.username_attribute
            raise OSError(f"{shown(entry.dn, 200)} has no attribute {missing}, or this server may not read it")
        emails = entry.of(chosen.email_attribute)
        groups = frozenset(self._groups(talk, entry, username))
        return Person(username_here(names[0]), subjects[0], chosen.url, emails[0] if emails else "", groups)

    def _groups(self, talk: _Conversation, entry: _Entry, username: str) -> Iterator[str]:
        """The names of the groups below the group base; without a base, the DNs that the entry itself names."""
        chosen = self.settings
        if chosen.group_filter:
            values = {"dn": escape_filter(entry.dn), "username": escape_filter(username)}
            text = _filled(chosen.group_filter, values)
            for group in talk.search(chosen.group_base, text, [chosen.group_name_attribute]):
                yield from group.of(chosen.group_name_attribute)
            return
        base = self._words(chosen.group_base)
        for dn in entry.of(chosen.group_attribute):
            words = self._words(dn)
            if not base:
                yield dn
            elif len(words) > len(base) and words[-len(base) :] == base:
                yield unescape_dn(self._ldap3.utils.dn.parse_dn(dn)[0][1])

    def _words(self, dn: str) -> list[tuple[str, str]]:
        """A DN in parts that can be compared: directories ignore case and spaces in those of groups."""
        parts = self._ldap3.utils.dn.parse_dn(dn, strip=True) if dn else []
        return [(name.lower(), " ".join(unescape_dn(value).lower().split())) for name, value, _ in parts]

    def _must_parse(self) -> None:
        for text in filter(None, (self.settings.user_filter, self.settings.group_filter)):
            try:
                self._ldap3.operation.search.parse_filter(text, None, True, True, None, False)
            except self._ldap3.core.exceptions.LDAPException:
                raise InvalidSetting(
                    f"The LDAP filter {shown(text)} is no filter (RFC 4515); write one such as (uid={{username}})."
                ) from None
        for text in (self.settings.user_base, self.settings.group_base):
            try:
                self._words(text)
            except self._ldap3.core.exceptions.LDAPException:
                raise InvalidSetting(
                    f"The LDAP base {shown(text)} is no DN; write one such as dc=example,dc=com."
                ) from None

    @contextmanager
    def _connected(self, deadline: float) -> Iterator[_Conversation]:
        """A connection of its own, encrypted where the settings say so; the library's troubles become Unavailable."""
        server = self._ldap3.Server(
            self._host, self._port, use_ssl=self._encrypted, get_info=self._ldap3.NONE, tls=self._tls,
            connect_timeout=CONNECT_SECONDS,
        )  # fmt: skip
        connection = self._ldap3.Connection(
            server, client_strategy=self._ldap3.SAFE_SYNC, auto_referrals=False, check_names=False, read_only=True,
            receive_timeout=STEP_SECONDS,
        )  # fmt: skip
        try:
            connection.open(read_server_info=False)
            if self.settings.start_tls:
                with _decoding():
                    connection.start_tls(read_server_info=False)
            yield _Conversation(connection, deadline)
        except (self._ldap3.core.exceptions.LDAPException, OSError, UnicodeError) as error:
            logger.warning("Nobody can sign in through %s: %s.", self.settings.url, shown(error, 500))
            raise Unavailable(
                "The directory does not answer as it should; try again, or tell an administrator."
            ) from error
        finally:
            connection.strategy.close()
            if connection.socket is not None:  # one that never was connected
                connection.socket.close()


class _Conversation:
    """One connection in use: every step has its time, and all together end at the deadline."""

    def __init__(self, connection: ldap3.Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def bind(self, dn: str, password: str) -> bool:
        """Whether the directory takes that name and password."""
        self._take_time()
        self._connection.user, self._connection.authentication = dn, "SIMPLE"
        self._connection.password = password.encode()  # as bytes it goes out as it was typed
        with _decoding():
            _, result, *_ = self._connection.bind(read_server_info=False)
        return self._code(result, {_SUCCESS, *_REFUSED}) == _SUCCESS

    def search(self, base: str, text: str, attributes: list[str], *, most: int = 0, only: bool = False) -> list[_Entry]:
        """The entries below the base, at most ``most`` of them, or the base alone.

        With ``most``, too many of them or a base that is not there are no trouble.
        """
        self._take_time()
        wanted = [name for name in attributes if name]
        scope: Literal["BASE", "SUBTREE"] = "BASE" if only else "SUBTREE"
        with _decoding():
            _, result, response, _ = self._connection.search(
                base, text, scope, "NEVER", wanted, size_limit=most, time_limit=STEP_SECONDS
            )
        self._code(result, {_SUCCESS, *((_SIZE_LIMIT, _NO_SUCH_OBJECT) if most else ())})
        return [_entry(item) for item in response or () if item["type"] == "searchResEntry"]

    def _take_time(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time of the whole sign-in is used up")
        self._connection.socket.settimeout(min(left, STEP_SECONDS))

    @staticmethod
    def _code(result: Mapping[str, Any], expected: set[int]) -> int:
        code = int(result["result"])
        if code not in expected:
            raise OSError(f"result {code}, {result['description']}: {result['message']}")
        return code


@contextmanager
def _decoding() -> Iterator[None]:
    """What ldap3 stumbles over in an answer that is not LDAP becomes a trouble of the connection."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise OSError(f"not an answer as LDAP has it, {error!r}") from error


def escape_dn(value: str) -> str:
    """A value for its place in a DN: what has a meaning there as hexadecimal pairs (RFC 4514, 2.4)."""
    return _SPECIAL_IN_DN.sub(lambda found: f"\\{ord(found[0]):02X}", value)


def unescape_dn(value: str) -> str:
    """The other way round: a value as it is read from a DN."""

    def plain(found: re.Match[bytes]) -> bytes:
        return bytes.fromhex(found[1].decode()) if len(found[1]) == 2 else found[1]

    return re.sub(rb"\\([0-9A-Fa-f]{2}|.)", plain, value.encode()).decode("utf-8", "replace")


def escape_filter(value: str) -> str:
    """A value for its place in a search filter (RFC 4515, 3)."""
    return re.sub(r"[\x00()*\\]", lambda found: f"\\{ord(found[0]):02x}", value)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """All places at once, so that no value is looked into for places."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)


def _may_be_tried(username: str, password: str) -> bool:
    """An empty password would be an anonymous bind, which always succeeds (RFC 4513, 5.1.2)."""
    if not username or not password or len(username) > LONGEST_USERNAME or not username.isprintable():
        return False
    try:
        return len(password.encode()) <= LONGEST_PASSWORD
    except UnicodeEncodeError:
        return False


def _entry(item: Mapping[str, Any]) -> _Entry:
    values = {
        name.partition(";")[0].lower(): [value.decode("utf-8", "replace") for value in found]
        for name, found in item["raw_attributes"].items()
    }
    return _Entry(item["dn"], values)


def _load_ldap3() -> ModuleType:
    """The library; it uses old names of pyasn1, about which that one warns at every start."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"(tagMap|typeMap) is deprecated", DeprecationWarning)
            import ldap3
            import ldap3.operation.search
            import ldap3.utils.dn
    except ImportError:
        raise InvalidSetting(
            "Signing in through LDAP needs ldap3, which is not installed; install what requirements-extras.txt lists."
        ) from None
    return ldap3


def _verified_tls(library: ModuleType, host: str, ca_file: str) -> ldap3.Tls:
    """What ldap3 encrypts with: Python's own checks of certificate and host name, in place of its own older ones."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ValueError):
        raise InvalidSetting(f"The LDAP CA file {shown(ca_file)} is missing or holds no PEM certificate.") from None

    class VerifiedTls(library.Tls):  # type: ignore[misc, name-defined]
        def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: ARG002
            connection.socket = context.wrap_socket(connection.socket, server_hostname=host)

    return VerifiedTls(validate=ssl.CERT_REQUIRED)
