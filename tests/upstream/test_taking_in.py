"""Files of upstreams: read while they come, fetched once, kept only when they are what was promised."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from errors import DatabaseBusy, UnknownFile, UpstreamFailed
from tests.conftest import ROOT
from tests.upstream.conftest import (
    DEMO,
    FILE,
    KEY,
    LARGE,
    WHEEL,
    Room,
    a_wheel,
    eventually,
    incompressible,
    taken_in,
    whole,
)  # fmt: skip
from tests.upstream.fake_upstream import FakeFile, FakeUpstream


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


def test_a_server_that_stops_breaks_off_what_it_fetches(room: Room, upstream: FakeUpstream) -> None:
    """Nothing of it is left, and nothing is written after that: the next start fetches it anew."""
    upstream.add(DEMO, a_wheel(padding=LARGE))
    upstream.misbehave(FILE, slowly=1000)
    source = room.source()
    with source.open(source.file(DEMO, WHEEL)) as file:
        assert file.read(10)
        room.hub.close()
        with pytest.raises(UpstreamFailed, match="being stopped"):
            whole(file)
    assert list((room.store.root / "incoming").iterdir()) == []
    assert room.taken == []


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
