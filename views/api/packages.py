"""``/api/packages``: the projects of the index, their releases and files, to be read."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, request
from packaging.utils import NormalizedName

from database.catalogue import SORT_KEYS, ProjectSummary, ReleaseDetail
from permissions import Permission
from simple.conditional import matches_none
from simple.legacy_json import project_latest, reason_of
from simple.model import File, ProjectDetail, ProjectStatus, offered_files, offered_versions, utc_stamp
from views import this_index
from views.api import blueprint, caching, shapes
from views.api.bodies import read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.schemas import PREFIX_PATTERN, text, whole
from views.guards import requires
from views.paging import pages_of
from views.releases import offered_release
from views.simple import normalized
from views.web.install import pin_of, pip_command
from views.web.urls import index_address

PER_PAGE = 50
MOST_PER_PAGE = 200
LAST_PAGE = 10_000  # bounds the rows that the database has to pass over

_LIST_QUERY = (
    Parameter("page", whole("Which page, from 1.", minimum=1, maximum=LAST_PAGE, default=1)),
    Parameter("per_page", whole("Projects on a page.", minimum=1, maximum=MOST_PER_PAGE, default=PER_PAGE)),
    Parameter("sort", text("The order; '-' turns it round.", enum=sorted(SORT_KEYS), default="name")),
    Parameter(
        "prefix",
        text("Only projects whose name begins so, in any spelling.", maxLength=128, pattern=PREFIX_PATTERN, default=""),
    ),
)


@blueprint.get("/packages")
@requires(Permission.LIST)
@described(
    Operation(
        "List the projects",
        "packages",
        {
            200: Reply(
                "One page of the projects that have files.",
                shapes.PACKAGE_LIST,
                headers={"Link": text("The first, previous, next and last page (RFC 8288).")},
            )
        },
        query=_LIST_QUERY,
        is_cached=True,
    )
)
def list_packages() -> Response:
    """A page of the projects that have files."""
    asked = read_query(_LIST_QUERY)
    page, per_page = asked["page"], asked["per_page"]
    prefix = NormalizedName(_collapsed(asked["prefix"]))
    total = this_index().catalogue.count_projects(prefix)
    found = this_index().catalogue.projects(
        sort=asked["sort"], limit=per_page, offset=(page - 1) * per_page, prefix=prefix
    )
    pages = pages_of(total, per_page)
    document = {
        "packages": [_line(project) for project in found],
        "page": page,
        "per_page": per_page,
        "pages": pages,
        "total": total,
    }
    response = answer_read(document)
    response.headers["Link"] = page_links("/api/packages", asked, page, pages)
    return response


def _collapsed(prefix: str) -> str:
    """The prefix as normalized names are written; a separator at its end is kept, since it narrows."""
    parts = prefix.lower().replace("_", "-").replace(".", "-").split("-")
    kept = [part for position, part in enumerate(parts) if part or position in {0, len(parts) - 1}]
    return "-".join(kept)


def _line(project: ProjectSummary) -> dict[str, Any]:
    return {
        "name": project.name,
        "display_name": project.display_name,
        "version": project.latest_version,
        "summary": project.summary,
        "status": project.status,
        "files": project.file_count,
        "created": utc_stamp(project.created),
        "updated": utc_stamp(project.updated),
    }


def page_links(path: str, asked: dict[str, Any], page: int, pages: int) -> str:
    """The Link header of a page of a list (RFC 8288)."""
    targets = {"first": 1, "prev": min(page - 1, pages), "next": page + 1, "last": pages}
    links = []
    for relation, number in targets.items():
        if 1 <= number <= pages:
            query = urlencode({**{name: value for name, value in asked.items() if value != ""}, "page": number})
            links.append(f'<{index_address()}{path}?{query}>; rel="{relation}"')
    return ", ".join(links)


@blueprint.get("/packages/<name>")
@requires(Permission.LIST, project="name")
@described(
    Operation(
        "Describe a project",
        "packages",
        {200: Reply("The project with all its releases and files.", shapes.PACKAGE)},
        description="The version, metadata and description are those of the release that stands for the project: not "
        "yanked, final, the highest. A quarantined project offers neither releases nor files.",
        is_cached=True,
    )
)
def package(name: str) -> Response:
    """Everything about one project."""
    project = normalized(name)
    detail = this_index().catalogue.project_detail(project)
    versions = offered_versions(detail)
    found = {release.version: release for release in this_index().catalogue.releases(project)}
    latest = found[project_latest(detail)] if versions else None
    files = by_version(detail)
    pin = pin_of(latest.version, latest.version, reason_of(files[latest.version])) if latest else ""
    document = {
        **_head(detail, latest),
        "releases": [_release(found[version], files[version]) for version in reversed(versions)],
        "files": _files(detail, offered_files(detail)),
        "downloads": this_index().downloads.total(project),
        "install": pip_command(project, pin),
    }
    return answer_read(document)


@blueprint.get("/packages/<name>/<version:version>")
@requires(Permission.LIST, project="name")
@described(
    Operation(
        "Describe a release",
        "packages",
        {200: Reply("The release with its files.", shapes.RELEASE)},
        is_cached=True,
    )
)
def release(name: str, version: str) -> Response:
    """Everything about one release."""
    project = normalized(name)
    detail = this_index().catalogue.project_detail(project)
    found = offered_release(detail, version)
    files = by_version(detail)[found.version]
    document = {
        **_head(detail, found),
        **_release(found, files),
        "files": _files(detail, files),
        "install": pip_command(project, found.version),
    }
    return answer_read(document)


def _head(detail: ProjectDetail, found: ReleaseDetail | None) -> dict[str, Any]:
    metadata = found.metadata if found else {}
    return {
        "name": detail.name,
        "display_name": detail.display_name or detail.name,
        "version": found.version if found else None,
        "summary": str(metadata.get("summary") or ""),
        "description": found.description if found else "",
        "metadata": metadata,
        "status": detail.status.value,
        "status_reason": detail.status_reason or None,
    }


def by_version(detail: ProjectDetail) -> defaultdict[str, list[File]]:
    """The files that a project offers, by release."""
    files: defaultdict[str, list[File]] = defaultdict(list)
    for file in offered_files(detail):
        files[file.version].append(file)
    return files


def _release(found: ReleaseDetail, files: list[File]) -> dict[str, Any]:
    reason = reason_of(files)
    return {
        "version": found.version,
        "created": utc_stamp(found.created),
        "yanked": reason is not None,
        "yanked_reason": reason,
        "files": len(files),
    }


def _files(detail: ProjectDetail, files: Sequence[File]) -> list[dict[str, Any]]:
    uploaders = this_index().catalogue.uploaders(detail.name)
    base = f"{index_address()}/packages/{detail.name}/"
    return [
        {
            "filename": file.filename,
            "version": file.version,
            "url": base + quote(file.filename),
            "size": file.size,
            "sha256": file.sha256,
            "md5": file.md5,
            "blake2b_256": file.blake2b,
            "upload_time": None if file.uploaded is None else utc_stamp(file.uploaded),
            "uploader": uploaders.get(file.filename, ""),
            "requires_python": file.requires_python or None,
            "yanked": file.yanked is not None,
            "yanked_reason": file.yanked,
            "core_metadata_sha256": file.core_metadata,
            "kind": file.kind,
            "python_tag": file.python_tag,
        }
        for file in files
    ]


@blueprint.get("/packages/<name>/status")
@requires(Permission.LIST, project="name")
@described(Operation("Show a project's status", "packages", {200: Reply("The status.", shapes.STATUS)}, is_cached=True))
def status(name: str) -> Response:
    """A project's status marker (PEP 792)."""
    detail = this_index().catalogue.project_detail(normalized(name))
    return answer_read(status_document(detail.name, detail.status, detail.status_reason))


def status_document(name: NormalizedName, status: ProjectStatus, reason: str | None) -> dict[str, Any]:
    """A project's status as the API shows it."""
    return {"name": name, "status": status.value, "reason": reason or None}


def answer(document: dict[str, Any], status: int = 200) -> Response:
    """A JSON answer that is for this asker only."""
    response = Response(orjson.dumps(document), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_read(document: dict[str, Any]) -> Response:
    """A JSON answer with a strong ETag, or 304 to a client that has it."""
    body = orjson.dumps(document)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if matches_none(request.headers.get("If-None-Match"), etag):
        response = Response(status=304)
        del response.headers["Content-Type"]
    else:
        response = Response(body, 200, content_type="application/json")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = caching()
    return response
