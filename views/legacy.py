"""``/pypi/<project>/json`` and ``/pypi/<project>/<version>/json``: PyPI's older JSON API, which mirrors read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import quote

from flask import Blueprint, Response, request
from packaging.utils import NormalizedName

from database.catalogue import ReleaseDetail
from errors import UnknownProject
from permissions import Permission
from simple.conditional import matches_none
from simple.legacy_json import ReleaseInfo, draw_project_json, draw_release_json, yanked_reason
from simple.model import File, ProjectDetail, offered_versions
from views import this_index
from views.guards import is_for_everybody, requires
from views.releases import latest_release, offered_release
from views.simple import moved, normalized
from views.upstream_releases import upstream_project, upstream_release
from views.web.urls import index_address

blueprint = Blueprint("legacy", __name__)

_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@blueprint.get("/pypi/<project>/json", strict_slashes=False)
@requires(Permission.LIST, project="project")
def project_json(project: str) -> Response:
    """The project, its latest release, and the files of every version."""
    name = normalized(project)
    if name != project:
        return _moved(f"../{name}/json")
    try:
        detail = offered_detail(name)
    except UnknownProject:
        member, detail = upstream_project(name)
        return _answer(detail, project_document(detail, upstream_release(member, detail)))
    return _answer(detail, project_document(detail, latest_release(detail)))


@blueprint.get("/pypi/<project>/<version>/json", strict_slashes=False)
@requires(Permission.LIST, project="project")
def release_json(project: str, version: str) -> Response:
    """One release; its version may be spelled in any way."""
    name = normalized(project)
    if name != project:
        return _moved(f"../../{name}/{version}/json")
    try:
        detail = offered_detail(name)
    except UnknownProject:
        member, detail = upstream_project(name)
        return _answer(detail, release_document(detail, upstream_release(member, detail, version)))
    return _answer(detail, release_document(detail, offered_release(detail, version)))


def offered_detail(name: NormalizedName) -> ProjectDetail:
    """The project. Raises UnknownProject, also for one that is quarantined."""
    detail = this_index().catalogue.project_detail(name)
    if not offered_versions(detail):
        raise UnknownProject(name)
    return detail


def project_document(detail: ProjectDetail, release: ReleaseDetail) -> bytes:
    """The document about a project, of which ``release`` is the latest."""
    return draw_project_json(detail, _info(detail, release), page_url=page_url(detail), file_url=file_url_of(detail))


def release_document(detail: ProjectDetail, release: ReleaseDetail) -> bytes:
    """The document about one release."""
    return draw_release_json(detail, _info(detail, release), page_url=page_url(detail), file_url=file_url_of(detail))


def _info(detail: ProjectDetail, release: ReleaseDetail) -> ReleaseInfo:
    reason = yanked_reason(detail, release.version)
    return ReleaseInfo(release.version, release.metadata, release.description, reason)


def page_url(detail: ProjectDetail) -> str:
    """The project's page for people."""
    return f"{index_address()}/project/{detail.name}/"


def file_url_of(detail: ProjectDetail) -> Callable[[File], str]:
    """Gives the absolute address of each of a project's files."""
    base = f"{index_address()}/packages/{detail.name}/"
    return lambda file: base + quote(file.filename)


def _moved(to: str) -> Response:
    """To the normalized name: relative, so one step more where the address ends in a slash."""
    return moved(f"../{to}" if request.path.endswith("/") else to)


def _answer(detail: ProjectDetail, body: bytes) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    keepers = (
        {} if is_for_everybody(Permission.LIST) else {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
    )
    headers = {**_HEADERS, **keepers, "ETag": etag, "X-PyPI-Last-Serial": str(detail.serial)}
    if matches_none(request.headers.get("If-None-Match"), etag):
        response = Response(status=304, headers=headers)
        del response.headers["Content-Type"]
        return response
    return Response(body, 200, headers, content_type="application/json")
