"""Real attestations, recorded in bundles/, and copies of them that differ in one place."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributions.attestations import Verified, verify

BUNDLES = Path(__file__).resolve().parent / "bundles"
SLSA = "https://slsa.dev/provenance/v1"
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Upload:
    """Recorded attestations, and the file and publisher that they are of."""

    bundles: tuple[str, ...]
    filename: str
    sha256: str
    publisher: Mapping[str, str | None]

    def documents(self) -> list[dict[str, Any]]:
        """The attestations, parsed."""
        return [json.loads((BUNDLES / f"{name}.json").read_text()) for name in self.bundles]

    def verify(self, documents: list[Any] | None = None, **other: Any) -> Verified:
        """Verify them, or others in their place, with what is given instead of the truth."""
        said = {"filename": self.filename, "sha256": self.sha256, "publisher": self.publisher, **other}
        return verify(json.dumps(self.documents() if documents is None else documents), **said)


GITHUB = Upload(
    ("github-publish", "github-slsa"),
    "pypi_attestations-0.0.19.tar.gz",
    "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3",
    {
        "kind": "GitHub",
        "repository": "trailofbits/pypi-attestations",
        "workflow": "release.yml",
        "environment": "release",
    },
)
GITLAB = Upload(
    ("gitlab-publish",),
    "gitlab_oidc_project-0.0.3.tar.gz",
    "c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8",
    {"kind": "GitLab", "repository": "facutuesca/gitlab-oidc-project", "workflow_filepath": ".gitlab-ci.yml"},
)
GOOGLE = Upload(
    ("google-publish",),
    "gcb_attestation_test-0.0.0.tar.gz",
    "461317362419124b6012e855423a9078d6de8aed3e74fa78cc74d669b23dc6cf",
    {"kind": "Google", "email": "919436158236-compute@developer.gserviceaccount.com"},
)
STAGING = Upload(
    ("staging-publish",),
    "rfc8785-0.1.2-py3-none-any.whl",
    "c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201",
    {"kind": "Google", "email": "william@yossarian.net"},
)
HELD = [GITHUB, GITLAB, GOOGLE]
MATERIAL = ("verification_material",)
ENTRY: Path_ = (*MATERIAL, "transparency_entries", 0)


def value_at(document: Any, place: Path_) -> Any:
    """What stands at a place."""
    for key in place:
        document = document[key]
    return document


def changed(document: dict[str, Any], place: Path_, value: Any) -> dict[str, Any]:
    """A copy with another value at a place."""
    other = copy.deepcopy(document)
    value_at(other, place[:-1])[place[-1]] = value
    return other


def flipped(document: dict[str, Any], place: Path_, index: int, bits: int = 1) -> dict[str, Any]:
    """A copy in which one bit of base64's contents differs, or more of one byte."""
    raw = bytearray(base64.b64decode(value_at(document, place)))
    raw[index] ^= bits
    return changed(document, place, base64.b64encode(raw).decode())


def statement_of(document: dict[str, Any]) -> dict[str, Any]:
    """The statement that was signed."""
    found: dict[str, Any] = json.loads(base64.b64decode(document["envelope"]["statement"]))
    return found
