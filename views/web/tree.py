"""The tree of a distribution's members as a page shows it: pure, and bounded whatever the archive holds.

Only what is shown is built: an archive of 100,000 members, or of names a thousand folders deep, costs no more than a
pass over its names for each level that is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from distributions.archives import Member
from distributions.texts import visible_name
from views.paging import pages_of

MOST_ROWS: Final = 400
_DEEPEST: Final = 8
_OPEN_ROWS: Final = 60  # a tree of fewer rows is open whole
_CRUMBS: Final = 8


@dataclass(slots=True)
class Node:
    """A file, a link or a folder. ``path`` is its name in the archive, with a slash at the end of a folder's.

    ``size`` is in bytes, of all that a folder holds, ``files`` how many that are. ``children`` is None for a folder
    that is not shown here and has a page of its own. ``target`` is where a link points.
    """

    label: str
    path: str
    size: int
    files: int = 1
    target: str = ""
    is_folder: bool = False
    is_open: bool = False
    children: list[Node] | None = None
    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """One folder of an archive with what is below it; ``page`` of ``pages``, where the folder itself has many rows."""

    rows: list[Node]
    page: int
    pages: int
    files: int
    size: int


def tree_of(members: Iterable[Member], folder: str = "", page: int = 1) -> Tree:
    """The tree below a folder, which ends with a slash unless it is the whole; without rows where there is none."""
    inside = [member for member in members if member.name.startswith(folder)]
    rows = _children(inside, folder)
    pages = pages_of(len(rows), MOST_ROWS)
    shown = rows[(page - 1) * MOST_ROWS : page * MOST_ROWS]
    _unfold(shown)
    return Tree(shown, page, pages, len(inside), sum(member.size for member in inside))


def crumbs_of(path: str) -> list[tuple[str, str]]:
    """The folders above a path, outermost first, as label and path; the nearest eight."""
    parts = path.rstrip("/").split("/")[:-1]
    first = max(0, len(parts) - _CRUMBS)
    return [
        (visible_name(parts[at]) or "(no name)", "/".join(parts[: at + 1]) + "/") for at in range(first, len(parts))
    ]


def _children(members: Sequence[Member], folder: str) -> list[Node]:
    """The rows of one folder: folders first, then files, by name."""
    folders: dict[str, Node] = {}
    files: list[Node] = []
    for member in members:
        name, slash, _ = member.name[len(folder) :].partition("/")
        if not slash:
            label = visible_name(name) or "(no name)"
            files.append(Node(label, member.name, member.size, target=member.target))
            continue
        node = folders.get(name)
        if node is None:
            label = visible_name(name) or "(no name)"
            node = folders[name] = Node(label, f"{folder}{name}/", 0, 0, is_folder=True)
        node.size += member.size
        node.files += 1
        node.members.append(member)
    return [*sorted(folders.values(), key=_place), *sorted(files, key=_place)]


def _place(node: Node) -> tuple[str, str]:
    return node.label.casefold(), node.path


def _unfold(rows: list[Node]) -> None:
    """Put folders' rows below them, level by level, as long as there is room for all rows of a folder."""
    total, level = len(rows), rows
    for _ in range(_DEEPEST):
        following: list[Node] = []
        for node in level:
            if node.is_folder:
                children = _children(node.members, node.path)
                node.members = []
                if total + len(children) <= MOST_ROWS:
                    node.children = children
                    total += len(children)
                    following += children
        level = following
    _set_open(rows, is_small=total <= _OPEN_ROWS)


def _set_open(rows: list[Node], *, is_small: bool) -> None:
    for node in rows:
        node.is_open = True
        if is_small:
            _set_open(node.children or [], is_small=True)
