"""Clients that are slow, lie about their frames, or speak under foreign names."""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.factory import build_wheel
from tests.multipart_form import encode, upload_parts
from tests.outside import KIND, Live, fetch, send


@pytest.mark.parametrize(
    "head",
    [
        "GET /simple/ HTTP/1.1\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: evil.example/path\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: a:99999\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: 127.0.0.1:99999\r\n\r\n",
        "GET /simple/ HTTP/1.1\r\nHost: 127.0.0.1:80, evil.example\r\n\r\n",
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
