"""Who signed in is what a sound and fresh ID token says, filled in from the userinfo of the same person."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest

from credentials.issuers import LEEWAY_SECONDS
from credentials.people import Person
from errors import InvalidIdentityToken, Unavailable
from tests.credentials.mock_issuer import Answer
from tests.credentials.openid.scripted_provider import CLIENT, HERE, SECRET, Scripted


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 5},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"iss": "https://another.example.com"},
        {"exp": 1},
        {"exp": None},
        pytest.param({"iat": int(time.time()) + 86400}, id="issued tomorrow"),
        {"azp": "another"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"at_hash": 1},
        {"sub": ""},
        {"sub": None},
        {"sub": "x" * 256},
        {"sub": 1},
    ],
    ids=str,
)
def test_an_id_token_that_does_not_hold(scripted: Scripted, claims: dict[str, Any]) -> None:
    """Nonce, audience, issuer, times, azp and at_hash are looked at (OpenID Connect Core 1.0, 3.1.3.7); the refusal
    says what to do.
    """
    scripted.claims.update(claims)
    with pytest.raises(InvalidIdentityToken, match=r"; (ask|compare|send|sign) "):
        scripted.sign_in(scripted.provider())


def test_an_id_token_that_holds(scripted: Scripted) -> None:
    """azp and at_hash that are right are no trouble."""
    half = base64.urlsafe_b64encode(hashlib.sha256(b"an access token").digest()[:16]).rstrip(b"=").decode()
    scripted.claims.update(at_hash=half, azp=CLIENT, aud=[CLIENT])
    assert scripted.sign_in(scripted.provider()).username == "carol"


@pytest.mark.parametrize("way", ["signature", "payload", "none", "HS256", "other key"])
def test_a_tampered_id_token(scripted: Scripted, way: str) -> None:
    """Another signature, another payload, none, one with a shared secret or of a key that is not published."""
    provider = scripted.provider()
    started = provider.begin(HERE)
    claims: dict[str, Any] = {"aud": CLIENT, "nonce": started.nonce, "preferred_username": "admin", "groups": []}
    token = scripted.issuer.token(**claims)
    header, payload, signature = token.split(".")
    scripted.changes["id_token"] = {
        "signature": f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        "payload": f"{header}.{scripted.issuer.token(**claims, sub='admin').split('.')[1]}.{signature}",
        "none": scripted.issuer.token(algorithm="none", key="", **claims),
        "HS256": scripted.issuer.token(algorithm="HS256", key=SECRET * 8, **claims),
        "other key": "",
    }[way]
    if way == "other key":
        published = scripted.issuer.keys
        scripted.issuer.rotate()
        scripted.changes["id_token"] = scripted.issuer.token(**claims)
        scripted.issuer.keys = published
    with pytest.raises(InvalidIdentityToken):
        provider.finish(HERE, started, {"code": "a code", "state": started.state})


def test_userinfo_fills_in_what_is_missing(scripted: Scripted) -> None:
    """It is asked only if username or groups are missing from the ID token, and only about the same person."""
    scripted.issuer.discovery["userinfo_endpoint"] = scripted.issuer.url + "/userinfo"
    said = {"sub": "somebody", "preferred_username": "other", "groups": ["uploaders"], "email": "c@example.com"}
    scripted.issuer.answers["/userinfo"] = Answer(body=json.dumps(said).encode())
    provider = scripted.provider()
    assert scripted.sign_in(provider).groups == {"admins"}
    assert scripted.issuer.counts["/userinfo"] == 0
    scripted.claims = {"groups": None}
    assert scripted.sign_in(provider) == Person(
        "carol", "somebody", scripted.issuer.url, "c@example.com", frozenset({"uploaders"})
    )
    assert scripted.issuer.counts["/userinfo"] == 1
    scripted.claims = {"groups": None}
    assert scripted.sign_in(scripted.provider(groups_claim="")).groups == frozenset()
    assert scripted.issuer.counts["/userinfo"] == 1
    scripted.claims = {"preferred_username": None}
    scripted.issuer.answers["/userinfo"] = Answer(body=json.dumps({**said, "sub": "somebody else"}).encode())
    with pytest.raises(InvalidIdentityToken, match="somebody else"):
        scripted.sign_in(provider)
    scripted.claims = {"preferred_username": None}
    scripted.issuer.answers["/userinfo"] = Answer(status=401)
    with pytest.raises(Unavailable):
        scripted.sign_in(provider)


def test_one_group_may_be_a_word(scripted: Scripted) -> None:
    """Some providers write a list of one without the list."""
    scripted.claims["groups"] = "admins"
    assert scripted.sign_in(scripted.provider()).groups == {"admins"}


@pytest.mark.parametrize("ago", [None, True, "now", 120])
def test_proof_that_is_too_old(scripted: Scripted, ago: Any) -> None:
    """Who was to prove it within a minute and did so before is refused, and so is a provider that does not say when."""
    scripted.claims["auth_time"] = int(time.time()) - 60 - ago if type(ago) is int else ago
    with pytest.raises(InvalidIdentityToken, match="sign in there anew"):
        scripted.sign_in(scripted.provider(), max_age=60)


def test_proof_that_is_fresh(scripted: Scripted) -> None:
    """The clocks may differ a little."""
    scripted.claims["auth_time"] = int(time.time()) - 60 - LEEWAY_SECONDS // 2
    assert scripted.sign_in(scripted.provider(), max_age=60).username == "carol"
