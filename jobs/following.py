"""Declared indexes follow their folders: at an interval each is brought in line with what lies there."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import structlog

from database.journal import Actor
from jobs.sync import SyncReport, sync
from services import Services

logger = structlog.get_logger()


class Follower:
    """Syncs indexes when their time has come; ``intervals`` has the seconds of each, and none of 0.

    What could not be taken in is logged when it is new, not each time.
    """

    def __init__(self, services: Services, intervals: Mapping[str, int]) -> None:
        self._services = services
        self._intervals = intervals
        self._last = dict.fromkeys(intervals, time.monotonic())  # a start syncs everything
        self._troubles: dict[str, frozenset[str]] = {}

    @property
    def seconds(self) -> float:
        """How long to wait between two looks at what is due: the shortest interval, 0 without any index."""
        return min(self._intervals.values(), default=0)

    def run(self, stop: threading.Event) -> None:
        """Sync what is due, one index after the other. Raises what a sync raises."""
        for name in self.due(time.monotonic()):
            if stop.is_set():
                return
            self._last[name] = time.monotonic()
            self._tell(name, sync(self._services, by=Actor("sync"), stop=stop, index=name))

    def due(self, now: float) -> list[str]:
        """The indexes whose interval will be over before the next look is half way."""
        slack = self.seconds / 2
        return [name for name, seconds in self._intervals.items() if now - self._last[name] >= seconds - slack]

    def _tell(self, name: str, report: SyncReport) -> None:
        if report.adopted or report.moved:
            logger.info("synced", index=name, adopted=len(report.adopted), moved=len(report.moved))
        troubles = {trouble.file: trouble.reason for trouble in (*report.missing, *report.refused)}
        before = self._troubles.get(name, frozenset())
        self._troubles[name] = frozenset(troubles)
        for file in sorted(troubles.keys() - before):
            logger.warning("file not in line", index=name, file=file, reason=troubles[file])
