"""A real nginx with TLS before a server, set up with the very lines that docs/operations.md shows."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.certificates import make_certificates
from tests.conftest import ROOT

_AROUND = """daemon off; pid nginx.pid; {user} worker_processes 1;
events {{ worker_connections 256; }}
http {{
access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
{server}
}}
"""


def documented(prefix: str) -> str:
    """The server that the documentation shows, with the location for this path prefix, such as "/pypi", or none."""
    page = (ROOT / "docs" / "operations.md").read_text()
    server, location = re.findall(r"^```nginx\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    if not prefix:
        return str(server)
    whole, found = re.subn(
        r"^    location / \{.*?^    \}\n", lambda _: location, server, flags=re.MULTILINE | re.DOTALL
    )
    assert found == 1
    return whole


def filled_in(text: str, names: dict[str, str]) -> str:
    """The lines with the names of a test; each has to be there."""
    for name, ours in names.items():
        assert name in text, f"docs/operations.md shows no {name}"
        text = text.replace(name, ours)
    return text


@contextmanager
def nginx(folder: Path, port: int, *, before: int, prefix: str) -> Iterator[Path]:
    """nginx as ``https://localhost:port`` before the server on another port; the file that vouches for it."""
    folder.mkdir()
    ca_file, own_file = make_certificates(folder, "localhost")
    names = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/index.example.com.pem": str(own_file),
        "/etc/ssl/index.example.com.key": str(own_file),
        "server_name index.example.com": "server_name localhost",
        "127.0.0.1:8080": f"127.0.0.1:{before}",
    }
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""  # who may enter the test's folder
    settings, log = folder / "nginx.conf", folder / "error.log"
    settings.write_text(_AROUND.format(user=user, server=filled_in(documented(prefix), names)))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not there; ./test.sh installs it"
    with log.open("w") as written:
        process = subprocess.Popen(
            [program, "-p", str(folder), "-e", str(log), "-c", str(settings)], stdout=written, stderr=written
        )
    try:
        _wait(process, port, log)
        yield ca_file
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.03)
        else:
            return
    raise AssertionError(f"nginx did not start:\n{log.read_text()}")
