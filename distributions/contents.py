"""What is inside a stored distribution, as values: its members, what they declare, and the beginning of one of them."""

from __future__ import annotations

import configparser
import hashlib
import json
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from distributions.archives import Member, OpenMember, no_such_member, open_members
from distributions.members import MIB
from distributions.texts import as_text

MOST_NAMES: Final = 8 * MIB  # bytes of the names and link targets that are told
_LARGEST_DECLARED: Final = 64 << 10  # bytes of core metadata or entry points that are shown at once
_MOST_ENTRY_POINTS: Final = 1000
_LONGEST_VALUE: Final = 500  # characters of an entry point's group, name or reference
_OF_WHEELS: Final = (re.compile(r"[^/]+\.dist-info/METADATA"), re.compile(r"[^/]+\.dist-info/entry_points\.txt"))
_OF_SDISTS: Final = (
    re.compile(r"[^/]+/PKG-INFO"),
    re.compile(r"[^/]+/(?:src/)?[^/]+\.egg-info/entry_points\.txt"),
)


class EntryPoint(NamedTuple):
    """One entry point (entry points specification), such as a command and the function that it runs."""

    group: str
    name: str
    reference: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The files and links of a distribution, in their order.

    ``omitted`` is how many are left out because the names and link targets before them have 8 MiB. ``metadata_name`` is
    the member with the core metadata, ``metadata`` its beginning as sent (64 KiB); both are empty where there is none.
    """

    members: tuple[Member, ...]
    omitted: int = 0
    metadata_name: str = ""
    metadata: str = ""
    entry_points: tuple[EntryPoint, ...] = ()

    def encode(self) -> bytes:
        """As bytes, for another process and for keeping: compact JSON."""
        document = {
            "members": self.members,
            "omitted": self.omitted,
            "metadata_name": self.metadata_name,
            "metadata": self.metadata,
            "entry_points": self.entry_points,
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, raw: bytes) -> Contents:
        """What ``encode`` wrote."""
        document = orjson.loads(raw)
        return cls(
            tuple(map(Member._make, document["members"])),
            document["omitted"],
            document["metadata_name"],
            document["metadata"],
            tuple(EntryPoint(*fields) for fields in document["entry_points"]),
        )


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a member: its first bytes, and how many it has."""

    data: bytes
    size: int


def look_inside(path: Path, filename: str, *, digests: bool = False) -> Contents:
    """Read what a wheel or sdist holds; with ``digests`` every member is read to its end and hashed.

    Raises InvalidFilename, InvalidArchive or StorageFailed.
    """
    members: list[Member] = []
    declared = {"metadata_name": "", "metadata": ""}
    entry_points: tuple[EntryPoint, ...] = ()
    metadata_place, entry_points_place = _OF_WHEELS if filename.endswith(".whl") else _OF_SDISTS
    names = omitted = 0
    with open_members(path, filename) as found:
        for one in found:
            name = one.member.name
            is_metadata = not declared["metadata_name"] and metadata_place.fullmatch(name) is not None
            has_entry_points = not entry_points and entry_points_place.fullmatch(name) is not None
            text, member = _read(one, _LARGEST_DECLARED if is_metadata or has_entry_points else 0, digests=digests)
            if is_metadata:
                declared = {"metadata_name": name, "metadata": text}
            if has_entry_points:
                entry_points = entry_points_of(text)
            names += member.text_size
            if names > MOST_NAMES:
                omitted += 1
            else:
                members.append(member)
    return Contents(tuple(members), omitted, **declared, entry_points=entry_points)


def read_excerpt(path: Path, filename: str, name: str, limit: int) -> Excerpt:
    """The first ``limit`` bytes of one file. Raises NotFound where there is none, else as ``look_inside`` does."""
    with open_members(path, filename) as found:
        for one in found:
            if one.member.name == name and not one.member.target:
                return Excerpt(one.start(limit), one.member.size)
    raise no_such_member(filename, name)


def entry_points_of(text: str) -> tuple[EntryPoint, ...]:
    """The entry points in the text of an entry_points.txt; none where it is no such file, which is shown as it is."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        return ()
    # One at a time, and cut: what [DEFAULT] holds counts for every section anew.
    found = ((group, *item) for group in parser.sections() for item in parser.items(group))
    return tuple(EntryPoint(*(text[:_LONGEST_VALUE] for text in texts)) for texts in islice(found, _MOST_ENTRY_POINTS))


def _read(one: OpenMember, wanted: int, *, digests: bool) -> tuple[str, Member]:
    """The text of the first ``wanted`` bytes, empty for binary data, and the member, with its digest if asked for."""
    kept, digest = b"", hashlib.sha256()
    if not one.member.target and (wanted or digests):
        for chunk in one.chunks():
            kept += chunk[: wanted - len(kept)]
            if not digests and len(kept) >= wanted:
                break
            digest.update(chunk)
    text = as_text(kept, is_cut=one.member.size > len(kept))
    hashed = digests and not one.member.target
    return text.text if text else "", one.member._replace(sha256=digest.hexdigest()) if hashed else one.member
