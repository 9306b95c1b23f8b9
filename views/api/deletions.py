"""``/api/deletions``: what was deleted and can be undone, by project and altogether."""

from __future__ import annotations

from typing import Any, Final

from flask import Response
from packaging.utils import NormalizedName

from database.deletions import Deletions
from deletion import deletion_line
from permissions import MAIN, Permission
from views import services, this_index
from views.api import blueprint, shapes
from views.api.bodies import read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.packages import LAST_PAGE, MOST_PER_PAGE, PER_PAGE, answer
from views.api.schemas import INDEX_PATTERN, text, whole
from views.guards import actor, requires
from views.paging import pages_of
from views.simple import normalized

_LIST_QUERY: Final = (
    Parameter("page", whole("Which page, from 1.", minimum=1, maximum=LAST_PAGE, default=1)),
    Parameter("per_page", whole("Deletions on a page.", minimum=1, maximum=MOST_PER_PAGE, default=PER_PAGE)),
)
_INDEX_QUERY: Final = (Parameter("index", text("Of which index.", pattern=INDEX_PATTERN, maxLength=64, default=MAIN)),)
_LISTED: Final = {200: Reply("One page of the deletions that can be undone.", shapes.DELETION_LIST)}
_OVER: Final = {410: "Its time is over, or it was purged."}


@blueprint.get("/deletions")
@requires(Permission.ADMIN)
@described(
    Operation(
        "List what was deleted on an index",
        "packages",
        _LISTED,
        query=(*_INDEX_QUERY, *_LIST_QUERY),
        refusals={404: "There is no such index."},
    )
)
def list_deletions() -> Response:
    """The deletions of every project of an index that can be undone."""
    asked = read_query((*_INDEX_QUERY, *_LIST_QUERY))
    return _page(services().at(asked["index"]).deletions, None, asked)


@blueprint.get("/packages/<name>/deletions")
@requires(Permission.DELETE, project="name")
@described(
    Operation(
        "List what was deleted of a project",
        "packages",
        _LISTED,
        description="Also of a project that was deleted whole. Empty for a name that was never here.",
        query=_LIST_QUERY,
    )
)
def list_project_deletions(name: str) -> Response:
    """The deletions of one project that can be undone."""
    return _page(this_index().deletions, normalized(name), read_query(_LIST_QUERY))


def _page(deletions: Deletions, project: NormalizedName | None, asked: dict[str, Any]) -> Response:
    page, per_page = asked["page"], asked["per_page"]
    total = deletions.count(project)
    found = deletions.standing(project, limit=per_page, offset=(page - 1) * per_page)
    pages = pages_of(total, per_page)
    return answer({"deletions": [deletion_line(one) for one in found], "page": page, "pages": pages, "total": total})


@blueprint.post("/packages/<name>/deletions/<deletion>/restore")
@requires(Permission.DELETE, project="name")
@described(
    Operation(
        "Undo a deletion",
        "packages",
        {200: Reply("The files are listed again, as they were.", shapes.RESTORED)},
        description="All of it or nothing. For whoever may delete there now.",
        refusals={409: "Something else stands in the place of one of its files by now.", **_OVER},
    )
)
def restore(name: str, deletion: str) -> Response:
    """List again what was deleted."""
    project = normalized(name)
    return answer({"restored": services().manager.restore(this_index().name, project, deletion, by=actor())})


@blueprint.delete("/deletions/<deletion>")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Let what was deleted go for good",
        "packages",
        {200: Reply("Its bytes are gone.", shapes.PURGED)},
        description="At once, and not only when its time is over.",
        query=_INDEX_QUERY,
        refusals=_OVER,
    )
)
def purge(deletion: str) -> Response:
    """Remove the bytes of a deletion."""
    index = read_query(_INDEX_QUERY)["index"]
    return answer({"purged": services().manager.purge(index, deletion, by=actor())})
