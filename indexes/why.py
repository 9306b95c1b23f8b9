"""Why a name is answered as it is: which source answers, what was shadowed, what keeps it, for people who ask."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from packaging.utils import NormalizedName
from packaging.version import Version

from errors import Unavailable, UnknownProject
from indexes.reading import IndexReader, Kept, Member, Redirect, refusal_for


@dataclass(frozen=True, slots=True)
class Voice:
    """One who was looked at. ``word`` is "answers", "adds" (to an opened name), "shadowed", "knows nothing", "not
    asked", "sends clients on" or "failed", ``reason`` says why; ``versions`` are those of the project, where known.
    """

    index: str
    upstream: str
    word: str
    reason: str
    versions: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As the API answers with it and the shell prints it."""
        return {
            "index": self.index,
            "upstream": self.upstream or None,
            "verdict": self.word,
            "reason": self.reason,
            "versions": list(self.versions),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a name, or one version of it, is answered as it is on an index."""

    index: str
    project: NormalizedName
    version: str | None
    sentence: str
    voices: tuple[Voice, ...]

    def document(self) -> dict[str, Any]:
        """As the API answers with it and the shell prints it."""
        return {
            "index": self.index,
            "project": self.project,
            "version": self.version,
            "sentence": self.sentence,
            "voices": [voice.document() for voice in self.voices],
        }


def explain(
    reader: IndexReader, name: NormalizedName, version: str | None, may_read: Callable[[str], bool]
) -> Explanation:
    """Why a name is answered as it is on an index, to somebody who sees those members that they may read.

    It asks the upstreams that an installer's question would ask, and no other.
    """

    def may_see(index: str) -> bool:
        return index == reader.name or may_read(index)

    failure = ""
    members: tuple[Member, ...] = ()
    kept, redirect = reader.kept(name), None
    try:
        ruling = reader.ruling(name)
        members, redirect, kept = ruling.members, ruling.redirect, ruling.kept or kept
    except Unavailable as refusal:
        failure = refusal_for(reader, refusal, may_see).sentence
    if members and not may_see(members[0].index):
        members, redirect, kept = (), None, None
    members = tuple(member for member in members if may_see(member.index))
    redirect = redirect if redirect is not None and may_see(redirect.index) else None
    kept = kept if kept is not None and (not kept.index or may_see(kept.index)) else None
    asked = _Asked(name, members, kept, redirect, failure)
    voices: list[Voice] = []
    for index in reader.inside():
        if may_see(index.name):
            voices.append(asked.of_holdings(index))
            voices.extend(asked.of_upstream(index, one) for one in index.upstreams)
    return Explanation(reader.name, name, version, _sentence(reader, asked, version, voices), tuple(voices))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of the question, and what it makes of each who might have answered."""

    name: NormalizedName
    members: tuple[Member, ...]
    kept: Kept | None
    redirect: Redirect | None
    failure: str

    def of_holdings(self, index: IndexReader) -> Voice:
        """The voice of an index itself."""
        versions = _versions(index.own, self.name) if index.holds(self.name) else ()
        if index.own in self.members:
            is_first = index.own == self.members[0]
            opened = "; its owner lets others add to it" if len(self.members) > 1 and is_first else ""
            word, reason = ("answers", f"It holds the project{opened}.") if is_first else ("adds", _ADDS)
        elif versions:
            word, reason = "shadowed", "It holds the project, too, but another one comes first."
        elif index.holdings.has_had(self.name):
            word, reason = "knows nothing", "It held the project once, so the name stays its own."
        else:
            word, reason = "knows nothing", "It holds no such project."
        return Voice(index.name, "", word, reason, versions)

    def of_upstream(self, index: IndexReader, upstream: Member | Redirect) -> Voice:
        """The voice of an upstream."""
        if isinstance(upstream, Redirect):
            is_sent = upstream == self.redirect and not self.members
            reason = "Clients are sent there, since nobody here has it." if is_sent else self._not_asked()
            if upstream == self.redirect and self.members:
                reason = "It is where clients are sent, and so can add no files to a name that its owner opened."
            return Voice(index.name, upstream.upstream, "sends clients on" if is_sent else "not asked", reason)
        if upstream in self.members:
            is_first = upstream == self.members[0]
            reason = "Nobody here holds or keeps the name, and it knows it." if is_first else _ADDS
            return Voice(
                index.name, upstream.upstream, "answers" if is_first else "adds", reason,
                _versions(upstream, self.name),
            )  # fmt: skip
        if self.failure:
            return Voice(index.name, upstream.upstream, "failed", self.failure)
        if self.kept is None and not self.members and self.redirect is None:
            return Voice(index.name, upstream.upstream, "knows nothing", "It has no such project.")
        return Voice(index.name, upstream.upstream, "not asked", self._not_asked())

    def _not_asked(self) -> str:
        if self.kept is not None:
            return words_of(self.kept)
        return "Another one answers, and owns the name whole." if self.members else "Another one comes before it."


_ADDS = "The owner of the name lets it add files."


def words_of(kept: Kept) -> str:
    """Why a name is kept, in a sentence."""
    if kept.team:
        return f"Names like {kept.pattern} belong to the team {kept.team}, so nobody else is asked for them."
    if kept.pattern:
        whose = f"The index {kept.index} keeps" if kept.index else "The server keeps"
        return f"{whose} names like {kept.pattern}, so nobody else is asked for them."
    return f"The index {kept.index} holds the project, or held it, so nobody else is asked for it."


def _versions(member: Member, name: NormalizedName) -> tuple[str, ...]:
    with suppress(UnknownProject, Unavailable):
        return member.source.project_detail(name).versions
    return ()


def _sentence(reader: IndexReader, asked: _Asked, version: str | None, voices: list[Voice]) -> str:
    if asked.failure:
        return f"{asked.name} cannot be answered for just now: {asked.failure}"
    if not asked.members:
        if asked.redirect is not None:
            return f"{reader.name} has no {asked.name}; clients are sent to {asked.redirect.address(asked.name)}."
        because = f" {words_of(asked.kept)}" if asked.kept is not None else ""
        return f"{reader.name} has no {asked.name}.{because}"
    first = asked.members[0]
    who = f"the upstream {first.upstream} of {first.index}" if first.upstream else f"the index {first.index}"
    if version is None:
        return f"{asked.name} is answered by {who}."
    answering = [voice for voice in voices if voice.word in {"answers", "adds"}]
    having = [voice for voice in answering if any(Version(one) == Version(version) for one in voice.versions)]
    if not having:
        elsewhere = [voice for voice in voices if voice.word == "shadowed" and version in voice.versions]
        more = f" {elsewhere[0].index} has it, but is shadowed." if elsewhere else ""
        return f"{asked.name} is answered by {who}, which has no {version}.{more}"
    return f"{asked.name} {version} is answered by {who}."
