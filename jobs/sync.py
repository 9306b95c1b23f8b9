"""``packages sync``, and the same at a start: the folder is the truth of what bytes there are, the rows follow.

Files that a person put there are listed where they lie, moved ones are followed, and those that are gone are named.
They stay listed: they were published, and should come back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from database import inventory
from database.inventory import ListedFile
from database.journal import Actor
from errors import DigestMismatch, FilenameTaken, InvalidFilename, MissingBytes, Refusal
from jobs.work import Progress, Trouble, each, looks_like_distribution, nothing, patiently
from package_manager import digests_of
from services import Services
from storage import StoredFile
from storage.keys import folder_of, index_of


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that a person moved within the store; keys."""

    old: str
    new: str


@dataclass(slots=True)
class SyncReport:
    """What a sync found, as keys of the store. ``duplicates`` are further copies of listed files; they are left alone,
    as are ``deleted`` ones, which can be brought back.

    ``listed`` is how many files were listed before, ``rendered`` how many descriptions a caller rendered afterwards;
    ``searchable`` how many projects the search did not know as they are and does now; ``stopped`` is True for a run
    that was ended early.
    """

    listed: int = 0
    adopted: list[str] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    missing: list[Trouble] = field(default_factory=list)
    refused: list[Trouble] = field(default_factory=list)
    not_distributions: int = 0
    rendered: int = 0
    searchable: int = 0
    stopped: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is missing and nothing was refused."""
        return not self.missing and not self.refused


@dataclass(frozen=True, slots=True)
class _Outcome:
    kind: Literal["adopted", "moved", "duplicate", "deleted", "listed", "refused"]
    key: str
    old: str = ""
    trouble: Trouble | None = None


def sync(
    services: Services,
    *,
    by: Actor,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    threads: int = 1,
    index: str | None = None,
) -> SyncReport:
    """Bring the rows in line with the folder, of one index or of all; what was done and what could not be.

    Runs beside a server that takes uploads. ``progress`` counts the files to be taken in. Raises UnknownIndex.
    """
    if index is not None:
        services.at(index)
    stop = stop or threading.Event()
    progress = progress or nothing
    report = SyncReport()
    known = {file.location: file for file in inventory.listed_files(services.database) if _is_of(file.location, index)}
    report.listed = len(known)
    strange = _compare(services, known, report, stop, index)
    progress(0, len(strange))
    adopt = partial(_adopt, services, by, stop)
    for done, outcome in enumerate(each(strange, adopt, threads=threads, stop=stop), 1):
        _note(report, outcome)
        progress(done, len(strange))
    # Last, since the file of a row may have been found elsewhere by now.
    if not stop.is_set():
        report.missing = _missing(services, known)
        report.searchable = services.manager.catch_up_search()
        services.indexes.note_synced([index] if index is not None else list(services.registry.all()))
    report.stopped = stop.is_set()
    report.adopted.sort()
    report.duplicates.sort()
    report.deleted.sort()
    for troubles in (report.refused, report.missing):
        troubles.sort(key=lambda trouble: trouble.file)
    return report


def _is_of(key: str, index: str | None) -> bool:
    return index is None or index_of(key) == index


def _compare(
    services: Services, known: dict[str, ListedFile], report: SyncReport, stop: threading.Event, index: str | None
) -> list[StoredFile]:
    """The stored files that no row names; those that are as listed are taken out of ``known``."""
    strange = []
    for stored in services.storage.walk(folder_of(index) if index is not None else ""):
        if stop.is_set():
            break
        if not _is_of(stored.key, index):
            continue
        listed = known.pop(stored.key, None)
        if listed is None and looks_like_distribution(stored.key.rpartition("/")[2]):
            strange.append(stored)
        elif listed is None:
            report.not_distributions += 1
        elif listed.size != stored.size and inventory.still_listed(services.database, listed):
            damage = DigestMismatch(
                f"It is listed with {listed.size:,} bytes and has {stored.size:,}; put the published file back."
            )
            report.refused.append(Trouble.of(stored.key, damage))
    return strange


def _note(report: SyncReport, outcome: _Outcome) -> None:
    match outcome.kind:
        case "adopted":
            report.adopted.append(outcome.key)
        case "moved":
            report.moved.append(Moved(outcome.old, outcome.key))
        case "duplicate":
            report.duplicates.append(outcome.key)
        case "deleted":
            report.deleted.append(outcome.key)
        case "refused" if outcome.trouble:
            report.refused.append(outcome.trouble)


def _adopt(services: Services, by: Actor, stop: threading.Event, stored: StoredFile) -> _Outcome:
    try:
        _must_be_text(stored.key)
    except InvalidFilename as refusal:
        return _Outcome("refused", stored.key, trouble=Trouble.of(stored.key, refusal))
    if not inventory.is_deleted(services.database, stored.key):
        outcome = _take_in(services, by, stop, stored)
        if outcome.kind != "refused" or not inventory.is_deleted(services.database, stored.key):
            return outcome  # else it was deleted meanwhile
    return _Outcome("deleted", stored.key)


def _take_in(services: Services, by: Actor, stop: threading.Event, stored: StoredFile) -> _Outcome:
    name = stored.key.rpartition("/")[2]
    try:
        index = services.at(index_of(stored.key)).name
        before = inventory.find_file(services.database, index, name)
        if before is not None and _is_duplicate(services, before, stored):
            return _Outcome("duplicate", stored.key)
        published = patiently(partial(services.manager.adopt, index, stored, by=by), stop)
    except MissingBytes:
        return _Outcome("listed", stored.key)  # taken away since it was seen, by a person or by a purge
    except Refusal as refusal:
        return _Outcome("refused", stored.key, trouble=Trouble.of(stored.key, refusal))
    if published.changed:
        return _Outcome("adopted", stored.key)
    after = inventory.find_file(services.database, index, name)
    if after is not None and after.location != stored.key:
        return _Outcome("duplicate", stored.key)
    if before is not None and before.location != stored.key:
        return _Outcome("moved", stored.key, before.location)
    return _Outcome("listed", stored.key)  # published while the folder was read


def _must_be_text(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise InvalidFilename("The name of its folder is not UTF-8; rename the folder.") from error


def _is_duplicate(services: Services, held: ListedFile, stored: StoredFile) -> bool:
    """Whether this is one more copy of a listed file whose own bytes are there.

    Raises FilenameTaken for other bytes, also where uploads may overwrite: nobody asked for this replacement, and such
    bytes may be the old ones of an overwriting that a crash cut off.
    """
    if held.location == stored.key:
        return False
    with services.storage.local(stored.key) as path:
        if digests_of(path).sha256 != held.sha256:
            raise FilenameTaken(held.filename, held.sha256)
    try:
        services.storage.open(held.location).close()
    except MissingBytes:
        return False
    return True


def _missing(services: Services, unseen: dict[str, ListedFile]) -> list[Trouble]:
    """Those rows whose bytes cannot be opened, and which no other change has touched meanwhile."""
    troubles = []
    for file in unseen.values():
        try:
            services.storage.open(file.location).close()
        except Refusal as refusal:
            if inventory.still_listed(services.database, file):
                troubles.append(Trouble.of(file.location, refusal))
    return troubles
