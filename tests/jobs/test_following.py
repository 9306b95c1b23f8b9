"""Declared indexes follow their folders: what is put there appears, and clients can ask how fresh that is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from werkzeug.test import Client

from jobs.background import Background
from jobs.following import Follower
from jobs.sync import sync
from server import create_wsgi
from services import Services
from tests.conftest import TESTER
from tests.factory import build_wheel
from tests.indexes.declared import B_READS, THREE, pair


@pytest.fixture
def named(open_server: Callable[..., Services]) -> Services:
    """A server with three declared indexes; team-b follows its folder every minute."""
    return open_server(indexes_file=THREE, indexes_text=True)


@contextmanager
def client_of(services: Services) -> Iterator[Client]:
    """A client of the whole application."""
    front = create_wsgi(services)
    yield Client(front)
    front.close()


def put(services: Services, index: str, name: str) -> Path:
    """Lay a wheel into the folder of an index, as a person would."""
    folder = services.settings.data_path / f"@{index}" / name
    folder.mkdir(parents=True)
    return build_wheel(folder, name)


def projects(services: Services, index: str) -> list[str]:
    """What an index lists."""
    return [one.name for one in services.at(index).catalogue.projects(limit=10)]


def test_an_index_that_is_due_follows_its_folder(named: Services) -> None:
    """It alone; what lies in the folders of others waits for theirs."""
    put(named, "team-a", "alpha")
    put(named, "team-b", "beta")
    follower = Follower(named, {"team-b": 60})
    follower.run(threading.Event())
    assert projects(named, "team-b") == []
    began = time.monotonic()
    assert (follower.due(began), follower.due(began + 61)) == ([], ["team-b"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: began + 61)
        follower.run(threading.Event())
        assert follower.due(began + 61) == []
    assert (projects(named, "team-b"), projects(named, "team-a"), projects(named, "main")) == (["beta"], [], [])


def test_each_index_has_its_own_interval(named: Services) -> None:
    """The shortest says how often is looked."""
    follower = Follower(named, {"team-a": 10, "team-b": 60})
    began = time.monotonic()
    assert follower.seconds == 10
    assert follower.due(began + 11) == ["team-a"]
    assert follower.due(began + 61) == ["team-a", "team-b"]
    assert Follower(named, {}).seconds == 0


def test_what_cannot_be_taken_in_is_said_once(named: Services) -> None:
    """Not every minute; and again when it is there again."""
    folder = named.settings.data_path / "@team-b" / "gamma"
    folder.mkdir(parents=True)
    damaged = folder / "gamma-1.0-py3-none-any.whl"
    follower = Follower(named, {"team-b": 0})
    told = []
    for content in (b"no wheel", b"no wheel", None, b"no wheel"):
        if content is None:
            damaged.unlink()
        else:
            damaged.write_bytes(content)
        with capture_logs() as logs:
            follower.run(threading.Event())
        told.append([one["file"] for one in logs if one["event"] == "file not in line"])
    key = "@team-b/gamma/gamma-1.0-py3-none-any.whl"
    assert told == [[key], [], [], [key]]


def test_the_background_work_follows(named: Services) -> None:
    """Beside requests, in the first process only."""
    for is_first in (True, False):
        background = Background(named, is_first=is_first)
        background.start()
        try:
            names = {thread.name for thread in threading.enumerate()}
            assert ("background-follow" in names) is is_first
        finally:
            background.stop()


def test_clients_ask_how_fresh_their_index_is(named: Services) -> None:
    """In seconds since 1970; 0 while it was never in line with its folder. Each index for itself."""
    with client_of(named) as client:
        assert client.get("/index_mtime/", headers=B_READS).text == "0"
        before = int(time.time())
        sync(named, by=TESTER, index="team-b")
        answer = client.get("/index_mtime/", headers=B_READS)
        assert answer.mimetype == "text/plain"
        assert before <= int(answer.text) <= time.time()
        assert client.get("/index_mtime/", headers=pair("prod", "p reads")).text == "0"
        sync(named, by=TESTER)
        assert client.get("/index_mtime/", headers=pair("prod", "p reads")).text != "0"
        assert client.get("/index_mtime/", headers=pair("prod", "wrong")).status_code == 401


def test_a_sync_of_one_index_reads_its_folder_only(named: Services) -> None:
    """And follows no link out of the store."""
    put(named, "team-b", "beta")
    elsewhere = build_wheel(named.settings.data_path.parent, "alpha").parent
    (named.settings.data_path / "@team-a").symlink_to(elsewhere)
    assert [one.key for one in named.storage.walk("@team-b")] == ["@team-b/beta/beta-1.0-py3-none-any.whl"]
    assert list(named.storage.walk("@team-a")) == []
    assert list(named.storage.walk("@absent")) == []
