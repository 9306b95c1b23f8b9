"""Signing certificates of Sigstore: to whom one was given, whether that is a publisher (PEP 740), and what it says.

A certificate is asked only after its chain was verified, so its words are Sigstore's on the identity that signed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from errors import InvalidAttestation, shown

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# Extensions 1.3.6.1.4.1.57264.1.N of the certificate (Fulcio's oid-info), by N, in the words of a page.
_OID = "1.3.6.1.4.1.57264.1."
_ISSUER, _REPOSITORY, _COMMIT, _REF, _WORKFLOW = 8, 12, 13, 14, 18
_WORDS = {
    _REPOSITORY: "Repository",
    _WORKFLOW: "Workflow",
    _COMMIT: "Commit",
    _REF: "Branch or tag",
    20: "Triggered by",
    21: "Run",
    11: "Runner",
    16: "Repository owner",
    22: "Repository visibility",
    _ISSUER: "Identity provider",
}


@dataclass(frozen=True, slots=True)
class _Forge:
    """Where workflows run: who vouches for them, where the repositories are, and how a workflow is addressed."""

    issuer: str
    home: str
    field: str  # of the publisher, for the workflow's file
    folder: str


_FORGES = {
    "GitHub": _Forge(
        "https://token.actions.githubusercontent.com", "https://github.com/", "workflow", "/.github/workflows/"
    ),
    "GitLab": _Forge("https://gitlab.com", "https://gitlab.com/", "workflow_filepath", "//"),
}
_GOOGLE = "https://accounts.google.com"


def publisher_fields(publisher: Mapping[str, str | None]) -> dict[str, str | None]:
    """The fields of PEP 740 for this kind of publisher. Raises InvalidAttestation where it has no attestations."""
    kind = publisher.get("kind") or ""
    forge = _FORGES.get(kind)
    if forge is None and kind != "Google":
        raise InvalidAttestation(
            f"Attestations of publishers of kind {shown(kind)} are not taken; upload without attestations."
        )
    needed = ("email",) if forge is None else ("repository", forge.field)
    for field in needed:
        if not publisher.get(field):
            raise InvalidAttestation(f"The {kind} publisher has no {field}; an owner of the project has to set it.")
    optional = () if forge is None else ("environment",)
    return {field: publisher.get(field) for field in ("kind", *needed, *optional)}


def is_of_publisher(certificate: Certificate, publisher: Mapping[str, str | None]) -> bool:
    """Whether the certificate was given to this publisher, whose fields ``publisher_fields`` gave."""
    forge = _FORGES.get(publisher["kind"] or "")
    return _is_of_account(certificate, publisher) if forge is None else _is_of_workflow(certificate, publisher, forge)


def _is_of_account(certificate: Certificate, publisher: Mapping[str, str | None]) -> bool:
    from sigstore.errors import VerificationError
    from sigstore.verify.policy import Identity

    try:
        Identity(identity=publisher["email"] or "", issuer=_GOOGLE).verify(certificate)
    except VerificationError:
        return False
    return True


def _is_of_workflow(certificate: Certificate, publisher: Mapping[str, str | None], forge: _Forge) -> bool:
    """The publisher names a workflow's file, the certificate that file at a commit or ref; its own complete ours."""
    claims = _claims(certificate)
    repository = f"{forge.home}{publisher['repository']}"
    workflow = f"{repository}{forge.folder}{publisher[forge.field]}"
    expected = {f"{workflow}@{claims[number]}" for number in (_COMMIT, _REF) if number in claims}
    return (
        claims.get(_ISSUER) == forge.issuer
        and claims.get(_REPOSITORY) == repository
        and claims.get(_WORKFLOW) in expected
    )


def _claims(certificate: Certificate) -> dict[int, str]:
    """What the certificate's extensions say, by the last number of their identifier; each a DER UTF8String."""
    from cryptography.hazmat.asn1 import decode_der
    from cryptography.x509 import UnrecognizedExtension

    found = {}
    for extension in certificate.extensions:
        start, _, number = extension.oid.dotted_string.rpartition(".")
        if f"{start}." == _OID and int(number) in _WORDS and isinstance(extension.value, UnrecognizedExtension):
            found[int(number)] = decode_der(str, extension.value.value)
    return found


def signer(certificate: Certificate) -> str:
    """Whom the certificate names: the workflow's address, or the account's."""
    from cryptography.x509 import RFC822Name, SubjectAlternativeName, UniformResourceIdentifier

    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    return ", ".join([*names.get_values_for_type(UniformResourceIdentifier), *names.get_values_for_type(RFC822Name)])


def facts(certificate: Certificate, entry: Mapping[str, Any]) -> dict[str, str]:
    """What the certificate and its transparency log entry say of the signing, in words for a page."""
    claims = _claims(certificate)
    return {
        "Signed by": signer(certificate),
        **{word: claims[number] for number, word in _WORDS.items() if number in claims},
        "Certificate valid": f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} to "
        f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC",
        "Transparency log entry": str(entry["logIndex"]),
        "Transparency log": base64.b64decode(entry["logId"]["keyId"]).hex(),
    }
