"""A real OpenID provider (the program oidc-provider-mock) on a free loopback port, and its login form.

``with openid_provider() as provider:`` starts it; ``provider.sign_in(url, "carol")`` is what a browser and a person do
at the address that a sign-in begins with. It never asks for a password and knows everybody; ``PEOPLE`` have claims.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from credentials.openid import OpenIdSettings

CLIENT_ID, CLIENT_SECRET = "pypi-clone", "the client's secret"
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "carol": {
        "preferred_username": "carol",
        "email": "carol@example.com",
        "email_verified": True,
        "groups": ["index admins", "uploaders"],
    },
    "dave": {"preferred_username": "dave", "email": "dave@example.com", "email_verified": False},
    "frank": {"preferred_username": "frank (two)", "groups": []},
    "nameless": {"name": "No Username", "groups": []},
    "mixed-up": {"preferred_username": "grace", "groups": {"admins": True}},
}


@dataclass
class OpenIdMock:
    """The provider, while it runs."""

    issuer: str
    process: subprocess.Popen[bytes]

    def settings(self, **changes: Any) -> OpenIdSettings:
        """What a server is set to that signs people in through it."""
        usual: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "name": "Example ID",
        }
        return OpenIdSettings(**usual | changes)

    def sign_in(self, url: str, subject: str) -> str:
        """Fill in the form at ``url`` as that person: the address that the browser is sent back to."""
        return self._submit(url, {"sub": subject})

    def deny(self, url: str) -> str:
        """Press the other button of the form. The program forgets the state then, so it is added here."""
        state = query_of(url)["state"]
        return f"{self._submit(url, {'action': 'deny'})}&{urlencode({'state': state})}"

    def stop(self) -> None:
        """It is down from now on."""
        self.process.terminate()
        self.process.wait(20)

    def _submit(self, url: str, form: Mapping[str, str]) -> str:
        with _opener.open(url, timeout=20) as page:
            assert b"Authorize Client" in page.read()
        try:
            _opener.open(urllib.request.Request(url, urlencode(form).encode()), timeout=20).close()
        except urllib.error.HTTPError as answer:
            with answer:
                return str(answer.headers["Location"])
        raise AssertionError("the form does not send the browser back")


def query_of(location: str) -> dict[str, str]:
    """What the browser brings back in the address."""
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


@contextmanager
def openid_provider(people: Mapping[str, Mapping[str, Any]] = PEOPLE) -> Iterator[OpenIdMock]:
    """Start a provider that knows ``people``, claims by subject, and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        str(Path(sys.executable).with_name("oidc-provider-mock")),
        "--port",
        str(port),
        "--token-max-age",
        "3600",
    ]
    for subject, claims in people.items():
        command += ["--user-claims", json.dumps({"sub": subject, **claims})]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    provider = OpenIdMock(f"http://127.0.0.1:{port}", process)
    try:
        _wait_for(port, process)
        yield provider
    finally:
        provider.stop()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1500):
        assert process.poll() is None, "oidc-provider-mock ended: start it by hand to see why"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("oidc-provider-mock does not listen")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        """What would be followed is what is wanted."""


_opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
