"""Who else could give out files under a project's name: the bases and upstreams of an index, as people know them."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from packaging.utils import NormalizedName

from indexes.assembly import IndexServices
from indexes.documents import upstreams_of
from permissions import Permission
from views import services, this_index
from views.guards import may_read


class Origin(NamedTuple):
    """Where a project's files come from: from its index alone or, where its owner opened it, from ``others``, too."""

    is_opened: bool
    others: tuple[str, ...]


def others_of(index: IndexServices, project: NormalizedName) -> list[str]:
    """Who adds files to an opened project: the indexes below that the asker may read, by name, and the hosts of
    upstreams from which files are taken; in the order in which they are asked.
    """
    settings, found = services().settings, []
    for inside in index.reader.inside():
        there = services().at(inside.name)
        if inside.name != index.name:
            if not may_read(there, Permission.LIST, project):
                continue
            found.append(inside.name)
        found += [host_of(one.url) for one in upstreams_of(there.row, settings) if one.mode == "cache"]
    return list(dict.fromkeys(found))


def has_others(index: IndexServices) -> bool:
    """Whether an index answers for anything but what it holds."""
    return any(one.name != index.name or one.upstreams for one in index.reader.inside())


def origin_of(project: NormalizedName) -> Origin | None:
    """Where the files of a project that this index holds come from; None where nobody else could give any."""
    index = this_index()
    if not has_others(index):
        return None
    is_opened = project in index.reader.opened
    return Origin(is_opened, tuple(others_of(index, project)) if is_opened else ())


def host_of(url: str) -> str:
    """What an upstream is called: the host of its address."""
    return urlsplit(url).hostname or url
