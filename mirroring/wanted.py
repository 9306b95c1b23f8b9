"""What a file wants: a requirements file, a ``uv.lock``, or a ``pylock.toml`` (PEP 751)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from packaging.pylock import Pylock, PylockValidationError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from errors import InvalidRequest, shown

_HASH: Final = re.compile(r"--hash[= ](?P<name>\w+):(?P<hex>[0-9a-f]+)")
_LARGEST: Final = 64 << 20
_MOST_INCLUDES: Final = 50


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of a project that a lock names; ``files`` are those it lists, with their sha256 or ""."""

    name: NormalizedName
    version: Version
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Wanted:
    """What a file wants. ``pins`` are a closure already; ``requirements`` have to be resolved, under ``constraints``.

    ``hashes`` are the digests that a requirements file allows for a project, ``passed_over`` sentences about what no
    index gives.
    """

    pins: list[Pin] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    constraints: list[Requirement] = field(default_factory=list)
    hashes: dict[NormalizedName, set[str]] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)


def read_wanted(path: Path) -> Wanted:
    """What the file at a path wants; its name says what kind it is. Raises InvalidRequest."""
    text = _text(path)
    if path.name == "uv.lock" or path.suffix == ".lock":
        return _of_uv(_toml(path, text))
    if path.suffix == ".toml":
        return _of_pylock(path, _toml(path, text))
    wanted = Wanted()
    _read_requirements(path, text, wanted, wanted.requirements, [path.absolute()])
    return wanted


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidRequest(f"{path} is larger than 64 MiB; that is no list of requirements.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path} is not UTF-8 text; save it as such.") from error


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidRequest(f"{path} is not TOML: {error}.") from error


# -- locks


def _of_uv(lock: Mapping[str, Any]) -> Wanted:
    wanted = Wanted()
    for package in _tables(lock.get("package")):
        name, source = str(package.get("name", "")), package.get("source")
        if not isinstance(source, Mapping) or "registry" not in source:
            kind = next(iter(source), "nowhere") if isinstance(source, Mapping) else "nowhere"
            wanted.passed_over.append(f"{name} comes from {kind}, not from an index.")
            continue
        listed = [*_tables(package.get("wheels")), *_tables([package.get("sdist")])]
        files = {_filename_of(one): _sha256(str(one.get("hash", ""))) for one in listed}
        wanted.pins.append(_pin(name, str(package.get("version", "")), files))
    return wanted


def _of_pylock(path: Path, lock: Mapping[str, Any]) -> Wanted:
    try:
        found = Pylock.from_dict(lock)
    except (PylockValidationError, ValueError) as error:
        raise InvalidRequest(f"{path} is no pylock.toml: {error}.") from error
    wanted = Wanted()
    for package in found.packages:
        if package.is_direct or package.version is None:
            wanted.passed_over.append(f"{package.name} comes from an address or a folder, not from an index.")
            continue
        files = {one.filename: str(one.hashes.get("sha256", "")) for one in package.wheels or ()}
        if package.sdist is not None:
            files[package.sdist.filename] = str(package.sdist.hashes.get("sha256", ""))
        wanted.pins.append(Pin(package.name, package.version, files))
    return wanted


def _pin(name: str, version: str, files: Mapping[str, str]) -> Pin:
    try:
        return Pin(canonicalize_name(name, validate=True), Version(version), files)
    except (InvalidVersion, ValueError) as error:
        raise InvalidRequest(f"The lock names {shown(name)} {shown(version)}, which no index has.") from error


def _tables(value: object) -> Iterator[Mapping[str, Any]]:
    for one in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        if isinstance(one, Mapping):
            yield one


def _filename_of(file: Mapping[str, Any]) -> str:
    address = str(file.get("url") or file.get("path") or file.get("filename") or "")
    return unquote(urlsplit(address).path.rpartition("/")[2])


def _sha256(text: str) -> str:
    kind, _, digest = text.partition(":")
    return digest if kind == "sha256" else ""


# -- requirements


def _read_requirements(path: Path, text: str, wanted: Wanted, into: list[Requirement], included: list[Path]) -> None:
    for number, line in _logical_lines(text):
        option, _, rest = line.partition(" ") if line.startswith("-") else ("", "", "")
        option, equals, value = option.partition("=")
        rest = value if equals else rest.strip()
        if option in {"-r", "--requirement", "-c", "--constraint"}:
            _include(path.parent / rest, wanted, option, into, included)
        elif option in {"-e", "--editable"}:
            wanted.passed_over.append(f"{rest} is a folder or an address, not of an index.")
        elif not option:
            _read_requirement(path, number, line, wanted, into)
        # What else there is says where to look, or how: that is the server's to say.


def _include(path: Path, wanted: Wanted, option: str, into: list[Requirement], included: list[Path]) -> None:
    if path.absolute() in included or len(included) >= _MOST_INCLUDES:
        raise InvalidRequest(f"{path} includes itself, or too many files; take the line out.")
    target = wanted.constraints if option in {"-c", "--constraint"} else into
    _read_requirements(path, _text(path), wanted, target, [*included, path.absolute()])


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines without comments, those that end in a backslash joined; the number is that of the first."""
    held, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            held += line[:-1] + " "
            continue
        whole = re.sub(r"(^|\s)#.*$", "", held + line).strip()
        if whole:
            yield start, whole
        held, start = "", 0
    if held.strip():
        yield start, held.strip()


def _read_requirement(path: Path, number: int, line: str, wanted: Wanted, into: list[Requirement]) -> None:
    digests = {found["hex"] for found in _HASH.finditer(line) if found["name"] == "sha256"}
    text = re.split(r"\s--", line, maxsplit=1)[0].strip()
    if re.match(r"[a-z+]+://|\.{0,2}/", text):
        wanted.passed_over.append(f"{text} is a folder or an address, not of an index.")
        return
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise InvalidRequest(f"{path}, line {number}: {shown(text)} is no requirement.") from error
    if requirement.url:
        wanted.passed_over.append(f"{requirement.name} comes from an address, not from an index.")
        return
    into.append(requirement)
    if digests:
        wanted.hashes.setdefault(canonicalize_name(requirement.name), set()).update(digests)
