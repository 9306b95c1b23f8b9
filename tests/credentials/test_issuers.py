"""Identity tokens: only what the issuer signed for us, and that is valid now, is believed (S121)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from credentials import issuer_keys
from credentials.issuers import LONGEST_TOKEN, Issuers, unverified_issuer
from errors import InvalidIdentityToken, InvalidRequest, IssuerUnavailable
from tests.conftest import free_port
from tests.credentials.mock_issuer import (
    AUDIENCE,
    DISCOVERY,
    JWKS,
    Answer,
    MockIssuer,
    PrivateKey,
    mock_issuer,
    public_jwk,
    public_pem,
    rsa_key,
    self_signed,
)


class Clock:
    """The monotonic clock of an ``Issuers``; tests move it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[MockIssuer]:
    with mock_issuer() as one:
        yield one


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuers(clock: Clock) -> Issuers:
    return Issuers(allow_insecure_loopback=True, clock=clock)


def verify(issuers: Issuers, issuer: MockIssuer, token: str, **named: Any) -> Any:
    return issuers.verify(token, issuer=issuer.url, audience=AUDIENCE, **named)


def sealed(header: dict[str, Any], claims: dict[str, Any], secret: bytes | PrivateKey | None = None) -> str:
    """A token made by hand, as a library refuses to: signed with HMAC, with RSA, or not at all."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    seal = b""
    if isinstance(secret, bytes):
        seal = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    elif isinstance(secret, rsa.RSAPrivateKey):
        seal = secret.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{part(seal)}"


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


def test_other_claims_can_be_required(issuers: Issuers, issuer: MockIssuer) -> None:
    """A caller names what it needs; the four that always count cannot be left out by that."""
    with pytest.raises(InvalidIdentityToken, match="lacks the claim 'nonce'"):
        verify(issuers, issuer, issuer.token(), require=("nonce",))
    with pytest.raises(InvalidIdentityToken, match="lacks the claim 'exp'"):
        verify(issuers, issuer, issuer.token(exp=None), require=())
    assert verify(issuers, issuer, issuer.token(sub=None), require=())


def test_unsigned_token_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: alg none, in whatever case."""
    assert issuer.token(algorithm="none", key="").endswith(".")
    for word in ("none", "None", "NONE", ""):
        with pytest.raises(InvalidIdentityToken, match="only RS256 and ES256"):
            verify(issuers, issuer, sealed({"alg": word, "kid": issuer.key_id()}, issuer.claims()))


def test_public_key_is_no_secret(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: HS256 with the public key as its secret, whichever algorithm the header claims."""
    for algorithm in ("HS256", "RS256", "ES256"):
        secret = public_pem(issuer.key(algorithm))
        with pytest.raises(InvalidIdentityToken):
            verify(
                issuers,
                issuer,
                sealed({"alg": algorithm, "kid": issuer.key_id(algorithm)}, issuer.claims(), secret),
            )


@pytest.mark.parametrize("algorithm", ["PS256", "RS512", "ES384", "EdDSA", ["RS256"], {"RS256": 1}, None, 7])
def test_other_algorithms_are_refused(issuers: Issuers, issuer: MockIssuer, algorithm: Any) -> None:
    """The algorithm is one of two, and nothing else can stand in the header."""
    token = sealed({"alg": algorithm, "kid": issuer.key_id()}, issuer.claims())
    with pytest.raises(InvalidIdentityToken):
        verify(issuers, issuer, token)


def test_algorithm_of_another_key_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """A key is used with its own algorithm only."""
    token = issuer.token(algorithm="ES256", kid=issuer.key_id("RS256"))
    with pytest.raises(InvalidIdentityToken):
        verify(issuers, issuer, token)


def test_keys_in_the_token_are_not_believed(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: embedded jwk, jku and x5u are never looked at, whether the name of the key is known or not."""
    stranger = rsa_key(99)
    with mock_issuer() as theirs:
        theirs.keys = [public_jwk(stranger, issuer.key_id(), "RS256")]
        embedded = {
            "jwk": public_jwk(stranger, issuer.key_id(), "RS256"),
            "jku": theirs.url + JWKS,
            "x5u": theirs.url + "/certificate",
        }
        for kid in (issuer.key_id(), "unheard-of", ""):
            with pytest.raises(InvalidIdentityToken):
                verify(issuers, issuer, issuer.token(key=stranger, kid=kid, headers=embedded))
        assert not theirs.counts


def test_other_key_of_the_same_name_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """S121: the name of a key proves nothing."""
    with pytest.raises(InvalidIdentityToken, match="signature"):
        verify(issuers, issuer, issuer.token(key=rsa_key(99), kid=issuer.key_id()))


def test_keys_of_another_issuer_are_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """An issuer that is trusted for itself cannot sign for another, also under the other's key name (TOB26-12)."""
    with mock_issuer() as other:
        assert verify(issuers, other, other.token())
        other.rotate()
        with pytest.raises(InvalidIdentityToken):
            verify(issuers, issuer, other.token(iss=issuer.url, kid=issuer.key_id()))


@pytest.mark.parametrize(
    "headers", [{"crit": ["exp"], "exp": 1}, {"crit": ["unheard-of"]}, {"crit": []}, {"b64": True, "crit": ["b64"]}]
)
def test_critical_extensions_are_refused(issuers: Issuers, issuer: MockIssuer, headers: dict[str, Any]) -> None:
    """S121: crit names what a reader has to know; this one knows none of it."""
    with pytest.raises(InvalidIdentityToken, match="crit"):
        verify(
            issuers, issuer, sealed({"alg": "RS256", "kid": issuer.key_id(), **headers}, issuer.claims(), issuer.key())
        )
    assert verify(issuers, issuer, sealed({"alg": "RS256", "kid": issuer.key_id()}, issuer.claims(), issuer.key()))


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


def test_changed_token_is_refused(issuers: Issuers, issuer: MockIssuer) -> None:
    """A claim that was changed after signing is noticed."""
    head, _, seal = issuer.token().split(".")
    _, body, _ = issuer.token(sub="somebody-else").split(".")
    with pytest.raises(InvalidIdentityToken, match="signature"):
        verify(issuers, issuer, f"{head}.{body}.{seal}")


def test_key_without_a_name(issuers: Issuers, issuer: MockIssuer) -> None:
    """A token that names no key is checked with the issuer's only one; if it has several, it must name one."""
    assert verify(issuers, issuer, issuer.token(kid=""))
    with mock_issuer() as other:
        other.rotate(keep_old=True)
        with pytest.raises(InvalidIdentityToken, match="does not publish"):
            verify(issuers, other, other.token(kid=""))


def test_useless_keys_are_passed_over(issuers: Issuers, issuer: MockIssuer) -> None:
    """Keys for encryption, of unknown kinds, too small or malformed do no harm to the others, and are not used."""
    small, wide = rsa_key(0, 1024), ec.generate_private_key(ec.SECP384R1())
    issuer.keys = [
        "no key",  # type: ignore[list-item]
        {"kty": "unheard-of"},
        {"kty": "RSA", "n": 7, "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"},
        public_jwk(small, "small", "RS256"),
        public_jwk(wide, "wide", "ES256"),
        {**public_jwk(rsa_key(98), "enc", "RS256"), "use": "enc"},
        *issuer.keys,
    ]
    assert verify(issuers, issuer, issuer.token())
    with pytest.raises(InvalidIdentityToken, match="does not publish"):
        verify(issuers, issuer, issuer.token(key=rsa_key(98), kid="enc"))
    for kid, algorithm in (("small", "RS256"), ("wide", "ES256"), ("oct", "HS256")):
        with pytest.raises(InvalidIdentityToken, match=r"does not publish|only RS256"):
            verify(issuers, issuer, sealed({"alg": algorithm, "kid": kid}, issuer.claims()))


# How often the issuer is asked.


def test_keys_are_fetched_once(issuers: Issuers, issuer: MockIssuer, clock: Clock) -> None:
    """The keys are remembered for 300 seconds, then asked for again."""
    for _ in range(3):
        verify(issuers, issuer, issuer.token())
    clock.now += 299
    verify(issuers, issuer, issuer.token(algorithm="ES256"))
    assert issuer.counts == {DISCOVERY: 1, JWKS: 1}
    clock.now += 2
    verify(issuers, issuer, issuer.token())
    assert issuer.counts == {DISCOVERY: 2, JWKS: 2}


def test_concurrent_verifies_fetch_once(issuers: Issuers, issuer: MockIssuer) -> None:
    """However many jobs come at once, the issuer is asked once."""
    issuer.gate.clear()
    started = threading.Barrier(9)

    def one() -> Any:
        token = issuer.token()
        started.wait()
        return verify(issuers, issuer, token)["sub"]

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(one) for _ in range(8)]
        started.wait()
        assert issuer.asked.wait(20)
        issuer.gate.set()
        assert [job.result(20) for job in jobs] == ["somebody"] * 8
    assert issuer.counts == {DISCOVERY: 1, JWKS: 1}


def test_new_keys_are_found(issuers: Issuers, issuer: MockIssuer, clock: Clock) -> None:
    """A key that is not known yet is asked for, before the 300 seconds are over."""
    verify(issuers, issuer, issuer.token())
    clock.now += 31
    issuer.rotate()
    assert verify(issuers, issuer, issuer.token())


def test_strangers_cannot_have_the_issuer_hammered(issuers: Issuers, issuer: MockIssuer, clock: Clock) -> None:
    """Unknown names of keys make at most one question in 30 seconds."""
    verify(issuers, issuer, issuer.token())
    for number in range(5):
        with pytest.raises(InvalidIdentityToken, match="does not publish"):
            verify(issuers, issuer, issuer.token(kid=f"made-up-{number}"))
    assert issuer.counts[JWKS] == 1
    for number in range(62):
        clock.now += 1
        with pytest.raises(InvalidIdentityToken):
            verify(issuers, issuer, issuer.token(kid=f"made-up-{number}"))
    assert issuer.counts[JWKS] == 3
    assert verify(issuers, issuer, issuer.token())


def test_withdrawn_keys_are_forgotten(issuers: Issuers, issuer: MockIssuer, clock: Clock) -> None:
    """After the next fetch, a key that the issuer no longer publishes is worth nothing."""
    old = issuer.token()
    verify(issuers, issuer, old)
    issuer.rotate()
    clock.now += 301
    with pytest.raises(InvalidIdentityToken, match="does not publish"):
        verify(issuers, issuer, old)


def test_old_keys_serve_while_the_issuer_is_down(issuers: Issuers, issuer: MockIssuer, clock: Clock) -> None:
    """For an hour what was known goes on; the issuer is asked every 30 seconds meanwhile, and not later believed."""
    verify(issuers, issuer, issuer.token())
    issuer.is_down = True
    clock.now += 1000
    assert verify(issuers, issuer, issuer.token())
    assert verify(issuers, issuer, issuer.token())
    assert issuer.counts[DISCOVERY] == 2
    with pytest.raises(IssuerUnavailable) as unknown:
        verify(issuers, issuer, issuer.token(kid="perhaps-new"))
    assert 1 <= unknown.value.retry_after <= 30
    clock.now += 2599
    assert verify(issuers, issuer, issuer.token())
    clock.now += 2
    with pytest.raises(IssuerUnavailable, match="cannot be had"):
        verify(issuers, issuer, issuer.token())
    issuer.is_down = False
    clock.now += 31
    assert verify(issuers, issuer, issuer.token())


def test_stale_keys_serve_while_another_asks(issuers: Issuers, issuer: MockIssuer, clock: Clock) -> None:
    """A slow issuer holds up the one who asks it, not the others who can do with what is known."""
    verify(issuers, issuer, issuer.token())
    clock.now += 301
    issuer.gate.clear()
    issuer.asked.clear()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(verify, issuers, issuer, issuer.token())
        assert issuer.asked.wait(20)
        assert verify(issuers, issuer, issuer.token())
        assert not asking.done()
        issuer.gate.set()
        assert asking.result(20)


def test_down_from_the_start(issuers: Issuers, issuer: MockIssuer, clock: Clock) -> None:
    """Without any keys nothing can be checked: 503, and the issuer is not asked again at once."""
    issuer.is_down = True
    for _ in range(3):
        with pytest.raises(IssuerUnavailable) as refused:
            verify(issuers, issuer, issuer.token())
    assert issuer.counts[DISCOVERY] == 1
    issuer.is_down = False
    clock.now += refused.value.retry_after + 1
    assert verify(issuers, issuer, issuer.token())


def test_nobody_listens(issuers: Issuers) -> None:
    """An issuer that is gone altogether is the same."""
    with mock_issuer() as gone:
        token = gone.token()
    with pytest.raises(IssuerUnavailable, match="does not answer"):
        verify(issuers, gone, token)


def test_few_may_wait(issuers: Issuers, issuer: MockIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that waits holds a thread, so their number is bounded; the next is sent away."""
    monkeypatch.setattr(issuers, "_waiting", threading.BoundedSemaphore(1))
    issuers._waiting.acquire()
    issuer.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(verify, issuers, issuer, issuer.token())
        assert issuer.asked.wait(20)
        with pytest.raises(IssuerUnavailable, match="too many wait"):
            verify(issuers, issuer, issuer.token())
        issuer.gate.set()
        assert asking.result(20)


# What the issuer answers.

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
        verify(Issuers(allow_insecure_loopback=True, seconds=0.5), issuer, issuer.token())


def test_silence_is_cut_off(issuer: MockIssuer) -> None:
    """An issuer that takes the connection and says nothing is given up too."""
    issuer.gate.clear()
    with pytest.raises(IssuerUnavailable, match="cannot be had"):
        verify(Issuers(allow_insecure_loopback=True, seconds=0.3), issuer, issuer.token())


@pytest.mark.parametrize("said", ["https://ci.example.com", "", None, 7, "{url}/"])
def test_issuer_that_lies(issuers: Issuers, issuer: MockIssuer, said: Any) -> None:
    """The discovery document must name exactly the issuer that was configured."""
    issuer.discovery["issuer"] = said.format(url=issuer.url) if isinstance(said, str) else said
    with pytest.raises(IssuerUnavailable, match="names another issuer"):
        verify(issuers, issuer, issuer.token())


def test_keys_are_not_fetched_from_anywhere(issuers: Issuers, issuer: MockIssuer) -> None:
    """The jwks_uri has the issuer's scheme, over plain http its host too, and is never an address of metadata."""
    with mock_issuer() as other:
        addresses = [
            "file:///etc/passwd",
            "ftp://127.0.0.1/keys",
            issuer.url.replace("http:", "https:") + JWKS,
            other.url + JWKS,
            "http://169.254.169.254/keys",
            "http://[::ffff:169.254.169.254]/keys",
            f"http://user:password@{issuer.url.partition('//')[2]}{JWKS}",
            JWKS,
            None,
            ["x"],
        ]
        for address in addresses:
            issuer.discovery["jwks_uri"] = address
            with pytest.raises(IssuerUnavailable, match="jwks_uri"):
                verify(Issuers(allow_insecure_loopback=True), issuer, issuer.token())
        assert not other.counts
        assert set(issuer.counts) == {DISCOVERY}


def test_issuer_with_a_folder_and_a_slash(issuers: Issuers, issuer: MockIssuer) -> None:
    """An issuer's name may have a path, and end in a slash that discovery leaves out."""
    named = f"{issuer.url}/realms/acme/"
    document = {**issuer.discovery, "issuer": named}
    issuer.answers["/realms/acme" + DISCOVERY] = Answer(body=json.dumps(document).encode())
    token = issuer.token(iss=named)
    assert issuers.verify(token, issuer=named, audience=AUDIENCE)["iss"] == named


# Which issuers may be asked at all.


def test_plain_http_has_to_be_wanted(issuer: MockIssuer) -> None:
    """Without encryption anybody on the way could give us keys; this machine alone may be excepted, or one by name."""
    strict = Issuers()
    with pytest.raises(InvalidRequest, match="use https"):
        verify(strict, issuer, issuer.token())
    with pytest.raises(InvalidRequest, match="use https"):
        Issuers(allow_insecure_loopback=True).check("http://ci.example.com")
    assert verify(Issuers(insecure=[issuer.url]), issuer, issuer.token())
    Issuers(insecure=["http://ci.example.com"]).check("http://ci.example.com")
    strict.check("https://ci.example.com")
    assert not strict._known


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ci.example.com",
        "file:///etc/passwd",
        "gopher://ci.example.com",
        "https://",
        "https:///path",
        "https://user:password@ci.example.com",
        "https://ci.example.com?x=1",
        "https://ci.example.com/#x",
        "https://ci.example.com:0",
        "https://ci.example.com:99999",
        "https://ci example.com",
        "https://ci.example.com/\r\nHost: x",
        "https://é.example.com",
        "https://[::1",
        "https://[::g]",
        "https://169.254.169.254",
        "https://[::ffff:169.254.169.254]/",
        "https://[fe80::1]",
        "https://0.0.0.0",
        "https://224.0.0.1",
        "https://ci.example.com/" + "x" * 300,
    ],
)
def test_addresses_that_are_no_issuers(address: str) -> None:
    """S133: what is not a host's https address, or is one of metadata, is refused when it is given."""
    with pytest.raises(InvalidRequest):
        Issuers().check(address)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "::ffff:169.254.169.254"])
def test_names_that_lead_to_metadata(address: str) -> None:
    """S133: also a name that leads there, or begins to after it was saved, is noticed when the connection stands."""

    class Connected(socket.socket):
        def getpeername(self) -> tuple[str, int]:
            return (address, 443)

    with issuer_keys._Deadline(5) as deadline, Connected() as connection:
        with pytest.raises(OSError, match="is not used"):
            deadline.watch(connection)
        assert connection.fileno() == -1


def test_https_with_a_trusted_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Over https nothing has to be allowed; the environment may name a company's own authority."""
    file = self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with mock_issuer(file) as issuer:
        assert issuer.url.startswith("https:")
        assert verify(Issuers(), issuer, issuer.token())
        issuer.answers[JWKS] = Answer(drip=True)
        with pytest.raises(IssuerUnavailable, match="longer than"):
            verify(Issuers(seconds=0.5), issuer, issuer.token())
        issuer.discovery["jwks_uri"] = issuer.url.replace("https:", "http:") + JWKS
        with pytest.raises(IssuerUnavailable, match="jwks_uri"):
            verify(Issuers(allow_insecure_loopback=True), issuer, issuer.token())


@pytest.mark.parametrize("trusted", [False, True])
def test_https_with_a_wrong_certificate(trusted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A certificate that nobody vouches for, or that is another host's, is not accepted."""
    file = self_signed(tmp_path, "127.0.0.2" if trusted else "127.0.0.1")
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with mock_issuer(file) as issuer:
        with pytest.raises(IssuerUnavailable, match="does not answer"):
            verify(Issuers(), issuer, issuer.token())
        assert not issuer.counts


def test_this_machine_is_asked_without_a_proxy(
    issuers: Issuers, issuer: MockIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that the environment names is for others."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert verify(issuers, issuer, issuer.token())


def test_passwords_of_netrc_are_not_sent(
    issuers: Issuers, issuer: MockIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the account that runs the server keeps in ~/.netrc is nobody's business."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with issuer_keys._Deadline(5) as deadline, issuer_keys._session(deadline) as session:
        answer = session.get(issuer.url + DISCOVERY, proxies={"http": ""})
    assert "Authorization" not in answer.request.headers


def test_proxies_do_not_lead_around_the_deadline(issuer: MockIssuer) -> None:
    """A connection through a proxy is cut off in time as well."""
    issuer.answers["http://ci.example.com/"] = Answer(drip=True)
    with issuer_keys._Deadline(0.3) as deadline, issuer_keys._session(deadline) as session:
        session.proxies = {"http": issuer.url}
        with pytest.raises(issuer_keys.CannotUse, match="longer than"):
            issuer_keys._get_json(session, deadline, "http://ci.example.com/")
