"""Who may say which jobs are trusted to upload to a project, and what is sent of a publisher as fields."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import NormalizedName

from errors import InvalidRequest, shown
from permissions import Identity, Permission, Where, allows
from views import services
from views.guards import identity, must, project_named, where
from views.simple import normalized


def must_manage_publishers(name: str) -> NormalizedName:
    """The project, whose publishers the asker may manage: its owners; of a name that is still free, who may start it.

    Raises NotAuthenticated, Forbidden, UnknownProject for what is no name.
    """
    project, asker = project_named(name), identity()
    if project is None or not _may_start(asker, where(Permission.MANAGE, project)):
        must(Permission.MANAGE, project)
    return normalized(name)


def _may_start(asker: Identity, place: Where) -> bool:
    """A publisher outlives a token, so a token has to be one for managing."""
    if place.exists or not services().settings.auth_enabled or not asker.is_known or asker.limited:
        return False
    if asker.publisher is not None or (asker.scope is not None and not asker.scope.covers(Permission.MANAGE, place)):
        return False
    return allows(asker, Permission.UPLOAD, place)


def claims_of(lines: Iterable[str]) -> dict[str, str]:
    """The claims that ``name=value`` lines demand. Raises InvalidRequest."""
    claims: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or name.strip() in claims:
            raise InvalidRequest(f"{shown(line)} is no claim of its own; write each once, as name=value.")
        claims[name.strip()] = value.strip()
    return claims
