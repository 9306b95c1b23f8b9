"""What a release requires, and which projects require a project: ``dependencies`` and ``used-by``."""

from __future__ import annotations

from typing import Any

from flask import Response
from packaging.utils import NormalizedName

from database.catalogue import ReleaseDetail
from database.requirements import Here
from distributions.requirements import Required, required_by
from permissions import Permission
from simple.model import offered_versions
from views import this_index
from views.api import blueprint, dependency_shapes
from views.api.bodies import read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.packages import LAST_PAGE, MOST_PER_PAGE, PER_PAGE, answer_read, page_links
from views.api.schemas import text, whole
from views.guards import may_list, requires
from views.paging import pages_of
from views.releases import latest_release, offered_release
from views.simple import normalized

_USED_BY_QUERY = (
    Parameter("page", whole("Which page, from 1.", minimum=1, maximum=LAST_PAGE, default=1)),
    Parameter("per_page", whole("Projects on a page.", minimum=1, maximum=MOST_PER_PAGE, default=PER_PAGE)),
)


@blueprint.get("/packages/<name>/dependencies")
@requires(Permission.LIST, project="name")
@described(
    Operation(
        "Show what a project requires",
        "packages",
        {200: Reply("What the release requires that stands for the project.", dependency_shapes.DEPENDENCIES)},
        description="A quarantined project shows nothing.",
        is_cached=True,
    )
)
def dependencies(name: str) -> Response:
    """What the release that stands for a project requires."""
    project = normalized(name)
    detail = this_index().catalogue.project_detail(project)
    if not offered_versions(detail):
        return answer_read(_document(project, None))
    return answer_read(_document(project, latest_release(detail)))


@blueprint.get("/packages/<name>/<version:version>/dependencies")
@requires(Permission.LIST, project="name")
@described(
    Operation(
        "Show what a release requires",
        "packages",
        {200: Reply("What the release requires.", dependency_shapes.DEPENDENCIES)},
        is_cached=True,
    )
)
def release_dependencies(name: str, version: str) -> Response:
    """What one release requires."""
    project = normalized(name)
    detail = this_index().catalogue.project_detail(project)
    return answer_read(_document(project, offered_release(detail, version)))


@blueprint.get("/packages/<name>/used-by")
@requires(Permission.LIST)  # of the whole index: it is a list of other projects
@described(
    Operation(
        "List the projects that require a project",
        "packages",
        {
            200: Reply(
                "One page of the projects whose latest release requires it, by name.",
                dependency_shapes.USED_BY,
                headers={"Link": text("The first, previous, next and last page (RFC 8288).")},
            )
        },
        query=_USED_BY_QUERY,
        is_cached=True,
    )
)
def used_by(name: str) -> Response:
    """The projects of the index that require one."""
    project, asked = normalized(name), read_query(_USED_BY_QUERY)
    this_index().catalogue.validity(project)  # it has to be there
    page, per_page = asked["page"], asked["per_page"]
    here = this_index().requirements
    total = here.count_dependents(project)
    pages = pages_of(total, per_page)
    document = {
        "name": project,
        "projects": [
            {
                "name": one.name,
                "display_name": one.display_name,
                "version": one.version,
                "status": one.status,
                "requirements": one.requirements,
            }
            for one in here.dependents(project, limit=per_page, offset=(page - 1) * per_page)
        ],
        "page": page,
        "per_page": per_page,
        "pages": pages,
        "total": total,
    }
    response = answer_read(document)
    response.headers["Link"] = page_links(f"/api/packages/{project}/used-by", asked, page, pages)
    return response


def _document(project: NormalizedName, found: ReleaseDetail | None) -> dict[str, Any]:
    metadata = found.metadata if found else {}
    required = required_by(metadata)
    told = {one.name for one in required if one.name is not None and may_list(one.name)}
    here = this_index().requirements.here(told)
    return {
        "name": project,
        "version": found.version if found else None,
        "requires_python": metadata.get("requires_python"),
        "extras": metadata.get("provides_extra") or [],
        "requirements": [_requirement(one, told, here) for one in required],
    }


def _requirement(one: Required, told: set[NormalizedName], here: dict[str, Here]) -> dict[str, Any]:
    """One requirement; ``told`` are the projects of which the asker may know whether they are here."""
    held = here.get(one.name) if one.name is not None else None
    return {
        "requirement": one.text,
        "name": one.name,
        "extras": one.extras,
        "specifier": one.specifier,
        "url": one.url,
        "needed": [{"extra": case.extra or None, "marker": case.marker or None} for case in one.cases],
        "in_index": held is not None if one.name is None or one.name in told else None,
        "latest_version": held.version if held else None,
    }
