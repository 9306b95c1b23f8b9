"""Wrong passwords are slowed down: by account and address together, and by address; never by account alone.

An attacker from one place cannot lock the owner out elsewhere. The same wrong password again, as a program with an old
one in its settings sends it, is no further guess. Who was right from an address does not wait for what others there got
wrong, since a whole office may share one. Counted by each process; a good password clears a pair.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque

from errors import TooManyAttempts, shown

WINDOW_SECONDS = 300.0
_MOST_KEYS = 10_000
_LONGEST_NAME = 256


def plain_address(text: str) -> str:
    """An address without the port and brackets that some proxies add, and IPv4 as IPv4 on a socket for both."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return text
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def network_of(address: str) -> str:
    """The address as it is counted: of IPv6 the first 64 bits, since a client may choose the rest."""
    try:
        parsed = ipaddress.ip_address(plain_address(address))
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _in_words(seconds: int) -> str:
    """``45 seconds``, ``5 minutes``; rounded up, so that nobody is told to try too early."""
    if seconds <= 90:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"


_Key = tuple[str, str]  # account and network; an empty account is the network as a whole


class Throttle:
    """Remembers the failures of the last five minutes, and which accounts signed in from where."""

    def __init__(
        self,
        by_pair: int,
        by_address: int,
        *,
        what: str = "wrong passwords",
        instead: str = ", or use a token",
    ) -> None:
        self._what, self._instead = what, instead
        self._by_pair = by_pair
        self._by_address = by_address
        self._failures: OrderedDict[_Key, deque[tuple[float, bytes]]] = OrderedDict()
        self._known: OrderedDict[_Key, None] = OrderedDict()
        self._lock = threading.Lock()

    def must_allow(self, username: str, address: str) -> None:
        """Raises TooManyAttempts with the seconds until the next try.

        To be asked before anything slow is done, and again before what was right is believed: of many guesses at a time
        none is worth anything once the others have reached the limit.
        """
        now = time.monotonic()
        pair = self._pair(username, address)
        network = pair[1]
        with self._lock:
            of_pair = self._wait(pair, self._by_pair, now)
            of_all = 0.0 if pair in self._known else self._wait(("", network), self._by_address, now)
        wait = int(max(of_pair, of_all)) + 1
        until = f"wait {_in_words(wait)}{self._instead}."
        if of_all > 0:
            raise TooManyAttempts(f"Too many {self._what} came from your address; {until}", wait)
        if of_pair > 0:
            raise TooManyAttempts(f"Too many {self._what} for {shown(username)}; {until}", wait)

    def failed(self, username: str, address: str, guess: bytes = b"") -> None:
        """A wrong password was tried; ``guess`` is a keyed digest that tells it from others, if there is one."""
        now = time.monotonic()
        pair = self._pair(username, address)
        network = pair[1]
        with self._lock:
            self._wait(pair, self._by_pair, now)  # forgets what is old
            if guess and any(guess == earlier for _, earlier in self._failures.get(pair, ())):
                return
            for key in (pair, ("", network)):
                self._failures.setdefault(key, deque(maxlen=max(self._by_pair, self._by_address))).append((now, guess))
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST_KEYS:
                self._failures.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """A good password clears what its owner mistyped before."""
        pair = self._pair(username, address)
        with self._lock:
            self._failures.pop(pair, None)
            self._known[pair] = None
            self._known.move_to_end(pair)
            if len(self._known) > _MOST_KEYS:
                self._known.popitem(last=False)

    def knows(self, username: str, address: str) -> bool:
        """Whether an account was right from an address before."""
        return self._pair(username, address) in self._known

    @staticmethod
    def _pair(username: str, address: str) -> _Key:
        """What an account and a place are counted under; names that nobody can have are counted together."""
        name = username.strip().lower()
        return (name if len(name) <= _LONGEST_NAME else "too long", network_of(address))

    def _wait(self, key: _Key, most: int, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        while failures and failures[0][0] <= now - WINDOW_SECONDS:
            failures.popleft()
        return failures[-most][0] + WINDOW_SECONDS - now if len(failures) >= most else 0.0
