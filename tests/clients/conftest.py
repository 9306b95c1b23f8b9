"""What the tests of real clients share: programs, a project named after the test, servers with and without accounts."""

from __future__ import annotations

import json
import re
import signal
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from config import load_settings
from distributions.claims import Claim
from people.tokens import Limits
from permissions import MAIN
from services import Services, open_services
from tests.clients.programs import Credential, Programs, Project, Venv
from tests.conftest import TESTER, LiveServer, basic, free_port
from tests.factory import build_wheel
from tests.web.conftest import csrf_of

ADMIN = Credential("admin", "a longer pass:word")


@dataclass(frozen=True, slots=True)
class Index:
    """A running server, and who may upload to it."""

    server: LiveServer
    person: Credential
    token: Credential

    def page(self, project: str) -> dict[str, dict[str, Any]]:
        """The files of a project's page, by filename."""
        return files_of(self.server, project)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A running server for installers, and a way to put wheels on it."""

    server: LiveServer
    services: Services
    folder: Path

    @property
    def url(self) -> str:
        """What installers are given."""
        return f"{self.server.url}/simple/"

    def put(self, name: str, version: str = "1.0", **wheel: Any) -> Path:
        """Publish a wheel, with more arguments of ``build_wheel``."""
        path = build_wheel(self.folder, name, version, **wheel)
        with self.services.manager.receive() as incoming:
            incoming.write(path.read_bytes())
            self.services.manager.publish(MAIN, incoming, Claim(path.name), by=TESTER)
        return path

    def yank(self, name: str, version: str, reason: str) -> None:
        """Yank a release."""
        self.services.manager.yank(MAIN, canonicalize_name(name), version, None, reason, by=TESTER)


def files_of(server: LiveServer, project: str) -> dict[str, dict[str, Any]]:
    """The files of a project's page, by filename."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    request = urllib.request.Request(f"{server.url}/simple/{project}/", headers=accept)
    with urllib.request.urlopen(request, timeout=10) as response:
        return {file["filename"]: file for file in json.load(response)["files"]}


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Client programs with a home of their own."""
    home = tmp_path / "home"
    home.mkdir()
    return Programs(home)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """The test's name as that of a project, so that tests can share a server."""
    said = f"{request.path.stem.removeprefix('test_')}-{request.node.name.removeprefix('test_')}"
    return re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")


@pytest.fixture
def project(tmp_path: Path, name: str) -> Project:
    """The source of a project that bears the test's name."""
    return Project(tmp_path / "project", name).write()


@pytest.fixture
def venv(programs: Programs, tmp_path: Path) -> Venv:
    """An empty virtual environment."""
    programs.well("python", "-m", "venv", "--without-pip", tmp_path / "venv")
    return Venv(programs, tmp_path / "venv")


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """A server with authentication, shared by the tests; each has its own project on it."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    server = LiveServer(data, free_port(), ["--auth"], {"PYPI_ADMIN_PASSWORD": ADMIN.password})
    server.start()
    yield Index(server, ADMIN, token_for(server))
    server.stop(signal.SIGKILL)


@pytest.fixture
def guard(live: Callable[..., LiveServer]) -> Callable[..., Index]:
    """Starts servers with authentication for one test."""

    def make(*arguments: str) -> Index:
        server = live("--auth", *arguments, PYPI_ADMIN_PASSWORD=ADMIN.password)
        return Index(server, ADMIN, token_for(server))

    return make


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A server for installers, shared by the tests; each has its own projects on it."""
    with opened_shelf(tmp_path_factory.mktemp("shelf")) as made:
        yield made


@pytest.fixture(scope="session")
def other_shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A second one, to be used beside the first."""
    with opened_shelf(tmp_path_factory.mktemp("other-shelf")) as made:
        yield made


@contextmanager
def opened_shelf(folder: Path) -> Iterator[Shelf]:
    """A server over a folder, and its services in this process as well."""
    server = LiveServer(folder / "data", free_port())
    server.start()
    with closing(services_of(server)) as services:
        yield Shelf(server, services, folder)
    server.stop(signal.SIGKILL)


def token_for(server: LiveServer) -> Credential:
    """A new token of the administrator."""
    with closing(services_of(server, auth_enabled="true")) as services:
        token, _ = services.tokens.create_token("admin", "clients", Limits(1), by=TESTER)
    return Credential("__token__", token.text)


def page_with_token(server: LiveServer, scope: str) -> str:
    """The account page of the administrator as it is when they have made a token."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    browser.addheaders = [("Accept", "text/html"), *basic(ADMIN.username, ADMIN.password).items()]
    with browser.open(f"{server.url}/account", timeout=10) as answer:
        form = {"csrf_token": csrf_of(answer.read().decode()), "name": "lines", "expires_days": "1", "scopes": scope}
    with browser.open(f"{server.url}/account/tokens", urllib.parse.urlencode(form).encode(), timeout=10) as answer:
        page: str = answer.read().decode()
    return page


def services_of(server: LiveServer, **settings: str) -> Services:
    """The services over a running server's data, in this process, to be closed."""
    return open_services(load_settings(None, {"data_dir": str(server.data), **settings}, {}))
