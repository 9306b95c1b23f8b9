"""Attestations of an upload (PEP 740): whether they hold for the file and its publisher, and their provenance object.

An attestation is a statement on one file, signed with a key that lived for minutes. Its certificate says who had the
key (a workflow of a repository, a service account), its transparency log entry when. The checking is done by
``pypi_attestations`` and ``sigstore``, which are optional and heavy, so they are imported where they are first needed.

Nothing here opens a connection or writes a file. Sigstore's own way to work offline copies its trusted root into a
cache in the home directory and afterwards believes that copy, however old and whoever wrote it; so the root is read
from the installed library instead. It ages with the library: keys that the service takes into use later need a newer
``sigstore``.
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from distributions.filenames import DistributionFilename, parse_filename
from distributions.signing_certificates import facts, is_of_publisher, publisher_fields, signer
from errors import InvalidAttestation, InvalidFilename, InvalidSetting, InvalidVersion, shown

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pypi_attestations import Attestation
    from sigstore.verify import Verifier

LARGEST = 1 << 20  # bytes of JSON in one upload
MOST = 2  # attestations: one of each predicate type
MOST_VALUES = 1_000  # in all of the JSON; a real attestation has about 50

_LIBRARIES = ("pypi_attestations", "sigstore")
_TRUSTED_ROOT = ("https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
_AGAIN = "attest the file again, or upload it without attestations"


@dataclass(frozen=True, slots=True)
class VerifiedAttestation:
    """One attestation that holds. ``signed_at`` is the transparency log's word (UTC).

    ``facts`` are what the certificate and the log say of the signing, in words for a page, in its order.
    ``document`` is the attestation as PEP 740 writes it, without anything that Sigstore does not read.
    """

    predicate_type: str
    title: str
    subject: str
    signed_at: datetime
    facts: Mapping[str, str]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verified:
    """The attestations of one file, all of which hold for it and for ``publisher`` (fields of PEP 740)."""

    filename: str
    sha256: str
    publisher: Mapping[str, str | None]
    attestations: tuple[VerifiedAttestation, ...]

    def as_dict(self) -> dict[str, Any]:
        """What was verified, for a page or the API; plain values that JSON knows."""
        return {
            "filename": self.filename,
            "sha256": self.sha256,
            "publisher": dict(self.publisher),
            "attestations": [
                {
                    "predicate_type": one.predicate_type,
                    "title": one.title,
                    "subject": one.subject,
                    "signed_at": f"{one.signed_at:%Y-%m-%dT%H:%M:%SZ}",
                    "facts": dict(one.facts),
                }
                for one in self.attestations
            ],
        }


def available() -> bool:
    """Whether the libraries that verify attestations are installed; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in _LIBRARIES)


def verify(attestations_json: str, *, filename: str, sha256: str, publisher: Mapping[str, str | None]) -> Verified:
    """Verify the attestations of an upload against its file and the publisher who uploaded it (PEP 740).

    ``sha256`` is that of the received bytes, in hex. ``publisher`` has ``kind`` and that kind's fields: GitHub
    ``repository``, ``workflow``, ``environment``; GitLab ``repository``, ``workflow_filepath``, ``environment``; Google
    ``email``. The environment is kept, but certificates do not tell it, so it is not verified.

    Raises InvalidAttestation where there is none, more than one of a type or of another type than PyPI takes, or one
    that does not hold; InvalidFilename, InvalidVersion; InvalidSetting where the libraries are missing.
    """
    documents = _documents(attestations_json)
    parsed, known = parse_filename(filename), publisher_fields(publisher)
    must_be_available()
    verifier = _verifier()
    found = tuple(
        _Check(number, parsed, sha256.lower(), known, verifier).verify(document)
        for number, document in enumerate(documents, 1)
    )
    types = [one.predicate_type for one in found]
    if len(set(types)) < len(types):
        raise InvalidAttestation(f"Both attestations are of type {shown(types[0], 100)}; send one of each type.")
    return Verified(filename, sha256.lower(), known, found)


def provenance(verified: Verified) -> str:
    """The provenance object of a file (PEP 740), as JSON; equal for equal values.

    It takes what ``verify`` gave and nothing else, so nothing unverified can be served.
    """
    bundle = {
        "publisher": {**verified.publisher, "claims": None},
        "attestations": [one.document for one in verified.attestations],
    }
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}, sort_keys=True, separators=(",", ":"))


def must_be_available() -> None:
    """Raise InvalidSetting with what to install, where attestations cannot be verified."""
    if not available():
        raise InvalidSetting(
            "Attestations cannot be verified here, since pypi_attestations is not installed; "
            "install requirements-extras.txt."
        )


def _documents(text: str) -> list[dict[str, Any]]:
    if len(text.encode(errors="replace")) > LARGEST:
        raise InvalidAttestation(f"The attestations have more than {LARGEST:,} bytes; send fewer.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidAttestation("The attestations are not a JSON array of objects (PEP 740); send them so.")
    if not 1 <= len(found) <= MOST:
        raise InvalidAttestation(
            f"The upload has {len(found):,} attestations; send one or {MOST}, or leave the field out."
        )
    if _has_too_many_values(found):
        raise InvalidAttestation(f"The attestations have more than {MOST_VALUES:,} values in them; {_AGAIN}.")
    return found


def _has_too_many_values(found: list[Any]) -> bool:
    """The models keep an object for each wrong value: a mebibyte of ones would take half a gibibyte."""
    waiting, count = found.copy(), len(found)
    while waiting and count <= MOST_VALUES:
        value = waiting.pop()
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        waiting += inner
        count += len(inner)
    return count > MOST_VALUES


@dataclass(frozen=True, slots=True)
class _Check:
    """What the attestation with this number, from 1, has to hold for."""

    number: int
    filename: DistributionFilename
    sha256: str
    publisher: Mapping[str, str | None]
    verifier: Verifier

    def verify(self, document: Mapping[str, Any]) -> VerifiedAttestation:
        """Raises InvalidAttestation where it does not hold."""
        from pydantic import ValidationError
        from pypi_attestations import Attestation

        try:
            attestation = Attestation.model_validate(document)
        except ValidationError as error:
            raise self.refusal("is not in the form of PEP 740") from error
        entries = attestation.verification_material.transparency_entries
        if len(entries) != 1:  # the libraries verify the first, so others would be served unverified
            raise self.refusal(f"has {len(entries):,} transparency log entries instead of one")
        try:
            return self._verified(attestation)
        except _faults() as error:
            raise self.refusal(f"does not hold: {shown(error, 160)}") from error

    def _verified(self, attestation: Attestation) -> VerifiedAttestation:
        from cryptography.x509 import load_der_x509_certificate
        from pypi_attestations import Attestation, AttestationType
        from sigstore.dsse import Statement

        bundle = attestation.to_bundle()
        _, payload = self.verifier.verify_dsse(bundle, _Policy(self))
        Statement(payload)  # raises where it is not an in-toto statement
        statement = json.loads(payload)
        if not {"subject", "predicateType"} <= statement.keys():  # sigstore takes other spellings of them
            raise self.refusal("has no in-toto statement in it")
        self._must_be_of_the_file(statement["subject"])
        try:
            kind = AttestationType(statement["predicateType"])
        except ValueError as error:
            raise self.refusal(f"is of type {shown(statement['predicateType'])}, which PyPI does not take") from error
        titles = {
            AttestationType.PYPI_PUBLISH_V1: "PyPI publish attestation, version 1",
            AttestationType.SLSA_PROVENANCE_V1: "SLSA provenance, version 1",
        }
        plain = _document(Attestation.from_bundle(bundle))
        entry = plain["verification_material"]["transparency_entries"][0]
        return VerifiedAttestation(
            predicate_type=kind.value,
            title=titles[kind],
            subject=statement["subject"][0]["name"],
            signed_at=datetime.fromtimestamp(int(entry["integratedTime"]), UTC),
            facts=facts(load_der_x509_certificate(attestation.verification_material.certificate), entry),
            document=plain,
        )

    def _must_be_of_the_file(self, subjects: list[dict[str, Any]]) -> None:
        if len(subjects) != 1:
            raise self.refusal(f"is of {len(subjects):,} files instead of one")
        name, sha256 = subjects[0]["name"] or "", subjects[0]["digest"].get("sha256")
        try:
            same = _identity_of(parse_filename(name)) == _identity_of(self.filename)
        except (InvalidFilename, InvalidVersion) as refusal:
            raise self.refusal(f"names no distribution ({refusal.sentence[:100]})") from refusal
        if not same:
            raise self.refusal(f"is of the file {shown(name, 120)}, not of {shown(self.filename.filename, 120)}")
        if sha256 != self.sha256:
            raise self.refusal(f"is of a file with sha256 {shown(sha256, 64)}, not {self.sha256}")

    def refusal(self, what: str) -> InvalidAttestation:
        """What is wrong with this attestation, as a refusal."""
        return InvalidAttestation(f"Attestation {self.number} {what}; {_AGAIN}.")


class _Policy:
    """Whether a certificate was given to the publisher, as Sigstore's verifier asks it."""

    def __init__(self, check: _Check) -> None:
        self.check = check

    def verify(self, cert: Certificate) -> None:
        """Raises InvalidAttestation where it is somebody else's."""
        publisher = self.check.publisher
        if not is_of_publisher(cert, publisher):
            wanted = ", ".join(f"{field} {shown(value)}" for field, value in publisher.items() if value is not None)
            raise self.check.refusal(f"was signed by {shown(signer(cert), 200)}, which is not the publisher ({wanted})")


def _identity_of(parsed: DistributionFilename) -> tuple[object, ...]:
    """What two spellings of one file's name share."""
    return parsed.project, parsed.version, parsed.extension, parsed.build, parsed.tags


def _document(attestation: Attestation) -> dict[str, Any]:
    """An attestation as PEP 740 writes it, with plain base64: Sigstore's reading of it, so nothing else is left."""
    material, envelope = attestation.verification_material, attestation.envelope
    return {
        "version": 1,
        "verification_material": {
            "certificate": base64.b64encode(material.certificate).decode(),
            "transparency_entries": list(material.transparency_entries),
        },
        "envelope": {
            "statement": base64.b64encode(envelope.statement).decode(),
            "signature": base64.b64encode(envelope.signature).decode(),
        },
    }


@functools.cache
def _verifier() -> Verifier:
    """Sigstore's public instance as the installed library knows it; made once for all threads."""
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    with resources.as_file(resources.files("sigstore._store").joinpath(*_TRUSTED_ROOT)) as path:
        if not path.is_file():
            raise InvalidSetting(
                "The installed sigstore has no trusted root where it is looked for; install requirements-extras.txt."
            )
        return Verifier(trusted_root=TrustedRoot.from_file(str(path)))


@functools.cache
def _faults() -> tuple[type[Exception], ...]:
    """What the libraries raise on an attestation that does not hold or is garbled."""
    from cryptography import exceptions, x509
    from cryptography.utils import CryptographyDeprecationWarning
    from sigstore.errors import Error

    return (
        Error,
        ValueError,
        OverflowError,  # a time beyond what the platform counts
        OSError,
        CryptographyDeprecationWarning,  # of a serial number below 1, where warnings are errors
        exceptions.UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    )
