"""What all indexes hold together, for the dashboard."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Self

from database.activity import Activity, stored_bytes
from database.catalogue import Upload
from database.download_figures import DayCount
from indexes.assembly import IndexServices
from views import services


@dataclass(frozen=True, slots=True)
class IndexSum:
    """One index with how much it holds (``Catalogue.stats``), and how many of its files were downloaded."""

    services: IndexServices
    stats: dict[str, int]
    downloads: int

    @property
    def name(self) -> str:
        """The index's name."""
        return self.services.name

    @property
    def title(self) -> str:
        """What it is."""
        return self.services.row.title


@dataclass(frozen=True, slots=True)
class WholeServer:
    """The sums of all indexes."""

    indexes: Sequence[IndexSum]

    @classmethod
    def now(cls) -> Self:
        """Of the indexes that there are."""
        every = services().registry.all().values()
        return cls([IndexSum(one, one.catalogue.stats(), one.downloads.total()) for one in every])

    def stats(self) -> dict[str, int]:
        """How much there is; of serials the last."""
        summed: Counter[str] = Counter()
        for one in self.indexes:
            summed.update(one.stats)
        return {**summed, "serial": max(one.stats["serial"] for one in self.indexes)}

    def stored(self) -> int:
        """How many bytes the listed files need in the store, where one that several indexes list lies once."""
        return self.indexes[0].stats["bytes"] if len(self.indexes) == 1 else stored_bytes(services().database)

    def downloads(self) -> int:
        """How many files were downloaded."""
        return sum(one.downloads for one in self.indexes)

    def uploads(self, limit: int) -> list[Upload]:
        """The newest files, newest first."""
        each = (Activity(services().database, one.name).uploads(limit=limit) for one in self.indexes)
        return list(heapq.merge(*each, key=attrgetter("uploaded"), reverse=True))[:limit]

    def uploads_by_day(self, days: int) -> list[DayCount]:
        """How many files came on each of the last days, the oldest first."""
        return self._by_day(lambda one: Activity(services().database, one.name).uploads_by_day(days))

    def downloads_by_day(self, days: int) -> list[DayCount]:
        """How many were downloaded on each of the last days, the oldest first."""
        return self._by_day(lambda one: one.download_figures.by_day(days))

    def _by_day(self, of: Callable[[IndexServices], list[DayCount]]) -> list[DayCount]:
        each = [of(one.services) for one in self.indexes]
        return [DayCount(of_day[0].day, sum(one.count for one in of_day)) for of_day in zip(*each, strict=True)]
