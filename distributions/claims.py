"""What an upload form says of its file, and whether the file agrees.

The form is unreliable: clients differ in which fields they send and how they spell them. So metadata comes from the
file, and the form must only not contradict it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from distributions.core_metadata import CoreMetadata
from distributions.filenames import DistributionFilename
from distributions.reading import Distribution
from errors import DigestMismatch, Disagreement, InvalidRequest, shown

_HEX = frozenset("0123456789abcdef")
_DIGEST_LENGTHS = {"sha256": 64, "md5": 32, "blake2b": 64}
_FILETYPES = {"sdist", "bdist_wheel"}


@dataclass(frozen=True, slots=True)
class Claim:
    """The form's own words on its file. What is None was not said. Digests are hex, in any case."""

    filename: str
    name: str | None = None
    version: str | None = None
    filetype: str | None = None
    pyversion: str | None = None
    sha256: str | None = None
    md5: str | None = None
    blake2b: str | None = None
    requires_python: str | None = None
    requires_dist: tuple[str, ...] = ()
    attestations: str | None = None
    comment: str = ""

    def must_match(self, digests: dict[str, str]) -> None:
        """Each digest that the form gives must be that of the bytes. Raises InvalidRequest, DigestMismatch."""
        for algorithm, length in _DIGEST_LENGTHS.items():
            said = getattr(self, algorithm)
            if said is None:
                continue
            said = said.strip().lower()
            if algorithm == "blake2b" and len(said) == 128 and self.sha256 is not None:
                continue  # distutils of Python 3.8 to 3.11 sends BLAKE2b-512 in this field; its sha256 is checked
            if len(said) != length or not _HEX.issuperset(said):
                raise InvalidRequest(
                    f"The {algorithm} digest of the form must be {length} hexadecimal digits; send it so."
                )
            if not hmac.compare_digest(said, digests[algorithm]):
                raise DigestMismatch(
                    f"The {algorithm} of the received file is {digests[algorithm]}, the form said {said}; upload again."
                )

    def must_agree_with_filename(self, filename: DistributionFilename) -> None:
        """Name, version and type of the form must be those of the filename. Raises Disagreement, InvalidRequest."""
        if self.name is not None and canonicalize_name(self.name) != filename.project:
            raise Disagreement(
                f"The form's name {shown(self.name)} is not that of the file {shown(filename.filename)}; "
                "both must name the same project."
            )
        if self.version is not None and not _same_version(self.version, filename.version):
            raise Disagreement(
                f"The form's version {shown(self.version)} is not that of the file {shown(filename.filename)}; "
                f"the filename says {filename.version}."
            )
        if self.filetype is not None and self.filetype not in _FILETYPES:
            raise InvalidRequest(
                f"The filetype {shown(self.filetype)} is not taken; upload a wheel (bdist_wheel) or an sdist."
            )
        if self.filetype is not None and self.filetype != filename.kind:
            raise Disagreement(
                f"The form's filetype {shown(self.filetype)} does not fit the file {shown(filename.filename)}, "
                f"which is a {filename.kind}."
            )
        if filename.kind == "sdist" and self.pyversion not in {None, "", "source"}:
            raise InvalidRequest(f"The pyversion of an sdist must be 'source', not {shown(self.pyversion)}.")

    def must_agree_with(self, distribution: Distribution) -> None:
        """What the form says of dependencies must be what the file says. Raises Disagreement."""
        metadata: CoreMetadata = distribution.metadata
        if self.requires_python and _specifiers(self.requires_python) != _specifiers(metadata.requires_python or ""):
            raise Disagreement(
                f"The form's requires_python {shown(self.requires_python)} is not the file's "
                f"{shown(metadata.requires_python or '')}; what installers get is the file's."
            )
        if self.requires_dist and _requirements(self.requires_dist) != _requirements(metadata.requires_dist):
            raise Disagreement(
                "The form's requires_dist are not those of the file's metadata; what installers get is the file's, "
                "so build and upload it again."
            )


def _same_version(said: str, version: Version) -> bool:
    if len(said) > 200:
        return False
    try:
        return Version(said) == version
    except (InvalidVersion, ValueError):  # ValueError: more digits than Python turns into a number
        return False


def _specifiers(text: str) -> SpecifierSet | str:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return text


def _requirements(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_requirement, texts))


def _requirement(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text.strip()
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement)
