"""A token is believed that is for us, from its issuer and valid now; whatever else is sent is refused (S121)."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from credentials.issuers import LONGEST_TOKEN, Issuers, unverified_issuer
from errors import InvalidIdentityToken
from tests.credentials.issuers.verifying import verify
from tests.credentials.mock_issuer import AUDIENCE, MockIssuer


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_claims_of_a_good_token(issuers: Issuers, issuer: MockIssuer, algorithm: str) -> None:
    """A token that the issuer signed for us gives its claims."""
    token = issuer.token(algorithm=algorithm, **issuer.github_claims())
    assert verify(issuers, issuer, token)["repository"] == "acme/tool"
    assert unverified_issuer(token) == issuer.url


def test_list_of_our_audience_alone_is_taken(issuers: Issuers, issuer: MockIssuer) -> None:
    """RFC 7519 lets one audience be written as a list."""
    assert verify(issuers, issuer, issuer.token(aud=[AUDIENCE]))["aud"] == [AUDIENCE]


def test_small_differences_of_clocks_do_not_matter(issuers: Issuers, issuer: MockIssuer) -> None:
    """Times may be off by less than the leeway of 30 seconds."""
    now = int(time.time())
    assert verify(issuers, issuer, issuer.token(iat=now + 20, nbf=now + 20))
    assert verify(issuers, issuer, issuer.token(iat=now - 300, exp=now - 10))


NOW = int(time.time())
BAD_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "wrong issuer": ({"iss": "https://ci.example.com"}, "not issued by"),
    "no issuer": ({"iss": None}, "who issued it"),
    "wrong audience": ({"aud": "elsewhere"}, "another audience"),
    "two audiences": ({"aud": [AUDIENCE, "elsewhere"]}, "several audiences"),
    "our audience twice": ({"aud": [AUDIENCE, AUDIENCE]}, "several audiences"),
    "part of the audience": ({"aud": AUDIENCE[:-1]}, "another audience"),
    "no audience": ({"aud": None}, "lacks the claim 'aud'"),
    "no expiry": ({"exp": None}, "lacks the claim 'exp'"),
    "no time of issue": ({"iat": None}, "lacks the claim 'iat'"),
    "no subject": ({"sub": None}, "lacks the claim 'sub'"),
    "expired": ({"iat": NOW - 900, "exp": NOW - 60}, "expired"),
    "issued in the future": ({"iat": NOW + 3600}, "not valid yet"),
    "not before later": ({"nbf": NOW + 3600}, "not valid yet"),
    "expiry as text": ({"exp": str(NOW + 3600)}, "exp of the identity token is not a time"),
    "expiry that is no number": ({"exp": float("nan")}, "wrong kind"),
    "endless": ({"exp": float("inf")}, "wrong kind"),
    "subject that is no text": ({"sub": 7}, "wrong kind"),
}


@pytest.mark.parametrize(("claims", "said"), BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_claims_that_are_refused(issuers: Issuers, issuer: MockIssuer, claims: dict[str, Any], said: str) -> None:
    """S121: what is not for us, not from the issuer, or not valid now is refused, and the sentence says why."""
    now = int(time.time())  # a table's times are shifted to the time of the test
    moved: dict[str, Any] = {
        name: value + now - NOW if name in {"iat", "exp", "nbf"} and isinstance(value, int) else value
        for name, value in claims.items()
    }
    with pytest.raises(InvalidIdentityToken, match=said):
        verify(issuers, issuer, issuer.token(**moved))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "a.b", "a.b.c.d.e", "\ud800.a.b", "é.é.é", "e30.e30.", "W10.W10.W10", "bnVsbA.bnVsbA."],
)
def test_what_is_no_token_is_refused(issuers: Issuers, issuer: MockIssuer, token: str) -> None:
    """Anything may be sent; it is refused without asking the issuer."""
    with pytest.raises(InvalidIdentityToken):
        verify(issuers, issuer, token)
    with pytest.raises(InvalidIdentityToken):
        unverified_issuer(token)
    assert not issuer.counts


def test_deep_or_long_tokens_are_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """Tokens have at most 16 KiB, and no nesting is deep enough to break the reader."""
    long = issuer.token(padding="x" * LONGEST_TOKEN)
    deep = base64.urlsafe_b64encode(b"[" * 9000).decode().rstrip("=")
    for token in (long, f"{deep}.e30.", f"e30.{deep}."):
        with pytest.raises(InvalidIdentityToken):
            unverified_issuer(token)
        with pytest.raises(InvalidIdentityToken):
            verify(issuers, issuer, token)
    assert not issuer.counts
