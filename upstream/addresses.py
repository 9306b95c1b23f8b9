"""Where an upstream is, and which other addresses may be asked on its behalf."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import outbound
from errors import InvalidSetting, shown

LONGEST_URL = 2000
_PORTS = {"https": 443, "http": 80}
_URL = re.compile(r"[\x21-\x7e]+")
_BEGINNING = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|[0-9A-Fa-f:.]+")

Origin = tuple[str, str, int]
"""Scheme, host and port (RFC 6454)."""


def default_url() -> str:
    """The address of PyPI's simple API."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    return PYPI_SIMPLE_ENDPOINT


def split_url(url: str) -> SplitResult | None:
    """An http or https address taken apart; None for whatever else, and for what browsers and servers read unalike."""
    if len(url) > LONGEST_URL or not _URL.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or port == 0 or not _HOST.fullmatch(host) or outbound.is_odd_number(host):
        return None
    return parts


def origin_of(parts: SplitResult) -> Origin:
    """The origin of an address that ``split_url`` has read."""
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]


def check_url(url: str, *, allow_private: bool, resolver: outbound.Resolver = outbound.resolve) -> str:
    """The address of an upstream's simple API, with a slash at its end, fit to be set.

    It is https; or http too with ``allow_private``, without which it may also not lead to this machine or network,
    neither by its name now (one that cannot be looked up now is looked at when it is asked) nor as an address in
    whatever spelling. Raises InvalidSetting.
    """
    parts = split_url(url)
    if parts is None:
        raise InvalidSetting(
            f"The upstream {shown(url)} is no address of an index; give one such as https://index.example.com/simple/."
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidSetting("An upstream's address holds no name and password; give them in settings of their own.")
    if parts.query or parts.fragment:
        raise InvalidSetting(f"The upstream {shown(url)} has a '?' or '#'; give the address without what follows it.")
    if parts.scheme == "http" and not allow_private:
        raise InvalidSetting(
            f"The upstream {shown(url)} is plain http, which anybody on the way can change; give an https address, "
            "or allow private addresses for it."
        )
    _check_host(parts, allow_private=allow_private, resolver=resolver)
    return url if url.endswith("/") else f"{url}/"


def _check_host(parts: SplitResult, *, allow_private: bool, resolver: outbound.Resolver) -> None:
    _, host, port = origin_of(parts)
    literal = outbound.literal_address(host)
    if literal is not None:
        found = [literal]
    elif not allow_private and outbound.is_local_name(host):
        raise _private(host)
    else:
        try:
            found = list(resolver(host, port))
        except OSError:
            return  # the name is looked at when it is asked, and there the same rule holds
    for address in found:
        if outbound.is_never_asked(address):
            raise InvalidSetting(
                f"The upstream's host {shown(host)} leads to an address that is never asked; name another."
            )
        if not allow_private and not outbound.is_public(address):
            raise _private(host)


def _private(host: str) -> InvalidSetting:
    return InvalidSetting(
        f"The upstream's host {shown(host)} leads to this machine or network; allow private addresses for it if that "
        "is meant."
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be asked on behalf of one upstream: pages by redirects, files by the links on its pages.

    Two kinds of addresses: those of the upstream's own origin (scheme, host and port), which may be private if that is
    allowed for it; and those of any other host over https at its usual port, since an index may have its files
    elsewhere. Such a host is one of the open internet, or one that the operator named as a private one. So nothing
    leads from https to http, to another port, or to where nobody said that it may.
    """

    origin: Origin
    allow_private: bool
    private_hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, url: str, *, allow_private: bool, private_hosts: Iterable[str] = ()) -> Reach:
        """The reach of an upstream at an address that ``check_url`` has passed; ``private_hosts`` are names of further
        hosts that may be in our own network. Raises InvalidSetting for others.
        """
        parts = split_url(url)
        if parts is None:
            raise InvalidSetting(f"The upstream {shown(url)} is no address of an index; correct it.")
        return cls(origin_of(parts), allow_private, frozenset(host.lower() for host in private_hosts))

    def is_own(self, url: str) -> bool:
        """Whether an address is of the upstream's own origin: its credentials go to no other."""
        parts = split_url(url)
        return parts is not None and origin_of(parts) == self.origin

    def may_be_private(self, url: str) -> bool:
        """Whether an address that ``has`` allows may lie in our own network: the operator said so of its host."""
        parts = split_url(url)
        if parts is None:
            return False
        return (self.allow_private and origin_of(parts) == self.origin) or origin_of(parts)[1] in self.private_hosts

    def has(self, url: str) -> bool:
        """Whether an address may be asked, as far as it can be told without looking its name up."""
        if len(url) > LONGEST_URL or not _URL.fullmatch(url) or "\\" in url:
            return False
        found = _BEGINNING.match(url)
        # A page has thousands of links, which begin with the same few hosts.
        return found is not None and _has_host(self, found[0])


@lru_cache(maxsize=1024)
def _has_host(reach: Reach, beginning: str) -> bool:
    """As ``Reach.has``, of an address up to its path."""
    parts = split_url(beginning)
    if parts is None or parts.username is not None:
        return False
    scheme, host, port = origin = origin_of(parts)
    if origin == reach.origin:
        return True
    if (scheme, port) != ("https", 443):
        return False
    if host in reach.private_hosts:
        return True
    if outbound.is_local_name(host):
        return False
    literal = outbound.literal_address(host)
    return literal is None or outbound.is_public(literal)
