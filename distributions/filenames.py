"""What a distribution's filename says, and the names and versions in it.

Binary distribution format (wheels), source distribution filename format (PEP 625) and version specifiers. The raw
characters are looked at before any parser sees them: ``packaging`` takes ``../p-1.0.tar.gz`` and Cyrillic letters.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from packaging.tags import Tag
from packaging.utils import (
    BuildTag,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    canonicalize_version,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion as UnparsableVersion
from packaging.version import Version

from errors import InvalidFilename, InvalidName, InvalidVersion, shown

Kind = Literal["bdist_wheel", "sdist"]

# File systems end at 255 bytes; what we put behind a filename (".metadata", temporary endings) needs the rest.
LONGEST_FILENAME = 200
LONGEST_NAME = 128
LONGEST_VERSION = 128  # far below the digits at which int() raises ValueError
MOST_TAGS = 1000

EXTENSIONS = (".whl", ".tar.gz", ".zip")
LEGACY_EXTENSIONS = (".tar.bz2", ".tgz", ".tar.xz")

_FOREIGN = re.compile(r"[^A-Za-z0-9._+!-]")
_NAME = re.compile(r"(?:[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_LOOK_ALIKES = str.maketrans({"l": "1", "L": "1", "i": "1", "I": "1", "o": "0", "O": "0", ".": "", "_": "", "-": ""})


@dataclass(frozen=True, slots=True)
class DistributionFilename:
    """A filename taken apart. ``name`` is the name part as it is spelled, ``project`` its normalized form.

    ``python_tag`` is the first of a wheel's tag sets as spelled (``py2.py3``), ``source`` for sdists. ``legacy`` is
    True where today's rules spell the filename otherwise; ``expected_filename`` says how.
    """

    filename: str
    project: NormalizedName
    name: str
    version: Version
    kind: Kind
    extension: str
    python_tag: str
    tags: frozenset[Tag]
    build: BuildTag
    legacy: bool


def check_project_name(name: str) -> NormalizedName:
    """The normalized form of a project's name (PEP 503).

    Raises InvalidName where it is no name of the core metadata specification, is longer than 128 characters, or is
    a device on Windows, where no folder can have that name.
    """
    if len(name) > LONGEST_NAME:
        raise InvalidName(f"The project name {shown(name)} has {len(name)} characters; {LONGEST_NAME} is the limit.")
    if _NAME.match(name) is None:
        raise InvalidName(
            f"{shown(name)} is not a project name; use ASCII letters, digits, '.', '-' and '_', "
            "with a letter or digit first and last."
        )
    if name.lower() in _DEVICES:
        raise InvalidName(f"The project name {shown(name)} is a device on Windows; choose another.")
    return canonicalize_name(name)


def check_version(text: str) -> Version:
    """The version that a text says; raises InvalidVersion where it says none (PEP 440, at most 128 characters)."""
    if len(text) > LONGEST_VERSION:
        raise InvalidVersion(f"The version {shown(text)} has {len(text)} characters; {LONGEST_VERSION} is the limit.")
    if _FOREIGN.search(text) is None:
        try:
            return Version(text)
        except UnparsableVersion:
            pass
    raise InvalidVersion(
        f"{shown(text)} is not a version of PEP 440; write one such as '1.0', '1.0rc1' or '1.0.post1'."
    )


def release_key(version: Version) -> str:
    """The form under which 1.0 and 1.0.0 are one release: canonical, trailing zeros stripped."""
    return canonicalize_version(version)


def ultranormalize(name: str) -> str:
    """The form in which names that look alike are equal: no separators, l and i as 1, o as 0, lower case."""
    return name.translate(_LOOK_ALIKES).lower()


def expected_filename(parsed: DistributionFilename) -> str:
    """The filename as today's rules spell it: normalized name and version, sdists as .tar.gz."""
    start = f"{parsed.project.replace('-', '_')}-{parsed.version}"
    if parsed.kind == "sdist":
        return f"{start}.tar.gz"
    return f"{start}-{parsed.filename.split('-', 2)[2]}"


def parse_filename(filename: str, *, accept_legacy: bool = True) -> DistributionFilename:
    """Take a distribution's filename apart.

    Raises InvalidFilename, or InvalidVersion where only the version part is wrong. Without ``accept_legacy`` a
    filename that today's rules would spell otherwise is refused with the expected one.
    """
    _check_characters(filename)
    extension = _extension(filename, accept_legacy=accept_legacy)
    parsed = _parse_wheel(filename) if extension == ".whl" else _parse_sdist(filename, extension)
    if parsed.legacy and not accept_legacy:
        raise InvalidFilename(
            f"The filename {shown(filename, 200)} is not in normalized form; "
            f"build it again with a current tool so that it is {shown(expected_filename(parsed), 200)}."
        )
    return parsed


def _check_characters(filename: str) -> None:
    """Refuse what must never reach a parser or a file system (raw characters, length, device names)."""
    if not filename:
        raise InvalidFilename("The file has no filename; send one such as 'sample-1.0.tar.gz'.")
    if len(filename) > LONGEST_FILENAME:
        raise InvalidFilename(
            f"Filename is too long: {shown(filename)} has {len(filename)} characters; {LONGEST_FILENAME} is the limit."
        )
    if "/" in filename or "\\" in filename:
        raise InvalidFilename(
            f"The filename {shown(filename)} may not contain path separators; send the bare filename."
        )
    foreign = _FOREIGN.search(filename)
    if foreign is not None:
        raise InvalidFilename(
            f"The filename {shown(filename)} contains {shown(foreign.group())}; "
            "only ASCII letters, digits and '.', '_', '+', '!', '-' may stand in it."
        )
    if filename[0] in ".-" or filename[-1] == ".":
        raise InvalidFilename(f"The filename {shown(filename)} may not begin with a dot or dash or end with a dot.")
    if filename.partition(".")[0].lower() in _DEVICES:
        raise InvalidFilename(f"The filename {shown(filename)} begins with the name of a device on Windows; rename it.")


def _extension(filename: str, *, accept_legacy: bool) -> str:
    taken = EXTENSIONS + LEGACY_EXTENSIONS if accept_legacy else EXTENSIONS
    for extension in taken:
        if filename.endswith(extension):
            return extension
    raise InvalidFilename(
        f"The filename {shown(filename)} has an ending that is not taken here; "
        f"upload wheels (.whl) and sdists ({', '.join(taken[1:])}), in lower case."
    )


def _checked_name(name: str, filename: str) -> NormalizedName:
    try:
        return check_project_name(name)
    except InvalidName as refusal:
        raise InvalidFilename(f"The filename {shown(filename)} cannot be taken: {refusal.sentence}") from refusal


def _parse_wheel(filename: str) -> DistributionFilename:
    parts = filename.removesuffix(".whl").split("-")
    if len(parts) not in {5, 6}:
        raise InvalidFilename(
            f"The wheel filename {shown(filename)} has {len(parts)} parts between dashes; "
            "it must be name-version(-build)-python-abi-platform.whl."
        )
    # The sets multiply: 216,000 tags fit into a short name and cost half a second.
    if count_tags("-".join(parts[-3:])) > MOST_TAGS:
        raise InvalidFilename(
            f"The wheel filename {shown(filename)} stands for more than {MOST_TAGS} tags; name fewer."
        )
    project = _checked_name(parts[0], filename)
    version = check_version(parts[1])
    try:
        _, _, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise InvalidFilename(f"{shown(filename, 200)} is not a wheel's filename: {_reason(error)}.") from error
    return DistributionFilename(
        filename=filename,
        project=project,
        name=parts[0],
        version=version,
        kind="bdist_wheel",
        extension=".whl",
        python_tag=parts[-3],
        tags=tags,
        build=build,
        legacy=parts[0] != project.replace("-", "_") or parts[1] != str(version),
    )


def count_tags(text: str) -> int:
    """For how many tags a compressed tag set such as ``py2.py3-none-any`` stands."""
    return math.prod(tag_set.count(".") + 1 for tag_set in text.split("-"))


def _reason(error: InvalidWheelFilename) -> str:
    """What ``packaging`` holds against it, in brackets of its message; never the filename again."""
    inner = re.search(r"\(([^()]*)\)", str(error))
    return inner.group(1) if inner is not None else str(error).partition(":")[0].lower()


def _parse_sdist(filename: str, extension: str) -> DistributionFilename:
    stem = filename.removesuffix(extension)
    name, spelled = split_stem(stem, filename)
    project = _checked_name(name, filename)
    version = check_version(spelled)
    return DistributionFilename(
        filename=filename,
        project=project,
        name=name,
        version=version,
        kind="sdist",
        extension=extension,
        python_tag="source",
        tags=frozenset(),
        build=(),
        legacy=extension != ".tar.gz" or name != project.replace("-", "_") or spelled != str(version),
    )


def split_stem(stem: str, filename: str) -> tuple[str, str]:
    """Name and version as spelled in ``name-version``, where either may hold dashes in old files.

    Raises InvalidFilename where there is no dash, InvalidVersion where no part behind one is a version.
    """
    if "-" not in stem.strip("-"):
        raise InvalidFilename(f"The sdist filename {shown(filename)} has no version; it must be name-version.")
    dash = stem.rfind("-")
    while dash > 0:
        if _is_version(stem[dash + 1 :]):
            break
        dash = stem.rfind("-", 0, dash)
    else:
        raise InvalidVersion(
            f"The sdist filename {shown(filename)} has no version of PEP 440 behind a dash; write one such as '1.0'."
        )
    name, version = stem[:dash], stem[dash + 1 :]
    # PEP 440 spells 1.0.post1 also as 1.0-1: the name is not "name-1.0" then.
    rest, _, middle = name.rpartition("-")
    if version.isdigit() and rest and "." in middle and _is_version(middle):
        return rest, f"{middle}-{version}"
    return name, version


def _is_version(text: str) -> bool:
    try:
        check_version(text)
    except InvalidVersion:
        return False
    return True
