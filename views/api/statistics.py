"""``/api/stats`` and ``/api/packages/<name>/statistics``: how much the index holds, and what was downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from database.download_figures import DayCount, Share
from database.statistics import WHOLE_INDEX, Dimension
from permissions import Permission
from views import this_index
from views.api import blueprint, shapes
from views.api.bodies import read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.packages import answer_read
from views.api.schemas import whole
from views.guards import requires
from views.simple import normalized

_MOST_DAYS = 365
_TOP_PROJECTS = 100
_QUERY = (Parameter("days", whole("How many days, today among them.", minimum=1, maximum=_MOST_DAYS, default=30)),)


@blueprint.get("/stats")
@requires(Permission.LIST)
@described(Operation("Show the figures", "server", {200: Reply("The figures.", shapes.STATS)}, is_cached=True))
def stats() -> Response:
    """How many projects, releases, files, bytes and downloads."""
    return answer_read({**this_index().catalogue.stats(), "downloads": this_index().downloads.total()})


@blueprint.get("/stats/downloads")
@requires(Permission.LIST)
@described(
    Operation(
        "Show the downloads of the whole index",
        "server",
        {200: Reply("The downloads.", shapes.INDEX_DOWNLOADS)},
        description="By day of UTC, and for the same days by project, Python, installer and platform.",
        query=_QUERY,
        is_cached=True,
    )
)
def downloads() -> Response:
    """What was downloaded of the whole index."""
    days = read_query(_QUERY)["days"]
    top = this_index().download_figures.top_projects(days, limit=_TOP_PROJECTS)
    by_project = [{"name": name, "downloads": count} for name, count in top]
    return answer_read({**_figures(days), "by_project": by_project})


@blueprint.get("/packages/<name>/statistics")
@requires(Permission.LIST, project="name")
@described(
    Operation(
        "Show the downloads of a project",
        "packages",
        {200: Reply("The downloads.", shapes.PROJECT_DOWNLOADS)},
        description="By day of UTC, and for the same days by version, Python, installer and platform. Releases and "
        "files that are not listed any more have no name; of a quarantined project no versions are told.",
        query=_QUERY,
        is_cached=True,
    )
)
def project_statistics(name: str) -> Response:
    """What was downloaded of a project."""
    days = read_query(_QUERY)["days"]
    found = this_index().catalogue.project_detail(normalized(name))
    by_version: list[Share] = []
    if found.status.offers_files:
        by_version = this_index().download_figures.releases(days, found)
    return answer_read({"name": found.name, **_figures(days, found.name), "by_version": _shares(by_version)})


def _figures(days: int, project: str = WHOLE_INDEX) -> dict[str, Any]:
    figures = this_index().download_figures
    by_day = figures.by_day(days, project)
    return {
        "days": days,
        "total": this_index().downloads.total(project or None),
        "in_period": sum(day.count for day in by_day),
        "lately": {f"last_{span}_days": count for span, count in figures.lately(project).items()},
        "by_day": [_day(day) for day in by_day],
        "by_python": _shares(figures.shares(Dimension.PYTHON, days, project)),
        "by_installer": _shares(figures.shares(Dimension.INSTALLER, days, project)),
        "by_platform": _shares(figures.shares(Dimension.PLATFORM, days, project)),
    }


def _day(day: DayCount) -> dict[str, Any]:
    return {"day": day.day.isoformat(), "downloads": day.count}


def _shares(shares: Sequence[Share]) -> list[dict[str, Any]]:
    return [
        {
            "name": share.name or None,
            "downloads": share.count,
            "parts": [{"name": part.name or None, "downloads": part.count} for part in share.parts],
        }
        for share in shares
    ]
