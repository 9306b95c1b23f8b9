"""What is served of attestations is a provenance object of PEP 740, with what was verified and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pypi_attestations import Distribution, Provenance

from distributions.attestations import provenance
from tests.distributions.attestations.recorded import (
    GITHUB,
    HELD,
    SLSA,
    Upload,
    statement_of,
)


@pytest.mark.parametrize("upload", HELD, ids=lambda one: one.publisher["kind"])
def test_the_reference_agrees_with_the_provenance(
    upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is served is a provenance object whose every attestation holds for the reference implementation too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = Provenance.model_validate_json(provenance(upload.verify()))
    [bundle] = found.attestation_bundles
    assert len(bundle.attestations) == len(upload.bundles)
    for attestation in bundle.attestations:
        attestation.verify(bundle.publisher, Distribution(name=upload.filename, digest=upload.sha256), offline=True)


def test_provenance_is_of_pep_740() -> None:
    """One bundle with the publisher's fields, claims among them, and the attestations; equal text for equal values."""
    text = provenance(GITHUB.verify())
    found = json.loads(text)
    assert found.keys() == {"version", "attestation_bundles"}
    assert found["version"] == 1
    [bundle] = found["attestation_bundles"]
    assert bundle["publisher"] == {**GITHUB.publisher, "claims": None}
    assert [statement_of(one)["predicateType"] for one in bundle["attestations"]][1] == SLSA
    assert bundle["attestations"][0].keys() == {"version", "verification_material", "envelope"}
    turned = [dict(reversed(one.items())) for one in GITHUB.documents()]
    assert provenance(GITHUB.verify(turned)) == text


def test_provenance_has_only_what_was_read() -> None:
    """Keys that nobody knows, and characters that are not base64, are not handed on."""
    document = GITHUB.documents()[0]
    text = provenance(GITHUB.verify([document]))
    odd = {**document, "note": "<script>"}
    odd["envelope"] = {**document["envelope"], "note": 1, "signature": "<>" + document["envelope"]["signature"]}
    assert provenance(GITHUB.verify([odd])) == text
    assert "<" not in text
