"""An answer is taken if the right device gave it, to this challenge and for this server; else it is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from credentials.passkeys import Used, credential_id_of, new_challenge
from errors import InvalidRequest, NotAuthenticated, Refusal
from tests.credentials.passkeys.device import (
    CHALLENGE,
    DEVICE,
    KNOWN,
    ORIGIN,
    PRESENT,
    SYNCABLE,
    VERIFIED,
    Device,
    changed,
    register,
    sign_in,
)


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
