"""What ``jobs.work`` promises: threads that stop between items, patience with a busy database, and a look at names."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from errors import DatabaseBusy
from jobs import work
from jobs.work import each, looks_like_distribution, patiently


def test_each_gives_every_result_once_and_runs_several_at_a_time() -> None:
    """Four threads meet: none would get through alone."""
    meeting = threading.Barrier(4, timeout=10)

    def meet(number: int) -> int:
        meeting.wait()
        return number

    assert sorted(each(range(8), meet, threads=4, stop=threading.Event())) == list(range(8))


def test_each_takes_no_item_before_a_thread_is_free() -> None:
    """A source of any length is read as it is worked on, not beforehand."""
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = each(source(), lambda item: item, threads=2, stop=threading.Event())
    next(results)
    assert len(taken) <= 4


def test_what_work_raises_comes_out() -> None:
    """A fault of the program is not swallowed with the thread."""
    with pytest.raises(ZeroDivisionError):
        list(each([0], lambda item: 1 // item, threads=2, stop=threading.Event()))


def test_a_busy_database_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two refusals are sat out; the third answer counts."""
    monkeypatch.setattr(work, "PATIENCE", (0.0, 0.0))
    attempts = iter(range(3))

    def ask() -> str:
        if next(attempts) < 2:
            raise DatabaseBusy
        return "done"

    assert patiently(ask, threading.Event()) == "done"


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last attempt the refusal comes out, and a stop ends the waiting at once."""
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise DatabaseBusy

    monkeypatch.setattr(work, "PATIENCE", (0.0, 0.0))
    with pytest.raises(DatabaseBusy):
        patiently(ask, threading.Event())
    assert len(asked) == 3
    monkeypatch.setattr(work, "PATIENCE", (600.0,))
    stop = threading.Event()
    stop.set()
    with pytest.raises(DatabaseBusy):
        patiently(ask, stop)
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("sample-1.0-py3-none-any.whl", True),
        ("wrong.whl", True),
        ("Sample-1.0.ZIP", True),
        ("sample-1.0.tar.gz", True),
        ("sample-1.0.tgz", True),
        ("backup.tar.gz", False),
        ("data.zip", False),
        ("sample-1.0.tar.gz.asc", False),
        ("sample-1.0-py3-none-any.whl.metadata", False),
        ("index.html", False),
        ("", False),
    ],
)
def test_names_that_are_meant_to_be_distributions(name: str, looks: bool) -> None:
    """Endings of wheels and sdists, whatever their case; an archive without a dash has no version."""
    assert looks_like_distribution(name) is looks
