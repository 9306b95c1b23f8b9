"""Addresses of indexes: what is at ``/simple/`` of ``main`` is at ``/index/<name>/simple/`` of the others.

The beginning is taken off a request's path before anything looks at it and is put behind the prefix under which the
application is mounted (``SCRIPT_NAME``, PEP 3333). So every view is one of an index without knowing of it, and the
addresses that Flask makes for its pages stay on that index. Views that are of no index are found at their own address
only.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Flask, has_request_context, request

from errors import NotFound
from permissions import CHANGING, MAIN, READING, Permission

INDEX: Final = "pypi.index"  # the name of the index, in the request's environment
PATH: Final = "pypi.path"  # the path as it was asked for
_MOUNT: Final = "pypi.mount"
_BEGINNING: Final = "/index/"
_ADDRESS: Final = re.compile(r"/index/([a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?)(/.*)?", re.DOTALL)
_OF_AN_INDEX: Final = READING | CHANGING | {Permission.MANAGE}


def split(environ: dict[str, Any]) -> None:
    """Take the index off a request's path."""
    path = environ["PATH_INFO"]
    if not path.startswith(_BEGINNING):
        return
    found = _ADDRESS.fullmatch(path)
    if found is None:
        return
    mount = path[: found.end(1)]
    environ[INDEX], environ[PATH], environ[_MOUNT] = found[1], path, mount
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + mount
    environ["PATH_INFO"] = found[2] or ""


def prefix_again(environ: dict[str, Any], prefix: str) -> None:
    """Put the application under another prefix, which a proxy took off, with the index behind it."""
    environ["SCRIPT_NAME"] = prefix + environ.get(_MOUNT, "")


def index_named(environ: dict[str, Any]) -> str:
    """The index that a request speaks of."""
    name: str = environ.get(INDEX, MAIN)
    return name


def mount() -> str:
    """The beginning that was taken off this request's path: "/index/dev", or "" for ``main`` at its own address."""
    found: str = request.environ.get(_MOUNT, "")
    return found


class Application(Flask):
    """Flask, whose addresses for what is of no index lead out of one."""

    def url_for(self, endpoint: str, *, _index: str | None = None, **values: Any) -> str:
        """The address of a view; of one of an index on the index of this request, or on ``_index``."""
        url = super().url_for(endpoint, **values)
        if not has_request_context():
            return url
        root, here = request.script_root.removesuffix(mount()), request.script_root
        if not url.startswith(f"{here}/"):
            return url
        rest = url[len(here) :]
        if not self.is_of_an_index(endpoint if not endpoint.startswith(".") else f"{request.blueprint}{endpoint}"):
            return root + rest
        if _index is None:
            return url
        return root + rest if _index == MAIN else f"{root}{_BEGINNING}{_index}{rest}"

    def is_of_an_index(self, endpoint: str) -> bool:
        """Whether a view is one of an index: it needs a right there, and is not told which (``guards.requires``)."""
        view = self.view_functions.get(endpoint)
        return getattr(view, "permission", None) in _OF_AN_INDEX and not getattr(view, "names_index", False)


def refuse_elsewhere(app: Application) -> None:
    """Refuse what is of no index at the address of one. Raises NotFound."""
    if INDEX in request.environ and request.endpoint is not None and not app.is_of_an_index(request.endpoint):
        raise NotFound("There is nothing at this address of an index; start from the index's own page.")
