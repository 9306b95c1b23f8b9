"""The pages of a project and of each of its releases: description, release history, files."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from packaging.version import Version
from werkzeug.wrappers import Response as AnyResponse

from database.catalogue import ReleaseDetail
from distributions.descriptions import Rendered
from distributions.filenames import release_key
from distributions.requirements import by_project
from errors import UnknownProject
from permissions import Permission
from simple.model import ProjectDetail, first_uploaded
from views import this_index
from views.guards import requires
from views.paging import page_of
from views.releases import latest_release
from views.simple import normalized
from views.web import blueprint
from views.web.description import Shown
from views.web.install import install_box, pin_of
from views.web.mirrored import mirrored
from views.web.project_frame import (
    frame_of,
    moved,
    page_files,
    page_of_project,
    page_of_release,
    rights_on,
)
from views.web.release import PageFile, ReleaseFacts, history_of
from views.web.search import page_number

_RELEASES = 100
_FILES = 40
_QUERY_CHARACTERS = 200
_SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"  # of a stranger's text: nothing in it acts


@blueprint.get("/project/<name>/", strict_slashes=False)
@requires(Permission.LIST, project="name")
def project(name: str) -> ResponseReturnValue:
    """A project, as its latest release shows it."""
    known = normalized(name)
    if name != known or not request.path.endswith("/"):
        return moved(url_for("web.project", name=known))
    try:
        detail = this_index().catalogue.project_detail(known)
    except UnknownProject:
        if "delete" in rights_on(known) and this_index().deletions.count(known):
            return redirect(url_for("web.project_settings", name=known), 302)  # there it can be brought back
        return mirrored(known)
    if not detail.status.offers_files:
        return render_template("quarantined.html", frame=frame_of(detail, "web.project"))
    return _description(detail, latest_release(detail))


@blueprint.get("/project/<name>/<version>/", strict_slashes=False)
@requires(Permission.LIST, project="name")
def release(name: str, version: str) -> ResponseReturnValue:
    """One release of a project."""
    place = page_of_release("web.release", name, version)
    return place if isinstance(place, AnyResponse) else _description(*place)


@blueprint.get("/project/<name>/<version>/description.txt")
@requires(Permission.LIST, project="name")
def description(name: str, version: str) -> ResponseReturnValue:
    """The whole description of a release, as it was written."""
    place = page_of_release("web.description", name, version)
    if isinstance(place, AnyResponse):
        return place
    answer = Response(place[1].description, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _SANDBOX
    return answer


def _description(detail: ProjectDetail, found: ReleaseDetail) -> str:
    frame = frame_of(detail, "web.project", found)
    required = by_project(found.metadata)
    files = [file for file in detail.files if file.version == frame.version]
    return render_template(
        "project.html",
        frame=frame,
        release=found,
        facts=ReleaseFacts.of(found.metadata),
        description=Shown.of(found, _rendered(detail, found)),
        uploaded=first_uploaded(files),
        files=len(files),
        requires=len(required),
        downloads=this_index().downloads.total(detail.name),
        box=install_box(
            detail.name, pin_of(frame.version, frame.latest, frame.yanked), files, needs_others=bool(required)
        ),
    )


def _rendered(detail: ProjectDetail, found: ReleaseDetail) -> Rendered | None:
    return this_index().descriptions.rendered(detail.name, release_key(Version(found.version)))


@blueprint.get("/project/<name>/history")
@requires(Permission.LIST, project="name")
def history(name: str) -> ResponseReturnValue:
    """Every release of a project, newest version first."""
    detail = page_of_project("web.history", name)
    if isinstance(detail, AnyResponse):
        return detail
    page = page_of(history_of(detail), page_number(), _RELEASES)
    return render_template("history.html", frame=frame_of(detail, "web.history"), page=page)


@blueprint.get("/project/<name>/<version>/files")
@requires(Permission.LIST, project="name")
def files(name: str, version: str) -> ResponseReturnValue:
    """The files of a release: all, or those in whose name or tags some words stand."""
    place = page_of_release("web.files", name, version)
    if isinstance(place, AnyResponse):
        return place
    detail, found = place
    query = request.args.get("q", "")[:_QUERY_CHARACTERS]
    frame = frame_of(detail, "web.files", found)
    all_files = page_files(detail, frame.version, frame.proven)
    fitting = [one for one in all_files if _fits(one, query)]
    return render_template(
        "files.html",
        frame=frame,
        page=page_of(fitting, page_number(), _FILES),
        query=query,
        total=len(all_files),
        size=sum(one.file.size or 0 for one in fitting),
    )


def _fits(one: PageFile, query: str) -> bool:
    text = f"{one.file.filename} {one.tags}".lower()
    return all(word in text for word in query.lower().split())
