"""How often an issuer is asked for its keys: seldom, soon enough, and no more while it is down."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from credentials.issuers import Issuers
from errors import InvalidIdentityToken, IssuerUnavailable
from tests.credentials.issuers.verifying import Clock, verify
from tests.credentials.mock_issuer import DISCOVERY, JWKS, MockIssuer, mock_issuer


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
