"""What is inside a stored distribution: its members, one after the other. Nothing is ever extracted."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from distributions.filenames import parse_filename
from distributions.members import Member, check_wanted_size
from distributions.tar_structure import TarWalk, open_tar
from distributions.zip_archive import ZipArchive, open_zip
from errors import NotFound, shown

__all__ = ["Member", "OpenMember", "no_such_member", "open_members"]

_ZIPS = (".whl", ".zip")


@dataclass(frozen=True, slots=True)
class OpenMember:
    """A file or link while its archive stands at it.

    ``chunks`` gives the bytes in pieces, once and before the next member is asked for; a link has none.
    """

    member: Member
    chunks: Callable[[], Iterator[bytes]]

    def read(self, limit: int) -> bytes:
        """The bytes. Raises TooLarge where there are more than ``limit``."""
        check_wanted_size(self.member.name, self.member.size, limit)
        return b"".join(self.chunks())

    def start(self, limit: int) -> bytes:
        """The first ``limit`` bytes, or all where there are fewer."""
        parts, size = [], 0
        for chunk in self.chunks():
            parts.append(chunk)
            size += len(chunk)
            if size >= limit:
                break
        return b"".join(parts)[:limit]


@contextmanager
def open_members(path: Path, filename: str) -> Iterator[Iterator[OpenMember]]:
    """The files and links of a wheel or sdist in their order, without folders.

    Raises InvalidFilename or InvalidArchive; what goes wrong while it is open is InvalidArchive too. A tar is read to
    its end for this, within the limits of an upload.
    """
    extension = parse_filename(filename).extension
    if extension in _ZIPS:
        with open_zip(path, filename) as archive:
            yield _of_zip(archive)
    else:
        with open_tar(path, filename, extension) as walk:
            yield _of_tar(walk)


def _of_zip(archive: ZipArchive) -> Iterator[OpenMember]:
    for entry in archive.files.values():
        yield OpenMember(Member(entry.name, entry.size, entry.packed), partial(archive.chunks, entry))


def _of_tar(walk: TarWalk) -> Iterator[OpenMember]:
    for member in walk:
        if member.is_file or member.target:
            target = posixpath.normpath(member.target) if member.target else ""
            yield OpenMember(Member(member.name, member.size, target=target), member.chunks)


def no_such_member(filename: str, name: str) -> NotFound:
    """The refusal for a name that an archive does not hold."""
    return NotFound(f"{shown(filename, 200)} holds no file {shown(name)}; its list of contents names those it has.")
