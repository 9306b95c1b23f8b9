"""Rows that are taken off their tables and put back later: in a form that JSON has, with all that speaks of them.

Tables that speak of a file or a release are found by their foreign keys, so that those which are added later go and
come with it, too.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, Table, insert, select

from database.models import Base, Moment

Rows = dict[str, list[dict[str, Any]]]  # by table
# What tells rows of one project apart, beside their id: what they share, and what is each one's own.
_KNOWN_BY = {"files": ("index_id", "filename_key"), "releases": ("project_id", "key")}


def rows_about(connection: Connection, name: str, ids: Sequence[int]) -> dict[int, Rows]:
    """Every row about each row of the table "files" or "releases": itself, and those beside it."""
    table = Base.metadata.tables[name]
    about: dict[int, Rows] = {one: defaultdict(list) for one in ids}
    for other, column in [(table, table.c.id), *tables_beside(name)]:
        for row in connection.execute(select(other).where(column.in_(ids))).mappings():
            about[row[column]][other.name].append({key: _plain(value) for key, value in row.items()})
    return about


def tables_beside(name: str) -> list[tuple[Table, Column[Any]]]:
    """The tables that speak of rows of "files" or "releases", each with the column that names the row.

    Files, and what speaks of a file, go with the file.
    """
    found = []
    for other in Base.metadata.sorted_tables:
        columns = {key.column.table.name: key.parent for key in other.foreign_keys}
        nearest = "files" if "files" in columns else "releases"
        if other.name != "files" and nearest == name and name in columns:
            found.append((other, columns[name]))
    return found


def put_back(connection: Connection, name: str, kept: Sequence[Rows], ids: Sequence[Mapping[str, int]]) -> list[int]:
    """Put rows of a table back, with all rows beside them; their new ids. ``ids`` has, for each, the new ids of rows
    that it speaks of. The rows are of one project and were kept together.
    """
    table = Base.metadata.tables[name]
    own = [_values(table, rows[name][0], those) for rows, those in zip(kept, ids, strict=True)]
    connection.execute(insert(table), own)
    shared, telling = _KNOWN_BY[name]
    named = select(table.c[telling], table.c.id).where(
        table.c[shared] == own[0][shared], table.c[telling].in_([row[telling] for row in own])
    )
    found: dict[Any, int] = {row[0]: row[1] for row in connection.execute(named)}
    new_ids = [found[row[telling]] for row in own]
    for other, _ in tables_beside(name):
        beside = [
            _values(other, row, {**those, name: new_id})
            for rows, those, new_id in zip(kept, ids, new_ids, strict=True)
            for row in rows.get(other.name, ())
        ]
        if beside:
            connection.execute(insert(other), beside)
    return new_ids


def _values(table: Table, row: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
    """The values of a kept row under its new ids; a column that the table no longer has is left out."""
    values = {}
    for column in table.columns:
        target = next((key.column.table.name for key in column.foreign_keys), "")
        if target in ids:
            values[column.name] = ids[target]
        elif column.name in row and (column.name != "id" or not column.primary_key):
            values[column.name] = _as_column(column, row[column.name])
    return values


def _plain(value: object) -> object:
    match value:
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case _:
            return value


def _as_column(column: Column[Any], value: Any) -> Any:
    if isinstance(value, str) and isinstance(column.type, LargeBinary):
        return b64decode(value)
    if isinstance(value, str) and isinstance(column.type, Moment):
        return datetime.fromisoformat(value)
    return value
