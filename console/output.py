"""How commands speak: tables for people, JSON for scripts, questions on a terminal only, errors on one line.

Data goes to stdout, all else to stderr. Where stdout is no terminal nothing is cut, wrapped or asked.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from errors import InvalidSetting, Refusal

INTERRUPTED = 130


class Refused(click.ClickException):
    """A refusal as the shell sees it: one line on stderr, exit code 1."""

    def __init__(self, sentence: str) -> None:
        super().__init__(clean(sentence))

    def show(self, file: Any = None) -> None:
        """Write the line."""
        click.echo(f"Error: {self.message}", err=True, file=file)


class BadSetting(Refused):
    """A setting that cannot be used: exit code 2, as for a wrong command line."""

    exit_code = 2


class CommandGroup(click.Group):
    """The outermost group: what its commands raise becomes a line and an exit code here, and nowhere else."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            kind = BadSetting if isinstance(refusal, InvalidSetting) else Refused
            raise kind(refusal.sentence) from refusal
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # the reader of our output has gone, as `head` does; click ends quietly
            named = f": {error.filename}" if error.filename else ""
            raise Refused(f"{error.strerror or error}{named}") from error


def clean(text: str) -> str:
    """A stranger's text on one line: what would steer the terminal, or is not text, is written as an escape."""
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    return " " if one in "\n\r\t" else one.encode("unicode_escape", "backslashreplace").decode()


def say(sentence: str) -> None:
    """A remark for the person who watches, on stderr."""
    click.echo(clean(sentence), err=True)


def answer(sentence: str) -> None:
    """One line of the result, on stdout."""
    click.echo(clean(sentence))


def as_json(value: object) -> None:
    """The result for scripts: indented JSON in ASCII, moments in ISO 8601."""
    click.echo(json_text(value))


def json_text(value: object) -> str:
    """The JSON that ``as_json`` prints."""
    return json.dumps(value, default=_plain, indent=2)


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def cell(value: object) -> str:
    """A value as a table shows it: moments in UTC to the minute, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return clean(f"{value:,}" if isinstance(value, int) else str(value))


def in_units(size: int) -> str:
    """Bytes as a person reads them."""
    if size < 1000:
        return f"{size} B"
    number = float(size)
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 1000:
            return f"{number:.1f} {unit}"
    return f"{number / 1000:.1f} TB"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, nothing: str = "") -> None:
    """A table of rows under names of columns; ``nothing`` is said on stderr where there are no rows."""
    texts = [[cell(value) for value in row] for row in rows]
    if not texts:
        if nothing:
            say(nothing)
        return
    if sys.stdout.isatty():
        _rich_table(columns, texts)
    else:
        _aligned([list(columns), *texts])


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one pair a line."""
    texts = [[name, cell(value)] for name, value in pairs]
    if sys.stdout.isatty():
        _rich_table(None, texts)
    else:
        _aligned(texts)


def _rich_table(columns: Sequence[str] | None, rows: list[list[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD if columns else None, show_header=columns is not None, header_style="bold")
    for name in columns or ("", ""):
        drawn.add_column(name, style=None if columns or drawn.columns else "bold", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(text) for text in row))
    Console().print(drawn)


def _aligned(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def may_ask() -> bool:
    """Whether a person sits there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def wanted(value: str | None, option: str, question: str, *, secret: bool = False) -> str:
    """What an option says; where it was not given, what the person at the terminal answers, typed twice if secret.

    Raises UsageError, which names the option, where nobody can be asked.
    """
    if value is not None:
        return value
    if not may_ask():
        raise click.UsageError(f"Missing option '{option}'; it is asked for on a terminal only.")
    said: str = click.prompt(question, hide_input=secret, confirmation_prompt=secret, err=True)
    return said


def secret_said(value: str | None, *, from_stdin: bool, option: str, question: str) -> str:
    """A password: what an option says, one line of stdin, or what the person at the terminal types twice.

    Raises UsageError where it is said twice, where stdin has none, and where nobody can be asked.
    """
    if not from_stdin:
        return wanted(value, option, question, secret=True)
    if value is not None:
        raise click.UsageError(f"Options '{option}' and '{option}-stdin' exclude each other; use one.")
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError(f"Nothing came on stdin; '{option}-stdin' reads one line from it.")
    return line.removesuffix("\n").removesuffix("\r")


def must_confirm(question: str, *, yes: bool) -> None:
    """Go on only if the person says yes, or said so with ``--yes``. Raises UsageError where nobody can be asked."""
    if yes:
        return
    if not may_ask():
        raise click.UsageError("Missing option '--yes'; without a terminal nobody can be asked whether to go on.")
    if not click.confirm(clean(question), err=True):
        raise Refused("Nothing was changed.")
