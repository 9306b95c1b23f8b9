"""Leaving alone what is down: after some failures in a row nobody is asked for a while, then one tries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES = 5
SECONDS = 30.0


class Breaker:
    """The breaker of one host on behalf of one upstream. Safe between threads; ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def seconds_open(self) -> float:
        """For how many seconds nobody is asked; 0 where it is closed."""
        with self._lock:
            return max(0.0, self._open_until - self._clock()) if self._failures >= FAILURES else 0.0

    def may_ask(self) -> bool:
        """Whether to ask now. When its time is over, one caller is let through and the others wait on for as long."""
        with self._lock:
            if self._failures < FAILURES:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + SECONDS
            return True

    def succeeded(self) -> None:
        """It answered: it is asked again."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """It did not answer as it should."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._open_until = self._clock() + SECONDS
