"""Small secrets that the server has to read again, encrypted at rest: AES-256-GCM under the server's secret key.

Whoever sees only the database, or a backup of it, reads none of them. Each purpose has a key of its own (HKDF-SHA256,
RFC 5869), and the owner is authenticated with the secret: a sealed text copied to another row does not open there.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from errors import Unavailable

_FORM = "s1."
_KEY_BYTES, _NONCE_BYTES = 32, 12
_RETRY_SECONDS = 3600


class Sealer:
    """Seals and opens with keys derived from the server's secret key.

    ``purpose`` is what people call the secret, as "second factor": a constant, since the key hangs on it. ``owner`` is
    the id of the row that the secret belongs to, one that never changes.
    """

    def __init__(self, secret_key: bytes) -> None:
        self._secret_key = secret_key

    def seal(self, text: str, purpose: str, owner: str) -> str:
        """The text encrypted: ``s1.`` and base64url of nonce, ciphertext and tag. Different each time."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher(purpose).encrypt(nonce, text.encode(), owner.encode())
        return _FORM + base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str, purpose: str, owner: str) -> str:
        """The text again.

        Raises Unavailable where it was sealed with another secret key, for another purpose or owner, or was changed.
        The asker did nothing wrong, so neither Invalid nor NotAuthenticated fits: the latter would count as a wrong
        code. Nor may the caller go on as if there were no secret, which would drop a second factor. It is the
        operator's to put right, and a 503 is what monitoring notices.
        """
        encoded = sealed.removeprefix(_FORM) if sealed.startswith(_FORM) else ""
        try:
            raw = base64.b64decode(encoded, altchars=b"-_", validate=True)
            nonce, ciphertext = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return self._cipher(purpose).decrypt(nonce, ciphertext, owner.encode()).decode()
        except (InvalidTag, ValueError):
            raise Unavailable(
                f"The {purpose} cannot be read with this secret key; an administrator has to put the former secret "
                f"key back, or reset the {purpose}.",
                _RETRY_SECONDS,
            ) from None

    def _cipher(self, purpose: str) -> AESGCM:
        label = f"pypi-clone sealing 1: {purpose}".encode()
        return AESGCM(HKDF(SHA256(), _KEY_BYTES, salt=None, info=label).derive(self._secret_key))
