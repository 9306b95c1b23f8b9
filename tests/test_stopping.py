"""How the server ends, by signal and by violence, and what it never loses."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.factory import build_wheel
from tests.multipart_form import encode, upload_parts
from tests.outside import KIND, Live, fetch, json_page, send


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
    listed = json.loads(json_page(one))["files"]
    assert {path.name for path in promised} <= {file["filename"] for file in listed}
    by_name = {path.name: path for path in paths}
    for file in listed:
        assert fetch(one, f"/packages/sample/{file['filename']}") == by_name[file["filename"]].read_bytes()
    assert [send(one, path) for path in paths] == [200] * len(paths)
    assert list((one.data / ".state" / "incoming").iterdir()) == []


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
