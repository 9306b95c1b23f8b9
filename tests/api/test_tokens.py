"""``/api/tokens``: one's own tokens, and nobody else's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from server import create_app
from services import Services
from tests.conftest import basic
from views.api.schemas import LABEL, check


def make(client: FlaskClient, username: str = "alice", **body: Any) -> dict[str, Any]:
    """Make a token."""
    answer = client.post("/api/tokens", json={"name": "CI/CD Token", **body}, headers=basic(username))
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    document: dict[str, Any] = answer.json  # type: ignore[assignment]
    return document


def listed(client: FlaskClient, username: str = "alice") -> list[dict[str, Any]]:
    """Somebody's tokens."""
    answer = client.get("/api/tokens", headers=basic(username))
    assert answer.headers["Cache-Control"] == "no-store"
    tokens: list[dict[str, Any]] = answer.json["tokens"]  # type: ignore[index]
    return tokens


def test_a_token_is_made_with_the_body_of_the_document(secured_client: FlaskClient) -> None:
    """``{"name", "expires_days"}`` gives a token that stands so many days."""
    made = make(secured_client, name="Token Name", expires_days=30)
    assert set(made) == {"token", "id", "name", "created", "expires", "scopes", "index", "projects", "note"}
    assert made["token"].startswith(f"pcl_{made['id']}_")
    assert made["name"] == "Token Name"
    life = datetime.fromisoformat(made["expires"]) - datetime.fromisoformat(made["created"])
    assert life == timedelta(days=30)
    assert made["scopes"] == ["read", "upload", "yank"]
    usual = make(secured_client)
    assert datetime.fromisoformat(usual["expires"]) - datetime.fromisoformat(usual["created"]) == timedelta(days=90)
    for for_ever in (None, 0):
        assert make(secured_client, expires_days=for_ever)["expires"] is None


def test_the_list_never_has_a_secret(secured_client: FlaskClient) -> None:
    """What is listed finds and revokes a token and cannot be used as one."""
    made = make(secured_client)
    (line,) = listed(secured_client)
    limits = {"scopes", "index", "projects", "note"}
    assert set(line) == {"id", "name", "created", "expires", "last_used", "last_address"} | limits
    assert line["id"] == made["id"]
    secret = made["token"].split("_")[2]
    assert secret not in secured_client.get("/api/tokens", headers=basic("alice")).text


@pytest.mark.parametrize("part", ["token", "id"])
def test_a_token_is_revoked_by_its_text_or_its_id(secured_client: FlaskClient, part: str) -> None:
    """Either names it; afterwards it is worth nothing, at once."""
    made = make(secured_client)
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert secured_client.get("/api/packages", headers=bearer).status_code == 200
    answer = secured_client.delete("/api/tokens", json={"token": made[part]}, headers=basic("alice"))
    assert (answer.status_code, answer.json) == (200, {"revoked": made["id"]})
    assert secured_client.get("/api/packages", headers=bearer).status_code == 401
    assert listed(secured_client) == []
    again = secured_client.delete("/api/tokens", json={"token": made[part]}, headers=basic("alice"))
    assert again.status_code == 404


def test_anothers_token_is_not_there(secured_client: FlaskClient) -> None:
    """Another's id is answered like an unknown one, and the token stands (S110)."""
    made = make(secured_client, "bob")
    answers = [
        secured_client.delete("/api/tokens", json={"token": token}, headers=basic("alice"))
        for token in (made["id"], made["token"], "Unknown123", "pcl_x_y_z", "x\0y")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert [line["id"] for line in listed(secured_client, "bob")] == [made["id"]]
    assert listed(secured_client, "alice") == []


def test_nobody_and_tokens_cannot_manage_tokens(secured_client: FlaskClient) -> None:
    """401 without a credential; 403 with a token, which could otherwise outlive itself."""
    bearer = {"Authorization": f"Bearer {make(secured_client)['token']}"}
    for method, body in (("GET", None), ("POST", {"name": "n"}), ("DELETE", {"token": "x"})):
        assert secured_client.open("/api/tokens", method=method, json=body).status_code == 401
        assert secured_client.open("/api/tokens", method=method, json=body, headers=bearer).status_code == 403
    assert len(listed(secured_client)) == 1


def test_an_open_server_has_no_tokens_and_says_how_to_have_them(client: FlaskClient) -> None:
    """403 with the way out."""
    for answer in (client.get("/api/tokens"), client.post("/api/tokens", json={"name": "n"}, headers=basic("alice"))):
        assert answer.status_code == 403
        assert "--auth" in answer.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": " "}, {"name": " n"}, {"name": "a\u202eb"}, {"name": "a\nb"}, {"name": "n" * 201},
        {"name": 1}, {"name": None}, {"name": "n", "expires_days": -1}, {"name": "n", "expires_days": 36_501},
        {"name": "n", "expires_days": 10**400}, {"name": "n", "username": "bob"},
    ],
)  # fmt: skip
def test_unfit_bodies_make_no_token(secured_client: FlaskClient, body: dict[str, Any]) -> None:
    """Each is a 400, and there is no token afterwards."""
    answer = secured_client.post("/api/tokens", json=body, headers=basic("alice"))
    assert answer.status_code == 400, answer.text
    assert listed(secured_client) == []


def test_the_longest_life_of_a_token_is_a_setting(open_server: Any, secured: Services) -> None:
    """Longer is refused, and so is no end, by name of the longest; none given means that long, and the published
    description says so.
    """
    strict = open_server(data_dir=secured.settings.data_dir, auth_enabled="true", auth_token_max_days="90")
    client = create_app(strict).test_client()
    assert client.post("/api/tokens", json={"name": "n", "expires_days": 91}, headers=basic("alice")).status_code == 400
    for for_ever in (None, 0):
        answer = client.post("/api/tokens", json={"name": "n", "expires_days": for_ever}, headers=basic("alice"))
        assert (answer.status_code, "90 days at most" in answer.text) == (400, True)
    made = make(client)
    life = datetime.fromisoformat(made["expires"]) - datetime.fromisoformat(made["created"])
    assert life == timedelta(days=90)
    document: Any = client.get("/api/openapi.json").json
    body = document["paths"]["/api/tokens"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["expires_days"]["maximum"] == 90


def test_every_name_that_the_description_allows_can_be_shown() -> None:
    """Each character of the published pattern is printable, which is what people.tokens asks for."""
    pattern = re.compile(LABEL["pattern"])
    allowed = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and pattern.match(chr(code))]
    assert len(allowed) > 30_000
    assert all(character.isprintable() for character in allowed)
    for name in ("CI/CD Token", "Läufer für März", "Сборка", "構建 2", "x"):
        check(name, LABEL, "The name")


def test_the_usual_life_of_a_token_is_a_setting(open_server: Any, secured: Services) -> None:
    """It counts where none is chosen; 0 is no end."""
    for days, life in (("7", timedelta(days=7)), ("0", None)):
        one = open_server(data_dir=secured.settings.data_dir, auth_enabled="true", auth_token_days=days)
        made = make(create_app(one).test_client())
        expires = made["expires"] and datetime.fromisoformat(made["expires"]) - datetime.fromisoformat(made["created"])
        assert expires == life
