"""Only what the issuer signed is believed: by a key that it publishes, with that key's own algorithm (S121)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from credentials.issuers import Issuers
from errors import InvalidIdentityToken
from tests.credentials.issuers.verifying import verify
from tests.credentials.mock_issuer import JWKS, MockIssuer, PrivateKey, mock_issuer, public_jwk, public_pem, rsa_key


def sealed(header: dict[str, Any], claims: dict[str, Any], secret: bytes | PrivateKey | None = None) -> str:
    """A token made by hand, as a library refuses to: signed with HMAC, with RSA, or not at all."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    seal = b""
    if isinstance(secret, bytes):
        seal = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    elif isinstance(secret, rsa.RSAPrivateKey):
        seal = secret.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{part(seal)}"


def test_unsigned_token_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: alg none, in whatever case."""
    assert issuer.token(algorithm="none", key="").endswith(".")
    for word in ("none", "None", "NONE", ""):
        with pytest.raises(InvalidIdentityToken, match="only RS256 and ES256"):
            verify(issuers, issuer, sealed({"alg": word, "kid": issuer.key_id()}, issuer.claims()))


def test_public_key_is_no_secret(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: HS256 with the public key as its secret, whichever algorithm the header claims."""
    for algorithm in ("HS256", "RS256", "ES256"):
        secret = public_pem(issuer.key(algorithm))
        with pytest.raises(InvalidIdentityToken):
            verify(
                issuers,
                issuer,
                sealed({"alg": algorithm, "kid": issuer.key_id(algorithm)}, issuer.claims(), secret),
            )


@pytest.mark.parametrize("algorithm", ["PS256", "RS512", "ES384", "EdDSA", ["RS256"], {"RS256": 1}, None, 7])
def test_other_algorithms_are_refused(issuers: Issuers, issuer: MockIssuer, algorithm: Any) -> None:
    """The algorithm is one of two, and nothing else can stand in the header."""
    token = sealed({"alg": algorithm, "kid": issuer.key_id()}, issuer.claims())
    with pytest.raises(InvalidIdentityToken):
        verify(issuers, issuer, token)


def test_algorithm_of_another_key_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """A key is used with its own algorithm only."""
    token = issuer.token(algorithm="ES256", kid=issuer.key_id("RS256"))
    with pytest.raises(InvalidIdentityToken):
        verify(issuers, issuer, token)


def test_keys_in_the_token_are_not_believed(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: embedded jwk, jku and x5u are never looked at, whether the name of the key is known or not."""
    stranger = rsa_key(99)
    with mock_issuer() as theirs:
        theirs.keys = [public_jwk(stranger, issuer.key_id(), "RS256")]
        embedded = {
            "jwk": public_jwk(stranger, issuer.key_id(), "RS256"),
            "jku": theirs.url + JWKS,
            "x5u": theirs.url + "/certificate",
        }
        for kid in (issuer.key_id(), "unheard-of", ""):
            with pytest.raises(InvalidIdentityToken):
                verify(issuers, issuer, issuer.token(key=stranger, kid=kid, headers=embedded))
        assert not theirs.counts


def test_other_key_of_the_same_name_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: the name of a key proves nothing."""
    with pytest.raises(InvalidIdentityToken, match="signature"):
        verify(issuers, issuer, issuer.token(key=rsa_key(99), kid=issuer.key_id()))


def test_keys_of_another_issuer_are_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """An issuer that is trusted for itself cannot sign for another, also under the other's key name (TOB26-12)."""
    with mock_issuer() as other:
        assert verify(issuers, other, other.token())
        other.rotate()
        with pytest.raises(InvalidIdentityToken):
            verify(issuers, issuer, other.token(iss=issuer.url, kid=issuer.key_id()))


@pytest.mark.parametrize(
    "headers", [{"crit": ["exp"], "exp": 1}, {"crit": ["unheard-of"]}, {"crit": []}, {"b64": True, "crit": ["b64"]}]
)
def test_critical_extensions_are_refused(issuers: Issuers, issuer: MockIssuer, headers: dict[str, Any]) -> None:
    """S121: crit names what a reader has to know; this one knows none of it."""
    with pytest.raises(InvalidIdentityToken, match="crit"):
        verify(
            issuers, issuer, sealed({"alg": "RS256", "kid": issuer.key_id(), **headers}, issuer.claims(), issuer.key())
        )
    assert verify(issuers, issuer, sealed({"alg": "RS256", "kid": issuer.key_id()}, issuer.claims(), issuer.key()))


def test_changed_token_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """A claim that was changed after signing is noticed."""
    head, _, seal = issuer.token().split(".")
    _, body, _ = issuer.token(sub="somebody-else").split(".")
    with pytest.raises(InvalidIdentityToken, match="signature"):
        verify(issuers, issuer, f"{head}.{body}.{seal}")


def test_key_without_a_name(issuers: Issuers, issuer: MockIssuer) -> None:
    """A token that names no key is checked with the issuer's only one; if it has several, it must name one."""
    assert verify(issuers, issuer, issuer.token(kid=""))
    with mock_issuer() as other:
        other.rotate(keep_old=True)
        with pytest.raises(InvalidIdentityToken, match="does not publish"):
            verify(issuers, other, other.token(kid=""))


def test_useless_keys_are_passed_over(issuers: Issuers, issuer: MockIssuer) -> None:
    """Keys for encryption, of unknown kinds, too small or malformed do no harm to the others, and are not used."""
    small, wide = rsa_key(0, 1024), ec.generate_private_key(ec.SECP384R1())
    issuer.keys = [
        "no key",  # type: ignore[list-item]
        {"kty": "unheard-of"},
        {"kty": "RSA", "n": 7, "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"},
        public_jwk(small, "small", "RS256"),
        public_jwk(wide, "wide", "ES256"),
        {**public_jwk(rsa_key(98), "enc", "RS256"), "use": "enc"},
        *issuer.keys,
    ]
    assert verify(issuers, issuer, issuer.token())
    with pytest.raises(InvalidIdentityToken, match="does not publish"):
        verify(issuers, issuer, issuer.token(key=rsa_key(98), kid="enc"))
    for kid, algorithm in (("small", "RS256"), ("wide", "ES256"), ("oct", "HS256")):
        with pytest.raises(InvalidIdentityToken, match=r"does not publish|only RS256"):
            verify(issuers, issuer, sealed({"alg": algorithm, "kid": kid}, issuer.claims()))
