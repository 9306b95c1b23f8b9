"""The documents that tell of indexes, in the types of JSON.

The API answers with them and ``cli.py --json`` prints them. ``views.api`` has their schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from config import Settings
from database.indexes import IndexRow, KeptRow, UpstreamRow
from indexes.upstreams import OF_SETTINGS
from permissions import MAIN
from simple.model import utc_stamp
from upstream.addresses import default_url

Document = dict[str, Any]


def index_document(
    row: IndexRow, stats: Mapping[str, int], settings: Settings, *, may_read: Callable[[str], bool], whole: bool
) -> Document:
    """An index with how much it holds (``Catalogue.stats``).

    To somebody who sees those bases that they may read; ``whole`` for administrators, who are told, too, how upstreams
    are signed in to.
    """
    return {
        "name": row.name,
        "title": row.title,
        "created": utc_stamp(row.created),
        "closed": row.closed,
        "declared": row.declared,
        "bases": [base for base in row.bases if may_read(base)],
        "upstreams": [upstream_line(one, whole=whole) for one in upstreams_of(row, settings)],
        "opened": sorted(row.opened),
        "projects": stats["projects"],
        "files": stats["files"],
        "bytes": stats["bytes"],
    }


def upstreams_of(row: IndexRow, settings: Settings) -> tuple[UpstreamRow, ...]:
    """The upstreams of an index in their order; for ``main`` that of the settings comes first, as "settings"."""
    if row.name != MAIN or settings.upstream_way == "none":
        return row.upstreams
    of_settings = UpstreamRow(
        OF_SETTINGS, settings.upstream_url or default_url(), settings.upstream_way, settings.upstream_username,
        settings.upstream_password, settings.upstream_allow_private,
    )  # fmt: skip
    return (of_settings, *row.upstreams)


def upstream_line(row: UpstreamRow, *, whole: bool) -> Document:
    """An upstream, never with its password. What is None is told to administrators only, who get it ``whole``."""
    return {
        "id": row.id,
        "url": row.url,
        "mode": row.mode,
        "username": row.username if whole else None,
        "has_password": bool(row.sealed_password) if whole else None,
        "allow_private": row.allow_private if whole else None,
    }


def kept_line(row: KeptRow) -> Document:
    """Names that are asked of nobody else: of one index or, with the index None, of all; by hand or as a team's."""
    return {
        "index": row.index or None,
        "pattern": row.pattern,
        "team": row.team or None,
        "created": utc_stamp(row.created),
        "by": row.actor or None,
    }
