"""Pages of upstreams: what is carried over, how long it is believed, and what happens when the upstream fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from errors import NotKept, UnknownFile, UnknownProject, UpstreamFailed
from simple.model import ProjectStatus
from tests.upstream.conftest import DEMO, KEY, Room, a_wheel
from tests.upstream.fake_upstream import FakeFile, FakeUpstream

OTHER = NormalizedName("other")
PAGE = "/simple/demo-pkg/"


def test_what_a_json_upstream_says_is_carried_over(room: Room, upstream: FakeUpstream) -> None:
    """Sizes, upload times, yanks, metadata, status, provenance and serial; the files at our own addresses."""
    wheel = a_wheel(metadata=b"Metadata-Version: 2.1\n")
    wheel.extra = {
        "yanked": "broken",
        "requires-python": ">=3.9",
        "provenance": "https://index.example.com/integrity/demo-pkg/1.0/provenance",
    }
    sdist = FakeFile("demo_pkg-0.9.tar.gz", b"sdist", {"yanked": True})
    status = {"project-status": {"status": "archived", "reason": "no time"}, "versions": ["0.9", "1.0", "2.0"]}
    upstream.add(DEMO, wheel, sdist, serial=123, extra=status)
    detail = room.source().project_detail(DEMO)
    assert (detail.name, detail.versions, detail.serial) == (DEMO, ("0.9", "1.0", "2.0"), 123)
    assert (detail.status, detail.status_reason, detail.stale_since) == (ProjectStatus.ARCHIVED, "no time", None)
    old, new = detail.files
    assert (old.filename, old.yanked, old.kind, old.core_metadata) == (sdist.filename, "", "sdist", None)
    assert new.url == f"../../packages/demo-pkg/{wheel.filename}"
    assert (new.version, new.sha256, new.size, new.yanked) == ("1.0", wheel.sha256, len(wheel.content), "broken")
    assert new.uploaded == datetime(2026, 2, 3, 4, 5, 6, 7, UTC)
    assert new.core_metadata == hashlib.sha256(b"Metadata-Version: 2.1\n").hexdigest()
    assert new.requires_python == ">=3.9"
    assert new.provenance == wheel.extra["provenance"]


def test_an_html_upstream_is_read_as_well(room: Room, upstream: FakeUpstream) -> None:
    """What HTML does not tell is not known: size and time."""
    upstream.html_only = True
    wheel = a_wheel(metadata=b"Metadata-Version: 2.1\n", extra={"requires-python": ">=3.9", "yanked": "a & b"})
    upstream.add(DEMO, wheel, extra={"project-status": {"status": "deprecated"}}, serial=9)
    detail = room.source().project_detail(DEMO)
    (file,) = detail.files
    assert (detail.status, detail.serial, detail.versions) == (ProjectStatus.DEPRECATED, 9, ("1.0",))
    assert (file.sha256, file.size, file.uploaded) == (wheel.sha256, None, None)
    assert (file.requires_python, file.yanked) == (">=3.9", "a & b")
    assert file.core_metadata == hashlib.sha256(b"Metadata-Version: 2.1\n").hexdigest()


def test_a_wheel_without_metadata_upstream_is_listed_with_some(room: Room) -> None:
    """It is made here, so its digest is not known yet."""
    (file,) = room.source().project_detail(DEMO).files
    assert file.core_metadata == ""


def test_json_is_asked_for_first_and_gzip_taken(room: Room, upstream: FakeUpstream) -> None:
    """One request, which says who we are and nothing about whoever asked us."""
    room.source().validity(DEMO)
    (asked,) = upstream.asked
    assert asked.path == PAGE
    assert asked.headers["Accept"].startswith("application/vnd.pypi.simple.v1+json, ")
    assert asked.headers["Accept-Encoding"] == "gzip"
    assert set(asked.headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent"}


def test_a_fresh_page_is_not_asked_for_again(room: Room, make_room: Callable[..., Room]) -> None:
    """Neither by the process that has it in memory nor by another one, which has it from the database."""
    first = room.source()
    validity = first.validity(DEMO)
    assert first.validity(DEMO) == validity
    assert first.project_detail(DEMO) == make_room().source().project_detail(DEMO)
    assert make_room().source().validity(DEMO) == validity
    assert room.upstream.paths() == [PAGE]


def test_an_old_page_is_asked_for_with_its_tag(room: Room, upstream: FakeUpstream) -> None:
    """A 304 makes it fresh again, and it stays valid under the same digest."""
    source = room.source()
    before = source.validity(DEMO)
    room.expire()
    assert source.validity(DEMO) == before
    assert source.validity(DEMO) == before
    assert [bool(one.headers.get("If-None-Match")) for one in upstream.asked] == [False, True]


def test_a_new_file_appears_when_the_page_is_asked_for_again(room: Room, upstream: FakeUpstream) -> None:
    """And what was drawn before is no longer valid."""
    source = room.source()
    before = source.validity(DEMO)
    upstream.add(DEMO, a_wheel(), a_wheel("2.0"), serial=8)
    assert source.project_detail(DEMO).versions == ("1.0",)
    room.expire()
    assert source.validity(DEMO) != before
    assert source.project_detail(DEMO).versions == ("1.0", "2.0")


@pytest.mark.parametrize(
    ("control", "seconds"),
    [("max-age=600, public", 600), ("max-age=5", 60), ("max-age=86400", 600), ("no-store", 60), ("", 600)],
)
def test_how_long_a_page_is_fresh_has_bounds(room: Room, control: str, seconds: int) -> None:
    """The upstream says it, between one minute and ten."""
    room.upstream.headers = {"Cache-Control": control}
    room.source().validity(DEMO)
    kept = room.pages.load(KEY, DEMO)
    assert kept is not None
    assert seconds - 1 <= (kept.expires - kept.fetched).total_seconds() <= seconds + 1


def test_the_time_that_a_page_spent_on_the_way_counts(room: Room) -> None:
    """RFC 9111: the Age header of a cache between us."""
    room.upstream.headers = {"Cache-Control": "max-age=600", "Age": "200"}
    room.source().validity(DEMO)
    kept = room.pages.load(KEY, DEMO)
    assert kept is not None
    assert 399 <= (kept.expires - kept.fetched).total_seconds() <= 401


DOWN = [
    {"hang_up": True},
    {"status": 500},
    {"status": 503, "headers": {"Retry-After": "7"}},
    {"cut": 20},
    {"body": b"[]"},
    {"body": b"not JSON"},
    {"headers": {"Content-Type": "application/json"}},
    {"headers": {"Content-Encoding": "gzip"}, "body": b"no gzip"},
]


@pytest.mark.parametrize("what", DOWN, ids=str)
def test_f20_a_kept_page_is_served_while_the_upstream_fails(room: Room, what: dict[str, object]) -> None:
    """However it fails; the page says since when it is stale, and is fresh again when the upstream is back."""
    source = room.source()
    fresh = source.validity(DEMO)
    room.expire()
    room.upstream.misbehave(".*", **what)
    stale = source.validity(DEMO)
    assert stale != fresh
    detail = source.project_detail(DEMO)
    assert detail.versions == ("1.0",)
    assert detail.stale_since is not None
    assert detail.stale_since < datetime.now(UTC)
    room.upstream.behave()
    room.hub._page_tools.memory.drop((KEY, DEMO))
    assert source.validity(DEMO) == fresh
    assert source.project_detail(DEMO).stale_since is None


@pytest.mark.parametrize("what", DOWN, ids=str)
def test_s140_a_failure_is_never_taken_for_a_project_that_is_not_there(room: Room, what: dict[str, object]) -> None:
    """503 with a time to try again; and it is tried again at once."""
    room.upstream.misbehave(".*", **what)
    source = room.source()
    for ask in (source.validity, source.project_detail):
        with pytest.raises(UpstreamFailed, match="cannot be had from the upstream http://127") as failed:
            ask(DEMO)
        assert failed.value.retry_after >= 1
    with pytest.raises(UpstreamFailed):
        source.file(DEMO, "demo_pkg-1.0-py3-none-any.whl")
    room.upstream.behave()
    assert source.project_detail(DEMO).versions == ("1.0",)


def test_the_upstreams_wish_to_be_left_alone_is_passed_on(room: Room) -> None:
    """Retry-After, within bounds."""
    room.upstream.misbehave(".*", status=429, headers={"Retry-After": "99999"})
    with pytest.raises(UpstreamFailed, match="it answers 429") as failed:
        room.source().validity(DEMO)
    assert failed.value.retry_after == 120


def test_s140_what_is_not_there_is_remembered_for_a_minute(room: Room) -> None:
    """One request, whoever asks; the database remembers nothing of it."""
    source = room.source()
    for _ in range(3):
        with pytest.raises(UnknownProject):
            source.validity(OTHER)
    with pytest.raises(UnknownFile):
        source.file(OTHER, "other-1.0.tar.gz")
    assert room.upstream.paths() == ["/simple/other/"]
    assert room.pages.load(KEY, OTHER) is None
    held = room.hub._page_tools.memory.get((KEY, OTHER))
    assert held is not None
    assert (held.expires - held.fetched).total_seconds() <= 60


def test_s140_what_is_not_there_is_not_served_from_what_was_kept(room: Room, upstream: FakeUpstream) -> None:
    """A project that goes is gone with the next look; what was first seen of it stands, should it come back."""
    source = room.source()
    source.validity(DEMO)
    old = upstream.projects.pop(DEMO)
    room.expire()
    with pytest.raises(UnknownProject):
        source.validity(DEMO)
    with pytest.raises(UnknownProject):
        source.project_detail(DEMO)
    assert source.state().kept_pages == 0
    changed = a_wheel(padding=10)
    upstream.projects[DEMO] = old
    old.files = [changed]
    room.expire()
    (file,) = source.project_detail(DEMO).files
    assert file.sha256 != changed.sha256


def test_offline_nothing_is_asked_and_what_was_kept_is_listed(room: Room, upstream: FakeUpstream) -> None:
    """Only files that can be had: those whose bytes were taken in."""
    upstream.add(DEMO, a_wheel(), a_wheel("2.0"))
    online = room.source()
    with online.open(online.file(DEMO, "demo_pkg-1.0-py3-none-any.whl")) as file:
        file.read()
    asked = len(upstream.asked)
    offline = room.source(is_offline=True)
    room.expire()
    detail = offline.project_detail(DEMO)
    assert ([file.filename for file in detail.files], detail.versions) == (["demo_pkg-1.0-py3-none-any.whl"], ("1.0",))
    assert detail.stale_since is not None
    with pytest.raises(NotKept, match="offline"):
        offline.validity(OTHER)
    with pytest.raises(UpstreamFailed, match="offline"):
        offline.open(offline.file(DEMO, "demo_pkg-2.0-py3-none-any.whl"))
    assert len(upstream.asked) == asked


def test_offline_a_page_is_valid_until_a_file_comes_or_goes(room: Room) -> None:
    """A mirror that is imported shows at once."""
    online = room.source()
    record = online.file(DEMO, "demo_pkg-1.0-py3-none-any.whl")
    offline = room.source(is_offline=True)
    before = offline.validity(DEMO)
    with online.open(record) as file:
        file.read()
    assert offline.validity(DEMO) != before


def test_the_list_has_what_was_taken_in(room: Room, upstream: FakeUpstream) -> None:
    """Not all that the upstream has, and not what was only looked at."""
    upstream.add(OTHER, a_wheel(name="other"))
    source = room.source()
    source.validity(OTHER)
    before = source.validity(None)
    assert source.project_list().projects == ()
    with source.open(source.file(DEMO, "demo_pkg-1.0-py3-none-any.whl")) as file:
        file.read()
    assert [project.name for project in source.project_list().projects] == [DEMO]
    assert source.validity(None) != before
    assert upstream.paths("/simple/") == []


def test_a_quarantined_project_gives_out_nothing(room: Room, upstream: FakeUpstream) -> None:
    """PEP 792, as the upstream says it."""
    upstream.add(DEMO, a_wheel(), extra={"project-status": {"status": "quarantined"}})
    source = room.source()
    assert source.project_detail(DEMO).status is ProjectStatus.QUARANTINED
    with pytest.raises(UnknownFile):
        source.file(DEMO, "demo_pkg-1.0-py3-none-any.whl")


def test_administrators_see_how_an_upstream_fares(room: Room) -> None:
    """When it answered and when not, and why; never its password."""
    url = room.upstream.url
    source = room.source(username="alice", password="the secret")
    source.validity(DEMO)
    state = source.state()
    assert (state.key, state.url, state.kept_pages, state.waiting, state.why) == (KEY, url, 1, 0, "")
    assert state.last_success is not None
    room.upstream.misbehave(".*", status=500)
    with pytest.raises(UpstreamFailed):
        source.validity(OTHER)
    state = source.state()
    assert state.last_failure is not None
    assert state.why == "it answers 500"
    assert "the secret" not in repr(state)
    assert "the secret" not in repr(source._upstream.config)
