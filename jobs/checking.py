"""``cli.py check``: read everything again and hold it against what the database says. Nothing is changed.

It runs beside a server. What was changed while it was read is looked at again before it is called damaged.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from database import inventory, journal_proof
from database.engine import Database
from database.inventory import ListedFile
from errors import MissingBytes, Refusal, StorageFailed
from jobs.work import Progress, each, nothing
from storage import Storage
from storage.digests import DigestFolder

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: ``kind`` is damaged, size, missing, unreadable, metadata, journal or database; ``name`` a key of the
    store, a filename, or what else it is about.
    """

    kind: str
    name: str
    reason: str


@dataclass(slots=True)
class CheckReport:
    """What a check found. ``bytes`` is how many were read; ``deleted`` of the ``files`` can be brought back; ``taken``
    files came from upstreams; ``unlisted`` are files that no row names, which is no fault.

    ``stopped`` is True for a check that was ended early: what it did not reach, it says nothing of.
    """

    files: int = 0
    deleted: int = 0
    taken: int = 0
    bytes: int = 0
    journal_rows: int = 0
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether all that was looked at is as it should be."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Read:
    size: int
    problem: Problem | None = None


def check(
    database: Database,
    storage: Storage,
    cache: DigestFolder | None = None,
    *,
    progress: Progress = nothing,
    stop: threading.Event | None = None,
    threads: int = 2,
) -> CheckReport:
    """Check the database's own structure, the journal's chain, kept core metadata, and the bytes of every file, those
    that were taken from upstreams (``cache``) too.
    """
    stop = stop or threading.Event()
    began = time.monotonic()
    report = CheckReport()
    sections: tuple[Callable[[], None], ...] = (
        lambda: _structure(database, report),
        lambda: _journal(database, report, stop),
        lambda: _core_metadata(database, report),
        lambda: _files(database, storage, report, progress, stop, threads),
        lambda: _taken(cache, report, stop),
        lambda: _unlisted(database, storage, report),
    )
    for section in sections:
        if not stop.is_set():
            try:
                section()
            except StorageFailed as failure:
                report.problems.append(Problem("database", database.path.name, failure.sentence))
    report.problems.sort(key=lambda problem: (problem.kind, problem.name))
    report.stopped = stop.is_set()
    report.seconds = round(time.monotonic() - began, 3)
    return report


def _structure(database: Database, report: CheckReport) -> None:
    report.problems += [
        Problem("database", database.path.name, fault) for fault in inventory.integrity_faults(database)
    ]


def _journal(database: Database, report: CheckReport, stop: threading.Event) -> None:
    found = journal_proof.verify(database, stop=stop)
    report.journal_rows = found.rows
    report.problems += [Problem("journal", "journal", fault.reason) for fault in found.faults]
    if found.broken > len(found.faults):
        reason = f"{found.broken:,} rows do not fit; `cli.py journal verify` says the same of the first ones."
        report.problems.append(Problem("journal", "journal", reason))


def _core_metadata(database: Database, report: CheckReport) -> None:
    report.problems += [
        Problem("metadata", filename, fault) for filename, fault in inventory.faults_of_core_metadata(database)
    ]


def _files(
    database: Database,
    storage: Storage,
    report: CheckReport,
    progress: Progress,
    stop: threading.Event,
    threads: int,
) -> None:
    total = inventory.count_files(database)
    progress(0, total)
    kinds = (
        (inventory.listed_files(database), inventory.still_listed),
        (inventory.deleted_files(database), inventory.still_deleted),
    )
    for files, still_so in kinds:
        before = report.files
        for read in each(files, partial(_look, database, storage, still_so), threads=threads, stop=stop):
            report.files += 1
            report.bytes += read.size
            if read.problem is not None:
                report.problems.append(read.problem)
            progress(report.files, max(total, report.files))
        report.deleted = report.files - before


def _look(
    database: Database, storage: Storage, still_so: Callable[[Database, ListedFile], bool], file: ListedFile
) -> _Read:
    read = _read(storage, file)
    if read.problem is not None and not still_so(database, file):
        return _Read(read.size)  # deleted, replaced, moved or restored while it was read
    return read


def _read(storage: Storage, file: ListedFile) -> _Read:
    digest, size = hashlib.sha256(), 0
    try:
        with storage.open(file.location) as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except MissingBytes as refusal:
        return _Read(size, Problem("missing", file.location, refusal.sentence))
    except Refusal as refusal:
        return _Read(size, Problem("unreadable", file.location, refusal.sentence))
    except OSError as error:
        reason = f"The disk could not read it ({error.strerror}); look at the disk, and restore the file."
        return _Read(size, Problem("unreadable", file.location, reason))
    if size != file.size:
        reason = f"It has {size:,} bytes, {file.size:,} were published; restore the published file."
        return _Read(size, Problem("size", file.location, reason))
    if digest.hexdigest() != file.sha256:
        reason = f"Its sha256 is {digest.hexdigest()}, published was {file.sha256}; restore the published file."
        return _Read(size, Problem("damaged", file.location, reason))
    return _Read(size)


def _taken(cache: DigestFolder | None, report: CheckReport, stop: threading.Event) -> None:
    if cache is None:
        return
    for key, sha256 in cache.kept():
        if stop.is_set():
            return
        try:
            with cache.open(key) as source:
                digest, size = _digest_of(source)
        except MissingBytes:
            continue  # it made room for others
        report.taken += 1
        report.bytes += size
        if digest != sha256:
            reason = "Its bytes are not those that were taken; delete it, and it is taken anew when it is asked for."
            report.problems.append(Problem("damaged", f"upstream/{sha256[:2]}/{key}", reason))


def _digest_of(source: BinaryIO) -> tuple[str, int]:
    """The sha256 of what is left of an open file, and how many bytes that was."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _unlisted(database: Database, storage: Storage, report: CheckReport) -> None:
    stored = {file.key for file in storage.walk()}
    # The rows second: what is published in between is then known, not strange.
    stored.difference_update(file.location for file in inventory.listed_files(database))
    stored -= inventory.deleted_locations(database)
    report.unlisted = sorted(stored)
