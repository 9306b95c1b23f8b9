"""The standing cast and the servers that tests speak to.

``services`` is an open server's bundle; ``secured`` has authentication: alice administers, bob uploads. ``live``
starts a real server process on a free port, ``issuer`` a provider that signs identity tokens.
"""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import load_settings
from database.journal import Actor
from server import create_app, create_wsgi
from services import Services, open_services
from tests.credentials.mock_issuer import MockIssuer, mock_issuer
from tests.factory import build_wheel

ROOT = Path(__file__).resolve().parent.parent
TESTER = Actor("tester")
PASSWORDS = {
    "alice": "alice's long password", "bob": "bob's long password", "carol": "carol's long password",
    "dave": "dave's long password", "erin": "erin's long password",
}  # fmt: skip


def basic(username: str, password: str | None = None) -> dict[str, str]:
    """The Authorization header of one of the cast, or of whatever name and password."""
    text = f"{username}:{PASSWORDS[username] if password is None else password}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.fixture
def open_server(tmp_path: Path) -> Iterator[Callable[..., Services]]:
    """Opens services over a folder of the test's own, with settings by name; closes them afterwards."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Services:
            chosen = {"data_dir": str(tmp_path / "data"), "secret_key": "k" * 40, **settings}
            made = open_services(load_settings(None, chosen, {}))
            stack.enter_context(closing(made))
            return made

        yield make


@pytest.fixture
def services(open_server: Callable[..., Services]) -> Services:
    """A server without authentication."""
    return open_server()


@pytest.fixture
def secured(open_server: Callable[..., Services]) -> Services:
    """A server with authentication: alice is its administrator, bob an uploader."""
    made = open_server(auth_enabled="true")
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    return made


@pytest.fixture
def app(services: Services) -> Flask:
    """The open server's application."""
    return create_app(services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the open server's application."""
    return app.test_client()


@pytest.fixture
def secured_client(secured: Services) -> FlaskClient:
    """A client of the application with authentication."""
    return create_app(secured).test_client()


@pytest.fixture
def front(services: Services) -> Iterator[Any]:
    """The whole WSGI application of the open server, fast path and all."""
    made = create_wsgi(services)
    yield made
    made.close()


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A small wheel, sample 1.0."""
    return build_wheel(tmp_path)


@pytest.fixture
def issuer() -> Iterator[MockIssuer]:
    """A provider of identity tokens on loopback."""
    with mock_issuer() as running:
        yield running


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class LiveServer:
    """A real server process."""

    data: Path
    port: int
    arguments: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self.data.with_suffix(".log").read_text()

    def start(self) -> LiveServer:
        """Start it and wait until it answers."""
        command = [sys.executable, str(ROOT / "server.py"), "--port", str(self.port), "--host", "127.0.0.1"]
        command += ["--data-dir", str(self.data), *self.arguments]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYPI_")}
        with self.data.with_suffix(".log").open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, text=True, env=environ | self.environ, start_new_session=True
            )
        self.wait()
        return self

    def wait(self, seconds: float = 20) -> None:
        """Wait until it answers."""
        assert self.process is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.03)
        raise AssertionError(f"the server did not start:\n{self.log}")

    def stop(self, with_signal: int = signal.SIGTERM, seconds: float = 40) -> int:
        """End it by a signal; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            if with_signal == signal.SIGKILL:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.send_signal(with_signal)
        code = self.process.wait(seconds)
        self.process = None
        return code


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Starts real servers, with flags and environment; ends them afterwards."""
    started: list[LiveServer] = []

    def make(*arguments: str, data: Path | None = None, **environ: str) -> LiveServer:
        one = LiveServer(data or tmp_path / f"live{len(started)}", free_port(), list(arguments), environ)
        started.append(one)
        return one.start()

    yield make
    for one in started:
        if one.process is not None:
            one.stop(signal.SIGKILL)
