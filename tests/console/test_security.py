"""``cli.py user``: sessions and second factors."""

from __future__ import annotations

from contextlib import closing

import pyotp
import pytest

from config import load_settings
from services import open_services
from tests.conftest import TESTER
from tests.console.running import data, good, missing, refusal


@pytest.fixture
def bob() -> None:
    """Bob with two browsers and an authenticator app."""
    good("user", "create", "--username", "bob", "--password", "bob's long password")
    with closing(open_services(load_settings(None, {}, {}))) as services:
        account = services.users.account("bob")
        for agent in ("one", "two"):
            services.sessions.sign_in(account, "password", by=TESTER, agent=agent)
        app = services.factors.begin_app(account, "localhost")
        services.factors.add_app(account, app.ticket, pyotp.TOTP(app.seed).now(), "", by=TESTER)


@pytest.mark.usefixtures("bob")
def test_browsers_are_listed_and_signed_out() -> None:
    """One, then the rest; unknown ones are refused."""
    found = data("user", "sessions", "--username", "BOB")
    assert sorted(one["browser"] for one in found) == ["one", "two"]
    assert "password" in good("user", "sessions", "--username", "bob")
    assert data("user", "end-sessions", "--username", "bob", "--session", found[0]["id"]) == {"ended": 1}
    sentence = refusal("user", "end-sessions", "--username", "bob", "--session", found[0]["id"])
    assert sentence == "The account has no such session; list its sessions to see those that stand."
    assert "1 browser of bob" in good("user", "end-sessions", "--username", "bob")
    assert data("user", "sessions", "--username", "bob") == []


@pytest.mark.usefixtures("bob")
def test_factors_are_reset() -> None:
    """Without a terminal only with --yes; their browsers are signed out."""
    missing("--yes", "user", "reset-factors", "--username", "bob")
    assert data("user", "reset-factors", "--username", "bob", "--yes") == {"removed": 1}
    assert data("user", "sessions", "--username", "bob") == []
    assert "no user" in refusal("user", "reset-factors", "--username", "nobody", "--yes")
