"""Something for each index that there is, made anew when what the indexes are has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from errors import UnknownIndex

T = TypeVar("T")


class Registry(Generic[T]):
    """``make`` gives the things by name of index; they stand while ``stamp`` gives the same. Safe between threads."""

    def __init__(self, stamp: Callable[[], Hashable], make: Callable[[], Mapping[str, T]]) -> None:
        self._stamp = stamp
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[Hashable, Mapping[str, T]] | None = None

    def all(self) -> Mapping[str, T]:
        """Those of all indexes, by name, ``main`` first."""
        stamp = self._stamp()
        made = self._made
        if made is not None and made[0] == stamp:
            return made[1]
        with self._lock:
            made = self._made
            if made is None or made[0] != stamp:
                made = self._made = (stamp, self._make())
        return made[1]

    def get(self, name: str) -> T:
        """That of one index. Raises UnknownIndex."""
        found = self.all().get(name)
        if found is None:
            raise UnknownIndex(name)
        return found
