"""The search: a page for browsers, JSON for programs."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, make_response, render_template, request, url_for

from database.catalogue import ProjectSummary
from database.search import SearchResult
from errors import InvalidRequest, shown
from permissions import Permission
from views import services
from views.errors import wants_html
from views.guards import requires
from views.web import blueprint
from views.web.words import stamp

PER_PAGE = 20
_LAST_PAGE = 100_000


@blueprint.get("/search")
@requires(Permission.LIST)
def search() -> Response:
    """What fits ``q``; every project, newest first, without it."""
    query, page = request.args.get("q", "").strip(), page_number()
    result = _found(query, page)
    if wants_html():
        response = make_response(
            render_template("search.html", query=query, result=result, page=page, pages=pages_of(result.total))
        )
    else:
        response = Response(orjson.dumps(search_document(result, query, page)), content_type="application/json")
    response.vary.add("Accept")
    return response


def search_document(result: SearchResult, query: str, page: int, per_page: int = PER_PAGE) -> dict[str, Any]:
    """The answer to a program's search, for JSON.

    ``instead`` is null, or the words that were looked for because the query's own found nothing.
    """
    return {
        "query": query,
        "total": result.total,
        "instead": result.instead,
        "page": page,
        "pages": pages_of(result.total, per_page),
        "results": [_entry(hit) for hit in result.hits],
    }


def _entry(hit: ProjectSummary) -> dict[str, Any]:
    return {
        "name": hit.name,
        "display_name": hit.display_name,
        "version": hit.latest_version,
        "summary": hit.summary,
        "status": hit.status,
        "files": hit.file_count,
        "updated": stamp(hit.updated),
        "url": url_for("web.project", name=hit.name),
    }


def _found(query: str, page: int) -> SearchResult:
    limit, offset = PER_PAGE, (page - 1) * PER_PAGE
    if query:
        return services().search.find(query, limit=limit, offset=offset)
    catalogue = services().catalogue
    newest = catalogue.projects(sort="-updated", limit=limit, offset=offset)
    return SearchResult(catalogue.count_projects(), tuple(newest))


def pages_of(total: int, per_page: int = PER_PAGE) -> int:
    """How many pages a list has; an empty one has one."""
    return max(1, -(-total // per_page))


def page_number() -> int:
    """The page that the address asks for, counted from 1. Raises InvalidRequest."""
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= _LAST_PAGE):
        raise InvalidRequest(f"{shown(text)} is not a page; pages are counted from 1.")
    return int(text)
