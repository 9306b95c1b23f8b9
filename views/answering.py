"""Who answers for a project on an index to somebody: those members of it that they may read."""

from __future__ import annotations

from typing import NamedTuple

from packaging.utils import NormalizedName

from errors import UnknownProject, UpstreamFailed
from indexes.assembly import IndexServices
from indexes.reading import Member, key_of, refusal_for, source_of
from permissions import Identity, Permission, Where, allows
from services import Services
from simple.sources import Source


class Answering(NamedTuple):
    """The members that answer; with none of them ``redirect`` says where the asker is sent.

    ``is_private`` says that not everybody gets this answer.
    """

    members: tuple[Member, ...]
    is_private: bool
    redirect: str = ""

    @property
    def key(self) -> str:
        """A word for them, that no others have."""
        return key_of(self.members)

    @property
    def source(self) -> Source:
        """What they say as one."""
        return source_of(self.members)


def who_answers(
    services: Services, index: IndexServices, asker: Identity, permission: Permission, name: NormalizedName | None
) -> Answering:
    """Who answers about a project, or for None gives the list, to somebody who may read the index itself.

    Where the owner of a name may not be read, nobody answers: it is not for others to say what its files are. Raises
    UnknownProject, and what upstreams raise.
    """

    def may(member: str) -> bool:
        if member == index.name:
            return True
        place = Where(member, name, closed=services.at(member).is_closed)
        return allows(asker, permission, place)

    if name is None:
        members, redirect = index.reader.members(may), ""
    else:
        try:
            ruling = index.reader.ruling(name)
        except UpstreamFailed as refusal:
            raise refusal_for(index.reader, refusal, may) from refusal
        if ruling.members and not may(ruling.members[0].index):
            raise UnknownProject(name)
        members = tuple(member for member in ruling.members if may(member.index))
        sent = ruling.redirect
        redirect = sent.address(name) if sent is not None and may(sent.index) else ""
        if not members and not redirect:
            raise ruling.refusal or UnknownProject(name)
    concerned = {index.name, *(member.index for member in members)}
    # At the addresses that indexes share, who sends another pair gets another answer.
    is_private = asker.by_pair or any(services.is_private(services.at(one), permission) for one in concerned)
    return Answering(members, is_private, redirect)
