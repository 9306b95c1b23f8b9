"""One errand for any number of askers: it runs in a thread of its own, and goes on when they have left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from errors import UpstreamFailed

T = TypeVar("T")


class Flight(Generic[T]):
    """An errand under way. ``wait`` tells its outcome."""

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self, errand: Callable[[], T]) -> None:
        """Do it; what it raises is raised to everybody who waits."""
        try:
            self._result.append(errand())
        except BaseException as error:  # noqa: BLE001 - those who wait get it
            self._error = error
        finally:
            self._landed.set()

    def wait(self, seconds: float) -> T:
        """The outcome, waited for. Raises what the errand raised, and TimeoutError when the time is over."""
        if not self._landed.wait(seconds):
            raise TimeoutError
        return self.result()

    def result(self) -> T:
        """The outcome, waited for as long as it takes. Raises what the errand raised."""
        self._landed.wait()
        if self._error is not None:
            raise self._error
        return self._result[0]


class Flights(Generic[T]):
    """The errands under way by key, at most ``most`` of them at once; more of them wait for their turn."""

    def __init__(self, most: int, seconds: float) -> None:
        self._turns = threading.BoundedSemaphore(most)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight[T]] = {}

    def join(self, key: Hashable, errand: Callable[[], T]) -> Flight[T]:
        """The flight of this key, begun now if there is none."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight
            flight = self._flights[key] = Flight()
        threading.Thread(target=self._fly, args=(key, flight, errand), daemon=True, name="upstream").start()
        return flight

    def _fly(self, key: Hashable, flight: Flight[T], errand: Callable[[], T]) -> None:
        def in_turn() -> T:
            if not self._turns.acquire(timeout=self._seconds):
                raise UpstreamFailed("Too much is being fetched from other indexes just now; try again.", 5)
            try:
                return errand()
            finally:
                self._turns.release()
                with self._lock:
                    self._flights.pop(key, None)

        try:
            flight.run(in_turn)
        finally:
            with self._lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]


class Waiting:
    """How many threads may wait for other indexes: fewer than there are, so that one that hangs never holds all."""

    def __init__(self, most: int) -> None:
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._count: dict[str, int] = {}

    def count(self, upstream: str) -> int:
        """How many wait for an upstream now."""
        with self._lock:
            return self._count.get(upstream, 0)

    @contextmanager
    def place(self, upstream: str) -> Iterator[None]:
        """Wait within this block. Raises UpstreamFailed at once where there is no place."""
        if not self._places.acquire(blocking=False):
            raise UpstreamFailed("Too many requests wait for other indexes just now; try again in a moment.", 2)
        with self._lock:
            self._count[upstream] = self._count.get(upstream, 0) + 1
        try:
            yield
        finally:
            self._places.release()
            with self._lock:
                self._count[upstream] -= 1
