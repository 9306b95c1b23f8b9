"""Wrong passwords are slowed down: by account and address together, and by address; never by account alone.

An attacker from one place cannot lock the owner out elsewhere. Counted by each process; a good password clears a pair.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque

from errors import TooManyAttempts

WINDOW_SECONDS = 300.0
MOST_BY_PAIR = 10
MOST_BY_ADDRESS = 50
_MOST_KEYS = 10_000


def network_of(address: str) -> str:
    """The address as it is counted: of IPv6 the first 64 bits, since a client may choose the rest."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Throttle:
    """Remembers the failures of the last five minutes."""

    def __init__(self, by_pair: int = MOST_BY_PAIR, by_address: int = MOST_BY_ADDRESS) -> None:
        self._by_pair = by_pair
        self._by_address = by_address
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def must_allow(self, username: str, address: str) -> None:
        """Raises TooManyAttempts, before anything slow is done, with the seconds until the next try."""
        now = time.monotonic()
        network = network_of(address)
        with self._lock:
            wait = max(
                self._wait((username.lower(), network), self._by_pair, now),
                self._wait(("", network), self._by_address, now),
            )
        if wait > 0:
            raise TooManyAttempts(
                f"Too many wrong passwords came from your address; wait {int(wait) + 1} seconds, or use a token.",
                int(wait) + 1,
            )

    def failed(self, username: str, address: str) -> None:
        """A wrong password was tried."""
        now = time.monotonic()
        network = network_of(address)
        with self._lock:
            for key in ((username.lower(), network), ("", network)):
                self._failures.setdefault(key, deque(maxlen=max(self._by_pair, self._by_address))).append(now)
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST_KEYS:
                self._failures.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """A good password clears what its owner mistyped before."""
        with self._lock:
            self._failures.pop((username.lower(), network_of(address)), None)

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        while failures and failures[0] <= now - WINDOW_SECONDS:
            failures.popleft()
        return failures[-most] + WINDOW_SECONDS - now if len(failures) >= most else 0.0
