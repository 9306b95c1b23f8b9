"""Another index on loopback, over real HTTP, which misbehaves when it is told to.

``with fake_upstream() as upstream:`` gives one; ``upstream.url`` is its simple API. What it is to do may be changed at
any time, for every address or for some.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


@dataclass
class Misbehaviour:
    """What to do at an address instead of the truth; what is not set is done as it should be.

    ``hang``: take the request and say nothing. ``hang_up``: close the connection at once. ``cut``: close it after so
    many bytes of the body. ``drip``: send byte by byte for ever, headers too. ``pause_at``: send so many bytes of the
    body, and the rest when ``gate`` is set. ``slowly``: send so many bytes every 50 ms.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    hang: bool = False
    hang_up: bool = False
    drip: bool = False
    cut: int | None = None
    pause_at: int | None = None
    slowly: int | None = None
    without_length: bool = False


@dataclass
class FakeFile:
    """A file. ``extra`` is what its JSON entry says besides, or otherwise; ``metadata`` what lies beside it."""

    filename: str
    content: bytes
    extra: dict[str, Any] = field(default_factory=dict)
    metadata: bytes | None = None

    @property
    def sha256(self) -> str:
        """Its digest."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class FakeProject:
    """A project. ``extra`` is what its page says besides, or otherwise."""

    files: list[FakeFile]
    serial: int = 7
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    path: str
    headers: Mapping[str, str]


@dataclass
class FakeUpstream:
    """The index. ``asked`` are the requests; ``html_only`` makes it one of the old kind; ``gate`` lets pauses end."""

    url: str = ""
    projects: dict[str, FakeProject] = field(default_factory=dict)
    misbehaviour: dict[str, Misbehaviour] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    html_only: bool = False
    ranges: bool = True
    headers: dict[str, str] = field(default_factory=lambda: {"Cache-Control": "max-age=600"})
    gate: threading.Event = field(default_factory=threading.Event)
    has_paused: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    connections: list[socket.socket] = field(default_factory=list)

    def add(self, project: str, *files: FakeFile, **changes: Any) -> FakeProject:
        """Put a project in the place of the one before."""
        made = self.projects[project] = FakeProject(list(files), **changes)
        return made

    def misbehave(self, pattern: str, **what: Any) -> None:
        """Do something else at the addresses that match, until ``behave``."""
        self.misbehaviour[pattern] = Misbehaviour(**what)

    def behave(self) -> None:
        """Be good again."""
        self.misbehaviour.clear()

    def paths(self, pattern: str = ".*") -> list[str]:
        """The paths that were asked for and match, in order."""
        return [one.path for one in self.asked if re.fullmatch(pattern, one.path)]

    def page(self, name: str) -> dict[str, Any]:
        """A project's page as a JSON object."""
        project = self.projects[name]
        return {
            "meta": {"api-version": "1.4", "_last-serial": project.serial},
            "name": name,
            "versions": [],
            "files": [self.entry(file) for file in project.files],
            **project.extra,
        }

    @staticmethod
    def entry(file: FakeFile) -> dict[str, Any]:
        """A file's entry on the page."""
        written = {
            "filename": file.filename,
            "url": f"../../files/{file.filename}",
            "hashes": {"sha256": file.sha256},
            "size": len(file.content),
            "upload-time": "2026-02-03T04:05:06.000007Z",
            **file.extra,
        }
        if file.metadata is not None:
            written.setdefault("core-metadata", {"sha256": hashlib.sha256(file.metadata).hexdigest()})
        return {key: value for key, value in written.items() if value != "left out"}

    def html(self, name: str) -> str:
        """A project's page of the old kind."""
        lines = []
        for entry in self.page(name)["files"]:
            digest = "".join(f"#{key}={value}" for key, value in entry["hashes"].items())
            attributes = f'href="{escape(entry["url"])}{digest}"'
            if entry.get("requires-python"):
                attributes += f' data-requires-python="{escape(entry["requires-python"])}"'
            if entry.get("yanked"):
                attributes += f' data-yanked="{escape(str(entry["yanked"]))}"'
            if entry.get("core-metadata"):
                attributes += f' data-core-metadata="sha256={entry["core-metadata"]["sha256"]}"'
            lines.append(f"<a {attributes}>{escape(entry['filename'])}</a><br>")
        status = self.page(name).get("project-status", {}).get("status", "active")
        return (
            '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.4">'
            f'<meta name="pypi:project-status" content="{status}"></head><body>{"".join(lines)}</body></html>'
        )

    def hang_up_kept(self) -> None:
        """Close the connections that clients keep for their next request."""
        for one in self.connections:
            with suppress(OSError):  # the client was faster
                one.shutdown(socket.SHUT_RDWR)

    def file(self, filename: str) -> bytes | None:
        """The bytes of a file, or of what lies beside it."""
        for project in self.projects.values():
            for file in project.files:
                if file.filename == filename:
                    return file.content
                if f"{file.filename}.metadata" == filename:
                    return file.metadata
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: FakeUpstream
    is_good = True

    def setup(self) -> None:
        """Remember the connection."""
        super().setup()
        self.upstream.connections.append(self.connection)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer, rightly or not."""
        upstream = self.upstream
        upstream.asked.append(Asked(self.path, dict(self.headers)))
        what = next((one for key, one in upstream.misbehaviour.items() if re.fullmatch(key, self.path)), None)
        self.is_good = what is None
        what = what or Misbehaviour()
        if what.hang:
            upstream.over.wait()
        if what.hang or what.hang_up:
            self.close_connection = True
            return
        if what.drip:
            self._drip()
            return
        status, headers, body = self._truth()
        if what.status != 200 or what.body is not None or what.headers:
            if what.body is not None:
                headers.pop("Content-Encoding", None)
            status, headers = what.status, {**headers, **what.headers}
            body = what.body if what.body is not None else body if what.status == 200 else b"no"
        self._send(status, headers, body, what)

    def _truth(self) -> tuple[int, dict[str, str], bytes]:
        path = self.path.partition("?")[0]
        found = re.fullmatch(r"/simple/([^/]+)/", path)
        if found is not None and found[1] in self.upstream.projects:
            return self._page(found[1])
        body = self.upstream.file(path.rpartition("/")[2]) if path.startswith("/files/") else None
        if body is None:
            return 404, {"Content-Type": "text/plain"}, b"There is no such thing."
        return self._file(body)

    def _page(self, name: str) -> tuple[int, dict[str, str], bytes]:
        if self.upstream.html_only:
            kind, body = "text/html; charset=utf-8", self.upstream.html(name).encode()
        else:
            kind, body = JSON, json.dumps(self.upstream.page(name)).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        serial = str(self.upstream.projects[name].serial)
        headers = {"Content-Type": kind, "ETag": etag, "X-PyPI-Last-Serial": serial, **self.upstream.headers}
        if self.is_good and self.headers.get("If-None-Match") == etag:
            return 304, headers, b""
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            return 200, {**headers, "Content-Encoding": "gzip"}, gzip.compress(body)
        return 200, headers, body

    def _file(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        headers = {"Content-Type": "application/octet-stream"}
        if asked is None or not self.upstream.ranges:
            return 200, headers, body
        first, last = int(asked[1]), min(int(asked[2]), len(body) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        return 206, headers, body[first : last + 1]

    def _send(self, status: int, headers: dict[str, str], body: bytes, what: Misbehaviour) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if what.without_length:
            self.close_connection = True
            self.send_header("Connection", "close")
        elif "Content-Length" not in headers and status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if what.cut is not None:
            self.wfile.write(body[: what.cut])
            self.close_connection = True
            return
        if what.pause_at is not None:
            self.wfile.write(body[: what.pause_at])
            self.upstream.has_paused.set()
            self.upstream.gate.wait()
            body = body[what.pause_at :]
        while what.slowly is not None and body and not self.upstream.over.wait(0.05):
            self.wfile.write(body[: what.slowly])
            body = body[what.slowly :]
        self.wfile.write(body)

    def _drip(self) -> None:
        self.close_connection = True
        start = b"HTTP/1.1 200 OK\r\nX-Slow: "
        for place in range(1_000_000):
            self.wfile.write(start[place : place + 1] or b"x")
            if self.upstream.over.wait(0.02):
                return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: object) -> None:
        """Those who hang up in the middle are meant to."""


@contextmanager
def fake_upstream(tls: ssl.SSLContext | None = None) -> Iterator[FakeUpstream]:
    """One that runs until the block ends, over TLS if there is a context for it."""
    upstream = FakeUpstream()
    handler = type("Handler", (_Handler,), {"upstream": upstream})
    with _Server(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        upstream.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/simple/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield upstream
        finally:
            upstream.over.set()
            upstream.gate.set()
            server.shutdown()
            thread.join()
