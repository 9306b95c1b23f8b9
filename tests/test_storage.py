"""The store in a folder: what came in stays, what fails leaves nothing, and nothing leads out of it."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from errors import MissingBytes, StorageFailed, StorageFull
from storage.filesystem import FilesystemStorage, IncomingFile
from storage.locks import hold

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStorage:
    """An empty store."""
    return FilesystemStorage(tmp_path / "store")


def put(store: FilesystemStorage, key: str, content: bytes) -> None:
    """Store some bytes."""
    with store.receive() as incoming:
        incoming.write(content)
        incoming.finish()
        store.put(incoming, key)


def incoming_files(store: FilesystemStorage) -> list[Path]:
    """What lies among the incoming files."""
    return list((store.root / ".state" / "incoming").iterdir())


def test_what_was_put_can_be_opened(store: FilesystemStorage) -> None:
    """The bytes come back, and lie under the plain name."""
    put(store, "sample/sample-1.0.tar.gz", b"bytes")
    with store.open("sample/sample-1.0.tar.gz") as file:
        assert file.read() == b"bytes"
    assert (store.root / "sample" / "sample-1.0.tar.gz").read_bytes() == b"bytes"
    assert incoming_files(store) == []


def test_digests_come_with_the_bytes(store: FilesystemStorage) -> None:
    """All three digests are those of what was written, however it was cut into pieces."""
    content = random.Random(3).randbytes(70_000)
    with store.receive() as incoming:
        for start in range(0, len(content), 999):
            incoming.write(content[start : start + 999])
        digests = incoming.finish()
    assert digests.sha256 == hashlib.sha256(content).hexdigest()
    assert digests.md5 == hashlib.md5(content).hexdigest()
    assert digests.blake2b == hashlib.blake2b(content, digest_size=32).hexdigest()
    assert incoming_files(store) == []


def test_what_is_in_the_way_is_moved_aside(store: FilesystemStorage) -> None:
    """A file that a person dropped is never overwritten: it goes to the trash."""
    (store.root / "sample").mkdir()
    (store.root / "sample" / "x.whl").write_bytes(b"a person's")
    put(store, "sample/x.whl", b"ours")
    with store.open("sample/x.whl") as file:
        assert file.read() == b"ours"
    assert [path.read_bytes() for path in (store.root / ".state" / "trash").rglob("x.whl")] == [b"a person's"]


def test_missing_bytes_are_told_apart(store: FilesystemStorage) -> None:
    """What is not there is MissingBytes; setting it aside is no error."""
    with pytest.raises(MissingBytes):
        store.open("sample/none.whl")
    store.set_aside("sample/none.whl")


def test_what_is_removed_is_gone(store: FilesystemStorage) -> None:
    """Also its folder once that is empty; what is not there is no error; nothing goes to the trash."""
    for name in ("x.whl", "y.whl"):
        put(store, f"sample/{name}", b"ours")
    store.remove(["sample/x.whl"])
    assert [file.key for file in store.walk()] == ["sample/y.whl"]
    for _ in range(2):
        store.remove(["sample/none.whl", "sample/y.whl"])
    assert not (store.root / "sample").exists()
    assert list((store.root / ".state" / "trash").iterdir()) == []


def test_nothing_is_removed_through_a_link(store: FilesystemStorage, tmp_path: Path) -> None:
    """F38: a link in place of a folder does not lead a removal out of the store."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.whl").write_bytes(b"a person's")
    (store.root / "sample").symlink_to(tmp_path / "outside")
    with pytest.raises(StorageFailed):
        store.remove(["sample/x.whl"])
    assert (tmp_path / "outside" / "x.whl").exists()


@pytest.mark.parametrize("what", ["link", "folder link", "folder", "pipe"])
def test_only_plain_files_are_opened(store: FilesystemStorage, tmp_path: Path, what: str) -> None:
    """F38: links, also on the way, folders and pipes are refused, without waiting for a writer."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.whl").write_bytes(b"secret")
    folder = store.root / "sample"
    if what == "folder link":
        folder.symlink_to(tmp_path / "outside")
    else:
        folder.mkdir()
    if what == "link":
        (folder / "x.whl").symlink_to(tmp_path / "outside" / "x.whl")
    elif what == "folder":
        (folder / "x.whl").mkdir()
    elif what == "pipe":
        os.mkfifo(folder / "x.whl")
    with pytest.raises(StorageFailed):
        store.open("sample/x.whl")


def test_walk_finds_every_layout(store: FilesystemStorage, tmp_path: Path) -> None:
    """Flat and nested files are found in order; hidden ones and links are not."""
    for name in ("flat-1.0.tar.gz", "a/b/deep-1.0.tar.gz", "sample/sample-1.0.tar.gz", ".hidden", "sample/.part"):
        (store.root / name).parent.mkdir(parents=True, exist_ok=True)
        (store.root / name).write_bytes(b"x")
    (store.root / "link-1.0.tar.gz").symlink_to(store.root / "flat-1.0.tar.gz")
    assert sorted(file.key for file in store.walk()) == [
        "a/b/deep-1.0.tar.gz", "flat-1.0.tar.gz", "sample/sample-1.0.tar.gz",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "refusal"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StorageFailed)]
)
def test_a_failing_disk_leaves_nothing(
    store: FilesystemStorage, monkeypatch: pytest.MonkeyPatch, number: int, refusal: type[Exception]
) -> None:
    """F04, F07: an error while writing becomes its refusal, and the temporary file is gone at once."""

    class Failing:
        def __init__(self, real: object) -> None:
            self.real = real

        def write(self, view: memoryview) -> int:
            raise OSError(number, os.strerror(number))

        def __getattr__(self, name: str) -> object:
            return getattr(self.real, name)

    incoming = store.receive()
    assert isinstance(incoming, IncomingFile)
    monkeypatch.setattr(incoming, "_file", Failing(incoming._file))
    with pytest.raises(refusal):
        incoming.write(b"bytes")
    assert incoming_files(store) == []


def test_a_failed_sync_is_never_tried_again(store: FilesystemStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """F08: after fsync failed with EIO the file is not listed and the store takes nothing until it is opened anew."""

    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(StorageFailed):
            put(store, "sample/x.whl", b"bytes")
    assert not (store.root / "sample" / "x.whl").exists()
    assert incoming_files(store) == []
    with pytest.raises(StorageFailed):
        store.receive()
    with pytest.raises(StorageFailed):
        store.ping()
    put(FilesystemStorage(store.root), "sample/x.whl", b"bytes")


def test_a_full_disk_for_real(tmp_path: Path) -> None:
    """F07: with the real limit on file sizes an upload ends as StorageFull and leaves nothing."""
    script = f"""
import resource, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from errors import StorageFull
from storage.filesystem import FilesystemStorage
store = FilesystemStorage(Path({str(tmp_path)!r}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with store.receive() as incoming:
        for _ in range(1000):
            incoming.write(b"x" * 1000)
except StorageFull:
    print("full", len(list((store.root / ".state" / "incoming").iterdir())))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "full 0\n"


def test_the_sweep_takes_what_a_crash_left(store: FilesystemStorage) -> None:
    """Temporary files of a killed process go at the next start; those of a living one stay."""
    script = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from storage.filesystem import FilesystemStorage
incoming = FilesystemStorage(Path({str(store.root)!r})).receive()
incoming.write(b"half")
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", script], check=False, timeout=30)
    with store.receive() as mine:
        mine.write(b"under way")
        assert len(incoming_files(store)) == 2
        assert store.sweep(trash_days=30) == 1
        assert incoming_files(store) == [mine.path]


def test_the_sweep_empties_old_trash(store: FilesystemStorage) -> None:
    """What was moved aside stays for the days that were asked for."""
    put(store, "sample/x.whl", b"bytes")
    store.set_aside("sample/x.whl")
    assert store.sweep(trash_days=30) == 0
    (place,) = (store.root / ".state" / "trash").iterdir()
    os.utime(place, (time.time() - 31 * 86_400,) * 2)
    assert store.sweep(trash_days=30) == 1


def test_a_claim_is_held_by_one(store: FilesystemStorage) -> None:
    """While one thread claims a key, another waits; another key's claim does not."""
    order: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with store.claimed("sample/x.whl"):
            inside.set()
            time.sleep(0.2)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with store.claimed("sample/x.whl"):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_one_holder_of_a_lock(tmp_path: Path) -> None:
    """F28: what one process holds, another is refused, until the first is gone."""
    held = hold(tmp_path / "lock")
    assert held is not None
    assert hold(tmp_path / "lock") is None
    with held:
        pass
    again = hold(tmp_path / "lock")
    assert again is not None
    with again:
        pass
