"""A provider that answers as the test writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.credentials.mock_issuer import MockIssuer, drip
from tests.credentials.openid.scripted_provider import Scripted


@pytest.fixture
def scripted(issuer: MockIssuer) -> Iterator[Scripted]:
    """A provider of the test's own, with keys that are published."""
    made = Scripted(issuer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.asked.append((dict(parse_qsl(body)), self.headers.get("Authorization", "")))
            if made.drips:
                drip(self.wfile, issuer.over)
                return
            answer = made.token_answer()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.discovery["token_endpoint"] = f"http://127.0.0.1:{server.server_port}/token"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        server.shutdown()
        thread.join()
