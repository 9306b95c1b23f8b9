"""Places for requests whose speed the client decides: bodies that are read, files that are sent.

A client that announces a body and sends nothing, or takes a file byte by byte, holds a thread for as long as it likes.
There are fewer places than threads, so that such clients can never hold all of them and pages go on being served.
"""

from __future__ import annotations

import threading

from errors import Unavailable


class SlowLane:
    """Some places; ``threads`` is how many requests the process can work on at once."""

    def __init__(self, threads: int) -> None:
        self._places = threading.BoundedSemaphore(max(1, threads - max(1, threads // 4)))

    def take(self) -> Place:
        """A place. Raises Unavailable at once if there is none: waiting would hold a thread too."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many files are being sent and received just now; try again in a moment.", 2)
        return Place(self._places)


class Place:
    """One place, given back once, however often it is asked."""

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places: threading.BoundedSemaphore | None = places

    def leave(self) -> None:
        """Give it back."""
        places, self._places = self._places, None
        if places is not None:
            places.release()
