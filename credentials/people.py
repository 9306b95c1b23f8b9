"""Who a directory or an identity provider says that somebody is."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from errors import Forbidden, shown

LONGEST_USERNAME = 100
_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,98}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Person:
    """Somebody whose identity was checked elsewhere.

    An account belongs to ``issuer`` and ``subject`` together: neither username nor e-mail address is proof of who
    somebody is, since both may be given to another person later. ``email`` is empty where none was told.
    """

    username: str
    subject: str
    issuer: str
    email: str
    groups: frozenset[str]


def username_here(name: str) -> str:
    """The name as this server writes usernames; raises Forbidden for one that does not fit."""
    if not _USERNAME.fullmatch(name):
        raise Forbidden(
            f"You are signed in elsewhere as {shown(name)}, which cannot be a username here: up to {LONGEST_USERNAME} "
            "letters, digits and . _ @ - between them. Ask an administrator for another name."
        )
    return name


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address of a URL is this machine, so that nobody listens on the way."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
