"""The published description: it is the truth about every route, and a property-based tester finds nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.engine import events, from_schema

from server import create_app
from services import Services
from tests.conftest import PASSWORDS, ROOT, LiveServer

Stock = Callable[[Services], None]
METHODS = {"get", "post", "put", "delete", "patch"}


@pytest.fixture
def secured_app(secured: Services, stock: Stock) -> Flask:
    """The application with authentication, holding something."""
    stock(secured)
    return create_app(secured)


@pytest.fixture
def open_app(services: Services, stock: Stock) -> Flask:
    """The open application, holding something."""
    stock(services)
    return create_app(services)


def document_of(app: Flask) -> dict[str, Any]:
    """The application's description."""
    document: dict[str, Any] = app.test_client().get("/api/openapi.json").json  # type: ignore[assignment]
    return document


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Every path and method that the description has."""
    return {(path, method) for path, methods in document["paths"].items() for method in methods}


def routed(app: Flask) -> set[tuple[str, str]]:
    """Every path and method below /api that the application answers."""
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api")
        for method in rule.methods or ()
        if method.lower() in METHODS
    }


def test_every_route_is_described_and_nothing_else(app: Flask) -> None:
    """No route below /api is missing, none is invented; search, upload and health are there too."""
    found = described(document_of(app))
    elsewhere = {("/search", "get"), ("/upload", "post"), ("/health", "get")}
    assert found - elsewhere == routed(app)
    assert elsewhere <= found


def test_what_is_described_elsewhere_exists(app: Flask) -> None:
    """The addresses that other views answer are routes of this application."""
    adapter = app.url_map.bind("localhost")
    for path, method in (("/search", "GET"), ("/upload", "POST"), ("/health", "GET")):
        assert adapter.test(path, method)


def test_the_document_holds_together(secured_app: Flask) -> None:
    """Every reference leads somewhere, every operation has its own id, every path parameter is declared."""
    document = document_of(secured_app)
    text = secured_app.test_client().get("/api/openapi.json").text
    for reference in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert reference in document["components"]["schemas"]
    operations = [document["paths"][path][method] for path, method in described(document)]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))
            assert operation["summary"]
            assert operation["tags"][0] in {tag["name"] for tag in document["tags"]}


def test_security_is_described_as_this_server_has_it(open_app: Flask, secured_app: Flask) -> None:
    """An open server asks for nothing; one with authentication says where a password or token is needed."""
    document = document_of(open_app)
    assert set(document["components"]["securitySchemes"]) == {"registration"}
    secured = [path for path, methods in document["paths"].items() if "'security'" in str(methods)]
    assert secured == ["/api/register"]  # it has a token of its own
    paths = document_of(secured_app)["paths"]
    assert paths["/api/tokens"]["post"]["security"] == [{"password": []}]
    assert paths["/api/packages/{name}"]["delete"]["security"] == [{"password": []}, {"token": []}]
    assert {} in paths["/api/packages"]["get"]["security"]


class Outline(HTMLParser):
    """What a page loads and which anchors it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.anchors: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters of a tag."""
        given = dict(attrs)
        self.loaded += [address for name in ("src", "href") if tag != "a" and (address := given.get(name))]
        self.anchors += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        target = given.get("href") or ""
        self.targets += [target[1:]] if tag == "a" and target.startswith("#") else []


@pytest.mark.parametrize("name", ["open_app", "secured_app"])
def test_the_page_for_people(name: str, request: pytest.FixtureRequest) -> None:
    """It tells every operation, loads nothing from elsewhere, and its links within lead somewhere."""
    app: Flask = request.getfixturevalue(name)
    answer = app.test_client().get("/api/docs")
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    document = document_of(app)
    for path, method in described(document):
        assert f"<code>{method.upper()} {path}</code>" in answer.text
    outline = Outline()
    outline.feed(answer.text)
    assert all(address.startswith("/static/") for address in outline.loaded)
    assert len(set(outline.anchors)) == len(outline.anchors)
    assert set(outline.targets) <= set(outline.anchors)


# -- the tester


def findings(schema: Any) -> tuple[list[str], int]:
    """What the tester holds against what is described, in all its phases, and how many cases it tried."""
    found, cases = [], 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
        elif isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            for checks in event.recorder.checks.values():
                found += [
                    f"{event.recorder.label}: {check.failure_info.failure}" for check in checks if check.failure_info
                ]
    return found, cases


def chosen(**more: Any) -> schemathesis.Config:
    """The project's own settings of the tester, with more."""
    settings = tomllib.loads((ROOT / "schemathesis.toml").read_text())
    return schemathesis.Config.from_dict({**settings, "seed": 20_261_121, **more})


@pytest.mark.parametrize("name", ["open_app", "secured_app"])
def test_a_tester_finds_nothing_as_nobody(name: str, request: pytest.FixtureRequest) -> None:
    """No 500, no answer that is not described, no unfit request taken, no fit one refused, nothing without a right."""
    config = chosen(generation={"max-examples": 15})
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", request.getfixturevalue(name), config=config)
    found, cases = findings(schema)
    assert not found, "\n".join(found)
    assert cases > 300


@pytest.fixture
def as_alice(
    secured: Services, stock: Stock, live: Callable[..., LiveServer], tmp_path: Path
) -> Callable[..., schemathesis.BaseSchema]:
    """The description of a real server that holds something, tested with an administrator's password."""
    stock(secured)
    # The tester's many wrong credentials are to be told that they are wrong, not to wait.
    server = live("--auth", "--auth-most-failures", "1000000", data=tmp_path / "data")

    def load(**more: Any) -> schemathesis.BaseSchema:
        auth = {"basic": {"username": "alice", "password": PASSWORDS["alice"]}}
        config = chosen(auth=auth, generation={"max-examples": 12}, **more)
        return schemathesis.openapi.from_url(f"{server.url}/api/openapi.json", config=config)

    return load


def test_a_tester_finds_nothing_as_administrator(as_alice: Callable[..., schemathesis.BaseSchema]) -> None:
    """With all rights every operation is reached, and each refuses a wrong or missing credential."""
    found, cases = findings(as_alice())
    assert not found, "\n".join(found)
    assert cases > 300


def test_a_tester_finds_nothing_where_something_is_there(
    secured: Services, as_alice: Callable[..., schemathesis.BaseSchema]
) -> None:
    """The same on a project, release and file that exist, so that the answers are more than 404."""
    known = {"path.name": "demo-pkg", "path.version": "1.0", "path.filename": "demo_pkg-1.0.tar.gz"}
    # What takes the release away is tried without it: the rest would find nothing there.
    takes_away = ["delete-packages-name", "delete-packages-name-version", "post-packages-name-version-promote"]
    schema = as_alice(parameters=known).exclude(operation_id=takes_away)
    found, _ = findings(schema)
    assert not found, "\n".join(found)
    actions = secured.database.quick("SELECT group_concat(DISTINCT action) FROM journal", ())[0]
    assert {"file.yank", "file.unyank", "file.delete", "project.status"} <= set(actions.split(","))
