"""The server as a process: how it starts, what it refuses to start with, what it logs."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.factory import build_wheel
from tests.multipart_form import encode, upload_parts
from tests.outside import KIND, Live, fetch, json_page, run, send


def test_the_first_screen(live: Live) -> None:
    """Where it is, what it holds, who may upload and what is unsafe."""
    log = live().log
    for said in ("Address", "/simple/", "Data", "0 projects", "upload: anybody", "Unsafe", "authentication is off"):
        assert said in log
    secured = live("--auth").log
    assert "administrator 'admin' was made" in secured
    assert "default password stands" in secured


def test_a_port_in_use(live: Live, tmp_path: Path) -> None:
    """One clear line and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port), "--host", "127.0.0.1", "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_data_directory_in_use(live: Live) -> None:
    """F28: a second server on one folder is refused."""
    first = live()
    done = run("--port", str(free_port()), "--data-dir", str(first.data))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "Another server" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "many"),
        ("--config", "/nowhere/pypi.conf"),
        ("--data-dir", "/proc/nowhere"),
        ("--host", "no.such.host.invalid"),
    ],
)
def test_settings_that_cannot_be_used(arguments: tuple[str, str], tmp_path: Path) -> None:
    """One clear line and exit code 1 or 2."""
    done = run("--data-dir", str(tmp_path / "data"), *arguments)
    assert done.returncode in {1, 2}
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


def test_passed_on_options_are_checked(tmp_path: Path) -> None:
    """A misspelt option of the web server stops the start."""
    config = tmp_path / "pypi.conf"
    config.write_text("[granian]\nbackpresure = 10\n")
    done = run("--config", str(config), "--data-dir", str(tmp_path / "data"), "--port", str(free_port()))
    assert done.returncode == 2
    assert "backpresure" in done.stderr


def test_waitress_carries_the_reason(live: Live, tmp_path: Path) -> None:
    """The sentence of a refusal is the reason phrase where the server sends one: it is all that twine prints."""
    one = live("--server", "waitress")
    send(one, build_wheel(tmp_path / "a"))
    body = encode(upload_parts(build_wheel(tmp_path / "b", files={"sample/__init__.py": b"2"})))
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
    connection.request("POST", "/legacy/", body, KIND)
    answer = connection.getresponse()
    assert (answer.status, answer.reason[:19]) == (400, "File already exists")
    connection.close()


def test_several_processes_agree(live: Live, tmp_path: Path) -> None:
    """With two workers an upload is visible to the next request, whichever process it reaches."""
    one = live("--workers", "2")
    for number in range(6):
        wheel = build_wheel(tmp_path, version=f"{number}.0")
        assert send(one, wheel) == 200
        for _ in range(6):
            assert wheel.name.encode() in json_page(one)


def test_chunked_bodies_and_expectations(live: Live, tmp_path: Path) -> None:
    """Case 54: Transfer-Encoding: chunked works, and so does Expect: 100-continue."""
    one = live()
    wheel = build_wheel(tmp_path)
    body = encode(upload_parts(wheel))
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
    pieces = (body[start : start + 500] for start in range(0, len(body), 500))
    connection.request("POST", "/upload", pieces, KIND, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    connection.request("POST", "/upload", body, KIND | {"Expect": "100-continue"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_line_for_each_request(live: Live) -> None:
    """The log has method, path, status and number of each request, as JSON when asked, and never the query."""
    one = live("--log-format", "json")
    request = urllib.request.Request(one.url + "/search?q=secret-words", headers={"X-Request-ID": "my-number-1"})
    urllib.request.urlopen(request, timeout=10).close()
    fetch(one, "/simple/")
    one.stop()
    lines = [json.loads(line) for line in one.log.splitlines() if line.startswith("{")]
    by_path = {line["path"]: line for line in lines if line.get("event") == "request"}
    assert by_path["/search"]["request_id"] == "my-number-1"
    assert by_path["/simple/"]["status"] == 200
    assert "secret-words" not in one.log


def test_sessions_and_keys_survive_a_restart(live: Live) -> None:
    """A secret key is made once, readable by its owner only, and kept."""
    one = live()
    key = one.data / ".state" / "secret_key"
    made = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    one.stop()
    live(data=one.data)
    assert key.read_bytes() == made


def test_the_data_directory_is_held_wherever_the_database_is(live: Live, tmp_path: Path) -> None:
    """F28: a second server with another state folder on the same files is refused too."""
    first = live()
    done = run("--port", str(free_port()), "--data-dir", str(first.data), "--state-dir", str(tmp_path / "elsewhere"))
    assert done.returncode == 1
    assert "Another server" in done.stderr


def test_a_proxied_server_is_watched_from_its_machine(live: Live) -> None:
    """With base_url and trusted_proxies set, health, readiness and metrics still answer to programs on the machine."""
    one = live("--base-url", "https://index.example.com", "--trusted-proxies", "127.0.0.1", "--auth", "--no-debug")
    assert json.loads(fetch(one, "/health")) == {"status": "ok"}
    assert json.loads(fetch(one, "/ready")) == {"status": "ready"}
    assert b"pypi_clone_requests" in fetch(one, "/metrics")
    assert fetch(one, "/simple/")
    request = urllib.request.Request(
        one.url + "/simple/",
        headers={"Host": "index.example.com", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(one.url, headers={"Host": "other.example"}), timeout=10)


def test_the_reloading_server_serves(live: Live, tmp_path: Path) -> None:
    """--reload: Flask's development server, without its debugger, under the locks of its parent."""
    one = live("--reload")
    assert send(one, build_wheel(tmp_path)) == 200
    assert b"debugger" not in fetch(one, "/?__debugger__=yes&cmd=resource&f=debugger.js").lower()


def test_the_first_screen_names_people_with_weak_hashes(live: Live, tmp_path: Path) -> None:
    """Five at most; nobody has to wonder why a name of the file cannot sign in."""
    people = tmp_path / "people"
    people.write_text("".join(f"old{number}:plain\n" for number in range(7)))
    log = live("--passwords", str(people)).log
    assert "let nobody in (DES, plain text, or too costly): 'old0', 'old1', 'old2', 'old3', 'old4' and 2 more;" in log
