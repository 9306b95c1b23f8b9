"""The REST API: one module a noun. Its description for programs is made from what stands beside each view."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from permissions import Permission
from views.guards import is_for_everybody

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

blueprint = Blueprint("api", __name__, url_prefix="/api")


class VersionConverter(BaseConverter):
    """A part of a path that may be a version: those of PEP 440 begin with a digit, or a v before it."""

    regex = "[vV]?[0-9][^/]*"
    part_isolating = True


class FilenameConverter(BaseConverter):
    """A part of a path that may be a distribution's filename: each has a dot before what it ends in."""

    regex = "[^/]+[.][^/]+"
    part_isolating = True


@blueprint.record_once
def know_converters(state: BlueprintSetupState) -> None:
    """Make ``<version:version>`` and ``<filename:filename>`` known: ``status`` or ``dependencies`` is neither."""
    state.app.url_map.converters |= {"version": VersionConverter, "filename": FilenameConverter}


@blueprint.after_app_request
def add_headers(response: Response) -> Response:
    """What every answer below ``/api`` carries, refusals too; a view's own choice stands."""
    if not request.path.startswith("/api/"):
        return response
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def caching() -> str:
    """The Cache-Control of what is read: asked anew each time where anybody may read, else never kept."""
    return "no-cache" if is_for_everybody(Permission.LIST) else "no-store"


from views.api import (  # noqa: E402 - they add their views
    changes,  # noqa: F401
    contents,  # noqa: F401
    deletions,  # noqa: F401
    dependencies,  # noqa: F401
    indexes,  # noqa: F401
    journal,  # noqa: F401
    kept,  # noqa: F401
    openapi,  # noqa: F401
    packages,  # noqa: F401
    people,  # noqa: F401
    promotion,  # noqa: F401
    publishers,  # noqa: F401
    registration,  # noqa: F401
    roles,  # noqa: F401
    statistics,  # noqa: F401
    teams,  # noqa: F401
    tokens,  # noqa: F401
)
