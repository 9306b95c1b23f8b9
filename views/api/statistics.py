"""``/api/stats``: how much the index holds."""

from __future__ import annotations

from flask import Response

from permissions import Permission
from views import services
from views.api import blueprint, shapes
from views.api.operations import Operation, Reply, described
from views.api.packages import answer_read
from views.guards import requires


@blueprint.get("/stats")
@requires(Permission.LIST)
@described(Operation("Show the figures", "server", {200: Reply("The figures.", shapes.STATS)}, is_cached=True))
def stats() -> Response:
    """How many projects, releases, files, bytes and downloads."""
    return answer_read({**services().catalogue.stats(), "downloads": services().downloads.total()})
