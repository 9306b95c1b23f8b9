"""What ``jobs.importing`` promises: every distribution of a folder, once, and a reason for each that was refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from database.journal import Actor
from errors import StorageFailed
from jobs.importing import ImportReport, import_folder
from services import Services
from tests.factory import build_sdist, build_wheel, wheel_bytes

BY = Actor("somebody@shell")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to import from, with one inner folder."""
    inner = tmp_path / "dist" / "inner"
    inner.mkdir(parents=True)
    return inner.parent


def run(services: Services, folder: Path, threads: int = 4) -> ImportReport:
    return import_folder(services, folder, by=BY, threads=threads)


def test_every_distribution_below_the_folder_is_listed_with_its_bytes(services: Services, folder: Path) -> None:
    """Files of the folder and of folders in it are taken, read back the same, and are somebody's in the journal."""
    wheel, sdist = build_wheel(folder, "one"), build_sdist(folder / "inner", "two", "2.0")
    report = run(services, folder)
    assert (report.imported, report.refused, report.bytes) == (2, [], wheel.stat().st_size + sdist.stat().st_size)
    assert (services.settings.data_path / "one" / wheel.name).read_bytes() == wheel.read_bytes()
    assert services.at().catalogue.stats()["files"] == 2
    assert services.at().catalogue.recent_uploads()[0].uploader == BY.name


def test_a_second_run_reads_no_file_into_the_store(services: Services, folder: Path) -> None:
    """What is there already is skipped: no byte is copied, no journal row is written."""
    build_wheel(folder)
    run(services, folder)
    before = services.at().catalogue.stats()

    def refuse() -> None:
        raise AssertionError("a skipped file was copied")

    services.manager.receive = refuse  # type: ignore[assignment,method-assign]
    report = run(services, folder)
    assert (report.imported, report.skipped, report.refused) == (0, 1, [])
    assert services.at().catalogue.stats() == before


def test_lost_bytes_come_back(services: Services, folder: Path) -> None:
    """A listed file whose bytes are gone is not skipped: importing it again puts them back."""
    wheel = build_wheel(folder)
    run(services, folder)
    stored = services.settings.data_path / "sample" / wheel.name
    stored.unlink()
    report = run(services, folder)
    assert (report.restored, report.skipped, report.imported) == (1, 0, 0)
    assert stored.read_bytes() == wheel.read_bytes()


def test_what_is_refused_is_named_with_its_reason_and_ends_nothing(services: Services, folder: Path) -> None:
    """A broken wheel, another file of a taken name and a wrong name are in the report; the sound file is taken."""
    build_wheel(folder, "good")
    (folder / "inner" / "good-1.0-py3-none-any.whl").write_bytes(wheel_bytes("good", summary="Other bytes."))
    (folder / "broken-1.0-py3-none-any.whl").write_bytes(b"no zip")
    (folder / "wrong.whl").write_bytes(wheel_bytes())
    report = run(services, folder, threads=1)
    assert report.imported == 1
    assert [(one.file, one.code) for one in report.refused] == [
        ("broken-1.0-py3-none-any.whl", "invalid-archive"),
        ("inner/good-1.0-py3-none-any.whl", "filename-taken"),
        ("wrong.whl", "invalid-filename"),
    ]
    assert "already exists" in report.refused[1].reason


def test_other_names_are_counted_and_hidden_ones_left_alone(services: Services, folder: Path) -> None:
    """Signatures, texts and archives without a version are no distributions; .git and .state are not looked into."""
    for name in ("README.txt", "sample-1.0.tar.gz.asc", "data.zip", "index.html"):
        (folder / name).write_text("x")
    (folder / ".state" / "trash").mkdir(parents=True)
    build_wheel(folder / ".state" / "trash")
    report = run(services, folder)
    assert (report.imported, report.not_distributions, report.refused) == (0, 4, [])


def test_a_file_beyond_the_size_limit_is_refused(open_server: Callable[..., Services], folder: Path) -> None:
    """max_file_size holds for imports too, and the refusal names the setting."""
    build_wheel(folder)
    report = run(open_server(max_file_size="100"), folder)
    assert [one.code for one in report.refused] == ["too-large"]
    assert "max_file_size" in report.refused[0].reason


def test_what_is_no_plain_file_is_refused_without_waiting(services: Services, folder: Path) -> None:
    """A pipe or a broken link under a distribution's name is named, not opened."""
    os.mkfifo(folder / "pipe-1.0-py3-none-any.whl")
    (folder / "link-1.0-py3-none-any.whl").symlink_to(folder / "nowhere")
    report = run(services, folder)
    assert [one.file for one in report.refused] == ["link-1.0-py3-none-any.whl", "pipe-1.0-py3-none-any.whl"]


def test_a_full_store_ends_the_run_and_refuses_nobody(open_server: Callable[..., Services], folder: Path) -> None:
    """Below min_free_space the first file ends the run with the reason: the other files are not at fault."""
    for number in range(20):
        build_wheel(folder, f"p{number}")
    report = run(open_server(min_free_space="1000000GB"), folder)
    assert "full" in report.stopped
    assert (report.imported, report.refused) == (0, [])


def test_it_stops_between_two_files(services: Services, folder: Path) -> None:
    """Once asked to stop, no further file begins; those under way are whole, and the next run takes the rest."""
    for number in range(12):
        build_wheel(folder, f"p{number}")
    stop = threading.Event()
    report = import_folder(
        services, folder, by=BY, threads=2, stop=stop, progress=lambda done, _total: stop.set() if done else None
    )
    assert 1 <= report.imported <= 3
    assert services.at().catalogue.stats()["files"] == report.imported
    again = run(services, folder)
    assert (again.imported, again.skipped) == (12 - report.imported, report.imported)


def test_progress_ends_at_the_number_of_distributions(services: Services, folder: Path) -> None:
    """Who watches sees how many of how many, up to all."""
    for number in range(5):
        build_wheel(folder, f"p{number}")
    seen: list[tuple[int, int]] = []
    import_folder(services, folder, by=BY, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 5) for done in range(6)]


def test_a_folder_that_cannot_be_read_is_a_refusal(services: Services, tmp_path: Path) -> None:
    """Nothing is silently left out: a folder that does not open is named."""
    with pytest.raises(StorageFailed, match="nowhere"):
        run(services, tmp_path / "nowhere")
