"""Settings that cannot work stop the start with a sentence, and none of the secrets is shown."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from credentials.openid import OpenIdProvider, OpenIdSettings, Started
from errors import InvalidSetting
from tests.credentials.openid.scripted_provider import CLIENT, SECRET


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"issuer": "http://id.example.com"}, "without encryption"),
        ({"issuer": "id.example.com"}, "not an address"),
        ({"client_id": ""}, "client id is empty"),
        ({"client_secret": "\u00e9\u20ac"}, "outside ASCII"),
        ({"scopes": "profile email"}, "lack openid"),
        ({"username_claim": ""}, "username claim is empty"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], sentence: str) -> None:
    """They are refused at the start, with what is wrong."""
    usable: dict[str, Any] = {"issuer": "https://id.example.com", "client_id": CLIENT}
    OpenIdProvider(OpenIdSettings(**usable))
    with pytest.raises(InvalidSetting, match=sentence):
        OpenIdProvider(OpenIdSettings(**usable | settings))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without authlib is told what to install."""
    monkeypatch.setitem(sys.modules, "authlib.integrations.requests_client", None)
    with pytest.raises(InvalidSetting, match=r"requirements-extras\.txt"):
        OpenIdProvider(OpenIdSettings("https://id.example.com", CLIENT))


def test_secrets_are_not_shown() -> None:
    """Not even in a traceback."""
    assert SECRET not in repr(OpenIdSettings("https://id.example.com", CLIENT, SECRET))
    assert "hidden" not in repr(Started("https://id.example.com/", "hidden1", "hidden2", "hidden3"))
