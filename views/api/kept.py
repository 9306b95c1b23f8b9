"""``/api/indexes/<index>/kept`` and ``/api/kept``: names for which no upstream is asked."""

from __future__ import annotations

from typing import Final

from flask import Response

from database.indexes import SERVER, IndexRows
from indexes.documents import kept_line
from people.tokens import checked_pattern
from permissions import Permission
from views import services
from views.api import blueprint, index_shapes
from views.api.bodies import read_body
from views.api.operations import Operation, Reply, described
from views.api.packages import answer
from views.guards import actor, requires

_LISTED: Final = {200: Reply("The names.", index_shapes.KEPT_LIST)}
_KEPT: Final = {200: Reply("They are kept.", index_shapes.KEPT)}
_RELEASED: Final = {200: Reply("Upstreams may answer for them again.", index_shapes.RELEASED)}
_ALSO: Final = "Names that an index holds, or held once, are kept without being listed here."
_NOT_KEPT: Final = {404: "There is no such index, or it does not keep them."}


@blueprint.get("/indexes/<index>/kept")
@requires(Permission.ADMIN)
@described(
    Operation("List the names that are kept on an index", "indexes", _LISTED, description=f"Everywhere's, too. {_ALSO}")
)
def list_kept(index: str) -> Response:
    """The names that are kept on an index: its own, those of teams, and those that are kept everywhere."""
    services().at(index)
    return _listed({index, SERVER})


@blueprint.put("/indexes/<index>/kept")
@requires(Permission.ADMIN)
@described(Operation("Keep names on an index", "indexes", _KEPT, body=index_shapes.KEPT_BODY))
def keep_names(index: str) -> Response:
    """Keep names on an index."""
    return _keep(index)


@blueprint.delete("/indexes/<index>/kept")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Keep names on an index no more",
        "indexes",
        _RELEASED,
        body=index_shapes.KEPT_BODY,
        refusals=_NOT_KEPT,
    )
)
def release_names(index: str) -> Response:
    """Keep names on an index no more."""
    return _release(index)


@blueprint.get("/kept")
@requires(Permission.ADMIN)
@described(Operation("List the names that are kept", "indexes", _LISTED, description=f"On all indexes. {_ALSO}"))
def list_kept_everywhere() -> Response:
    """The names that are kept anywhere."""
    return _listed(None)


@blueprint.put("/kept")
@requires(Permission.ADMIN)
@described(Operation("Keep names on every index", "indexes", _KEPT, body=index_shapes.KEPT_BODY))
def keep_names_everywhere() -> Response:
    """Keep names on every index, also on those made later."""
    return _keep(SERVER)


@blueprint.delete("/kept")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Keep names on every index no more",
        "indexes",
        _RELEASED,
        body=index_shapes.KEPT_BODY,
        refusals={404: "They are not kept on every index."},
    )
)
def release_names_everywhere() -> Response:
    """Keep names on every index no more."""
    return _release(SERVER)


def _listed(indexes: set[str] | None) -> Response:
    rows = IndexRows(services().database).kept()
    return answer({"kept": [kept_line(row) for row in rows if indexes is None or row.index in indexes]})


def _keep(index: str) -> Response:
    pattern = checked_pattern(read_body(index_shapes.KEPT_BODY)["pattern"])
    services().indexes.keep(index, pattern, by=actor())
    rows = IndexRows(services().database).kept()
    return answer(kept_line(next(row for row in rows if (row.index, row.pattern, row.team) == (index, pattern, ""))))


def _release(index: str) -> Response:
    pattern = checked_pattern(read_body(index_shapes.KEPT_BODY)["pattern"])
    services().indexes.release(index, pattern, by=actor())
    return answer({"index": index or None, "released": pattern})
