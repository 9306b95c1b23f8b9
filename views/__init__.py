"""The only home of Flask beside ``server.py``: what each address answers."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, request

from indexes.assembly import IndexServices
from services import Services
from views.addressing import index_named


def services() -> Services:
    """The services of the application that answers this request."""
    return cast("Services", current_app.extensions["services"])


def this_index() -> IndexServices:
    """What answers about the index that this request speaks of; for reading a project, about the one that owns it.

    Raises UnknownIndex.
    """
    owner: IndexServices | None = g.get("owner")
    return owner if owner is not None else services().at(index_named(request.environ))
