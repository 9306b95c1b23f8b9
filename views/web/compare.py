"""The page that compares two releases of a project."""

from __future__ import annotations

from typing import Any, Final

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from distributions.comparing import ChangedFile, Comparison
from distributions.texts import visible
from errors import InvalidArchive
from permissions import Permission
from simple.model import ProjectDetail
from views.comparing import Pair, chosen_pair, compared_files
from views.guards import requires
from views.web import blueprint
from views.web.contents import may_download
from views.web.project_frame import frame_of, page_of_project

MOST_SHOWN: Final = 200  # files of each kind of change, and values of a field
_VERSIONS: Final = 500
_OPEN_LINES: Final = 300  # differences of fewer lines are all open


@blueprint.get("/project/<name>/compare")
@requires(Permission.LIST, project="name")
def compare(name: str) -> ResponseReturnValue:
    """What changed from one release to another: metadata for whoever may list, files for whoever may download."""
    detail = page_of_project("web.compare", name)
    if isinstance(detail, Response):
        return detail
    pair = chosen_pair(detail, request.args.get("from", "").strip(), request.args.get("to", "").strip())
    return render_template(
        "compare.html",
        frame=frame_of(detail, "web.history"),
        detail=detail,
        pair=pair,
        metadata=pair.metadata if pair else None,
        versions=_versions(detail, pair),
        most=MOST_SHOWN,
        **_files(detail, pair),
    )


def _versions(detail: ProjectDetail, pair: Pair | None) -> list[str]:
    """The versions to choose from, newest first: the newest 500, and those chosen."""
    newest = list(reversed(detail.versions))
    chosen = {pair.old.version, pair.new.version} if pair else set()
    return [version for at, version in enumerate(newest) if at < _VERSIONS or version in chosen]


def _files(detail: ProjectDetail, pair: Pair | None) -> dict[str, Any]:
    """What the page says of the files; ``state`` names why it says nothing."""
    told: dict[str, Any] = {"state": "", "kind": "", "files": None, "changes": None, "fault": "", "is_open": False}
    if pair is None:
        return told
    if pair.old.version == pair.new.version:
        return {**told, "state": "same"}
    if not pair.kinds:
        return {**told, "state": "no-common-kind"}
    asked = request.args.get("kind", "")
    told["kind"] = kind = asked if asked in pair.kinds else next(iter(pair.kinds))
    told["files"] = files = pair.kinds[kind]
    if not may_download(detail.name):
        return {**told, "state": "no-right"}
    try:
        changes = compared_files(detail.name, files)
    except InvalidArchive as refusal:
        return {**told, "state": "fault", "fault": refusal.sentence}
    lines = sum(len(one.diff) for one in changes.changed)
    return {**told, "changes": shown_changes(changes), "is_open": lines <= _OPEN_LINES}


def shown_changes(changes: Comparison) -> Comparison:
    """The same with nothing hidden in its lines."""
    return Comparison(
        changes.added,
        changes.removed,
        tuple(ChangedFile(one.old, one.new, tuple(map(visible, one.diff)), one.untold) for one in changes.changed),
        changes.same,
        changes.omitted,
        changes.entry_points_added,
        changes.entry_points_removed,
    )
