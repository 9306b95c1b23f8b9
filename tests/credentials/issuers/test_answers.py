"""What an issuer answers is bounded in size and time, and sound, or it is no answer."""

from __future__ import annotations

from typing import Any

import pytest

from credentials.issuers import Issuers
from errors import IssuerUnavailable
from tests.credentials.issuers.verifying import verify
from tests.credentials.mock_issuer import DISCOVERY, JWKS, Answer, MockIssuer, mock_issuer

ODD_ANSWERS: dict[str, tuple[str, Answer, str]] = {
    "too large": (JWKS, Answer(body=b'{"keys": [' + b" " * 1024 * 1024 + b"]}"), "larger than 1 MiB"),
    "too large discovery": (DISCOVERY, Answer(body=b" " * (1024 * 1024 + 1)), "larger than 1 MiB"),
    "not found": (DISCOVERY, Answer(status=404), "answers 404"),
    "broken": (JWKS, Answer(status=500), "answers 500"),
    "not JSON": (JWKS, Answer(body=b"<html>"), "not JSON"),
    "empty": (JWKS, Answer(body=b""), "not JSON"),
    "nested too deep": (JWKS, Answer(body=b"[" * 100_000), "not JSON"),
    "a list": (JWKS, Answer(body=b"[]"), "not a JSON object"),
    "no keys": (JWKS, Answer(body=b'{"keys": []}'), "no key that can be used"),
    "keys of another kind": (JWKS, Answer(body=b'{"keys": {"kty": "RSA"}}'), "no key that can be used"),
    "fewer bytes than announced": (JWKS, Answer(headers={"Content-Length": "100"}), "does not answer"),
}


@pytest.mark.parametrize(("path", "answer", "said"), ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_odd_answers(issuers: Issuers, issuer: MockIssuer, path: str, answer: Answer, said: str) -> None:
    """An issuer's answers are bounded and may be anything; what is not sound is our trouble, not the client's."""
    issuer.answers[path] = answer
    with pytest.raises(IssuerUnavailable, match=said):
        verify(issuers, issuer, issuer.token())


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(issuers: Issuers, issuer: MockIssuer, path: str, status: int) -> None:
    """Nobody is sent elsewhere, since elsewhere may be a place that only we reach."""
    with mock_issuer() as elsewhere:
        issuer.answers[path] = Answer(status, headers={"Location": elsewhere.url + path})
        with pytest.raises(IssuerUnavailable, match=f"answers {status}"):
            verify(issuers, issuer, issuer.token())
        assert not elsewhere.counts


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
def test_slow_answers_are_cut_off(issuer: MockIssuer, path: str) -> None:
    """An answer that drips in byte by byte, and would never end, ends when the whole time is over."""
    issuer.answers[path] = Answer(drip=True)
    with pytest.raises(IssuerUnavailable, match=r"longer than 0\.5 seconds"):
        verify(Issuers(seconds=0.5), issuer, issuer.token())


def test_silence_is_cut_off(issuer: MockIssuer) -> None:
    """An issuer that takes the connection and says nothing is given up too."""
    issuer.gate.clear()
    with pytest.raises(IssuerUnavailable, match="cannot be had"):
        verify(Issuers(seconds=0.3), issuer, issuer.token())


@pytest.mark.parametrize("said", ["https://ci.example.com", "", None, 7, "{url}/"])
def test_issuer_that_lies(issuers: Issuers, issuer: MockIssuer, said: Any) -> None:
    """The discovery document must name exactly the issuer that was configured."""
    issuer.discovery["issuer"] = said.format(url=issuer.url) if isinstance(said, str) else said
    with pytest.raises(IssuerUnavailable, match="names another issuer"):
        verify(issuers, issuer, issuer.token())
