"""A number that moves whenever anything in the database has changed: what makes caches exact and cheap.

Every writer of this program puts a random number into eight mapped bytes after its commit and before its answer, so a
reader in any process on the machine learns of it at the price of a memory access (0.2 microseconds). Adding one instead
would not do: a writer that was held up could write a number that has been there before. A writer that was killed
between the two, or one that is not this program, is noticed by ``PRAGMA data_version``, asked every 50 ms.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LAYOUT = struct.Struct("<Q")
_LOOK_EVERY = 0.05
_EPOCH_SHIFT = 40


class ChangeCounter:
    """The counter of one database file. ``connect`` opens a driver connection that is kept for looking only."""

    def __init__(self, path: Path, connect: Callable[[], Any]) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < _LAYOUT.size:
                os.ftruncate(descriptor, _LAYOUT.size)
            self._map = mmap.mmap(descriptor, _LAYOUT.size)
        finally:
            os.close(descriptor)
        self._connection = connect()
        self._lock = threading.Lock()
        self._epoch = 0
        self._seen = self._data_version()
        self._look_at = 0.0

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def bump(self) -> None:
        """Say that a change was committed."""
        with self._lock:
            _LAYOUT.pack_into(self._map, 0, secrets.randbits(_EPOCH_SHIFT))

    def current(self) -> int:
        """A number that differs from every earlier answer in this process if anything was committed since."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look(now)
        return int(_LAYOUT.unpack_from(self._map)[0]) | self._epoch << _EPOCH_SHIFT

    def _look(self, now: float) -> None:
        if not self._lock.acquire(blocking=False):
            return  # another thread is looking
        try:
            version = self._data_version()
            if version != self._seen:
                self._seen = version
                self._epoch += 1
            self._look_at = now + _LOOK_EVERY
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the file and the connection."""
        self._connection.close()
        self._map.close()
