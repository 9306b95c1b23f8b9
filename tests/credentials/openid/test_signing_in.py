"""Signing in through a real provider: there and back once, in one browser, or a sentence that says why not."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from credentials import openid
from credentials.openid import OpenIdProvider
from credentials.people import Person
from errors import Forbidden, InvalidIdentityToken, InvalidRequest, NotAuthenticated, Refusal, Unavailable
from tests.credentials.openid.scripted_provider import HERE
from tests.credentials.openid_provider import OpenIdMock, openid_provider, query_of


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIdMock]:
    """The real provider."""
    with openid_provider() as provider:
        yield provider


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
