"""Long work under a person's eyes: how far it is, and a way to stop it between two files."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

EVERY_SECONDS = 5.0


class Stop:
    """Set by Ctrl-C or SIGTERM; ``code`` is then the exit code of the command, else 0."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.code = 0

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self.event.is_set():
            raise KeyboardInterrupt
        self.code = 128 + number
        self.event.set()
        click.echo("Stopping after the files under way.", err=True)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """The first Ctrl-C or SIGTERM sets the stop; a second one interrupts."""
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop._stop) for number in numbers]  # noqa: SLF001 - its own module
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def watched(doing: str) -> Iterator[Callable[[int, int], None]]:
    """What a job reports to: a bar on a terminal, else a line every few seconds; always on stderr."""
    if not sys.stderr.isatty():
        yield _Lines(doing).report
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


class _Lines:
    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._next = time.monotonic() + EVERY_SECONDS

    def report(self, done: int, total: int) -> None:
        """Say how far it is, if that was not said just now."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + EVERY_SECONDS
            of_all = f" of {total:,}" if total else ""
            click.echo(f"{self._doing}: {done:,}{of_all}", err=True)
