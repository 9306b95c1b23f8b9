"""Signed by somebody is not enough: it must be the publisher who uploads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from distributions.signing_certificates import is_of_publisher
from errors import InvalidAttestation
from tests.distributions.attestations.recorded import (
    GITHUB,
    GOOGLE,
)


@pytest.mark.parametrize(
    "other",
    [
        {"repository": "trailofbits/other"},
        {"repository": "trailofbits/pypi-attestations/.github"},
        {"repository": "trailofbits"},
        {"workflow": "tests.yml"},
        {"workflow": "release.yml@refs/tags/v0.0.19"},
        {"workflow": "release.yaml"},
        {"kind": "GitLab", "workflow_filepath": "release.yml"},
        {"kind": "Google", "email": "release@example.com"},
    ],
    ids=str,
)
def test_another_publisher_is_refused(other: dict[str, str]) -> None:
    """Signed by somebody is not enough: it must be the publisher who uploads, and the refusal names both."""
    said = r"was signed by 'https://github\.com/trailofbits/.*release\.yml@refs/tags/v0\.0\.19', which is not the publ"
    with pytest.raises(InvalidAttestation, match=said) as refused:
        GITHUB.verify(publisher={**GITHUB.publisher, **other})
    assert all(repr(value) in refused.value.sentence for value in other.values())


@pytest.mark.parametrize(
    "other", [{"email": "a@example.com"}, {"kind": "GitHub", "repository": "a/b", "workflow": "c"}]
)
def test_another_account_is_refused(other: dict[str, str]) -> None:
    """The same for service accounts."""
    with pytest.raises(InvalidAttestation, match="was signed by '919436158236-compute@"):
        GOOGLE.verify(publisher={**GOOGLE.publisher, **other})


def certificate(claims: Mapping[int, str]) -> x509.Certificate:
    """A certificate that nobody trusts, with these of Fulcio's extensions (DER UTF8Strings)."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(minutes=10))
    )
    for number, value in claims.items():
        oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, encode_der(value)), critical=False)
    return builder.sign(key, hashes.SHA256())


CLAIMS = {
    8: "https://token.actions.githubusercontent.com",
    12: "https://github.com/owner/project",
    13: "c0ffee",
    14: "refs/heads/main",
    18: "https://github.com/owner/project/.github/workflows/release.yml@refs/heads/main",
}
AT_COMMIT = "https://github.com/owner/project/.github/workflows/release.yml@c0ffee"


@pytest.mark.parametrize(
    ("other", "held"),
    [
        ({}, True),
        ({18: AT_COMMIT}, True),
        ({8: "https://gitlab.com"}, False),
        ({8: None}, False),
        ({12: "https://github.com/owner/fork"}, False),
        ({12: None}, False),
        ({14: "refs/heads/other"}, False),
        ({14: None}, False),
        ({13: None, 14: None}, False),
        ({18: "https://github.com/owner/project/.github/workflows/release.yml"}, False),
        ({18: "https://github.com/owner/project/.github/workflows/tests.yml@refs/heads/main"}, False),
        ({18: None}, False),
    ],
    ids=str,
)
def test_every_word_of_a_certificate_counts(other: dict[int, str | None], held: bool) -> None:
    """Issuer, repository and workflow, the latter at the certificate's own commit or ref, must all be right."""
    claims = {number: value for number, value in (CLAIMS | other).items() if value is not None}
    publisher = {"kind": "GitHub", "repository": "owner/project", "workflow": "release.yml"}
    assert is_of_publisher(certificate(claims), publisher) is held


@pytest.mark.parametrize(
    ("publisher", "said"),
    [
        ({"kind": "ActiveState"}, "of kind 'ActiveState' are not taken"),
        ({}, "of kind '' are not taken"),
        ({"kind": "GitHub", "repository": "a/b"}, "has no workflow"),
        ({"kind": "GitLab", "repository": "", "workflow_filepath": "c"}, "has no repository"),
        ({"kind": "Google", "email": None}, "has no email"),
    ],
)
def test_publishers_without_attestations(publisher: dict[str, str | None], said: str) -> None:
    """Where nothing is known that a certificate could say, nothing is verified."""
    with pytest.raises(InvalidAttestation, match=said):
        GITHUB.verify(publisher=publisher)
