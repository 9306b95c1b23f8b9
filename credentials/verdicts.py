"""Credentials that were found good are believed for a while, under a keyed digest: no secret stays in memory."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Verdict(Generic[T]):
    found: T
    at: float
    access: Hashable
    expires: datetime | None


class Verdicts(Generic[T]):
    """Who sends which header, believed for so many seconds for reading and for changes. Safe between threads."""

    def __init__(self, read_expires: float, write_expires: float) -> None:
        self._lifetime = {False: read_expires, True: write_expires}
        self._key = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, _Verdict[T]] = OrderedDict()
        self._lock = threading.Lock()

    def remembered(self, header: str, access: Hashable, *, writing: bool = False) -> T | None:
        """What a header was found to be, while ``access`` is what it was then; None if it has to be checked."""
        verdict = self._kept.get(self.digest(header))
        if verdict is None or verdict.access != access:
            return None
        if verdict.expires is not None and verdict.expires <= datetime.now(UTC):
            return None
        return verdict.found if time.monotonic() - verdict.at < self._lifetime[writing] else None

    def keep(self, header: str, found: T, access: Hashable, expires: datetime | None = None) -> None:
        """Believe this from now on; ``access`` as it was before the check, so that a change meanwhile makes it void."""
        key = self.digest(header)
        with self._lock:
            self._kept.pop(key, None)  # so that it is the newest again
            self._kept[key] = _Verdict(found, time.monotonic(), access, expires)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def digest(self, text: str) -> bytes:
        """A digest that only this process can make."""
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=24).digest()
