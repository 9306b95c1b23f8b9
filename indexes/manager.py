"""Every change to which indexes there are, and to what each adds to what it holds."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.utils import NormalizedName

from credentials.sealing import Sealer
from database import indexes as rows
from database.engine import Database
from database.indexes import SERVER, IndexRow, IndexRows, UpstreamRow
from database.journal import Actor, Change, Entry
from errors import Conflict, InvalidRequest, NotFound, shown
from people.tokens import checked_pattern
from permissions import MAIN

MODES: Final = ("cache", "redirect")
PURPOSE: Final = "password of an upstream"
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_TITLE_CHARACTERS: Final = 200
MOST: Final = 20  # bases, or upstreams, of one index


@dataclass(frozen=True, slots=True)
class NewUpstream:
    """An upstream as somebody wants it: its address without credentials, and those apart.

    ``password`` None keeps the one that an upstream of that address and name has already.
    """

    url: str
    mode: str = "cache"
    username: str = ""
    password: str | None = ""
    allow_private: bool = False


class IndexManager:
    """Makes indexes and says what they are. ``check_url`` refuses an address that is never asked: see ``upstream``."""

    def __init__(self, database: Database, sealer: Sealer, check_url: Callable[[str, bool], None]) -> None:
        self.database = database
        self.rows = IndexRows(database)
        self._sealer = sealer
        self._check_url = check_url

    # -- indexes

    def create(self, name: str, title: str = "", *, closed: bool = True, declared: bool = False, by: Actor) -> None:
        """Make an index that holds nothing. Raises InvalidRequest, NameTaken."""
        checked_name(name)
        with self.database.writing() as change:
            rows.add_index(change.connection, name, _checked_title(title), change.at, closed=closed, declared=declared)
            _record(change, by, "index.create", name, {"title": title, "closed": closed})

    def change(
        self,
        name: str,
        *,
        title: str | None = None,
        closed: bool | None = None,
        bases: Sequence[str] | None = None,
        upstreams: Sequence[NewUpstream] | None = None,
        by: Actor,
        declaring: bool = False,
    ) -> bool:
        """Set what is named of an index, all of it or nothing; whether anything changed.

        Raises UnknownIndex, InvalidRequest for what it cannot be (an index below itself, an address that is never
        asked), and Conflict for an index that a file declares, and for closing main.
        """
        bases = tuple(dict.fromkeys(bases)) if bases is not None else None
        if bases is not None and len(bases) > MOST:
            raise InvalidRequest(f"An index may have {MOST} bases; put some of them under an index of their own.")
        self._must_be_usable(upstreams or ())
        with self.database.writing() as change:
            row = _changeable(change, name, declaring=declaring)
            changed = _set_facts(change, row, title, closed, by)
            if bases is not None:
                changed |= _set_bases(change, row, bases, by)
            if upstreams is not None:
                changed |= self._set_upstreams(change, row, upstreams, by)
        return changed

    def declare(self, name: str, *, declared: bool, by: Actor) -> bool:
        """Let a file say what an index is, or no longer; whether that changed. Raises UnknownIndex."""
        with self.database.writing() as change:
            row = rows.index_named(change.connection, name)
            if row.declared == declared:
                return False
            rows.set_index(change.connection, row.id, declared=declared)
            _record(change, by, "index.declare" if declared else "index.undeclare", name, {})
        return True

    def note_synced(self, names: Sequence[str]) -> None:
        """Write down that these indexes are in line with what lies in the store, now."""
        with self.database.writing() as change:
            rows.set_synced(change.connection, names, change.at)

    def delete(self, name: str, *, by: Actor, declaring: bool = False) -> None:
        """Remove an index that holds no file, none that was deleted either, and is nobody's base.

        Raises UnknownIndex, Conflict.
        """
        if name == MAIN:
            raise Conflict("The index main is always there; the settings of [auth] say who sees it.")
        with self.database.writing() as change:
            row = _changeable(change, name, declaring=declaring)
            if rows.holds_anything(change.connection, row.id):
                raise Conflict(
                    f"The index {name} has files, or deleted ones that can come back; delete its projects and purge "
                    "them first."
                )
            users = rows.bases_of_others(change.connection, row.id)
            if users:
                raise Conflict(f"The index {name} is a base of {', '.join(users)}; take it out there first.")
            rows.set_upstreams(change, row.id, ())
            rows.remove_index(change.connection, row.id, name, change.at)
            _record(change, by, "index.delete", name, {})

    # -- what it adds

    def set_bases(self, name: str, bases: Sequence[str], *, by: Actor, declaring: bool = False) -> bool:
        """Say whose projects an index shows, too, in which order; whether that changed. Raises as ``change`` does."""
        return self.change(name, bases=bases, by=by, declaring=declaring)

    def set_upstreams(self, name: str, upstreams: Sequence[NewUpstream], *, by: Actor, declaring: bool = False) -> bool:
        """Say from where an index takes what it does not hold, in which order; whether that changed.

        Raises as ``change`` does.
        """
        return self.change(name, upstreams=upstreams, by=by, declaring=declaring)

    def _must_be_usable(self, upstreams: Sequence[NewUpstream]) -> None:
        if len(upstreams) > MOST:
            raise InvalidRequest(f"An index may have {MOST} upstreams; leave some of them out.")
        for one in upstreams:
            if one.mode not in MODES:
                raise InvalidRequest(f"{shown(one.mode)} is no way to use an upstream; choose {' or '.join(MODES)}.")
            self._check_url(one.url, one.allow_private)

    def _set_upstreams(self, change: Change, row: IndexRow, upstreams: Sequence[NewUpstream], by: Actor) -> bool:
        wanted = tuple(self._upstream(one, row.upstreams) for one in upstreams)
        if wanted == row.upstreams:
            return False
        rows.set_upstreams(change, row.id, wanted)
        told = [{"url": one.url, "mode": one.mode, "username": one.username} for one in wanted]
        _record(change, by, "index.upstreams", row.name, {"upstreams": told})
        return True

    def _upstream(self, new: NewUpstream, there: Sequence[UpstreamRow]) -> UpstreamRow:
        """The row: one of the same address and name keeps its id, under which its pages are kept, and its password."""
        url = new.url if new.url.endswith("/") else f"{new.url}/"
        before = next((one for one in there if (one.url, one.username) == (url, new.username)), None)
        public_id = before.id if before else secrets.token_hex(6)
        if new.password is None:
            sealed = before.sealed_password if before else ""
        elif before and before.sealed_password and self.password_of(before) == new.password:
            sealed = before.sealed_password  # sealing anew would differ each time
        else:
            sealed = self._sealer.seal(new.password, PURPOSE, public_id) if new.password else ""
        return UpstreamRow(public_id, url, new.mode, new.username, sealed, new.allow_private)

    def password_of(self, upstream: UpstreamRow) -> str:
        """The password that an upstream is asked with, "" for none. Raises Unavailable."""
        return self._sealer.open(upstream.sealed_password, PURPOSE, upstream.id) if upstream.sealed_password else ""

    # -- names

    def keep(self, name: str, pattern: str, *, by: Actor) -> bool:
        """Never ask a base or an upstream for these names on an index, or for "" on any; False if it was so.

        Raises InvalidRequest, UnknownIndex.
        """
        pattern = checked_pattern(pattern)
        with self.database.writing() as change:
            index_id = None if name == SERVER else rows.index_named(change.connection, name).id
            if not rows.keep_names(change.connection, index_id, pattern, by.name, change.at):
                return False
            _record(change, by, "index.keep", name, {"pattern": pattern})
        return True

    def release(self, name: str, pattern: str, *, by: Actor) -> None:
        """Let bases and upstreams answer for these names again. Raises InvalidRequest, UnknownIndex, NotFound."""
        pattern = checked_pattern(pattern)
        with self.database.writing() as change:
            index_id = None if name == SERVER else rows.index_named(change.connection, name).id
            if not rows.release_names(change.connection, index_id, pattern):
                raise NotFound(f"The names {shown(pattern)} are not kept there; list those that are.")
            _record(change, by, "index.release", name, {"pattern": pattern})

    def open_project(self, name: str, project: NormalizedName, *, opened: bool, by: Actor) -> bool:
        """Let bases and upstreams add files to a project that an index holds, or no longer; whether that changed.

        Raises UnknownIndex.
        """
        with self.database.writing() as change:
            index_id = rows.index_named(change.connection, name).id
            if not rows.set_opened(change.connection, index_id, project, opened=opened, actor=by.name, at=change.at):
                return False
            change.moves_access()
            action = "project.open" if opened else "project.close"
            change.record(by, Entry(action, name, project))
        return True


def checked_name(name: str) -> str:
    """The name, if an index may have it. Raises InvalidRequest."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise InvalidRequest(
            f"{shown(name)} cannot be an index's name; use up to 64 lower-case letters, digits and . _ - between them."
        )
    return name


def _changeable(change: Change, name: str, *, declaring: bool) -> IndexRow:
    row = rows.index_named(change.connection, name)
    if row.declared and not declaring:
        raise Conflict(f"What the index {name} is, the file of --indexes says; change it there.")
    return row


def _set_facts(change: Change, row: IndexRow, title: str | None, closed: bool | None, by: Actor) -> bool:
    if closed and row.name == MAIN:
        raise Conflict("Who reads main is said by the settings [auth] require and default_role; set those.")
    wanted = {
        "title": row.title if title is None else _checked_title(title),
        "closed": row.closed if closed is None else closed,
    }
    if wanted == {"title": row.title, "closed": row.closed}:
        return False
    rows.set_index(change.connection, row.id, **wanted)
    _record(change, by, "index.set", row.name, wanted)
    return True


def _set_bases(change: Change, row: IndexRow, wanted: tuple[str, ...], by: Actor) -> bool:
    if wanted == row.bases:
        return False
    below = {one.name: one.bases for one in rows.all_indexes(change.connection)} | {row.name: wanted}
    _must_not_be_below(row.name, below)
    rows.set_bases(change.connection, row.id, wanted)
    _record(change, by, "index.bases", row.name, {"bases": list(wanted), "before": list(row.bases)})
    return True


def _must_not_be_below(name: str, below: dict[str, tuple[str, ...]]) -> None:
    """Raises InvalidRequest where an index would be found below itself."""
    waiting, seen = list(below[name]), set()
    while waiting:
        base = waiting.pop()
        if base == name:
            raise InvalidRequest(f"The index {name} cannot be below itself; leave out the base that leads back to it.")
        if base not in seen:
            seen.add(base)
            waiting.extend(below.get(base, ()))


def _checked_title(title: str) -> str:
    if len(title) > _TITLE_CHARACTERS or not title.isprintable():
        raise InvalidRequest(f"An index's title may have {_TITLE_CHARACTERS} printable characters; shorten it.")
    return title


def _record(change: Change, by: Actor, action: str, name: str, detail: dict[str, object]) -> None:
    """Every process reads anew what the indexes are when the access counter moves."""
    change.moves_access()
    change.record(by, Entry(action, detail={"index": name, **detail}))
