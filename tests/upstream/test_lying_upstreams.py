"""Files that are not what was promised: nobody gets the whole of a lie, and nothing of it is kept."""

from __future__ import annotations

import hashlib
import logging

import pytest

from errors import UpstreamFailed
from tests.upstream.conftest import DEMO, FILE, KEY, LARGE, WHEEL, Room, a_wheel, taken_in, whole
from tests.upstream.fake_upstream import FakeUpstream
from upstream.fetching import HELD_BACK


def test_s130_other_bytes_than_promised_are_never_had_whole_and_never_kept(
    room: Room, upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is cut short before its end; the incident is in the log, and no record is made."""
    wheel = a_wheel(padding=LARGE)
    upstream.add(DEMO, wheel)
    lie = wheel.content[:-1] + bytes([wheel.content[-1] ^ 1])
    upstream.misbehave(FILE, body=lie, pause_at=LARGE // 2)
    source = room.source()
    got: list[bytes] = []
    file = source.open(source.file(DEMO, WHEEL))
    upstream.gate.set()
    with file, pytest.raises(UpstreamFailed, match="nothing was kept"):
        got.extend(iter(lambda: file.read(1 << 14), b""))
    assert sum(map(len, got)) <= len(lie) - HELD_BACK
    assert room.taken == []
    assert room.store.used_bytes() == 0
    assert list((room.store.root / "incoming").iterdir()) == []
    (incident,) = [entry for entry in caplog.records if "sent other bytes of" in entry.getMessage()]
    assert incident.levelno == logging.ERROR
    upstream.behave()
    assert taken_in(source)[1] == wheel.content


def test_s130_of_a_small_lie_nothing_is_had(room: Room, upstream: FakeUpstream) -> None:
    """A file below the size that is held back comes verified or not at all."""
    wheel = upstream.projects[DEMO].files[0]
    upstream.misbehave(FILE, body=b"x" * len(wheel.content), pause_at=len(wheel.content) - 1)
    source = room.source()
    file = source.open(source.file(DEMO, WHEEL))
    upstream.gate.set()
    with file, pytest.raises(UpstreamFailed):
        file.read(1)


@pytest.mark.parametrize("without_length", [False, True])
def test_s131_a_truncated_file_is_not_kept(room: Room, upstream: FakeUpstream, *, without_length: bool) -> None:
    """Whether the upstream said how long it would be or not."""
    upstream.misbehave(FILE, cut=300, without_length=without_length)
    source = room.source()
    with pytest.raises(UpstreamFailed, match="was cut off"):
        taken_in(source)
    assert room.taken == []
    upstream.behave()
    assert taken_in(source)[1] == upstream.projects[DEMO].files[0].content


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"body": b"short"}, "sends 5 bytes where its page says"),
        ({"status": 404}, "answers 404"),
        ({"status": 500}, "answers 500"),
    ],
    ids=str,
)
def test_what_is_wrong_from_the_start_is_503_from_the_start(
    room: Room, upstream: FakeUpstream, what: dict[str, object], why: str
) -> None:
    """No answer is begun that cannot be finished."""
    upstream.misbehave(FILE, **what)
    source = room.source()
    with pytest.raises(UpstreamFailed, match=why):
        whole(source.open(source.file(DEMO, WHEEL)))
    assert room.taken == []


@pytest.mark.parametrize("has_digest", [True, False])
def test_a_coding_that_is_said_of_a_file_is_believed_only_by_its_digest(
    room: Room, upstream: FakeUpstream, *, has_digest: bool
) -> None:
    """Web servers say "gzip" of a tar.gz as it lies there; without a digest nobody knows what they mean."""
    wheel = upstream.projects[DEMO].files[0]
    if not has_digest:
        wheel.extra = {"hashes": {}}
    upstream.misbehave(FILE, headers={"Content-Encoding": "gzip"})
    if has_digest:
        assert taken_in(room.source())[1] == wheel.content
        return
    with pytest.raises(UpstreamFailed, match="coding that was not asked for"):
        taken_in(room.source())


def test_more_bytes_than_promised_are_not_taken(room: Room, upstream: FakeUpstream) -> None:
    """Where the upstream does not say how many come."""
    body = upstream.projects[DEMO].files[0].content
    upstream.misbehave(FILE, body=body + b"more", without_length=True)
    source = room.source()
    with pytest.raises(UpstreamFailed, match="more bytes than it said"):
        taken_in(source)


def test_s130_other_bytes_than_an_md5_promises_are_not_kept(room: Room, upstream: FakeUpstream) -> None:
    """Whatever digest there is, is verified."""
    upstream.projects[DEMO].files[0].extra = {"hashes": {"md5": "ab" * 16}}
    with pytest.raises(UpstreamFailed, match="other bytes"):
        room.source().file(DEMO, WHEEL)
    assert room.taken == []


def test_s138_a_file_that_changes_upstream_stays_what_it_was(
    room: Room, upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    """The old bytes are served under the old digest, and the change is told: once in the log, and in the record."""
    source = room.source()
    _, body = taken_in(source)
    changed = a_wheel(padding=100)
    upstream.add(DEMO, changed)
    for _ in range(2):
        room.expire()
        (file,) = source.project_detail(DEMO).files
        assert (file.sha256, file.size) == (hashlib.sha256(body).hexdigest(), len(body))
    assert taken_in(source)[1] == body
    assert upstream.paths("/files/.*") == [FILE]
    alarms = [entry for entry in caplog.records if "another digest" in entry.getMessage()]
    assert [entry.levelno for entry in alarms] == [logging.ERROR]
    (told,) = room.files.changed(KEY)
    assert (told.filename, told.told_digest) == (WHEEL, f"sha256={changed.sha256}")


def test_s138_a_file_that_was_only_listed_stays_what_it_was_listed_as(room: Room, upstream: FakeUpstream) -> None:
    """Its first bytes can no longer be had, and the others are not taken for it until an administrator forgets it."""
    source = room.source()
    source.validity(DEMO)
    first = upstream.projects[DEMO].files[0]
    changed = a_wheel(padding=100)
    upstream.add(DEMO, changed)
    room.expire()
    assert source.file(DEMO, WHEEL).sha256 == first.sha256
    with pytest.raises(UpstreamFailed):
        taken_in(source)
    source.forget(DEMO)
    assert taken_in(source)[1] == changed.content


def test_s138_a_file_that_goes_and_comes_back_as_another_is_known(room: Room, upstream: FakeUpstream) -> None:
    """What was taken in is remembered, also when its page has forgotten it."""
    source = room.source()
    _, body = taken_in(source)
    for files in ([], [a_wheel(padding=100)]):
        upstream.add(DEMO, *files)
        room.expire()
        source.validity(DEMO)
    assert taken_in(source)[1] == body


def test_a_file_that_was_evicted_is_fetched_again(room: Room, upstream: FakeUpstream) -> None:
    """And held against what it was."""
    source = room.source()
    record, body = taken_in(source)
    room.store.remove(record.location)
    assert taken_in(source)[1] == body
    assert upstream.paths("/files/.*") == [FILE, FILE]
    room.store.remove(record.location)
    upstream.misbehave(FILE, body=b"x" * len(body))
    with pytest.raises(UpstreamFailed):
        taken_in(source)
