"""``cli.py journal``: who did what, read, exported and proved."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from console.options import Chosen, json_option, package_option, pass_chosen, reading, where_options
from console.output import answer, as_json, facts, say, table
from console.watching import Stop, stoppable, watched
from errors import InvalidRequest

if TYPE_CHECKING:
    from database.journal_proof import Anchor, ChainReport
    from database.journal_reading import JournalFilter, JournalRow

Command = TypeVar("Command", bound=Callable[..., Any])
Row = TypeVar("Row")

FORMATS = ("jsonl", "csv")
COLUMNS = ("SERIAL", "TIME", "ACTION", "ACTOR", "FROM", "PROJECT", "VERSION", "FILENAME", "DETAIL")
_AGO = re.compile(r"([0-9]{1,6})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _MomentType(click.ParamType[str]):
    """A day, a moment, or how long ago; handed on as a text that ``JournalFilter.of`` reads."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Turn 7d into a moment, and refuse what is none."""
        from database.journal_reading import moment_of

        ago = _AGO.fullmatch(value)
        try:
            if ago:
                return (datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
            moment_of(value)
        except OverflowError:
            self.fail(f"{value!r} is longer ago than there are dates.", param, ctx)
        except InvalidRequest as refusal:
            self.fail(f"{refusal.sentence[:-1]}, or 7d, 12h, 30m, 2w for so long ago.", param, ctx)
        return str(value)


class _AnchorType(click.ParamType["Anchor"]):
    """The head of a journal, written down earlier."""

    name = "anchor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Anchor:
        """Read SERIAL:HASH."""
        from database.journal_proof import Anchor

        try:
            return Anchor.of(value)
        except InvalidRequest as refusal:
            self.fail(refusal.sentence, param, ctx)


_FILTERS = (
    click.option("--action", metavar="WORD", help="Only this action; file.* is every one that begins so."),
    click.option("--actor", metavar="NAME", help="Only what this user did, or name@shell."),
    click.option("--token", metavar="ID", help="Only what was done with this token."),
    click.option("--address", metavar="IP", help="Only what was done from this address."),
    click.option("--index", metavar="NAME", help="Only changes of this index."),
    package_option,
    click.option("--package-version", metavar="VERSION", help="Only changes of this version, as it is spelled."),
    click.option("--file", "filename", metavar="FILENAME", help="Only changes of this file."),
    click.option("--request-id", metavar="ID", help="Only what was done in this request of the log."),
    click.option(
        "--since", type=_MomentType(), metavar="WHEN",
        help="Only from then on: 2026-01-31, 2026-01-31T12:00Z, or 7d, 12h, 30m, 2w ago.",
    ),
    click.option("--until", type=_MomentType(), metavar="WHEN", help="Only before then; a day is taken in whole."),
    click.option("--after", type=click.IntRange(min=0), metavar="SERIAL", help="Only rows after this one."),
    click.option("--before", type=click.IntRange(min=0), metavar="SERIAL", help="Only rows before this one."),
)  # fmt: skip


def _filter_options(command: Command) -> Command:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _filter(said: dict[str, Any]) -> JournalFilter:
    from database.journal_reading import JournalFilter

    renamed = {"package_name": "project", "package_version": "version", "after": "after_serial",
               "before": "before_serial"}  # fmt: skip
    words = {renamed.get(name, name): value for name, value in said.items()}
    return JournalFilter.of({name: None if value is None else str(value) for name, value in words.items()})


@click.group()
@where_options
def journal() -> None:
    """Read, export and prove the journal of all changes."""


@journal.command("list")
@_filter_options
@click.option(
    "--limit", type=click.IntRange(1, 100_000), metavar="N", default=50, show_default=True, help="At most so many."
)
@click.option("--oldest-first", is_flag=True, help="Begin with the oldest; else with the newest.")
@json_option
@where_options
@pass_chosen
def list_rows(chosen: Chosen, /, limit: int, oldest_first: bool, json_: bool, **said: Any) -> None:
    """List changes, newest first: who, when, from where, what."""
    from database.journal_reading import read

    wanted = _filter(said)
    with reading(chosen) as reader:
        found = read(reader.database, wanted, limit=limit, newest_first=not oldest_first)
    if json_:
        as_json([row.document() for row in found])
        return
    table(COLUMNS, map(_line, found), nothing="No such changes.")
    if len(found) == limit:
        say(f"There may be more than these {limit:,}; --limit shows more, `cli.py journal export` all.")


def _line(row: JournalRow) -> tuple[object, ...]:
    from database.journal_export import json_text

    return (
        str(row.serial), f"{row.at:%Y-%m-%d %H:%M:%S}", row.action, row.actor, row.address, row.project, row.version,
        row.filename, json_text(row.detail) if row.detail else "",
    )  # fmt: skip


@journal.command("export")
@_filter_options
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="jsonl", show_default=True,
    help="JSON, one row a line, or CSV for spreadsheets.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write there, all or nothing, readable by you alone; else to stdout.",
)  # fmt: skip
@click.option("--json", "json_", is_flag=True, help="Print JSON about what was written to --output, for scripts.")
@where_options
@pass_chosen
@click.pass_context
def export(ctx: click.Context, chosen: Chosen, /, format_: str, output: Path | None, json_: bool, **said: Any) -> None:
    """Write changes down whole, oldest first.

    The rows are those of the moment at which it begins; what has no place in a spreadsheet is quoted in CSV.
    """
    if json_ and output is None:
        raise click.UsageError("Option '--json' tells of the file that was written; name it with --output.")
    from database.journal_export import LINES
    from database.journal_reading import count, stream

    wanted, written = _filter(said), 0
    with stoppable() as stop, reading(chosen) as reader, watched("Exporting") as progress:
        total = count(reader.database, wanted)
        rows = _Counted(stream(reader.database, wanted), lambda done: progress(done, max(total, done)), stop)
        with _target(output, stop) as file:
            for line in LINES[format_](rows):
                written += file.write(line)
    if stop.code:
        ctx.exit(stop.code)
    if json_:
        as_json({"output": str(output), "format": format_, "rows": rows.done, "bytes": written})
    elif output is not None:
        answer(f"Wrote {rows.done:,} rows to {output}.")


class _Counted(Iterable[Row]):
    """Rows on their way, until they end or are stopped."""

    def __init__(self, rows: Iterator[Row], progress: Callable[[int], None], stop: Stop) -> None:
        self._rows, self._progress, self._stop = rows, progress, stop
        self.done = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            if self._stop.event.is_set():
                return
            yield row
            self.done += 1
            if self.done % 1000 == 0:
                self._progress(self.done)


@contextmanager
def _target(path: Path | None, stop: Stop) -> Iterator[IO[bytes]]:
    """Stdout, or a file of mode 0600 that appears whole or, after a stop or a failure, not at all."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        unfinished = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            file.close()
            if not stop.event.is_set():
                unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


@journal.command("verify")
@click.option(
    "--expect", "expected", type=_AnchorType(), metavar="SERIAL:HASH", multiple=True,
    help="A head that was written down earlier and must still be in the journal; may be said more than once.",
)  # fmt: skip
@json_option
@where_options
@pass_chosen
@click.pass_context
def verify(ctx: click.Context, chosen: Chosen, expected: tuple[Anchor, ...], json_: bool) -> None:
    """Prove that no row was changed, taken out or put in.

    The chain of hashes is computed anew. Exit code 1, and the serials, if it does not hold. Keep the head that is
    printed elsewhere: with --expect it shows later whether the journal was cut off or written anew.
    """
    from database.journal_proof import verify as run

    with stoppable() as stop, reading(chosen) as reader, watched("Verifying") as progress:
        found = run(reader.database, expected=expected, progress=progress, stop=stop.event)
    if json_:
        as_json(found.document())
    else:
        _print_report(found)
    ctx.exit(stop.code or int(not found.holds))


def _print_report(found: ChainReport) -> None:
    facts([
        ("rows", found.rows), ("first serial", str(found.first or "none")),
        ("last serial", str(found.head.serial) if found.head else "none"),
        ("head", str(found.head) if found.head else "none"), ("broken", found.broken),
    ])  # fmt: skip
    if found.faults:
        answer("")
        table(("BROKEN AT", "WHAT"), ((str(one.serial), one.reason) for one in found.faults))
    if found.broken > len(found.faults):
        say(f"These are the first {len(found.faults):,} of {found.broken:,}.")
    if not found.is_complete:
        say("The journal was not read to its end.")
