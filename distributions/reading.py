"""What is this uploaded file? Filename, archive and core metadata, read in this order and held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pkginfo
from packaging.utils import canonicalize_name

from distributions import sdist_checks, wheel_checks
from distributions.core_metadata import CoreMetadata, limited, must_be_reliable_sdist, read_core_metadata
from distributions.filenames import DistributionFilename, check_version, parse_filename
from distributions.zip_archive import open_zip
from errors import Disagreement, InvalidArchive, InvalidMetadata, StorageFailed, shown


@dataclass(frozen=True, slots=True)
class Distribution:
    """A wheel or sdist that was read and found sound.

    ``size`` is in bytes. ``core_metadata`` are the exact bytes to serve beside the file (PEP 658): METADATA of a
    wheel, PKG-INFO of an sdist whose wheels will say the same; else None. ``warnings`` are sentences for its owner.
    """

    filename: DistributionFilename
    size: int
    metadata: CoreMetadata
    core_metadata: bytes | None
    warnings: tuple[str, ...]


def read_distribution(path: Path, filename: str, *, accept_legacy: bool = True) -> Distribution:
    """Read and check the file at ``path`` that was uploaded as ``filename``.

    Raises a class of ``errors.Invalid``: InvalidFilename, InvalidVersion, InvalidArchive, InvalidMetadata or
    Disagreement; StorageFailed where the disk fails. The whole file is read once; nothing is written.
    """
    parsed = parse_filename(filename, accept_legacy=accept_legacy)
    size = _size(path)
    must_have_bytes(filename, size)
    raw, metadata, warnings = _read_wheel(path, parsed) if parsed.kind == "bdist_wheel" else _read_sdist(path, parsed)
    served = raw if parsed.kind == "bdist_wheel" or must_be_reliable_sdist(metadata) else None
    if parsed.legacy:
        warnings.insert(0, f"The filename {shown(filename, 200)} is not in today's normalized form.")
    return Distribution(parsed, size, metadata, served, limited(warnings))


def must_have_bytes(filename: str, size: int) -> None:
    """Raises InvalidArchive for a file of no bytes."""
    if size == 0:
        raise InvalidArchive(f"The file {shown(filename, 200)} is empty; build and upload it again.")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise StorageFailed(f"The uploaded file could not be read ({error.strerror}); try again.") from error


def _read_wheel(path: Path, parsed: DistributionFilename) -> tuple[bytes, CoreMetadata, list[str]]:
    with open_zip(path, parsed.filename) as archive:
        folder, raw = wheel_checks.metadata_of(archive, parsed)
        metadata, warnings = _read_metadata(raw, parsed)
        found = wheel_checks.check_wheel(archive, parsed, folder)
        found += wheel_checks.missing_licences(archive, folder, metadata)
        return raw, metadata, [*archive.warnings, *warnings, *found]


def _read_sdist(path: Path, parsed: DistributionFilename) -> tuple[bytes, CoreMetadata, list[str]]:
    raw, files, found = sdist_checks.read_sdist(path, parsed)
    metadata, warnings = _read_metadata(raw, parsed)
    top = next(iter(files)).partition("/")[0]
    return raw, metadata, [*found, *warnings, *sdist_checks.missing_licences(top, files, metadata)]


def _read_metadata(raw: bytes, parsed: DistributionFilename) -> tuple[CoreMetadata, tuple[str, ...]]:
    metadata, warnings = read_core_metadata(raw)
    _check_second_reading(raw, metadata)
    if canonicalize_name(metadata.name) != parsed.project:
        raise Disagreement(
            f"The filename {shown(parsed.filename, 200)} is of project {shown(parsed.name)}, "
            f"the metadata in the file of {shown(metadata.name)}; build it again."
        )
    if check_version(metadata.version) != parsed.version:
        raise Disagreement(
            f"The filename {shown(parsed.filename, 200)} is of version {shown(parsed.version)}, "
            f"the metadata in the file of {shown(metadata.version)}; build it again."
        )
    return metadata, warnings


def _check_second_reading(raw: bytes, metadata: CoreMetadata) -> None:
    """Ask pkginfo too: what two readers understand differently, installers will.

    pkginfo opens archives itself and takes the first member with METADATA anywhere in its path, whole, whatever its
    size; so it is handed the bytes of the one right member. The version set beforehand only chooses which headers
    it looks for, and keeps it from warning about those it does not know.
    """
    reading = pkginfo.Distribution()
    reading.metadata_version = "2.5"
    reading.parse(raw)
    for field, ours, theirs in (("Name", metadata.name, reading.name), ("Version", metadata.version, reading.version)):
        if not isinstance(theirs, str) or theirs.strip() != ours:
            raise InvalidMetadata(
                f"The core metadata can be read in two ways: {field} is {shown(ours)} or {shown(theirs)}; "
                "build it again."
            )
