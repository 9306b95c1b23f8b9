"""Bytes that go and bytes that stay: purging, what other jobs make of deleted files, and crashes at every step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import update

from database import holdings
from database.models import DeletedFile
from errors import Gone, StorageFailed, UnknownFile
from jobs.checking import check
from jobs.sync import sync
from services import Services
from tests.conftest import ROOT, TESTER
from tests.factory import build_wheel
from tests.test_package_manager import SAMPLE, journal, publish, stored
from tests.undoing import SDIST, WHEEL, age, count_of, fill, the_one, told


@pytest.fixture
def filled(services: Services, tmp_path: Path) -> Services:
    """An open server with sample 1.0 (wheel with attestations, yanked; sdist) and 2.0, and other 1.0."""
    return fill(services, tmp_path)


def test_without_days_the_bytes_go_at_once(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """undo_days = 0: nothing is kept, and nothing can be undone."""
    services = open_server(undo_days="0")
    publish(services, build_wheel(tmp_path))
    taken = services.manager.delete("main", SAMPLE, by=TESTER)
    assert (taken.id, taken.expires) == (None, None)
    assert list(services.settings.data_path.rglob("*.whl")) == []
    assert [count_of(services, name) for name in ("deletions", "deleted_files", "burned_filenames")] == [0, 0, 1]


def test_bytes_that_something_else_needs_stay(filled: Services) -> None:
    """A purge removes no bytes that a listed file, or another deletion, has too."""
    filled.manager.delete("main", SAMPLE, "2.0", by=TESTER)
    with filled.database.writing() as change:
        change.connection.execute(update(DeletedFile).values(location=f"sample/{SDIST}"))
    filled.manager.purge("main", the_one(filled).id, by=TESTER)
    assert f"sample/{SDIST}" in stored(filled)


def test_a_store_that_fails_is_gone_on_with(filled: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deletion has ended, so it is not undone; others go meanwhile; it goes once the store works again."""
    filled.manager.delete("main", SAMPLE, by=TESTER)
    deletion = the_one(filled).id
    remove = filled.storage.remove

    def fail(keys: list[str]) -> None:
        if keys[0].startswith("sample/"):
            raise StorageFailed(f"{keys[0]} is on a read-only disk.")
        remove(keys)

    with monkeypatch.context() as patched:
        patched.setattr(filled.storage, "remove", fail)
        with pytest.raises(StorageFailed):
            filled.manager.purge("main", deletion, by=TESTER)
        filled.manager.delete("main", NormalizedName("other"), by=TESTER)
        age(filled)
        with pytest.raises(StorageFailed):
            filled.manager.purge_overdue(by=TESTER)
    assert {key.partition("/")[0] for key in stored(filled)} == {"sample"}
    with pytest.raises(Gone):
        filled.manager.restore("main", SAMPLE, deletion, by=TESTER)
    rows = len(journal(filled))
    assert filled.manager.purge_overdue(by=TESTER) == 3
    assert stored(filled) == []
    assert len(journal(filled)) == rows  # the purge was written down when it began


def test_a_sync_leaves_deleted_files_alone(filled: Services) -> None:
    """It neither lists them again nor calls them refused, and counts them; a purged file is no more there."""
    filled.manager.delete("main", SAMPLE, "1.0", by=TESTER)
    report = sync(filled, by=TESTER)
    assert report.deleted == [f"sample/{WHEEL}", f"sample/{SDIST}"]
    assert (report.adopted, report.refused, report.missing) == ([], [], [])
    filled.manager.restore("main", SAMPLE, the_one(filled).id, by=TESTER)
    assert sync(filled, by=TESTER).deleted == []


def test_a_check_reads_deleted_files_too(filled: Services) -> None:
    """What can be brought back has to be whole: damage is named, and an undamaged one is not called unlisted."""
    filled.manager.delete("main", SAMPLE, by=TESTER)
    report = check(filled.database, filled.storage)
    assert (report.files, report.deleted, report.unlisted, report.problems) == (4, 3, [], [])
    (filled.settings.data_path / "sample" / SDIST).write_bytes(b"damaged")
    (filled.settings.data_path / "sample" / WHEEL).unlink()
    found = {(one.kind, one.name) for one in check(filled.database, filled.storage).problems}
    assert found == {("size", f"sample/{SDIST}"), ("missing", f"sample/{WHEEL}")}


# -- crashes


def crash(services: Services, change: str, step: str) -> None:
    """Begin a change in a process of its own and kill it at a step."""
    script = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
import database.deletions, database.holdings, storage.filesystem
from config import load_settings
from database.journal import Actor, Change
from services import open_services
services = open_services(load_settings(None, {{"data_dir": {str(services.settings.data_path)!r}}}, {{}}))
def die(*args, **kwargs):
    os._exit(9)
{step} = die
{change}
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, env={**os.environ})
    assert done.returncode == 9


@pytest.mark.parametrize("step", ["database.holdings.remove_files", "Change.seal", "database.holdings.refresh_project"])
def test_a_crash_while_deleting_deletes_nothing(filled: Services, step: str) -> None:
    """Killed after the rows were kept, while they go, or before the commit: everything is listed as before."""
    before = told(filled)
    crash(filled, 'services.manager.delete("main", "sample", by=Actor("crash"))', step)
    assert told(filled) == before
    assert filled.at().deletions.count() == 0
    assert sync(filled, by=TESTER).is_sound


@pytest.mark.parametrize("step", ["database.deletions.bring_back", "database.deletions.refresh_project", "Change.seal"])
def test_a_crash_while_restoring_loses_nothing(filled: Services, step: str) -> None:
    """Killed after the bytes were read, after the rows are back, or before the commit: it can be undone again."""
    before = told(filled)
    filled.manager.delete("main", SAMPLE, by=TESTER)
    deletion = the_one(filled).id
    crash(filled, f'services.manager.restore("main", None, "{deletion}", by=Actor("crash"))', step)
    with pytest.raises(UnknownFile):
        filled.at().catalogue.file(SAMPLE, WHEEL)
    assert filled.manager.restore("main", SAMPLE, deletion, by=TESTER)
    assert told(filled) == before


@pytest.mark.parametrize(
    ("step", "ended"),
    [("database.deletions.end", False), ("storage.filesystem.FilesystemStorage.remove", True),
     ("storage.filesystem.FilesystemStorage._sync_folder", True), ("database.deletions.forget", True)],
)  # fmt: skip
def test_a_crash_while_purging_is_made_good(filled: Services, step: str, ended: bool) -> None:
    """Before its end is written down nothing happened; after it nothing is restored without its bytes, and the next
    run of the job removes what is left.
    """
    filled.manager.delete("main", SAMPLE, by=TESTER)
    deletion = the_one(filled).id
    crash(filled, f'services.manager.purge("main", "{deletion}", by=Actor("crash"))', step)
    assert filled.at().deletions.count() == (0 if ended else 1)
    if ended:
        with pytest.raises(Gone):
            filled.manager.restore("main", SAMPLE, deletion, by=TESTER)
        assert sync(filled, by=TESTER).adopted == []
        assert filled.manager.purge_overdue(by=TESTER) == 3
        assert stored(filled) == ["other/other-1.0-py3-none-any.whl"]
    else:
        assert len(filled.manager.restore("main", SAMPLE, deletion, by=TESTER)) == 3
    assert check(filled.database, filled.storage).is_sound


def test_a_burned_name_of_before_stays_burned(filled: Services) -> None:
    """A file that was deleted by an older version has no deletion to undo, and its name is not given out either."""
    with filled.database.writing() as change:
        index_id = holdings.index_id_of(change.connection, "main")
        files = holdings.files_of(change.connection, index_id, NormalizedName("other"), None, None)
        holdings.remove_files(change.connection, index_id, files, change.at)
    assert filled.at().deletions.count() == 0
    report = sync(filled, by=TESTER)
    assert [one.code for one in report.refused] == ["filename-burned"]
