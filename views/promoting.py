"""Promotion in the asker's name: who may take a release from one index to another."""

from __future__ import annotations

from typing import Any

from packaging.utils import NormalizedName

from indexes.assembly import IndexServices
from permissions import Permission, allows
from promotion import Promoted
from views import services, this_index
from views.guards import actor, asked_anew, identity, may_read, must, where
from views.upload import must_take


def targets(project: NormalizedName) -> list[IndexServices]:
    """The other indexes to which the asker may take releases of a project: they read them, and may upload it there."""
    here, asker = this_index().name, identity()
    return [
        one
        for one in services().registry.all().values()
        if one.name != here
        and may_read(one, Permission.LIST, project)
        and allows(asker, Permission.UPLOAD, where(Permission.UPLOAD, project, one.name))
    ]


def promote(project: NormalizedName, version: str, target: str, *, move: bool) -> Promoted:
    """Take a release of this request's index, which the asker may read, to another one.

    That needs the right to upload to the project there and, to move it, to delete it here. The first is asked again
    within the transaction, since the project may have become another's. Raises as ``must`` and
    ``PackageManager.promote`` do.
    """
    asker = must(Permission.UPLOAD, project, index=target)
    if move:
        must(Permission.DELETE, project)
    there = services().at(target)

    def permit(connection: Any, project: NormalizedName) -> None:
        must_take(connection, asked_anew(), there, project)

    owner = asker.username if services().settings.auth_first_upload_owns else None
    return services().manager.promote(
        this_index().name, target, project, version, move=move, permit=permit, owner=owner, by=actor()
    )
