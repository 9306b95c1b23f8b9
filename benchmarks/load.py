"""What puts load on a server: wrk, and clients of our own for what wrk cannot do."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from benchmarks.dataset import Wheel

Headers = dict[str, str]
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
_CHUNK = 1 << 20
_BOUNDARY = "benchmark-4f1c8d2a7b"


@dataclass(frozen=True)
class Target:
    """A server to be asked: its port on this machine, and what every request carries."""

    name: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def connect(self) -> http.client.HTTPConnection:
        """A connection, not yet opened."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request on a connection of its own: status, headers, body."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers={**self.headers, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


@dataclass(frozen=True)
class Loaded:
    """What one run of wrk saw. Latencies in milliseconds; ``failed`` says why the run is void, or is empty."""

    per_second: float
    p50: float
    p99: float
    failed: str = ""


def wrk(
    target: Target,
    paths: Sequence[tuple[str, Headers]],
    *,
    seconds: int,
    connections: int = 32,
    cpu: str | None = None,
) -> Loaded:
    """Ask for the paths in turn, each with headers of its own, for some seconds on keep-alive connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_lua(target, paths))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
        command += ["-s", script.name, f"http://127.0.0.1:{target.port}/"]
        if cpu is not None:
            command = ["taskset", "-c", cpu, *command]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failures = re.findall(r"Non-2xx or 3xx responses: \d+|Socket errors: [^\n]+", said)
    return Loaded(
        float(_found(r"Requests/sec:\s+([\d.]+)", said)[0]),
        _latency("50", said),
        _latency("99", said),
        "; ".join(failures),
    )


def _lua(target: Target, paths: Sequence[tuple[str, Headers]]) -> str:
    """A script for wrk with every request written out before the load begins."""
    made = ",\n".join(
        f"  wrk.format('GET', {json.dumps(path)}, {_table({**target.headers, **headers})})" for path, headers in paths
    )
    return (
        "local requests\nlocal at = 0\n"
        f"function init(arguments)\n requests = {{\n{made}\n }}\nend\n"
        "function request()\n at = at % #requests + 1\n return requests[at]\nend\n"
    )


def _table(headers: Headers) -> str:
    return "{" + ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()) + "}"


def _found(pattern: str, said: str) -> tuple[str, ...]:
    match = re.search(pattern, said)
    if match is None:
        raise SystemExit(f"wrk said nothing of {pattern!r}:\n{said}")
    return match.groups()


def _latency(percent: str, said: str) -> float:
    number, unit = _found(percent + r"%\s+([\d.]+)(us|ms|s|m)", said)
    return float(number) * _MILLISECONDS[unit]


def latency(target: Target, paths: Sequence[tuple[str, Headers]], times: int = 200) -> float:
    """Milliseconds of one request at a time, each on a new connection: the median."""
    taken = []
    for number in range(times):
        path, headers = paths[number % len(paths)]
        started = time.perf_counter()
        status, _, _ = target.get(path, headers)
        taken.append(1000 * (time.perf_counter() - started))
        if status != 200:
            raise SystemExit(f"{target.name}: {path} answers {status}")
    return statistics.median(taken)


def download(target: Target, path: str) -> float:
    """MB/s of one file that one client reads, a megabyte at a time."""
    connection = target.connect()
    buffer, size = bytearray(_CHUNK), 0
    started = time.perf_counter()
    connection.request("GET", path, headers=dict(target.headers))
    response = connection.getresponse()
    expected = int(response.headers["Content-Length"])
    while count := response.readinto(buffer):
        size += count
    taken = time.perf_counter() - started
    connection.close()
    if response.status != 200 or size != expected:
        raise SystemExit(f"{target.name}: {path} answers {response.status} with {size} of {expected} bytes")
    return size / 1e6 / taken


# -- uploads


def _form(filename: str, fields: Mapping[str, str]) -> tuple[bytes, bytes]:
    """What stands before and behind the file in an upload form."""
    head = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
    return f"{head}Content-Type: application/octet-stream\r\n\r\n".encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()


def prepared(wheel: Wheel) -> bytes:
    """The whole body of the upload of one wheel, with the fields that upload tools send."""
    head, tail = _form(
        wheel.filename,
        {
            ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": wheel.project,
            "version": wheel.version, "filetype": "bdist_wheel", "pyversion": "py3",
            "md5_digest": hashlib.md5(wheel.body).hexdigest(), "sha256_digest": wheel.sha256,
            "blake2_256_digest": hashlib.blake2b(wheel.body, digest_size=32).hexdigest(),
        },
    )  # fmt: skip
    return head + wheel.body + tail


def upload(target: Target, bodies: Sequence[bytes], clients: int) -> float:
    """Files a second that so many clients upload, each on one keep-alive connection. Any refusal ends the run."""
    waiting = list(reversed(bodies))
    refused: list[str] = []
    headers = {**target.headers, "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}

    def work() -> None:
        connection = target.connect()
        while not refused:
            try:
                body = waiting.pop()
            except IndexError:
                break
            connection.request("POST", "/upload", body, headers)
            response = connection.getresponse()
            said = response.read()
            if response.status != 200:
                refused.append(f"{response.status} {said.decode(errors='replace')}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - started
    if refused or waiting:
        raise SystemExit(f"{target.name} refused an upload: {(refused or ['a connection broke'])[0]}")
    return len(bodies) / taken


def upload_file(target: Target, path: Path) -> float:
    """MB/s of one large file that one client sends from disk."""
    head, tail = _form(path.name, {":action": "file_upload"})
    size = path.stat().st_size
    connection = target.connect()
    started = time.perf_counter()
    connection.putrequest("POST", "/upload")
    for name, value in target.headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}")
    connection.putheader("Content-Length", str(len(head) + size + len(tail)))
    connection.endheaders(head)
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            connection.send(piece)
    connection.send(tail)
    response = connection.getresponse()
    said = response.read()
    taken = time.perf_counter() - started
    connection.close()
    if response.status != 200:
        raise SystemExit(f"{target.name} refused {path.name}: {response.status} {said.decode(errors='replace')}")
    return size / 1e6 / taken


def file_path(project: str, filename: str) -> str:
    """The address of a file on our server."""
    return f"/packages/{project}/{quote(filename)}"
