"""What ``cli.py user`` promises of accounts and tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.console.running import (
    data,
    good,
    refusal,
    run,
)


@pytest.fixture
def accounts() -> None:
    """An administrator and a user."""
    good("user", "create", "--username", "alice", "--password", "x", "--admin", "--email", "alice@example.com")
    good("user", "create", "--username", "bob", "--password", "x")


def account(name: str) -> dict[str, Any]:
    """One line of the list of users."""
    return next(one for one in data("user", "list") if one["username"] == name)


@pytest.mark.usefixtures("accounts")
def test_accounts_are_listed_without_their_secrets() -> None:
    """Names, addresses and roles; never a password's hash."""
    assert (account("alice")["admin"], account("alice")["email"]) == (True, "alice@example.com")
    assert (account("bob")["admin"], account("bob")["active"], account("bob")["default_password"]) == (
        False,
        True,
        False,
    )
    assert "argon2" not in good("user", "list") + good("user", "list", "--json")
    assert "Authentication is off" in run("user", "list").stderr
    Path("pypi.conf").write_text("[auth]\nenabled = true\n")
    assert run("user", "list").stderr == ""


@pytest.mark.usefixtures("accounts")
def test_a_taken_or_impossible_name_is_refused() -> None:
    """Exit code 1, and nothing is made."""
    assert "exists" in refusal("user", "create", "--username", "ALICE", "--password", "x")
    refusal("user", "create", "--username", "a b", "--password", "x")
    refusal("user", "create", "--username", "c", "--password", "")
    assert len(data("user", "list")) == 2


@pytest.mark.usefixtures("accounts")
def test_deleting_deactivates_and_activating_brings_back() -> None:
    """Nothing is erased; the last administrator stays."""
    assert data("user", "delete", "--username", "Bob")["active"] is False
    assert "already" in good("user", "delete", "--username", "bob")
    assert account("bob")["active"] is False
    assert "bob is active" in good("user", "activate", "--username", "bob")
    assert "last active administrator" in refusal("user", "delete", "--username", "alice")


@pytest.mark.usefixtures("accounts")
def test_a_password_is_changed() -> None:
    """The new one is good afterwards, the old one is not."""
    from credentials.passwords import Passwords
    from database.accounts import Accounts
    from database.engine import Database

    good("user", "password", "--username", "bob", "--password", "the new one")
    database = Database(Path("packages/.state/index.sqlite3"))
    bob = Accounts(database).user("bob")
    database.close()
    assert bob is not None
    assert Passwords().verify(bob.password_hash, "the new one")
    assert not Passwords().verify(bob.password_hash, "x")


@pytest.mark.usefixtures("accounts")
def test_tokens_are_made_listed_and_revoked() -> None:
    """By id or by the token itself; the list never shows the secret."""
    first = good("user", "token", "--username", "bob", "--token-name", "one").strip()
    second = data("user", "token", "--username", "bob", "--token-name", "two", "--expires-days", "30")
    assert [one["name"] for one in data("user", "tokens", "--username", "bob")] == ["two", "one"]
    assert second["expires"] is not None
    assert first.split("_")[2] not in good("user", "tokens", "--username", "bob")
    good("user", "revoke-token", "--username", "bob", "--token", first)
    assert data("user", "revoke-token", "--username", "bob", "--token", second["id"]) == {"revoked": second["id"]}
    assert data("user", "tokens", "--username", "bob") == []
    assert "your" not in refusal("user", "revoke-token", "--username", "bob", "--token", second["id"])
    assert data("user", "token", "--username", "bob", "--token-name", "x", "--expires-days", "0")["expires"] is None
    assert run("user", "token", "--username", "bob", "--token-name", "x", "--expires-days", "-1").exit_code == 2
    assert refusal("user", "token", "--username", "bob", "--token-name", "x", "--expires-days", "40000") == (
        "A token may stand for 1 to 36,500 days; choose a number of days from these."
    )


@pytest.mark.usefixtures("accounts")
def test_a_token_of_a_deactivated_user_comes_with_a_warning() -> None:
    """It is made, and stderr says why it does not work yet."""
    good("user", "delete", "--username", "bob")
    result = run("user", "token", "--username", "bob", "--token-name", "x")
    assert result.exit_code == 0
    assert "deactivated" in result.stderr
