"""Where an index's projects and files come from, and how such sources are put together.

Every read path of an index goes through one composition of sources, so that a rule which holds for the page holds for
the file too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from packaging.utils import NormalizedName

from errors import UnknownFile, UnknownProject
from simple.model import File, ListedProject, ProjectDetail, ProjectList


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file as it is stored: ``location`` is its key in the store, ``size`` is in bytes, digests are hex.

    ``core_metadata_sha256`` is None where no core metadata is served beside it, and "" where its digest is known only
    once it was read. ``uploaded`` is None where another index does not tell it. ``available`` is False for a file that
    is known but must not be given out, as those of a quarantined project.
    """

    project: NormalizedName
    filename: str
    version: str
    location: str
    size: int
    sha256: str
    uploaded: datetime | None
    core_metadata_sha256: str | None = None
    available: bool = True


class Source(Protocol):
    """The three questions that an index is asked, and how long an answer is valid."""

    def project_list(self) -> ProjectList:
        """The projects that the source holds, sorted by normalized name."""
        ...

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """One project. Raises UnknownProject."""
        ...

    def file(self, name: NormalizedName, filename: str) -> FileRecord:
        """One file. Raises UnknownFile, also where the project is not known."""
        ...

    def validity(self, name: NormalizedName | None) -> Hashable:
        """What an answer about the project (None: the project list) is valid under.

        While it stays equal, so does the answer. Read before the answer, it never makes an old answer look new.
        Raises UnknownProject: a source knows exactly the projects that it has a validity for.
        """
        ...


@dataclass(frozen=True)
class FirstOf:
    """The first source that knows a project owns it whole.

    Later sources are not asked, not even for a file that the first does not have: nobody adds a file to a private
    project by publishing its name upstream.
    """

    sources: tuple[Source, ...]

    def project_list(self) -> ProjectList:
        """All sources' projects; where several list one, the first one's line."""
        listings = [source.project_list() for source in self.sources]
        projects: dict[NormalizedName, ListedProject] = {}
        for listing in reversed(listings):
            projects.update((project.name, project) for project in listing.projects)
        ordered = tuple(projects[name] for name in sorted(projects))
        return ProjectList(ordered, max((listing.serial for listing in listings), default=0))

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """The owner's answer. Raises UnknownProject where there is none."""
        for source in self.sources:
            with suppress(UnknownProject):
                return source.project_detail(name)
        raise UnknownProject(name)

    def file(self, name: NormalizedName, filename: str) -> FileRecord:
        """The owner's file. Raises UnknownFile, also where there is no owner."""
        try:
            place, _ = self._owner(name)
        except UnknownProject:
            raise UnknownFile(filename) from None
        return self.sources[place].file(name, filename)

    def validity(self, name: NormalizedName | None) -> Hashable:
        """Which source answers, and its own validity; for the list, those of all. Raises UnknownProject."""
        if name is None:
            return tuple(source.validity(None) for source in self.sources)
        return self._owner(name)

    def _owner(self, name: NormalizedName) -> tuple[int, Hashable]:
        for place, source in enumerate(self.sources):
            with suppress(UnknownProject):
                return place, source.validity(name)
        raise UnknownProject(name)


def _nothing_else() -> Hashable:
    return None


@dataclass(frozen=True)
class Filtered:
    """A source without the files that ``keep`` refuses, and without the versions that this leaves empty.

    ``state`` gives whatever else ``keep`` looks at (the policy's revision, the day), since what was drawn is valid
    only while that stays the same.
    """

    source: Source
    keep: Callable[[File], bool]
    state: Callable[[], Hashable] = _nothing_else

    def project_list(self) -> ProjectList:
        """The source's own list: a project stays known when all its files are refused."""
        return self.source.project_list()

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """The project with the files that are kept. Raises UnknownProject."""
        detail = self.source.project_detail(name)
        kept = tuple(file for file in detail.files if self.keep(file))
        emptied = {file.version for file in detail.files} - {file.version for file in kept}
        return replace(detail, files=kept, versions=tuple(v for v in detail.versions if v not in emptied))

    def file(self, name: NormalizedName, filename: str) -> FileRecord:
        """The file, if the project's page lists it. Raises UnknownFile."""
        try:
            listed = any(file.filename == filename for file in self.project_detail(name).files)
        except UnknownProject:
            raise UnknownFile(filename) from None
        if not listed:
            raise UnknownFile(filename)
        return self.source.file(name, filename)

    def validity(self, name: NormalizedName | None) -> Hashable:
        """The source's validity and the policy's state. Raises UnknownProject."""
        return self.state(), self.source.validity(name)
