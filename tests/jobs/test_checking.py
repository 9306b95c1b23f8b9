"""What ``jobs.checking`` promises: any damage of files, rows and journal is named, and nothing is changed."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from database.journal import Actor
from distributions.claims import Claim
from jobs.checking import CheckReport, check
from permissions import MAIN
from services import Services
from storage.filesystem import FilesystemStorage
from tests.factory import build_wheel, wheel_bytes

BY = Actor("somebody@shell")
WHEEL = "sample-1.0-py3-none-any.whl"
KEY = f"sample/{WHEEL}"


def run(services: Services) -> CheckReport:
    return check(services.database, services.storage)


def found(services: Services) -> list[tuple[str, str]]:
    return [(problem.kind, problem.name) for problem in run(services).problems]


def change(services: Services, statement: str) -> None:
    """Do to the database what somebody with its file can do."""
    with services.database.writing() as writing:
        writing.connection.exec_driver_sql(statement)


@pytest.fixture
def stored(services: Services) -> Path:
    """The stored file of a published wheel."""
    with services.manager.receive() as incoming:
        incoming.write(wheel_bytes())
        services.manager.publish(MAIN, incoming, Claim(filename=WHEEL), by=BY)
    return services.settings.data_path / KEY


def test_a_sound_server_has_no_problems(services: Services, stored: Path) -> None:
    """Everything published is read, counted and found good."""
    report = run(services)
    assert report.is_sound, report.problems
    assert (report.files, report.bytes, report.unlisted) == (1, stored.stat().st_size, [])
    assert report.journal_rows == 2


def test_an_empty_server_is_sound(services: Services) -> None:
    """No files and no journal are no fault."""
    assert run(services).is_sound


def test_one_flipped_bit_is_damage(services: Services, stored: Path) -> None:
    """F35: the same size with one other bit shows in the digest, and the reason gives both."""
    content = bytearray(stored.read_bytes())
    content[100] ^= 1
    stored.write_bytes(content)
    report = run(services)
    assert [(one.kind, one.name) for one in report.problems] == [("damaged", KEY)]
    assert "sha256" in report.problems[0].reason


def test_wrong_sizes_missing_files_and_links_are_told_apart(services: Services, stored: Path) -> None:
    """Cut off: size. Gone: missing. A link in its place: unreadable, never followed."""
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1])
    assert found(services) == [("size", KEY)]
    stored.unlink()
    assert found(services) == [("missing", KEY)]
    elsewhere = services.settings.data_path.parent / WHEEL
    elsewhere.write_bytes(whole)
    stored.symlink_to(elsewhere)
    assert found(services) == [("unreadable", KEY)]


def test_unlisted_files_are_told_and_are_no_problem(services: Services, stored: Path) -> None:
    """Files that no row names are information."""
    build_wheel(services.settings.data_path, "dropped")
    report = run(services)
    assert report.is_sound
    assert report.unlisted == ["dropped-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_metadata_files SET body = x'00'",
        "UPDATE core_metadata_files SET body = x'789c030000000001'",
        "DELETE FROM core_metadata_files",
    ],
)
def test_kept_core_metadata_must_be_what_its_digest_says(services: Services, stored: Path, statement: str) -> None:
    """Changed, cut off or gone: installers would be given something else than the file says."""
    change(services, statement)
    assert found(services) == [("metadata", WHEEL)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = 'somebody else' WHERE action = 'release.create'",
        "UPDATE journal SET detail = 'no json' WHERE action = 'file.publish'",
        "UPDATE journal SET detail = '[]' WHERE action = 'file.publish'",
        "DELETE FROM journal WHERE action = 'release.create'",
        "DELETE FROM journal WHERE action = 'file.publish'",
        "DELETE FROM journal",
    ],
)
def test_a_journal_that_was_changed_shows(services: Services, stored: Path, statement: str) -> None:
    """Rows changed, taken out of the middle, or taken off the end break the chain or leave the serials behind."""
    change(services, statement)
    assert set(found(services)) == {("journal", "journal")}


def test_a_damaged_database_is_a_problem_not_a_crash(services: Services, stored: Path) -> None:
    """F16: with a page of the tables overwritten the check says so, and still says what it can."""
    change(services, "INSERT INTO counters (name, value) VALUES ('x', 1)")
    with services.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'journal'").scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    services.database.engine.dispose()
    with services.settings.database_path.open("rb+") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    kinds = {problem.kind for problem in run(services).problems}
    assert kinds == {"database"}


def test_it_changes_nothing(services: Services, stored: Path) -> None:
    """Damage is named; files, rows and serials stay as they were."""
    stored.write_bytes(b"damaged")
    before = services.at().catalogue.stats()
    run(services)
    assert stored.read_bytes() == b"damaged"
    assert services.at().catalogue.stats() == before


def test_a_file_deleted_while_it_is_read_is_no_problem(services: Services, stored: Path) -> None:
    """Beside a server: a row that is gone by the time its bytes are missed was deleted and purged, not damaged."""
    name = services.at().catalogue.project_list().projects[0].name

    class DeletedFirst(FilesystemStorage):
        def open(self, key: str) -> BinaryIO:
            deletion = services.manager.delete(MAIN, name, by=BY).id
            assert deletion is not None
            services.manager.purge(MAIN, deletion, by=BY)
            return super().open(key)

    report = check(services.database, DeletedFirst(services.settings.data_path))
    assert (report.files, report.problems) == (1, [])


def test_a_stopped_check_says_so(services: Services, stored: Path) -> None:
    """It does not pass for one that looked at everything."""
    stop = threading.Event()
    stop.set()
    report = check(services.database, services.storage, stop=stop)
    assert (report.stopped, report.files) == (True, 0)


def test_files_of_upstreams_are_verified(services: Services) -> None:
    """By the digest under which they lie; one that is not right is named, with what to do."""
    good, bad = (hashlib.sha256(body).hexdigest() for body in (b"good", b"bad"))
    for sha256, body in ((good, b"good"), (bad, b"worse")):
        part = services.cache.begin(sha256)
        assert part is not None
        part.write(body)
        part.finish(sha256)
    report = check(services.database, services.storage, services.cache)
    assert report.taken == 2
    assert [(problem.kind, problem.name) for problem in report.problems] == [("damaged", f"upstream/{bad[:2]}/{bad}")]
    assert "delete it" in report.problems[0].reason
