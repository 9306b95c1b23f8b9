"""The closure of requirements for one environment, found as installers find it (resolvelib, which pip uses, too)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version
from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, ResolutionTooDeep, Resolver

from errors import InvalidRequest, UnknownFile, UnknownProject
from mirroring.environments import Environment
from simple.model import File, ProjectDetail, offered_files

_MOST_ROUNDS: Final = 20_000


class Library(Protocol):
    """Where projects are looked up."""

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """One project. Raises UnknownProject, UpstreamFailed."""
        ...

    def core_metadata(self, name: NormalizedName, filename: str) -> bytes:
        """The core metadata of a file. Raises UnknownFile, UpstreamFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """A version that the closure has, and the file of it that the environment installs."""

    name: NormalizedName
    version: Version
    filename: str


@dataclass(slots=True)
class Closure:
    """What an environment needs. ``doubts`` are sentences about files whose dependencies nobody could read."""

    chosen: list[Chosen] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def resolve(
    requirements: Sequence[Requirement],
    constraints: Sequence[Requirement],
    environment: Environment,
    library: Library,
    progress: Callable[[int], None] = lambda _done: None,
) -> Closure:
    """The closure. Raises InvalidRequest where there is none, with what stands against each other."""
    provider = _Provider(environment, library, constraints)
    wanted = [one for one in requirements if provider.applies(one, frozenset())]
    reporter = _Reporter(progress)
    try:
        result = Resolver(provider, reporter).resolve(wanted, max_rounds=_MOST_ROUNDS)
    except ResolutionImpossible as error:
        causes = sorted({_cause(cause) for cause in error.causes})
        raise InvalidRequest(
            f"For {environment} nothing fulfils all of these: {'; '.join(causes)}. Loosen one of them."
        ) from error
    except ResolutionTooDeep as error:
        raise InvalidRequest(f"For {environment} no answer was found in time; pin more of the versions.") from error
    chosen = {
        (one.name, one.version): Chosen(one.name, one.version, one.file.filename) for one in result.mapping.values()
    }
    return Closure(sorted(chosen.values(), key=lambda one: one.name), provider.doubts)


def _cause(cause: Any) -> str:
    by = f"{cause.parent.name} {cause.parent.version} requires " if cause.parent is not None else ""
    return f"{by}{cause.requirement}"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A version that may be chosen; with extras it is one of its own, which requires the plain one."""

    name: NormalizedName
    version: Version
    extras: frozenset[str]
    file: File


class _Reporter(BaseReporter[Requirement, _Candidate, Any]):
    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress

    def ending_round(self, index: int, state: Any) -> None:
        """Tell how many versions are chosen."""
        del index
        self._progress(len(state.mapping))


class _Provider(AbstractProvider[Requirement, _Candidate, Any]):
    """Answers resolvelib's questions from a library, for one environment."""

    def __init__(self, environment: Environment, library: Library, constraints: Sequence[Requirement]) -> None:
        self.doubts: list[str] = []
        self._library = library
        self._python = Version(environment.markers()["python_full_version"])
        self._markers = environment.markers()
        self._ranks: dict[Tag, int] = {tag: rank for rank, tag in reversed(list(enumerate(environment.tags())))}
        self._constraints: dict[NormalizedName, SpecifierSet] = {}
        for one in constraints:
            if self.applies(one, frozenset()):
                name = canonicalize_name(one.name)
                self._constraints[name] = self._constraints.get(name, SpecifierSet()) & one.specifier
        self._found: dict[NormalizedName, list[tuple[Version, File]]] = {}
        self._required: dict[str, list[Requirement]] = {}

    def applies(self, requirement: Requirement, extras: frozenset[str]) -> bool:
        """Whether a requirement holds in the environment, for somebody who asked for these extras."""
        if requirement.marker is None:
            return True
        try:
            return any(
                requirement.marker.evaluate({**self._markers, "extra": extra}) for extra in (extras or frozenset({""}))
            )
        except (UndefinedComparison, UndefinedEnvironmentName):
            return False

    # -- what resolvelib asks

    def identify(self, requirement_or_candidate: Requirement | _Candidate) -> tuple[NormalizedName, frozenset[str]]:
        """A project with its extras is one thing to choose."""
        one = requirement_or_candidate
        extras = frozenset(canonicalize_name(extra) for extra in one.extras)
        return canonicalize_name(one.name), extras

    def get_preference(
        self,
        identifier: Any,
        resolutions: Mapping[Any, _Candidate],
        candidates: Mapping[Any, Iterator[_Candidate]],
        information: Mapping[Any, Iterator[Any]],
        backtrack_causes: Sequence[Any],
    ) -> tuple[bool, bool, str]:
        """First what stands in the way, then what is pinned, then by name: the same each time."""
        del resolutions, candidates
        name, extras = identifier
        in_the_way = any(
            canonicalize_name(cause.requirement.name) == name
            or (cause.parent is not None and cause.parent.name == name)
            for cause in backtrack_causes
        )
        is_pinned = any(
            clause.operator in {"==", "==="} for one in information[identifier] for clause in one.requirement.specifier
        )
        return not in_the_way, not is_pinned, f"{name}{sorted(extras)}"

    def find_matches(
        self, identifier: Any, requirements: Mapping[Any, Iterator[Requirement]], incompatibilities: Any
    ) -> Iterable[_Candidate]:
        """The versions that fulfil all that is required of a project, the newest first."""
        name, extras = identifier
        asked = list(requirements[identifier])
        refused = {candidate.version for candidate in incompatibilities[identifier]}
        specifier = self._constraints.get(name, SpecifierSet())
        for one in asked:
            specifier &= one.specifier
        pinned = {
            Version(clause.version)
            for clause in specifier
            if clause.operator == "==" and not clause.version.endswith(".*")
        }
        fitting = [
            (version, file)
            for version, file in self._versions(name)
            if version not in refused
            and specifier.contains(version, prereleases=True)
            and (file.yanked is None or version in pinned)
        ]
        finals = [one for one in fitting if not one[0].is_prerelease]
        takes_prereleases = any(clause.prereleases for one in asked for clause in one.specifier)
        shown = fitting if takes_prereleases or not finals else finals
        return [_Candidate(name, version, extras, file) for version, file in shown]

    def is_satisfied_by(self, requirement: Requirement, candidate: _Candidate) -> bool:
        """Whether a version fulfils a requirement; whether pre-releases count was decided before."""
        return requirement.specifier.contains(candidate.version, prereleases=True)

    def get_dependencies(self, candidate: _Candidate) -> Iterable[Requirement]:
        """What a version requires; with extras itself without them, and what they add."""
        required = self._requires(candidate)
        if not candidate.extras:
            return [one for one in required if self.applies(one, frozenset())]
        own = Requirement(f"{candidate.name}=={candidate.version}")
        return [own, *(one for one in required if self.applies(one, candidate.extras))]

    # -- from the library

    def _versions(self, name: NormalizedName) -> list[tuple[Version, File]]:
        """Every version that the environment can install, the newest first, each with the file it would take."""
        known = self._found.get(name)
        if known is not None:
            return known
        try:
            files = offered_files(self._library.project_detail(name))
        except UnknownProject:
            files = ()
        best: dict[Version, tuple[int, File]] = {}
        for file in files:
            rank = self._rank(file)
            if rank is None or not self._is_for_this_python(file):
                continue
            version = Version(file.version)
            if version not in best or rank < best[version][0]:
                best[version] = rank, file
        found = self._found[name] = [(version, best[version][1]) for version in sorted(best, reverse=True)]
        return found

    def _rank(self, file: File) -> int | None:
        """How good a file is for the environment, 0 the best; None where it cannot be installed."""
        if file.kind == "sdist":
            return len(self._ranks)  # to build is the last resort
        try:
            fitting = parse_wheel_filename(file.filename)[3]
        except InvalidWheelFilename:
            return None
        return min((self._ranks[tag] for tag in fitting if tag in self._ranks), default=None)

    def _is_for_this_python(self, file: File) -> bool:
        try:
            return SpecifierSet(file.requires_python or "").contains(self._python, prereleases=True)
        except InvalidSpecifier:
            return True  # as pip has it

    def _requires(self, candidate: _Candidate) -> list[Requirement]:
        filename = candidate.file.filename
        known = self._required.get(filename)
        if known is None:
            known = self._required[filename] = list(self._read(candidate))
        return known

    def _read(self, candidate: _Candidate) -> Iterator[Requirement]:
        filename = candidate.file.filename
        if candidate.file.core_metadata is None:
            self.doubts.append(f"What {filename} requires is known only once it was built; add that to the list.")
            return
        try:
            metadata, _ = parse_email(self._library.core_metadata(candidate.name, filename))
        except UnknownFile:
            self.doubts.append(f"What {filename} requires could not be read; add that to the list.")
            return
        for text in metadata.get("requires_dist", ()):
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                self.doubts.append(
                    f"{filename} requires what is no requirement, and was taken to require nothing there."
                )
                continue
            if requirement.url is None:
                yield requirement
