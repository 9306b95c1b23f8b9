"""What is inside the stored files, for pages and the API: read in a limited child process, kept while there is room.

A tar has to be read whole before it is known what it holds, and comparing takes every byte of two files, so what was
found is kept under the file's digest; the text of one member is read at each view. Few requests may wait for that at
once, so that the others' threads stay free, and of one asker half as many. The colours of a text are kept too: finding
them takes longer than reading. A refusal that took long to come to is remembered for a while.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, cast

from flask import current_app
from packaging.utils import NormalizedName

from distributions.comparing import Comparison
from distributions.contents import Contents, Excerpt
from distributions.filenames import check_version, release_key
from distributions.sandbox import Inspector
from errors import InvalidArchive, InvalidVersion, Unavailable, UnknownFile
from simple.sources import FileRecord
from storage import Storage
from views import this_index

LARGEST_SHOWN: Final = 512_000  # bytes of one member's text
LARGEST_COLOURED: Final = 256 << 10  # characters of a text; a longer one has no colours
_KEPT_BYTES: Final = 32 << 20  # of all that was found, in this process
_KEEPING: Final = 400  # bytes that each takes beside its letters
_SHARE: Final = 8  # one in so many threads may wait for a child
_REFUSED_SECONDS: Final = 600.0  # that a refusal is believed: it may have been for want of time on a busy machine
_LONG_SECONDS: Final = 2.0  # what is refused sooner is read anew: it may have been repaired
_MOST_REFUSED: Final = 1000


class ContentsReader:
    """Looks into stored files. ``threads`` is how many requests the process can work on at once; ``asker`` says who
    asks in this thread.
    """

    def __init__(
        self, storage: Storage, inspector: Inspector, threads: int, asker: Callable[[], str] = lambda: ""
    ) -> None:
        self._storage, self._inspector, self._asker = storage, inspector, asker
        self._places = max(1, threads // _SHARE)
        self._taken: Counter[str] = Counter()  # places, by who asks
        self._kept: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._bytes = 0
        self._refused: OrderedDict[tuple[str, ...], tuple[float, str]] = OrderedDict()  # until when, and the sentence
        self._lock = threading.Lock()

    def contents(self, record: FileRecord) -> Contents:
        """What a file holds. Raises InvalidArchive where it is not to be read, MissingBytes, Unavailable."""
        raw = self._known(("look", record.sha256, record.filename), lambda: self._ask("look", [record])[1])
        return Contents.decode(raw)

    def excerpt(self, record: FileRecord, name: str) -> Excerpt:
        """The beginning of one member. Raises NotFound where there is none, else as ``contents`` does."""
        size, data = self._ask("excerpt", [record], member=name, limit=LARGEST_SHOWN)
        return Excerpt(data, size)

    def colours(self, record: FileRecord, name: str, lines: Sequence[str]) -> list[str]:
        """The runs of the lines of one member, as ``code_colours`` has them; what is missing has no colours.

        There are none for a text that is large or takes too long, nor while all places are taken: the text comes first.
        """
        if sum(map(len, lines)) + len(lines) > LARGEST_COLOURED:
            return []
        key = ("colour", record.sha256, record.filename, name)
        try:
            raw = self._known(key, lambda: self._colour("\n".join(lines), name.rpartition("/")[2]))
        except Unavailable:
            return []
        return raw.decode().split("\n")

    def _colour(self, text: str, filename: str) -> bytes:
        with self._place():
            return self._inspector.colour(text, filename)

    def comparison(self, old: FileRecord, new: FileRecord) -> Comparison:
        """What changed from one file to another. Raises as ``contents`` does."""
        key = ("compare", old.sha256, old.filename, new.sha256, new.filename)
        raw = self._known(key, lambda: self._ask("compare", [old, new], new_filename=new.filename)[1])
        return Comparison.decode(raw)

    def _ask(self, job: str, records: list[FileRecord], **more: object) -> tuple[int, bytes]:
        with self._place(), ExitStack() as stack:
            paths: list[Path] = [stack.enter_context(self._storage.local(record.location)) for record in records]
            answer, raw = self._inspector.ask(job, paths, records[0].filename, **more)
        return int(answer.get("size", 0)), raw

    @contextmanager
    def _place(self) -> Iterator[None]:
        who = self._asker()
        with self._lock:
            if self._taken.total() >= self._places or self._taken[who] >= max(1, self._places // 2):
                raise Unavailable("Too many files are being looked into just now; try again in a moment.", 2)
            self._taken[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[who] -= 1
                self._taken += Counter()  # without those who ask no more

    def _known(self, key: tuple[str, ...], find: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            until, sentence = self._refused.get(key, (0.0, ""))
        if time.monotonic() < until:
            raise InvalidArchive(sentence)
        started = time.monotonic()
        try:
            raw = find()
        except InvalidArchive as refusal:
            if time.monotonic() - started >= _LONG_SECONDS:
                self._remember(key, refusal.sentence)
            raise
        with self._lock:
            if key not in self._kept:  # another thread may have found it meanwhile
                self._kept[key] = raw
                self._bytes += _weight(key, raw)
            while self._bytes > _KEPT_BYTES:
                self._bytes -= _weight(*self._kept.popitem(last=False))
        return raw

    def _remember(self, key: tuple[str, ...], sentence: str) -> None:
        with self._lock:
            self._refused[key] = time.monotonic() + _REFUSED_SECONDS, sentence
            self._refused.move_to_end(key)
            while len(self._refused) > _MOST_REFUSED:
                self._refused.popitem(last=False)


def _weight(key: tuple[str, ...], raw: bytes) -> int:
    """What keeping an answer takes: there may be many that are empty, under long names."""
    return sum(map(len, key)) + len(raw) + _KEEPING


def reader() -> ContentsReader:
    """The reader of the application that answers this request."""
    return cast("ContentsReader", current_app.extensions["contents"])


def stored_file(project: NormalizedName, version: str, filename: str) -> FileRecord:
    """The file of a release that an address speaks of. Raises UnknownFile, also for one of another release."""
    record = this_index().catalogue.file(project, filename)
    try:
        same = release_key(check_version(version)) == release_key(check_version(record.version))
    except InvalidVersion:
        same = False
    if not same:
        raise UnknownFile(filename)
    return record
