"""Passwords: argon2id, slow by intention, so at most two are hashed at once."""

from __future__ import annotations

import threading
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

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
        if not password:
            raise InvalidRequest("The password is empty; choose one.")
        if len(password.encode()) > LONGEST_BYTES:
            raise InvalidRequest(f"The password has more than {LONGEST_BYTES:,} bytes; choose a shorter one.")
        with self._places:
            return self._hasher.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; None stands for a user that is not there.

        Raises Unavailable if too many others wait to be checked.
        """
        if not password or len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
            return False
        self._take_place()
        try:
            return self._hasher.verify(password_hash or self._nobody, password) and password_hash is not None
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
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
