"""What the page of a release shows, as values: pure functions over what the catalogue says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urljoin

from packaging.version import Version

from simple.legacy_json import reason_of
from simple.model import File, ProjectDetail, first_uploaded, offered_files
from views.releases import releases_before
from views.web.urls import safe_link
from views.web.words import tag_words

_LICENSE_CHARACTERS = 200
_KEYWORD_CHARACTERS = 60
_KEYWORDS = 50
_CLASSIFIERS = 200
_LINKS = 50
_PEOPLE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """One line of the release history; ``yanked`` is the reason if all its files are yanked, else None.

    ``before`` is the release to compare it with, None for the lowest (``releases_before``).
    """

    version: str
    uploaded: datetime | None
    files: int
    yanked: str | None
    is_prerelease: bool
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Attested:
    """What was verified of a file's attestations: whose job attested it, and what it stated (``Verified.as_dict``)."""

    by: str
    workflow: str
    statements: tuple[Mapping[str, Any], ...]
    url: str

    @classmethod
    def of(cls, facts: Mapping[str, Any], url: str) -> Self:
        """From the facts that are kept; ``url`` is the provenance object's."""
        publisher = facts["publisher"]
        workflow = publisher.get("workflow") or publisher.get("workflow_filepath") or ""
        by = publisher.get("repository") or publisher.get("email") or ""
        return cls(by, workflow, tuple(facts["attestations"]), url)


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as its row shows it: addresses ready, tags in words."""

    file: File
    url: str
    metadata_url: str | None
    tags: str
    uploader: str
    attested: Attested | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link that a release names; ``url`` is None where the address must not be followed and is shown as text."""

    label: str
    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What the core metadata says besides the description. Long lists are cut, and ``more`` says by how many; so are
    long names of people.
    """

    links: tuple[Link, ...]
    people: tuple[tuple[str, str], ...]
    license: str
    requires_python: str
    keywords: tuple[str, ...]
    classifiers: tuple[tuple[str, tuple[str, ...]], ...]
    more: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Self:
        """The facts of metadata in the form of ``CoreMetadata.to_json``."""
        keywords = _keywords(str(metadata.get("keywords") or ""))
        classifiers = metadata.get("classifiers", ())
        links = _links(metadata)
        counted = (
            ("keywords", keywords, _KEYWORDS), ("classifiers", classifiers, _CLASSIFIERS), ("links", links, _LINKS),
        )  # fmt: skip
        licensed = str(metadata.get("license_expression") or metadata.get("license") or "").strip()
        return cls(
            links=links[:_LINKS],
            people=_people(metadata),
            # Some put the whole text of the licence there.
            license=licensed.splitlines()[0][:_LICENSE_CHARACTERS] if licensed else "",
            requires_python=str(metadata.get("requires_python") or ""),
            keywords=keywords[:_KEYWORDS],
            classifiers=_classifiers(classifiers[:_CLASSIFIERS]),
            more={name: len(values) - shown for name, values, shown in counted if len(values) > shown},
        )


def _links(metadata: Mapping[str, Any]) -> tuple[Link, ...]:
    named = [("Home page", metadata.get("home_page")), ("Download", metadata.get("download_url"))]
    for entry in metadata.get("project_urls", ()):
        label, _, address = entry.partition(",")
        named.append((label.strip(), address.strip()))
    found = dict.fromkeys((label or "Link", address) for label, address in named if address)
    return tuple(Link(label, address, safe_link(address)) for label, address in found)


def _people(metadata: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    people = []
    for role in ("author", "maintainer"):
        said = [str(metadata[key]) for key in (role, f"{role}_email") if metadata.get(key)]
        if said:
            names = ", ".join(said)
            cut = "…" if len(names) > _PEOPLE_CHARACTERS else ""
            people.append((role.capitalize(), names[:_PEOPLE_CHARACTERS] + cut))
    return tuple(people)


def _keywords(text: str) -> tuple[str, ...]:
    words = (word.strip()[:_KEYWORD_CHARACTERS] for word in (text.split(",") if "," in text else text.split()))
    return tuple(dict.fromkeys(word for word in words if word))


def _classifiers(classifiers: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups: dict[str, list[str]] = {}
    for classifier in classifiers:
        group, _, rest = classifier.partition(" :: ")
        groups.setdefault(group, []).append(rest or group)
    return tuple((group, tuple(rest)) for group, rest in groups.items())


def files_of(
    detail: ProjectDetail,
    version: str,
    uploaders: Mapping[str, str],
    base: str,
    attested: Mapping[str, Attested] = MappingProxyType({}),
) -> list[PageFile]:
    """The files of one release that may be offered; ``base`` is the address of the project detail."""
    return [
        PageFile(
            file=file,
            url=urljoin(base, file.url),
            metadata_url=urljoin(base, file.url) + ".metadata" if file.core_metadata else None,
            tags=tag_words(file.filename),
            uploader=uploaders.get(file.filename, ""),
            attested=attested.get(file.filename),
        )
        for file in offered_files(detail)
        if file.version == version
    ]


def history_of(detail: ProjectDetail) -> list[ReleaseLine]:
    """Every release, newest version first."""
    files: dict[str, list[File]] = {}
    for file in detail.files:
        files.setdefault(file.version, []).append(file)
    before = releases_before(detail)
    return [_line(version, files[version], before[version]) for version in reversed(detail.versions)]


def _line(version: str, files: list[File], before: str | None) -> ReleaseLine:
    uploaded = first_uploaded(files)
    return ReleaseLine(version, uploaded, len(files), reason_of(files), Version(version).is_prerelease, before)
