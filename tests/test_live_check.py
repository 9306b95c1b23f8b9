"""``test_server.py``, the check of a running server, against good and broken ones."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.conftest import ROOT, LiveServer, free_port

PROGRAM = [sys.executable, str(ROOT / "test_server.py")]


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=120, check=False)


def results(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What became of each check, from the JSON form."""
    return {one["name"]: one["result"] for one in json.loads(done.stdout)["checks"]}


class Broken(BaseHTTPRequestHandler):
    """A server that says yes to everything, and holds nothing."""

    def answer(self) -> None:
        """Answer 200 with an empty object."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        """Whatever is read."""
        self.answer()

    def do_POST(self) -> None:
        """Whatever is sent."""
        self.answer()

    def do_DELETE(self) -> None:
        """Whatever is deleted."""
        self.answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


@pytest.fixture
def broken() -> Iterator[str]:
    """The address of such a server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def left_on(server: LiveServer) -> int:
    """How many files a server lists."""
    with urllib.request.urlopen(f"{server.url}/api/stats", timeout=10) as response:
        return int(json.load(response)["files"])


def test_an_open_server_passes(live: Callable[..., LiveServer]) -> None:
    """Without authentication all passes but what belongs to accounts, which is left out, and nothing is left behind."""
    server = live()
    done = check("--url", server.url)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("20 passed, 4 left out")
    assert "authentication is off" in done.stdout
    assert left_on(server) == 0


def test_a_guarded_server_passes(live: Callable[..., LiveServer]) -> None:
    """With an administrator's name and password every check passes; in JSON each has its name and its time."""
    server = live("--auth", PYPI_ADMIN_PASSWORD="correct horse")
    done = check("--url", f"{server.url}/", "--username", "admin", "--password", "correct horse", "--json")
    assert done.returncode == 0, done.stdout
    said = json.loads(done.stdout)
    assert said["passed"]
    assert set(results(done).values()) == {"passed"}
    assert all(one["milliseconds"] >= 0 for one in said["checks"])


def test_a_guarded_server_needs_a_login(live: Callable[..., LiveServer]) -> None:
    """Without name and password one line says that they are needed; with wrong ones the upload fails."""
    server = live("--auth", PYPI_ADMIN_PASSWORD="correct horse")
    done = check("--url", server.url)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--username and --password" in done.stderr
    done = check("--url", server.url, "--username", "admin", "--password", "wrong", "--json")
    assert done.returncode == 1
    assert results(done)["upload of a wheel"] == "failed"
    assert results(done)["installation with pip"] == "left out"
    assert results(done)["clean-up"] == "passed"


def test_a_broken_server_fails(broken: str) -> None:
    """A server that only says yes fails nearly everything; each line says what was wrong, and the exit code is 1."""
    done = check("--url", broken)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = {line[:36].rstrip(): line[36:] for line in done.stdout.splitlines()}
    assert lines["health"].split()[0] == "failed"
    assert "the status is not ok" in lines["health"]
    assert "its Content-Type is not that of PEP 691" in lines["project list, JSON"]
    assert lines["installation with pip"].split()[0] == "failed"
    assert "is still there" in lines["clean-up"]


def test_nobody_there_is_one_line() -> None:
    """Where nothing answers, one line says so, and the exit code is 2."""
    done = check("--url", f"http://127.0.0.1:{free_port()}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: http://127.0.0.1:")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--url", "localhost:8080"], ["--url", "http://x:port"], ["--username", "admin"], ["--timeout", "0"], ["--wrong"]],
)
def test_wrong_usage_is_refused(arguments: list[str]) -> None:
    """What it cannot make sense of ends with code 2, before anything is asked."""
    done = check(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_it_cleans_up_when_it_is_ended(live: Callable[..., LiveServer]) -> None:
    """Ended by SIGTERM after its upload, it still deletes what it uploaded."""
    server = live()
    running = subprocess.Popen([*PROGRAM, "--url", server.url], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("upload of an sdist"):
            break
    assert list(server.data.glob("live-check-*/*.whl"))
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 143
    until = time.monotonic() + 10
    while left_on(server) and time.monotonic() < until:
        time.sleep(0.05)
    assert left_on(server) == 0


def test_it_needs_the_standard_library_alone() -> None:
    """It is taken to any machine with a Python, and judges the server by what it answers."""
    modules = [ROOT / "test_server.py", *(ROOT / "live_check").glob("*.py")]
    named = {
        name.partition(".")[0]
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom)
            else []
        )
    }  # fmt: skip
    assert named - sys.stdlib_module_names == {"live_check"}


def test_pytest_collects_none_of_it() -> None:
    """Its name is fixed and begins with ``test_``, but nothing in it is a test, and importing it runs nothing."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--collect-only", "test_server.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5  # no tests were collected
    assert "error" not in done.stdout.lower()
