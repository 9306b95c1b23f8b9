"""Files of upstreams: read while they come, fetched once, kept only when they are what was promised."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from errors import DatabaseBusy, UnknownFile, UpstreamFailed
from simple.sources import FileRecord
from tests.conftest import ROOT
from tests.upstream.conftest import DEMO, KEY, Room, a_wheel, incompressible
from tests.upstream.fake_upstream import FakeFile, FakeUpstream
from upstream.fetching import HELD_BACK
from upstream.source import UpstreamSource

WHEEL = "demo_pkg-1.0-py3-none-any.whl"
FILE = f"/files/{WHEEL}"
LARGE = 400_000


def whole(file: BinaryIO) -> bytes:
    """A file read to its end, as it comes."""
    with file:
        return b"".join(iter(lambda: file.read(1 << 18), b""))


def taken_in(source: UpstreamSource, filename: str = WHEEL) -> tuple[FileRecord, bytes]:
    """A file that is asked for, and its bytes."""
    record = source.file(DEMO, filename)
    return record, whole(source.open(record))


def eventually(is_so: Callable[[], object]) -> None:
    """Wait for something that another thread does."""
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen within ten seconds")


@pytest.fixture
def large(upstream: FakeUpstream) -> FakeFile:
    """demo-pkg 1.0 as a wheel of 400 kB, of which the first half comes and the rest when the gate is opened."""
    wheel = a_wheel(padding=LARGE)
    upstream.add(DEMO, wheel)
    upstream.misbehave(FILE, pause_at=LARGE // 2)
    return wheel


def test_a_file_is_taken_in_and_from_then_on_served_from_here(room: Room, upstream: FakeUpstream) -> None:
    """One request for it; its record has what it is, and the store has it by its digest."""
    wheel = upstream.projects[DEMO].files[0]
    record, body = taken_in(room.source())
    assert (body, record.sha256, record.size) == (wheel.content, wheel.sha256, len(wheel.content))
    assert (record.version, record.core_metadata_sha256) == ("1.0", "")
    assert taken_in(room.source())[1] == body
    assert upstream.paths("/files/.*") == [FILE]
    (taken,) = room.taken
    assert (taken.project, taken.version, taken.filename, taken.sha256) == (DEMO, "1.0", WHEEL, wheel.sha256)
    assert taken.size == len(body)
    assert room.files.of_project(KEY, DEMO) == {WHEEL: taken}
    (asked,) = [one for one in upstream.asked if one.path == FILE]
    assert asked.headers["Accept-Encoding"] == "identity"


def test_f22_the_client_gets_bytes_while_they_come(room: Room, upstream: FakeUpstream, large: FakeFile) -> None:
    """Before the upstream has sent all; and all of it in the end."""
    source = room.source()
    with source.open(source.file(DEMO, WHEEL)) as file:
        assert upstream.has_paused.wait(10)
        got = file.read(1 << 18)
        assert got
        assert large.content.startswith(got)
        upstream.gate.set()
        assert got + whole(file) == large.content


def test_f22_twenty_clients_cost_the_upstream_one_request(room: Room, upstream: FakeUpstream, large: FakeFile) -> None:
    """They come while it is under way, and each gets all of it."""
    source = room.source()
    record = source.file(DEMO, WHEEL)
    together = threading.Barrier(21, timeout=30)

    def client() -> bytes:
        file = source.open(record)
        together.wait()
        return whole(file)

    with ThreadPoolExecutor(20) as pool:
        clients = [pool.submit(client) for _ in range(20)]
        together.wait()
        upstream.gate.set()
        assert {one.result() for one in clients} == {large.content}
    assert upstream.paths("/files/.*") == [FILE]
    assert len(room.taken) == 1


def test_f22_a_client_that_leaves_does_not_end_the_fetch(room: Room, upstream: FakeUpstream, large: FakeFile) -> None:
    """What was begun is kept for the next one."""
    source = room.source()
    with source.open(source.file(DEMO, WHEEL)) as file:
        file.read(10)
    upstream.gate.set()
    eventually(lambda: room.taken)
    assert taken_in(source)[1] == large.content
    assert upstream.paths("/files/.*") == [FILE]


def test_other_processes_read_along(make_room: Callable[..., Room], upstream: FakeUpstream, large: FakeFile) -> None:
    """Two workers, one request; the second gets bytes before the first has all, and both record the same file."""
    first, second = make_room(), make_room()
    source, other = first.source(), second.source()
    leading = source.open(source.file(DEMO, WHEEL))
    following = other.open(other.file(DEMO, WHEEL))
    got = following.read(1000)
    assert large.content.startswith(got)
    assert not first.taken
    upstream.gate.set()
    assert got + whole(following) == large.content == whole(leading)
    assert upstream.paths("/files/.*") == [FILE]


def test_a_real_second_process_reads_along(room: Room, upstream: FakeUpstream, large: FakeFile, tmp_path: Path) -> None:
    """The lock on what comes in holds between processes, and a process that follows gets all of it."""
    source = room.source()
    leading = source.open(source.file(DEMO, WHEEL))
    code = (
        "import hashlib, sys\n"
        "from pathlib import Path\n"
        "from storage.digests import DigestFolder\n"
        "from database.engine import Database\n"
        "from database.upstream_files import UpstreamFiles\n"
        "from database.upstream_pages import UpstreamPages\n"
        "from upstream.hub import UpstreamConfig, UpstreamHub\n"
        "folder, url = Path(sys.argv[1]), sys.argv[2]\n"
        "database = Database(folder / 'index.sqlite3')\n"
        "store = DigestFolder(folder / 'upstream', 1 << 30)\n"
        "hub = UpstreamHub(UpstreamPages(database), UpstreamFiles(database), store)\n"
        "source = hub.source(UpstreamConfig('main/1', url, allow_private=True), print)\n"
        "record = source.file('demo-pkg', 'demo_pkg-1.0-py3-none-any.whl')\n"
        "file = source.open(record)\n"
        "start = file.read(1000)\n"
        "print('begun', flush=True)\n"
        "print(hashlib.sha256(start + b''.join(iter(lambda: file.read(1 << 18), b''))).hexdigest())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), upstream.url]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        upstream.gate.set()
        out = process.stdout.read()
    assert process.returncode == 0
    assert large.sha256 in out
    assert whole(leading) == large.content
    assert upstream.paths("/files/.*") == [FILE]


def test_when_the_process_that_fetches_dies_another_fetches_anew(
    make_room: Callable[..., Room], upstream: FakeUpstream
) -> None:
    """Its part is locked by nobody, and nobody takes it for the file."""
    room = make_room()
    wheel = upstream.projects[DEMO].files[0]
    (room.store.root / "incoming" / f"{room.source()._upstream.stored_as(wheel.sha256)}.part").write_bytes(b"half")
    assert taken_in(room.source())[1] == wheel.content


def test_s130_other_bytes_than_promised_are_never_had_whole_and_never_kept(
    room: Room, upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is cut short before its end; the incident is in the log, and no record is made."""
    wheel = a_wheel(padding=LARGE)
    upstream.add(DEMO, wheel)
    lie = wheel.content[:-1] + bytes([wheel.content[-1] ^ 1])
    upstream.misbehave(FILE, body=lie)
    source = room.source()
    record = source.file(DEMO, WHEEL)
    got: list[bytes] = []
    with source.open(record) as file, pytest.raises(UpstreamFailed, match="nothing was kept"):
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
        ({"headers": {"Content-Encoding": "gzip"}}, "coding that was not asked for"),
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


def test_more_bytes_than_promised_are_not_taken(room: Room, upstream: FakeUpstream) -> None:
    """Where the upstream does not say how many come."""
    body = upstream.projects[DEMO].files[0].content
    upstream.misbehave(FILE, body=body + b"more", without_length=True)
    source = room.source()
    with pytest.raises(UpstreamFailed, match="more bytes than it said"):
        taken_in(source)


@pytest.mark.parametrize("without_length", [False, True])
def test_a_size_that_the_page_does_not_tell_is_learnt_from_the_file(
    room: Room, upstream: FakeUpstream, *, without_length: bool
) -> None:
    """From the length that is announced, or else when all has come; and it is one request."""
    upstream.html_only = True
    upstream.misbehave(FILE, without_length=without_length)
    record, body = taken_in(room.source())
    assert record.size == len(body) == len(upstream.projects[DEMO].files[0].content)
    assert upstream.paths("/files/.*") == [FILE]


@pytest.mark.parametrize("algorithm", ["", "md5", "sha512"])
def test_a_digest_that_the_page_does_not_tell_is_learnt_from_the_file(
    room: Room, upstream: FakeUpstream, algorithm: str
) -> None:
    """Another algorithm's is verified; from then on it is known by its sha256."""
    wheel = upstream.projects[DEMO].files[0]
    wheel.extra = {"hashes": {algorithm: hashlib.new(algorithm, wheel.content).hexdigest()} if algorithm else {}}
    record, body = taken_in(room.source())
    assert (record.sha256, body) == (wheel.sha256, wheel.content)
    assert taken_in(room.source())[1] == wheel.content
    assert upstream.paths("/files/.*") == [FILE]
    room.expire()
    (file,) = room.source().project_detail(DEMO).files
    assert file.sha256 == wheel.sha256


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


def test_any_part_of_a_file_can_be_read_while_it_comes(room: Room, upstream: FakeUpstream, large: FakeFile) -> None:
    """Ranges wait for their bytes."""
    source = room.source()
    with source.open(source.file(DEMO, WHEEL)) as file:
        assert file.seek(1000) == 1000
        assert file.read(10) == large.content[1000:1010]
        upstream.gate.set()
        file.seek(-10, os.SEEK_END)
        assert file.read(100) == large.content[-10:]
        assert file.read(1) == b""
        assert file.tell() == len(large.content)
        file.seek(5)
        assert file.read(5) == large.content[5:10]


def test_a_file_that_no_page_lists_is_not_there(room: Room, upstream: FakeUpstream) -> None:
    """Nothing is asked of the upstream but its page."""
    source = room.source()
    with pytest.raises(UnknownFile):
        source.file(DEMO, "demo_pkg-9.9-py3-none-any.whl")
    assert upstream.paths("/files/.*") == []


def test_a_file_that_another_worker_has_shown_is_known(make_room: Callable[..., Room], upstream: FakeUpstream) -> None:
    """A client that read a new page from one worker asks another one for the file."""
    first, second = make_room(), make_room()
    second.source().validity(DEMO)
    upstream.add(DEMO, a_wheel(), a_wheel("2.0"), serial=8)
    first.expire()
    assert first.source().project_detail(DEMO).versions == ("1.0", "2.0")
    assert second.source().file(DEMO, "demo_pkg-2.0-py3-none-any.whl").version == "2.0"
    assert upstream.paths("/simple/.*") == ["/simple/demo-pkg/"] * 2


def test_bytes_that_are_here_already_are_not_fetched_for_another_index(room: Room, upstream: FakeUpstream) -> None:
    """Two upstreams that everybody may read share them; each has a record of its own."""
    body = upstream.projects[DEMO].files[0].content
    first, second = room.source(key="dev/1"), room.source(key="prod/1")
    for source in (first, second):  # as if it were on the open internet
        source._upstream.stored_as = lambda sha256: sha256  # type: ignore[method-assign]
        assert taken_in(source)[1] == body
    assert upstream.paths("/files/.*") == [FILE]
    assert [set(room.files.of_project(key, DEMO)) for key in ("dev/1", "prod/1")] == [{WHEEL}, {WHEEL}]


def test_the_bytes_of_a_closed_upstream_are_its_own(room: Room) -> None:
    """Nobody gets at them by listing their digest on a page of another index."""
    public = "https://index.example.com/simple/"
    sources = [
        room.source(key="a", url=public, allow_private=False),
        room.source(key="b", url=public, allow_private=False),
        room.source(key="c", url=public, allow_private=False, username="u", password="p"),
        room.source(key="d", url=public, allow_private=False, username="u", password="p"),
        room.source(key="e", url=public),
    ]
    keys = [source._upstream.stored_as("ab" * 32) for source in sources]
    assert keys[0] == keys[1] == "ab" * 32
    assert len(set(keys)) == 4


def test_a_record_that_could_not_be_made_is_made_with_the_next_download(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client gets its file all the same: the bytes are verified and kept."""

    def busy(*_: object) -> None:
        raise DatabaseBusy

    source = room.source()
    monkeypatch.setattr(source, "_taken", busy)
    _, body = taken_in(source)
    assert room.files.of_project(KEY, DEMO) == {}
    assert taken_in(room.source())[1] == body
    assert set(room.files.of_project(KEY, DEMO)) == {WHEEL}


def test_the_padding_of_these_tests_cannot_be_packed() -> None:
    """Else the wheels would be far smaller than they say."""
    assert len({incompressible(800)[i : i + 8] for i in range(0, 800, 8)}) == 100
    assert len(a_wheel(padding=LARGE).content) > LARGE
