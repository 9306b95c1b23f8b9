"""People of an Apache htpasswd file, made by Apache's own tool, on a running application; and registering by script."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from config import load_settings
from database.models import JournalEntry
from errors import InvalidSetting
from people.tokens import Limits
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.console.running import data, run
from tests.factory import build_wheel
from tests.multipart_form import upload
from tests.web.conftest import Visitor

TOKEN = "a-token-of-the-deployment"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def htpasswd(path: Path, *arguments: str) -> None:
    """Run Apache's tool."""
    create = () if path.exists() else ("-c",)
    subprocess.run(
        ["htpasswd", "-b", *create, arguments[0], str(path), *arguments[1:]], check=True, capture_output=True
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with dora, by bcrypt."""
    path = tmp_path / "htpasswd"
    htpasswd(path, "-B", "dora", "dora's password")
    return path


@pytest.fixture
def one(open_server: Callable[..., Services], file: Path) -> Services:
    """A server of the three-operation kind, with that file; alice is an administrator of the table."""
    made = open_server(auth_require="download, list, update", auth_htpasswd=str(file), admin_token=TOKEN)
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    return made


@pytest.fixture
def client(one: Services) -> FlaskClient:
    """A client of it."""
    return create_app(one).test_client()


def test_naming_a_file_or_operations_turns_authentication_on(tmp_path: Path) -> None:
    """On the command line, in the environment and in the file; a later place wins, and an explicit no stays."""
    conf = tmp_path / "pypi.conf"
    conf.write_text("[auth]\nenabled = false\nhtpasswd = x\n")
    assert not load_settings(conf, {}, {}).auth_enabled
    assert load_settings(conf, {"auth_require": "list"}, {}).auth_enabled
    assert load_settings(conf, {}, {"PYPI_HTPASSWD": "y"}).auth_enabled
    assert not load_settings(None, {"auth_require": ".", "auth_htpasswd": "."}, {}).auth_enabled
    with pytest.raises(InvalidSetting, match="--authenticate"):
        load_settings(None, {"auth_require": "read"}, {})


def test_a_file_that_is_not_there_stops_the_start(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Nobody should think that it is in force."""
    with pytest.raises(InvalidSetting, match="cannot be read"):
        open_server(auth_htpasswd=str(tmp_path / "none"))


def test_people_of_the_file_read_and_upload(client: FlaskClient, one: Services, wheel: Path) -> None:
    """They have an account without a password, own what they begin, and make tokens."""
    assert client.get("/simple/").status_code == 401
    assert upload(client, wheel, headers=basic("dora", "dora's password")).status_code == 200
    assert client.get("/simple/sample/", headers=basic("dora", "dora's password")).status_code == 200
    assert client.get("/simple/", headers=basic("dora", "wrong")).status_code == 401
    account = one.users.account("dora")
    assert (account.source, account.password_hash) == ("htpasswd", "")
    token = client.post("/api/tokens", json={"name": "ci"}, headers=basic("dora", "dora's password")).json
    assert token is not None
    assert client.get("/simple/sample/", headers=basic("__token__", token["token"])).status_code == 200


def test_leaving_the_file_ends_somebody_at_once(client: FlaskClient, one: Services, file: Path, wheel: Path) -> None:
    """Password and token that were good a moment before are refused; back in the file, both are good again."""
    mine = basic("dora", "dora's password")
    assert upload(client, wheel, headers=mine).status_code == 200
    token, _ = one.tokens.create_token("dora", "ci", Limits(), by=TESTER)
    secret = one.sessions.sign_in(one.users.account("dora"), "password", by=TESTER, agent="")
    found = one.sessions.session(secret)
    assert found is not None
    both = (mine, basic("__token__", token.text))
    assert {client.get("/simple/", headers=one).status_code for one in both} == {200}
    assert one.authenticator.identities.stands(found.account)
    line = file.read_text()
    file.write_text("")
    assert {client.get("/simple/", headers=one).status_code for one in both} == {401}
    assert not one.authenticator.identities.stands(found.account)
    file.write_text(line)
    assert {client.get("/simple/", headers=one).status_code for one in both} == {200}


def test_a_changed_password_counts_at_once(client: FlaskClient, file: Path) -> None:
    """The file is read again as soon as Apache's tool has written it."""
    assert client.get("/simple/", headers=basic("dora", "dora's password")).status_code == 200
    htpasswd(file, "-B", "dora", "a new one")
    assert client.get("/simple/", headers=basic("dora", "dora's password")).status_code == 401
    assert client.get("/simple/", headers=basic("dora", "a new one")).status_code == 200


def test_a_name_in_both_is_the_tables(client: FlaskClient, file: Path) -> None:
    """Whoever writes the file does not become an administrator by it."""
    htpasswd(file, "-B", "alice", "theirs")
    assert client.get("/simple/", headers=basic("alice", "theirs")).status_code == 401
    assert client.get("/simple/", headers=basic("alice")).status_code == 200


def test_the_role_of_the_file_is_a_setting(open_server: Callable[..., Services], file: Path, tmp_path: Path) -> None:
    """Readers may read; a role that was given here goes before."""
    one = open_server(auth_htpasswd=str(file), auth_require="list, update", auth_htpasswd_role="reader")
    client, mine = create_app(one).test_client(), basic("dora", "dora's password")
    assert client.get("/simple/", headers=mine).status_code == 200
    assert upload(client, build_wheel(tmp_path), headers=mine).status_code == 403


def test_who_left_the_file_is_seen_to_have_left(client: FlaskClient, one: Services, file: Path, wheel: Path) -> None:
    """API and admin pages tell it from being active; a new password takes them into the user table, which is said."""
    assert upload(client, wheel, headers=basic("dora", "dora's password")).status_code == 200
    alice = Visitor(client)
    alice.sign_in("alice")

    def dora() -> dict[str, Any]:
        return client.get("/api/users/dora", headers=basic("alice")).json or {}

    assert (dora()["stands"], dora()["source"]) == (True, "htpasswd")
    assert "left the htpasswd file" not in alice.get("/admin/users").text
    file.write_text("")
    assert (dora()["stands"], dora()["active"]) == (False, True)
    listed = client.get("/api/users", headers=basic("alice")).json or {}
    assert {each["username"]: each["stands"] for each in listed["users"]} == {"alice": True, "dora": False}
    for page in ("/admin/users", "/admin/users/dora"):
        assert '<span class="badge warn">left the htpasswd file</span>' in alice.get(page).text
    said = "dora leaves the htpasswd file for the user table; what is there counts no more."
    sent = {"password": "a rather long one"}
    assert client.patch("/api/users/dora", json={"email": ""}, headers=basic("alice")).json["remark"] is None  # type: ignore[index]
    assert client.patch("/api/users/dora", json=sent, headers=basic("alice")).json["remark"] == said  # type: ignore[index]
    assert client.patch("/api/users/dora", json=sent, headers=basic("alice")).json["remark"] is None  # type: ignore[index]
    assert (dora()["stands"], dora()["source"]) == (True, "table")


def test_a_password_set_in_the_browser_says_that_they_leave_the_file(client: FlaskClient, wheel: Path) -> None:
    """Before, on the form, and after."""
    assert upload(client, wheel, headers=basic("dora", "dora's password")).status_code == 200
    alice = Visitor(client)
    alice.sign_in("alice")
    assert "Their password is kept in the htpasswd file." in alice.get("/admin/users/dora").text
    alice.post("/admin/users/dora/password", password="a rather long one")
    assert "dora leaves the htpasswd file for the user table" in alice.get("/admin/users/dora").text


# -- registering by script


def test_registering_writes_the_file_in_force(client: FlaskClient, file: Path, one: Services) -> None:
    """By JSON and by query; a new user reads at once, a changed password ends the old one; Apache's tool agrees."""
    body = {"username": "eve", "password": "a rather long one"}
    answer = client.post("/api/register", json=body, headers=BEARER)
    assert (answer.status_code, answer.json) == (201, {"username": "eve", "created": True, "advice": None})
    assert client.get("/simple/", headers=basic("eve", body["password"])).status_code == 200
    again = client.post("/register_user?username=eve&password=short", headers=BEARER)
    assert again.status_code == 200
    assert again.json is not None
    assert again.json["advice"]
    assert client.get("/simple/", headers=basic("eve", body["password"])).status_code == 401
    subprocess.run(["htpasswd", "-vb", str(file), "eve", "short"], check=True, capture_output=True)
    with one.database.reading() as connection:
        rows = connection.execute(JournalEntry.__table__.select().where(JournalEntry.actor == "admin token")).all()
    assert [row.action for row in rows] == ["user.create", "user.password"]
    assert "short" not in str(rows)


def test_registering_writes_the_table_where_no_file_is_in_force(open_server: Callable[..., Services]) -> None:
    """And leaves an administrator's password alone."""
    one = open_server(auth_enabled="true", admin_token=TOKEN)
    one.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    client = create_app(one).test_client()
    made = client.post("/api/register", json={"username": "eve", "password": "eve's password"}, headers=BEARER)
    assert made.status_code == 201
    assert client.get("/api/tokens", headers=basic("eve", "eve's password")).status_code == 200
    taken = client.post("/api/register", json={"username": "alice", "password": "mine now"}, headers=BEARER)
    assert taken.status_code == 409
    assert client.get("/api/tokens", headers=basic("alice")).status_code == 200


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", None, 400), ("?username=x", None, 400), ("?username=a%3Ab&password=x", None, 400),
        ("?username=x&username=y&password=z", None, 400), ("?username=x&password=", None, 400),
        ("?username=x&password=y", {"username": "x", "password": "y"}, 400), ("", {"username": "x"}, 400),
        ("", {"username": "x", "password": "y", "admin": True}, 400), ("", {"username": "__x", "password": "y"}, 400),
        ("", {"username": "x", "password": "y" * 5000}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_registered(client: FlaskClient, file: Path, query: str, body: Any, status: int) -> None:
    """Nothing is written."""
    before = file.read_bytes()
    for path in ("/api/register", "/register_user"):
        assert client.post(path + query, json=body, headers=BEARER).status_code == status
    assert file.read_bytes() == before


def test_registering_needs_the_token(client: FlaskClient, file: Path) -> None:
    """401 without and with a wrong one, which is slowed down; an administrator's own credential is none."""
    said = "?username=eve&password=eves"
    before = file.read_bytes()
    assert client.post(f"/api/register{said}").status_code == 401
    assert client.post(f"/api/register{said}", headers=basic("alice")).status_code == 401
    statuses = [
        client.post(f"/api/register{said}", headers={"Authorization": "Bearer nonsense"}).status_code for _ in range(12)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert file.read_bytes() == before


def test_without_a_token_registration_is_closed(secured_client: FlaskClient) -> None:
    """And says how it is opened; a token that could be guessed stops the start."""
    answer = secured_client.post("/api/register?username=eve&password=x", headers={"Authorization": "Bearer "})
    assert answer.status_code == 403
    assert "PYPI_ADMIN_TOKEN" in answer.text
    with pytest.raises(InvalidSetting, match="can be guessed"):
        load_settings(None, {}, {"PYPI_ADMIN_TOKEN": "short"})


def test_people_of_a_file_are_taken_into_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They keep their passwords, whatever Apache's tool hashed them with; weak hashes do not lie in the table; what is
    not taken is named, and the exit code says so.
    """
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "htpasswd"
    kinds = {"bcrypt": "-B", "apr": "-m", "sha": "-s", "sha256": "-2", "sha512": "-5", "des": "-d", "plain": "-p"}
    for name, kind in kinds.items():
        htpasswd(path, kind, name, f"{name}-pw")
    result = run("user", "import", "--htpasswd", path, "--json")
    assert result.exit_code == 1
    users = {one["username"] for one in data("user", "list")}
    assert users == set(kinds) - {"des", "plain"}
    assert "too weak" in result.stdout
    settings = load_settings(None, {"auth_enabled": True, "secret_key": "k" * 40}, {})
    from contextlib import closing

    from services import open_services

    with closing(open_services(settings)) as one:
        client = create_app(one).test_client()
        for name in users:
            kept = one.users.account(name).password_hash
            assert kept.startswith(("$2y$", "wrapped$"))
            assert client.get("/api/tokens", headers=basic(name, f"{name}-pw")).status_code == 200
            assert client.get("/api/tokens", headers=basic(name, "wrong")).status_code == 401
            assert one.users.account(name).password_hash.startswith("$argon2id$")
            assert client.get("/api/tokens", headers=basic(name, f"{name}-pw")).status_code == 200
    assert "Missing option" in run("user", "import").stderr
