"""Upstreams that hang, drip or are down: nobody waits for long, and not everybody at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from packaging.utils import NormalizedName

from errors import UpstreamFailed
from tests.upstream.conftest import DEMO, FILE, KEY, LARGE, WHEEL, Room, a_wheel, taken_in
from tests.upstream.fake_upstream import FakeUpstream
from upstream import breaker, pages
from upstream.breaker import Breaker
from upstream.client import Limits

OTHER = NormalizedName("other")
PAGE = "/simple/demo-pkg/"
HURRIED = {"page": 0.5, "head": 0.5}


def test_f21_the_limits_are_those_that_were_promised() -> None:
    """Connecting 3 seconds, a page 10 in all, a file 30 without bytes."""
    assert (Limits().connect, Limits().page, Limits().head, Limits().idle) == (3.0, 10.0, 30.0, 30.0)
    assert (breaker.FAILURES, breaker.SECONDS) == (5, 30.0)


@pytest.mark.parametrize("what", [{"hang": True}, {"drip": True}, {"pause_at": 10}], ids=str)
def test_f21_a_page_that_does_not_come_is_given_up(
    make_room: Callable[..., Room], upstream: FakeUpstream, what: dict[str, object]
) -> None:
    """However many bytes drip in, in headers or body: the time is that of the whole page."""
    room = make_room(**HURRIED)
    upstream.misbehave(PAGE, **what)
    with pytest.raises(UpstreamFailed, match=r"took longer than 0\.5 seconds|does not answer in time"):
        room.source().validity(DEMO)
    upstream.behave()
    assert make_room().source().validity(DEMO)


@pytest.mark.parametrize("what", [{"hang": True}, {"drip": True}, {"pause_at": 10}], ids=str)
def test_f21_a_file_that_does_not_come_is_given_up(
    make_room: Callable[..., Room], upstream: FakeUpstream, what: dict[str, object]
) -> None:
    """Before its first byte, and when it falls silent."""
    make_room().source().validity(DEMO)
    room = make_room(**HURRIED, idle=0.5)
    upstream.misbehave(FILE, **what)
    with pytest.raises(UpstreamFailed, match=r"took longer|fell silent"):
        taken_in(room.source())
    upstream.behave()
    assert taken_in(make_room().source())


def test_f21_a_file_that_comes_byte_by_byte_is_given_up(make_room: Callable[..., Room], upstream: FakeUpstream) -> None:
    """A few bytes now and then are not enough."""
    room = make_room(idle=0.2)
    upstream.add(DEMO, a_wheel(padding=LARGE))
    upstream.misbehave(FILE, slowly=100)
    with pytest.raises(UpstreamFailed, match="less than 4096 bytes in"):
        taken_in(room.source())


def test_f20_a_page_that_is_kept_is_served_while_the_upstream_hangs(
    room: Room, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for all of a page's time when there is one to be had, and then nobody at all for a while."""
    monkeypatch.setattr(pages, "_PATIENCE", 0.2)
    source = room.source()
    fresh = source.validity(DEMO)
    room.expire()
    upstream.misbehave(PAGE, hang=True)
    assert source.validity(DEMO) != fresh
    assert source.project_detail(DEMO).stale_since is not None
    held = room.hub._page_tools.memory.get((KEY, DEMO))
    assert held is not None
    assert held.retry_at > source._upstream.clock() + 20
    assert source.validity(DEMO) != fresh
    assert upstream.paths(PAGE) == [PAGE, PAGE]


def test_many_who_want_one_cold_page_cost_one_request(room: Room, upstream: FakeUpstream) -> None:
    """They wait for the same one."""
    upstream.misbehave(PAGE, pause_at=10)
    with ThreadPoolExecutor(10) as pool:
        asking = [pool.submit(room.source().validity, DEMO) for _ in range(10)]
        assert upstream.has_paused.wait(10)
        upstream.gate.set()
        assert len({one.result() for one in asking}) == 1
    assert upstream.paths() == [PAGE]


def test_f21_only_so_many_wait(make_room: Callable[..., Room], upstream: FakeUpstream) -> None:
    """Whoever comes too late is told at once, or gets the page that is kept; names of our own are not kept waiting."""
    room = make_room(hub={"most_waiting": 1})
    upstream.add(OTHER, a_wheel(name="other"))
    source = room.source()
    stale = source.validity(OTHER)
    room.expire(OTHER)
    upstream.misbehave(PAGE, pause_at=10)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(source.validity, DEMO)
        assert upstream.has_paused.wait(10)
        assert source.state().waiting == 1
        with pytest.raises(UpstreamFailed, match="Too many requests wait") as refused:
            source.validity(NormalizedName("third"))
        assert refused.value.retry_after == 2
        assert source.validity(OTHER)[0] == stale[0]  # type: ignore[index]
        assert source.project_detail(OTHER).stale_since is not None
        upstream.gate.set()
        assert first.result()
    assert source.state().waiting == 0


def test_f21_an_upstream_that_fails_again_and_again_is_left_alone(room: Room, upstream: FakeUpstream) -> None:
    """After five failures; kept pages are served without asking, others are refused at once."""
    source = room.source()
    source.validity(DEMO)
    room.expire()
    upstream.misbehave(".*", status=500)
    for number in range(5):
        with pytest.raises(UpstreamFailed, match="answers 500"):
            source.validity(NormalizedName(f"cold-{number}"))
    asked = len(upstream.asked)
    with pytest.raises(UpstreamFailed, match="left alone for now") as refused:
        source.validity(OTHER)
    assert 1 <= refused.value.retry_after <= 30
    assert source.project_detail(DEMO).versions == ("1.0",)
    assert source.validity(DEMO)
    assert len(upstream.asked) == asked
    assert source.state().open_until is not None


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        """Its time."""
        return self.now


def test_f21_after_a_while_one_tries() -> None:
    """One request in thirty seconds goes through until one is answered."""
    clock = Clock()
    one = Breaker(clock)
    for _ in range(5):
        assert one.may_ask()
        one.failed()
    assert not one.may_ask()
    assert one.seconds_open() == 30
    clock.now += 30
    assert one.may_ask()
    assert not one.may_ask()
    one.failed()
    clock.now += 29
    assert not one.may_ask()
    clock.now += 1
    assert one.may_ask()
    one.succeeded()
    assert one.may_ask()
    assert one.seconds_open() == 0


def test_a_success_between_failures_counts_anew() -> None:
    """Five in a row are an outage, five in a month are not."""
    one = Breaker(Clock())
    for _ in range(3):
        for _ in range(4):
            one.failed()
        one.succeeded()
    assert one.may_ask()


def test_one_bad_file_does_not_close_the_upstream(room: Room, upstream: FakeUpstream) -> None:
    """A lie is no outage."""
    upstream.misbehave(FILE, body=b"x" * len(upstream.projects[DEMO].files[0].content))
    for _ in range(6):
        with pytest.raises(UpstreamFailed, match="other bytes"):
            taken_in(room.source())
    assert room.source().state().open_until is None


def test_a_host_of_files_that_is_down_does_not_close_the_index(room: Room) -> None:
    """Each host has a breaker of its own."""
    upstream = room.source()._upstream
    for _ in range(5):
        upstream._breaker("https://files.example.com/x").failed()
    assert not upstream._breaker("https://files.example.com/y").may_ask()
    assert upstream._breaker("https://index.example.com/").may_ask()


def test_fetches_wait_for_their_turn(make_room: Callable[..., Room], upstream: FakeUpstream) -> None:
    """More files than may be fetched at once are fetched one after the other, and all come."""
    room = make_room(hub={"most_files": 2})
    wheels = [a_wheel(f"1.{minor}") for minor in range(6)]
    upstream.add(DEMO, *wheels)
    source = room.source()
    with ThreadPoolExecutor(6) as pool:
        bodies = list(pool.map(lambda wheel: taken_in(source, wheel.filename)[1], wheels))
    assert bodies == [wheel.content for wheel in wheels]


def test_what_is_wanted_when_there_is_no_turn_is_told_so(
    make_room: Callable[..., Room], upstream: FakeUpstream
) -> None:
    """After the time of a page, with 503."""
    room = make_room(**HURRIED, hub={"most_pages": 1})
    source = room.source()
    source.validity(DEMO)
    begun = threading.Event()
    flights = room.hub._page_tools.flights

    def long() -> pages.Held:
        begun.set()
        assert upstream.gate.wait(20)
        raise AssertionError("nobody asks for this")

    flights.join("long", long)
    assert begun.wait(10)
    with pytest.raises(UpstreamFailed, match="Too much is being fetched"):
        source.validity(OTHER)
    upstream.gate.set()


def test_an_upstream_that_nobody_runs_is_told_as_such(room: Room) -> None:
    """The state says what an administrator needs."""
    source = room.source(key="gone", url="http://127.0.0.1:9/simple/")
    with pytest.raises(UpstreamFailed, match="nothing listens there"):
        source.open(source.file(DEMO, WHEEL))
    assert source.state().why == "nothing listens there"
