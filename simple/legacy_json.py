"""PyPI's older JSON API, ``/pypi/<project>/json`` and ``/pypi/<project>/<version>/json``.

Mirrors, scanners and scripts read it. Its keys are fixed by what PyPI sends; a key without a value is null here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from errors import UnknownRelease
from simple.model import File, ProjectDetail, offered_files, offered_versions, utc_stamp

_TEXTS = (
    "author",
    "author_email",
    "description_content_type",
    "download_url",
    "home_page",
    "license",
    "license_expression",
    "maintainer",
    "maintainer_email",
    "requires_python",
    "summary",
)
_LISTS = ("dynamic", "license_files", "provides_extra", "requires_dist")
_NOT_COUNTED = -1  # PyPI too counts downloads elsewhere and says -1 here


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """The release that the document is about.

    ``metadata`` has the core metadata under their Python names (``summary``, ``requires_dist``, ``project_urls`` as
    "label, url" lines), absent fields left out or None. ``yanked`` is None for a release that is not yanked, else the
    reason, perhaps empty: see ``yanked_reason``.
    """

    version: str
    metadata: Mapping[str, object]
    description: str
    yanked: str | None


def draw_project_json(
    detail: ProjectDetail, release: ReleaseInfo, *, page_url: str, file_url: Callable[[File], str]
) -> bytes:
    """The project's document: ``release`` (see ``project_latest``), its files, and the files of every version.

    ``page_url`` is the project's page for people, ending in a slash, absolute where the server knows its own address.
    ``file_url`` gives each file's address; its path begins with ``/packages/``, which mirrors insist on.
    """
    files = _files_by_version(detail, file_url)
    document = _document(detail, release, files, page_url)
    document["releases"] = {version: files.get(_same(version), []) for version in offered_versions(detail)}
    return orjson.dumps(document)


def draw_release_json(
    detail: ProjectDetail, release: ReleaseInfo, *, page_url: str, file_url: Callable[[File], str]
) -> bytes:
    """One release's document: as the project's, without ``releases``."""
    return orjson.dumps(_document(detail, release, _files_by_version(detail, file_url), page_url))


def project_latest(detail: ProjectDetail) -> str:
    """The release that stands for the project: not yanked, then final before pre-release, then highest.

    A version without any file to offer counts as a yanked one. Raises UnknownRelease where there are no versions.
    """
    versions = offered_versions(detail)
    if not versions:
        raise UnknownRelease(detail.name, "latest")
    parsed = {text: _parsed(text) for text in {*versions, *(file.version for file in offered_files(detail))}}
    installable = {parsed[file.version] for file in offered_files(detail) if file.yanked is None}
    return max(versions, key=lambda text: (parsed[text] in installable, *_order(parsed[text])))


def yanked_reason(detail: ProjectDetail, version: str) -> str | None:
    """Why a release is yanked, perhaps ""; None while any of its files is not yanked, or it has none."""
    return reason_of([file for file in offered_files(detail) if _same(file.version) == _same(version)])


def reason_of(files: Sequence[File]) -> str | None:
    """Why a release with these files is yanked, perhaps ""; None while any of them is not, or there is none."""
    reasons = [file.yanked for file in files]
    given = [reason for reason in reasons if reason is not None]
    if not given or len(given) < len(reasons):
        return None
    return next((reason for reason in given if reason), "")


def _document(
    detail: ProjectDetail, release: ReleaseInfo, files: dict[str, list[dict[str, object]]], page_url: str
) -> dict[str, object]:
    return {
        "info": _info(detail, release, page_url),
        "last_serial": detail.serial,
        "ownership": {"roles": [], "organization": None},
        "urls": files.get(_same(release.version), []),
        "vulnerabilities": [],
    }


def _info(detail: ProjectDetail, release: ReleaseInfo, page_url: str) -> dict[str, object]:
    given = release.metadata
    return {
        **{key: given.get(key) or None for key in (*_TEXTS, *_LISTS)},
        "bugtrack_url": None,
        "classifiers": given.get("classifiers") or [],
        "description": release.description,
        "docs_url": None,
        "downloads": {"last_day": _NOT_COUNTED, "last_month": _NOT_COUNTED, "last_week": _NOT_COUNTED},
        "keywords": _joined(given.get("keywords")),
        "name": detail.display_name or detail.name,
        "package_url": page_url,
        "platform": _joined(given.get("platforms") or given.get("platform")),
        "project_url": page_url,
        "project_urls": _labelled(given.get("project_urls")),
        "release_url": f"{page_url}{release.version}/",
        "version": release.version,
        "yanked": release.yanked is not None,
        "yanked_reason": release.yanked or None,
    }


def _files_by_version(detail: ProjectDetail, file_url: Callable[[File], str]) -> dict[str, list[dict[str, object]]]:
    """The files under the canonical form of their version: 1.0 and 1.0.0 are one release."""
    canonical: dict[str, str] = {}
    files: dict[str, list[dict[str, object]]] = {}
    for file in offered_files(detail):
        version = canonical.get(file.version)
        if version is None:
            version = canonical[file.version] = _same(file.version)
        files.setdefault(version, []).append(_file(file, file_url(file)))
    return files


def _file(file: File, url: str) -> dict[str, object]:
    stamp = utc_stamp(file.uploaded) if file.uploaded is not None else None
    digests = {"blake2b_256": file.blake2b, "md5": file.md5, "sha256": file.sha256}
    return {
        "comment_text": None,
        "core-metadata": {"sha256": file.core_metadata} if file.core_metadata else file.core_metadata is not None,
        "digests": {name: digest for name, digest in digests.items() if digest},
        "downloads": _NOT_COUNTED,
        "filename": file.filename,
        "has_sig": False,
        "md5_digest": file.md5,
        "packagetype": file.kind,
        "python_version": file.python_tag,
        "requires_python": file.requires_python or None,
        "size": file.size,
        "upload_time": stamp and stamp[:19],
        "upload_time_iso_8601": stamp,
        "url": url,
        "yanked": file.yanked is not None,
        "yanked_reason": file.yanked or None,
    }


def _same(version: str) -> str:
    """Equal for versions that are equal (version specifiers specification); what is no version is itself."""
    return canonicalize_version(version)


def _parsed(version: str) -> Version | str:
    """The version, or the text where it is none: old upstreams still list some."""
    try:
        return Version(version)
    except InvalidVersion:
        return version


def _order(version: Version | str) -> tuple[int, Version]:
    """Finals above pre-releases, and at the bottom what is no version at all."""
    if isinstance(version, str):
        return 0, Version("0")
    return 1 if version.is_prerelease else 2, version


def _joined(value: object) -> str | None:
    """Keywords and platforms are lists in newer readings of the metadata and one text in this API."""
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value) or None
    return str(value) if value else None


def _labelled(value: object) -> dict[str, str] | None:
    """Project URLs, given as "label, url" lines or as a mapping, by their label."""
    if isinstance(value, Mapping):
        return {str(label): str(url) for label, url in value.items()} or None
    if not isinstance(value, (list, tuple)) or not value:
        return None
    pairs = (str(line).partition(",") for line in value)
    return {label.strip(): url.strip() for label, _, url in pairs if url.strip()}
