"""Taking chosen files in, as if somebody had installed them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Final

from errors import DigestMismatch, Refusal, UnknownFile
from indexes.reading import IndexReader, Member
from mirroring.choosing import Choice
from simple.sources import FileRecord

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be had, and why in a sentence."""

    filename: str
    sentence: str


@dataclass(slots=True)
class TakeReport:
    """What became of the files, as names: ``taken`` came now, ``there`` were here already. ``size`` is in bytes, of the
    former. ``stopped`` is True for a run that was ended early.
    """

    taken: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    size: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class _Outcome:
    choice: Choice
    size: int | None = None  # None: it was here
    failure: Failure | None = None


def take(
    reader: IndexReader,
    files: Sequence[Choice],
    is_here: Callable[[FileRecord], bool],
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    stop: threading.Event | None = None,
    threads: int = 4,
) -> TakeReport:
    """Have every file here, with its core metadata; what became of each. What fails does not end the rest."""
    report = TakeReport()
    stop = stop or threading.Event()

    def work(choice: Choice) -> _Outcome | None:
        return None if stop.is_set() else _one(reader, choice, is_here)

    with ThreadPoolExecutor(threads) as pool:
        for done, outcome in enumerate(_present(pool.map(work, files)), 1):
            if outcome.failure is not None:
                report.failed.append(outcome.failure)
            elif outcome.size is None:
                report.there.append(outcome.choice.filename)
            else:
                report.taken.append(outcome.choice.filename)
                report.size += outcome.size
            progress(done, len(files))
    report.stopped = stop.is_set()
    return report


def _present(outcomes: Iterator[_Outcome | None]) -> Iterator[_Outcome]:
    return (outcome for outcome in outcomes if outcome is not None)


def _one(reader: IndexReader, choice: Choice, is_here: Callable[[FileRecord], bool]) -> _Outcome:
    try:
        member, record = _found(reader, choice)
        if choice.sha256 and record.sha256 not in choice.sha256:
            raise DigestMismatch(
                f"{choice.filename} has the sha256 {record.sha256}, and the list wants {', '.join(choice.sha256)}; "
                "nothing was taken."
            )
        size = None
        if member.upstream and not is_here(record):
            size = 0
            with closing(member.open(record)) as source:
                while piece := source.read(_PIECE):
                    size += len(piece)
        if member.upstream and record.core_metadata_sha256 is not None:
            with suppress(UnknownFile):
                member.core_metadata(choice.project, choice.filename)
    except Refusal as refusal:
        return _Outcome(choice, failure=Failure(choice.filename, refusal.sentence))
    return _Outcome(choice, size)


def _found(reader: IndexReader, choice: Choice) -> tuple[Member, FileRecord]:
    """Who gives the file, and what it is. Raises UnknownFile and what upstreams raise."""
    for member in reader.ruling(choice.project).members:
        with suppress(UnknownFile):
            return member, member.source.file(choice.project, choice.filename)
    raise UnknownFile(choice.filename)
