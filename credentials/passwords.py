"""Passwords: argon2id, slow by intention, so at most two are hashed at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from credentials import legacy_hashes
from errors import InvalidRequest, Unavailable

LONGEST_BYTES = 4096
_AT_ONCE = 2
_MAY_WAIT = 8
_WAIT_SECONDS = 10.0


class Passwords:
    """Hashes and checks passwords, with OWASP's memory cost of 46 MiB and one pass."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._waiting = threading.BoundedSemaphore(_MAY_WAIT)

    def hash(self, password: str) -> str:
        """The hash to keep. Raises InvalidRequest for an empty password or one of more than 4,096 bytes."""
        must_be_possible(password)
        with self._places:
            return self._hasher.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; None or "" stands for a user that is not there or has none.

        Raises Unavailable if too many others wait to be checked.
        """
        if not password or len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
            return False
        with self.place():
            try:
                return self._checks(password_hash or self._nobody, password) and bool(password_hash)
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                return False

    def _checks(self, password_hash: str, password: str) -> bool:
        if not legacy_hashes.is_legacy(password_hash):
            return self._hasher.verify(password_hash, password)
        good = legacy_hashes.verify(password_hash, password, self._hasher)
        if not good and legacy_hashes.is_quick(password_hash):
            self._hasher.verify(self._nobody, password)  # so that it takes as long as for an unknown name
        return good

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether a good password should be kept anew, under the hash of today; not for "", which is no password."""
        if legacy_hashes.is_legacy(password_hash):
            return True
        return password_hash != "" and self._hasher.check_needs_rehash(password_hash)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place to compute a slow hash in. Raises Unavailable where too many wait for one."""
        self._take_place()
        try:
            yield
        finally:
            self._places.release()

    def _take_place(self) -> None:
        """Only few may wait: each that does holds one of the server's threads."""
        if self._places.acquire(blocking=False):
            return
        if self._waiting.acquire(blocking=False):
            try:
                if self._places.acquire(timeout=_WAIT_SECONDS):
                    return
            finally:
                self._waiting.release()
        raise Unavailable("Too many passwords are being checked just now; try again, or use a token.", 5)

    @cached_property
    def _nobody(self) -> str:
        """An unknown name is checked against this, so that it takes as long as a known one."""
        return self._hasher.hash("nobody has this password")


def must_be_possible(password: str) -> None:
    """Raises InvalidRequest for an empty password or one of more than 4,096 bytes."""
    if not password:
        raise InvalidRequest("The password is empty; choose one.")
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        raise InvalidRequest(f"The password has more than {LONGEST_BYTES:,} bytes; choose a shorter one.")


# In small letters, without the digits and signs that are commonly put around them.
_COMMON = frozenset(
    """
    abc abcdef admin administrator azerty changeme default dragon football guest hello iloveyou letmein login master
    monkey mypassword pass passw0rd password passwordpassword princess p@ssw0rd qazwsx qwerty qwertyqwerty qwertyuiop
    qwertyuiopasdfghjkl root secret starwars sunshine superman test trustno welcome 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y
    1qaz2wsx zaq1xsw2 zxcvbnm 123456 12345678 123456789 1234567890 123456789012 012345678901 000000000000 111111111111
    correcthorsebatterystaple
    """.split()  # noqa: SIM905 - read as words
)
_AROUND = "0123456789!?.,*#$&_- "
_GOOD_LENGTH = 12


def advice(password: str, username: str) -> str:
    """Why a password is weak, in a sentence; "" for one that is fine. To advise with, never to refuse."""
    lowered = password.lower()
    joined = lowered.replace(" ", "")
    if joined in _COMMON or joined.strip(_AROUND) in _COMMON:
        return "The password is one that everybody tries; a sentence that nobody else would write is better."
    if len(username) > 2 and username.lower() in lowered:
        return "The password has the user's name in it; a sentence without it is better."
    if len(password) < _GOOD_LENGTH:
        return f"The password has fewer than {_GOOD_LENGTH} characters; longer is better."
    return ""
