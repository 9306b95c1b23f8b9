"""An upstream's address as people write it, with a name and a password in it, taken apart."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from errors import InvalidRequest


class Apart(NamedTuple):
    """An address without credentials, and those. ``password`` is None where the address has none."""

    url: str
    username: str
    password: str | None


def apart(text: str) -> Apart:
    """Take the credentials out of an address (RFC 3986, 3.2.1). Raises InvalidRequest, which does not repeat them."""
    try:
        parts = urlsplit(text.strip())
        username, password = parts.username, parts.password
    except ValueError as error:
        raise InvalidRequest(
            "The upstream is no address; send one such as https://index.example.com/simple/."
        ) from error
    host = parts.netloc.rpartition("@")[2]
    bare = urlunsplit(parts._replace(netloc=host))
    return Apart(bare, unquote(username or ""), unquote(password) if password is not None else None)
