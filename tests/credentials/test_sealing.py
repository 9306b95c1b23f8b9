"""Secrets at rest: what is sealed opens for its owner and purpose under the same key, and for nobody else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.sealing import Sealer
from errors import Unavailable

SEALER = Sealer(b"k" * 40)
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PURPOSE = "second factor"


@given(st.text(), st.text())
def test_what_was_sealed_comes_back(text: str, owner: str) -> None:
    """Any text opens again for its owner, also after a restart with the same key."""
    sealed = SEALER.seal(text, PURPOSE, owner)
    assert Sealer(b"k" * 40).open(sealed, PURPOSE, owner) == text


def test_a_sealed_text_tells_nothing() -> None:
    """It holds neither the secret nor whether two are equal, and it fits in a column of ASCII."""
    first, second = SEALER.seal(SEED, PURPOSE, "7"), SEALER.seal(SEED, PURPOSE, "7")
    assert first != second
    assert first.isascii()
    raw = base64.urlsafe_b64decode(first.partition(".")[2])
    assert SEED.encode() not in raw
    assert SEED not in first


@pytest.mark.parametrize(
    ("sealer", "purpose", "owner"),
    [
        (Sealer(b"K" * 40), PURPOSE, "7"),
        (SEALER, "other secret", "7"),
        (SEALER, PURPOSE, "8"),
        (SEALER, PURPOSE, ""),
        (SEALER, f"{PURPOSE}7", ""),
    ],
)
def test_nothing_opens_elsewhere(sealer: Sealer, purpose: str, owner: str) -> None:
    """Another key, purpose or owner is refused, with what an administrator can do."""
    sealed = SEALER.seal(SEED, PURPOSE, "7")
    with pytest.raises(Unavailable, match=f"The {purpose} cannot be read with this secret key; an administrator"):
        sealer.open(sealed, purpose, owner)


def test_every_changed_bit_is_noticed() -> None:
    """A sealed text of which one bit was changed, in nonce, ciphertext or tag, does not open."""
    raw = base64.urlsafe_b64decode(SEALER.seal(SEED, PURPOSE, "7").removeprefix("s1."))
    for place in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(Unavailable):
            SEALER.open("s1." + base64.urlsafe_b64encode(changed).decode(), PURPOSE, "7")


@pytest.mark.parametrize("rubbish", ["", "s1.", "s1.AAAA", "s1.ü", "s1.A", "s2." + "A" * 64, SEED, "s1." + "\x00" * 64])
def test_what_was_never_sealed_is_refused(rubbish: str) -> None:
    """A row that holds something else gives the same refusal, not a crash and not a secret."""
    with pytest.raises(Unavailable):
        SEALER.open(rubbish, PURPOSE, "7")
