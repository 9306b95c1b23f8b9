"""Is a zip a sound wheel? Its .dist-info folder, WHEEL, RECORD with every hash, and entry points.

Binary distribution format (PEP 427), recording installed projects (RECORD), entry points specification.
"""

from __future__ import annotations

import configparser
import csv
import hashlib
import re
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from email.parser import HeaderParser
from typing import Final

from packaging.tags import InvalidTag, parse_tag
from packaging.utils import canonicalize_name

from distributions.core_metadata import LARGEST, CoreMetadata
from distributions.filenames import MOST_TAGS, DistributionFilename, check_version, count_tags
from distributions.members import MIB, archive_errors, clashing_names
from distributions.zip_archive import ZipArchive
from distributions.zip_structure import Entry
from errors import InvalidArchive, InvalidMetadata, InvalidVersion, shown

_SMALL: Final = MIB
_LARGEST_RECORD: Final = 32 * MIB
_ALGORITHMS: Final = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b"})
_EXEMPT: Final = ("RECORD", "RECORD.jws", "RECORD.p7s")
_SCRIPT_NAME: Final = re.compile(r"[\w.-]+\Z")
_MOST_TOLD: Final = 5


def metadata_of(archive: ZipArchive, filename: DistributionFilename) -> tuple[str, bytes]:
    """The name of the wheel's .dist-info folder and the exact bytes of its METADATA.

    Raises InvalidArchive where WHEEL, METADATA or RECORD is missing, or the folder is not the filename's (S54), or
    where a disk that does not tell case apart would mix its files up.
    """
    folder = _dist_info(archive, filename)
    clash = clashing_names(name for name in archive.files if name.startswith(f"{folder}/"))
    if clash is not None:
        raise InvalidArchive(
            f"The wheel's {shown(clash[0], 200)} and {shown(clash[1], 200)} are one file on macOS and Windows; "
            "build it again with one of them."
        )
    for name in ("METADATA", "WHEEL", "RECORD"):
        if f"{folder}/{name}" not in archive.files:
            raise InvalidArchive(f"The wheel has no {shown(f'{folder}/{name}', 200)}; build it again.")
    if archive.files[f"{folder}/METADATA"].size > LARGEST:
        raise InvalidMetadata(f"The wheel's METADATA has more than {LARGEST:,} bytes; shorten the description.")
    return folder, archive.read(f"{folder}/METADATA", LARGEST)


def check_wheel(archive: ZipArchive, filename: DistributionFilename, folder: str) -> list[str]:
    """Check all but the core metadata, reading every member once; returns warnings."""
    warnings = _check_wheel_file(_small(archive, f"{folder}/WHEEL"), filename)
    if f"{folder}/entry_points.txt" in archive.files:
        check_entry_points(_small(archive, f"{folder}/entry_points.txt"))
    record = archive.read(f"{folder}/RECORD", _LARGEST_RECORD)
    return [*warnings, *_check_record(archive, folder, record), *_striking(archive)]


def missing_licences(archive: ZipArchive, folder: str, metadata: CoreMetadata) -> list[str]:
    """Warnings for licence files that the metadata name and the wheel lacks (PEP 639)."""
    return [
        f"The licence file {shown(path)} is not in {folder}/licenses/."
        for path in metadata.license_files
        if f"{folder}/licenses/{path}" not in archive.files
        and f"{folder}/{path.rpartition('/')[2]}" not in archive.files
    ]


def _striking(archive: ZipArchive) -> list[str]:
    """Warnings for what is allowed and also what an attacker would do."""
    warnings = []
    for top in sorted({name.partition("/")[0] for name in archive.files}):
        if top.endswith(".pth"):
            warnings.append(f"The wheel installs {shown(top)}, which Python reads, and may run, at every start.")
        elif top.partition(".")[0] in sys.stdlib_module_names:
            warnings.append(f"The wheel installs {shown(top)}, which has the name of a standard library module.")
    return warnings


def _small(archive: ZipArchive, name: str) -> bytes:
    if archive.files[name].size > _SMALL:
        raise InvalidArchive(f"The wheel's {shown(name)} has more than {_SMALL:,} bytes; build it again.")
    return archive.read(name, _SMALL)


def _dist_info(archive: ZipArchive, filename: DistributionFilename) -> str:
    tops = {name.partition("/")[0] for name in (*archive.files, *archive.folders) if "/" in name}
    found = sorted(top for top in tops if top.casefold().endswith(".dist-info"))
    expected = f"{filename.name}-{filename.version}.dist-info"
    if len(found) != 1:
        told = ", ".join(shown(top) for top in found[:_MOST_TOLD]) or "none"
        raise InvalidArchive(f"A wheel has exactly one folder {shown(expected, 200)}; here are {len(found)}: {told}.")
    name, _, version = found[0].removesuffix(".dist-info").partition("-")
    try:
        same = canonicalize_name(name) == filename.project and check_version(version) == filename.version
    except InvalidVersion:
        same = False
    if not same:
        raise InvalidArchive(
            f"The wheel's folder {shown(found[0], 200)} does not fit its filename {shown(filename.filename, 200)}, "
            f"which wants {shown(expected, 200)}; rename neither, build it again."
        )
    return found[0]


def _check_wheel_file(raw: bytes, filename: DistributionFilename) -> list[str]:
    message = HeaderParser().parsestr(raw.decode("utf-8"))
    version = str(message.get("Wheel-Version", "")).strip()
    if version.partition(".")[0] != "1":
        raise InvalidArchive(f"The wheel's WHEEL file has Wheel-Version {shown(version)}; only 1.x is known.")
    tags = [str(tag).strip() for tag in message.get_all("Tag", [])]
    if sum(count_tags(text) for text in tags) > MOST_TAGS:
        return [f"The wheel's WHEEL file has more than {MOST_TAGS} tags, which were not read."]
    try:
        told = {tag for text in tags for tag in parse_tag(text)}
    except (InvalidTag, ValueError):
        return ["The wheel's WHEEL file has tags that cannot be read."]
    if told != filename.tags:
        return [f"The wheel's WHEEL file has the tags {shown(', '.join(tags))}, its filename has others."]
    return []


def check_entry_points(raw: bytes) -> None:
    """Refuse an entry_points.txt that is no INI file, or a script whose name is a path (S58)."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(raw.decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InvalidArchive(
            f"The wheel's entry_points.txt cannot be read: {shown(str(error), 100)}; correct and build it again."
        ) from error
    for section in ("console_scripts", "gui_scripts"):
        for name in parser.options(section) if parser.has_section(section) else ():
            if _SCRIPT_NAME.match(name) is None or name in {".", ".."}:
                raise InvalidArchive(
                    f"The wheel's entry_points.txt names a script {shown(name)}; "
                    "only letters, digits and '.', '_', '-' may stand in a script's name."
                )


def _check_record(archive: ZipArchive, folder: str, raw: bytes) -> list[str]:
    """Compare RECORD with the archive both ways and every hash and size with the real bytes (S55)."""
    exempt = {f"{folder}/{name}" for name in _EXEMPT}
    listed, faults = _listed(raw, exempt)
    faults += [f"{shown(name)} is listed but not there" for name in listed if name not in archive.files]
    oddly_written = False
    for name, entry in archive.files.items():
        algorithm, expected, size = listed.get(name, ("", "", ""))
        found = _digest(archive, entry, algorithm or "sha256")
        if not algorithm and name not in exempt:
            faults.append(f"{shown(name)} is not listed")
        elif algorithm and not _is_digest(expected, found):
            faults.append(f"{shown(name)} has another {algorithm}")
        elif size and size != str(entry.size):
            faults.append(f"{shown(name)} has {entry.size:,} bytes, not {shown(size)}")
        oddly_written |= bool(algorithm) and expected != _written(found)
    if faults:
        raise InvalidArchive(f"The wheel's RECORD does not fit its members: {_told(faults)}. Build it again.")
    return ["The wheel's RECORD does not write its hashes as URL-safe base64 without padding."] if oddly_written else []


def _digest(archive: ZipArchive, entry: Entry, algorithm: str) -> bytes:
    """A member's digest. What RECORD need not list is read to its end too: no byte of the file stays unchecked."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in archive.chunks(entry):
        digest.update(chunk)
    return digest.digest()


def _written(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _is_digest(text: str, digest: bytes) -> bool:
    """Also hexadecimal, padding or the other base64 alphabet: gmsh's wheels have such, and installers do not mind."""
    written = _written(digest)
    return text in {written, digest.hex()} or text.rstrip("=").replace("+", "-").replace("/", "_") == written


def _told(faults: list[str]) -> str:
    more = len(faults) - _MOST_TOLD
    return "; ".join(faults[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _listed(raw: bytes, exempt: Iterable[str]) -> tuple[dict[str, tuple[str, str, str]], list[str]]:
    """The lines of RECORD by path: algorithm, hash, size; and what is wrong with them."""
    listed: dict[str, tuple[str, str, str]] = {}
    faults: list[str] = []
    with archive_errors("The wheel's RECORD"):
        text = raw.decode("utf-8")
    try:
        for row in csv.reader(text.splitlines()):
            if not row:
                continue
            path, digest, size = (*row, "", "")[:3]
            if path in exempt:
                continue
            algorithm, _, value = digest.partition("=")
            if algorithm not in _ALGORITHMS or not value.isascii():
                faults.append(f"{shown(path)} has no hash of sha256 or better")
            elif path in listed:
                faults.append(f"{shown(path)} is listed twice")
            else:
                listed[path] = (algorithm, value, size)
    except csv.Error as error:
        raise InvalidArchive(f"The wheel's RECORD is no CSV file: {shown(str(error), 100)}; build it again.") from error
    return listed, faults
