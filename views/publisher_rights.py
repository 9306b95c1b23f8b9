"""Who may say which jobs are trusted to upload to a project, and what is sent of a publisher as fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import NormalizedName

from errors import InvalidRequest, shown
from permissions import Permission, allows, may_trust_publishers
from views import services
from views.guards import identity, must, project_named, where
from views.simple import normalized


@dataclass(frozen=True, slots=True)
class Publishing:
    """A project whose publishers the asker may manage; ``added_by`` is the row of the one user whose publishers they
    are, where nobody owns the name yet: others who may start it have theirs, and None is everybody's.
    """

    project: NormalizedName
    added_by: int | None


def must_manage_publishers(name: str, *, adding: bool = False) -> Publishing:
    """What of a project's publishers the asker may manage: see ``may_trust_publishers``.

    Raises NotAuthenticated, Forbidden, UnknownProject for what is no name.
    """
    project, asker = project_named(name), identity()
    if adding:
        must(Permission.UPLOAD, project)
    place = where(Permission.MANAGE, project)
    if project is None or not (services().settings.auth_enabled and may_trust_publishers(asker, place, adding=adding)):
        must(Permission.MANAGE, project)
    return Publishing(normalized(name), None if allows(asker, Permission.MANAGE, place) else asker.user_id)


def claims_of(lines: Iterable[str]) -> dict[str, str]:
    """The claims that ``name=value`` lines demand. Raises InvalidRequest."""
    claims: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or name.strip() in claims:
            raise InvalidRequest(f"{shown(line)} is no claim of its own; write each once, as name=value.")
        claims[name.strip()] = value.strip()
    return claims
