"""The journal for people: who did what, and whether the record holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Response, make_response, render_template, request, url_for

from database import journal_proof
from database.journal_export import visible
from database.journal_reading import JournalFilter, JournalRow, read
from errors import InvalidRequest
from permissions import Permission
from views import services
from views.errors import status_of
from views.guards import requires
from views.web import blueprint
from views.web.words import moment_words

PER_PAGE: Final = 50
PROVED: Final = 1_000  # of the newest rows, at each look
FIELDS: Final = ("action", "actor", "project", "since", "until")
_MOMENT: Final = "expires"  # the detail that is a moment, as ISO 8601
_SUGGESTED: Final = ("file.*", "project.*", "release.*", "role.*", "session.*", "team.*", "token.*", "user.*")


@blueprint.get("/admin/journal")
@requires(Permission.ADMIN)
def journal() -> Response:
    """Changes, newest first, by what they say."""
    said = {name: request.args.get(name, "").strip() for name in FIELDS}
    before, after = (request.args.get(name, "").strip() for name in ("before", "after"))
    try:
        rows, newer, older = _rows(said, before, after)
    except InvalidRequest as refusal:
        return _page(said, [], [], refusal)
    turns = [("Newest", _address(said))] if newer else []
    if newer and rows:
        turns.append(("Newer", _address(said, after=str(rows[0].serial))))
    if older and rows:
        turns.append(("Older", _address(said, before=str(rows[-1].serial))))
    return _page(said, rows, turns)


def _rows(said: Mapping[str, str], before: str, after: str) -> tuple[list[JournalRow], bool, bool]:
    """The rows of a page, newest first, and whether there are newer and older ones."""
    wanted = JournalFilter.of({**said, "before_serial": before, "after_serial": after})
    upwards = bool(after) and not before
    found = read(services().database, wanted, limit=PER_PAGE + 1, newest_first=not upwards)
    more, rows = len(found) > PER_PAGE, found[:PER_PAGE]
    return (rows[::-1], more, True) if upwards else (rows, bool(before), more)


def _page(
    said: Mapping[str, str], rows: list[JournalRow], turns: list[tuple[str, str]], refusal: InvalidRequest | None = None
) -> Response:
    filters: dict[str, Any] = {name: text for name, text in said.items() if text}
    database = services().database
    proof = journal_proof.verify(database, after=journal_proof.serial_before(database, PROVED))
    page = render_template(
        "admin/journal.html",
        said=said,
        sentence=refusal.sentence if refusal else "",
        rows=[(row, list(_told(row.detail))) for row in rows],
        turns=turns,
        suggested=_SUGGESTED,
        proof=proof,
        exports=[
            (label, url_for("api.export_journal", format=form, **filters))
            for label, form in (("CSV", "csv"), ("JSON lines", "jsonl"))
        ],
        visible=visible,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


def _address(said: Mapping[str, str], **more: str) -> str:
    query: dict[str, Any] = {name: text for name, text in {**said, **more}.items() if text}
    return url_for("web.journal", **query)


def _told(detail: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """A detail as names and words; what stands in it further down has both names."""
    for name, value in detail.items():
        full = f"{above}{name}"
        if isinstance(value, Mapping) and value:
            yield from _told(value, f"{full} ")
        else:
            words = _words(value) if name != _MOMENT or not value else moment_words(datetime.fromisoformat(value))
            yield visible(full.replace("_", " ")), visible(words)


def _words(value: object) -> str:
    match value:
        case None | "" | [] | {}:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_words, value))
        case int():
            return f"{value:,}"
        case _:
            return str(value)
