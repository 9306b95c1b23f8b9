"""What the tests of the web pages share: stocking an index, and signing in as people do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client, TestResponse

from database.journal import Actor
from distributions.claims import Claim
from permissions import MAIN
from server import create_wsgi
from services import Services
from tests.conftest import PASSWORDS, TESTER
from tests.factory import build_wheel, wheel_bytes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def publish(services: Services, path: Path, by: str = "bob") -> None:
    """Publish a file as an upload would."""
    with services.manager.receive() as incoming:
        incoming.write(path.read_bytes())
        services.manager.publish(MAIN, incoming, Claim(path.name), by=Actor(by))


def publish_wheel(services: Services, folder: Path, name: str = "sample", version: str = "1.0", **said: Any) -> None:
    """Publish a small wheel; ``said`` goes to ``factory.build_wheel``."""
    by = said.pop("by", "bob")
    publish(services, build_wheel(folder, name, version, **said), by)


def csrf_of(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


class Visitor:
    """A person with a browser: sends the token of the last form that they loaded."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page."""
        answer = self.client.get(path, **{"headers": BROWSER, **more})
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form."""
        return self.client.post(path, data={"csrf_token": self.token, **fields}, headers=BROWSER)

    def sign_in(self, username: str, password: str | None = None, **more: str) -> TestResponse:
        """Open the login page and send it."""
        self.get("/login")
        password = PASSWORDS[username] if password is None else password
        answer = self.post("/login", username=username, password=password, **more)
        self.get("/account")
        return answer


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    from tests.web.browser import started_chromium  # most tests need no browser

    with started_chromium() as browser:
        yield browser


@pytest.fixture
def anybody(client: FlaskClient) -> Visitor:
    """Somebody on the open server."""
    return Visitor(client)


@pytest.fixture
def visitor(secured_client: FlaskClient) -> Visitor:
    """Somebody not signed in on the server with authentication."""
    return Visitor(secured_client)


@pytest.fixture
def bob(visitor: Visitor) -> Visitor:
    """Bob, an uploader, signed in."""
    assert visitor.sign_in("bob").status_code == 303
    return visitor


@pytest.fixture
def alice(visitor: Visitor) -> Visitor:
    """Alice, the administrator, signed in."""
    assert visitor.sign_in("alice").status_code == 303
    return visitor


Person = Callable[[str], Visitor]


@pytest.fixture
def somebody(secured: Services, tmp_path: Path) -> Iterator[Person]:
    """Opens the site of several indexes in the browser of one of the cast, or of nobody for ""."""
    from tests.web import index_site

    for username in ("carol", "erin"):
        secured.users.create_user(username, PASSWORDS[username], by=TESTER)
    index_site.fill(secured, tmp_path / "filled")
    front = create_wsgi(secured)  # with it indexes have addresses

    def visit(username: str) -> Visitor:
        person = Visitor(cast("FlaskClient", Client(front)))
        if username:
            assert person.sign_in(username).status_code == 303
        return person

    yield visit
    front.close()


__all__ = ["BROWSER", "Person", "Visitor", "csrf_of", "publish", "publish_wheel", "wheel_bytes"]


@pytest.fixture
def stocked(services: Services, anybody: Visitor, tmp_path: Path) -> Visitor:
    """Somebody on an open server that holds weft."""
    from tests.web.contents_site import stock  # which publishes as this module does

    stock(services, tmp_path / "dist")
    return anybody
