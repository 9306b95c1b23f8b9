"""What ``jobs.background`` promises: downloads are written down, a start sweeps and syncs, no failure ends it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from packaging.utils import NormalizedName
from structlog.testing import capture_logs

from database import download_months
from database.job_runs import JobRuns, Outcome
from database.statistics import today
from jobs.background import Background
from jobs.sync import sync
from permissions import MAIN
from services import Services
from tests.conftest import TESTER
from tests.factory import build_wheel


@pytest.fixture
def background(services: Services) -> Iterator[Callable[..., Background]]:
    """Makes backgrounds over the services and stops them in the end."""
    made: list[Background] = []

    def make(*, is_first: bool, flush_seconds: float = 60, purge_seconds: float = 60) -> Background:
        made.append(Background(services, is_first, flush_seconds=flush_seconds, purge_seconds=purge_seconds))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def until(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_downloads_are_written_down_now_and_then(services: Services, background: Callable[..., Background]) -> None:
    """Every process flushes its own, without anybody asking."""
    services.at().downloads.count("sample", "1.0", "sample-1.0.tar.gz")
    background(is_first=False, flush_seconds=0.01).start()
    assert until(lambda: services.at().downloads.total() == 1)


def test_stopping_flushes_and_ends_at_once(services: Services, background: Callable[..., Background]) -> None:
    """The last downloads are in the table when stop returns, and it does not wait for the next turn."""
    one = background(is_first=True)
    one.start()
    services.at().downloads.count("sample", "1.0", "sample-1.0.tar.gz")
    began = time.monotonic()
    one.stop()
    one.stop()
    assert time.monotonic() - began < 5
    assert services.at().downloads.total() == 1


def test_the_first_process_takes_in_what_was_dropped(services: Services, background: Callable[..., Background]) -> None:
    """A start lists files that a person put into the folder, beside serving."""
    build_wheel(services.settings.data_path)
    background(is_first=True).start()
    assert until(lambda: services.at().catalogue.stats()["files"] == 1)


def test_the_first_process_sweeps_what_a_crash_left(services: Services, background: Callable[..., Background]) -> None:
    """A temporary file that nobody holds goes; trash of more than 30 days too, younger trash stays."""
    state = services.settings.state_path
    left = state / "incoming" / "left"
    left.write_text("x")
    old, young = state / "trash" / "old", state / "trash" / "young"
    for place in (old, young):
        place.mkdir()
    past = time.time() - 31 * 86_400
    os.utime(old, (past, past))
    background(is_first=True).start()
    assert until(lambda: not left.exists() and not old.exists())
    assert young.exists()


def test_the_first_process_lets_go_what_is_over(services: Services, background: Callable[..., Background]) -> None:
    """What can be undone no more goes now and then, what can be stays."""
    wheels = [build_wheel(services.settings.data_path, name) for name in ("old", "young")]
    sync(services, by=TESTER)
    background(is_first=True, purge_seconds=0.01).start()
    deletions = [services.manager.delete(MAIN, NormalizedName(name), by=TESTER).id for name in ("old", "young")]
    with services.database.writing() as change:
        change.connection.exec_driver_sql("UPDATE deletions SET expires = 1 WHERE public_id = ?", (deletions[0],))
    assert until(lambda: not wheels[0].exists())
    assert wheels[1].exists()
    assert [one.id for one in services.at().deletions.standing()] == deletions[1:]
    assert until(lambda: _runs(services, "purge") == [(Outcome.DONE, "Deleted files let go for good: 1.")])


def _runs(services: Services, job: str) -> list[tuple[Outcome, str]]:
    return [(run.outcome, run.summary) for run in JobRuns(services.database).latest() if run.job == job]


def test_other_processes_leave_the_folder_alone(services: Services, background: Callable[..., Background]) -> None:
    """Only one process of a server sweeps and syncs."""
    build_wheel(services.settings.data_path)
    left = services.settings.state_path / "incoming" / "left"
    left.write_text("x")
    one = background(is_first=False, flush_seconds=0.01)
    one.start()
    services.at().downloads.count("sample", "1.0", "sample-1.0.tar.gz")
    assert until(lambda: services.at().downloads.total() == 1)
    one.stop()
    assert left.exists()
    assert services.at().catalogue.stats()["files"] == 0


def test_a_failure_is_logged_and_the_thread_goes_on(
    services: Services, background: Callable[..., Background], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush that fails is in the log with its trace, and the next one is made."""
    flush, calls = services.at().downloads.flush, []

    def fail_first() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the first one fails")
        return flush()

    monkeypatch.setattr(services.at().downloads, "flush", fail_first)
    services.at().downloads.count("sample", "1.0", "sample-1.0.tar.gz")
    with capture_logs() as logs:
        background(is_first=False, flush_seconds=0.01).start()
        assert until(lambda: services.at().downloads.total() == 1)
    assert [(entry["log_level"], entry["job"]) for entry in logs] == [("error", "flush")]
    assert "the first one fails" in logs[0]["trace"]


def test_missing_files_are_in_the_log(services: Services, background: Callable[..., Background]) -> None:
    """What a start's sync finds wrong is said, with the file's name."""
    (services.settings.data_path / "broken-1.0.tar.gz").write_bytes(b"no tar")
    with capture_logs() as logs:
        background(is_first=True).start()
        assert until(lambda: bool(logs))
    assert logs[0]["file"] == "broken-1.0.tar.gz"
    assert logs[0]["log_level"] == "warning"


def test_the_first_process_folds_old_downloads(services: Services, background: Callable[..., Background]) -> None:
    """Downloads of more than 400 days ago are kept by month; it is told among the runs, and only if there were any."""
    for back in range(500, 560):
        services.at().downloads.count("sample", "1.0", "sample-1.0.tar.gz", day=today() - back)
    services.at().downloads.flush()
    assert download_months.is_due(services.database, MAIN)
    background(is_first=True).start()
    assert until(lambda: not download_months.is_due(services.database, MAIN))
    assert services.at().downloads.total("sample") == 60
    assert until(lambda: bool([run for run in JobRuns(services.database).latest() if run.job == "fold" and run.ended]))
