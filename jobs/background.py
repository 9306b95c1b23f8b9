"""What the server does beside requests: write down downloads, let go what was deleted long ago, and fold old downloads,
now and then, and sync declared indexes at their interval; at a start, sweep, sync and render.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sized
from datetime import UTC, datetime
from functools import partial

import structlog

from database import download_months
from database.job_runs import JobRuns, Outcome
from database.journal import Actor
from errors import Refusal
from jobs.following import Follower
from jobs.rendering import render_outdated
from jobs.sync import SyncReport, sync
from services import Services
from storage.filesystem import FilesystemStorage

FLUSH_SECONDS = 30.0
PURGE_SECONDS = 600.0
FOLD_SECONDS = 6 * 3600.0
EVICT_SECONDS = 60.0
TRASH_DAYS = 30
_NAMED = 20  # of many troubles so many are named in the log; `cli.py packages sync` names all
logger = structlog.get_logger()


class Background:
    """The work of one process beside its requests. ``is_first`` is True in one process of a server: it alone sweeps,
    syncs, renders, purges, folds, and evicts what upstreams gave.
    """

    def __init__(
        self,
        services: Services,
        is_first: bool,
        *,
        flush_seconds: float = FLUSH_SECONDS,
        purge_seconds: float = PURGE_SECONDS,
    ) -> None:
        self._services = services
        self._is_first = is_first
        self._flush_seconds = flush_seconds
        self._purge_seconds = purge_seconds
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._runs = JobRuns(services.database)

    def start(self) -> None:
        """Begin; returns at once."""
        self._begin("flush", partial(self._every, self._flush_seconds, "flush", self._flush))
        if self._is_first:
            self._begin("start-jobs", partial(self._at_start, datetime.now(UTC)))
            purge, fold = self._purge_if_due, self._fold_if_due
            self._begin("purge", partial(self._every, self._purge_seconds, "purge", purge, at_once=True))
            self._begin("fold", partial(self._every, FOLD_SECONDS, "fold", fold, at_once=True))
            self._begin("evict", partial(self._every, EVICT_SECONDS, "evict", self._evict_if_full))
            follower = Follower(self._services, self._services.pairs.intervals if self._services.pairs else {})
            if follower.seconds:
                follow = partial(follower.run, self._stop)
                self._begin("follow", partial(self._every, follower.seconds, "follow", follow))

    def stop(self, seconds: float = 5.0) -> None:
        """End what runs between two files, wait for that at most so many seconds, and write down the downloads.

        A second call does nothing.
        """
        if self._stop.is_set():
            return
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds / len(self._threads))
        self._guarded("flush", self._flush)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"background-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _every(self, seconds: float, job: str, work: Callable[[], None], *, at_once: bool = False) -> None:
        """Do something again and again until the end, at once as well or after the first wait."""
        while at_once or not self._stop.wait(seconds):
            at_once = False
            self._guarded(job, work)

    def _flush(self) -> None:
        self._services.flush()

    def _purge_if_due(self) -> None:
        if any(index.deletions.is_due() for index in self._services.registry.all().values()):
            self._recorded("purge", self._purge)

    def _purge(self) -> str:
        purged = self._services.manager.purge_overdue(by=Actor("purge"))
        logger.info("purged", files=purged)
        return f"Deleted files let go for good: {purged:,}."

    def _fold_if_due(self) -> None:
        if any(download_months.is_due(self._services.database, index) for index in self._services.registry.all()):
            self._recorded("fold", self._fold)

    def _fold(self) -> str:
        months = sum(
            download_months.fold(self._services.database, index, self._stop.is_set)
            for index in self._services.registry.all()
        )
        logger.info("downloads folded", months=months)
        return f"{months:,} old months of downloads folded into one day each."

    def _evict_if_full(self) -> None:
        cache = self._services.cache
        if cache.used_bytes() > cache.max_bytes:
            self._recorded("evict", self._evict)

    def _evict(self) -> str:
        evicted = self._services.cache.evict()
        self._services.manager.let_go(evicted)
        self._services.hub.files_were_dropped()
        logger.info("evicted", files=len(evicted.keys), bytes=evicted.size)
        return f"{len(evicted.keys):,} files of upstreams let go, {evicted.size:,} bytes."

    def _at_start(self, began: datetime) -> None:
        self._guarded("runs", partial(self._runs.cut_off, began))
        self._recorded("sweep", self._sweep)
        self._recorded("sync", self._sync)
        self._recorded("render", self._render)

    def _sweep(self) -> str:
        storage = self._services.storage
        swept = 0
        if isinstance(storage, FilesystemStorage):  # the others keep no temporary files
            swept = storage.sweep(trash_days=TRASH_DAYS)
        swept += self._services.cache.sweep()
        if swept:
            logger.info("swept", files=swept)
        return f"{swept:,} left-over files removed."

    def _sync(self) -> str:
        report = sync(self._services, by=Actor("sync"), stop=self._stop)
        if report.adopted or report.moved:
            logger.info("synced", adopted=len(report.adopted), moved=len(report.moved))
        _warn(report)
        return _told(report)

    def _render(self) -> str:
        report = render_outdated(self._services, stop=self._stop)
        if report.rendered:
            logger.info("descriptions rendered", rendered=report.rendered, plain=report.plain)
        stopped = ", then stopped" * report.stopped
        return (
            f"{report.rendered:,} descriptions rendered, {report.plain:,} of them to be shown as plain text{stopped}."
        )

    def _recorded(self, job: str, work: Callable[[], str]) -> None:
        """One run that the administrators can look up; it says in a sentence what it did."""

        def run() -> None:
            end = self._runs.begin(job)
            try:
                summary = work()
            except Refusal as refusal:
                end(Outcome.REFUSED, refusal.sentence)
                raise
            except Exception as error:
                end(Outcome.FAILED, f"{type(error).__name__}; the log has more.")
                raise
            end(Outcome.DONE, summary)

        self._guarded(job, run)

    @staticmethod
    def _guarded(job: str, work: Callable[[], None]) -> None:
        """One run, whose failure is logged and ends nothing but itself."""
        try:
            work()
        except Refusal as refusal:
            logger.warning("background job refused", job=job, reason=refusal.sentence)
        except Exception as error:  # noqa: BLE001 - a thread that dies is not noticed; the log is
            trace = "".join(traceback.format_exception(error))
            logger.error("background job failed", job=job, trace=trace)  # noqa: TRY400 - the trace is a field


def _told(report: SyncReport) -> str:
    """What a sync did, in a sentence."""
    figures: dict[str, Sized] = {
        "taken in": report.adopted, "moved": report.moved, "missing": report.missing, "not taken in": report.refused,
    }  # fmt: skip
    done = ", ".join(f"{len(files):,} {word}" for word, files in figures.items())
    return f"Of {report.listed:,} listed files and what else lay there: {done}{', then stopped' * report.stopped}."


def _warn(report: SyncReport) -> None:
    for what, troubles in (("missing file", report.missing), ("file not taken in", report.refused)):
        for trouble in troubles[:_NAMED]:
            logger.warning(what, file=trouble.file, reason=trouble.reason)
        if len(troubles) > _NAMED:
            logger.warning("more of them", what=what, more=len(troubles) - _NAMED, see="cli.py packages sync")
