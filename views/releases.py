"""Which two releases are compared, and by which of their files: pure functions over a project's detail."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from simple.model import File, ProjectDetail, offered_files

SDIST = "sdist"


def release_before(detail: ProjectDetail, version: str) -> str | None:
    """The release that came before: the highest lower one that is final and not yanked; else the highest lower one."""
    lower = detail.versions[: detail.versions.index(version)]
    standing = {file.version for file in detail.files if file.yanked is None}
    good = [one for one in lower if one in standing and not Version(one).is_prerelease]
    if good:
        return good[-1]
    return lower[-1] if lower else None


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
