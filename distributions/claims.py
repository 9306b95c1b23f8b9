"""What an upload form says of its file, and whether the file agrees.

The form is unreliable: clients differ in which fields they send and how they spell them. So metadata comes from the
file, and the form must only not contradict it.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from distributions.core_metadata import LARGEST, CoreMetadata
from distributions.filenames import DistributionFilename
from distributions.reading import Distribution
from errors import DigestMismatch, Disagreement, InvalidRequest, shown

_HEX = frozenset("0123456789abcdef")
_DIGEST_LENGTHS = {"sha256": 64, "md5": 32, "blake2b": 64}
_FILETYPES = {"sdist", "bdist_wheel"}
_LONGEST = {"comment": 10_000, "requires_python": 1_000}
_LARGEST_ATTESTATIONS = 256 << 10  # bytes
_MOST_REQUIREMENTS = 2_000
_LONGEST_REQUIREMENT = 5_000
_NAME = re.compile(r"\s*([A-Za-z0-9._-]*)")


@dataclass(frozen=True, slots=True)
class Claim:
    """The form's own words on its file. What is None was not said. Digests are hex, in any case.

    Making one raises InvalidRequest for more words than an honest form has: comparing them would take long.
    """

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

    def __post_init__(self) -> None:
        for field, longest in _LONGEST.items():
            length = len(getattr(self, field) or "")
            if length > longest:
                raise InvalidRequest(f"The field {field} has {length:,} characters; {longest:,} is the limit.")
        if len(self.requires_dist) > _MOST_REQUIREMENTS:
            raise InvalidRequest(
                f"The form has {len(self.requires_dist):,} requires_dist; {_MOST_REQUIREMENTS:,} is the limit."
            )
        longest = max(map(len, self.requires_dist), default=0)
        if longest > _LONGEST_REQUIREMENT:
            raise InvalidRequest(
                f"A requires_dist of the form has {longest:,} characters; {_LONGEST_REQUIREMENT:,} is the limit."
            )
        if sum(map(len, self.requires_dist)) > LARGEST:
            raise InvalidRequest(f"The form's requires_dist have more than {LARGEST:,} characters in all.")
        if self.attestations is not None:
            _check_attestations(self.attestations)

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
        if self.requires_python and not _same_specifiers(self.requires_python, metadata.requires_python or ""):
            raise Disagreement(
                f"The form's requires_python {shown(self.requires_python)} is not the file's "
                f"{shown(metadata.requires_python or '')}; what installers get is the file's."
            )
        if self.requires_dist and not _same_requirements(self.requires_dist, metadata.requires_dist):
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


def _check_attestations(text: str) -> None:
    if len(text.encode()) > _LARGEST_ATTESTATIONS:
        raise InvalidRequest(f"The attestations have more than {_LARGEST_ATTESTATIONS:,} bytes; send fewer.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidRequest("The field attestations is not a JSON array of objects (PEP 740); send it so.")


def _same_specifiers(said: str, held: str) -> bool:
    return said == held or _specifiers(said) == _specifiers(held)


def _specifiers(text: str) -> SpecifierSet | str:
    try:
        return SpecifierSet(text)
    except (ValueError, RecursionError):  # InvalidSpecifier, and more digits than Python turns into a number
        return text


def _same_requirements(said: Iterable[str], held: Iterable[str]) -> bool:
    """Whether both say the same, however it is written. Parsing is slow, so the names are compared before it."""
    ours, theirs = frozenset(said), frozenset(held)
    if ours == theirs:
        return True
    if _names(ours) != _names(theirs):
        return False
    expected, met = frozenset(map(_requirement, theirs)), set()
    for text in ours:
        requirement = _requirement(text)
        if requirement not in expected:
            return False
        met.add(requirement)
    return met == expected


def _names(texts: Iterable[str]) -> frozenset[str]:
    found = (_NAME.match(text) for text in texts)
    return frozenset(canonicalize_name(match[1]) for match in found if match is not None)


def _requirement(text: str) -> str:
    try:
        requirement = Requirement(text)
    except (ValueError, RecursionError):  # InvalidRequirement is a ValueError
        return text.strip()
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement)
