"""Every refusal becomes an answer here: which status its family has, and which form its reader needs."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from database.search import Hit
from errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    Refusal,
    TooLarge,
    TooManyAttempts,
    Unavailable,
    UnknownProject,
    UnsupportedMedia,
)
from views import this_index
from views.access_log import log_failure
from views.guards import lists_index, project_named

STATUS: dict[type[Refusal], int] = {
    Invalid: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    UnsupportedMedia: 415,
    TooManyAttempts: 429,
    Unavailable: 503,
}
_EVERY_REFUSAL = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))  # it repeats what was sent
# Old setuptools sends credentials only after a challenge whose realm is this word.
REALM = 'Basic realm="pypi", charset="UTF-8"'


def status_of(refusal: Refusal) -> int:
    """The status of a refusal's family."""
    return next(status for family, status in STATUS.items() if isinstance(refusal, family))


def headers_of(refusal: Refusal, status: int) -> list[tuple[str, str]]:
    """The headers of a refusal: for every one, and those that belong to its status."""
    headers = list(_EVERY_REFUSAL)
    if status == 401:
        headers.append(("WWW-Authenticate", REALM))
    if isinstance(refusal, MethodNotAllowed):
        headers.append(("Allow", ", ".join(refusal.allowed)))
    if isinstance(refusal, TooManyAttempts | Unavailable):
        headers.append(("Retry-After", str(refusal.retry_after)))
    return headers


def reason_line(status: int, sentence: str) -> str:
    """A status line whose reason phrase is the sentence: one line of Latin-1, which is all that twine prints."""
    one_line = " ".join(sentence.split())
    return f"{status} {one_line.encode('latin-1', 'replace').decode('latin-1')}"


def plain(refusal: Refusal) -> Response:
    """For installers and scripts: the sentence as text."""
    status = status_of(refusal)
    response = Response(refusal.sentence + "\n", status, headers_of(refusal, status))
    response.content_type = "text/plain; charset=utf-8"
    return response


def of_upload(refusal: Refusal) -> Response:
    """For uploaders: 400 for every clash; the sentence in the reason phrase and the body; JSON for uv."""
    status = 400 if isinstance(refusal, Conflict) else status_of(refusal)
    line = reason_line(status, refusal.sentence)
    headers = headers_of(refusal, status)
    if request.accept_mimetypes.quality("application/json") > 0 and "application/json" in str(request.accept_mimetypes):
        body = {"message": refusal.sentence, "code": line, "title": HTTPStatus(status).phrase}
        response = Response(orjson.dumps(body), line, headers)
        response.headers["Content-Type"] = "application/json"
        return response
    response = Response(refusal.sentence + "\n", line, headers)
    response.content_type = "text/plain; charset=utf-8"
    return response


def problem(refusal: Refusal, status: int | None = None) -> Response:
    """For the REST API: problem+json (RFC 9457)."""
    status = status or status_of(refusal)
    body = {
        "type": f"urn:pypi-clone:{refusal.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": refusal.sentence,
        "request_id": request.environ.get("pypi.request_id"),
    }
    response = Response(orjson.dumps(body), status, headers_of(refusal, status))
    response.headers["Content-Type"] = "application/problem+json"
    return response


def page(refusal: Refusal) -> Response:
    """For people: a page that says what to do next."""
    status = status_of(refusal)
    headers = [header for header in headers_of(refusal, status) if header[0] != "WWW-Authenticate"]
    html = render_template(
        "error.html", status=status, title=HTTPStatus(status).phrase.capitalize(), sentence=refusal.sentence,
        request_id=request.environ.get("pypi.request_id"), near=_near(refusal), why=_why(refusal),
        unknown=refusal.names[0] if isinstance(refusal, UnknownProject) else "",
    )  # fmt: skip
    return Response(html, status, headers, content_type="text/html; charset=utf-8")


def _near(refusal: Refusal) -> tuple[Hit, ...]:
    """The projects whose names are near to one that is not here, for those who may list the index."""
    if not isinstance(refusal, UnknownProject) or not lists_index():
        return ()
    return this_index().search.near(refusal.names[0])


def _why(refusal: Refusal) -> str:
    """Where it is said why a name is not here, for those who may list an index that answers for more than it holds."""
    if not isinstance(refusal, UnknownProject) or not lists_index():
        return ""
    reader, project = this_index().reader, project_named(refusal.names[0])
    return url_for("web.why", name=project) if project and (reader.bases or reader.upstreams) else ""


def answer(refusal: Refusal) -> Response:
    """The refusal in the form that fits the address and the client."""
    if request.path.startswith("/api/") or request.blueprint == "registration":
        return problem(refusal)
    if request.endpoint == "upload.upload":
        return of_upload(refusal)
    if request.blueprint in {"simple", "files", "legacy", "xmlrpc", "feeds", "health"}:
        return plain(refusal)
    if wants_html():
        return page(refusal)
    return problem(refusal) if request.path == "/search" else plain(refusal)


def wants_html() -> bool:
    """Whether the client names HTML itself, as browsers do; curl and scripts only send ``*/*``."""
    return "text/html" in request.headers.get("Accept", "")


def register(app: Flask) -> None:
    """Let every refusal, every error of Flask and every fault of ours end as an answer."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return answer(refusal)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < 400:
            return error  # the redirects of Flask's routing
        return _with_headers(answer(as_refusal(error)), error)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        log_failure(request.environ, error)
        return _internal()


def _with_headers(response: Response, error: HTTPException) -> Response:
    for name, value in _headers(error):
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def _headers(error: HTTPException) -> Iterable[tuple[str, str]]:
    return error.get_headers(request.environ)


def as_refusal(error: HTTPException) -> Refusal:
    """Flask's and Werkzeug's own errors, said as one of ours."""
    kinds: dict[int, Any] = {404: NotFound, 413: TooLarge, 415: UnsupportedMedia, 403: Forbidden, 410: Gone}
    sentences = {
        404: "There is nothing at this address; check it, or start from the home page.",
        413: "The request is too large; send less.",
        415: "This content type is not taken here; the documentation at /api/docs says which is.",
    }
    code = error.code or 400
    if code == 405:
        allowed = tuple(sorted(getattr(error, "valid_methods", None) or ()))
        return MethodNotAllowed(f"This address does not take {request.method}; it takes {', '.join(allowed)}.", allowed)
    if code >= 500:
        return Unavailable("The server could not answer; try again.")
    sentence = sentences.get(code, "The request could not be understood; check its address, headers and body.")
    refusal: Refusal = kinds.get(code, Invalid)(sentence)
    return refusal


def _internal() -> Response:
    number = request.environ.get("pypi.request_id")
    sentence = f"Something went wrong on the server and was written to its log under {number}; tell an administrator."
    if request.path.startswith("/api/"):
        response = problem(Unavailable(sentence), 500)
    elif wants_html():
        html = render_template(
            "error.html",
            status=500,
            title="Server error",
            sentence=sentence,
            request_id=number,
            near=(),
            unknown="",
            why="",
        )
        response = Response(html, 500, _EVERY_REFUSAL, content_type="text/html; charset=utf-8")
    else:
        response = Response(sentence + "\n", 500, _EVERY_REFUSAL, content_type="text/plain; charset=utf-8")
    response.headers.pop("Retry-After", None)
    return response
