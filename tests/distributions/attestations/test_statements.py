"""A signed statement is of this file alone, by name and digest, and of a type that PyPI takes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from distributions import attestations
from distributions.attestations import Verified
from errors import InvalidAttestation, InvalidFilename
from tests.distributions.attestations.recorded import (
    GITHUB,
    changed,
    statement_of,
)


class BelievesAll:
    """In the verifier's place, for statements that nobody signed."""

    def verify_dsse(self, bundle: Any, policy: Any) -> tuple[str, bytes]:
        """Hand the statement over, unverified."""
        return "application/vnd.in-toto+json", bundle._dsse_envelope._inner.payload


def stated(monkeypatch: pytest.MonkeyPatch, statement: Any, filename: str = GITHUB.filename) -> Verified:
    """What comes of an attestation with this statement, if its signature held."""
    monkeypatch.setattr(attestations, "_verifier", BelievesAll)
    raw = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
    document = changed(GITHUB.documents()[0], ("envelope", "statement"), base64.b64encode(raw).decode())
    return GITHUB.verify([document], filename=filename)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"sha256": "0" * 64}, "is of a file with sha256 '9bb1add0"),
        ({"filename": "pypi_attestations-0.0.20.tar.gz"}, "is of the file 'pypi_attestations-0.0.19.tar.gz', not of"),
        ({"filename": "pypi_attestations-0.0.19.zip"}, "is of the file"),
        ({"filename": "pypi_attestations-0.0.19-py3-none-any.whl"}, "is of the file"),
        ({"filename": "other-0.0.19.tar.gz"}, "is of the file"),
    ],
)
def test_another_file_is_refused(other: dict[str, Any], said: str) -> None:
    """An attestation is of one file: name and digest must both be its own."""
    with pytest.raises(InvalidAttestation, match=said):
        GITHUB.verify(**other)


def test_statements_are_of_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signed statement still has to be of this file, alone, and of a type that PyPI takes."""
    said = statement_of(GITHUB.documents()[0])
    [subject] = said["subject"]
    assert stated(monkeypatch, said).attestations[0].subject == GITHUB.filename
    for statement, refusal in (
        (said | {"subject": [subject, subject]}, "is of 2 files instead of one"),
        (said | {"subject": []}, "does not hold: 'malformed in-toto statement"),
        (said | {"subject": [{**subject, "name": None}]}, "names no distribution"),
        (said | {"subject": [{**subject, "name": "../etc/passwd"}]}, "names no distribution"),
        (said | {"subject": [{**subject, "digest": {"sha512": "0" * 128}}]}, "is of a file with sha256 'None'"),
        (said | {"predicateType": "https://example.com/predicate/v1"}, "'https://example.com/predicate/v1', which"),
        (said | {"_type": "https://in-toto.io/Statement/v0.1"}, "malformed in-toto statement"),
        ({"subjects" if key == "subject" else key: value for key, value in said.items()}, "has no in-toto statement"),
        (b"not json", "malformed in-toto statement"),
    ):
        with pytest.raises(InvalidAttestation, match=refusal):
            stated(monkeypatch, statement)


def test_filenames_are_compared_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of a wheel's tags, and how its name is spelled, do not matter."""
    said = statement_of(GITHUB.documents()[0])
    said["subject"][0]["name"] = "Sample-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    wheel = "sample-1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
    assert stated(monkeypatch, said, wheel).filename == wheel
    with pytest.raises(InvalidAttestation, match="is of the file"):
        stated(monkeypatch, said, "sample-1.0-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl")


def test_the_file_must_have_a_filename() -> None:
    """What is no distribution's filename has no attestations."""
    with pytest.raises(InvalidFilename):
        GITHUB.verify(filename="sample")
