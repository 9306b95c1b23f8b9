"""What a release requires, and which projects require it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from database.requirements import Here
from distributions.requirements import Case, Required, by_extra, required_by
from permissions import Permission
from views import this_index
from views.guards import lists_index, may_list, requires
from views.paging import pages_of
from views.web import blueprint
from views.web.marker_words import marker_words
from views.web.project_frame import frame_of, page_of_release
from views.web.search import page_number

DEPENDENTS = 50
_REQUIREMENTS = 150


@dataclass(frozen=True, slots=True)
class RequirementLine:
    """One requirement as its row shows it: ``when`` in words, or ``marker`` as written where there are none for it.

    ``here`` is the project on this index, if it is there; ``is_told``: whether the asker may know.
    """

    required: Required
    when: str
    marker: str
    here: Here | None
    is_told: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The requirements of one extra, or those without one for ""."""

    extra: str
    lines: Sequence[RequirementLine]


@blueprint.get("/project/<name>/<version>/dependencies")
@requires(Permission.LIST, project="name")
def dependencies(name: str, version: str) -> ResponseReturnValue:
    """What a release requires, by extra, and which projects require it."""
    place = page_of_release("web.dependencies", name, version)
    if isinstance(place, Response):
        return place
    detail, found = place
    here, page, lists = this_index().requirements, page_number(), lists_index()
    required = len(found.metadata.get("requires_dist") or ())
    total = here.count_dependents(detail.name) if lists else 0
    shown = required_by(found.metadata, None if "all" in request.args else _REQUIREMENTS)
    told = {one.name for one in shown if one.name is not None and may_list(one.name)}
    return render_template(
        "dependencies.html",
        frame=frame_of(detail, "web.dependencies", found),
        requires_python=str(found.metadata.get("requires_python") or ""),
        groups=groups_of(shown, found.metadata.get("provides_extra") or (), told, here.here(told)),
        required=required,
        hidden=required - len(shown),
        lists=lists,
        dependents=here.dependents(detail.name, limit=DEPENDENTS, offset=(page - 1) * DEPENDENTS) if lists else [],
        total=total,
        page=page,
        pages=pages_of(total, DEPENDENTS),
    )


def groups_of(
    required: Sequence[Required], extras: Sequence[str], told: Collection[str], here: Mapping[str, Here]
) -> list[Group]:
    """The requirements by extra, those without one first; an extra that needs nothing more has no lines.

    ``told`` are the projects of which the asker may know whether they are here, ``here`` those of them that are.
    """
    return [
        Group(extra, [_line(one, case, told, here) for one, case in found])
        for extra, found in by_extra(required, extras).items()
        if found or extra
    ]


def _line(one: Required, case: Case, told: Collection[str], here: Mapping[str, Here]) -> RequirementLine:
    words = marker_words(case.tree)
    return RequirementLine(
        required=one,
        when=words or "",
        marker=case.marker if words is None else "",
        here=here.get(one.name) if one.name else None,
        is_told=one.name is None or one.name in told,
    )
