"""Long lists in pages: how many there are, and one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Item]):
    """Some items of a list of ``total``: those of page ``number`` of ``pages``, counted from 1."""

    items: Sequence[Item]
    number: int
    pages: int
    total: int


def pages_of(total: int, per_page: int) -> int:
    """How many pages a list has; an empty one has one."""
    return max(1, -(-total // per_page))


def page_of(items: Sequence[Item], number: int, per_page: int) -> ListPage[Item]:
    """The page of that number; one behind the last has no items."""
    start = (number - 1) * per_page
    return ListPage(items[start : start + per_page], number, pages_of(len(items), per_page), len(items))
