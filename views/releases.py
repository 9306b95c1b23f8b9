"""Releases of a project: which one is meant, which came before it, and by which of their files two are compared."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import NormalizedName
from packaging.version import Version

from database.catalogue import ReleaseDetail
from distributions.filenames import check_version, release_key
from errors import InvalidVersion, UnknownRelease
from simple.legacy_json import project_latest
from simple.model import File, ProjectDetail, offered_files, offered_versions
from views import this_index

SDIST = "sdist"


def release_named(name: NormalizedName, version: str) -> ReleaseDetail:
    """The release that somebody speaks of, its version spelled in any way. Raises UnknownProject, UnknownRelease."""
    try:
        key = release_key(check_version(version))
    except InvalidVersion:
        raise UnknownRelease(name, version) from None
    return this_index().catalogue.release(name, key)


def offered_release(detail: ProjectDetail, version: str) -> ReleaseDetail:
    """The same, of those that the project offers: a quarantined one offers none. Raises UnknownRelease."""
    found = release_named(detail.name, version)
    if found.version not in offered_versions(detail):
        raise UnknownRelease(detail.name, version)
    return found


def latest_release(detail: ProjectDetail) -> ReleaseDetail:
    """The release that stands for a project (``project_latest``). Raises UnknownRelease where it offers none."""
    return release_named(detail.name, project_latest(detail))


def releases_before(detail: ProjectDetail) -> dict[str, str | None]:
    """Of each release the one to compare it with: the last lower one that is final and not yanked, else the last lower.

    None for the lowest.
    """
    standing = {file.version for file in detail.files if file.yanked is None}
    before: dict[str, str | None] = {}
    last = last_good = None
    for version in detail.versions:
        before[version] = last_good or last
        last = version
        if version in standing and not Version(version).is_prerelease:
            last_good = version
    return before


def common_kinds(detail: ProjectDetail, old: str, new: str) -> dict[str, tuple[File, File]]:
    """The kinds of file that both releases have, with one file of each, the best to compare first.

    A kind is ``sdist`` or a wheel's tags as its filename has them. Wheels for any platform come first, since they are
    what is installed, then sdists, which have the sources of all other wheels.
    """
    before, after = _by_kind(detail, old), _by_kind(detail, new)
    both = sorted(before.keys() & after.keys(), key=lambda kind: (not kind.endswith("-none-any"), kind != SDIST, kind))
    return {kind: (before[kind], after[kind]) for kind in both}


def _by_kind(detail: ProjectDetail, version: str) -> dict[str, File]:
    """One file of each kind: the last build of a wheel, and the gzipped tar before other sdists."""
    files = [file for file in offered_files(detail) if file.version == version]
    return {_kind(file): file for file in _worst_first(files)}


def _worst_first(files: Iterable[File]) -> list[File]:
    return sorted(files, key=lambda file: (file.filename.endswith(".tar.gz"), file.filename))


def _kind(file: File) -> str:
    if not file.filename.endswith(".whl"):
        return SDIST
    return "-".join(file.filename.removesuffix(".whl").split("-")[-3:])
