"""Asking whether a token is believed, at a time that the test sets."""

from __future__ import annotations

from typing import Any

from credentials.issuers import Issuers
from tests.credentials.mock_issuer import AUDIENCE, MockIssuer


class Clock:
    """The monotonic clock of an ``Issuers``; tests move it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Its time, in seconds."""
        return self.now


def verify(issuers: Issuers, issuer: MockIssuer, token: str) -> Any:
    """The claims of a token, as one that this issuer signed for us."""
    return issuers.verify(token, issuer=issuer.url, audience=AUDIENCE)
