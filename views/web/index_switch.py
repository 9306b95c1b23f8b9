"""On which index somebody is, and the way to the others that they may read: the same page there, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from flask import current_app, g, request, url_for
from packaging.utils import NormalizedName

from errors import Unavailable
from indexes.assembly import IndexServices
from permissions import MAIN, Permission
from views import services
from views.addressing import Application, index_named
from views.api.elsewhere import SEARCH_QUERY
from views.guards import may_read, project_named
from views.web import blueprint

_SAME_PAGE: Final = ("web.home", "web.why")
_OF_A_WHOLE_PROJECT: Final = ("web.project", "web.history", "web.project_statistics", "web.compare")


@dataclass(frozen=True, slots=True)
class IndexLink:
    """An index as a page leads to it. ``count`` is that of its projects, None where it was not asked for."""

    name: str
    title: str
    url: str
    is_here: bool
    count: int | None = None


def readable_indexes() -> list[IndexServices]:
    """The indexes that the asker may list, ``main`` first. Only their names and titles may be told."""
    return [one for one in services().registry.all().values() if may_read(one, Permission.LIST)]


@blueprint.app_template_global()
def index_switch() -> list[IndexLink]:
    """For the head of a page of an index: all that the asker may read, this one among them.

    It is empty for a page of no index, for ``main`` where nothing else is to be read, and while the database cannot be
    asked: the page that says so must not need it.
    """
    here = index_named(request.environ)
    is_of_an_index = cast("Application", current_app).is_of_an_index(request.endpoint or "")
    if not is_of_an_index or g.get("identity") is None:
        return []
    try:
        indexes = readable_indexes()
        names = [one.name for one in indexes]
        if here not in names or names == [MAIN]:
            return []
        return [IndexLink(one.name, one.row.title, _same_page(one), one.name == here) for one in indexes]
    except Unavailable:
        return []


def linked_indexes() -> list[IndexLink]:
    """For the home page: where several can be read, each with the number of its projects."""
    indexes, here = readable_indexes(), index_named(request.environ)
    if len(indexes) < 2:
        return []
    return [
        IndexLink(
            one.name, one.row.title, url_for("web.home", _index=one.name), one.name == here,
            one.catalogue.stats()["projects"],
        )
        for one in indexes
    ]  # fmt: skip


def same_search(arguments: dict[str, Any]) -> Iterator[IndexLink]:
    """The same search on each other index."""
    here = index_named(request.environ)
    for one in readable_indexes():
        if one.name != here:
            yield IndexLink(one.name, one.row.title, url_for("web.search", _index=one.name, **arguments), is_here=False)


def _same_page(index: IndexServices) -> str:
    """The address of this page on another index, or of what comes nearest to it there."""
    endpoint, values = request.endpoint or "", request.view_args or {}
    if endpoint in _SAME_PAGE or (endpoint == "web.upload" and may_read(index, Permission.UPLOAD)):
        return url_for(endpoint, _index=index.name, **values)
    if endpoint == "web.search":
        return url_for(endpoint, _index=index.name, **_search_said())
    project = project_named(str(values.get("name", "")))
    if project is not None and _has(index, project):
        there = endpoint if endpoint in _OF_A_WHOLE_PROJECT else "web.project"
        return url_for(there, _index=index.name, name=project)
    return url_for("web.home", _index=index.name)


def _has(index: IndexServices, project: NormalizedName) -> bool:
    return may_read(index, Permission.LIST, project) and index.reader.holds(project)


def _search_said() -> dict[str, Any]:
    """The query of this search, but for the page."""
    known = (parameter.name for parameter in SEARCH_QUERY if parameter.name != "page")
    return {name: said for name in known if (said := request.args.getlist(name))}
