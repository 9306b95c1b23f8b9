"""The page of a project that an upstream gives: what it is and how it is installed, without what only holders know."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from flask import render_template
from packaging.metadata import RawMetadata, parse_email
from packaging.utils import NormalizedName
from packaging.version import Version

from errors import Refusal
from indexes.reading import Member
from simple.legacy_json import project_latest
from simple.model import File, ProjectDetail, offered_files, offered_versions
from views.upstream_releases import upstream_project
from views.web.install import install_box
from views.web.urls import safe_link

_FILES = 100
_VERSIONS = 200
_DESCRIPTION_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What the latest release says of itself."""

    summary: str
    description: str
    requires_python: str
    license: str
    links: tuple[tuple[str, str], ...]
    requires: tuple[str, ...]


def mirrored(name: NormalizedName) -> str:
    """The page, where an upstream of this index knows the project. Raises UnknownProject, UpstreamFailed."""
    member, detail = upstream_project(name)
    versions, latest = offered_versions(detail), project_latest(detail)
    files = [file for file in offered_files(detail) if file.version == latest]
    return render_template(
        "mirrored.html",
        name=name,
        detail=detail,
        latest=latest,
        is_prerelease=Version(latest).is_prerelease,
        member=member,
        facts=_facts(member, detail, files),
        files=files[:_FILES],
        hidden_files=max(0, len(files) - _FILES),
        versions=list(reversed(versions))[:_VERSIONS],
        hidden_versions=max(0, len(versions) - _VERSIONS),
        box=install_box(name, "", [], needs_others=True),
    )


def _facts(member: Member, detail: ProjectDetail, files: list[File]) -> Facts:
    """From the core metadata of a file that has some; empty where none can be had now."""
    for file in files:
        if file.core_metadata is not None:
            with suppress(Refusal):
                metadata, _ = parse_email(member.core_metadata(detail.name, file.filename))
                return _of(metadata)
    return Facts("", "", "", "", (), ())


def _of(metadata: RawMetadata) -> Facts:
    links = [(label, url) for label, url in metadata.get("project_urls", {}).items() if safe_link(url)]
    home = metadata.get("home_page", "")
    if safe_link(home):
        links.insert(0, ("Homepage", home))
    return Facts(
        summary=metadata.get("summary", ""),
        description=metadata.get("description", "")[:_DESCRIPTION_CHARACTERS],
        requires_python=metadata.get("requires_python", ""),
        license=metadata.get("license_expression") or metadata.get("license", "")[:200],
        links=tuple(links[:30]),
        requires=tuple(metadata.get("requires_dist", ())[:200]),
    )
