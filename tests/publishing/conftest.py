"""A server that trusts the jobs of a provider on loopback."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER
from tests.credentials.mock_issuer import MockIssuer


@pytest.fixture
def trusting(open_server: Callable[..., Services], issuer: MockIssuer) -> Services:
    """A server with authentication, to which the provider signs for GitHub: alice administers, bob and carol upload."""
    made = open_server(auth_enabled="true", publishing_github=issuer.url)
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    for name in ("bob", "carol"):
        made.users.create_user(name, PASSWORDS["bob"], by=TESTER)
    return made


@pytest.fixture
def site(trusting: Services) -> FlaskClient:
    """A client of that server."""
    return create_app(trusting).test_client()
