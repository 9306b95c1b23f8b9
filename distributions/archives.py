"""What is inside a stored distribution: its members, and one of them. Nothing is ever extracted."""

from __future__ import annotations

from pathlib import Path

from distributions.filenames import parse_filename
from distributions.members import Member, check_wanted_size
from distributions.tar_structure import open_tar
from distributions.zip_archive import open_zip
from errors import NotFound, shown

__all__ = ["Member", "list_members", "read_member"]

_ZIPS = (".whl", ".zip")


def list_members(path: Path, filename: str) -> tuple[Member, ...]:
    """The files that a wheel or sdist holds, in their order, without folders and links.

    Raises InvalidFilename or InvalidArchive; a tar is read to its end for this, within the limits of an upload.
    """
    extension = parse_filename(filename).extension
    if extension in _ZIPS:
        with open_zip(path, filename) as archive:
            return archive.members()
    with open_tar(path, filename, extension) as walk:
        return tuple(Member(member.name, member.size) for member in walk if member.is_file)


def read_member(path: Path, filename: str, name: str, limit: int) -> bytes:
    """The bytes of one file in a wheel or sdist.

    Raises NotFound where it holds no such file, TooLarge where that has more than ``limit`` bytes, else as
    ``list_members`` does.
    """
    extension = parse_filename(filename).extension
    if extension in _ZIPS:
        with open_zip(path, filename) as archive:
            if name in archive.files:
                return archive.read(name, limit)
    else:
        with open_tar(path, filename, extension) as walk:
            for member in walk:
                if member.is_file and member.name == name:
                    check_wanted_size(name, member.size, limit)
                    return b"".join(member.chunks())
    raise NotFound(f"{shown(filename, 200)} holds no file {shown(name)}; its list of contents names those it has.")
