"""Changes to what an index holds: races, crashes and the journal."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import select

from database.journal import Actor, Entry, chain_hash
from database.models import JournalEntry
from distributions.claims import Claim
from errors import (
    Conflict,
    DatabaseBusy,
    FilenameTaken,
    ReadOnlyProject,
    Refusal,
    UnknownFile,
    UnknownProject,
    UnknownRelease,
)
from package_manager import Published
from services import Services
from simple.model import ProjectStatus
from storage import StoredFile
from tests.conftest import ROOT, TESTER
from tests.factory import build_sdist, build_wheel

SAMPLE = NormalizedName("sample")


def publish(services: Services, path: Path, by: Actor = TESTER) -> Published:
    """Publish a file as the shell does."""
    with services.manager.receive() as incoming:
        incoming.write(path.read_bytes())
        return services.manager.publish("main", incoming, Claim(path.name), by=by)


def journal(services: Services) -> list[Any]:
    """Every row, in order."""
    with services.database.reading() as connection:
        return list(connection.execute(select(JournalEntry.__table__).order_by(JournalEntry.serial)))


def stored(services: Services) -> list[str]:
    """The keys of the files that lie in the store."""
    return [file.key for file in services.storage.walk()]


def test_of_many_that_race_one_wins(services: Services, tmp_path: Path) -> None:
    """S65: eight uploads of one filename with different bytes: one is taken, and its bytes are those served."""
    paths = [build_wheel(tmp_path / str(n), files={"sample/__init__.py": str(n).encode()}) for n in range(8)]
    won: list[Published] = []
    lost: list[Exception] = []

    def race(path: Path) -> None:
        try:
            won.append(publish(services, path))
        except FilenameTaken as error:
            lost.append(error)

    threads = [threading.Thread(target=race, args=[path]) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    (file,) = services.catalogue.project_detail(SAMPLE).files
    with services.storage.open(f"sample/{file.filename}") as held:
        assert hashlib.sha256(held.read()).hexdigest() == file.sha256 == won[0].sha256


def test_different_files_may_race(services: Services, tmp_path: Path) -> None:
    """S66: eight new files of one new project, at once: all are there, under one project."""
    paths = [build_wheel(tmp_path, version=f"{n}.0") for n in range(8)]
    threads = [threading.Thread(target=publish, args=(services, path)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(services.catalogue.project_detail(SAMPLE).files) == 8
    serials = [row.serial for row in journal(services)]
    assert serials == list(range(serials[0], serials[0] + 16))


def test_the_journal_is_a_chain(services: Services, tmp_path: Path) -> None:
    """Each row's hash covers the row and the hash before it, so that no row can be changed unnoticed."""
    publish(services, build_wheel(tmp_path))
    services.manager.yank("main", SAMPLE, "1.0", None, "why", by=TESTER)
    previous = ""
    for row in journal(services):
        entry = Entry(row.action, row.index_name, row.project, row.version, row.filename, row.detail)
        by = Actor(row.actor, row.token, row.address, row.request_id)
        previous = chain_hash(previous, row.serial, row.at, by, entry)
        assert row.chain == previous
    assert [row.action for row in journal(services)] == ["release.create", "file.publish", "file.yank"]


def test_a_deletion_takes_a_file_off_every_page(services: Services, tmp_path: Path) -> None:
    """A deleted file is gone from the pages and is in the journal with its digest and its reason."""
    wheel = build_wheel(tmp_path)
    published = publish(services, wheel)
    assert services.manager.delete("main", SAMPLE, reason="leaked", by=TESTER).filenames == (wheel.name,)
    with pytest.raises(UnknownProject):
        services.catalogue.project_detail(SAMPLE)
    with pytest.raises(UnknownFile):
        services.catalogue.file(SAMPLE, wheel.name)
    row = journal(services)[-1]
    assert (row.action, row.detail["sha256"], row.detail["reason"]) == ("file.delete", published.sha256, "leaked")


def test_one_file_or_one_release_can_be_deleted(services: Services, tmp_path: Path) -> None:
    """What is not named stays; a project that has files stays in the list."""
    for path in (build_wheel(tmp_path), build_sdist(tmp_path), build_wheel(tmp_path, version="2.0")):
        publish(services, path)
    services.manager.delete("main", SAMPLE, "1.0", "sample-1.0.tar.gz", by=TESTER)
    assert services.catalogue.project_detail(SAMPLE).versions == ("1.0", "2.0")
    services.manager.delete("main", SAMPLE, "1.0.0", by=TESTER)
    assert services.catalogue.project_detail(SAMPLE).versions == ("2.0",)
    assert [project.name for project in services.catalogue.projects()] == ["sample"]


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        (("none", "1.0", None), UnknownProject),
        (("sample", "9.9", None), UnknownRelease),
        (("sample", "1.0", "sample-1.0.tar.gz"), UnknownFile),
    ],
)
def test_what_is_not_there_cannot_be_changed(
    services: Services, tmp_path: Path, named: tuple[str, str, str | None], refusal: type[Refusal]
) -> None:
    """Unknown project, release and file each say which of them it was; nothing is written."""
    publish(services, build_wheel(tmp_path))
    before = len(journal(services))
    project, version, filename = named
    with pytest.raises(refusal):
        services.manager.yank("main", NormalizedName(project), version, filename, "", by=TESTER)
    with pytest.raises(refusal):
        services.manager.delete("main", NormalizedName(project), version, filename, by=TESTER)
    assert len(journal(services)) == before


def test_a_change_that_changes_nothing_leaves_no_row(services: Services, tmp_path: Path) -> None:
    """Yanking again for the same reason moves no serial."""
    publish(services, build_wheel(tmp_path))
    assert services.manager.yank("main", SAMPLE, "1.0", None, "why", by=TESTER) == 1
    assert services.manager.yank("main", SAMPLE, "1.0", None, "why", by=TESTER) == 0
    assert len(journal(services)) == 3


def test_the_latest_release_is_the_one_to_install(services: Services, tmp_path: Path) -> None:
    """Lists show the highest final version that is not yanked."""
    for version in ("1.0", "2.0", "3.0rc1"):
        publish(services, build_wheel(tmp_path, version=version, summary=f"Summary of {version}."))
    (project,) = services.catalogue.projects()
    assert (project.latest_version, project.summary) == ("2.0", "Summary of 2.0.")
    services.manager.yank("main", SAMPLE, "2.0", None, "", by=TESTER)
    (project,) = services.catalogue.projects()
    assert project.latest_version == "1.0"


def test_a_file_in_the_folder_is_adopted_where_it_lies(services: Services, tmp_path: Path) -> None:
    """A wheel that a person dropped flat into the folder is served from there."""
    wheel = build_wheel(tmp_path)
    (services.settings.data_path / wheel.name).write_bytes(wheel.read_bytes())
    (found,) = services.storage.walk()
    published = services.manager.adopt("main", found, by=TESTER)
    assert published.changed
    assert stored(services) == [wheel.name]
    assert services.catalogue.file(SAMPLE, wheel.name).location == wheel.name
    assert not services.manager.adopt("main", found, by=TESTER).changed


def test_a_file_that_was_moved_is_followed(services: Services, tmp_path: Path) -> None:
    """A person who sorts the folder anew loses nothing: the row follows the file."""
    wheel = build_wheel(tmp_path)
    publish(services, wheel)
    (services.settings.data_path / "sample" / wheel.name).rename(services.settings.data_path / wheel.name)
    (found,) = services.storage.walk()
    assert not services.manager.adopt("main", found, by=TESTER).changed
    assert services.catalogue.file(SAMPLE, wheel.name).location == wheel.name


def test_uploading_again_brings_lost_bytes_back(services: Services, tmp_path: Path) -> None:
    """The same file sent again restores what vanished from the store."""
    wheel = build_wheel(tmp_path)
    publish(services, wheel)
    (services.settings.data_path / "sample" / wheel.name).unlink()
    assert not publish(services, wheel).changed
    assert (services.settings.data_path / "sample" / wheel.name).read_bytes() == wheel.read_bytes()


def test_a_persons_file_is_not_overwritten(services: Services, tmp_path: Path) -> None:
    """A file lying unlisted under the name of an upload is moved aside, and the upload is what is listed."""
    wheel = build_wheel(tmp_path)
    (services.settings.data_path / "sample").mkdir()
    (services.settings.data_path / "sample" / wheel.name).write_bytes(b"something else")
    publish(services, wheel)
    (aside,) = (services.settings.data_path / ".state" / "trash").rglob("*.whl")
    assert aside.read_bytes() == b"something else"


@pytest.mark.parametrize("step", ["fsync", "rename", "commit"])
def test_a_crash_at_any_step_loses_and_shows_nothing(services: Services, tmp_path: Path, step: str) -> None:
    """F02: killed before the sync, after the rename or before the commit: nothing half-done is listed; again works."""
    wheel = build_wheel(tmp_path)
    script = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
import package_manager, storage.filesystem
from config import load_settings
from database.engine import Database
from database.journal import Actor
from distributions.claims import Claim
from services import open_services
services = open_services(load_settings(None, {{"data_dir": {str(services.settings.data_path)!r}}}, {{}}))
def die(*args, **kwargs):
    os._exit(9)
if {step!r} == "fsync":
    storage.filesystem.IncomingFile.sync = die
elif {step!r} == "rename":
    storage.filesystem.FilesystemStorage._sync_folder = die
else:
    package_manager.Change.seal = die
with services.manager.receive() as incoming:
    incoming.write(Path({str(wheel)!r}).read_bytes())
    services.manager.publish("main", incoming, Claim({wheel.name!r}), by=Actor("crash"))
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, env={**os.environ})
    assert done.returncode == 9
    with pytest.raises(UnknownProject):
        services.catalogue.project_detail(SAMPLE)
    services.storage.sweep(30)  # type: ignore[attr-defined]
    assert publish(services, wheel).changed
    with services.storage.open(f"sample/{wheel.name}") as file:
        assert file.read() == wheel.read_bytes()


def test_what_a_crash_left_unlisted_can_be_adopted(services: Services, tmp_path: Path) -> None:
    """Bytes that have their name but no row are taken in by a sync."""
    wheel = build_wheel(tmp_path)
    with services.manager.receive() as incoming:
        incoming.write(wheel.read_bytes())
        incoming.finish()
        services.storage.put(incoming, f"sample/{wheel.name}")
    (found,) = services.storage.walk()
    assert isinstance(found, StoredFile)
    assert services.manager.adopt("main", found, by=TESTER).changed


def test_a_quarantined_project_takes_and_offers_nothing(services: Services, tmp_path: Path) -> None:
    """PEP 792, enforced and not only shown."""
    wheel = build_wheel(tmp_path)
    publish(services, wheel)
    services.manager.set_status("main", SAMPLE, ProjectStatus.QUARANTINED, "looked into", by=TESTER)
    with pytest.raises(UnknownFile):
        services.catalogue.file(SAMPLE, wheel.name)
    with pytest.raises(Refusal):
        publish(services, build_wheel(tmp_path, version="2.0"))


def test_the_filesystem_never_sees_a_strangers_words(services: Services, tmp_path: Path) -> None:
    """S28: a second spelling of a file's name that differs in case only is refused."""
    publish(services, build_wheel(tmp_path, "casey"))
    other = build_wheel(tmp_path / "other", "CASEY", files={"CASEY/__init__.py": b"1"})
    with pytest.raises(Conflict):
        publish(services, other)
    assert stored(services) == ["casey/casey-1.0-py3-none-any.whl"]


def test_what_was_refused_is_not_published_later(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 503 that says that nothing was stored is true: the bytes are not left for a sync to adopt."""
    wheel = build_wheel(tmp_path)
    holder = services.database._connect()
    monkeypatch.setattr("database.engine.BUSY_SECONDS", 0.1)
    services.database.engine.dispose()
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        publish(services, wheel)
    holder.execute("ROLLBACK")
    holder.close()
    assert stored(services) == []
    assert publish(services, wheel).changed


@pytest.mark.parametrize("status", [ProjectStatus.ARCHIVED, ProjectStatus.QUARANTINED])
def test_overwriting_respects_the_status(
    open_server: Callable[..., Services], tmp_path: Path, status: ProjectStatus
) -> None:
    """An archived or quarantined project's files are not replaced either; the same file again is no upload."""
    services = open_server(overwrite="true")
    wheel = build_wheel(tmp_path)
    publish(services, wheel)
    services.manager.set_status("main", SAMPLE, status, None, by=TESTER)
    with pytest.raises(ReadOnlyProject):
        publish(services, build_wheel(tmp_path / "other", files={"sample/__init__.py": b"2"}))
    assert not publish(services, wheel).changed


def test_a_replaced_file_stays_yanked(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Overwriting changes the bytes, not the yank."""
    services = open_server(overwrite="true")
    publish(services, build_wheel(tmp_path))
    services.manager.yank("main", SAMPLE, "1.0", None, "broken", by=TESTER)
    publish(services, build_wheel(tmp_path / "other", files={"sample/__init__.py": b"2"}))
    (file,) = services.catalogue.project_detail(SAMPLE).files
    assert file.yanked == "broken"


def test_adopting_an_old_file_does_not_turn_time_back(services: Services, tmp_path: Path) -> None:
    """A file from 2001 keeps its time; the project was changed now."""
    wheel = build_wheel(tmp_path)
    dropped = services.settings.data_path / wheel.name
    dropped.write_bytes(wheel.read_bytes())
    os.utime(dropped, (1_000_000_000,) * 2)
    (found,) = services.storage.walk()
    services.manager.adopt("main", found, by=TESTER)
    (project,) = services.catalogue.projects()
    uploaded = services.catalogue.project_detail(SAMPLE).files[0].uploaded
    assert uploaded is not None
    assert uploaded.year == 2001
    assert project.updated.year >= 2026
