"""A passkey device made of software, which signs as an authenticator does and can be told to do it wrongly."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

from credentials.passkeys import Registered, Used, new_challenge, verify_authentication, verify_registration

RP_ID, ORIGIN = "index.example.com", "https://index.example.com"
PRESENT, VERIFIED, SYNCABLE, HAS_KEY = 0x01, 0x04, 0x08, 0x40


@dataclass
class Device:
    """An authenticator with one passkey. What it says can be changed by attribute and by argument."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 1
    rp_id: str = RP_ID
    flags: int = PRESENT | VERIFIED

    @property
    def cose_key(self) -> dict[int, Any]:
        """The public key as COSE writes it (RFC 9053): ES256 on P-256."""
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def create(
        self, challenge: bytes, /, *, cose_key: object = None, statement: object = None, **client: object
    ) -> str:
        """The answer to a registration."""
        key = cbor2.dumps(self.cose_key if cose_key is None else cose_key)
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        stated = {"fmt": "none", "attStmt": {}, "authData": self._data(HAS_KEY) + made}
        return self._answer(
            clientDataJSON=client_data("webauthn.create", challenge, **client),
            attestationObject=cbor2.dumps(stated if statement is None else statement),
        )

    def get(self, challenge: bytes, /, **client: object) -> str:
        """The answer to a sign-in, signed."""
        said, data = client_data("webauthn.get", challenge, **client), self._data()
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signature, userHandle=b"user 7")

    def _data(self, flags: int = 0) -> bytes:
        hashed = hashlib.sha256(self.rp_id.encode()).digest()
        return hashed + bytes([self.flags | flags]) + self.count.to_bytes(4, "big")

    def _answer(self, **response: bytes) -> str:
        named = bytes_to_base64url(self.id)
        parts = {name: bytes_to_base64url(value) for name, value in response.items()}
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": parts})


def client_data(kind: str, challenge: bytes, /, **said: object) -> bytes:
    """What the browser says of the page."""
    return json.dumps({"type": kind, "challenge": bytes_to_base64url(challenge), "origin": ORIGIN, **said}).encode()


def changed(answer: str, *path: str, to: object) -> str:
    """An answer with one value replaced."""
    whole: dict[str, Any] = json.loads(answer)
    place = whole
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return json.dumps(whole)


def register(answer: str, challenge: bytes) -> Registered:
    """Verified as this server does."""
    return verify_registration(answer, challenge, RP_ID, ORIGIN)


def sign_in(answer: str, challenge: bytes, known: Registered, sign_count: int | None = None) -> Used:
    """Verified against what was kept of a passkey."""
    kept = known.sign_count if sign_count is None else sign_count
    return verify_authentication(answer, challenge, RP_ID, ORIGIN, known.public_key, kept)


CHALLENGE = new_challenge()
DEVICE = Device()
KNOWN = register(DEVICE.create(CHALLENGE), CHALLENGE)
