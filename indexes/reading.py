"""Who answers for a name on an index: what it holds itself, its bases, its upstreams, in this order.

The first that knows a name owns it whole. No upstream is asked for a name that the index or any of its bases holds,
held once, or keeps: names do not leak, and nobody adds to a private project by publishing its name elsewhere. Whoever
owns a name on one of them opens it for that one, and not for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from packaging.utils import NormalizedName, is_normalized_name

from database.rights import covers
from errors import Unavailable, UnknownProject, UpstreamFailed
from simple.sources import FileRecord, Merged, Source

# Gives the bytes of a file that a source has told of. Raises MissingBytes, StorageFailed, UpstreamFailed.
Opener = Callable[[FileRecord], BinaryIO]


class Holdings(Source, Protocol):
    """What an index holds itself: ``database.catalogue.Catalogue``."""

    def has_had(self, name: NormalizedName) -> bool:
        """Whether there is, or was, a project of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One of those who may answer. ``index`` is whose it is, and must be readable for whom it answers; ``upstream`` the
    id of the upstream, "" for what the index holds itself.
    """

    index: str
    upstream: str
    source: Source
    open: Opener
    core_metadata: Callable[[NormalizedName, str], bytes]

    @property
    def key(self) -> str:
        """A word for it, that no other has."""
        return f"{self.index}>{self.upstream}" if self.upstream else self.index


@dataclass(frozen=True, slots=True)
class Kept:
    """Why nobody else is asked for a name: ``index`` keeps it ("" for the server), by ``pattern``, or because it held a
    project of that name. ``team`` is whose names they are.
    """

    index: str
    pattern: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """An upstream to which clients are sent by ``index``. ``url`` ends with a slash."""

    index: str
    upstream: str
    url: str

    def address(self, name: NormalizedName) -> str:
        """Where a project's page is."""
        return f"{self.url}{name}/"


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who answers for a name. ``members`` are none where nobody knows it; several where its owner lets others add.

    ``kept`` says why no more were asked, ``shadowed`` who else would have known it as far as that is known without
    asking anybody elsewhere, ``redirect`` where an upstream would know more, for those who are sent there, ``refusal``
    what the last upstream said that does not know the name.
    """

    members: tuple[Member, ...] = ()
    kept: Kept | None = None
    shadowed: tuple[Member, ...] = ()
    redirect: Redirect | None = None
    refusal: UnknownProject | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The names that stay here: of one index, patterns with the team whose they are, and those of the whole server."""

    patterns: tuple[Kept, ...] = ()

    def keeping(self, name: NormalizedName, *, of: str | None = None) -> Kept | None:
        """What keeps a name; only what is the index ``of``'s, if that is said."""
        mine = (one for one in self.patterns if of is None or one.index == of)
        return next((one for one in mine if covers(one.pattern, name)), None)


@dataclass(frozen=True, slots=True)
class IndexReader:
    """One index put together: its own holdings, its bases, its upstreams."""

    name: str
    holdings: Holdings
    own: Member
    names: Names = field(default_factory=Names)
    opened: frozenset[str] = frozenset()
    bases: tuple[IndexReader, ...] = ()
    upstreams: tuple[Member | Redirect, ...] = ()

    # -- who answers

    def ruling(self, name: NormalizedName) -> Ruling:
        """Who answers for a name. Asks upstreams where nobody here holds or keeps it; raises what they raise.

        Nobody answers for another spelling of a name: no pattern covers it, and it is looked up nowhere.
        """
        if not is_normalized_name(name):
            return Ruling()
        is_here = self.holds(name)
        if is_here and name not in self.opened:
            return Ruling((self.own,))
        inside = list(self.inside())
        owners = [index for index in inside if index.holds(name)]
        if owners:
            return self._ruling_of_owners(name, owners)
        kept = self.kept(name)
        if kept is not None:
            return Ruling(kept=kept)
        return self._outside(name, inside)

    def owner(self, name: NormalizedName) -> IndexReader | None:
        """The index, this or one below it, that holds a name and so owns it; None where none does."""
        return next((index for index in self.inside() if index.holds(name)), None)

    def kept(self, name: NormalizedName) -> Kept | None:
        """What keeps a name from upstreams: an index that had a project of that name, or a pattern."""
        for index in self.inside():
            if name in index.opened:
                continue
            if index.holdings.has_had(name):
                return Kept(index.name)
            kept = index.names.keeping(name)
            if kept is not None:
                return kept
        return None

    def _kept_by_others(self, name: NormalizedName, owner: IndexReader) -> Kept | None:
        """What keeps a name that its owner opened: another index that had it, or keeps it as its own, and did not open
        it. Names that are kept everywhere are their owner's to open.
        """
        for index in self.inside():
            if index is owner or name in index.opened:
                continue
            if index.holdings.has_had(name):
                return Kept(index.name)
            kept = index.names.keeping(name, of=index.name)
            if kept is not None:
                return kept
        return None

    def inside(self) -> Iterator[IndexReader]:
        """The index itself and all below it, each once, in the order in which they are asked."""
        seen: set[str] = set()
        waiting: list[IndexReader] = [self]
        while waiting:
            index = waiting.pop(0)
            if index.name not in seen:
                seen.add(index.name)
                yield index
                waiting = [*index.bases, *waiting]

    def holds(self, name: NormalizedName) -> bool:
        """Whether the index itself, not one below it, has files of a project."""
        try:
            self.holdings.validity(name)
        except UnknownProject:
            return False
        return True

    def _ruling_of_owners(self, name: NormalizedName, owners: Sequence[IndexReader]) -> Ruling:
        first, rest = owners[0], owners[1:]
        if name not in first.opened:
            return Ruling((first.own,), shadowed=tuple(index.own for index in rest))
        kept = self._kept_by_others(name, first)
        more = Ruling(kept=kept) if kept is not None else self._outside(name, list(self.inside()))
        members = (first.own, *(index.own for index in rest), *more.members)
        return Ruling(members, kept=kept, redirect=more.redirect)

    def _outside(self, name: NormalizedName, inside: Sequence[IndexReader]) -> Ruling:
        """The first upstream that knows a name; where clients are sent instead, once the turn comes to that."""
        refusal = None
        for index in inside:
            for upstream in index.upstreams:
                if isinstance(upstream, Redirect):
                    return Ruling(redirect=upstream)
                try:
                    upstream.source.validity(name)
                except UnknownProject as unknown:
                    refusal = unknown
                    continue
                return Ruling((upstream,))
        return Ruling(refusal=refusal)

    # -- the list

    def members(self, may_read: Callable[[str], bool]) -> tuple[Member, ...]:
        """Whose projects the index lists: its own, and those of each index below it that may be read."""
        found: list[Member] = []
        for index in self.inside():
            if index.name == self.name or may_read(index.name):
                found.append(index.own)
                found.extend(one for one in index.upstreams if isinstance(one, Member))
        return tuple(found)


def refusal_for(reader: IndexReader, refusal: Unavailable, may_read: Callable[[str], bool]) -> Unavailable:
    """What an upstream's failure is to somebody: its address only where they may read every index that it may be of."""
    if not isinstance(refusal, UpstreamFailed) or all(may_read(index.name) for index in reader.inside()):
        return refusal
    return UpstreamFailed("An upstream that may have this cannot be asked just now; try again.", refusal.retry_after)


def source_of(members: Sequence[Member]) -> Source:
    """What some members say as one."""
    return members[0].source if len(members) == 1 else Merged(tuple(member.source for member in members))


def key_of(members: Sequence[Member]) -> str:
    """A word for these members, that no others have."""
    return members[0].key if len(members) == 1 else "+".join(member.key for member in members)
