"""The servers under measurement: a checkout of this program, and nginx with the very bytes that it gives."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import Target
from benchmarks.processes import Running, wait_until
from config import load_settings
from database.journal import Actor
from services import open_services

ROOT = Path(__file__).resolve().parent.parent
JSON = "application/vnd.pypi.simple.v1+json"
PASSWORD = "a long password for the benchmark"
_USER = "bench"
_NGINX = """daemon off; worker_processes 1; pid {state}/nginx.pid; error_log {state}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  open_file_cache max=50000 inactive=60s; open_file_cache_valid 60s;
  client_body_temp_path {state}/a; proxy_temp_path {state}/b; fastcgi_temp_path {state}/c;
  uwsgi_temp_path {state}/d; scgi_temp_path {state}/e;
  types {{ text/html html; {json} json; }} default_type application/octet-stream;
  map $http_accept $page {{ default index.html; "{json}" index.json; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024; root {state}/static;
    location /simple/ {{ index $page; gzip_static on; add_header Vary "Accept, Accept-Encoding"; }}
    location /packages/ {{ add_header Cache-Control "public, max-age=365000000, immutable"; }}
  }}
}}
"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environ_for_servers(**more: str) -> dict[str, str]:
    """The environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYPI_")} | more


@dataclass
class Ours:
    """A checkout of this program over a data folder, as in production: no debug, a JSON log line for each request."""

    name: str
    checkout: Path
    data: Path
    cpu: str | None = None
    auth: bool = False
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    running: Running | None = None

    def start(self, probe: str = "/health") -> float:
        """Start it; the seconds until the address answered with 200."""
        command = [sys.executable, "server.py", "--no-debug", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--data-dir", str(self.data), "--max-file-size", "1GB", *(["--auth"] if self.auth else [])]
        # An empty file keeps a pypi.conf of the checkout out of the figures.
        environ = environ_for_servers(PYPI_CONFIG=os.devnull)
        log = self.data.with_name(f"{self.data.name}.log")
        log.unlink(missing_ok=True)
        self.running = Running([*command, *self.options], log=log, environ=environ, cpu=self.cpu, cwd=self.checkout)
        return wait_until(lambda: _answers(self.target(), probe), self.running)

    def target(self, headers: Mapping[str, str] | None = None, suffix: str = "") -> Target:
        """It as a target of load."""
        return Target(self.name + suffix, self.port, headers or {})

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return _running(self.running).pid

    def stop(self) -> None:
        """End it."""
        if self.running is not None:
            self.running.stop()
            self.running = None


@dataclass
class Nginx:
    """nginx over files that hold what our server answered, compressed ones ready beside them."""

    state: Path
    cpu: str | None = None
    name: str = "nginx"
    port: int = field(default_factory=free_port)
    running: Running | None = None

    def take(self, ours: Target, projects: Iterable[str], files: Iterable[str]) -> None:
        """Save what ours gives for the project list, these projects and these file addresses."""
        static = self.state / "static"
        shutil.rmtree(static, ignore_errors=True)
        for page in ["/simple/", *(f"/simple/{project}/" for project in projects)]:
            folder = static / page.strip("/")
            folder.mkdir(parents=True, exist_ok=True)
            for name, accept in (("index.html", "text/html"), ("index.json", JSON)):
                (folder / name).write_bytes(_body(ours, page, Accept=accept))
                coded = _body(ours, page, Accept=accept, **{"Accept-Encoding": "gzip"})
                (folder / f"{name}.gz").write_bytes(coded)
        for path in files:
            place = static / path.strip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(_body(ours, path))

    def start(self) -> float:
        """Start it; the seconds until it answered."""
        (self.state / "nginx.conf").write_text(_NGINX.format(state=self.state, port=self.port, json=JSON))
        command = [
            "nginx",
            "-p",
            str(self.state),
            "-e",
            str(self.state / "error.log"),
            "-c",
            str(self.state / "nginx.conf"),
        ]
        self.running = Running(
            command, log=self.state / "nginx.log", environ=environ_for_servers(), cpu=self.cpu, cwd=self.state
        )
        return wait_until(lambda: _answers(self.target(), "/simple/"), self.running)

    def target(self) -> Target:
        """It as a target of load."""
        return Target(self.name, self.port)

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return _running(self.running).pid

    def stop(self) -> None:
        """End it."""
        if self.running is not None:
            self.running.stop()
            self.running = None


def _running(running: Running | None) -> Running:
    if running is None:
        raise ValueError("the server was not started")
    return running


def _answers(target: Target, path: str) -> bool:
    try:
        return target.get(path)[0] in {200, 401}
    except OSError:
        return False


def _body(target: Target, path: str, **headers: str) -> bytes:
    status, got, body = target.get(path, headers)
    if status != 200 or got.get("Content-Encoding", "identity") != headers.get("Accept-Encoding", "identity"):
        raise SystemExit(f"{target.name}: {path} answers {status} in the coding {got.get('Content-Encoding')}")
    return body


def copied(data: Path, to: Path) -> Path:
    """A copy of a data folder for a server of its own; the packages are linked, since nothing writes into them."""
    shutil.rmtree(to, ignore_errors=True)

    def copy(source: str, target: str) -> None:
        (shutil.copy2 if "/.state/" in source else os.link)(source, target)

    shutil.copytree(data, to, copy_function=copy)
    return to


def credentials(data: Path) -> dict[str, dict[str, str]]:
    """Make a person and a token in a data folder whose server does not run: the headers of each."""
    services = open_services(load_settings(Path(os.devnull), {"data_dir": str(data), "auth_enabled": "true"}, {}))
    by = Actor("benchmark")
    try:
        services.users.create_user(_USER, PASSWORD, by=by)
        token, _ = services.tokens.create_token(_USER, "benchmark", by=by)
    finally:
        services.close()
    return {"token": _basic("__token__", token.text), "password": _basic(_USER, PASSWORD)}


def _basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}
