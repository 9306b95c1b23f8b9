"""Which files are taken: those that the chosen environments would install."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename
from packaging.version import Version

from errors import UnknownProject
from mirroring.closure import Library, resolve
from mirroring.environments import Environment
from mirroring.wanted import Pin, Wanted
from simple.model import File, offered_files


@dataclass(frozen=True, slots=True)
class Choice:
    """A file to take. ``sha256`` are the digests that the list allows, none: any."""

    project: NormalizedName
    version: str
    filename: str
    sha256: frozenset[str] = frozenset()


@dataclass(slots=True)
class Plan:
    """What is to be taken. ``missing`` are sentences about what is wanted and is nowhere, ``notes`` about the rest."""

    files: list[Choice] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan(
    wanted: Wanted,
    environments: Sequence[Environment],
    library: Library,
    progress: Callable[[str, int], None] = lambda _what, _done: None,
) -> Plan:
    """What to take for a list of requirements and pins.

    Of a lock those files which it lists and which any of the environments would install; the source distribution where
    no wheel fits one of them. Raises InvalidRequest for requirements that cannot be fulfilled together.
    """
    made = Plan(notes=list(wanted.passed_over))
    chosen: dict[tuple[NormalizedName, str], Choice] = {}
    for done, pin in enumerate(wanted.pins, 1):
        for file in _of_pin(pin, environments, library, made):
            known = pin.files.get(file.filename, "")
            digests = frozenset({known} if known else ())
            chosen[pin.name, file.filename] = Choice(pin.name, file.version, file.filename, digests)
        progress("pins", done)
    for environment in environments if wanted.requirements else ():
        closure = resolve(
            wanted.requirements, wanted.constraints, environment, library,
            lambda done, named=str(environment): progress(named, done),  # type: ignore[misc]
        )  # fmt: skip
        made.notes.extend(doubt for doubt in closure.doubts if doubt not in made.notes)
        for one in closure.chosen:
            digests = frozenset(wanted.hashes.get(one.name, ()))
            chosen[one.name, one.filename] = Choice(one.name, str(one.version), one.filename, digests)
    made.files = sorted(chosen.values(), key=lambda one: (one.project, one.filename))
    return made


def _of_pin(pin: Pin, environments: Sequence[Environment], library: Library, made: Plan) -> list[File]:
    try:
        files = offered_files(library.project_detail(pin.name))
    except UnknownProject:
        made.missing.append(f"{pin.name} {pin.version}: there is no project of that name.")
        return []
    listed = [
        file for file in files if Version(file.version) == pin.version and (not pin.files or file.filename in pin.files)
    ]
    gone = set(pin.files) - {file.filename for file in listed}
    if not listed:
        made.missing.append(f"{pin.name} {pin.version}: none of its files is there.")
    elif gone and not _fitting(listed, environments):
        made.missing.append(f"{pin.name} {pin.version}: {', '.join(sorted(gone))} is there no more.")
    return _fitting(listed, environments)


def _fitting(files: Iterable[File], environments: Sequence[Environment]) -> list[File]:
    """For each environment the wheels that fit it, else the source distribution."""
    found: dict[str, File] = {}
    files = list(files)
    for environment in environments:
        tags = set(environment.tags())
        wheels = [file for file in files if file.kind != "sdist" and _fits(file.filename, tags)]
        for file in wheels or [file for file in files if file.kind == "sdist"]:
            found[file.filename] = file
    return list(found.values())


def _fits(filename: str, tags: set[Tag]) -> bool:
    try:
        return not tags.isdisjoint(parse_wheel_filename(filename)[3])
    except InvalidWheelFilename:
        return False
