"""What jobs over many files share: threads that stop between files, troubles, and names meant to be distributions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from distributions.filenames import EXTENSIONS, LEGACY_EXTENSIONS
from errors import DatabaseBusy, Refusal

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # how many are done, of how many
PATIENCE = (1.0, 2.0, 4.0, 8.0)  # seconds between the attempts at a database that others write to


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that something is wrong with: its path or key, the stable word of the refusal, its sentence."""

    file: str
    code: str
    reason: str

    @classmethod
    def of(cls, file: str, refusal: Refusal) -> Trouble:
        """The trouble that a refusal makes."""
        return cls(file, refusal.code, refusal.sentence)


def looks_like_distribution(name: str) -> bool:
    """Whether the name is meant to be that of a wheel or sdist, rightly spelled or not."""
    lower = name.lower()
    return lower.endswith(".whl") or ("-" in lower and lower.endswith(EXTENSIONS + LEGACY_EXTENSIONS))


def nothing(done: int, total: int) -> None:
    """The progress of a job that nobody watches."""


def each(
    items: Iterable[Item], work: Callable[[Item], Result], *, threads: int, stop: threading.Event
) -> Iterator[Result]:
    """What ``work`` makes of every item, as it becomes ready. Once ``stop`` is set, what is under way ends and no
    more begins.
    """
    source = iter(items)
    running: set[Future[Result]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix="job") as pool:
        while True:
            while len(running) < threads and not stop.is_set():
                for item in source:
                    running.add(pool.submit(work, item))
                    break
                else:
                    break
            if not running:
                return
            # The timeout lets Windows see a Ctrl-C, which does not interrupt a wait there.
            done, running = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def patiently(work: Callable[[], Result], stop: threading.Event) -> Result:
    """``work``, again after a while where other writers hold the database. Raises DatabaseBusy in the end."""
    for seconds in PATIENCE:
        try:
            return work()
        except DatabaseBusy:
            if stop.wait(seconds):
                raise
    return work()
