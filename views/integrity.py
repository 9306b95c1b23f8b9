"""``/integrity``: the provenance of files whose attestations were verified (PEP 740, PyPI's integrity API)."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Blueprint, Response, request
from packaging.utils import NormalizedName

from errors import NotAcceptable, NotFound, Refusal, UnknownFile, shown
from permissions import Permission
from views import this_index
from views.contents import stored_file
from views.errors import headers_of, status_of
from views.guards import is_for_everybody, requires
from views.simple import normalized

blueprint = Blueprint("integrity", __name__)

INTEGRITY_JSON: Final = "application/vnd.pypi.integrity.v1+json"
_OFFERED: Final = (INTEGRITY_JSON, "application/json")


@blueprint.get("/integrity/<project>/<version>/<filename>/provenance")
@requires(Permission.DOWNLOAD, project="project")
def provenance(project: str, version: str, filename: str) -> Response:
    """The provenance object of a file."""
    accepted = request.accept_mimetypes
    media_type = accepted.best_match(_OFFERED) if accepted else INTEGRITY_JSON
    if media_type is None:
        raise NotAcceptable(_OFFERED)
    response = Response(_provenance(normalized(project), version, filename), 200)
    response.content_type = media_type
    keepers = "public" if is_for_everybody(Permission.DOWNLOAD) else "private"
    response.headers["Cache-Control"] = f"{keepers}, max-age=600"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.vary.update(["Accept"] if keepers == "public" else ["Accept", "Authorization"])
    return response


def _provenance(project: NormalizedName, version: str, filename: str) -> str:
    """Raises UnknownFile, and NotFound for a file without."""
    stored_file(project, version, filename)
    try:
        return this_index().catalogue.provenance(project, filename)
    except UnknownFile as error:
        raise NotFound(
            f"There is no provenance of {shown(filename, 200)}: no trusted publisher attested it with its upload."
        ) from error


@blueprint.errorhandler(Refusal)
def refused(refusal: Refusal) -> Response:
    """A refusal as PyPI has it here: JSON with a message."""
    status = status_of(refusal)
    response = Response(orjson.dumps({"message": refusal.sentence}), status, headers_of(refusal, status))
    response.content_type = "application/json"
    return response
