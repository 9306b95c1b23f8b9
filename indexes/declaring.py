"""What a file declares becomes what the indexes are: at a start, and idle where nothing differs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from database.indexes import IndexRow
from database.journal import Actor
from errors import Conflict, Invalid, InvalidSetting, NotFound
from indexes.declared import Declaration, DeclaredIndex
from indexes.manager import IndexManager

BY: Final = Actor("indexes-file")


def bring_in_line(manager: IndexManager, declared: Declaration) -> None:
    """Make and change indexes until they are as declared. One that is declared no more becomes an ordinary one.

    What could let an upstream answer comes last: first who reads, then the kept names, bases, upstreams. Raises
    InvalidSetting, which names the table and the key.
    """
    rows = {row.name: row for row in manager.rows.all()}
    for one in declared.indexes.values():
        _be_there(manager, one, rows.get(one.name), declared)
    kept = {(row.index, row.pattern) for row in manager.rows.kept() if not row.team}
    for one in declared.indexes.values():
        for pattern in one.keep:
            if (one.name, pattern) not in kept:
                with _said(declared, one, "keep"):
                    manager.keep(one.name, pattern, by=BY)
    _set_bases(manager, declared)
    for one in declared.indexes.values():
        with _said(declared, one, "upstreams"):
            if one.upstreams is not None:
                manager.set_upstreams(one.name, one.upstreams, by=BY, declaring=True)
    release(manager, but=frozenset(declared.indexes))


def release(manager: IndexManager, *, but: frozenset[str] = frozenset()) -> None:
    """Let every declared index that is not among ``but`` be changed like any other."""
    for row in manager.rows.all():
        if row.declared and row.name not in but:
            manager.declare(row.name, declared=False, by=BY)


def _be_there(manager: IndexManager, one: DeclaredIndex, row: IndexRow | None, declared: Declaration) -> None:
    """The index itself, with its title and who reads it: those who hold a secret or a role, unless the table says
    that it is not closed.
    """
    with _said(declared, one, "title"):
        if row is None:
            closed = one.closed is not False
            manager.create(one.name, one.title, closed=closed, declared=True, by=BY)
            return
        if not row.declared:
            manager.declare(one.name, declared=True, by=BY)
        if one.title not in {"", row.title}:
            manager.change(one.name, title=one.title, by=BY, declaring=True)
    with _said(declared, one, "closed"):
        if one.closed not in {None, row.closed}:
            manager.change(one.name, closed=one.closed, by=BY, declaring=True)


def _set_bases(manager: IndexManager, declared: Declaration) -> None:
    """First what goes, then what comes: so no order of the tables leads through an index that is below itself, and
    none loses meanwhile a base that it keeps.
    """
    rows = {row.name: row for row in manager.rows.all()}
    for one in declared.indexes.values():
        bases = rows[one.name].bases
        if one.bases is not None and not set(bases) <= set(one.bases):
            staying = [base for base in bases if base in one.bases]
            with _said(declared, one, "bases"):
                manager.set_bases(one.name, staying, by=BY, declaring=True)
    for one in declared.indexes.values():
        if one.bases not in {None, rows[one.name].bases}:
            with _said(declared, one, "bases"):
                manager.set_bases(one.name, one.bases or (), by=BY, declaring=True)


@contextmanager
def _said(declared: Declaration, one: DeclaredIndex, key: str) -> Iterator[None]:
    """Say of a refusal which table and key it is about."""
    try:
        yield
    except (Conflict, Invalid, NotFound) as refusal:
        raise InvalidSetting(f"{declared.origin} [{one.name}] {key}: {refusal.sentence}") from None
