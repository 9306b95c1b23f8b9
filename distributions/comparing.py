"""What changed from one distribution to another of its kind: files, entry points, and the text of what changed.

Everything is bounded, in order: what is listed, which texts are read, and how much of their difference is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import orjson

from distributions.archives import Member, open_members
from distributions.contents import Contents, EntryPoint, look_inside
from distributions.members import MIB
from distributions.text_diff import Steps, unified
from distributions.texts import as_text

MOST_LISTED: Final = 5000  # files of each kind of change
_MOST_NAMES: Final = 2 * MIB  # bytes of their names and link targets
LARGEST_TEXT: Final = 256 << 10  # bytes of a file whose text is compared
_MOST_READ: Final = 16 * MIB  # bytes of all such files, on each side
MOST_EDITS: Final = 1000  # lines that are removed and added in one file
MOST_LINES: Final = 3000  # lines of all differences that are told
_MOST_STEPS: Final = 3_000_000
_Listed = TypeVar("_Listed")
_VERSIONED: Final = re.compile(r"[^/]+\.(dist-info|data)(?=/)")
_RECORD: Final = re.compile(r"[^/]+\.dist-info/RECORD")


class Untold(StrEnum):
    """Why the difference of a changed file is not told."""

    BINARY = "binary"
    LARGE = "large"
    MANY = "many-changes"
    BUDGET = "budget"  # the differences before it are as many as are told at once
    LINK = "link"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that both have, with other bytes. ``diff`` is in unified form, and empty where ``untold`` says why."""

    old: Member
    new: Member
    diff: tuple[str, ...] = ()
    untold: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of two distributions, in order of names. Lists are cut; ``omitted`` says how many are left out.

    A wheel's RECORD, which lists the other files, is left out. ``same`` is how many files are equal.
    """

    added: tuple[Member, ...] = ()
    removed: tuple[Member, ...] = ()
    changed: tuple[ChangedFile, ...] = ()
    same: int = 0
    omitted: int = 0
    entry_points_added: tuple[EntryPoint, ...] = ()
    entry_points_removed: tuple[EntryPoint, ...] = ()

    def encode(self) -> bytes:
        """As bytes, for another process and for keeping: compact JSON."""
        document = {
            "added": self.added,
            "removed": self.removed,
            "changed": [(one.old, one.new, one.diff, one.untold) for one in self.changed],
            "same": self.same,
            "omitted": self.omitted,
            "entry_points_added": self.entry_points_added,
            "entry_points_removed": self.entry_points_removed,
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, raw: bytes) -> Comparison:
        """What ``encode`` wrote."""
        document = orjson.loads(raw)
        return cls(
            tuple(Member(*fields) for fields in document["added"]),
            tuple(Member(*fields) for fields in document["removed"]),
            tuple(
                ChangedFile(Member(*old), Member(*new), tuple(diff), untold)
                for old, new, diff, untold in document["changed"]
            ),
            document["same"],
            document["omitted"],
            tuple(EntryPoint(*fields) for fields in document["entry_points_added"]),
            tuple(EntryPoint(*fields) for fields in document["entry_points_removed"]),
        )


def compare(old: tuple[Path, str], new: tuple[Path, str]) -> Comparison:
    """Compare two files, each given by its path and filename, by the digests of all that they hold.

    Raises InvalidFilename, InvalidArchive or StorageFailed.
    """
    before, after = look_inside(*old, digests=True), look_inside(*new, digests=True)
    old_files, new_files = _by_place(before, old[1]), _by_place(after, new[1])
    added = [new_files[place] for place in sorted(new_files.keys() - old_files.keys())]
    removed = [old_files[place] for place in sorted(old_files.keys() - new_files.keys())]
    both = sorted(old_files.keys() & new_files.keys())
    pairs = [(old_files[place], new_files[place]) for place in both if _differ(old_files[place], new_files[place])]
    listed = _few(pairs, lambda pair: pair[0].text_size + pair[1].text_size)
    told_added, told_removed = (_few(some, lambda member: member.text_size) for some in (added, removed))
    told = len(listed) + len(told_added) + len(told_removed)
    left, right = set(before.entry_points), set(after.entry_points)
    return Comparison(
        tuple(told_added),
        tuple(told_removed),
        tuple(_with_texts(listed, old, new)),
        len(both) - len(pairs),
        len(pairs) + len(added) + len(removed) - told + before.omitted + after.omitted,
        tuple(sorted(right - left)),
        tuple(sorted(left - right)),
    )


def place_of(name: str, filename: str) -> str:
    """Where a member is, whatever the release: without an sdist's top directory, without the version of .dist-info."""
    if filename.endswith(".whl"):
        return _VERSIONED.sub(r"*.\1", name, count=1) if _VERSIONED.match(name) else name
    return name.partition("/")[2] or name


def _by_place(contents: Contents, filename: str) -> dict[str, Member]:
    return {
        place_of(member.name, filename): member
        for member in contents.members
        if not (filename.endswith(".whl") and _RECORD.fullmatch(member.name))
    }


def _differ(old: Member, new: Member) -> bool:
    if old.target or new.target:
        # Targets are names in the archive, so the top directory, which has the version, is not compared.
        return old.target.partition("/")[2] != new.target.partition("/")[2] or bool(old.target) != bool(new.target)
    return (old.size, old.sha256) != (new.size, new.sha256)


def _few(found: Iterable[_Listed], text_size: Callable[[_Listed], int]) -> list[_Listed]:
    """As many as are listed."""
    few: list[_Listed] = []
    names = 0
    for one in found:
        names += text_size(one)
        if len(few) == MOST_LISTED or names > _MOST_NAMES:
            break
        few.append(one)
    return few


_Pairs = list[tuple[Member, Member]]


def _with_texts(pairs: _Pairs, old: tuple[Path, str], new: tuple[Path, str]) -> Iterator[ChangedFile]:
    wanted = _wanted(pairs)
    before = _read(old, {one.name for one, _ in wanted})
    after = _read(new, {one.name for _, one in wanted})
    lines, steps = MOST_LINES, Steps(_MOST_STEPS)
    for one, other in pairs:
        if one.target or other.target:
            yield ChangedFile(one, other, untold=Untold.LINK)
        elif max(one.size, other.size) > LARGEST_TEXT:
            yield ChangedFile(one, other, untold=Untold.LARGE)
        elif one.name not in before or other.name not in after or lines <= 0 or steps.left <= 0:
            yield ChangedFile(one, other, untold=Untold.BUDGET)
        else:
            told = _difference(before[one.name], after[other.name], steps)
            if not isinstance(told, Untold) and len(told) > lines:
                told = Untold.BUDGET
            if isinstance(told, Untold):
                yield ChangedFile(one, other, untold=told)
            else:
                lines -= len(told)
                yield ChangedFile(one, other, tuple(told))


def _wanted(pairs: _Pairs) -> _Pairs:
    """Those whose texts are read: none that is large or a link, and not more than both archives' bounds."""
    wanted: _Pairs = []
    size = 0
    for one, other in pairs:
        if not one.target and not other.target and max(one.size, other.size) <= LARGEST_TEXT:
            size += max(one.size, other.size)
            if size > _MOST_READ:
                break
            wanted.append((one, other))
    return wanted


def _read(archive: tuple[Path, str], names: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with open_members(*archive) as members:
        for one in members if names else ():
            if one.member.name in names:
                found[one.member.name] = one.read(LARGEST_TEXT)
                if len(found) == len(names):
                    break
    return found


def _difference(old: bytes, new: bytes, steps: Steps) -> list[str] | Untold:
    before, after = as_text(old), as_text(new)
    if before is None or after is None:
        return Untold.BINARY
    told = unified(_lines(before.text), _lines(after.text), most=MOST_EDITS, steps=steps)
    if told is None:
        return Untold.MANY if steps.left > 0 else Untold.BUDGET
    return told


def _lines(text: str) -> list[str]:
    """Only LF ends a line here, so that other line ends are seen to differ; and so is one that the last line lacks."""
    lines = text.split("\n")
    return [*lines[:-1], *([lines[-1], "\\ No newline at end of file"] if lines[-1] else [])]
