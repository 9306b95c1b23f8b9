"""What becomes of downloads that an earlier version counted, by file and day only."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from database import schema
from database.engine import Database
from tests.conftest import ROOT

COUNTED = [(20000, "a", "looms", 3), (20000, "b", "looms", 4), (20001, "a", "looms", 5), (20001, "c", "attic", 6)]
SUMMED = ("total", "python", "installer", "platform")


def counted_by_file(database: Database) -> None:
    """Fill an unprepared database with the schema before this and some downloads."""
    configuration = Config()
    configuration.set_main_option("script_location", str(ROOT / "database" / "migrations"))
    with database.writing() as change:
        configuration.attributes["connection"] = change.connection
        command.upgrade(configuration, "0010")
        for day, filename, project, count in COUNTED:
            change.connection.execute(
                text(
                    "INSERT INTO downloads (index_name, day, filename, project, version, count)"
                    " VALUES ('main', :day, :filename, :project, '1', :count)"
                ),
                {"day": day, "filename": filename, "project": project, "count": count},
            )


def test_an_older_database_keeps_its_downloads(tmp_path: Path) -> None:
    """Every count stays under its day, version and file, and adds to the sums; nothing is known of the clients."""
    with closing(Database(tmp_path / "index.sqlite3")) as database:
        counted_by_file(database)
        schema.prepare(database)
        with database.reading() as connection:
            found = connection.execute(
                text("SELECT project, dimension, day, value, detail, count FROM download_counts")
            )
            rows = sorted(tuple(row) for row in found)
            assert not inspect(connection).has_table("downloads")
    sums = [
        *((project, dimension, 20000, "", "", 7) for project in ("", "looms") for dimension in SUMMED),
        *(("looms", dimension, 20001, "", "", 5) for dimension in SUMMED),
        *(("attic", dimension, 20001, "", "", 6) for dimension in SUMMED),
        *(("", dimension, 20001, "", "", 11) for dimension in SUMMED),
    ]
    told = [
        ("", "project", 20000, "looms", "", 7), ("", "project", 20001, "attic", "", 6),
        ("", "project", 20001, "looms", "", 5), ("attic", "version", 20001, "1", "c", 6),
        ("looms", "version", 20000, "1", "a", 3), ("looms", "version", 20000, "1", "b", 4),
        ("looms", "version", 20001, "1", "a", 5),
    ]  # fmt: skip
    assert rows == sorted([*sums, *told])
