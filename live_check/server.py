"""Speaking to a server, and what it answers."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from live_check.sample import File

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Failure(Exception):
    """What is wrong, or why nothing can be checked, in one line."""


@dataclass(frozen=True)
class Answer:
    """What the server said. Header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, in one line."""
        return " ".join(self.body.decode("utf-8", "replace").split())

    def json(self) -> Any:
        """The body as JSON. Raises Failure."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failure(f"the answer is not JSON: {self.text[:80]!r}") from error

    def must_be(self, *statuses: int) -> Answer:
        """The answer itself, if its status is one of these. Raises Failure."""
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            raise Failure(f"answered {self.status} instead of {wanted}: {self.text[:200]}")
        return self


class _AsItCame(urllib.request.HTTPErrorProcessor):
    """Follows no redirect, and raises for no status."""

    def http_response(self, request: Any, response: Any) -> Any:  # noqa: ARG002 - the base class's name
        return response

    https_response = http_response


@dataclass
class Server:
    """The server at an address, which ends with a slash."""

    url: str
    timeout: float

    def __post_init__(self) -> None:
        handlers: list[urllib.request.BaseHandler] = [_AsItCame()]
        if urlsplit(self.url).hostname in LOOPBACK:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, *, login: str | None = None, **headers: str
    ) -> Answer:
        """Send a request; ``login`` is an Authorization header, and ``_`` in a header's name a hyphen."""
        request = urllib.request.Request(urljoin(self.url, path), body, method=method)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if login is not None:
            request.add_header("Authorization", login)
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                known = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, known, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"no answer: {getattr(error, 'reason', error)}") from error

    def ask_json(self, path: str, method: str, body: dict[str, Any], login: str | None) -> Answer:
        """Send a JSON body."""
        return self.ask(path, method, json.dumps(body).encode(), login=login, content_type="application/json")

    def upload(self, file: File, login: str | None) -> Answer:
        """Upload a file as ``curl -F content=@file`` would."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{file.name}"\r\n\r\n'
        body = head.encode() + file.content + f"\r\n--{boundary}--\r\n".encode()
        return self.ask("upload", "POST", body, login=login, content_type=f"multipart/form-data; boundary={boundary}")


def basic(username: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
