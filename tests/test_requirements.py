"""Who requires whom: kept true by every change of what an index holds, and filled for what was there before."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import text

from database import schema
from database.engine import Database
from database.requirements import MOST_TEXTS, Here, Requirements
from distributions.claims import Claim
from errors import FilenameTaken
from jobs.sync import sync
from permissions import MAIN
from services import Services
from simple.model import ProjectStatus
from tests.conftest import ROOT, TESTER
from tests.factory import build_wheel
from tests.test_package_manager import publish

THREAD, MILL = NormalizedName("thread"), NormalizedName("mill")


def users_of(services: Services, name: NormalizedName = THREAD) -> list[tuple[str, str | None, tuple[str, ...]]]:
    """Which projects require one, in which version, and how."""
    found = services.at().requirements.dependents(name, limit=100)
    assert services.at().requirements.count_dependents(name) == len(found)
    return [(one.name, one.version, one.requirements) for one in found]


def put(services: Services, folder: Path, version: str, *requires: str, name: str = "mill") -> None:
    """Publish a release that requires these."""
    publish(services, build_wheel(folder, name, version, requires_dist=requires))


def test_the_latest_release_says_what_is_required(services: Services, tmp_path: Path) -> None:
    """Older releases and pre-releases that came later do not count; the same project named twice is one."""
    put(services, tmp_path, "1.0", "Thread>=1", "needle")
    assert users_of(services) == [("mill", "1.0", ("Thread>=1",))]
    put(services, tmp_path, "2.0", "thread>=2; python_version < '3.9'", "thread>=3")
    put(services, tmp_path, "1.5", "needle")
    put(services, tmp_path, "3.0rc1", "needle")
    assert users_of(services) == [("mill", "2.0", ("thread>=2; python_version < '3.9'", "thread>=3"))]
    assert users_of(services, NormalizedName("needle")) == []


def test_nobody_fills_the_page_of_what_they_require(services: Services, tmp_path: Path) -> None:
    """Of a thousand requirements of one project on another the first are told, also from before there was a limit."""
    many = tuple(f"thread>={number}" for number in range(1000))
    put(services, tmp_path, "1.0", *many)
    assert users_of(services) == [("mill", "1.0", many[:MOST_TEXTS])]
    with services.database.writing() as change:
        change.connection.execute(text("UPDATE requirements SET texts = :texts"), {"texts": json.dumps(many)})
    assert users_of(services) == [("mill", "1.0", many[:MOST_TEXTS])]


def test_yanking_and_taking_it_back_change_what_is_required(services: Services, tmp_path: Path) -> None:
    """What an installer would take is what counts."""
    put(services, tmp_path, "1.0", "thread>=1")
    put(services, tmp_path, "2.0", "needle")
    assert users_of(services) == []
    services.manager.yank(MAIN, MILL, "2.0", None, "", by=TESTER)
    assert users_of(services) == [("mill", "1.0", ("thread>=1",))]
    services.manager.unyank(MAIN, MILL, "2.0", None, by=TESTER)
    assert users_of(services) == []


def test_what_was_deleted_requires_nothing(services: Services, tmp_path: Path) -> None:
    """A deleted release gives way to the one before; a deleted project is nobody's user."""
    put(services, tmp_path, "1.0", "thread>=1")
    put(services, tmp_path, "2.0", "thread>=2")
    services.manager.delete(MAIN, MILL, "2.0", by=TESTER)
    assert users_of(services) == [("mill", "1.0", ("thread>=1",))]
    services.manager.delete(MAIN, MILL, by=TESTER)
    assert users_of(services) == []


def test_an_overwritten_file_speaks_anew(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Where uploads may overwrite, the requirements are those of the new bytes."""
    services = open_server(overwrite="true")
    put(services, tmp_path, "1.0", "thread>=1")
    put(services, tmp_path, "1.0", "thread>=2")
    assert users_of(services) == [("mill", "1.0", ("thread>=2",))]


def test_a_refused_upload_changes_nothing(services: Services, tmp_path: Path) -> None:
    """The rows are written with the file's or not at all."""
    put(services, tmp_path, "1.0", "thread>=1")
    other = build_wheel(tmp_path / "other", "mill", "1.0", requires_dist=["needle"])
    with services.manager.receive() as incoming:
        incoming.write(other.read_bytes())
        with pytest.raises(FilenameTaken):
            services.manager.publish(MAIN, incoming, Claim(other.name), by=TESTER)
    assert users_of(services) == [("mill", "1.0", ("thread>=1",))]


def test_a_sync_brings_requirements_along(services: Services) -> None:
    """Files that a person dropped into the folder are users like any other."""
    build_wheel(services.settings.data_path / "dropped", "mill", "1.0", requires_dist=["thread>=1"])
    sync(services, by=TESTER)
    assert users_of(services) == [("mill", "1.0", ("thread>=1",))]


def test_nobody_uses_themselves_or_from_quarantine(services: Services, tmp_path: Path) -> None:
    """An extra that is made of others names its own project; a quarantined project is shown to nobody."""
    put(services, tmp_path, "1.0", "thread>=1", "mill[fast]; extra == 'all'")
    put(services, tmp_path, "1.0", "thread", name="spool")
    assert users_of(services, MILL) == []
    services.manager.set_status(MAIN, MILL, ProjectStatus.QUARANTINED, None, by=TESTER)
    assert users_of(services) == [("spool", "1.0", ("thread",))]


def test_what_is_here_is_known(services: Services, tmp_path: Path) -> None:
    """By name, with the latest version; of a quarantined project none; what has no files is not here."""
    for name in ("mill", "spool", "gone"):
        put(services, tmp_path, "1.0", name=name)
    services.manager.set_status(MAIN, MILL, ProjectStatus.QUARANTINED, None, by=TESTER)
    services.manager.delete(MAIN, NormalizedName("gone"), by=TESTER)
    many = [f"nothing-{number}" for number in range(1200)]
    assert services.at().requirements.here([*many, "mill", "spool", "gone"]) == {
        "mill": Here("mill", None, ProjectStatus.QUARANTINED),
        "spool": Here("spool", "1.0", ProjectStatus.ACTIVE),
    }
    assert services.at().requirements.here([]) == {}


def test_pages_hold_every_user_once(services: Services, tmp_path: Path) -> None:
    """By name, whatever the order in which they came."""
    for number in (3, 1, 2):
        put(services, tmp_path, "1.0", "thread", name=f"user{number}")
    pages = [services.at().requirements.dependents(THREAD, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [[one.name for one in page] for page in pages] == [["user1", "user2"], ["user3"], []]


def _of_the_second_schema(database: Database, projects: int) -> None:
    """Fill an unprepared database with the schema before: each project has two releases, but for two odd ones."""
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(ROOT / "database" / "migrations"))
    project = (
        "INSERT INTO projects (id, index_id, name, display_name, lookalike, status, created, updated, serial,"
        " file_count, summary, latest_version)"
        " VALUES (:id, 1, 'user' || :id, 'User' || :id, '', 'active', 5, 5, 1, 1, '', :latest)"
    )
    release = (
        "INSERT INTO releases (project_id, version, key, created, core_metadata, description)"
        " VALUES (:id, :version, :version, 5, :metadata, '')"
    )
    with database.writing() as change:
        configuration.attributes["connection"] = change.connection
        command.upgrade(configuration, "0002")
        run = change.connection.execute
        run(text("INSERT INTO indexes (id, name, title, created, serial) VALUES (1, 'main', '', 1, 0)"))
        for number in range(1, projects + 1):
            run(text(project), {"id": number, "latest": None if number == 7 else "2.0"})
            latest = "{}" if number == 8 else '{"requires_dist": ["Thread>=2", "thread<9"], "summary": "x"}'
            for version, metadata in (("1.0", '{"requires_dist": ["needle"]}'), ("2.0", latest)):
                run(text(release), {"id": number, "version": version, "metadata": metadata})


def test_an_older_database_is_filled(tmp_path: Path) -> None:
    """The latest releases' requirements are found in what was kept of their metadata, more than one batch of them."""
    with closing(Database(tmp_path / "index.sqlite3")) as database:
        _of_the_second_schema(database, 1201)
        schema.prepare(database)
        requirements = Requirements(database)
        assert requirements.count_dependents(THREAD) == 1199
        assert requirements.count_dependents(NormalizedName("needle")) == 0
        first = requirements.dependents(THREAD, limit=1)[0]
        assert (first.name, first.display_name, first.version, first.requirements) == (
            "user1", "User1", "2.0", ("Thread>=2", "thread<9"),
        )  # fmt: skip
