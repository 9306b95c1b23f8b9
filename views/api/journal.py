"""``/api/journal``: who did what, to be read, taken away and proved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, current_app

from database import journal_proof
from database.journal_export import LINES, MEDIA_TYPES, json_text
from database.journal_reading import JournalFilter, read, stream
from errors import InvalidRequest, shown
from permissions import Permission
from views import services
from views.api import blueprint, shapes
from views.api.bodies import read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.schemas import NAME_PATTERN, Schema, text, whole
from views.guards import requires
from views.lane import Place
from views.web.urls import own_url

PER_PAGE: Final = 100
MOST_PER_PAGE: Final = 1_000
MOST_PROVED: Final = 10_000  # rows in one answer: a part of a second
_LINES_AT_ONCE: Final = 200
_NOBODY = {403: "Administrators only; where authentication is off there are none."}
# A day, or a moment with its offset; whether the calendar has it is asked later.
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?",
    re.ASCII | re.IGNORECASE,
)
_RENAMED = {"after": "after_serial", "before": "before_serial"}


def _exactly(description: str, longest: int, **words: Any) -> Schema:
    return text(description, minLength=1, maxLength=longest, **words)


def _serial(description: str) -> Schema:
    return text(description, pattern="^[0-9]{1,18}$")


def _moment(description: str) -> Schema:
    return text(f"{description} RFC 3339.", anyOf=[{"format": "date"}, {"format": "date-time"}])


_FILTER = (
    Parameter(
        "action", _exactly("The action; file.* is every one that begins so.", 60, pattern="^[a-z][a-z_.-]*[*]?$")
    ),
    Parameter("actor", _exactly("Who did it.", 200)),
    Parameter("token", _exactly("With which token: its public id.", 40)),
    Parameter("address", _exactly("From which address.", 80)),
    Parameter("index", _exactly("On which index.", 100)),
    Parameter("project", _exactly("On which project, in any spelling.", 128, pattern=NAME_PATTERN)),
    Parameter("version", _exactly("On which version, as it is spelled.", 200)),
    Parameter("filename", _exactly("On which file.", 255)),
    Parameter("request_id", _exactly("In which request of the log.", 80)),
    Parameter("since", _moment("From this day or moment on.")),
    Parameter("until", _moment("Before this moment, or up to this day, which is taken in whole.")),
    Parameter("after", _serial("Rows after this serial.")),
    Parameter("before", _serial("Rows before this serial.")),
)
_LIST_QUERY = (
    *_FILTER,
    Parameter("order", text("Which row is the first.", enum=["oldest", "newest"], default="oldest")),
    Parameter("per_page", whole("Rows on a page.", minimum=1, maximum=MOST_PER_PAGE, default=PER_PAGE)),
)
_EXPORT_QUERY = (
    *_FILTER,
    Parameter("format", text("JSON lines, or CSV for spreadsheets.", enum=list(LINES), default="jsonl")),
)
_PROOF_QUERY = (
    Parameter("after", _serial("Begin after this serial; the row before is believed.")),
    Parameter("rows", whole("Look at so many rows.", minimum=1, maximum=MOST_PROVED, default=MOST_PROVED)),
)


@blueprint.get("/journal")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Read the journal",
        "server",
        {
            200: Reply(
                "One page of the rows that fit, and the head of the whole journal.",
                shapes.JOURNAL_PAGE,
                headers={"Link": text("The next page, where there is one (RFC 8288).")},
            )
        },
        description="Every change with its actor. A page goes on where the one before ended, by serial, so none is "
        "missed and none comes twice while new ones are written.",
        query=_LIST_QUERY,
        refusals=_NOBODY,
    )
)
def list_journal() -> Response:
    """A page of the journal."""
    asked = read_query(_LIST_QUERY)
    newest, limit = asked["order"] == "newest", asked["per_page"]
    found = read(services().database, _filter(asked), limit=limit + 1, newest_first=newest)
    rows, head = found[:limit], journal_proof.head(services().database)
    response = _answer({"rows": [row.document() for row in rows], "head": _anchor(head)})
    if len(found) > limit:
        query = {**asked, "before" if newest else "after": rows[-1].serial}
        said = urlencode({name: value for name, value in query.items() if value is not None})
        response.headers["Link"] = f'<{own_url()}/api/journal?{said}>; rel="next"'
    return response


@blueprint.get("/journal/export")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Export the journal",
        "server",
        {
            200: Reply(
                "Every row that fits, oldest first: one JSON object a line, with what `rows` of the list has; or CSV.",
                {"type": "string"},
                "application/jsonl",
                headers={"Content-Disposition": text("A filename.")},
                others=("text/csv",),
            )
        },
        description="The rows are those of the moment at which the answer begins, however long it takes. In CSV a cell "
        "that a spreadsheet would take for a formula has an apostrophe before it.",
        query=_EXPORT_QUERY,
        refusals=_NOBODY,
    )
)
def export_journal() -> Response:
    """The whole journal, or what fits, as a stream."""
    asked = read_query(_EXPORT_QUERY)
    wanted, form = _filter(asked), asked["format"]
    place = current_app.extensions["lane"].take()  # how long it takes is the client's to say
    try:
        rows = stream(services().database, wanted)
        first = list(islice(rows, 1))  # a database that cannot be read is refused before the answer begins
    except BaseException:
        place.leave()
        raise
    response = Response(_joined(LINES[form](chain(first, rows)), place), content_type=MEDIA_TYPES[form])
    response.call_on_close(place.leave)  # also for HEAD, and a client that went away
    response.headers["Content-Disposition"] = f'attachment; filename="journal.{form}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/journal/verify")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Prove a piece of the journal",
        "server",
        {200: Reply("Whether the rows fit the chain of hashes.", shapes.JOURNAL_PROOF)},
        description=f"At most {MOST_PROVED:,} rows, so that no request takes long: go on after the serial of `last` "
        "until `complete` is true. `cli.py journal verify` looks at all of them.",
        query=_PROOF_QUERY,
        refusals=_NOBODY,
    )
)
def verify_journal() -> Response:
    """Whether a piece of the chain holds."""
    asked = read_query(_PROOF_QUERY)
    found = journal_proof.verify(services().database, after=int(asked["after"] or 0), limit=asked["rows"])
    return _answer(found.document())


def _filter(asked: dict[str, Any]) -> JournalFilter:
    names = [parameter.name for parameter in _FILTER]
    for name in ("since", "until"):
        if asked[name] is not None and _MOMENT.fullmatch(asked[name]) is None:
            raise InvalidRequest(
                f"The parameter '{name}' may not be {shown(asked[name])}: send a day as 2026-01-31, or a moment as "
                "2026-01-31T12:00:00Z."
            )
    return JournalFilter.of({_RENAMED.get(name, name): asked[name] for name in names})


def _anchor(anchor: journal_proof.Anchor | None) -> dict[str, Any] | None:
    return {"serial": anchor.serial, "hash": anchor.hash} if anchor else None


def _answer(document: dict[str, Any]) -> Response:
    # In ASCII: a detail may hold half a surrogate pair, which UTF-8 has no form for.
    response = Response(json_text(document), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _joined(lines: Iterable[bytes], place: Place) -> Iterator[bytes]:
    source = iter(lines)
    try:
        while piece := list(islice(source, _LINES_AT_ONCE)):
            yield b"".join(piece)
    finally:
        place.leave()
