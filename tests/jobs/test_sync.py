"""What ``jobs.sync`` promises: the rows follow the folder, and what is gone is named, not forgotten."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from database import inventory
from database.journal import Actor
from distributions.claims import Claim
from jobs.sync import Moved, SyncReport, sync
from permissions import MAIN
from services import Services
from tests.factory import build_sdist, build_wheel, wheel_bytes

BY = Actor("somebody@shell")
WHEEL = "sample-1.0-py3-none-any.whl"


def run(services: Services) -> SyncReport:
    return sync(services, by=BY)


def publish(services: Services, content: bytes, filename: str = WHEEL) -> None:
    with services.manager.receive() as incoming:
        incoming.write(content)
        services.manager.publish(MAIN, incoming, Claim(filename=filename), by=BY)


@pytest.fixture
def data(services: Services) -> Path:
    """The data directory."""
    return services.settings.data_path


def test_dropped_files_are_listed_where_they_lie(services: Services, data: Path) -> None:
    """Flat or nested, whatever the folders are called; nothing is moved."""
    build_wheel(data, "flat")
    (data / "a" / "b").mkdir(parents=True)
    build_sdist(data / "a" / "b", "nested")
    report = run(services)
    assert report.adopted == ["a/b/nested-1.0.tar.gz", "flat-1.0-py3-none-any.whl"]
    assert report.is_sound
    found = inventory.find_file(services.database, MAIN, "nested-1.0.tar.gz")
    assert found is not None
    assert (found.location, found.project) == ("a/b/nested-1.0.tar.gz", "nested")


def test_a_second_sync_finds_nothing_to_do(services: Services, data: Path) -> None:
    """What is listed is known by its place: no file is read again and no row is written."""
    build_wheel(data)
    run(services)
    before = services.at().catalogue.stats()
    report = run(services)
    assert (report.listed, report.adopted, report.moved, report.duplicates) == (1, [], [], [])
    assert services.at().catalogue.stats() == before


def test_a_lost_database_is_rebuilt_from_the_folder(
    open_server: Callable[..., Services], services: Services, data: Path
) -> None:
    """With an empty database beside the same folder, one sync lists everything again."""
    publish(services, wheel_bytes())
    publish(services, wheel_bytes("other"), "other-1.0-py3-none-any.whl")
    fresh = open_server(state_dir=str(data.parent / "fresh"))
    assert run(fresh).adopted == ["other/other-1.0-py3-none-any.whl", f"sample/{WHEEL}"]
    assert fresh.at().catalogue.stats()["files"] == 2


def test_vanished_files_are_named_and_stay_listed(services: Services, data: Path) -> None:
    """The row of a file whose bytes are gone is reported and kept."""
    publish(services, wheel_bytes())
    (data / "sample" / WHEEL).unlink()
    report = run(services)
    assert [(one.file, one.code) for one in report.missing] == [(f"sample/{WHEEL}", "missing-bytes")]
    assert not report.is_sound
    assert services.at().catalogue.stats()["files"] == 1


def test_a_link_in_place_of_a_file_is_not_followed(services: Services, data: Path, tmp_path: Path) -> None:
    """F38: a link planted in the store is reported as such, and what it points to is not taken in."""
    publish(services, wheel_bytes())
    shutil.move(data / "sample" / WHEEL, tmp_path / WHEEL)
    (data / "sample" / WHEEL).symlink_to(tmp_path / WHEEL)
    report = run(services)
    assert [one.code for one in report.missing] == ["storage-failed"]
    assert "link" in report.missing[0].reason


def test_a_moved_file_is_followed(services: Services, data: Path) -> None:
    """A file that a person moved within the folder is served from its new place."""
    publish(services, wheel_bytes())
    (data / "sample").rename(data / "archive")
    report = run(services)
    assert report.moved == [Moved(f"sample/{WHEEL}", f"archive/{WHEEL}")]
    assert (report.adopted, report.missing) == ([], [])
    assert run(services).moved == []


def test_a_further_copy_is_left_alone(services: Services, data: Path) -> None:
    """The same file in a second place is counted and nothing else."""
    publish(services, wheel_bytes())
    (data / WHEEL).write_bytes(wheel_bytes())
    report = run(services)
    assert report.duplicates == [WHEEL]
    assert report.is_sound
    found = inventory.find_file(services.database, MAIN, WHEEL)
    assert found is not None
    assert found.location == f"sample/{WHEEL}"


@pytest.mark.parametrize("overwrite", ["false", "true"])
def test_other_bytes_under_a_listed_name_never_replace_it(open_server: Callable[..., Services], overwrite: str) -> None:
    """Also where uploads may overwrite: a stray file may be the old one of an overwriting that was cut off."""
    services = open_server(overwrite=overwrite)
    publish(services, wheel_bytes())
    (services.settings.data_path / WHEEL).write_bytes(wheel_bytes(summary="Other bytes."))
    report = run(services)
    assert [(one.file, one.code) for one in report.refused] == [(WHEEL, "filename-taken")]
    assert (services.settings.data_path / "sample" / WHEEL).read_bytes() == wheel_bytes()


def test_what_cannot_be_taken_in_is_named_with_its_reason(services: Services, data: Path) -> None:
    """Broken files and deleted ones are refused; other files are counted."""
    publish(services, wheel_bytes("gone"), "gone-1.0-py3-none-any.whl")
    services.manager.delete(MAIN, services.at().catalogue.project_list().projects[0].name, by=BY)
    build_wheel(data, "gone")
    (data / "broken-1.0.tar.gz").write_bytes(b"no tar")
    (data / "notes.txt").write_text("x")
    report = run(services)
    assert [(one.file, one.code) for one in report.refused] == [
        ("broken-1.0.tar.gz", "invalid-archive"),
        ("gone-1.0-py3-none-any.whl", "filename-burned"),
    ]
    assert (report.not_distributions, report.adopted) == (1, [])


def test_a_listed_file_of_another_size_is_named(services: Services, data: Path) -> None:
    """A file that was changed under its listed name is not taken for the published one."""
    publish(services, wheel_bytes())
    with (data / "sample" / WHEEL).open("ab") as file:
        file.write(b"x")
    report = run(services)
    assert [(one.file, one.code) for one in report.refused] == [(f"sample/{WHEEL}", "digest-mismatch")]


def test_a_folder_whose_name_is_not_text_is_named(services: Services, data: Path) -> None:
    """A place that cannot be written down is a reason, not a crash; the others are taken in."""
    strange = os.fsencode(data) + b"/\xff"
    os.mkdir(strange)  # noqa: PTH102 - a Path would have to be text
    Path(os.fsdecode(strange), WHEEL).write_bytes(wheel_bytes())
    build_wheel(data, "other")
    report = run(services)
    assert report.adopted == ["other-1.0-py3-none-any.whl"]
    assert [one.code for one in report.refused] == ["invalid-filename"]


def test_it_stops_when_asked(services: Services, data: Path) -> None:
    """A stopped sync says so, and calls nothing missing that it has not looked for."""
    publish(services, wheel_bytes())
    (data / "sample" / WHEEL).unlink()
    stop = threading.Event()
    stop.set()
    report = sync(services, by=BY, stop=stop)
    assert (report.stopped, report.missing) == (True, [])


def test_several_threads_take_in_each_file_once(services: Services, data: Path) -> None:
    """Copies of one new file in many folders: one is taken in, the others are further copies."""
    for number in range(8):
        (data / f"copy{number}").mkdir()
        build_wheel(data / f"copy{number}")
    report = sync(services, by=BY, threads=4)
    assert (len(report.adopted), len(report.duplicates)) == (1, 7)
