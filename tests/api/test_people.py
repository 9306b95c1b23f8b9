"""``/api/users``, ``/api/teams``, ``/api/roles``, ``/api/patterns``: who is who, who may what, whose a name is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName
from werkzeug.test import TestResponse

from people.rights import Holder
from people.tokens import Limits
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic

Stock = Callable[[Services], None]
DEMO = NormalizedName("demo-pkg")
ADMINISTRATION = [
    ("GET", "/api/users", None), ("POST", "/api/users", {"username": "eve", "password": "x"}),
    ("GET", "/api/users/bob", None), ("PATCH", "/api/users/bob", {"admin": True}), ("DELETE", "/api/users/bob", None),
    ("DELETE", "/api/users/bob/sessions", None), ("DELETE", "/api/users/bob/factors", None),
    ("DELETE", "/api/users/bob/link", None),
    ("GET", "/api/teams", None), ("POST", "/api/teams", {"name": "web"}), ("GET", "/api/teams/web", None),
    ("DELETE", "/api/teams/web", None), ("PUT", "/api/teams/web/members/bob", None),
    ("DELETE", "/api/teams/web/members/bob", None), ("GET", "/api/roles", None),
    ("PUT", "/api/roles", {"user": "bob", "role": "owner"}), ("DELETE", "/api/roles", {"user": "bob"}),
    ("GET", "/api/patterns", None), ("PUT", "/api/patterns", {"pattern": "a-*", "team": "web"}),
    ("DELETE", "/api/patterns", {"pattern": "a-*"}),
]  # fmt: skip
MANAGEMENT = [
    ("PUT", "/api/packages/demo-pkg/roles", {"user": "bob", "role": "owner"}),
    ("DELETE", "/api/packages/demo-pkg/roles", {"user": "alice"}),
]


class Asker:
    """Somebody who speaks to the API."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def ask(self, method: str, path: str, body: Any = None) -> TestResponse:
        """An answer of whatever kind."""
        return self.client.open(path, method=method, json=body, headers=self.headers)

    def good(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The document of an answer that is one, kept by nobody."""
        answer = self.ask(method, path, body)
        assert answer.status_code == status, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json

    def refused(self, status: int, method: str, path: str, body: Any = None) -> str:
        """The detail of a refusal."""
        answer = self.ask(method, path, body)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
        return str(answer.json["detail"])  # type: ignore[index]


@pytest.fixture
def alice(secured_client: FlaskClient) -> Asker:
    """The administrator."""
    return Asker(secured_client, basic("alice"))


@pytest.fixture
def bob(secured_client: FlaskClient) -> Asker:
    """An uploader."""
    return Asker(secured_client, basic("bob"))


@pytest.fixture
def demo(secured: Services, stock: Stock) -> None:
    """A project that bob owns."""
    stock(secured)
    secured.rights.grant("main", DEMO, Holder("bob"), "owner", by=TESTER)


# -- accounts


def test_an_account_is_made_shown_and_changed(alice: Asker, secured_client: FlaskClient) -> None:
    """Each change takes hold at once; no answer has a secret."""
    made = alice.good("POST", "/api/users", {"username": "Eve", "password": "eve's first"}, 201)
    assert (made["username"], made["admin"], made["active"], made["email"]) == ("Eve", False, True, "")
    assert made["teams"] == made["roles"] == []
    assert [one["username"] for one in alice.good("GET", "/api/users")["users"]] == ["alice", "bob", "Eve"]
    changed = alice.good("PATCH", "/api/users/eve", {"email": "eve@example.com", "password": "eve's second"})
    assert changed["email"] == "eve@example.com"
    users = "/api/users"
    assert secured_client.get(users, headers=basic("eve", "eve's first")).status_code == 401
    assert secured_client.get(users, headers=basic("eve", "eve's second")).status_code == 403
    assert alice.good("PATCH", "/api/users/eve", {"admin": True})["admin"] is True
    assert secured_client.get(users, headers=basic("eve", "eve's second")).status_code == 200
    assert alice.good("DELETE", "/api/users/EVE")["active"] is False
    assert secured_client.get(users, headers=basic("eve", "eve's second")).status_code == 401
    assert alice.good("PATCH", "/api/users/eve", {"active": True})["active"] is True
    assert "argon2" not in alice.ask("GET", users).text


def test_browsers_factors_and_links_are_ended(alice: Asker, secured: Services) -> None:
    """For who lost theirs; each says what there was."""
    account = secured.users.account("bob")
    secured.sessions.sign_in(account, "password", by=TESTER, agent="")
    assert alice.good("DELETE", "/api/users/BOB/sessions") == {"ended": 1}
    app = secured.factors.begin_app(account, "localhost")
    secured.factors.add_app(account, app.ticket, pyotp.TOTP(app.seed).now(), "", by=TESTER)
    assert alice.good("DELETE", "/api/users/bob/factors") == {"removed": 1}
    assert alice.good("GET", "/api/users/bob")["second_factor"] is False
    assert alice.good("DELETE", "/api/users/bob/link") == {"unlinked": False}
    for part in ("sessions", "factors", "link"):
        alice.refused(404, "DELETE", f"/api/users/nobody/{part}")


def test_a_change_is_made_whole_or_not_at_all(alice: Asker, secured: Services) -> None:
    """What is wrong with one of several is found before the first is written."""
    for wrong in ({"email": "nonsense"}, {"password": ""}):
        alice.refused(400, "PATCH", "/api/users/bob", {"admin": True, "active": False, **wrong})
    account = secured.users.account("bob")
    assert (account.is_admin, account.active) == (False, True)


def test_the_last_administrator_stays(alice: Asker, secured: Services) -> None:
    """409, and nothing of the change was made."""
    for change in ({"admin": False, "email": "a@example.com"}, {"active": False, "password": "another"}):
        assert "last active administrator" in alice.refused(409, "PATCH", "/api/users/alice", change)
    assert "last active administrator" in alice.refused(409, "DELETE", "/api/users/alice")
    account = secured.users.account("alice")
    assert (account.is_admin, account.active, account.email) == (True, True, "")
    assert alice.good("GET", "/api/users")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"username": "eve"}, {"password": "x"}, {"username": "a b", "password": "x"},
        {"username": "eve", "password": ""}, {"username": "eve", "password": "x", "email": "nonsense"},
        {"username": "eve", "password": "x", "role": "owner"}, {"username": "eve", "password": "x", "admin": "yes"},
    ],
)  # fmt: skip
def test_unfit_accounts_are_not_made(alice: Asker, secured: Services, body: Any) -> None:
    """400 with the place."""
    alice.refused(400, "POST", "/api/users", body)
    assert len(secured.accounts.users()) == 2


def test_a_taken_and_an_unknown_name(alice: Asker) -> None:
    """409 and 404."""
    assert "exists" in alice.refused(409, "POST", "/api/users", {"username": "BOB", "password": "x"})
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        alice.refused(404, method, "/api/users/nobody", body)


# -- teams and names


def test_a_team_and_its_names(alice: Asker) -> None:
    """Made, filled, given names and roles; not deleted while names belong to it."""
    assert alice.good("POST", "/api/teams", {"name": "web", "title": "The website"}, 201)["title"] == "The website"
    alice.refused(409, "POST", "/api/teams", {"name": "WEB"})
    alice.refused(400, "POST", "/api/teams", {"name": "a b"})
    for _ in range(2):
        team = alice.good("PUT", "/api/teams/web/members/bob")
        assert team["members"] == [{"username": "bob", "source": None}]
    assert alice.good("GET", "/api/users/bob")["teams"] == ["web"]
    assert alice.good("PUT", "/api/roles", {"team": "Web", "role": "reader"})["team"] == "web"
    pattern = alice.good("PUT", "/api/patterns", {"pattern": "Acme_*", "team": "web"})
    assert (pattern["index"], pattern["pattern"], pattern["team"]) == ("main", "acme-*", "web")
    assert alice.good("GET", "/api/patterns?index=main") == {"patterns": [pattern]}
    (team,) = alice.good("GET", "/api/teams")["teams"]
    assert team == alice.good("GET", "/api/teams/WEB")
    assert (team["patterns"], [role["role"] for role in team["roles"]]) == (["acme-*"], ["reader"])
    assert "acme-*" in alice.refused(409, "DELETE", "/api/teams/web")
    assert alice.good("DELETE", "/api/patterns", {"pattern": "ACME.*"}) == {"removed": "acme-*"}
    alice.refused(404, "DELETE", "/api/patterns", {"pattern": "acme-*"})
    assert alice.good("DELETE", "/api/teams/web/members/bob")["members"] == []
    alice.refused(404, "DELETE", "/api/teams/web/members/bob")
    assert alice.good("DELETE", "/api/teams/Web") == {"deleted": "web"}
    assert alice.good("GET", "/api/teams") == {"teams": []}
    assert alice.good("GET", "/api/roles") == {"roles": []}


def test_what_is_not_there_is_404(alice: Asker) -> None:
    """Teams, members and holders."""
    for method, path, body in (
        ("GET", "/api/teams/none", None), ("DELETE", "/api/teams/none", None),
        ("PUT", "/api/teams/none/members/bob", None), ("PUT", "/api/roles", {"user": "nobody", "role": "reader"}),
        ("PUT", "/api/roles", {"team": "none", "role": "reader"}), ("DELETE", "/api/roles", {"user": "bob"}),
        ("PUT", "/api/patterns", {"pattern": "a-*", "team": "none"}), ("GET", "/api/packages/none/roles", None),
    ):  # fmt: skip
        alice.refused(404, method, path, body)


# -- roles


@pytest.mark.usefixtures("demo")
def test_roles_are_listed_by_what_is_asked(alice: Asker) -> None:
    """Of an index, a project, a user, a team, or all."""
    alice.good("POST", "/api/teams", {"name": "web"}, 201)
    alice.good("PUT", "/api/roles", {"user": "alice", "role": "maintainer"})
    alice.good("PUT", "/api/packages/Demo_Pkg/roles", {"team": "web", "role": "maintainer"})

    def listed(query: str) -> list[tuple[Any, ...]]:
        found = alice.good("GET", f"/api/roles{query}")["roles"]
        return [(one["project"], one["user"], one["team"], one["role"]) for one in found]

    index, owner, team = (
        (None, "alice", None, "maintainer"),
        ("demo-pkg", "bob", None, "owner"),
        ("demo-pkg", None, "web", "maintainer"),
    )  # fmt: skip
    assert listed("") == listed("?index=main") == [index, owner, team]
    assert listed("?project=Demo.Pkg") == [owner, team]
    assert listed("?username=BOB") == [owner]
    assert listed("?team=web") == [team]
    assert listed("?username=nobody") == []
    alice.refused(400, "GET", "/api/roles?user=bob")
    for path in ("roles", "patterns"):
        alice.refused(404, "GET", f"/api/{path}?index=other")
        alice.refused(400, "GET", f"/api/{path}?index=No!")
    assert alice.good("DELETE", "/api/roles", {"user": "alice"}) == {"revoked": "maintainer"}


@pytest.mark.usefixtures("demo")
def test_an_owner_manages_the_project(bob: Asker, secured: Services) -> None:
    """Gives and takes roles on it and on no other; the last owner stays, and whoever reads sees who works on it."""
    secured.users.create_user("carol", PASSWORDS["carol"], by=TESTER)
    given = bob.good("PUT", "/api/packages/Demo_Pkg/roles", {"user": "CAROL", "role": "maintainer"})
    assert (given["project"], given["user"], given["team"], given["role"]) == ("demo-pkg", "carol", None, "maintainer")
    carol, nobody = Asker(bob.client, basic("carol")), Asker(bob.client, {})
    assert nobody.good("GET", "/api/packages/demo-pkg/roles")["roles"][1] == given
    carol.refused(403, "PUT", "/api/packages/demo-pkg/roles", {"user": "carol", "role": "owner"})
    bob.refused(403, "PUT", "/api/packages/other/roles", {"user": "bob", "role": "owner"})
    bob.refused(403, "PUT", "/api/packages/not-there/roles", {"user": "bob", "role": "owner"})
    assert "last owner" in bob.refused(409, "DELETE", "/api/packages/demo-pkg/roles", {"user": "bob"})
    assert "last owner" in bob.refused(
        409, "PUT", "/api/packages/demo-pkg/roles", {"user": "bob", "role": "maintainer"}
    )
    bob.good("PUT", "/api/packages/demo-pkg/roles", {"user": "carol", "role": "owner"})
    assert carol.good("DELETE", "/api/packages/demo-pkg/roles", {"user": "bob"}) == {"revoked": "owner"}
    bob.refused(403, "PUT", "/api/packages/demo-pkg/roles", {"user": "bob", "role": "owner"})


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "body",
    [
        {}, {"role": "owner"}, {"user": "bob"}, {"user": "bob", "team": "web", "role": "owner"},
        {"user": "bob", "role": "reader"}, {"user": "bob", "role": "king"}, {"user": None, "role": "owner"},
        {"user": "bob", "role": "owner", "index": "main"},
    ],
)  # fmt: skip
def test_unfit_roles_are_refused(alice: Asker, body: Any) -> None:
    """400 for a role that is none on a project, for no holder and for two."""
    alice.refused(400, "PUT", "/api/packages/demo-pkg/roles", body)
    assert len(alice.good("GET", "/api/roles")["roles"]) == 1


# -- who may


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(("method", "path", "body"), [*ADMINISTRATION, *MANAGEMENT])
def test_others_may_not(secured: Services, secured_client: FlaskClient, method: str, path: str, body: Any) -> None:
    """401 for nobody, 403 for an uploader and for an administrator's usual token; nothing is changed."""
    secured.rights.grant("main", DEMO, Holder("alice"), "owner", by=TESTER)
    secured.rights.revoke("main", DEMO, Holder("bob"), by=TESTER)
    token, _ = secured.tokens.create_token("alice", "ci", Limits(), by=TESTER)
    before = secured.database.quick("SELECT max(serial) FROM journal", ())
    Asker(secured_client, {}).refused(401, method, path, body)
    Asker(secured_client, basic("bob")).refused(403, method, path, body)
    Asker(secured_client, basic("__token__", token.text)).refused(403, method, path, body)
    assert secured.database.quick("SELECT max(serial) FROM journal", ()) == before


def test_a_token_with_the_scope_administers(secured: Services, secured_client: FlaskClient) -> None:
    """For scripts; its owner's end is its own."""
    token, _ = secured.tokens.create_token("alice", "ops", Limits(scopes=["admin"]), by=TESTER)
    script = Asker(secured_client, {"Authorization": f"Bearer {token.text}"})
    assert script.good("POST", "/api/teams", {"name": "web"}, 201)["name"] == "web"
    bobs, _ = secured.tokens.create_token("bob", "ops", Limits(scopes=["admin"]), by=TESTER)
    Asker(secured_client, {"Authorization": f"Bearer {bobs.text}"}).refused(403, "GET", "/api/teams")


@pytest.mark.parametrize(("method", "path", "body"), [*ADMINISTRATION, *MANAGEMENT])
def test_an_open_server_says_how_to_have_accounts(client: FlaskClient, method: str, path: str, body: Any) -> None:
    """403 with the way out."""
    assert "--auth" in Asker(client, {}).refused(403, method, path, body)


def test_every_change_is_in_the_journal(alice: Asker, secured: Services) -> None:
    """With who made it."""
    alice.good("POST", "/api/teams", {"name": "web"}, 201)
    alice.good("PUT", "/api/teams/web/members/bob")
    alice.good("PUT", "/api/roles", {"team": "web", "role": "reader"})
    alice.good("PUT", "/api/patterns", {"pattern": "web-*", "team": "web"})
    actions = secured.database.quick("SELECT group_concat(action) FROM journal WHERE actor = 'alice'", ())
    assert actions is not None
    assert actions[0] == "team.create,team.add,role.grant,pattern.set"
