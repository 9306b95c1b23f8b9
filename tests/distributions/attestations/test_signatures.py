"""Signature, certificate and log entry belong to each other and to the public instance, bit for bit."""

from __future__ import annotations

import base64
import json

import pytest

from errors import InvalidAttestation
from tests.distributions.attestations.recorded import (
    ENTRY,
    GITHUB,
    HELD,
    MATERIAL,
    STAGING,
    Path_,
    Upload,
    changed,
    flipped,
    statement_of,
    value_at,
)


@pytest.mark.parametrize(
    ("place", "index"),
    [
        (("envelope", "signature"), -1),
        (("envelope", "statement"), -20),
        ((*MATERIAL, "certificate"), 100),
        ((*MATERIAL, "certificate"), -1),
        ((*ENTRY, "canonicalizedBody"), 50),
        ((*ENTRY, "logId", "keyId"), 0),
        ((*ENTRY, "inclusionPromise", "signedEntryTimestamp"), -1),
        ((*ENTRY, "inclusionProof", "rootHash"), 0),
        ((*ENTRY, "inclusionProof", "hashes", 3), 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("upload", HELD, ids=lambda one: one.publisher["kind"])
def test_one_bit_is_enough(upload: Upload, place: Path_, index: int) -> None:
    """Signature, statement, certificate, log entry: whichever bit differs, the attestation does not hold."""
    with pytest.raises(InvalidAttestation, match=r"^Attestation 1 does not hold: .*; attest the file again, or upload"):
        upload.verify([flipped(upload.documents()[0], place, index)])


def test_the_digest_in_the_statement_is_signed() -> None:
    """A statement rewritten for another file does not carry its signature along."""
    document, other = GITHUB.documents()[0], "0" * 64
    statement = json.dumps(statement_of(document)).replace(GITHUB.sha256, other)
    rewritten = changed(document, ("envelope", "statement"), base64.b64encode(statement.encode()).decode())
    with pytest.raises(InvalidAttestation, match="does not hold"):
        GITHUB.verify([rewritten], sha256=other)


@pytest.mark.parametrize("place", [("envelope",), MATERIAL, (*MATERIAL, "certificate"), ENTRY], ids=str)
def test_parts_of_two_attestations_make_none(place: Path_) -> None:
    """Each part belongs to the others: two real attestations of one run cannot be mixed."""
    publish, slsa = GITHUB.documents()
    with pytest.raises(InvalidAttestation, match="Attestation 2 does not hold"):
        GITHUB.verify([publish, changed(slsa, place, value_at(publish, place))])


def test_staging_is_not_trusted() -> None:
    """Sigstore's instance for experiments signs for everybody; only its public instance counts."""
    with pytest.raises(InvalidAttestation, match="does not hold"):
        STAGING.verify()


@pytest.mark.parametrize("place", [("envelope", "statement"), (*MATERIAL, "certificate"), ENTRY], ids=str)
def test_garbled_bytes_are_refused(place: Path_) -> None:
    """The same for bytes all over certificate, statement and log entry."""
    document = GITHUB.documents()[0]
    place = (*place, "canonicalizedBody") if place == ENTRY else place
    for index in range(0, len(base64.b64decode(value_at(document, place))), 7):
        with pytest.raises(InvalidAttestation):
            GITHUB.verify([flipped(document, place, index)])


def test_strange_certificates_are_refused() -> None:
    """An unknown version, a negative serial number, broken lengths: refused too, where warnings are errors as well."""
    document = GITHUB.documents()[0]
    for index in range(40):
        for bits in (2, 4, 8, 0x80, 0xFF):
            with pytest.raises(InvalidAttestation):
                GITHUB.verify([flipped(document, (*MATERIAL, "certificate"), index, bits)])
