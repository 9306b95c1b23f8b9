"""The database: transactions, the change counter, schema."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from database import schema
from database.engine import SAFE_SQLITE, Database, database_path, sqlite_version
from database.journal import Entry
from database.models import Base, Counter, JournalEntry, PackageIndex
from database.search import Filters, Search
from errors import DatabaseBusy, InvalidSetting, StorageFailed
from services import Services
from tests.conftest import ROOT, TESTER
from tests.factory import build_wheel
from tests.test_package_manager import publish


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A prepared database of its own."""
    made = Database(tmp_path / "index.sqlite3")
    schema.prepare(made)
    return made


def test_the_sqlite_in_use_is_a_safe_one() -> None:
    """F14: releases before 3.51.3 can corrupt a WAL; the tests run on what the server runs on."""
    assert sqlite_version() >= SAFE_SQLITE


def test_the_schema_is_what_the_models_say(database: Database) -> None:
    """The migrations lead to the tables of the models, none more, none less."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with closing(database), database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": lambda _o, n, *_: not n.startswith("search")}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_preparing_again_changes_nothing(database: Database) -> None:
    """A current schema is left alone, and a newer one is refused with what to do."""
    with closing(database):
        schema.prepare(database)
        with database.writing() as change:
            change.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(InvalidSetting, match="newer version"):
            schema.prepare(database)


def _of_the_first_schema(database: Database) -> None:
    """Fill an unprepared database with the first schema: three users, a token, a session, one project."""
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(ROOT / "database" / "migrations"))
    blank = "'h', '', 0, 1, 0, 5"
    with database.writing() as change:
        configuration.attributes["connection"] = change.connection
        command.upgrade(configuration, "0001")
        statements = [
            "INSERT INTO indexes (id, name, title, created, serial) VALUES (1, 'main', 'Main', 1, 0)",
            *(
                "INSERT INTO users (id, username, username_key, password_hash, email, is_admin, active,"
                f" default_password, created) VALUES ({number}, '{name}', '{name.lower()}', {blank})"
                for number, name in enumerate(["Ada", "bob", "carol"], 1)
            ),
            "INSERT INTO tokens (public_id, secret_sha256, user_id, name, created) VALUES ('t', 's', 1, 'ci', 5)",
            (
                "INSERT INTO sessions (id_sha256, user_id, created, last_seen, expires, user_agent)"
                " VALUES ('x', 1, 5, 5, 9, '')"
            ),
            (
                "INSERT INTO projects (id, index_id, name, display_name, lookalike, status, created, updated, serial,"
                " file_count, summary, latest_version)"
                " VALUES (1, 1, 'looms', 'looms', 'looms', 'active', 5, 5, 1, 4, 'Weaves.', '1')"
            ),
            (
                "INSERT INTO releases (id, project_id, version, key, created, core_metadata, description)"
                " VALUES (1, 1, '1', '1', 5, json_object('license_expression', 'MIT'), '# Looms')"
            ),
            *(
                "INSERT INTO files (id, index_id, project_id, release_id, filename, filename_key, location, kind,"
                " python_tag, size, sha256, md5, blake2b, uploaded, uploader, has_provenance, comment) VALUES"
                f" ({number}, 1, 1, 1, '{number}', '{number}', '{number}', 'sdist', '', 1, '', '', '', {number},"
                f" '{uploader}', 1, '')"
                for number, uploader in enumerate(["a folder", "Ada", "bob", "Ada"], 1)
            ),
            "INSERT INTO burned_filenames (index_id, filename_key, sha256, deleted) VALUES (1, 'gone', '', 5)",
        ]
        statements.append(
            "INSERT INTO downloads (index_name, day, filename, project, version, count)"
            " VALUES ('main', 1, '1', 'looms', '1', 12)"
        )
        for statement in statements:
            change.connection.execute(text(statement))


def test_an_older_database_is_brought_up_to_date(tmp_path: Path) -> None:
    """Users and tokens stay, browsers sign in again; who uploaded first owns a project, the others maintain it; what
    was deleted stays so; the search knows what is there.
    """
    with closing(Database(tmp_path / "index.sqlite3")) as database:
        _of_the_first_schema(database)
        schema.prepare(database)
        with database.reading() as connection:

            def rows(query: str) -> list[tuple[object, ...]]:
                return [tuple(row) for row in connection.execute(text(query))]

            assert rows("SELECT username, source FROM users ORDER BY id") == [
                ("Ada", "table"),
                ("bob", "table"),
                ("carol", "table"),
            ]
            assert rows("SELECT public_id, user_id, scopes, projects FROM tokens") == [
                ("t", 1, "read upload yank admin", "[]")
            ]
            assert rows("SELECT count(*) FROM sessions") == [(0,)]
            assert rows("SELECT project, user_id, team_id, role, created FROM grants ORDER BY user_id") == [
                ("looms", 1, None, "owner", 2),
                ("looms", 2, None, "maintainer", 3),
            ]
            assert rows("SELECT count(*), sum(has_provenance) FROM files") == [(4, 0)]
            assert rows("SELECT filename_key FROM burned_filenames") == [("gone",)]
            assert rows("SELECT count(*) FROM deletions") == [(0,)]
            assert rows("SELECT description, html FROM releases LEFT JOIN rendered_descriptions") == [("# Looms", None)]
            assert rows("PRAGMA foreign_key_check") == []
            assert rows("SELECT name, downloads, is_yanked FROM listings") == [("looms", 12, 0)]
            assert rows("SELECT value, projects FROM facets") == [("MIT", 1)]
        hits = Search(database).find("looms", filters=Filters(license="MIT", has_wheel=False)).hits
        assert [(hit.name, hit.summary) for hit in hits] == [("looms", "Weaves.")]


def test_two_processes_may_prepare_at_once(tmp_path: Path) -> None:
    """Two starts on a new folder make one schema."""
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from database import schema
from database.engine import Database
schema.prepare(Database(Path({str(tmp_path / "index.sqlite3")!r})))
"""
    started = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [one.wait(60) for one in started] == [0, 0, 0]


def test_writes_survive_and_are_durable(database: Database) -> None:
    """WAL with synchronous=FULL: what was committed survives a power cut."""
    with closing(database), database.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2


def test_a_failed_change_leaves_nothing(database: Database) -> None:
    """An error inside a change takes back its rows and its journal."""
    with closing(database):
        with suppress(RuntimeError), database.writing() as change:
            change.connection.execute(insert(Counter).values(name="x", value=1))
            change.record(TESTER, Entry("x"))
            raise RuntimeError
        with database.reading() as connection:
            assert connection.execute(select(Counter.name)).all() == []
            assert connection.execute(select(JournalEntry.serial)).all() == []


def test_serials_start_high_and_rise(database: Database) -> None:
    """A new database starts above any earlier one's serials; an index's serial is that of its last change."""
    with closing(database):
        for _ in range(2):
            with database.writing() as change:
                change.record(TESTER, Entry("a", "main"))
                change.record(TESTER, Entry("b"))
        with database.reading() as connection:
            serials = list(connection.execute(select(JournalEntry.serial).order_by(JournalEntry.serial)).scalars())
            of_main = connection.execute(select(PackageIndex.serial)).scalar_one()
    assert serials[0] > 200_000_000
    assert serials == list(range(serials[0], serials[0] + 4))
    assert of_main == serials[2]


def test_the_counter_moves_with_every_commit(database: Database, tmp_path: Path) -> None:
    """A commit by this object, by another process of ours, or by a stranger's tool is noticed."""
    with closing(database), closing(Database(tmp_path / "index.sqlite3")) as other:
        seen = {database.changes.current()}
        for one in (database, other):
            with one.writing() as change:
                change.connection.execute(text("UPDATE counters SET value = value"))
            assert database.changes.current() not in seen
            seen.add(database.changes.current())
        stranger = database._connect()
        stranger.execute("CREATE TABLE strange (x)")
        stranger.close()
        time.sleep(0.06)  # foreign tools are looked for 20 times a second
        assert database.changes.current() not in seen


def test_a_busy_database_is_said_so(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F13: another process that holds the write lock for too long gives 503, never 500."""
    monkeypatch.setattr("database.engine.BUSY_SECONDS", 0.2)
    with closing(database), closing(Database(tmp_path / "index.sqlite3")) as other:
        holder = database._connect()
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy), other.writing():
            pass
        holder.execute("ROLLBACK")
        holder.close()
        with other.writing():
            pass


def test_writers_wait_for_each_other(database: Database) -> None:
    """Six threads that each add 20 times lose none."""
    with closing(database):
        with database.writing() as change:
            change.connection.execute(insert(Counter).values(name="n", value=0))

        def add() -> None:
            for _ in range(20):
                with database.writing() as change:
                    value = change.connection.execute(select(Counter.value).where(Counter.name == "n")).scalar_one()
                    change.connection.execute(text(f"UPDATE counters SET value = {value + 1} WHERE name = 'n'"))

        threads = [threading.Thread(target=add) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with database.reading() as connection:
            assert connection.execute(select(Counter.value).where(Counter.name == "n")).scalar_one() == 120


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """F16: what is no database is said to be none, with what to do."""
    (tmp_path / "index.sqlite3").write_bytes(b"this is not a database" * 1000)
    with pytest.raises(StorageFailed, match="cannot be used"):
        Database(tmp_path / "index.sqlite3")


@pytest.mark.parametrize("location", ["postgresql://x/y", "index.sqlite3", "sqlite://"])
def test_other_databases_are_refused(location: str) -> None:
    """Only SQLite files are served as yet."""
    with pytest.raises(InvalidSetting):
        database_path(location)


def test_the_driver_reads_what_others_wrote(open_server: Callable[..., Services]) -> None:
    """`quick` sees each commit at once: it keeps no transaction open."""
    one, other = open_server(), open_server()
    before = one.database.quick("SELECT serial FROM indexes WHERE name = ?", ("main",))[0]
    with other.database.writing() as change:
        change.record(TESTER, Entry("x", "main"))
    assert one.database.quick("SELECT serial FROM indexes WHERE name = ?", ("main",))[0] > before


def test_a_long_summary_is_cut_in_lists(services: Services, tmp_path: Path) -> None:
    """Lists and the search carry 512 characters of a summary, also after a release is looked at anew."""
    from packaging.utils import NormalizedName

    publish(services, build_wheel(tmp_path, "wordy", summary="s" * 1500))
    assert [len(project.summary) for project in services.at().catalogue.projects()] == [512]
    services.manager.yank("main", NormalizedName("wordy"), "1.0", None, "", by=TESTER)
    assert [len(project.summary) for project in services.at().catalogue.projects()] == [512]
