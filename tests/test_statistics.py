"""Downloads are counted without a write for each, told apart by what clients say, and never lost to a busy database."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import func, select
from werkzeug.test import Client

from database import download_months
from database import statistics as counting
from database.download_figures import FIRST_DAY, DownloadFigures, Part, Share
from database.models import DownloadCount
from database.statistics import MOST_ROWS, Dimension, today
from errors import DatabaseBusy
from permissions import MAIN
from server import create_wsgi
from services import Services
from simple.model import ProjectStatus
from tests.conftest import ROOT, TESTER
from tests.factory import build_wheel
from tests.multipart_form import upload
from tests.outside import Live, send
from tests.web.conftest import publish_wheel

_LINUX = '"system":{"name":"Linux"},"distro":{"libc":{"lib":"glibc","version":"2.36"}}'
PIP = f'pip/26.0 {{"python":"3.12.1","cpu":"x86_64",{_LINUX}}}'
UV = 'uv/0.9.7 {"python":"3.13.1","cpu":"arm64","system":{"name":"Darwin"}}'


@pytest.fixture
def figures(services: Services) -> DownloadFigures:
    """The reader of the open server."""
    return services.at().download_figures


@contextmanager
def unwritable(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every change is refused, at once."""
    with monkeypatch.context() as patch:
        patch.setattr(services.database, "writing", _refused)
        yield


def _refused() -> Any:
    raise DatabaseBusy


def rows(services: Services) -> dict[tuple[str, str, str, str], int]:
    """The table: project, dimension, value and detail with their counts, whatever the day."""
    columns = DownloadCount.project, DownloadCount.dimension, DownloadCount.value, DownloadCount.detail
    with services.database.reading() as connection:
        found = connection.execute(select(*columns, func.sum(DownloadCount.count)).group_by(*columns))
        return {(row[0], row[1], row[2], row[3]): int(row[4]) for row in found}


def names(shares: list[Share]) -> list[tuple[str, int]]:
    """Shares without their parts."""
    return [(share.name, share.count) for share in shares]


# -- counting


def test_a_download_is_told_apart_in_every_dimension(services: Services) -> None:
    """Of its project and of the whole index; one dimension at a time."""
    services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP)
    assert services.at().downloads.waiting() == 1
    assert services.at().downloads.flush() == 1
    assert services.at().downloads.waiting() == 0
    of_client = {
        ("total", "", ""), ("python", "3.12", ""), ("installer", "pip", "26.0"),
        ("platform", "Linux x86-64", "glibc 2.36"),
    }  # fmt: skip
    assert rows(services) == {
        ("looms", "version", "1.0", "looms-1.0.tar.gz"): 1,
        ("", "project", "looms", ""): 1,
        **{(project, *key): 1 for project in ("", "looms") for key in of_client},
    }


def test_counts_add_up(services: Services, figures: DownloadFigures) -> None:
    """Over flushes, versions and clients: every dimension has the same sum, most first, with its parts."""
    for number, agent in enumerate([PIP, PIP, UV, "", PIP.replace("26.0", "25.3")]):
        services.at().downloads.count("looms", f"1.{number % 2}", f"looms-1.{number % 2}.tar.gz", agent)
        services.at().downloads.flush()
    services.at().downloads.count("attic", "1", "attic-1.tar.gz", UV)
    services.at().downloads.flush()
    assert names(figures.shares(Dimension.VERSION, 1, "looms")) == [("1.0", 3), ("1.1", 2)]
    assert names(figures.shares(Dimension.PYTHON, 1, "looms")) == [("3.12", 3), ("", 1), ("3.13", 1)]
    assert figures.shares(Dimension.INSTALLER, 1, "looms") == [
        Share("pip", 3, (Part("26.0", 2), Part("25.3", 1))),
        Share("", 1, (Part("", 1),)),
        Share("uv", 1, (Part("0.9.7", 1),)),
    ]
    assert names(figures.shares(Dimension.PLATFORM, 1)) == [("Linux x86-64", 3), ("macOS ARM64", 2), ("", 1)]
    assert services.at().downloads.total("looms") == 5
    assert services.at().downloads.total() == 6


def test_counting_moves_no_serial(services: Services, tmp_path: Path) -> None:
    """Pages stay valid: a flush writes no journal row."""
    publish_wheel(services, tmp_path)
    before = services.at().catalogue.stats()["serial"]
    services.at().downloads.count("sample", "1.0", "sample-1.0-py3-none-any.whl", PIP)
    services.at().downloads.flush()
    assert services.at().catalogue.stats()["serial"] == before


def test_threads_lose_none(services: Services) -> None:
    """Eight threads count while a ninth flushes all the time."""
    done = threading.Event()

    def count() -> None:
        for _ in range(500):
            services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP)

    def flush() -> None:
        while not done.is_set():
            services.at().downloads.flush()

    counting_threads = [threading.Thread(target=count) for _ in range(8)]
    flushing = threading.Thread(target=flush)
    for thread in (*counting_threads, flushing):
        thread.start()
    for thread in counting_threads:
        thread.join()
    done.set()
    flushing.join()
    services.at().downloads.flush()
    assert services.at().downloads.total() == services.at().downloads.total("looms") == 4000


def test_processes_add_their_parts(services: Services) -> None:
    """Several processes flush the same rows at once."""
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from database.engine import Database
from database.statistics import DownloadCounter
counter = DownloadCounter(Database(Path({str(services.settings.database_path)!r})))
for _ in range(20):
    for _ in range(5):
        counter.count("looms", "1.0", "looms-1.0.tar.gz", {PIP!r})
    counter.flush()
"""
    started = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [one.wait(60) for one in started] == [0, 0, 0]
    assert services.at().downloads.total("looms") == 300
    assert rows(services)["", "installer", "pip", "26.0"] == 300


# -- when the database cannot be written


def test_a_failed_flush_is_kept(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written waits with what comes after, and is written once."""
    services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP)
    with unwritable(services, monkeypatch):
        with pytest.raises(DatabaseBusy):
            services.at().downloads.flush()
        services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", UV)
        with pytest.raises(DatabaseBusy):
            services.at().downloads.flush()
        assert services.at().downloads.waiting() == 2
    assert services.at().downloads.flush() == 2
    assert services.at().downloads.flush() == 0
    assert services.at().downloads.total() == 2


def test_a_failure_half_way_writes_nothing_twice(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pieces that were written before the failure are not written again."""
    monkeypatch.setattr(counting, "_KINDS_AT_ONCE", 2)
    writing, calls = services.database.writing, []

    def fail_second() -> Any:
        calls.append(1)
        return _refused() if len(calls) == 2 else writing()

    for number in range(5):
        services.at().downloads.count("looms", f"1.{number}", f"looms-1.{number}.tar.gz")
    monkeypatch.setattr(services.database, "writing", fail_second)
    with pytest.raises(DatabaseBusy):
        services.at().downloads.flush()
    assert (services.at().downloads.total(), services.at().downloads.waiting()) == (2, 3)
    assert services.at().downloads.flush() == 3
    assert services.at().downloads.total() == 5


def test_downloads_go_on_while_the_database_is_locked(
    open_server: Callable[..., Services], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another connection holds the write lock: the file is sent, the count waits, and is in the table afterwards."""
    monkeypatch.setattr("database.engine.BUSY_SECONDS", 0.1)
    services = open_server()
    wheel = build_wheel(tmp_path)
    with closing(create_wsgi(services)) as front:
        client = Client(front)
        assert upload(client, wheel).status_code == 200
        holder = services.database._connect()
        holder.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            answer = client.get(f"/packages/sample/{wheel.name}", headers={"User-Agent": PIP})
            assert (answer.status_code, answer.data) == (200, wheel.read_bytes())
            with pytest.raises(DatabaseBusy):
                services.at().downloads.flush()
        assert (services.at().downloads.waiting(), services.at().downloads.total()) == (2, 0)
        holder.execute("ROLLBACK")
        holder.close()
        assert services.at().downloads.flush() == 2
    assert rows(services)["sample", "installer", "pip", "26.0"] == 2


def test_memory_is_bounded_while_the_database_is_away(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many kinds clients are no longer told apart, then neither are projects; the sums stay exact."""
    monkeypatch.setattr(counting, "MOST_WAITING", 4)
    counter = services.at().downloads
    with unwritable(services, monkeypatch):
        for round_ in range(3):
            for number in range(30):
                counter.count(f"p{number}", "1", f"p{number}-1.tar.gz", f"pip/{round_}.{number}")
            with pytest.raises(DatabaseBusy):
                counter.flush()
            assert len(counter._held) <= 9
            assert len(counter._waiting) == 0
    assert counter.waiting() == 90
    assert counter.flush() == 90
    assert counter.total() == 90
    told = {name: count for (project, dimension, name, _), count in rows(services).items() if dimension == "project"}
    assert sum(told.values()) == 90
    assert set(told) == {"", *(f"p{number}" for number in range(8))}


# -- what strangers send


def test_no_client_can_fill_the_table(services: Services) -> None:
    """A thousand invented versions leave as many rows as are told apart, and the names; the sum stays exact."""
    for number in range(1_000):
        services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", f"pip/{number}.{number}")
        services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", f"Invented{number}/{number}")
        if number % 250 == 0:
            services.at().downloads.flush()
    services.at().downloads.flush()
    of_looms = {key: count for key, count in rows(services).items() if key[:2] == ("looms", "installer")}
    assert sum(of_looms.values()) == 2_000
    assert MOST_ROWS <= len(of_looms) <= MOST_ROWS + 2
    assert of_looms["looms", "installer", "other", ""] == 1_000
    assert of_looms["looms", "installer", "pip", ""] > 900


def test_many_files_on_a_day_are_counted_by_version(services: Services, figures: DownloadFigures) -> None:
    """A mirror that takes three hundred files leaves one row a version beyond those that are told apart."""
    for number in range(300):
        services.at().downloads.count("looms", f"{number % 3}.0", f"looms-{number % 3}.0-{number}-py3-none-any.whl", UV)
    services.at().downloads.flush()
    assert names(figures.shares(Dimension.VERSION, 1, "looms")) == [("0.0", 100), ("1.0", 100), ("2.0", 100)]
    parts = [part for share in figures.shares(Dimension.VERSION, 1, "looms") for part in share.parts]
    assert len(parts) <= MOST_ROWS + 3


def test_what_was_told_apart_goes_on_being_so(services: Services) -> None:
    """A version that has its row keeps it when others have used the room up."""
    services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP)
    services.at().downloads.flush()
    for number in range(100):
        services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", f"uv/1.{number}")
    services.at().downloads.flush()
    services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP)
    services.at().downloads.flush()
    assert rows(services)["looms", "installer", "pip", "26.0"] == 2


# -- reading


def test_days_without_downloads_count_nothing(services: Services, figures: DownloadFigures) -> None:
    """Every day of the span is there, in order, today last."""
    before = datetime.now(UTC).date()
    services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz")
    services.at().downloads.flush()
    days = figures.by_day(7)
    assert [day.count for day in days] == [0, 0, 0, 0, 0, 0, 1]
    assert days[-1].day in {before, datetime.now(UTC).date()}
    assert [day.count for day in figures.by_day(7, "looms")] == [0, 0, 0, 0, 0, 0, 1]


def test_only_the_days_of_the_period_count(services: Services, figures: DownloadFigures) -> None:
    """The first of seven days is six days ago; sums of 7, 30 and 90 days."""
    for back in (0, 6, 7, 29, 30, 89, 90):
        services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP, day=today() - back)
    services.at().downloads.flush()
    assert figures.lately("looms") == figures.lately() == {7: 2, 30: 4, 90: 6}
    assert names(figures.shares(Dimension.PYTHON, 7, "looms")) == [("3.12", 2)]
    assert services.at().downloads.total("looms") == 7


def test_top_projects_are_those_listed(services: Services, figures: DownloadFigures, tmp_path: Path) -> None:
    """Most downloads first, equal ones by name, no more than asked for; nothing that is not here, of another index, or
    quarantined.
    """
    for name in ("a", "b", "c", "d", "hidden"):
        publish_wheel(services, tmp_path, name)
    for project, count in (("b", 2), ("a", 2), ("c", 5), ("d", 1), ("deleted", 9), ("hidden", 9)):
        for _ in range(count):
            services.at().downloads.count(project, "1.0", f"{project}.tar.gz")
    services.at().downloads.flush()
    services.manager.set_status(MAIN, NormalizedName("hidden"), ProjectStatus.QUARANTINED, None, by=TESTER)
    assert figures.top_projects(30, limit=3) == [("c", 5), ("a", 2), ("b", 2)]
    assert DownloadFigures(services.database, "other").top_projects(30) == []


# -- old months


def test_old_months_are_folded(services: Services, figures: DownloadFigures) -> None:
    """Months that ended 400 days ago keep their sums and shares on their first day; younger days stay as they are."""
    old = _days_of_an_old_month()
    for day in (*old, today() - 399, today()):
        services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP, day=day)
    services.at().downloads.flush()
    before = rows(services)
    assert download_months.fold(services.database, MAIN, lambda: False) == 1
    assert rows(services) == before
    with services.database.reading() as connection:
        days = set(connection.execute(select(DownloadCount.day)).scalars())
    assert days == {old[0], today() - 399, today()}
    assert download_months.fold(services.database, MAIN, lambda: False) == 0
    services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", PIP, day=old[5])
    services.at().downloads.flush()
    assert download_months.fold(services.database, MAIN, lambda: False) == 1
    assert services.at().downloads.total("looms") == len(old) + 3


def test_folding_goes_on_where_it_was_stopped(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between two projects, it has lost nothing and ends its work later."""
    monkeypatch.setattr(download_months, "_PROJECTS_AT_ONCE", 1)
    for day in _days_of_an_old_month():
        for project in ("a", "b", "c"):
            services.at().downloads.count(project, "1.0", f"{project}-1.0.tar.gz", UV, day=day)
    services.at().downloads.flush()
    before = rows(services)
    answers = iter([False, True])
    assert download_months.fold(services.database, MAIN, lambda: next(answers)) == 0
    assert rows(services) == before
    assert download_months.fold(services.database, MAIN, lambda: False) == 1
    assert rows(services) == before
    with services.database.reading() as connection:
        assert connection.execute(select(func.count(DownloadCount.day.distinct()))).scalar_one() == 1


def _days_of_an_old_month() -> list[int]:
    """Every day of a December that ended more than two years ago, as days since 1970."""
    first = date(datetime.now(UTC).year - 3, 12, 1)
    return [(first + timedelta(days=number) - FIRST_DAY).days for number in range(31)]


# -- what a whole server counts


@pytest.mark.parametrize("server", ["granian", "waitress"])
def test_a_download_that_is_cut_off_does_not_count(live: Live, tmp_path: Path, server: str) -> None:
    """F26: a client that goes away in the middle is not counted, the next that takes all is; on either web server."""
    one = live("--server", server)
    wheel = build_wheel(tmp_path, "big", files={"big/noise.bin": random.Random(3).randbytes(30_000_000)})
    assert send(one, wheel) == 200
    path = f"/packages/big/{wheel.name}"
    with socket.create_connection(("127.0.0.1", one.port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{one.port}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        time.sleep(0.2)
    request = urllib.request.Request(one.url + path, headers={"User-Agent": PIP})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.read() == wheel.read_bytes()
    one.stop()
    again = live(data=one.data)
    with urllib.request.urlopen(f"{again.url}/api/packages/big/statistics", timeout=20) as answer:
        found = json.load(answer)
    assert found["total"] == 1
    assert found["by_installer"] == [{"name": "pip", "downloads": 1, "parts": [{"name": "26.0", "downloads": 1}]}]
