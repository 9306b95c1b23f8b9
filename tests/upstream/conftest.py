"""A fake upstream, and a room of upstreams over a real database and a real folder."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from packaging.utils import NormalizedName

from database import schema
from database.engine import Database
from database.upstream_files import UpstreamFiles, record_taken
from database.upstream_pages import UpstreamPages
from simple.kept import TakenFile
from simple.sources import FileRecord
from storage.digests import DigestFolder
from tests.factory import wheel_members, zip_bytes
from tests.upstream.fake_upstream import FakeFile, FakeUpstream, fake_upstream
from upstream.client import Limits
from upstream.hub import UpstreamHub
from upstream.source import UpstreamSource
from upstream.upstream import UpstreamConfig

DEMO = NormalizedName("demo-pkg")
KEY = "main/1"
WHEEL = "demo_pkg-1.0-py3-none-any.whl"
FILE = f"/files/{WHEEL}"
LARGE = 400_000


def a_wheel(version: str = "1.0", name: str = "demo-pkg", *, padding: int = 0, **changes: Any) -> FakeFile:
    """A wheel; ``padding`` bytes that cannot be packed make it larger."""
    files = {f"{name.replace('-', '_')}/__init__.py": b"answer = 42\n"}
    if padding:
        files["data.bin"] = incompressible(padding)
    body = zip_bytes(wheel_members(name, version, files=files))
    return FakeFile(f"{name.replace('-', '_')}-{version}-py3-none-any.whl", body, **changes)


def incompressible(size: int) -> bytes:
    """Bytes that look random and are the same each time."""
    return random.Random(size).randbytes(size)


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


@dataclass
class Room:
    """The room of upstreams as one process has it, and what it kept."""

    upstream: FakeUpstream
    database: Database
    store: DigestFolder
    hub: UpstreamHub
    taken: list[TakenFile] = field(default_factory=list)

    def source(self, **changes: Any) -> UpstreamSource:
        """A source for the fake upstream, or for one that is configured otherwise."""
        values = {"key": KEY, "url": self.upstream.url, "allow_private": True, **changes}
        key = str(values["key"])

        def record(file: TakenFile) -> None:
            with self.database.writing() as change:
                record_taken(change, key, file)
            self.taken.append(file)

        return self.hub.source(UpstreamConfig(**values), record)

    @property
    def pages(self) -> UpstreamPages:
        """The pages that are kept."""
        return UpstreamPages(self.database)

    @property
    def files(self) -> UpstreamFiles:
        """The record of files."""
        return UpstreamFiles(self.database)

    def expire(self, name: NormalizedName = DEMO) -> None:
        """Let a page's time be over, as if ten minutes had passed, also in memory."""
        kept = self.pages.load(KEY, name)
        assert kept is not None
        long_ago = timedelta(seconds=700)
        self.pages.save(KEY, name, replace(kept, fetched=kept.fetched - long_ago, expires=kept.expires - long_ago))
        self.hub._page_tools.memory.drop((KEY, name))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared database file, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "index.sqlite3"
    with closing(Database(path)) as made:
        schema.prepare(made)
        made.quick("PRAGMA wal_checkpoint(TRUNCATE)", ())
    return path


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """A fake upstream with demo-pkg 1.0."""
    with fake_upstream() as running:
        running.add(DEMO, a_wheel())
        yield running


@pytest.fixture
def make_room(upstream: FakeUpstream, tmp_path: Path, empty_database: Path) -> Iterator[Callable[..., Room]]:
    """Makes rooms that share what is kept, as several processes do, with limits of their own."""
    with ExitStack() as stack:
        path = tmp_path / "index.sqlite3"
        shutil.copy(empty_database, path)

        def make(*, max_bytes: int = 1 << 30, hub: Any = None, **limits: Any) -> Room:
            database = stack.enter_context(closing(Database(path)))
            store = DigestFolder(tmp_path / "upstream", max_bytes)
            pages, files = UpstreamPages(database), UpstreamFiles(database)
            made = UpstreamHub(pages, files, store, limits=Limits(**limits), **(hub or {}))
            return Room(upstream, database, store, stack.enter_context(closing(made)))

        yield make


@pytest.fixture
def room(make_room: Callable[..., Room]) -> Room:
    """A room with the usual limits."""
    return make_room()


@pytest.fixture
def large(upstream: FakeUpstream) -> FakeFile:
    """demo-pkg 1.0 as a wheel of 400 kB, of which the first half comes and the rest when the gate is opened."""
    wheel = a_wheel(padding=LARGE)
    upstream.add(DEMO, wheel)
    upstream.misbehave(FILE, pause_at=LARGE // 2)
    return wheel
