"""One or two attestations in bounded JSON, in the form of PEP 740: whatever else is sent is refused."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator
from typing import Any

import pytest

from distributions.attestations import verify
from errors import InvalidAttestation
from tests.distributions.attestations.recorded import (
    ENTRY,
    GITHUB,
    Path_,
    changed,
    value_at,
)


def places(value: Any, here: Path_ = ()) -> Iterator[Path_]:
    """The way to every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*here, key)
        yield from places(one, (*here, key))


def without(document: dict[str, Any], place: Path_) -> dict[str, Any]:
    """A copy in which a value is missing."""
    other = copy.deepcopy(document)
    del value_at(other, place[:-1])[place[-1]]
    return other


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "has 0 attestations; send one or 2"),
        ("[{}, {}, {}]", "has 3 attestations"),
        ("{}", "not a JSON array of objects"),
        ("[1]", "not a JSON array of objects"),
        ("not json", "not a JSON array of objects"),
        ("[" * 100_000, "not a JSON array of objects"),
        ("[" + "9" * 10_000 + "]", "not a JSON array of objects"),
        ('[{"a": "' + "x" * (1 << 20) + '"}]', "more than 1,048,576 bytes"),
        ('[{"a": [' + "1," * 1_000 + "1]}]", "more than 1,000 values"),
        ('[{"a": ' + "[" * 1_001 + "]" * 1_001 + "}]", "more than 1,000 values|not a JSON array"),
        ("[{}]", "Attestation 1 is not in the form of PEP 740"),
        ('[{"\ud800": "\ud800"}]', "Attestation 1 is not in the form of PEP 740"),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_list_of_attestations(text: str, said: str) -> None:
    """An upload has one or two attestations, in bounded JSON."""
    with pytest.raises(InvalidAttestation, match=said):
        verify(text, filename=GITHUB.filename, sha256=GITHUB.sha256, publisher=GITHUB.publisher)


def test_one_of_a_type() -> None:
    """Two attestations of one type are one too many, sound as they are."""
    publish = GITHUB.documents()[0]
    with pytest.raises(InvalidAttestation, match="Both attestations are of type"):
        GITHUB.verify([publish, publish])


def test_one_log_entry() -> None:
    """A second log entry would be served without having been verified."""
    document = GITHUB.documents()[0]
    entry = value_at(document, ENTRY)
    for entries, said in (([entry, entry], "has 2 transparency log entries"), ([], "not in the form")):
        with pytest.raises(InvalidAttestation, match=said):
            GITHUB.verify([changed(document, ENTRY[:-1], entries)])


HOSTILE: list[Any] = [
    None, True, 0, -1, 2**70, 1.5, float("nan"), "", "0", "-1", str(2**63), "9" * 5_000, "\ud800", "=", "QUJD", [], {},
    [[]], "a\n\nb\n", "a\n1\n=\n\n\u2014 x AAAAAAAA\n", base64.b64encode(b"[" * 5_000).decode(),
]  # fmt: skip


def test_garbled_attestations_are_refused() -> None:
    """Whatever stands in the place of any value, or none, the answer is a refusal and never a fault."""
    document = GITHUB.documents()[0]
    held = []
    for place in places(document):
        for other in (without(document, place), *(changed(document, place, value) for value in HOSTILE)):
            try:
                GITHUB.verify([other])
            except InvalidAttestation:
                continue
            held.append(other)
    assert held == [document | {"version": True}]
