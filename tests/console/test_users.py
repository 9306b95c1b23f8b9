"""What ``cli.py user`` promises of accounts and tokens."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from config import load_settings
from credentials.people import Person
from services import open_services
from tests.conftest import TESTER
from tests.console.running import (
    data,
    good,
    missing,
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
    assert run("user", "list").stderr == (
        "The settings that this command reads have authentication off. It does not see a server that was started with "
        "flags such as --auth; keep settings in pypi.conf.\n"
    )
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
    """Nothing is erased; the last administrator stays; without a terminal only with --yes."""
    for command in ("deactivate", "unlink"):
        missing("--yes", "user", command, "--username", "bob")
    assert account("bob")["active"] is True
    assert data("user", "deactivate", "--username", "Bob", "--yes")["active"] is False
    assert "already" in good("user", "delete", "--username", "bob")  # its former name, as scripts have it
    assert account("bob")["active"] is False
    assert "bob is active" in good("user", "activate", "--username", "bob")
    assert "last active administrator" in refusal("user", "deactivate", "--username", "alice", "--yes")


@pytest.mark.usefixtures("accounts")
def test_a_password_is_changed() -> None:
    """The new one is good afterwards, the old one is not."""
    good("user", "password", "--username", "bob", "--password", "the new one")
    assert verifies("bob", "the new one")
    assert not verifies("bob", "x")


@pytest.mark.usefixtures("accounts")
def test_a_script_passes_a_password_by_stdin() -> None:
    """One line, whatever else comes; it is said once, and must be there."""
    ours = ("--username", "carol", "--password-stdin")
    assert "Made the user carol" in run("user", "create", *ours, said="from a pipe\nmore\n").stdout
    assert "was changed" in run("user", "password", *ours, said="another one\r\n").stdout
    assert verifies("carol", "another one")
    assert "Nothing came on stdin" in run("user", "password", *ours).stderr
    both = run("user", "password", *ours, "--password", "x", said="y\n")
    assert (both.exit_code, verifies("carol", "another one")) == (2, True)


def verifies(name: str, password: str) -> bool:
    """Whether the password is that of a user of the table."""
    with closing(open_services(load_settings(None, {}, {}))) as services:
        return services.users.passwords.verify(services.users.account(name).password_hash, password)


@pytest.mark.usefixtures("accounts")
def test_an_account_is_shown_with_teams_and_roles() -> None:
    """For people and for scripts."""
    good("team", "create", "--team", "web")
    good("team", "add", "--team", "web", "--username", "bob")
    good("role", "grant", "--username", "bob", "--package-name", "sample", "--role", "owner")
    shown = good("user", "show", "--username", "BOB")
    for words in (r"username\s+bob", r"stands\s+yes", r"source\s+table", r"teams\s+web", r"owner\s+main\s+sample"):
        assert re.search(words, shown)
    assert data("user", "show", "--username", "bob")["teams"] == ["web"]
    assert "no user" in refusal("user", "show", "--username", "nobody")


def test_people_who_left_their_file_do_not_stand() -> None:
    """Active, but out of the htpasswd file: the list and the account say so, and a token for them warns; a password
    here takes them into the user table, which is told, too.
    """
    line = f"dora:{bcrypt.hashpw(b'x', bcrypt.gensalt(4)).decode()}\n"
    Path("people").write_text(line)
    Path("pypi.conf").write_text(f"[auth]\nenabled = true\nhtpasswd = {Path('people').absolute()}\n")
    with closing(open_services(load_settings(Path("pypi.conf"), {}, {}))) as services:
        services.users.admit(Person("dora", "dora", "htpasswd", "", frozenset()), "htpasswd", by=TESTER)
    assert (account("dora")["stands"], account("dora")["source"]) == (True, "htpasswd")
    Path("people").write_text("")
    assert (account("dora")["stands"], account("dora")["active"]) == (False, True)
    assert re.search(r"stands\s+no", good("user", "show", "--username", "dora"))
    token = ("user", "token", "--username", "dora", "--token-name", "x")
    assert "dora is not in the htpasswd file that these settings name" in run(*token).stderr
    changed = run("user", "password", "--username", "dora", "--password", "a rather long one")
    assert changed.stderr == "dora leaves the htpasswd file for the user table; what is there counts no more.\n"
    assert account("dora")["stands"] is True
    assert run(*token).stderr.count("\n") == 1


@pytest.mark.usefixtures("accounts")
def test_somebody_of_the_table_is_not_imported() -> None:
    """They are left as they are, and the reason says so."""
    Path("people").write_text(f"bob:{bcrypt.hashpw(b'theirs', bcrypt.gensalt(4)).decode()}\n")
    result = run("user", "import", "--htpasswd", "people", "--json")
    reason = "is in the user table already; left as it is"
    assert json.loads(result.stdout)["refused"] == [{"user": "bob", "reason": reason}]
    assert verifies("bob", "x")


@pytest.mark.parametrize(
    "command",
    ["user list", "user show --username bob", "user sessions --username bob", "stats", "journal verify", "team list"],
)
def test_looking_makes_no_folder(command: str) -> None:
    """In the wrong folder a command that only reads is refused, and leaves the folder as it was."""
    sentence = refusal(*command.split(), code=2)
    assert sentence.startswith("There is no folder ")
    assert "--data-dir" in sentence
    assert not list(Path().iterdir())


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
    good("user", "deactivate", "--username", "bob", "--yes")
    result = run("user", "token", "--username", "bob", "--token-name", "x")
    assert result.exit_code == 0
    assert "deactivated" in result.stderr
