"""What the provider is asked with, and what its answers have to be like: sound, small and its own."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from credentials import openid
from credentials.issuer_keys import LARGEST_DOCUMENT
from errors import InvalidRequest, Unavailable
from tests.credentials.mock_issuer import DISCOVERY, Answer
from tests.credentials.openid.scripted_provider import CLIENT, HERE, SECRET, Scripted


def test_the_code_is_sent_with_its_proof(scripted: Scripted) -> None:
    """The code verifier and the client's secret go with the code, by the way that the provider takes."""
    provider = scripted.provider()
    started = provider.begin(HERE)
    scripted.nonce = started.nonce
    person = provider.finish(HERE, started, {"code": "a&b=c", "state": started.state, "iss": scripted.issuer.url})
    assert person.groups == {"admins"}
    form, authorization = scripted.asked[0]
    assert form == {
        "grant_type": "authorization_code",
        "code": "a&b=c",
        "redirect_uri": HERE,
        "code_verifier": started.code_verifier,
    }
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"
    scripted.issuer.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    scripted.sign_in(scripted.provider())
    assert scripted.asked[1][0]["client_secret"] == SECRET
    scripted.sign_in(scripted.provider(client_secret=""))
    assert scripted.asked[2][0]["client_id"] == CLIENT
    assert "client_secret" not in scripted.asked[2][0]


@pytest.mark.parametrize(
    "changes",
    [{"id_token": None}, {"id_token": 5}, {"access_token": None}, {"expires_in": "soon"}, {"error": "invalid_client"}],
    ids=str,
)
def test_an_answer_that_is_none(scripted: Scripted, changes: dict[str, Any]) -> None:
    """What the provider or its settings here are to blame for is our trouble, not the person's."""
    scripted.changes.update(changes)
    with pytest.raises(Unavailable):
        scripted.sign_in(scripted.provider())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, body=b"oh"),
        Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        Answer(body=b"<html>"),
        Answer(body=b"[]"),
        Answer(body=b"{", headers={"Content-Length": "1000"}),
    ],
    ids=["500", "redirect", "HTML", "list", "cut off"],
)
def test_http_that_is_none(scripted: Scripted, answer: Answer) -> None:
    """Errors, redirects, other documents and broken ones: the provider does not answer as it should."""
    provider = scripted.provider()
    scripted.answer = lambda: answer
    with pytest.raises(Unavailable):
        scripted.sign_in(provider)
    scripted.answer = None
    scripted.issuer.answers[DISCOVERY] = answer
    with pytest.raises(Unavailable):
        scripted.provider().begin(HERE)


def test_answers_are_small(scripted: Scripted) -> None:
    """A megabyte is read, more is not."""
    document = json.dumps(scripted.issuer.discovery).encode()
    scripted.issuer.answers[DISCOVERY] = Answer(body=document.rjust(LARGEST_DOCUMENT))
    scripted.provider().begin(HERE)
    scripted.issuer.answers[DISCOVERY] = Answer(body=document.rjust(LARGEST_DOCUMENT + 1))
    with pytest.raises(Unavailable):
        scripted.provider().begin(HERE)


@pytest.mark.parametrize("place", ["discovery", "token"])
def test_slow_answers_are_cut_off(scripted: Scripted, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """One that drips in byte by byte, and would never end, ends when the whole time is over."""
    monkeypatch.setattr(openid, "STEP_SECONDS", 0.3)
    if place == "discovery":
        scripted.issuer.answers[DISCOVERY] = Answer(drip=True)
    else:
        scripted.drips = True
    with pytest.raises(Unavailable, match="does not answer as it should"):
        scripted.sign_in(scripted.provider())


def test_the_issuer_in_the_answer(scripted: Scripted) -> None:
    """Mix-up: a wrong iss is refused, and a missing one if the provider said that it sends it (RFC 9207)."""
    scripted.issuer.discovery["authorization_response_iss_parameter_supported"] = True
    provider = scripted.provider()
    started = provider.begin(HERE)
    for iss in ({}, {"iss": "https://another.example.com"}):
        for rest in ({"code": "a code"}, {"error": "access_denied"}):
            with pytest.raises(InvalidRequest, match="another provider"):
                provider.finish(HERE, started, {"state": started.state, **rest, **iss})
    for code in ("", "x" * 5000):
        with pytest.raises(InvalidRequest, match="lacks its code"):
            provider.finish(HERE, started, {"state": started.state, "iss": scripted.issuer.url, "code": code})
    assert scripted.asked == []


def test_discovery_is_remembered(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once an hour; while the provider is away what was known stands, and it is not pestered."""
    provider = scripted.provider()
    for _ in range(3):
        provider.begin(HERE)
    assert scripted.issuer.counts[DISCOVERY] == 1
    provider._ask_again = 0
    scripted.issuer.is_down = True
    for _ in range(3):
        provider.begin(HERE)
    assert scripted.issuer.counts[DISCOVERY] == 2
    stranger = scripted.provider()
    for _ in range(3):
        with pytest.raises(Unavailable):
            stranger.begin(HERE)
    assert scripted.issuer.counts[DISCOVERY] == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://another.example.com"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://id.example.com/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"userinfo_endpoint": "http://id.example.com/userinfo"},
        {"token_endpoint": "https://169.254.169.254/token"},
        {"userinfo_endpoint": "https://[::ffff:169.254.169.254]/"},
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_elsewhere(scripted: Scripted, changes: dict[str, Any]) -> None:
    """Another issuer's document, or an address that secrets should not go to."""
    scripted.issuer.discovery.update(changes)
    with pytest.raises(Unavailable):
        scripted.provider().begin(HERE)
