"""``packages import``: take every distribution of a folder into an index. What is there already is passed over, so a
run that was cut off is simply started again.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from database import inventory
from database.journal import Actor
from distributions.claims import Claim
from errors import InvalidRequest, MissingBytes, Refusal, StorageFailed, StorageFull, TooLarge, shown
from jobs.work import Progress, Trouble, each, looks_like_distribution, nothing, patiently
from permissions import MAIN
from services import Services

_CHUNK = 1 << 20


@dataclass(slots=True)
class ImportReport:
    """What became of a folder. ``bytes`` are those of the imported files; ``restored`` were listed, but without their
    bytes; ``stopped`` says why the run ended early, if it did.
    """

    imported: int = 0
    skipped: int = 0
    restored: int = 0
    not_distributions: int = 0
    bytes: int = 0
    seconds: float = 0.0
    refused: list[Trouble] = field(default_factory=list)
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    kind: Literal["imported", "skipped", "restored", "refused", "failed"]
    size: int = 0
    trouble: Trouble | None = None


def files_of(folder: Path) -> Iterator[Path]:
    """Every file below a folder, hidden ones and those in hidden folders left out, in order of names."""

    def failed(error: OSError) -> None:
        raise StorageFailed(
            f"The folder {shown(error.filename, 200)} cannot be read ({error.strerror}); make it readable."
        ) from error

    for place, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def import_folder(
    services: Services,
    folder: Path,
    *,
    index: str = MAIN,
    by: Actor,
    threads: int = 4,
    progress: Progress = nothing,
    stop: threading.Event | None = None,
) -> ImportReport:
    """Publish every distribution below ``folder``, a few at a time; what was refused, and why, is in the report.

    A store that fails ends the run. Raises UnknownIndex, and StorageFailed for a folder that cannot be read.
    """
    services.at(index)
    stop = stop or threading.Event()
    began = time.monotonic()
    report = ImportReport()
    paths = []
    for path in files_of(folder):
        if looks_like_distribution(path.name):
            paths.append(path)
        else:
            report.not_distributions += 1
    progress(0, len(paths))
    take = partial(_take, services, folder, index, by, stop)
    for done, outcome in enumerate(each(paths, take, threads=threads, stop=stop), 1):
        _note(report, outcome)
        if report.stopped:
            stop.set()
        progress(done, len(paths))
    report.refused.sort(key=lambda trouble: trouble.file)
    report.seconds = round(time.monotonic() - began, 3)
    return report


def _note(report: ImportReport, outcome: _Outcome) -> None:
    match outcome.kind:
        case "imported":
            report.imported += 1
            report.bytes += outcome.size
        case "skipped":
            report.skipped += 1
        case "restored":
            report.restored += 1
        case "refused" if outcome.trouble:
            report.refused.append(outcome.trouble)
        case "failed" if outcome.trouble:
            report.stopped = outcome.trouble.reason


def _take(services: Services, folder: Path, index: str, by: Actor, stop: threading.Event, path: Path) -> _Outcome:
    name = path.relative_to(folder).as_posix()
    try:
        size = _checked_size(services, path)
        if _is_there(services, index, path, size):
            return _Outcome("skipped")
        changed = patiently(partial(_publish, services, index, path, by), stop)
        return _Outcome("imported" if changed else "restored", size)
    except (StorageFull, StorageFailed) as failure:
        return _Outcome("failed", trouble=Trouble.of(name, failure))
    except Refusal as refusal:
        return _Outcome("refused", trouble=Trouble.of(name, refusal))


def _checked_size(services: Services, path: Path) -> int:
    """The file's size. Raises TooLarge, and InvalidRequest for what is no readable file."""
    most = services.settings.max_file_size
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _unreadable(error) from error
    if not path.is_file():
        raise InvalidRequest("This is not a plain file; only files are taken.")
    if size > most:
        raise TooLarge(f"The file has {size:,} bytes, max_file_size is {most:,}; raise that setting to take it.")
    return size


def _unreadable(error: OSError) -> InvalidRequest:
    return InvalidRequest(f"The file cannot be read ({error.strerror}); make it readable and import it again.")


def _is_there(services: Services, index: str, path: Path, size: int) -> bool:
    """Whether these bytes are listed under this name and lie in the store. Reads the file only if that may be so."""
    held = inventory.find_file(services.database, index, path.name)
    if held is None or held.filename != path.name or held.size != size:
        return False
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != held.sha256:
                return False
    except OSError as error:
        raise _unreadable(error) from error
    try:
        services.storage.open(held.location).close()
    except MissingBytes:
        return False
    return True


def _publish(services: Services, index: str, path: Path, by: Actor) -> bool:
    with services.manager.receive() as incoming:
        try:
            source = path.open("rb")
        except OSError as error:
            raise _unreadable(error) from error
        with source:
            while chunk := _read(source):
                incoming.write(chunk)
        return services.manager.publish(index, incoming, Claim(filename=path.name), by=by).changed


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_CHUNK)
    except OSError as error:
        raise _unreadable(error) from error
