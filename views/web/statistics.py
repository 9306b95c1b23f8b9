"""The statistics of a project and of the whole index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from database.download_figures import DayCount, Part, Share
from database.statistics import Dimension
from errors import InvalidRequest, shown
from permissions import Permission
from views import this_index
from views.guards import requires
from views.web import blueprint
from views.web.choosing import chosen_index, index_names
from views.web.project_frame import frame_of, page_of_project

PERIODS: Final = {30: "30 days", 90: "90 days", 365: "A year"}
_OF_CLIENTS: Final = (Dimension.PYTHON, Dimension.INSTALLER, Dimension.PLATFORM)
_ROWS: Final = 8  # of a breakdown; the others are in the table that unfolds


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The downloads of a period by one dimension, as the page shows them.

    ``column`` is what a value is called, ``detail`` what its parts are; ``total`` what the shares are shares of.
    """

    ident: str
    title: str
    column: str
    detail: str
    shares: Sequence[Share]
    total: int

    @property
    def first(self) -> Sequence[Share]:
        """The largest shares."""
        return self.shares[:_ROWS]

    @property
    def has_more(self) -> bool:
        """Whether there is more to tell than the first shares."""
        return len(self.shares) > _ROWS or any(part.name for share in self.shares for part in share.parts)


_WORDS: Final = {
    Dimension.PROJECT: ("Projects", "Project", ""),
    Dimension.VERSION: ("Releases", "Release", "File"),
    Dimension.PYTHON: ("Python versions", "Python", ""),
    Dimension.INSTALLER: ("Installers", "Installer", "Version"),
    Dimension.PLATFORM: ("Platforms", "Platform", "C library"),
}


def period() -> int:
    """How many days the address asks for. Raises InvalidRequest for any but the PERIODS."""
    text = request.args.get("days", "30")
    if text not in map(str, PERIODS):
        raise InvalidRequest(f"{shown(text)} is no period that is drawn; choose 30, 90 or 365 days.")
    return int(text)


@blueprint.get("/project/<name>/statistics")
@requires(Permission.LIST, project="name")
def project_statistics(name: str) -> ResponseReturnValue:
    """The downloads of a project."""
    found = page_of_project("web.project_statistics", name)
    if isinstance(found, Response):
        return found
    length = period()
    figures = this_index().download_figures
    days = figures.by_day(length, found.name)
    return render_template(
        "project_statistics.html",
        frame=frame_of(found, "web.project_statistics"),
        total=this_index().downloads.total(found.name),
        lately=figures.lately(found.name),
        days=days,
        breakdowns=[
            _breakdown(Dimension.VERSION, days, figures.releases(length, found)),
            *(_breakdown(one, days, figures.shares(one, length, found.name)) for one in _OF_CLIENTS),
        ],
        periods=PERIODS,
    )


@blueprint.get("/admin/statistics")
@requires(Permission.ADMIN)
def statistics() -> str:
    """The downloads of a whole index."""
    figures = chosen_index().download_figures
    length = period()
    days = figures.by_day(length)
    top = [Share(name, count, (Part("", count),)) for name, count in figures.top_projects(length)]
    return render_template(
        "admin/statistics.html",
        total=chosen_index().downloads.total(),
        lately=figures.lately(),
        days=days,
        breakdowns=[
            _breakdown(Dimension.PROJECT, days, top),
            *(_breakdown(one, days, figures.shares(one, length)) for one in _OF_CLIENTS),
        ],
        periods=PERIODS,
        index=chosen_index().name,
        names=index_names(),
    )


def _breakdown(dimension: Dimension, days: Sequence[DayCount], shares: Sequence[Share]) -> Breakdown:
    return Breakdown(f"by-{dimension}", *_WORDS[dimension], shares, sum(day.count for day in days))
