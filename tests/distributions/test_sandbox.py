"""Tests of distributions.sandbox: what happens to the child never happens to the server."""

from __future__ import annotations

import gzip
import os
import signal
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from distributions import sandbox, sandboxed
from distributions.reading import read_distribution
from distributions.sandbox import Inspector
from errors import Disagreement, InvalidArchive, InvalidFilename, InvalidMetadata, InvalidVersion, StorageFailed
from tests.factory import build_sdist, build_wheel, core_metadata

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

WHEEL = "sample-1.0-py3-none-any.whl"


@pytest.fixture
def inspector() -> Iterator[Inspector]:
    """An inspector that is closed afterwards."""
    inspector = Inspector()
    yield inspector
    inspector.close()


def pids(inspector: Inspector) -> list[int]:
    """The processes that wait for work."""
    return [child.process.pid for child in inspector._idle]


def slow_sdist(directory: Path) -> Path:
    """An sdist of 60 MiB of zeros: small, allowed, and a good part of a second's work."""
    info = tarfile.TarInfo("sample-1.0/zeros")
    info.size = 60 << 20
    path = directory / "sample-1.0.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf() + bytes(info.size + 1024), 1))
    return path


def test_the_child_says_what_the_reader_says(tmp_path: Path, inspector: Inspector) -> None:
    """Wheels and sdists come back equal to what a reading in this process gives, descriptions and warnings too."""
    wheel = build_wheel(tmp_path, description="# Grüße\n\n" + "x" * 100_000, requires_dist=["a>1"])
    for path in (wheel, build_sdist(tmp_path), build_sdist(tmp_path, extension=".zip")):
        assert inspector.inspect(path, path.name) == read_distribution(path, path.name)
    assert len(pids(inspector)) == 1


def test_refusals_come_back_as_the_same_class(tmp_path: Path, inspector: Inspector) -> None:
    """Each refusal keeps its class and its sentence."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"no zip")
    other = build_wheel(tmp_path, metadata=core_metadata("other"))
    faulty = build_sdist(tmp_path, metadata="Name: sample\n")
    cases = (
        (broken, WHEEL, InvalidArchive),
        (other, WHEEL, Disagreement),
        (faulty, faulty.name, InvalidMetadata),
        (broken, "../x.whl", InvalidFilename),
        (broken, "sample-one.tar.gz", InvalidVersion),
        (tmp_path / "nothing", WHEEL, StorageFailed),
    )
    for path, filename, kind in cases:
        with pytest.raises(kind) as there:
            inspector.inspect(path, filename)
        with pytest.raises(kind) as here:
            read_distribution(path, filename)
        assert type(there.value) is kind
        assert there.value.sentence == here.value.sentence


def test_legacy_names_follow_the_setting(tmp_path: Path, inspector: Inspector) -> None:
    """What is not accepted here is not accepted there."""
    path = build_sdist(tmp_path, extension=".zip")
    with pytest.raises(InvalidFilename):
        inspector.inspect(path, path.name, accept_legacy=False)


def test_a_child_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    """S60: past the deadline the file is refused, the child is gone and the next file is read."""
    inspector = Inspector(seconds=0.01)
    slow, wheel = slow_sdist(tmp_path), build_wheel(tmp_path)
    inspector._idle.append(sandbox._Child())
    time.sleep(0.5)  # it has started; now only the work counts
    (pid,) = pids(inspector)
    started = time.monotonic()
    with pytest.raises(InvalidArchive, match="within the limits"):
        inspector.inspect(slow, slow.name)
    assert time.monotonic() - started < 2
    assert not Path(f"/proc/{pid}").exists()
    inspector._seconds = 10
    assert inspector.inspect(wheel, wheel.name).metadata.name == "sample"
    inspector.close()


def test_a_child_that_died_is_replaced(tmp_path: Path, inspector: Inspector) -> None:
    """S60: whatever killed a waiting child, the next file is read by a fresh one."""
    path = build_wheel(tmp_path)
    for pause in (0.0, 0.2):
        inspector.inspect(path, path.name)
        (pid,) = pids(inspector)
        os.kill(pid, signal.SIGKILL)
        time.sleep(pause)
        assert inspector.inspect(path, path.name).size == path.stat().st_size
        assert pids(inspector) != [pid]


def test_a_child_that_dies_at_work_refuses_the_file(tmp_path: Path, inspector: Inspector) -> None:
    """S60: a file that kills a fresh child too is refused, and the server goes on."""
    slow, wheel = slow_sdist(tmp_path), build_wheel(tmp_path)

    killed: list[int] = []
    stop = threading.Event()

    def kill_children() -> None:
        while not stop.is_set():
            for pid in children():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.01)

    killer = threading.Thread(target=kill_children)
    killer.start()
    with pytest.raises(InvalidArchive, match="within the limits"):
        inspector.inspect(slow, slow.name)
    stop.set()
    killer.join()
    assert killed
    assert inspector.inspect(wheel, wheel.name).metadata.name == "sample"


def children() -> list[int]:
    """The children of this process, zombies included."""
    listed = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [int(pid) for file in listed for pid in file.read_text().split()]


def test_no_child_is_left(tmp_path: Path) -> None:
    """Closing ends every child and leaves no zombie; an inspector that was closed can still be asked."""
    path = build_wheel(tmp_path)
    before = set(children())
    inspector = Inspector()
    inspector.inspect(path, path.name)
    assert set(children()) - before
    inspector.close()
    assert set(children()) == before
    assert inspector.inspect(path, path.name).size
    assert set(children()) == before


def test_idle_children_end(tmp_path: Path) -> None:
    """A child without work ends by itself and is waited for; the next file gets a new one."""
    path = build_wheel(tmp_path)
    inspector = Inspector(idle=0.1)
    before = set(children())
    inspector.inspect(path, path.name)
    limit = time.monotonic() + 5
    while set(children()) != before and time.monotonic() < limit:
        time.sleep(0.02)
    assert set(children()) == before
    assert pids(inspector) == []
    assert inspector.inspect(path, path.name).size
    inspector.close()


def test_nothing_is_started_before_it_is_needed() -> None:
    """An inspector costs nothing until the first file; closing it twice is harmless."""
    before = set(children())
    inspector = Inspector()
    assert set(children()) == before
    inspector.close()
    inspector.close()


def test_many_threads_share_two_children(tmp_path: Path, inspector: Inspector) -> None:
    """Ten threads get the right answers from two children."""
    paths = [build_wheel(tmp_path, f"name{n}") for n in range(10)]
    wrong: list[str] = []

    def work(path: Path, name: str) -> None:
        found = [inspector.inspect(path, path.name).metadata.name for _ in range(5)]
        wrong.extend(other for other in found if other != name)

    threads = [threading.Thread(target=work, args=(path, f"name{n}")) for n, path in enumerate(paths)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 1 <= len(pids(inspector)) <= 2


def test_the_child_is_limited(tmp_path: Path, inspector: Inspector) -> None:
    """S60: the child may not take much memory, write files or burn the processor."""
    path = build_wheel(tmp_path)
    inspector.inspect(path, path.name)
    (pid,) = pids(inspector)
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    said = {line[:25].strip(): line[25:].split()[0] for line in limits[1:]}
    assert said["Max file size"] == "0"
    assert said["Max core file size"] == "0"
    assert sandboxed.MEMORY < int(said["Max address space"]) < 2 * sandboxed.MEMORY
    assert int(said["Max cpu time"]) < 60


def test_the_child_inherits_no_secrets(tmp_path: Path, inspector: Inspector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the child holds nothing of the server's."""
    monkeypatch.setenv("PYPI_SECRET_KEY", "hidden")
    path = build_wheel(tmp_path)
    inspector.inspect(path, path.name)
    (pid,) = pids(inspector)
    assert b"hidden" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_interrupts_are_for_the_server(tmp_path: Path, inspector: Inspector) -> None:
    """Ctrl-C reaches the whole group; the child leaves it to the server."""
    path = build_wheel(tmp_path)
    inspector.inspect(path, path.name)
    before = pids(inspector)
    os.kill(before[0], signal.SIGINT)
    inspector.inspect(path, path.name)
    assert pids(inspector) == before


def test_a_fork_starts_its_own_children(tmp_path: Path, inspector: Inspector) -> None:
    """After a fork neither process reads the other's answers."""
    path = build_wheel(tmp_path)
    inspector.inspect(path, path.name)
    mine = pids(inspector)
    forked = os.fork()
    if forked == 0:
        good = False
        try:
            good = pids(inspector) == [] and inspector.inspect(path, path.name).metadata.name == "sample"
            good = good and pids(inspector) != mine
            inspector.close()
        finally:
            os._exit(0 if good else 1)
    assert os.waitpid(forked, 0)[1] == 0
    assert inspector.inspect(path, path.name).metadata.name == "sample"
    assert pids(inspector) == mine


def test_asking_costs_little(tmp_path: Path, inspector: Inspector) -> None:
    """A warm child adds well under a few milliseconds to a reading."""
    path = build_wheel(tmp_path)
    times = []
    for _ in range(30):
        started = time.perf_counter()
        inspector.inspect(path, path.name)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.01
