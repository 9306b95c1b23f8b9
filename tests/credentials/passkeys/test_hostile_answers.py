"""Whatever is sent in place of an answer, there is one sentence, soon and cheaply, and never a crash."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.passkeys import LONGEST_ANSWER, Registered, Used, credential_id_of
from errors import InvalidRequest, NotAuthenticated, Refusal
from tests.credentials.passkeys.device import CHALLENGE, DEVICE, KNOWN, Device, changed, register, sign_in

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
