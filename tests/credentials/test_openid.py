"""Signing in through an OpenID provider: a real one that behaves, and one of our own that does not."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from credentials import openid
from credentials.issuers import LEEWAY_SECONDS
from credentials.openid import OpenIdProvider, OpenIdSettings, Started
from credentials.people import Person
from errors import (
    Forbidden,
    InvalidIdentityToken,
    InvalidRequest,
    InvalidSetting,
    NotAuthenticated,
    Refusal,
    Unavailable,
)
from tests.credentials.mock_issuer import DISCOVERY, Answer, MockIssuer, mock_issuer
from tests.credentials.openid_provider import OpenIdMock, openid_provider, query_of

HERE = "https://index.example.com/login/openid"
CLIENT, SECRET = "pypi-clone", "a secret"


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIdMock]:
    """The real provider."""
    with openid_provider() as provider:
        yield provider


@dataclass
class Scripted:
    """A provider whose answers to a code are written by the test; ``asked`` is what it was asked with."""

    issuer: MockIssuer
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    answer: Callable[[], Answer] | None = None
    asked: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def provider(self, **changes: Any) -> OpenIdProvider:
        """A client of it."""
        usual: dict[str, Any] = {
            "issuer": self.issuer.url,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "allow_insecure_loopback": True,
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


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A provider of the test's own, with keys that are published."""
    with mock_issuer() as issuer:
        made = Scripted(issuer)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                made.asked.append((dict(parse_qsl(body)), self.headers.get("Authorization", "")))
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


# With the real provider.


def test_a_person_signs_in(running: OpenIdMock) -> None:
    """The browser goes there and comes back; who it is, e-mail and groups are known."""
    provider = OpenIdProvider(running.settings())
    started = provider.begin(HERE)
    person = provider.finish(HERE, started, query_of(running.sign_in(started.url, "carol")))
    groups = frozenset({"index admins", "uploaders"})
    assert person == Person("carol", "carol", running.issuer, "carol@example.com", groups)


def test_what_the_browser_is_sent_with(running: OpenIdMock) -> None:
    """A code with PKCE (S256), and state and nonce of 256 bits that differ each time (RFC 9700, 2.1)."""
    provider = OpenIdProvider(running.settings())
    started, other = provider.begin(HERE), provider.begin(HERE)
    query = query_of(started.url)
    digest = hashlib.sha256(started.code_verifier.encode()).digest()
    assert query == {
        "response_type": "code",
        "client_id": "pypi-clone",
        "redirect_uri": HERE,
        "scope": "openid profile email",
        "state": started.state,
        "nonce": started.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    values = [one for begun in (started, other) for one in (begun.state, begun.nonce, begun.code_verifier)]
    assert len(set(values)) == 6
    assert all(len(value) >= 43 for value in values)
    assert not any(value in repr(replace(started, url="")) for value in values)


def test_proving_it_anew(running: OpenIdMock) -> None:
    """prompt and max_age are asked for, and a provider that signs the person in anew is believed."""
    provider = OpenIdProvider(running.settings())
    started = provider.begin(HERE, again=True, max_age=0)
    assert (query_of(started.url)["prompt"], query_of(started.url)["max_age"]) == ("login", "0")
    assert provider.finish(HERE, started, query_of(running.sign_in(started.url, "carol"))).username == "carol"


def test_a_code_works_once(running: OpenIdMock) -> None:
    """A replayed answer is refused by the provider, and here with a sentence."""
    provider = OpenIdProvider(running.settings())
    started = provider.begin(HERE)
    query = query_of(running.sign_in(started.url, "carol"))
    provider.finish(HERE, started, query)
    with pytest.raises(NotAuthenticated, match="takes the code of this sign-in no longer"):
        provider.finish(HERE, started, query)


def test_an_answer_of_another_sign_in(running: OpenIdMock) -> None:
    """Login CSRF: an answer whose state is not of this browser is refused, and its code is not even tried."""
    provider = OpenIdProvider(running.settings())
    mine, theirs = provider.begin(HERE), provider.begin(HERE)
    query = query_of(running.sign_in(theirs.url, "dave"))
    for state in (query["state"], "", "\ud800", mine.state[:-1]):
        with pytest.raises(InvalidRequest, match="no sign-in that was begun in this browser"):
            provider.finish(HERE, mine, {**query, "state": state})
    with pytest.raises(InvalidRequest):
        provider.finish(HERE, mine, {"code": query["code"]})
    assert provider.finish(HERE, theirs, query).username == "dave"


def test_a_code_of_another_sign_in(running: OpenIdMock) -> None:
    """Code injection: with the right state but another sign-in's code, the nonce gives it away."""
    provider = OpenIdProvider(running.settings())
    mine, theirs = provider.begin(HERE), provider.begin(HERE)
    code = query_of(running.sign_in(theirs.url, "dave"))["code"]
    with pytest.raises(InvalidIdentityToken, match="another sign-in"):
        provider.finish(HERE, mine, {"state": mine.state, "code": code})


def test_another_redirect_uri(running: OpenIdMock) -> None:
    """The code is bound to the address that it was sent to."""
    provider = OpenIdProvider(running.settings())
    started = provider.begin(HERE)
    with pytest.raises(NotAuthenticated, match="no longer"):
        provider.finish(HERE + "/other", started, query_of(running.sign_in(started.url, "carol")))


def test_a_person_that_says_no(running: OpenIdMock) -> None:
    """The provider's reason is shown, shortened and without a way to write into a page."""
    provider = OpenIdProvider(running.settings())
    started = provider.begin(HERE)
    with pytest.raises(NotAuthenticated, match=r"Example ID did not sign you in and says 'The resource owner"):
        provider.finish(HERE, started, query_of(running.deny(started.url)))
    long = {"state": started.state, "error": "access_denied", "error_description": "<b>\n" + "x" * 5000}
    with pytest.raises(NotAuthenticated) as caught:
        provider.finish(HERE, started, long)
    assert len(caught.value.sentence) < 300
    assert "\n" not in caught.value.sentence
    with pytest.raises(Unavailable, match="cannot sign anybody in just now"):
        provider.finish(HERE, started, {"state": started.state, "error": "temporarily_unavailable"})


@pytest.mark.parametrize(
    ("subject", "refusal", "sentence"),
    [
        ("frank", Forbidden, r"'frank \(two\)', which cannot be a username here"),
        ("nameless", Forbidden, "does not tell your username"),
        ("mixed-up", InvalidIdentityToken, "not a list of names"),
    ],
)
def test_people_who_cannot_be_known_here(
    running: OpenIdMock, subject: str, refusal: type[Refusal], sentence: str
) -> None:
    """A name that does not fit, none at all, or groups of another kind: a sentence says which."""
    provider = OpenIdProvider(running.settings())
    started = provider.begin(HERE)
    with pytest.raises(refusal, match=sentence):
        provider.finish(HERE, started, query_of(running.sign_in(started.url, subject)))


def test_an_unverified_address_counts_for_nothing(running: OpenIdMock) -> None:
    """It is not taken over, and cannot be a username."""
    provider, by_email = OpenIdProvider(running.settings()), OpenIdProvider(running.settings(username_claim="email"))
    started = provider.begin(HERE)
    assert provider.finish(HERE, started, query_of(running.sign_in(started.url, "dave"))).email == ""
    started = by_email.begin(HERE)
    with pytest.raises(Forbidden, match="has not verified your e-mail address"):
        by_email.finish(HERE, started, query_of(running.sign_in(started.url, "dave")))
    started = by_email.begin(HERE)
    person = by_email.finish(HERE, started, query_of(running.sign_in(started.url, "carol")))
    assert person.username == "carol@example.com"


def test_the_provider_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, between and after: one sentence each time; it is asked again after a pause."""
    monkeypatch.setattr(openid, "PAUSE_SECONDS", 0)
    with openid_provider() as mock:
        provider, late = OpenIdProvider(mock.settings()), OpenIdProvider(mock.settings())
        started = provider.begin(HERE)
        query = query_of(mock.sign_in(started.url, "carol"))
        mock.stop()
        for ask in (lambda: provider.finish(HERE, started, query), lambda: late.begin(HERE)):
            with pytest.raises(Unavailable, match="Example ID does not answer as it should"):
                ask()


# With a provider of our own.


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
    """Nonce, audience, issuer, times, azp and at_hash are looked at (OpenID Connect Core 1.0, 3.1.3.7)."""
    scripted.claims.update(claims)
    with pytest.raises(InvalidIdentityToken):
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
    scripted.issuer.answers[DISCOVERY] = Answer(body=document.rjust(openid.LARGEST_ANSWER))
    scripted.provider().begin(HERE)
    scripted.issuer.answers[DISCOVERY] = Answer(body=document.rjust(openid.LARGEST_ANSWER + 1))
    with pytest.raises(Unavailable):
        scripted.provider().begin(HERE)


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
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_elsewhere(scripted: Scripted, changes: dict[str, Any]) -> None:
    """Another issuer's document, or an address that secrets should not go to."""
    scripted.issuer.discovery.update(changes)
    with pytest.raises(Unavailable):
        scripted.provider().begin(HERE)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"issuer": "http://127.0.0.1:5000"}, "without encryption"),
        ({"issuer": "http://id.example.com", "allow_insecure_loopback": True}, "without encryption"),
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
