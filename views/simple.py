"""``/simple/`` and its projects, for what the fast path does not take: the same pages, by the same ``Pages``."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, redirect, request
from packaging.utils import NormalizedName

from distributions.filenames import check_project_name
from errors import InvalidName, UnknownProject
from permissions import Permission
from simple.conditional import matches_none
from simple.negotiation import negotiate, negotiate_coding
from simple.pages import Page, PageKey
from views import services, this_index
from views.answering import who_answers
from views.guards import identity, requires

blueprint = Blueprint("simple", __name__)


@blueprint.get("/simple/")
@requires(Permission.LIST)
def project_list() -> Response:
    """Every project (PEP 503, 691)."""
    return _answer(None)


@blueprint.get("/simple/<project>/")
@requires(Permission.LIST, project="project")
def project_detail(project: str) -> Response:
    """The files of one project. Another spelling of its name is sent to the normalized one."""
    name = normalized(project)
    if name != project:
        return moved(f"../{name}/")
    return _answer(name)


@blueprint.get("/simple")
@requires(Permission.LIST)
def without_slash() -> Response:
    """To the form with the slash, whose relative links are right."""
    return moved("simple/")


@blueprint.get("/simple/<project>")
@requires(Permission.LIST, project="project")
def project_without_slash(project: str) -> Response:
    """To the form with the slash."""
    return moved(f"{normalized(project)}/")


@blueprint.get("/index_mtime/", strict_slashes=False)
@requires(Permission.LIST)
def synced() -> Response:
    """When the index was last in line with what lies in its store: seconds since 1970, 0 for never."""
    at = services().indexes.rows.synced(this_index().name)
    response = Response(str(int(at.timestamp()) if at else 0), 200, {"Cache-Control": "no-store"})
    response.content_type = "text/plain; charset=utf-8"
    return response


def normalized(project: str) -> NormalizedName:
    """The name that a path speaks of. Raises UnknownProject for what is no name at all."""
    try:
        return check_project_name(project)
    except InvalidName as error:
        raise UnknownProject(project) from error


def moved(to: str) -> Response:
    """A lasting redirect to a relative address, with the query kept."""
    query = request.query_string.decode("ascii", "ignore")
    response = redirect(quote(to, safe="./") + (f"?{query}" if query else ""), 301)
    response.autocorrect_location_header = False
    return response  # type: ignore[return-value]


def _answer(project: NormalizedName | None) -> Response:
    media_type = negotiate(request.headers.get("Accept"), request.args.get("format"))
    coding = negotiate_coding(request.headers.get("Accept-Encoding"))
    answering = who_answers(services(), this_index(), identity(), Permission.LIST, project)
    if not answering.members:
        return _elsewhere(answering.redirect)
    key = PageKey(answering.key, project, media_type, coding, answering.is_private)
    return _response(services().pages.get(key, answering.source))


def _elsewhere(url: str) -> Response:
    """To the upstream's page. Only for now: the project may come here, or the upstream be another one."""
    response = redirect(url, 302)
    response.headers["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]


def _response(page: Page) -> Response:
    if matches_none(request.headers.get("If-None-Match"), page.etag):
        return Response(status=304, headers=list(page.not_modified_headers))
    return Response(page.body, 200, list(page.headers))
