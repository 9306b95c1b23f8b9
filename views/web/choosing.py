"""Which index a page of the administration is about: ``?index=`` in its address or its form, else ``main``."""

from __future__ import annotations

from flask import request, url_for

from indexes.assembly import IndexServices
from permissions import MAIN
from views import services, this_index


def chosen_index() -> IndexServices:
    """The index that this request chooses; without a choice the one whose address it came to. Raises UnknownIndex."""
    said = request.values.get("index", "")
    return services().at(said) if said else this_index()


def address_of_chosen(endpoint: str) -> str:
    """The address of a page about the index that this request chose."""
    name = chosen_index().name
    return url_for(endpoint, index=None if name == MAIN else name)


def index_names() -> list[str]:
    """Every index that can be chosen, ``main`` first."""
    return list(services().registry.all())
