"""Which addresses this server connects to of its own accord, and connecting to none but those.

An address that somebody set or sent may name the machine itself, a neighbour, or the place where clouds keep their
secrets. A name is looked up once and the connection goes to the address that was checked, so that a name which leads
elsewhere the second time (DNS rebinding) gains nothing; TLS goes on to check the certificate against the name.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[Address]]

_MOST_TRIED = 4  # addresses of one name
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# Where clouds answer questions about a machine; the usual 169.254.169.254 is link-local anyway.
_CLOUDS = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_ENDS_IN_A_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)
_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "lan", "home", "intranet", "corp")


class ForbiddenAddress(Exception):
    """Nothing may be asked there. ``host`` is what was to be asked, as it was named."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} leads to no address that may be asked")
        self.host = host


def literal_address(host: str) -> Address | None:
    """The address that a host of a URL is, without brackets; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_odd_number(host: str) -> bool:
    """Whether a host is an IPv4 address in one of the spellings that only some programs read: 0x7f.1, 2130706433."""
    return _ENDS_IN_A_NUMBER.search(host) is not None and literal_address(host) is None


def is_local_name(host: str) -> bool:
    """Whether a name is one that never leads out: localhost, one without a dot, one of an ending kept for at home."""
    labels = host.lower().rstrip(".").split(".")
    return literal_address(host) is None and (len(labels) == 1 or labels[-1] in _LOCAL_NAMES)


def is_never_asked(address: Address) -> bool:
    """Whether an address is of the kind behind which clouds keep their secrets, or of nobody in particular."""
    return any(
        one.is_link_local or one.is_multicast or one.is_unspecified or one in _CLOUDS for one in _meanings(address)
    )


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, whatever IPv4 address may be wrapped in it."""
    return all(
        one.is_global and not one.is_reserved and not _is_site_local(one) and not is_never_asked(one)
        for one in _meanings(address)
    )


def _is_site_local(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _NAT64_LOCAL)


def _meanings(address: Address) -> tuple[Address, ...]:
    """The address, or the IPv4 addresses that an IPv6 address stands for: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name in the system's order, as ``Resolver``. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def connect(
    host: str, port: int, *, allow_private: bool, seconds: float, resolver: Resolver = resolve
) -> socket.socket:
    """A connection to a host, within some seconds once its name was looked up.

    Without ``allow_private`` only public addresses are connected to; with it all but those that are never asked.
    Raises ForbiddenAddress where the host has none of these, and OSError.
    """
    literal = literal_address(host)
    found = resolver(host, port) if literal is None else [literal]
    allowed = [one for one in found if (allow_private and not is_never_asked(one)) or is_public(one)]
    if not allowed:
        raise ForbiddenAddress(host)
    until = time.monotonic() + seconds
    failure = OSError(f"{host} has no address that answers")
    for address in allowed[:_MOST_TRIED]:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{host} did not answer within {seconds:g} seconds")
        try:
            connected = socket.create_connection((str(address), port), timeout=left)
        except OSError as error:
            failure = error
            continue
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    raise failure
