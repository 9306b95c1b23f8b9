"""Bytes by digest: whole or not at all, within a limit, and nothing that is read goes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from errors import MissingBytes, StorageFailed, StorageFull
from storage.digests import DigestFolder
from upstream.keeping import ByteStore


def key_of(body: bytes) -> str:
    """The key of some bytes."""
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> DigestFolder:
    """A folder that takes 1,000 bytes."""
    return DigestFolder(tmp_path / "upstream", 1000)


def put(folder: DigestFolder, body: bytes, *, used: float = 0.0) -> str:
    """Bytes that were last used so many seconds ago."""
    key = key_of(body)
    folder.put(key, body)
    age(folder, key, used)
    return key


def age(folder: DigestFolder, key: str, seconds: float) -> None:
    """Let bytes have been used last so many seconds ago."""
    at = time.time() - seconds
    os.utime(folder._path(key), (at, at))


def test_it_is_what_upstreams_need(folder: DigestFolder) -> None:
    """The protocol, as the type checker sees it, and each of its methods."""
    store: ByteStore = folder
    assert {name for name in dir(ByteStore) if not name.startswith("_")} <= set(dir(store))


def test_bytes_lie_under_their_digest(folder: DigestFolder) -> None:
    """Plain files, two levels, so that a person can look into them."""
    key = put(folder, b"hello")
    assert (folder.root / key[:2] / key).read_bytes() == b"hello"
    assert folder.size(key) == 5
    with folder.open(key) as file:
        assert file.read() == b"hello"
    folder.put(key, b"hello")
    folder.remove(key)
    folder.remove(key)
    assert folder.size(key) is None
    with pytest.raises(MissingBytes):
        folder.open(key)


@pytest.mark.parametrize("key", ["", "abc", "../" + "a" * 64, "A" * 64, "a" * 64 + "/x", "a" * 64 + ".x/y", "g" * 64])
def test_a_key_is_a_digest_and_nothing_else(folder: DigestFolder, key: str) -> None:
    """No path is ever made of anything else."""
    for ask in (folder.size, folder.open, folder.remove):
        with pytest.raises(ValueError, match="no key"):
            ask(key)
    with pytest.raises(ValueError, match="no name of a part"):
        folder.begin(key)


def test_a_link_is_not_followed(folder: DigestFolder, tmp_path: Path) -> None:
    """Nothing in the folder leads out of it."""
    key = put(folder, b"hello")
    folder.remove(key)
    (tmp_path / "secret").write_text("secret")
    folder._path(key).symlink_to(tmp_path / "secret")
    with pytest.raises(StorageFailed):
        folder.open(key)


def test_a_part_is_read_while_it_is_written_and_whole_when_it_is_finished(folder: DigestFolder) -> None:
    """A handle on it stays good when it gets its place."""
    key = key_of(b"hello world")
    part = folder.begin(key)
    assert part is not None
    part.write(b"hello ")
    with part.open() as early:
        assert early.read() == b"hello "
        assert folder.size(key) is None
        part.write(b"world")
        part.finish(key)
        part.drop()
        assert early.read() == b"world"
    with part.open() as late, folder.open(key) as stored:
        assert late.read() == stored.read() == b"hello world"
    assert list((folder.root / "incoming").iterdir()) == []


def test_what_is_dropped_leaves_nothing(folder: DigestFolder) -> None:
    """Nobody opens it any more; who has it open reads on."""
    part = folder.begin("a" * 64)
    assert part is not None
    part.write(b"hello")
    with part.open() as early:
        part.drop()
        part.drop()
        assert early.read() == b"hello"
    with pytest.raises(MissingBytes):
        part.open()
    assert list((folder.root / "incoming").iterdir()) == []


def test_one_writes_a_part_and_others_follow(folder: DigestFolder, tmp_path: Path) -> None:
    """Between processes, by a lock on the part; they see when it is over."""
    other = DigestFolder(tmp_path / "upstream", 1000)
    key = key_of(b"hello")
    assert other.follow(key) is None
    part = folder.begin(key)
    assert part is not None
    assert other.begin(key) is None
    followed = other.follow(key)
    assert followed is not None
    part.write(b"hel")
    assert (followed.size(), followed.is_over()) == (3, False)
    with followed.open() as file:
        part.write(b"lo")
        part.finish(key)
        assert file.read() == b"hello"
    assert followed.is_over()
    with pytest.raises(MissingBytes):
        followed.open()
    followed.close()
    again = other.begin(key)
    assert again is not None
    again.drop()


def test_a_part_of_a_process_that_died_is_begun_anew(folder: DigestFolder) -> None:
    """Its bytes are not gone on with: nobody knows how many of them are on the disk."""
    path = folder.root / "incoming" / f"{'a' * 64}.part"
    path.write_bytes(b"half of it")
    part = folder.begin("a" * 64)
    assert part is not None
    assert path.read_bytes() == b""
    part.drop()


def test_a_start_sweeps_what_a_crash_left(folder: DigestFolder) -> None:
    """And nothing that somebody is writing."""
    (folder.root / "incoming" / f"{'a' * 64}.part").write_bytes(b"left")
    (folder.root / "incoming" / "tmpabc").write_bytes(b"left")
    part = folder.begin("b" * 64)
    assert part is not None
    assert folder.sweep() == 2
    assert [path.name for path in (folder.root / "incoming").iterdir()] == [f"{'b' * 64}.part"]
    part.finish("b" * 64)


def test_a_full_disk_is_told_and_leaves_nothing(folder: DigestFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere: 503, and the part is gone."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFull):
        folder.put("a" * 64, b"hello")
    assert list((folder.root / "incoming").iterdir()) == []


def test_what_was_used_longest_ago_goes_first(folder: DigestFolder) -> None:
    """Until the rest is within the limit; what belongs to a file goes with it."""
    old, older, new = (put(folder, bytes([n]) * 400, used=used) for n, used in ((1, 2000), (2, 3000), (3, 1000)))
    folder.put(f"{older}.metadata", b"m" * 50)
    age(folder, f"{older}.metadata", 3000)
    assert folder.used_bytes() == 1250
    evicted = folder.evict()
    assert (evicted.keys, evicted.size) == ((older,), 450)
    assert folder.size(f"{older}.metadata") is None
    assert (folder.size(old), folder.size(new)) == (400, 400)
    assert folder.evict().keys == ()


def test_what_is_used_stays(folder: DigestFolder) -> None:
    """Use is noted in memory and flushed; a request waits for no write."""
    first, second, third = (put(folder, bytes([n]) * 400, used=5000 - n) for n in range(3))
    before = folder._path(first).stat().st_mtime
    folder.open(first).close()
    assert folder._path(first).stat().st_mtime == before
    assert folder.flush_uses() == 1
    assert folder._path(first).stat().st_mtime > before
    assert folder.flush_uses() == 0
    assert folder.evict().keys == (second,)
    assert folder.size(third) == 400


def test_what_is_being_read_never_goes(folder: DigestFolder) -> None:
    """However long ago it was begun."""
    first, second, third = (put(folder, bytes([n]) * 400, used=5000 - n) for n in range(3))
    with folder.open(first) as file:
        folder.flush_uses()
        age(folder, first, 6000)
        assert folder.evict().keys == (second,)
        assert file.read() == bytes([0]) * 400
    age(folder, first, 6000)
    put(folder, b"x" * 400)
    assert folder.evict().keys == (first,)
    assert folder.size(third) == 400


def test_what_was_used_a_moment_ago_stays_though_the_limit_is_passed(folder: DigestFolder) -> None:
    """Another process may be reading it."""
    keys = [put(folder, bytes([n]) * 400) for n in range(4)]
    assert folder.evict().keys == ()
    for key in keys:
        age(folder, key, 301)
    assert len(folder.evict().keys) == 2


def test_uses_of_what_is_gone_are_forgotten(folder: DigestFolder) -> None:
    """Also of a file of which only its metadata is here."""
    key = put(folder, b"hello")
    folder.open(key).close()
    folder.remove(key)
    folder.put(f"{key}.metadata", b"m")
    with folder.open(f"{key}.metadata") as file:
        assert file.read() == b"m"
    assert folder.flush_uses() == 0


@pytest.mark.parametrize("ask", [lambda f: f.size("a" * 64), lambda f: f.begin("a" * 64), lambda f: f.evict()])
def test_a_folder_that_cannot_be_read_is_told_as_such(
    folder: DigestFolder, monkeypatch: pytest.MonkeyPatch, ask: Callable[[DigestFolder], object]
) -> None:
    """By the refusals of every store."""

    def fails(*_: object, **__: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "stat", fails)
    monkeypatch.setattr(Path, "iterdir", fails)
    monkeypatch.setattr(os, "open", fails)
    with pytest.raises(StorageFailed):
        ask(folder)
