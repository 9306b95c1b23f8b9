"""Making the tables and bringing older ones up to date, with Alembic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select, text

from database import search_index
from database.engine import Database
from database.models import PackageIndex
from errors import InvalidSetting

HEAD = "0018"
MAIN = "main"


def prepare(database: Database) -> None:
    """Make the schema current and the index ``main`` present.

    A schema that is current costs one read. Raises InvalidSetting for a database that a newer version of this program
    has written.
    """
    with database.reading() as connection:
        found = _version(connection)
    if found != HEAD:
        if found is not None and found > HEAD:
            raise InvalidSetting(
                f"The database {database.path} was written by a newer version (schema {found}, this one knows {HEAD}); "
                "start that version, or restore a backup."
            )
        _upgrade(database)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    # One transaction under the write lock: killed half-way, it leaves the older schema.
    with database.writing() as change:
        configuration.attributes["connection"] = change.connection
        command.upgrade(configuration, "head")
        _ensure_main(change.connection)
        for project_id in search_index.behind(change.connection):
            search_index.refresh(change.connection, project_id)


def _ensure_main(connection: Connection) -> None:
    if connection.execute(select(PackageIndex.id).where(PackageIndex.name == MAIN)).first() is None:
        now = datetime.now(UTC)
        connection.execute(insert(PackageIndex).values(name=MAIN, title="Main index", created=now, serial=0))
