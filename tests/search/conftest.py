"""Projects to look for, listed as an upload lists them, without files behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from database import holdings, schema
from database.engine import Database
from database.holdings import NewFile
from database.search import Search
from distributions.filenames import check_project_name, check_version, release_key, ultranormalize

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Shelf:
    """An index that is filled row by row; each addition is a minute later than the one before."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.search = Search(database)
        self.now = FIRST_DAY

    def add(
        self,
        name: str,
        summary: str = "",
        description: str = "",
        *,
        version: str = "1.0",
        wheel: bool = True,
        **said: Any,
    ) -> None:
        """List a file; ``said`` is more of its core metadata, by our names for the fields."""
        self.now += timedelta(minutes=1)
        with self.database.writing() as change:
            index_id = holdings.index_id_of(change.connection, "main")
            new = self._file(name, summary, description, version, wheel, said)
            holdings.add_file(change.connection, index_id, new, self.now)

    def _file(
        self, name: str, summary: str, description: str, version: str, wheel: bool, said: dict[str, Any]
    ) -> NewFile:
        filename = f"{name}-{version}" + ("-py3-none-any.whl" if wheel else ".tar.gz")
        digest = hashlib.sha256(filename.encode()).hexdigest()
        return NewFile(
            project=check_project_name(name), display_name=name, lookalike=ultranormalize(name), version=version,
            key=release_key(check_version(version)), filename=filename, location=filename,
            kind="bdist_wheel" if wheel else "sdist", python_tag="py3", size=1, sha256=digest, md5="", blake2b="",
            requires_python=None, uploaded=self.now, uploader="bob", metadata={"summary": summary, **said},
            description=description,
        )  # fmt: skip

    def found(self, query: str, **asked: Any) -> list[str]:
        """The names of what a query finds, in order."""
        return [hit.name for hit in self.search.find(query, **asked).hits]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """An empty index."""
    with closing(Database(tmp_path / "index.sqlite3")) as database:
        schema.prepare(database)
        yield Shelf(database)


@pytest.fixture
def library(shelf: Shelf) -> Shelf:
    """A few projects to look for."""
    for name, summary, description in [
        ("flask", "A simple framework for building complex web applications.", "Web and more web."),
        ("flask-login", "User session management.", ""),
        ("requests", "HTTP for humans.", "An elegant library, not a flask."),
        ("acme_hello", "Greets people.", "Naïve café."),
        ("numpy", "Fundamental package for array computing.", ""),
        ("aiohttp", "Asynchronous client and server.", "Speaks of humans nowhere else."),
        ("scikit-learn", "Learning by machine.", ""),
    ]:
        shelf.add(name, summary, description)
    return shelf
