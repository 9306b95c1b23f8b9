"""What zips and tars have in common here: members, their names, the limits, and the errors of hostile archives."""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from errors import InvalidArchive, StorageFailed, TooLarge, shown

MIB: Final = 1 << 20
MOST_MEMBERS: Final = 100_000
BOMB_SIZE: Final = 64 * MIB  # below this, no ratio is suspicious
BOMB_RATIO: Final = 50
MOST_UNPACKED: Final = 16 << 30  # bytes, whatever the ratio
LONGEST_NAME: Final = 4096  # bytes of one member's name
CHUNK: Final = 256 << 10

# Everything that the standard library is known to raise on archives made by an enemy; OSError is told apart below.
_HOSTILE: Final = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    ValueError,  # with UnicodeError
    OverflowError,
    RecursionError,
    struct.error,
    NotImplementedError,
    KeyError,
    IndexError,
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")


class Member(NamedTuple):
    """A file or link in an archive.

    Sizes are in bytes; a tar is compressed as a whole, its members have no packed size. ``target`` is where a link
    points, as a name in the archive, else empty. ``sha256`` is in hex where it was asked for, else empty.
    """

    name: str
    size: int
    compressed_size: int | None = None
    target: str = ""
    sha256: str = ""

    @property
    def text_size(self) -> int:
        """Bytes of its name and target, all of it that can be long."""
        return len(self.name.encode()) + len(self.target.encode())


@contextmanager
def archive_errors(what: str) -> Iterator[None]:
    """Turn what a hostile or damaged archive makes the standard library raise into InvalidArchive.

    An OSError that carries an errno is the disk's, not the archive's: StorageFailed. gzip and bz2 raise theirs bare.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise StorageFailed(f"The file could not be read ({error.strerror}); try again.") from error
        raise InvalidArchive(f"{what} is damaged: {_said(error)}; build and upload it again.") from error
    except MemoryError as error:
        raise InvalidArchive(f"{what} could not be checked within the limits of memory; build it smaller.") from error
    except _HOSTILE as error:
        raise InvalidArchive(f"{what} is damaged: {_said(error)}; build and upload it again.") from error


def _said(error: BaseException) -> str:
    return shown(str(error) or type(error).__name__, 100)


def check_member_name(name: str) -> None:
    """Refuse a member name that means another place on some system, or that cannot be shown (S46)."""
    fault = _name_fault(name)
    if fault:
        raise InvalidArchive(f"The archive's member {shown(name)} {fault}; build the file again without it.")


def _name_fault(name: str) -> str:
    if not name.strip("/"):
        return "has no name"
    if len(name) > LONGEST_NAME:
        return f"has a name of more than {LONGEST_NAME} characters"
    if _CONTROL.search(name) is not None:
        return "has control characters in its name"
    if "\\" in name:
        return "has a backslash in its name"
    if name[0] == "/" or _DRIVE.match(name) is not None:
        return "has an absolute name"
    if ".." in name and ".." in name.split("/"):
        return "has '..' in its name"
    return ""


def clashing_names(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that are one file where case or composition of letters do not count (macOS, Windows)."""
    seen: dict[str, str] = {}
    for name in names:
        key = name.casefold() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
        other = seen.setdefault(key, name)
        if other != name:
            return other, name
    return None


def check_bomb(unpacked: int, packed: int) -> None:
    """Refuse a size out of all proportion: more than 64 MiB and more than 50 times the file, or more than 16 GiB."""
    if unpacked > most_unpacked(packed):
        raise InvalidArchive(
            f"The archive unpacks to more than {most_unpacked(packed):,} bytes, over {BOMB_RATIO} times its own "
            f"{packed:,}; it is taken for a compression bomb."
        )


def most_unpacked(packed: int) -> int:
    """The bytes to which a file of ``packed`` bytes may unpack."""
    return min(max(BOMB_SIZE, BOMB_RATIO * packed), MOST_UNPACKED)


def check_member_count(count: int) -> None:
    """Refuse more members than any honest distribution has."""
    if count > MOST_MEMBERS:
        raise InvalidArchive(f"The archive has more than {MOST_MEMBERS:,} members; split the project.")


def check_wanted_size(name: str, size: int, limit: int) -> None:
    """Refuse to hold a member in memory that is larger than its reader expects."""
    if size > limit:
        raise TooLarge(f"The member {shown(name)} has {size:,} bytes; {limit:,} is the limit.")
