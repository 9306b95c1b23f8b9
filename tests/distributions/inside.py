"""What an archive holds, as ``open_members`` gives it."""

from __future__ import annotations

from pathlib import Path

from distributions.archives import Member, open_members


def members_of(path: Path) -> list[Member]:
    """The files and links of a distribution."""
    with open_members(path, path.name) as found:
        return [one.member for one in found]


def bytes_in(path: Path, name: str, limit: int) -> bytes:
    """The bytes of one file in it. Raises TooLarge where there are more than ``limit``."""
    with open_members(path, path.name) as found:
        return next(one.read(limit) for one in found if one.member.name == name)
