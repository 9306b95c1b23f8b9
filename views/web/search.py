"""The search: a page for browsers, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from database.search import Hit, SearchResult
from database.words import segments, spans_in_name, spans_of
from distributions.facts import PYTHONS
from errors import InvalidRequest, shown
from permissions import Permission
from views import this_index
from views.api.elsewhere import FOUND_STATUSES
from views.errors import wants_html
from views.guards import requires
from views.paging import pages_of
from views.search_query import SearchQuery
from views.web import blueprint
from views.web.index_switch import same_search
from views.web.words import stamp

PER_PAGE = 20
_LAST_PAGE = 100_000
_PYTHONS: Final = PYTHONS[PYTHONS.index("3.8") : PYTHONS.index("3.16")]  # offered to choose from
_CHOSEN: Final = {
    "classifier": "{}",
    "license": "Licence: {}",
    "python": "Python {}",
    "status": "Status: {}",
}
_CHOSEN_FLAGS: Final = {
    ("has_wheel", "true"): "Has a wheel",
    ("has_wheel", "false"): "Has no wheel",
    ("yanked", "true"): "Yanked",
    ("yanked", "false"): "Not yanked",
}
Segments = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class MarkedHit:
    """A hit with the pieces of its texts; True for those that were looked for."""

    hit: Hit
    name: Segments
    summary: Segments
    passage: Segments

    @classmethod
    def of(cls, hit: Hit, words: Sequence[str]) -> MarkedHit:
        """The hit with these folded words marked."""
        name = hit.display_name or hit.name
        return cls(
            hit,
            segments(name, spans_in_name(name, words)),
            segments(hit.summary, spans_of(hit.summary, words)),
            segments(hit.passage, spans_of(hit.passage, words)),
        )


@blueprint.get("/search")
@requires(Permission.LIST)
def search() -> ResponseReturnValue:
    """What fits the query; every project, the last changed first, without one."""
    if wants_html() and "" in request.args.values():
        return redirect(url_for("web.search", **_filled_in()), 302)
    asked = SearchQuery.read()
    result = this_index().search.find(
        asked.words, filters=asked.filters, sort=asked.sort, limit=PER_PAGE, offset=(asked.page - 1) * PER_PAGE
    )
    response = _page(asked, result) if wants_html() else _document(asked, result)
    response.vary.add("Accept")
    return response


def _filled_in() -> dict[str, Any]:
    """The query without what was left empty: forms send that, too, and an address does not have to say it."""
    return {name: filled for name, values in request.args.lists() if (filled := list(filter(None, values)))}


def _page(asked: SearchQuery, result: SearchResult) -> Response:
    pythons = [*_PYTHONS, *({asked.filters.python} - {*_PYTHONS, ""})]
    return make_response(
        render_template(
            "search.html",
            asked=asked,
            result=result,
            found=[MarkedHit.of(hit, result.words) for hit in result.hits],
            pages=pages_of(result.total, PER_PAGE),
            chosen=[(_in_words(name, value), without) for name, value, without in asked.choices()],
            choices=this_index().search.choices(),
            pythons=pythons,
            statuses=FOUND_STATUSES,
            elsewhere=list(same_search(asked.arguments())),
        )
    )


def _in_words(name: str, value: str) -> str:
    """A filter as people are told it."""
    return _CHOSEN_FLAGS.get((name, value)) or _CHOSEN[name].format(value)


def _document(asked: SearchQuery, result: SearchResult) -> Response:
    document = {
        "query": asked.words,
        "total": result.total,
        "instead": result.instead,
        "suggestion": result.suggestion,
        "page": asked.page,
        "pages": pages_of(result.total, PER_PAGE),
        "results": [_entry(hit) for hit in result.hits],
    }
    return Response(orjson.dumps(document), content_type="application/json")


def _entry(hit: Hit) -> dict[str, Any]:
    return {
        "name": hit.name,
        "display_name": hit.display_name,
        "version": hit.latest_version,
        "summary": hit.summary,
        "passage": hit.passage or None,
        "status": hit.status,
        "yanked": hit.is_yanked,
        "files": hit.file_count,
        "downloads": hit.downloads,
        "updated": stamp(hit.updated),
        "url": url_for("web.project", name=hit.name),
    }


def page_number() -> int:
    """The page that the address asks for, counted from 1. Raises InvalidRequest."""
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= _LAST_PAGE):
        raise InvalidRequest(f"{shown(text)} is not a page; pages are counted from 1.")
    return int(text)
