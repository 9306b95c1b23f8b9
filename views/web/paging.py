"""One page of a list that is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from views.web.search import pages_of

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Item]):
    """Some items of a list of ``total``: those of page ``number`` of ``pages``, counted from 1."""

    items: Sequence[Item]
    number: int
    pages: int
    total: int


def page_of(items: Sequence[Item], number: int, per_page: int) -> ListPage[Item]:
    """The page of that number; one behind the last has no items."""
    start = (number - 1) * per_page
    return ListPage(items[start : start + per_page], number, pages_of(len(items), per_page), len(items))
