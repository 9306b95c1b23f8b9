"""The shell's JSON of people is the API's: the same fields in the same types, asked of both over the same data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from people.rights import Holder
from people.tokens import Limits
from permissions import MAIN
from services import Services
from tests.conftest import TESTER, basic
from tests.console.running import data

TOOL = {"owner": "acme", "repository": "tool", "workflow": "release.yml"}
Shell = Callable[..., Any]


@pytest.fixture
def shell(secured: Services) -> Shell:
    """The JSON of a command on the data of the secured server."""

    def ask(*arguments: str) -> Any:
        return data(*arguments, "--data-dir", secured.settings.data_dir)

    return ask


@pytest.fixture
def people(secured: Services) -> None:
    """Bob with a token, in a team that holds a role and names; a project with an owner and a publisher."""
    secured.users.set_email("bob", "bob@example.com", by=TESTER)
    secured.rights.create_team("web", "The website", by=TESTER)
    secured.rights.add_member("web", "bob", by=TESTER)
    secured.rights.grant(MAIN, None, Holder("web", is_team=True), "maintainer", by=TESTER)
    secured.rights.grant(MAIN, NormalizedName("sample"), Holder("bob"), "owner", by=TESTER)
    secured.rights.set_pattern(MAIN, "web-*", "web", by=TESTER)
    limits = Limits(days=30, scopes=("read", "upload"), index=MAIN, projects=("sample", "web-*"), note="For CI.")
    token, _ = secured.tokens.create_token("bob", "CI", limits, by=TESTER)
    secured.tokens.note_use(token.id, "203.0.113.7")
    secured.tokens.flush_uses()
    alice = secured.users.account("alice").id
    secured.publishers.add(MAIN, NormalizedName("sample"), "github", TOOL, by=TESTER, user_id=alice)


def api(client: FlaskClient, path: str, username: str = "alice") -> Any:
    """What the API says."""
    answer = client.get(f"/api/{path}", headers=basic(username))
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("command", "path", "asker"),
    [
        ("user list", "users", "alice"),
        ("user tokens --username bob", "tokens", "bob"),
        ("team list", "teams", "alice"),
        ("role list", "roles", "alice"),
        ("role list --package-name sample", "roles?project=sample", "alice"),
        ("pattern list", "patterns", "alice"),
        ("publisher list --package-name sample", "packages/sample/publishers", "alice"),
    ],
)
def test_lists_agree(shell: Shell, secured_client: FlaskClient, command: str, path: str, asker: str) -> None:
    """The shell's list is what the API has under the one name of its document."""
    (listed,) = api(secured_client, path, asker).values()
    assert listed
    assert shell(*command.split()) == listed


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("team create --team new", "teams/new"),
        ("team add --team web --username alice", "teams/web"),
        ("team remove --team web --username bob --yes", "teams/web"),
        ("team show --team web", "teams/web"),
    ],
)
def test_what_a_command_changed_is_shown_as_the_api_shows_it(
    shell: Shell, secured_client: FlaskClient, command: str, path: str
) -> None:
    """Whole: a team with its members, roles and names."""
    assert shell(*command.split()) == api(secured_client, path)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("command", "method", "change"),
    [
        ("user email --username bob --email b@example.com", "PATCH", {"email": "b@example.com"}),
        ("user admin --username bob", "PATCH", {"admin": True}),
        ("user deactivate --username bob --yes", "DELETE", None),
        ("user activate --username bob", "PATCH", {"active": True}),
        ("user password --username bob --password x", "PATCH", {"password": "x"}),
    ],
)
def test_an_account_after_a_change_is_told_alike(
    shell: Shell, secured_client: FlaskClient, command: str, method: str, change: dict[str, Any] | None
) -> None:
    """With its teams and roles, and advice against a weak password."""
    by_shell = shell(*command.split())
    answer = secured_client.open("/api/users/bob", method=method, json=change, headers=basic("alice"))
    assert by_shell == answer.get_json()


def test_a_new_account_is_told_alike(shell: Shell, secured_client: FlaskClient) -> None:
    """All but what is each one's own."""
    by_shell = shell("user", "create", "--username", "carol", "--password", "carol")
    body = {"username": "dave", "password": "dave"}
    by_api = secured_client.post("/api/users", json=body, headers=basic("alice")).get_json()
    assert list(by_shell) == list(by_api)
    own = {"username": "dave", "created": by_api["created"]}
    assert {**by_shell, **own} == by_api


@pytest.mark.usefixtures("people")
def test_a_new_token_has_the_fields_of_the_api(shell: Shell, secured_client: FlaskClient) -> None:
    """Its text, and all but the use that was not made of it."""
    body = {"name": "CI", "expires_days": 30, "scopes": ["upload"], "projects": ["web-*"], "note": "n"}
    answer = secured_client.post("/api/tokens", json=body, headers=basic("bob"))
    of_api: dict[str, Any] = answer.get_json()
    options = ("--expires-days", "30", "--scope", "upload", "--project", "web-*", "--note", "n")
    made = shell("user", "token", "--username", "bob", "--token-name", "CI", *options)
    own = {"token", "id", "created", "expires"}
    assert list(made) == list(of_api)
    assert {name: made[name] for name in made if name not in own} == {
        name: of_api[name] for name in of_api if name not in own
    }
    assert {type(made[name]) for name in own} == {str}
