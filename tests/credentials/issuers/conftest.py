"""What verifies the tokens of an issuer on loopback."""

from __future__ import annotations

import pytest

from credentials.issuers import Issuers
from tests.credentials.issuers.verifying import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def issuers(clock: Clock) -> Issuers:
    """Who verifies, by that clock."""
    return Issuers(clock=clock)
