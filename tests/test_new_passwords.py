"""New passwords that are weak: taken with a word of advice, or refused where a setting says how long they must be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config import load_settings
from errors import InvalidSetting
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.console.running import good, leave_the_machine, refusal, run
from tests.web.conftest import Visitor

TOKEN = "a-token-of-the-deployment"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SHORT = "Advice: The password has fewer than 12 characters; longer is better.\n"
REFUSED = "A password needs at least 9 characters here; choose a longer one."
Open = Callable[..., Services]


@pytest.fixture
def mild(open_server: Open) -> FlaskClient:
    """A server with the settings as they are; alice administers, and scripts may register users."""
    made = open_server(auth_enabled="true", admin_token=TOKEN)
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    return create_app(made).test_client()


@pytest.fixture
def strict(open_server: Open) -> FlaskClient:
    """The same, where a new password has to have nine characters."""
    made = open_server(auth_enabled="true", admin_token=TOKEN, auth_min_password_length="9")
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    return create_app(made).test_client()


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the test's own to run commands in."""
    leave_the_machine(tmp_path, monkeypatch)


# -- advice


@pytest.mark.usefixtures("own_folder")
@pytest.mark.parametrize(
    ("password", "word"), [("secret", "everybody tries"), ("carol", "user's name"), ("x1!", "fewer than 12")]
)
def test_the_shell_takes_a_weak_password_with_advice(password: str, word: str) -> None:
    """On stderr, so that scripts read what they did before; a good one is taken in silence."""
    carol = ("--username", "carol", "--password")
    made = run("user", "create", *carol, password)
    assert (made.exit_code, made.stdout) == (0, "Made the user carol.\n")
    assert "Advice: The password " in made.stderr
    assert word in made.stderr
    assert run("user", "password", *carol, "x").stderr == SHORT
    assert "Advice" not in run("user", "password", *carol, PASSWORDS["alice"]).stderr


def test_the_api_says_so_in_its_answer(mild: FlaskClient) -> None:
    """As advice, which is null where there is nothing to say; a change without a new password has none."""

    def advised(method: str, path: str, **body: object) -> str | None:
        answer = mild.open(f"/api/{path}", method=method, json=body, headers=basic("alice"))
        assert answer.status_code in {200, 201}, answer.text
        word: str | None = answer.get_json()["advice"]
        return word

    assert "fewer than 12" in (advised("POST", "users", username="carol", password="x") or "")
    assert "user's name" in (advised("PATCH", "users/carol", password="carol") or "")
    assert advised("PATCH", "users/carol", password="a walk in the snow") is None
    assert advised("PATCH", "users/carol", email="carol@example.com") is None
    assert advised("DELETE", "users/carol") is None


def test_the_browser_says_so_on_the_next_page(mild: FlaskClient) -> None:
    """When an administrator sets it, and when somebody sets their own."""
    alice, carol = Visitor(mild), Visitor(mild.application.test_client())
    alice.sign_in("alice")
    alice.post("/admin/users", username="carol", password="x")
    assert '<p class="note warn" role="status">The password has fewer than 12' in alice.get("/admin/users").text
    alice.post("/admin/users/carol/password", password="a walk in the snow")
    assert "The password" not in alice.get("/admin/users/carol").text
    alice.post("/admin/users/carol/password", password="carol")
    assert "The password has the user&#39;s name in it" in alice.get("/admin/users/carol").text
    carol.sign_in("carol", "carol")
    carol.post("/account/password", old_password="carol", new_password="letmein", new_password_again="letmein")
    assert "The password is one that everybody tries" in carol.get("/account").text


# -- the setting


@pytest.mark.usefixtures("own_folder")
def test_the_shell_refuses_what_is_too_short() -> None:
    """Exit code 1, and the old password stays."""
    good("user", "create", "--username", "carol", "--password", "x")
    Path("pypi.conf").write_text("[auth]\nmin_password_length = 9\n")
    assert refusal("user", "create", "--username", "dave", "--password", "8 letter") == REFUSED
    assert refusal("user", "password", "--username", "carol", "--password", "8 letter") == REFUSED
    good("user", "password", "--username", "carol", "--password", "9 letters")


def test_the_api_refuses_and_describes_it(strict: FlaskClient) -> None:
    """400; the published length is that of the setting, and nothing else of the change is made."""
    short = {"username": "carol", "password": "8 letter"}
    for method, path, body in (
        ("POST", "/api/users", short), ("PATCH", "/api/users/alice", {"password": "8 letter", "email": "a@example.com"})
    ):  # fmt: skip
        answer = strict.open(path, method=method, json=body, headers=basic("alice"))
        assert (answer.status_code, "9 to" in answer.get_json()["detail"]) == (400, True)
    register = strict.post("/api/register", json=short, headers=BEARER)
    assert (register.status_code, register.get_json()["detail"]) == (400, REFUSED)
    (alice,) = strict.get("/api/users", headers=basic("alice")).get_json()["users"]
    assert alice["email"] == ""
    document = strict.get("/api/openapi.json").get_json()
    body = document["paths"]["/api/users"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["password"]["minLength"] == 9


def test_the_browser_refuses_on_the_form(strict: FlaskClient) -> None:
    """For oneself and for others."""
    alice = Visitor(strict)
    alice.sign_in("alice")
    own = {"old_password": PASSWORDS["alice"], "new_password": "8 letter", "new_password_again": "8 letter"}
    for path, fields in (
        ("/admin/users", {"username": "carol", "password": "8 letter"}),
        ("/admin/users/alice/password", {"password": "8 letter"}),
        ("/account/password", own),
    ):
        answer = alice.post(path, **fields)
        assert (answer.status_code, REFUSED in answer.text) == (400, True)


def test_passwords_from_before_go_on_working(strict: FlaskClient, open_server: Open) -> None:
    """The setting is about new ones."""
    open_server(auth_enabled="true").users.create_user("carol", "x", by=TESTER)
    assert strict.get("/api/tokens", headers=basic("carol", "x")).status_code == 200


def test_a_first_start_is_as_ever(open_server: Open) -> None:
    """The shipped password is short and taken from this machine only, whatever the setting says."""
    made = open_server(auth_enabled="true", auth_min_password_length="9")
    assert made.users.ensure_admin(None) == "made"
    assert made.users.account("admin").default_password


def test_the_first_administrators_password_has_to_fit() -> None:
    """It is a setting itself: the two are held against each other before anything starts."""
    said = {"PYPI_ADMIN_PASSWORD": "8 letter", "PYPI_AUTH_MIN_PASSWORD_LENGTH": "9"}
    with pytest.raises(InvalidSetting, match=r"^PYPI_ADMIN_PASSWORD has fewer characters than min_password_length"):
        load_settings(None, {}, said)
    assert load_settings(None, {}, {**said, "PYPI_ADMIN_PASSWORD": "9 letters"}).admin_password == "9 letters"
