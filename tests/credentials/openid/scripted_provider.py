"""A provider whose answers the test writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from credentials.openid import OpenIdProvider, OpenIdSettings
from credentials.people import Person
from tests.credentials.mock_issuer import Answer, MockIssuer

HERE = "https://index.example.com/login/openid"
CLIENT, SECRET = "pypi-clone", "a secret"


@dataclass
class Scripted:
    """A provider whose answers to a code are written by the test; ``asked`` is what it was asked with.

    Where it ``drips``, it answers a byte at a time and never ends.
    """

    issuer: MockIssuer
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    answer: Callable[[], Answer] | None = None
    drips: bool = False
    asked: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def provider(self, **changes: Any) -> OpenIdProvider:
        """A client of it."""
        usual: dict[str, Any] = {
            "issuer": self.issuer.url,
            "client_id": CLIENT,
            "client_secret": SECRET,
        }
        return OpenIdProvider(OpenIdSettings(**usual | changes))

    def sign_in(self, provider: OpenIdProvider, **begun: Any) -> Person:
        """From the beginning to the end."""
        started = provider.begin(HERE, **begun)
        self.nonce = started.nonce
        return provider.finish(HERE, started, {"code": "a code", "state": started.state})

    def token_answer(self) -> Answer:
        """What is said to a code: the usual, with ``claims`` in the ID token and ``changes`` beside it."""
        if self.answer:
            return self.answer()
        usual = {"preferred_username": "carol", "groups": ["admins"], "aud": CLIENT, "nonce": self.nonce}
        token = self.issuer.token(**usual | self.claims)
        said = {"access_token": "an access token", "token_type": "Bearer", "expires_in": 1, "id_token": token}
        return Answer(body=json.dumps({**said, **self.changes}).encode())
