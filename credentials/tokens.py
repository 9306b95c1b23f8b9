"""API tokens: ``pcl_<id>_<secret>_<checksum>``.

The prefix lets secret scanners know them, the id finds the row, the secret has 256 bits and is kept as its SHA-256,
the checksum tells a typing mistake from a wrong token without asking the database.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass

PREFIX = "pcl"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 10, 43, 6


@dataclass(frozen=True, slots=True)
class TokenText:
    """The parts of a token. Its text is shown once, when it is made."""

    id: str
    secret: str

    @property
    def text(self) -> str:
        """The whole token."""
        return f"{PREFIX}_{self.id}_{self.secret}_{_checksum(self.id, self.secret)}"

    @property
    def secret_sha256(self) -> str:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def fits(self, secret_sha256: str) -> bool:
        """Whether the secret is the one kept, compared in constant time."""
        return hmac.compare_digest(self.secret_sha256, secret_sha256)


def make_token() -> TokenText:
    """A new token."""
    return TokenText(_random(_ID_LENGTH), _random(_SECRET_LENGTH))


def read_token(text: str) -> TokenText | None:
    """The parts of what a client sent; None if it has not the form of a token or was mistyped."""
    parts = text.strip().split("_")
    if len(parts) != 4 or parts[0] != PREFIX or len(parts[1]) != _ID_LENGTH or len(parts[2]) != _SECRET_LENGTH:
        return None
    if not all(part.isascii() and part.isalnum() for part in parts) or parts[3] != _checksum(parts[1], parts[2]):
        return None
    return TokenText(parts[1], parts[2])


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(token_id: str, secret: str) -> str:
    number = zlib.crc32(f"{token_id}_{secret}".encode())
    letters = []
    for _ in range(_CHECKSUM_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(letters)
