"""Passkeys: round trips with a device made of software, what tampering comes to, and a real Chromium.

``Device`` signs as an authenticator does and can be told to do it wrongly. The browser's tests serve a page with
static/passkeys.js under the policy that every page of this server has.
"""

from __future__ import annotations

import hashlib
import html
import http.server
import json
import re
import secrets
import shutil
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from credentials.passkeys import (
    LONGEST_ANSWER,
    Registered,
    Used,
    authentication_options,
    credential_id_of,
    new_challenge,
    registration_options,
    relying_party,
    verify_authentication,
    verify_registration,
)
from errors import InvalidRequest, NotAuthenticated, Refusal
from views.web import CONTENT_SECURITY_POLICY

ROOT = Path(__file__).resolve().parent.parent.parent
RP_ID, ORIGIN = "index.example.com", "https://index.example.com"
PRESENT, VERIFIED, SYNCABLE, HAS_KEY = 0x01, 0x04, 0x08, 0x40
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


@dataclass
class Device:
    """An authenticator with one passkey. What it says can be changed by attribute and by argument."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 1
    rp_id: str = RP_ID
    flags: int = PRESENT | VERIFIED

    @property
    def cose_key(self) -> dict[int, Any]:
        """The public key as COSE writes it (RFC 9053): ES256 on P-256."""
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def create(
        self, challenge: bytes, /, *, cose_key: object = None, statement: object = None, **client: object
    ) -> str:
        """The answer to a registration."""
        key = cbor2.dumps(self.cose_key if cose_key is None else cose_key)
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        stated = {"fmt": "none", "attStmt": {}, "authData": self._data(HAS_KEY) + made}
        return self._answer(
            clientDataJSON=client_data("webauthn.create", challenge, **client),
            attestationObject=cbor2.dumps(stated if statement is None else statement),
        )

    def get(self, challenge: bytes, /, **client: object) -> str:
        """The answer to a sign-in, signed."""
        said, data = client_data("webauthn.get", challenge, **client), self._data()
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signature, userHandle=b"user 7")

    def _data(self, flags: int = 0) -> bytes:
        hashed = hashlib.sha256(self.rp_id.encode()).digest()
        return hashed + bytes([self.flags | flags]) + self.count.to_bytes(4, "big")

    def _answer(self, **response: bytes) -> str:
        named = bytes_to_base64url(self.id)
        parts = {name: bytes_to_base64url(value) for name, value in response.items()}
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": parts})


def client_data(kind: str, challenge: bytes, /, **said: object) -> bytes:
    """What the browser says of the page."""
    return json.dumps({"type": kind, "challenge": bytes_to_base64url(challenge), "origin": ORIGIN, **said}).encode()


def changed(answer: str, *path: str, to: object) -> str:
    """An answer with one value replaced."""
    whole: dict[str, Any] = json.loads(answer)
    place = whole
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return json.dumps(whole)


def register(answer: str, challenge: bytes) -> Registered:
    """Verified as this server does."""
    return verify_registration(answer, challenge, RP_ID, ORIGIN)


def sign_in(answer: str, challenge: bytes, known: Registered, sign_count: int | None = None) -> Used:
    """Verified against what was kept of a passkey."""
    kept = known.sign_count if sign_count is None else sign_count
    return verify_authentication(answer, challenge, RP_ID, ORIGIN, known.public_key, kept)


CHALLENGE = new_challenge()
DEVICE = Device()
KNOWN = register(DEVICE.create(CHALLENGE), CHALLENGE)


def test_a_passkey_is_registered_and_signs_in() -> None:
    """The id, key and counter that were kept are enough to know it again."""
    device, challenge = Device(), new_challenge()
    known = register(device.create(challenge), challenge)
    assert (known.credential_id, known.sign_count, known.is_synced) == (device.id, 1, False)
    device.count = 2
    challenge = new_challenge()
    answer = device.get(challenge)
    assert credential_id_of(answer) == device.id
    assert sign_in(answer, challenge, known) == Used(device.id, 2, b"user 7")


def test_a_synced_passkey_says_so_and_counts_nothing() -> None:
    """Its counter stays at 0, and it signs in again and again."""
    device = Device(count=0, flags=PRESENT | VERIFIED | SYNCABLE)
    known = register(device.create(CHALLENGE), CHALLENGE)
    assert (known.is_synced, known.sign_count) == (True, 0)
    for _ in range(2):
        assert sign_in(device.get(CHALLENGE), CHALLENGE, known).new_sign_count == 0


def test_an_ed25519_key_is_taken() -> None:
    """Devices choose among the algorithms that the options name."""
    key = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    cose_key = {1: 1, 3: -8, -1: 6, -2: key}
    known = register(DEVICE.create(CHALLENGE, cose_key=cose_key), CHALLENGE)
    assert cbor2.loads(known.public_key) == cose_key


def test_the_maker_s_statement_is_not_looked_at() -> None:
    """A device that attests although nobody asked is taken like any other."""
    bare = cbor2.loads(base64url_to_bytes(json.loads(DEVICE.create(CHALLENGE))["response"]["attestationObject"]))
    for fmt, said in (("packed", {"alg": -7, "sig": b"x", "x5c": [b"no certificate"]}), ("tpm", {}), ("new", 7)):
        answer = DEVICE.create(CHALLENGE, statement={**bare, "fmt": fmt, "attStmt": said})
        assert register(answer, CHALLENGE).credential_id == DEVICE.id


def test_challenges_differ() -> None:
    """Each has 256 random bits."""
    made = {new_challenge() for _ in range(50)}
    assert len(made) == 50
    assert {len(challenge) for challenge in made} == {32}


def test_registration_options_say_what_is_wanted() -> None:
    """Verification required, a discoverable passkey preferred, no attestation, and none that is there already."""
    options = json.loads(registration_options(RP_ID, "Packages", b"\x07" * 16, "alice", [b"one", b"two"], CHALLENGE))
    assert options["rp"] == {"id": RP_ID, "name": "Packages"}
    assert options["user"] == {"id": bytes_to_base64url(b"\x07" * 16), "name": "alice", "displayName": "alice"}
    assert options["challenge"] == bytes_to_base64url(CHALLENGE)
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "preferred"
    assert options["attestation"] == "none"
    assert [one["id"] for one in options["excludeCredentials"]] == [bytes_to_base64url(one) for one in (b"one", b"two")]
    assert options["timeout"] == 300_000


def test_authentication_options_say_what_is_wanted() -> None:
    """Verification required; any passkey of this server, or those that are named."""
    options = json.loads(authentication_options(RP_ID, CHALLENGE))
    assert (options["rpId"], options["userVerification"], options["allowCredentials"]) == (RP_ID, "required", [])
    options = json.loads(authentication_options(RP_ID, CHALLENGE, [b"one"]))
    assert [one["id"] for one in options["allowCredentials"]] == [bytes_to_base64url(b"one")]


# What is wrong with an answer, how the device or the page says it, and what the refusal or its cause says.
WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"challenge": bytes_to_base64url(b"\x00" * 32)}, "answers another request than the last one"),
    ({}, {"origin": "https://evil.example"}, "used at 'https://evil.example', and this server is https://index"),
    ({}, {"origin": ORIGIN + ":8443"}, "used at 'https://index.example.com:8443'"),
    ({}, {"origin": ORIGIN.replace("https", "http")}, "used at 'http://index.example.com'"),
    ({}, {"origin": None}, "used at 'None'"),
    ({}, {"crossOrigin": True}, "in a frame of another site"),
    ({}, {"type": "webauthn.other"}, "Unexpected client data type"),
    ({"rp_id": "evil.example"}, {}, "Unexpected RP ID hash"),
    ({"rp_id": "example.com"}, {}, "Unexpected RP ID hash"),
    ({"flags": PRESENT}, {}, "user was not verified"),
    ({"flags": VERIFIED}, {}, "(?i)user (presence|was not present)"),
    ({"flags": PRESENT | VERIFIED | 0x10}, {}, "backed up, which should be impossible"),
]


def said_by(refusal: Refusal) -> str:
    """The sentence, and what the library said before it."""
    return f"{refusal.sentence} {refusal.__cause__}"


@pytest.mark.parametrize(("device", "client", "why"), WRONG)
def test_a_wrong_registration_is_refused(device: dict[str, Any], client: dict[str, Any], why: str) -> None:
    """Challenge, origin, relying party, presence and verification all have to be right."""
    with pytest.raises(InvalidRequest, match=r"^The passkey was not registered: .*\.$") as refused:
        register(Device(**device).create(CHALLENGE, **client), CHALLENGE)
    assert re.search(why, said_by(refused.value))


@pytest.mark.parametrize(("device", "client", "why"), WRONG)
def test_a_wrong_sign_in_is_refused(device: dict[str, Any], client: dict[str, Any], why: str) -> None:
    """The same for the passkey that was registered, although its signature is right."""
    answer = Device(DEVICE.key, DEVICE.id, 2, **device).get(CHALLENGE, **client)
    with pytest.raises(NotAuthenticated, match=r"^The passkey was not accepted: .*\.$") as refused:
        sign_in(answer, CHALLENGE, KNOWN)
    assert re.search(why, said_by(refused.value))


def test_one_kind_of_answer_is_not_the_other() -> None:
    """A registration does not sign in, nor the other way round."""
    with pytest.raises(NotAuthenticated):
        sign_in(DEVICE.create(CHALLENGE), CHALLENGE, KNOWN)
    with pytest.raises(InvalidRequest):
        register(DEVICE.get(CHALLENGE), CHALLENGE)


def test_an_answer_is_good_for_its_challenge_only() -> None:
    """An answer that was overheard is of no use for the next sign-in."""
    answer = Device(DEVICE.key, DEVICE.id, 9).get(CHALLENGE)
    assert sign_in(answer, CHALLENGE, KNOWN).new_sign_count == 9
    with pytest.raises(NotAuthenticated, match="another request"):
        sign_in(answer, new_challenge(), KNOWN)


def test_another_passkey_s_key_does_not_fit() -> None:
    """Naming somebody's passkey and signing with one's own is refused, and so is the reverse."""
    thief = Device(count=2)
    with pytest.raises(NotAuthenticated) as refused:
        sign_in(Device(thief.key, DEVICE.id, 2).get(CHALLENGE), CHALLENGE, KNOWN)
    assert "Could not verify authentication signature" in said_by(refused.value)
    theirs = register(thief.create(CHALLENGE), CHALLENGE)
    with pytest.raises(NotAuthenticated):
        sign_in(Device(DEVICE.key, DEVICE.id, 3).get(CHALLENGE), CHALLENGE, theirs)


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON"])
def test_what_was_changed_on_the_way_is_refused(part: str) -> None:
    """One bit of what is signed, or of the signature."""
    answer = Device(DEVICE.key, DEVICE.id, 2).get(CHALLENGE)
    sent = bytearray(base64url_to_bytes(json.loads(answer)["response"][part]))
    sent[-1] ^= 1
    with pytest.raises(NotAuthenticated):
        sign_in(changed(answer, "response", part, to=bytes_to_base64url(bytes(sent))), CHALLENGE, KNOWN)


@pytest.mark.parametrize(
    ("kept", "sent", "is_good"), [(0, 0, True), (0, 5, True), (4, 5, True), (5, 5, False), (5, 4, False), (5, 0, False)]
)
def test_a_counter_that_goes_backwards_is_refused(kept: int, sent: int, is_good: bool) -> None:
    """A copied device shows by its counter, unless it never counted; the person is told what to do."""
    answer = Device(DEVICE.key, DEVICE.id, sent).get(CHALLENGE)
    if is_good:
        assert sign_in(answer, CHALLENGE, KNOWN, kept).new_sign_count == sent
        return
    with pytest.raises(NotAuthenticated, match=f"counter went from {kept} to {sent}, so there may be a copy"):
        sign_in(answer, CHALLENGE, KNOWN, kept)


def test_only_a_signed_counter_raises_the_alarm() -> None:
    """A stranger cannot make a passkey look copied."""
    with pytest.raises(NotAuthenticated, match="it is not the one registered here"):
        sign_in(Device(id=DEVICE.id, count=1).get(CHALLENGE), CHALLENGE, KNOWN, 5)


P256 = DEVICE.cose_key
BAD_KEYS = [
    {}, [], 7, "key", b"", None, {1: 2}, {1: 2, 3: -7}, {**P256, -2: 7}, {**P256, -3: b"\x01" * 32}, {**P256, -2: b""},
    {**P256, -1: 99}, {**P256, 3: -65535}, {**P256, 3: "ES256"}, {**P256, 1: 9}, {1: 1, 3: -8, -1: 6, -2: b"short"},
    {1: 1, 3: -8, -1: 7, -2: bytes(32)}, {1: 3, 3: -257, -1: b"\xff" * 8_000, -2: b"\x01\x00\x01"},
]  # fmt: skip


@pytest.mark.parametrize("cose_key", BAD_KEYS, ids=range(len(BAD_KEYS)))
def test_a_key_that_could_not_be_used_is_not_registered(cose_key: object) -> None:
    """A point off its curve, another algorithm, an endless modulus: the person learns of it at once."""
    with pytest.raises(InvalidRequest, match="The passkey was not registered"):
        register(DEVICE.create(CHALLENGE, cose_key={} if cose_key is None else cose_key), CHALLENGE)


def test_an_id_longer_than_the_standard_s_is_not_registered() -> None:
    """At most 1,023 bytes; as many are taken."""
    assert len(register(Device(id=b"i" * 1_023).create(CHALLENGE), CHALLENGE).credential_id) == 1_023
    with pytest.raises(InvalidRequest):
        register(Device(id=b"i" * 1_024).create(CHALLENGE), CHALLENGE)


@pytest.mark.parametrize(
    "stated", [{"fmt": "none", "attStmt": {}, "authData": 900_000_000}, {}, [], 7, {"authData": "x"}]
)
def test_a_device_that_says_nothing_is_refused_cheaply(stated: object) -> None:
    """A number in place of the device's data does not become that many bytes."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest):
            register(DEVICE.create(CHALLENGE, statement=stated), CHALLENGE)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


RUBBISH = [
    "", " ", "null", "7", "[]", "{}", "{", '{"id": 7}', '{"id": "a", "rawId": "b", "type": "public-key"}', "[" * 16_000,
    '{"a":' * 3_000, "\ud800", '"\\ud800"', '{"id": "\\ud800", "rawId": "\\ud800", "response": {}}',
    "{}" + " " * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("answer", RUBBISH, ids=lambda text: repr(text)[:30])
def test_rubbish_is_refused_in_a_sentence(answer: str) -> None:
    """Whatever stands in the form's field, there is one sentence and no crash."""
    with pytest.raises(InvalidRequest):
        register(answer, CHALLENGE)
    with pytest.raises((InvalidRequest, NotAuthenticated)):
        sign_in(answer, CHALLENGE, KNOWN)
    with pytest.raises(InvalidRequest):
        credential_id_of(answer)


def test_an_answer_is_bounded() -> None:
    """Up to 16 KiB are read."""
    answer = DEVICE.create(CHALLENGE)
    assert register(answer.ljust(LONGEST_ANSWER), CHALLENGE).credential_id == DEVICE.id
    with pytest.raises(InvalidRequest, match="more than 16,384 characters"):
        register(answer.ljust(LONGEST_ANSWER + 1), CHALLENGE)


@pytest.mark.parametrize("named", ["AAAA!", "AAAA==", "AB", "", "A" * 2_000, "ü"])
def test_an_id_has_one_spelling(named: str) -> None:
    """Two texts never name the same passkey."""
    with pytest.raises(InvalidRequest, match="names no passkey"):
        credential_id_of(json.dumps({"id": named}))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=70)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(-4, 4), inner))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
PLACES = ["id", "rawId", "type", "response", "authenticatorAttachment"]
PARTS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle", "transports"]


def attempt(verify: Callable[..., Registered | Used], *given: object) -> Registered | Used | Refusal:
    """What verifying comes to; any error but the two refusals gets through."""
    try:
        return verify(*given)
    except (InvalidRequest, NotAuthenticated) as refusal:
        return refusal


@given(st.dictionaries(st.sampled_from([-3, -2, -1, 1, 3]), VALUES), st.lists(st.sampled_from([-3, -2, -1, 1, 3])))
def test_no_key_makes_a_crash(parts: dict[int, Any], left: list[int]) -> None:
    """A key of whatever values is registered or refused, and a sign-in with it, too."""
    key = {**P256, **parts, **{name: P256[name] for name in left}}
    known = attempt(register, DEVICE.create(CHALLENGE, cose_key=key), CHALLENGE)
    assert isinstance(known, Registered | InvalidRequest)
    kept = Registered(DEVICE.id, cbor2.dumps(key), 0, False)
    assert isinstance(attempt(sign_in, DEVICE.get(CHALLENGE), CHALLENGE, kept), Used | NotAuthenticated)


@given(st.sampled_from(PLACES) | st.sampled_from(PARTS).map(lambda part: ("response", part)), JSON)
def test_no_answer_makes_a_crash(place: str | tuple[str, str], value: object) -> None:
    """Any value at any place of an answer leaves it as good as it was, or is refused."""
    path = (place,) if isinstance(place, str) else place
    for answer, verify in ((DEVICE.create(CHALLENGE), register), (DEVICE.get(CHALLENGE), _sign_in_uncounted)):
        come_to = attempt(verify, changed(answer, *path, to=value), CHALLENGE)
        assert isinstance(come_to, Refusal) or come_to.credential_id == DEVICE.id


@given(st.sampled_from(["challenge", "origin", "type", "crossOrigin", "tokenBinding"]), JSON)
def test_no_client_data_makes_a_crash(name: str, value: object) -> None:
    """Nor does anything that the browser may say of the page."""
    for answer, verify in (
        (DEVICE.create(CHALLENGE, **{name: value}), register),
        (DEVICE.get(CHALLENGE, **{name: value}), _sign_in_uncounted),
    ):
        come_to = attempt(verify, answer, CHALLENGE)
        assert isinstance(come_to, Refusal) or name in {"crossOrigin", "tokenBinding"}


def _sign_in_uncounted(answer: str, challenge: bytes) -> Used:
    return sign_in(answer, challenge, KNOWN, 0)


@pytest.mark.parametrize(
    ("url", "rp_id", "origin"),
    [
        ("https://index.example.com", RP_ID, ORIGIN),
        ("https://Index.Example.com:443/packages/", RP_ID, ORIGIN),
        ("https://index.example.com:8443", RP_ID, ORIGIN + ":8443"),
        ("https://bücher.example", "xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:8080/", "localhost", "http://localhost:8080"),
        ("http://index.localhost", "index.localhost", "http://index.localhost"),
        ("https://intranet", "intranet", "https://intranet"),
    ],
)
def test_the_relying_party_is_the_address_s(url: str, rp_id: str, origin: str) -> None:
    """The id is the host name, the origin as browsers write it: lower case, no usual port, no path."""
    assert relying_party(url) == (rp_id, origin)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://index.example.com", "over HTTPS only"),
        ("http://localhost.example.com", "over HTTPS only"),
        ("http://127.0.0.1:8080", "not to an IP address"),
        ("https://192.0.2.1", "not to an IP address"),
        ("https://[2001:db8::1]:8443", "not to an IP address"),
        ("", "not an address"),
        ("index.example.com", "not an address"),
        ("ftp://index.example.com", "not an address"),
        ("https://index.example.com:99999", "not an address"),
        ("https://" + "a" * 80 + ".example", "not an address"),
        ("https://[", "not an address"),
    ],
)
def test_where_browsers_have_no_passkeys_it_is_said(url: str, why: str) -> None:
    """An IP address, plain HTTP elsewhere than on this machine, and what is no address at all."""
    with pytest.raises(InvalidRequest, match=why):
        relying_party(url)


class Site(http.server.ThreadingHTTPServer):
    """A page with both forms on a port of localhost, which verifies what they send."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server_port}"
        self.party = relying_party(self.url)
        self.challenges = {"register": b"", "sign-in": b""}
        self.answers: list[str] = []
        self.known: Registered | None = None
        self.sign_count = 0
        self.rp_id = self.party.rp_id

    def page(self) -> str:
        """Both forms, with new challenges."""
        self.challenges = {name: new_challenge() for name in self.challenges}
        exclude = [self.known.credential_id] if self.known else []
        made = registration_options(self.rp_id, "Packages", b"user 7", "alice", exclude, self.challenges["register"])
        used = authentication_options(self.rp_id, self.challenges["sign-in"])
        return "".join(
            f'<form method="post" action="/{name}" data-passkey="{name}" data-options="{html.escape(options)}">'
            f'<input type="hidden" name="credential"><button>{name}</button>'
            '<p data-passkey-error role="alert" hidden></p></form>'
            for name, options in (("register", made), ("sign-in", used))
        )

    def take(self, name: str, answer: str) -> str:
        """What verifying an answer comes to, in words."""
        self.answers.append(answer)
        try:
            if name == "register":
                self.known = verify_registration(answer, self.challenges[name], *self.party)
                self.sign_count = self.known.sign_count
                return "Registered"
            assert self.known is not None
            assert credential_id_of(answer) == self.known.credential_id
            used = verify_authentication(
                answer, self.challenges[name], *self.party, self.known.public_key, self.sign_count
            )
        except Refusal as refusal:
            return refusal.sentence
        self.sign_count = used.new_sign_count
        return f"Signed in {(used.user_handle or b'').decode()}"


class Handler(http.server.BaseHTTPRequestHandler):
    """The site's answers."""

    server: Site

    def do_GET(self) -> None:
        """The page, or the script as it is served."""
        if self.path == "/passkeys.js":
            self._send((ROOT / "static/passkeys.js").read_text(), "text/javascript")
        else:
            self._send(self.server.page() if self.path == "/" else "")

    def do_POST(self) -> None:
        """What a form sent."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        outcome = self.server.take(self.path[1:], form.get("credential", [""])[0])
        self._send(f'<p id="outcome">{html.escape(outcome)}</p>')

    def _send(self, body: str, kind: str = "text/html") -> None:
        if kind == "text/html":
            body = (
                '<!doctype html><html lang="en"><title>Passkeys</title><link rel="icon" href="data:,">'
                f'<script src="/passkeys.js" defer></script><body>{body}'
            )
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def site() -> Iterator[Site]:
    """A site that nobody has a passkey for."""
    with Site() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of a browser, and the device that Chromium pretends to have."""

    page: Page
    cdp: CDPSession
    faults: list[str]
    device: str = ""

    def plug_in(self, *, verifies: bool = True) -> None:
        """A new device in place of the former one."""
        if self.device:
            self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.device})
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "isUserVerified": verifies,
            "hasUserVerification": verifies, "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.device = made["authenticatorId"]

    def passkey(self) -> dict[str, Any]:
        """The one passkey that the device holds, with its private key."""
        (held,) = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.device})["credentials"]
        return dict(held)

    def press(self, name: str) -> None:
        """Send one of the forms."""
        self.page.get_by_role("button", name=name).click()

    def outcome(self, site: Site, name: str) -> str:
        """What the site says to a form that is sent from a fresh page."""
        self.page.goto(site.url)
        self.press(name)
        return self.page.locator("#outcome").inner_text()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """A fresh browser with a device; its page complained of nothing in the end."""
    context = chromium.new_context()
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    made = Visit(page, cdp, [])
    made.plug_in()
    page.on("pageerror", lambda error: made.faults.append(str(error)))
    page.on("console", lambda line: made.faults.append(line.text) if line.type in {"error", "warning"} else None)
    yield made
    context.close()
    assert made.faults == []


@pytest.mark.browser
def test_a_browser_registers_and_signs_in(site: Site, visit: Visit) -> None:
    """Under the strict policy, and twice, with a counter that rises."""
    assert visit.outcome(site, "register") == "Registered"
    assert visit.passkey()["isResidentCredential"]
    assert visit.outcome(site, "sign-in") == "Signed in user 7"
    first = site.sign_count
    assert visit.outcome(site, "sign-in") == "Signed in user 7"
    assert site.sign_count > first


@pytest.mark.browser
def test_a_browser_s_answer_is_good_once(site: Site, visit: Visit) -> None:
    """Sent again, it answers a challenge that is gone."""
    visit.outcome(site, "register")
    visit.outcome(site, "sign-in")
    visit.page.goto(site.url)
    assert "answers another request than the last one" in site.take("sign-in", site.answers[-1])


@pytest.mark.browser
def test_a_copied_device_is_noticed(site: Site, visit: Visit) -> None:
    """The same key in another device, whose counter stands where it was when it was copied."""
    visit.outcome(site, "register")
    copied = visit.passkey()
    for _ in range(3):
        assert visit.outcome(site, "sign-in") == "Signed in user 7"
    visit.plug_in()
    visit.cdp.send("WebAuthn.addCredential", {"authenticatorId": visit.device, "credential": copied})
    assert "so there may be a copy of it" in visit.outcome(site, "sign-in")


def complaint(visit: Visit, name: str) -> str:
    """What the page itself says when a form could not be sent; its button works again."""
    visit.press(name)
    alert = visit.page.locator(f'form[data-passkey="{name}"]').get_by_role("alert")
    alert.wait_for()
    assert visit.page.get_by_role("button", name=name).is_enabled()
    return alert.inner_text()


@pytest.mark.browser
def test_a_device_is_registered_once(site: Site, visit: Visit) -> None:
    """The page says that it holds a passkey already, and nothing is sent."""
    visit.outcome(site, "register")
    visit.page.goto(site.url)
    assert complaint(visit, "register").startswith("This device holds a passkey of this account already")
    assert len(site.answers) == 1


@pytest.mark.browser
def test_a_device_that_verifies_nobody_is_of_no_use(site: Site, visit: Visit) -> None:
    """The browser asks for verification as the options want, and the page says what failed."""
    visit.plug_in(verifies=False)
    visit.page.goto(site.url)
    assert complaint(visit, "register").endswith(".")
    assert site.answers == []


@pytest.mark.browser
def test_at_another_address_the_page_says_so(site: Site, visit: Visit) -> None:
    """A relying party that is not the page's host is refused by the browser, in our words."""
    site.rp_id = "index.example.com"
    visit.page.goto(site.url)
    for name in ("register", "sign-in"):
        assert complaint(visit, name).startswith("Passkeys do not work at this address")
    assert site.answers == []


@pytest.mark.browser
@pytest.mark.parametrize(
    "lacking",
    [
        "delete window.PublicKeyCredential",
        "delete PublicKeyCredential.parseRequestOptionsFromJSON",
        "Object.defineProperty(navigator, 'credentials', {value: undefined})",
    ],
)
def test_a_browser_without_passkeys_is_told(site: Site, visit: Visit, lacking: str) -> None:
    """Both buttons are off, with a sentence why, and Enter sends nothing either."""
    visit.page.add_init_script(lacking)
    visit.page.goto(site.url)
    for form in visit.page.locator("form").all():
        assert form.get_by_role("button").is_disabled()
        assert form.get_by_role("alert").inner_text().startswith("This browser has no passkeys here")
        form.evaluate("form => form.requestSubmit()")
    assert urlpath(visit.page) == "/"
    assert site.answers == []


def urlpath(page: Page) -> str:
    """The path that a page is at, when everything it began is done."""
    page.wait_for_load_state()
    return str(page.evaluate("location.pathname"))


@pytest.mark.browser
def test_what_is_said_disappears_when_it_works(site: Site, visit: Visit) -> None:
    """After a failure, the same form is sent with another device."""
    visit.plug_in(verifies=False)
    visit.page.goto(site.url)
    complaint(visit, "register")
    visit.plug_in()
    visit.press("register")
    assert visit.page.locator("#outcome").inner_text() == "Registered"
