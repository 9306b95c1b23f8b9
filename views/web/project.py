"""The page of a project and of each of its releases."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from packaging.utils import NormalizedName
from packaging.version import Version

from database.catalogue import ReleaseDetail, provenance_path
from distributions.filenames import check_project_name, check_version, release_key
from errors import InvalidName, InvalidVersion, UnknownProject, UnknownRelease
from permissions import Permission, allows
from simple.model import ProjectDetail
from views import services
from views.guards import identity, requires, where
from views.web import blueprint
from views.web.description import Shown
from views.web.release import Attested, PageFile, ReleaseFacts, files_of, history_of, latest_of
from views.web.urls import index_url, pip_trust

_HISTORY = 50
_SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"  # of a stranger's text: nothing in it acts


@blueprint.get("/project/<name>/", strict_slashes=False)
@requires(Permission.LIST, project="name")
def project(name: str) -> ResponseReturnValue:
    """A project, as its latest release shows it."""
    known = _normalized(name)
    if name != known or not request.path.endswith("/"):
        return _moved(url_for("web.project", name=known))
    try:
        detail = services().catalogue.project_detail(known)
    except UnknownProject:
        if "delete" in rights_on(known) and services().deletions.count(known):
            return redirect(url_for("web.project_settings", name=known), 302)  # there it can be brought back
        raise
    if not detail.status.offers_files:
        return render_template("quarantined.html", detail=detail, may=rights_on(detail.name))
    return _page(detail, latest_of(detail), is_latest=True)


@blueprint.get("/project/<name>/<version>/", strict_slashes=False)
@requires(Permission.LIST, project="name")
def release(name: str, version: str) -> ResponseReturnValue:
    """One release of a project."""
    known = _normalized(name)
    detail = services().catalogue.project_detail(known)
    if not detail.status.offers_files:
        return redirect(url_for("web.project", name=known), 302)
    found = release_named(known, version)
    if (name, version) != (known, found.version) or not request.path.endswith("/"):
        return _moved(url_for("web.release", name=known, version=found.version))
    return _page(detail, found.version, is_latest=found.version == latest_of(detail))


@blueprint.get("/project/<name>/<version>/description.txt")
@requires(Permission.LIST, project="name")
def description(name: str, version: str) -> ResponseReturnValue:
    """The whole description of a release, as it was written."""
    known = _normalized(name)
    if not services().catalogue.project_detail(known).status.offers_files:
        return redirect(url_for("web.project", name=known), 302)
    answer = Response(release_named(known, version).description, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _SANDBOX
    return answer


def _page(detail: ProjectDetail, version: str, *, is_latest: bool) -> str:
    found = release_named(detail.name, version)
    history = history_of(detail)
    this = next(line for line in history if line.version == version)
    # An installer does not choose a pre-release or a yanked release unless it is told to.
    pinned = not is_latest or this.is_prerelease or this.yanked is not None
    return render_template(
        "project.html",
        detail=detail,
        release=found,
        facts=ReleaseFacts.of(found.metadata),
        description=Shown.of(found, services().descriptions.rendered(detail.name, release_key(Version(version)))),
        this=this,
        is_latest=is_latest,
        latest=latest_of(detail),
        files=_files(detail, version),
        history=history if "all" in request.args else history[:_HISTORY],
        history_total=len(history),
        downloads=services().downloads.total(detail.name),
        requirement=f"{detail.name}=={version}" if pinned else detail.name,
        index=index_url(),
        trust=pip_trust(),
        may=rights_on(detail.name),
    )


def rights_on(name: NormalizedName) -> frozenset[str]:
    """What the asker may change of a project: "yank", "delete", "manage"."""
    asker, place = identity(), where(Permission.MANAGE, name)
    wanted = (Permission.YANK, Permission.DELETE, Permission.MANAGE)
    return frozenset(permission.value for permission in wanted if allows(asker, permission, place))


def _files(detail: ProjectDetail, version: str) -> list[PageFile]:
    uploaders = services().catalogue.uploaders(detail.name)
    root = request.script_root
    attested = {
        filename: Attested.of(facts, root + provenance_path(detail.name, version, filename))
        for filename, facts in services().catalogue.proven(detail.name).items()
    }
    return files_of(detail, version, uploaders, f"{root}/simple/{detail.name}/", attested)


def _normalized(name: str) -> NormalizedName:
    try:
        return check_project_name(name)
    except InvalidName:
        raise UnknownProject(name) from None


def release_named(name: NormalizedName, version: str) -> ReleaseDetail:
    """The release that a path speaks of, in any spelling. Raises UnknownProject, UnknownRelease."""
    try:
        key = release_key(check_version(version))
    except InvalidVersion:
        raise UnknownRelease(name, version) from None
    return services().catalogue.release(name, key)


def _moved(address: str) -> ResponseReturnValue:
    query = request.query_string.decode("ascii", "replace")
    return redirect(f"{address}?{query}" if query else address, 301)
