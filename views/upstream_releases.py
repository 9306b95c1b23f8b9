"""Projects that an upstream gives, for readers who want more of them than the simple pages say."""

from __future__ import annotations

from datetime import UTC, datetime

from packaging.utils import NormalizedName
from packaging.version import Version

from database.catalogue import ReleaseDetail
from distributions.core_metadata import read_core_metadata
from distributions.filenames import check_version
from errors import Invalid, InvalidVersion, UnknownFile, UnknownProject, UnknownRelease
from indexes.reading import Member
from permissions import Permission
from simple.legacy_json import project_latest
from simple.model import ProjectDetail, first_uploaded, offered_files, offered_versions
from views import services, this_index
from views.answering import who_answers
from views.guards import identity


def upstream_project(name: NormalizedName) -> tuple[Member, ProjectDetail]:
    """A project that this index does not hold, and who gives it. Raises UnknownProject, UpstreamFailed."""
    answering = who_answers(services(), this_index(), identity(), Permission.LIST, name)
    if not answering.members:
        raise UnknownProject(name)
    detail = answering.source.project_detail(name)
    if not offered_versions(detail):
        raise UnknownProject(name)
    return answering.members[0], detail


def upstream_release(member: Member, detail: ProjectDetail, version: str = "") -> ReleaseDetail:
    """A release of it, or the one that stands for it, with what the core metadata of one of its files says.

    Raises UnknownRelease.
    """
    try:
        wanted = check_version(version or project_latest(detail))
    except InvalidVersion:
        raise UnknownRelease(detail.name, version) from None
    spelled = next((one for one in offered_versions(detail) if Version(one) == wanted), None)
    if spelled is None:
        raise UnknownRelease(detail.name, version)
    files = [file for file in offered_files(detail) if file.version == spelled]
    created = first_uploaded(files) or datetime.fromtimestamp(0, UTC)
    for file in files:
        if file.core_metadata is None:
            continue
        try:
            metadata, _ = read_core_metadata(member.core_metadata(detail.name, file.filename))
        except (UnknownFile, Invalid):
            continue
        return ReleaseDetail(spelled, created, metadata.to_json(), metadata.description or "")
    return ReleaseDetail(spelled, created, {"name": detail.name, "version": spelled}, "")
