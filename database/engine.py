"""Connections and transactions: how SQLite is opened, read and written.

SQLite runs in WAL with ``synchronous=FULL``: a committed transaction survives the plug being pulled. Releases before
3.51.3 can corrupt a WAL under rare timing; where Python's own is older, the ``pysqlite3`` wheel is used.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from database.change_counter import ChangeCounter
from database.journal import Change
from errors import DatabaseBusy, InvalidSetting, Refusal, StorageFailed, StorageFull

BUSY_SECONDS = 5.0
SAFE_SQLITE = (3, 51, 3)


def sqlite_driver() -> ModuleType:
    """The newest SQLite there is: Python's own, or the ``pysqlite3`` wheel where that is newer."""
    if sqlite3.sqlite_version_info >= SAFE_SQLITE:
        return sqlite3
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        return sqlite3
    driver: ModuleType = dbapi2
    return driver


def sqlite_version() -> tuple[int, int, int]:
    """The version of the SQLite library in use."""
    major, minor, patch = sqlite_driver().sqlite_version.split(".")
    return int(major), int(minor), int(patch)


_DRIVER_ERRORS: tuple[type[Exception], ...] = (DBAPIError, sqlite3.Error, sqlite_driver().Error)


def refusal_of(error: Exception) -> Refusal | None:
    """The refusal that a database error stands for; None for one that is a fault of this program."""
    text = str(getattr(error, "orig", None) or error).lower()
    if "locked" in text or "busy" in text:
        return DatabaseBusy()
    if "disk is full" in text or "database or disk" in text:
        return StorageFull()
    if "readonly" in text or "read-only" in text:
        return StorageFailed("The database cannot be written: it lies on a read-only disk or belongs to another user.")
    if "disk i/o" in text or "malformed" in text or "not a database" in text or "unable to open" in text:
        return StorageFailed(
            "The database file cannot be used; run `cli.py check` and restore a backup if it is damaged."
        )
    return None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _DRIVER_ERRORS as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


class Database:
    """The database of one server.

    ``reading`` and ``writing`` give short transactions; ``writing`` is one at a time, in this process by a lock and
    between processes by ``BEGIN IMMEDIATE``. Both raise DatabaseBusy, StorageFull or StorageFailed in their cases.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._driver = sqlite_driver()
        with _translated():
            _make_private(path)
            self.engine = self._open()
            self._writer = self.engine.execution_options(begin="BEGIN IMMEDIATE")
            self._write_lock = threading.Lock()
            # Not one for each thread: servers end and begin threads, and a connection would stay behind each time.
            self._idle: deque[Any] = deque()
            self.changes = ChangeCounter(path.with_name("changes"), self._connect)

    def _open(self) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.path}",
            module=self._driver,
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=-1,  # the server's threads are the bound
            pool_timeout=BUSY_SECONDS,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", self._prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def _prepare(self, connection: Any, _record: object = None) -> None:
        # The driver's own transactions would begin too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000:.0f}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    def _connect(self) -> Any:
        connection = self._driver.connect(str(self.path), timeout=BUSY_SECONDS, check_same_thread=False)
        self._prepare(connection)
        return connection

    def quick(self, statement: str, parameters: Sequence[object]) -> Any:
        """The first row of one small read on the driver itself: some 10 microseconds, where SQLAlchemy takes 200."""
        with _translated():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                return connection.execute(statement, parameters).fetchone()
            finally:
                self._idle.append(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction for reading: one consistent picture."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def reading_damaged(self, what: str) -> Iterator[Connection]:
        """As ``reading``, for jobs that read all of ``what`` and meet any damage: a damaged page can also come out as
        text that is none, which is a failed store, too, and not a fault of ours. Raises StorageFailed.
        """
        try:
            with self.reading() as connection:
                yield connection
        except DBAPIError as error:
            raise StorageFailed(
                f"The {what} holds what cannot be read ({error.orig}); restore a backup of {self.path.name}."
            ) from error

    @contextmanager
    def writing(self) -> Iterator[Change]:
        """A transaction for one change; its journal rows, serials and chain are written last, before the commit."""
        if not self._write_lock.acquire(timeout=BUSY_SECONDS * 2):
            raise DatabaseBusy
        try:
            with _translated(), self._writer.begin() as connection:
                change = Change(connection)
                yield change
                change.seal()
        finally:
            self._write_lock.release()
            self.changes.bump()

    def close(self) -> None:
        """Close every connection."""
        self.changes.close()
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _make_private(path: Path) -> None:
    """Make the file if it is not there, readable by its owner only."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise InvalidSetting(
            f"The database {path} cannot be opened: {error.strerror}; make its folder, or set database_url to another."
        ) from error


def database_path(location: str) -> Path:
    """The file of a ``sqlite:///`` address. Raises InvalidSetting for any other kind."""
    if not location.startswith("sqlite:///"):
        raise InvalidSetting(
            "database_url must begin with sqlite:/// followed by a path; other databases are not served yet."
        )
    return Path(location.removeprefix("sqlite:///"))
