"""The server as a process: how it starts, what it refuses to start with, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, LiveServer, free_port
from tests.factory import build_wheel
from tests.multipart_form import BOUNDARY, encode, upload_parts

Live = Callable[..., LiveServer]
KIND = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def send(server: LiveServer, path: Path, timeout: float = 20) -> int:
    """Upload a file over HTTP; the status."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.request("POST", "/upload", encode(upload_parts(path)), KIND)
        return connection.getresponse().status
    finally:
        connection.close()


def fetch(server: LiveServer, path: str) -> bytes:
    """A body, from a fresh connection."""
    with urllib.request.urlopen(server.url + path, timeout=20) as answer:
        content: bytes = answer.read()
        return content


def run(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run server.py to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYPI_")}
    return subprocess.run(
        [sys.executable, str(ROOT / "server.py"), *arguments], capture_output=True, text=True, timeout=60,
        env=clean | (environ or {}), check=False,
    )  # fmt: skip


@pytest.mark.parametrize("server", ["granian", "waitress"])
def test_it_serves_and_ends_on_a_signal(live: Live, tmp_path: Path, server: str) -> None:
    """Either web server uploads, lists and downloads; TERM ends it with 0, and downloads are counted in the end."""
    one = live("--server", server)
    wheel = build_wheel(tmp_path)
    assert send(one, wheel) == 200
    assert fetch(one, f"/packages/sample/{wheel.name}") == wheel.read_bytes()
    assert one.stop(signal.SIGTERM) == 0
    again = live(data=one.data)
    assert json.loads(fetch(again, "/api/stats"))["downloads"] == 1


def test_interrupting_ends_it_too(live: Live) -> None:
    """Ctrl-C."""
    assert live().stop(signal.SIGINT) == 0


def test_the_first_screen(live: Live) -> None:
    """Where it is, what it holds, who may upload and what is unsafe."""
    log = live().log
    for said in ("Address", "/simple/", "Data", "0 projects", "may upload: anybody", "Unsafe", "authentication is off"):
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


def test_running_uploads_end_before_it_does(live: Live, tmp_path: Path) -> None:
    """F27: an upload that is under way when TERM comes is finished and kept."""
    one = live()
    wheel = build_wheel(tmp_path, files={"sample/noise.bin": random.Random(5).randbytes(400_000)})
    body = encode(upload_parts(wheel))
    with socket.create_connection(("127.0.0.1", one.port), timeout=20) as connection:
        head = {"Host": "127.0.0.1", "Content-Length": len(body), **KIND}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        connection.sendall(f"POST /upload HTTP/1.1\r\n{lines}\r\n".encode() + body[:200_000])
        time.sleep(0.3)
        assert one.process is not None
        one.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(body[200_000:])
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert one.stop() == 0
    assert fetch(live(data=one.data), f"/packages/sample/{wheel.name}") == wheel.read_bytes()


def test_killed_at_any_moment_it_loses_nothing_it_promised(live: Live, tmp_path: Path) -> None:
    """F01: uploads while the server is killed again and again: what was answered 200 is served whole, all else is
    whole or absent, and a retry succeeds.
    """
    one = live()
    rng = random.Random(11)
    paths = [build_wheel(tmp_path / "w", version=f"{n}.0", files={"s/n.bin": rng.randbytes(60_000)}) for n in range(40)]
    promised: list[Path] = []
    for start in range(0, len(paths), 10):
        killer = threading.Timer(
            rng.uniform(0.05, 0.3), os.killpg, (one.process.pid if one.process else 0, signal.SIGKILL)
        )
        killer.start()
        for path in paths[start : start + 10]:
            try:
                if send(one, path) == 200:
                    promised.append(path)
            except (OSError, http.client.HTTPException):
                continue
        killer.join()
        if one.process is not None:
            one.process.wait(10)
        one.start()
    listed = json.loads(_json_page(one))["files"]
    assert {path.name for path in promised} <= {file["filename"] for file in listed}
    by_name = {path.name: path for path in paths}
    for file in listed:
        assert fetch(one, f"/packages/sample/{file['filename']}") == by_name[file["filename"]].read_bytes()
    assert [send(one, path) for path in paths] == [200] * len(paths)
    assert list((one.data / ".state" / "incoming").iterdir()) == []


def _json_page(server: LiveServer) -> bytes:
    request = urllib.request.Request(
        server.url + "/simple/sample/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError:
        return b'{"files": []}'


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
            assert wheel.name.encode() in _json_page(one)


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


@pytest.mark.parametrize(
    "head",
    [
        "GET /simple/ HTTP/1.1\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: evil.example/path\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: a:99999\r\n\r\n",
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: -4\r\n\r\n",
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd",
        f"GET /{'x' * 5000} HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_unsound_frames_are_refused(live: Live, head: str) -> None:
    """S15, S85, S86, S88, S90: a request whose frame can be read in two ways is refused or cut off, never served."""
    one = live()
    with socket.create_connection(("127.0.0.1", one.port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(4096)
    assert not answer or answer.split(b" ")[1] in {b"400", b"414", b"431", b"501"}


def test_no_request_is_smuggled(live: Live) -> None:
    """S88: after a request with both lengths at most one answer comes, and the connection is closed."""
    one = live()
    first = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = b""
    with socket.create_connection(("127.0.0.1", one.port), timeout=10) as connection:
        connection.sendall((first + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n").encode())
        while piece := connection.recv(4096):
            answer += piece
    assert answer.count(b"HTTP/1.1 ") == 1
    assert "/smuggled" not in one.log


def test_slow_clients_hold_up_nobody(live: Live) -> None:
    """S98: a hundred clients that send half a head leave the others served within a second."""
    one = live()
    slow = [socket.create_connection(("127.0.0.1", one.port), timeout=10) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"GET /simple/ HTTP/1.1\r\nHost: a\r\n")
        started = time.monotonic()
        assert fetch(one, "/simple/")
        assert time.monotonic() - started < 1
    finally:
        for connection in slow:
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


def test_the_default_password_is_for_this_machine(live: Live, tmp_path: Path) -> None:
    """admin/admin uploads from loopback, and is refused once a proxy stands between."""
    one = live("--auth")
    body = encode(upload_parts(build_wheel(tmp_path)))
    credential = {"Authorization": "Basic YWRtaW46YWRtaW4="}

    def status(**headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
        connection.request("POST", "/upload", body, KIND | credential | headers)
        found = connection.getresponse().status
        connection.close()
        return found

    assert status() == 200
    assert status(**{"X-Forwarded-For": "203.0.113.9"}) == 403
    assert status(Forwarded="for=203.0.113.9") == 403


def test_sessions_and_keys_survive_a_restart(live: Live) -> None:
    """A secret key is made once, readable by its owner only, and kept."""
    one = live()
    key = one.data / ".state" / "secret_key"
    made = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    one.stop()
    live(data=one.data)
    assert key.read_bytes() == made


def test_clients_that_send_nothing_hold_up_nobody(live: Live, tmp_path: Path) -> None:
    """S98: with three quarters of the threads waiting for announced bodies, pages are served and uploads get 503."""
    one = live("--threads", "8")
    head = b"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", one.port), timeout=10) for _ in range(12)]
    try:
        for connection in slow:
            connection.sendall(head)
        time.sleep(0.5)
        assert fetch(one, "/simple/")
        assert json.loads(fetch(one, "/health")) == {"status": "ok"}
        assert send(one, build_wheel(tmp_path)) == 503
    finally:
        for connection in slow:
            connection.close()
    until = time.monotonic() + 10
    while send(one, build_wheel(tmp_path)) != 200:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_clients_that_take_nothing_hold_up_nobody(live: Live, tmp_path: Path) -> None:
    """F25: readers of a large file who do not read leave the others served."""
    one = live("--threads", "8")
    wheel = build_wheel(tmp_path, files={"sample/noise.bin": random.Random(9).randbytes(20_000_000)})
    assert send(one, wheel) == 200
    slow = [socket.create_connection(("127.0.0.1", one.port), timeout=10) for _ in range(12)]
    try:
        for connection in slow:
            connection.sendall(f"GET /packages/sample/{wheel.name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        time.sleep(0.5)
        assert b"sample" in fetch(one, "/simple/sample/")
    finally:
        for connection in slow:
            connection.close()


def test_a_killed_main_process_leaves_no_orphan(live: Live) -> None:
    """P6: after the main process alone was killed, its workers end and the server can be started again."""
    one = live()
    assert one.process is not None
    one.process.kill()
    one.process.wait()
    until = time.monotonic() + 15
    while time.monotonic() < until:
        done = subprocess.run(
            ["pgrep", "-f", str(one.data)], capture_output=True, text=True, check=False
        )  # fmt: skip
        if not done.stdout.strip():
            break
        time.sleep(0.2)
    one.process = None
    one.start()


def test_the_data_directory_is_held_wherever_the_database_is(live: Live, tmp_path: Path) -> None:
    """F28: a second server with another state folder on the same files is refused too."""
    first = live()
    done = run("--port", str(free_port()), "--data-dir", str(first.data), "--state-dir", str(tmp_path / "elsewhere"))
    assert done.returncode == 1
    assert "Another server" in done.stderr


def test_descriptors_do_not_pile_up(live: Live) -> None:
    """F11: bursts of requests leave no more open files than the first did."""
    one = live("--threads", "16")

    def burst() -> int:
        threads = [threading.Thread(target=fetch, args=(one, "/ready")) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.process is not None
        children = subprocess.run(
            ["pgrep", "-g", str(one.process.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        return max(len(list(Path(f"/proc/{child}/fd").iterdir())) for child in children)

    first = max(burst() for _ in range(3))
    assert max(burst() for _ in range(5)) <= first + 20


@pytest.mark.parametrize("server", ["granian", "waitress"])
def test_foreign_names_on_a_local_server(live: Live, tmp_path: Path, server: str) -> None:
    """A page whose name was rebound to 127.0.0.1 is refused; a proxy that says so is not, but its scripts are."""
    one = live("--server", server)
    body = encode(upload_parts(build_wheel(tmp_path)))

    def status(method: str, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, "/upload" if method == "POST" else "/simple/", body, KIND | named)
        found = connection.getresponse().status
        connection.close()
        return found

    assert status("POST", Host="evil.example") == 400
    assert status("GET", Host="evil.example") == 400
    proxied = {"Host": "pypi.example.com", "X_Forwarded_For": "203.0.113.9"}
    assert status("GET", **proxied) == 200
    assert status("POST", **proxied, Origin="http://pypi.example.com", Sec_Fetch_Site="same-origin") == 400
    assert status("GET", **proxied, Sec_Fetch_Dest="empty") == 400
    assert status("POST", **proxied) == 200


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


@pytest.mark.parametrize("server", ["granian", "waitress"])
def test_running_downloads_end_before_it_does(live: Live, tmp_path: Path, server: str) -> None:
    """F27: a download that is under way when TERM comes is sent to its end."""
    one = live("--server", server)
    wheel = build_wheel(tmp_path, files={"sample/noise.bin": random.Random(13).randbytes(30_000_000)})
    assert send(one, wheel) == 200
    with socket.create_connection(("127.0.0.1", one.port), timeout=20) as connection:
        connection.sendall(f"GET /packages/sample/{wheel.name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        received = len(connection.recv(65536))
        assert one.process is not None
        one.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        while received < wheel.stat().st_size and (piece := connection.recv(1 << 20)):
            received += len(piece)
    assert received >= wheel.stat().st_size
    assert one.stop() == 0
