"""``/api/packages``: what is inside the files, and what changed from one release to another."""

from __future__ import annotations

from typing import Any

from flask import Response

from distributions.archives import Member
from distributions.comparing import ChangedFile, Comparison
from distributions.texts import as_text
from errors import NotFound, shown
from permissions import Permission
from simple.model import ProjectDetail
from views import this_index
from views.api import blueprint, contents_shapes
from views.api.bodies import read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.packages import answer_read
from views.api.schemas import text
from views.comparing import Pair, chosen_pair, compared_files
from views.contents import LARGEST_SHOWN, reader, stored_file
from views.guards import requires
from views.simple import normalized

_TEXT_QUERY = (Parameter("path", text("The file's name in the archive.", maxLength=4096, default="")),)
_VERSION = {"maxLength": 128, "default": ""}
_COMPARE_QUERY = (
    Parameter("from", text("The older release; left out: the one before the other.", **_VERSION)),
    Parameter("to", text("The newer release; left out: the latest.", **_VERSION)),
    Parameter("kind", text("Compare by files of this kind; left out: the first of 'kinds'.", **_VERSION)),
)
_LIMITS = {400: "What was sent cannot be taken as it is; or the archive cannot be read within the limits."}


@blueprint.get("/packages/<name>/<version:version>/files/<filename>/contents")
@requires(Permission.DOWNLOAD, project="name")
@described(
    Operation(
        "List what is inside a file",
        "packages",
        {200: Reply("The members of the archive.", contents_shapes.CONTENTS)},
        refusals=_LIMITS,
        is_cached=True,
    )
)
def contents(name: str, version: str, filename: str) -> Response:
    """The files and links that a wheel or sdist holds."""
    file = stored_file(normalized(name), version, filename)
    found = reader().contents(file)
    return answer_read(
        {
            "filename": file.filename,
            "version": file.version,
            "sha256": file.sha256,
            "members": [_member(member) for member in found.members],
            "omitted": found.omitted,
            "metadata_path": found.metadata_name or None,
            "entry_points": [point._asdict() for point in found.entry_points],
        }
    )


@blueprint.get("/packages/<name>/<version:version>/files/<filename>/text")
@requires(Permission.DOWNLOAD, project="name")
@described(
    Operation(
        "Read a text inside a file",
        "packages",
        {200: Reply(f"The text, at most {LARGEST_SHOWN:,} bytes of it.", contents_shapes.MEMBER_TEXT)},
        query=_TEXT_QUERY,
        refusals=_LIMITS,
        is_cached=True,
    )
)
def member_text(name: str, version: str, filename: str) -> Response:
    """The text of one file in a wheel or sdist."""
    path = read_query(_TEXT_QUERY)["path"]
    excerpt = reader().excerpt(stored_file(normalized(name), version, filename), path)
    is_cut = excerpt.size > len(excerpt.data)
    found = as_text(excerpt.data, is_cut=is_cut)
    return answer_read(
        {
            "path": path,
            "size": excerpt.size,
            "encoding": found.encoding if found else None,
            "text": found.text if found else None,
            "truncated": is_cut,
        }
    )


@blueprint.get("/packages/<name>/compare")
@requires(Permission.DOWNLOAD, project="name")
@described(
    Operation(
        "Compare two releases",
        "packages",
        {200: Reply("What changed.", contents_shapes.COMPARISON)},
        query=_COMPARE_QUERY,
        refusals=_LIMITS,
        is_cached=True,
    )
)
def comparison(name: str) -> Response:
    """What changed from one release to another."""
    asked = read_query(_COMPARE_QUERY)
    detail = this_index().catalogue.project_detail(normalized(name))
    pair = chosen_pair(detail, asked["from"], asked["to"]) if detail.status.offers_files else None
    if pair is None:
        raise NotFound(f"Project {shown(detail.name)} has no two releases to compare; its page lists those it has.")
    return answer_read(_comparison(detail, pair, asked["kind"]))


def _comparison(detail: ProjectDetail, pair: Pair, kind: str) -> dict[str, Any]:
    if kind and kind not in pair.kinds:
        raise NotFound(
            f"Not both releases have a file of the kind {shown(kind)}; leave it out, or send one of: "
            f"{', '.join(pair.kinds) or 'none'}."
        )
    files = pair.kinds[kind] if kind else next(iter(pair.kinds.values()), ())
    changes = compared_files(detail.name, files) if files else Comparison()
    metadata = pair.metadata
    return {
        "name": detail.name,
        "old": pair.old.version,
        "new": pair.new.version,
        "fields": [{"field": one.header, "removed": one.removed, "added": one.added} for one in metadata.fields],
        "description_changed": metadata.description,
        "dependencies": [
            {"name": one.name, "old": one.old or None, "new": one.new or None} for one in metadata.dependencies
        ],
        "compared": [file.filename for file in files],
        "kinds": list(pair.kinds),
        "entry_points_added": [point._asdict() for point in changes.entry_points_added],
        "entry_points_removed": [point._asdict() for point in changes.entry_points_removed],
        "added": [_member(member) for member in changes.added],
        "removed": [_member(member) for member in changes.removed],
        "changed": [_changed(one) for one in changes.changed],
        "same": changes.same,
        "omitted": changes.omitted,
    }


def _member(member: Member) -> dict[str, Any]:
    return {
        "path": member.name,
        "size": member.size,
        "compressed_size": member.compressed_size,
        "target": member.target or None,
    }


def _changed(one: ChangedFile) -> dict[str, Any]:
    return {
        "old_path": one.old.name,
        "path": one.new.name,
        "old_size": one.old.size,
        "size": one.new.size,
        "diff": None if one.untold else "\n".join(one.diff),
        "untold": one.untold or None,
    }
