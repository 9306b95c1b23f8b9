"""What the two simple pages say, as values in the words of the specification.

Simple repository API, version 1.4 (PEP 503, 592, 629, 658, 691, 700, 714, 740, 792).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import quote

from packaging.utils import NormalizedName

API_VERSION = "1.4"


class ProjectStatus(StrEnum):
    """The status markers of PEP 792."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    QUARANTINED = "quarantined"
    DEPRECATED = "deprecated"

    @property
    def takes_uploads(self) -> bool:
        """An archived or quarantined project takes no new files."""
        return self in {ProjectStatus.ACTIVE, ProjectStatus.DEPRECATED}

    @property
    def offers_files(self) -> bool:
        """A quarantined project offers none of its files."""
        return self is not ProjectStatus.QUARANTINED


@dataclass(frozen=True, slots=True)
class File:
    """One distribution as the project detail offers it.

    ``url`` is relative to the project detail's own URL, or absolute. ``size`` is in bytes. Digests are lower-case hex.
    ``yanked`` is None for a file that is not yanked, else the reason, perhaps empty. ``core_metadata`` is the sha256
    of the file at ``url + ".metadata"``, None where there is none.

    Of a file of another index, ``size`` and ``uploaded`` are None, and ``sha256`` and ``core_metadata`` "", where it
    does not tell them.
    """

    filename: str
    url: str
    version: str
    sha256: str
    size: int | None
    uploaded: datetime | None
    requires_python: str | None = None
    yanked: str | None = None
    core_metadata: str | None = None
    provenance: str | None = None
    md5: str | None = None
    blake2b: str | None = None
    kind: str = "bdist_wheel"
    python_tag: str = "source"


@dataclass(frozen=True, slots=True)
class ProjectDetail:
    """The project detail: files sorted by version, then filename; ``versions`` in ascending order.

    ``stale_since`` is set for one that came from another index which cannot be asked now: when it was last known to
    be true.
    """

    name: NormalizedName
    files: tuple[File, ...]
    versions: tuple[str, ...]
    serial: int
    status: ProjectStatus = ProjectStatus.ACTIVE
    status_reason: str | None = None
    display_name: str = ""
    stale_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedProject:
    """One line of the project list: the display name, the normalized name and the project's last serial."""

    display_name: str
    name: NormalizedName
    serial: int


@dataclass(frozen=True, slots=True)
class ProjectList:
    """The project list, sorted by normalized name; ``serial`` is the index's last."""

    projects: tuple[ListedProject, ...]
    serial: int


def offered_files(detail: ProjectDetail) -> tuple[File, ...]:
    """The files that the page may list: none of a quarantined project's (PEP 792)."""
    return detail.files if detail.status.offers_files else ()


def offered_versions(detail: ProjectDetail) -> tuple[str, ...]:
    """The versions that the page may list: none of a quarantined project's."""
    return detail.versions if detail.status.offers_files else ()


def file_url(project: str, filename: str) -> str:
    """The file's address relative to its project detail, ``/simple/<project>/``."""
    return f"../../packages/{project}/{quote(filename)}"


def first_uploaded(files: Iterable[File]) -> datetime | None:
    """When the first of these files was uploaded, as far as that is known."""
    return min((file.uploaded for file in files if file.uploaded is not None), default=None)


def utc_stamp(moment: datetime) -> str:
    """``yyyy-mm-ddThh:mm:ss.ffffffZ`` in UTC (PEP 700); a time without an offset is UTC already."""
    if moment.tzinfo is not None and moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:26]}Z"
