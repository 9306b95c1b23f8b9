"""Speaking to a server process from outside."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT, LiveServer
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


def json_page(server: LiveServer) -> bytes:
    """The JSON page of the project sample; one without files where there is none."""
    request = urllib.request.Request(
        server.url + "/simple/sample/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError:
        return b'{"files": []}'
