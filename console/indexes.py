"""``cli.py index``: which indexes there are, and what each adds to what it holds. Sync is in ``cli.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.options import (
    Chosen,
    Reader,
    index_option,
    json_option,
    pass_chosen,
    reading,
    services_of,
    shell_actor,
    where_options,
    yes_option,
)
from console.output import answer, as_json, facts, in_units, must_confirm, say, table
from permissions import MAIN

if TYPE_CHECKING:
    from database.indexes import IndexRow, KeptRow
    from indexes.manager import NewUpstream

MODES = ("cache", "redirect")
KEPT_COLUMNS = ("KEPT NAMES", "WHERE", "WHY", "SINCE")
name_argument = click.argument("name")
pattern_argument = click.argument("pattern")
everywhere_option = click.option("--everywhere", is_flag=True, help="On every index, also on those made later.")


@click.group()
@where_options
def index() -> None:
    """Manage indexes: main and the others, which are at /index/NAME/.

    An index shows what it holds, then what its bases hold, which are other indexes of this server, then what its
    upstreams have, which are indexes elsewhere. The first that knows a project owns it whole: see docs/indexes.md.
    """


def _document(reader: Reader, row: IndexRow) -> dict[str, Any]:
    from database.catalogue import Catalogue
    from indexes.documents import index_document

    stats = Catalogue(reader.database, row.name).stats()
    return index_document(row, stats, reader.settings, may_read=lambda _: True, whole=True)


def _rows(reader: Reader) -> list[IndexRow]:
    from database.indexes import IndexRows

    return IndexRows(reader.database).all()


def _tell(chosen: Chosen, name: str, sentence: str, json_: bool) -> None:
    """An index after a change: for scripts whole, for people in a sentence."""
    if not json_:
        answer(sentence)
        return
    with reading(chosen, name) as reader:
        as_json(_document(reader, next(row for row in _rows(reader) if row.name == name)))


@index.command("create")
@name_argument
@click.option("--title", default="", metavar="TEXT", help="What it is, for people.")
@click.option(
    "--closed/--open", "closed", default=True, show_default=True,
    help="Only those with a role on it read it; whoever reads main reads it.",
)  # fmt: skip
@json_option
@where_options
@pass_chosen
def create(chosen: Chosen, name: str, title: str, closed: bool, json_: bool) -> None:
    """Make an index, which holds nothing yet.

    Without --open nobody but administrators sees it, until `role grant --index` lets them.
    """
    with services_of(chosen) as services:
        services.indexes.create(name, title, closed=closed, by=shell_actor())
        if not services.settings.auth_enabled:
            say("By the settings that this command reads there is no authentication: anybody reads every index.")
    _tell(chosen, name, f"Made the index {name}. Its packages are at /index/{name}/simple/.", json_)


@index.command("list")
@json_option
@where_options
@pass_chosen
def list_indexes(chosen: Chosen, json_: bool) -> None:
    """List the indexes, with how much each holds."""
    with reading(chosen) as reader:
        found = [_document(reader, row) for row in _rows(reader)]
    if json_:
        as_json(found)
        return
    columns = ("INDEX", "TITLE", "READ BY", "BASES", "UPSTREAMS", "PROJECTS", "FILES", "SIZE")
    table(columns, ((
        one["name"], one["title"], _readers(one), ", ".join(one["bases"]), len(one["upstreams"]), one["projects"],
        one["files"], in_units(one["bytes"]),
    ) for one in found))  # fmt: skip


def _readers(document: dict[str, Any]) -> str:
    if document["name"] == MAIN:
        return "as the settings say"
    return "those with a role" if document["closed"] else "whoever reads main"


@index.command("show")
@name_argument
@json_option
@where_options
@pass_chosen
def show(chosen: Chosen, name: str, json_: bool) -> None:
    """Show an index: its bases, upstreams, opened projects and the names that stay its own."""
    with reading(chosen, name) as reader:
        row = next(row for row in _rows(reader) if row.name == name)
        document = _document(reader, row)
        kept = _kept(reader, name)
    if json_:
        as_json(document)
        return
    facts([
        ("index", document["name"]), ("title", document["title"]), ("created", row.created),
        ("read by", _readers(document)), ("bases", ", ".join(document["bases"])),
        ("open to others", ", ".join(document["opened"])), ("projects", document["projects"]),
        ("files", document["files"]), ("size", in_units(document["bytes"])),
    ])  # fmt: skip
    if document["declared"]:
        say("A file declares this index (--indexes); it is changed there.")
    if document["upstreams"]:
        answer("")
        columns = ("UPSTREAM", "URL", "MODE", "USERNAME", "PASSWORD", "MAY BE PRIVATE")
        table(columns, (tuple(one.values()) for one in document["upstreams"]))
    if kept:
        answer("")
        table(KEPT_COLUMNS, _kept_rows(kept))


def _kept(reader: Reader, name: str) -> list[KeptRow]:
    from database.indexes import SERVER, IndexRows

    return [row for row in IndexRows(reader.database).kept() if row.index in {name, SERVER}]


def _kept_rows(kept: list[KeptRow]) -> Iterator[tuple[object, ...]]:
    for row in kept:
        why = f"of the team {row.team}" if row.team else f"by {row.actor}"
        yield row.pattern, row.index or "everywhere", why, row.created


# -- changing one


@index.command("set")
@name_argument
@click.option("--title", metavar="TEXT", help="What it is, for people; '' for nothing.")
@click.option(
    "--closed/--open", "closed", default=None, help="Only those with a role on it read it; whoever reads main does."
)
@click.option(
    "--base",
    "bases",
    multiple=True,
    metavar="INDEX",
    help="An index whose projects it shows, too; may be repeated.",
)
@click.option("--no-bases", is_flag=True, help="Show no other index's projects.")
@click.option(
    "--upstream", "upstreams", multiple=True, metavar="URL",
    help="Where what is not here is taken from, its simple address; may be repeated. A user:password@ in it is "
    "kept apart, sealed.",
)  # fmt: skip
@click.option("--no-upstreams", is_flag=True, help="Take nothing from elsewhere.")
@click.option("--also", is_flag=True, help="Put the bases and upstreams behind those that are there.")
@click.option(
    "--mode", type=click.Choice(MODES), default="cache", show_default=True,
    help="What --upstream does: take pages and files on demand and keep them, or send clients there.",
)  # fmt: skip
@click.option(
    "--upstream-password-file", "password_file", metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File with the password of --upstream.",
)  # fmt: skip
@click.option("--allow-private", is_flag=True, help="Let --upstream be at a private or loopback address.")
@json_option
@where_options
@pass_chosen
def set_index(chosen: Chosen, /, name: str, title: str | None, closed: bool | None, json_: bool, **said: Any) -> None:
    """Change an index, in all that is said or in nothing; what is not said stays.

    --base and --upstream say all that there are, unless --also is there. Of an upstream that stays the password stays.
    """
    _must_agree(**said)
    with services_of(chosen) as services:
        row = services.at(name).row
        changed = services.indexes.change(
            name,
            title=title,
            closed=closed,
            bases=_list(row.bases, said["bases"], none=said["no_bases"], also=said["also"]),
            upstreams=_upstreams(row, **said),
            by=shell_actor(),
        )
    _tell(chosen, name, f"Changed the index {name}." if changed else f"Nothing to change: {name} is so already.", json_)


def _must_agree(*, bases: tuple[str, ...], upstreams: tuple[str, ...], **said: Any) -> None:
    """Raises UsageError for options that do not go together."""
    for given, none, option in ((bases, "no_bases", "base"), (upstreams, "no_upstreams", "upstream")):
        if given and said[none]:
            raise click.UsageError(f"Options '--{option}' and '--{none.replace('_', '-')}' exclude each other.")
    if said["password_file"] is not None and len(upstreams) != 1:
        raise click.UsageError("Option '--upstream-password-file' is for one '--upstream'; set others with '--also'.")
    if said["allow_private"] and not upstreams:
        raise click.UsageError("Option '--allow-private' is for '--upstream'; give that, too.")


def _list(there: tuple[str, ...], given: tuple[str, ...], *, none: bool, also: bool) -> tuple[str, ...] | None:
    """The bases as they are to be; None where nothing was said of them."""
    if none:
        return ()
    return (there if also else ()) + given if given else None


def _upstreams(
    row: IndexRow,
    *,
    upstreams: tuple[str, ...],
    no_upstreams: bool,
    also: bool,
    mode: str,
    password_file: Path | None,
    allow_private: bool,
    **_others: Any,
) -> list[NewUpstream] | None:
    """The upstreams as they are to be; None where nothing was said of them. Raises InvalidRequest."""
    from indexes.manager import NewUpstream
    from indexes.upstream_urls import apart

    if no_upstreams:
        return []
    if not upstreams:
        return None
    there = row.upstreams if also else ()
    found = [NewUpstream(one.url, one.mode, one.username, None, one.allow_private) for one in there]
    for text in upstreams:
        url, username, password = apart(text)
        if password_file is not None:
            password = _password_in(password_file)
        found.append(NewUpstream(url, mode, username, password, allow_private))
    return found


def _password_in(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip("\r\n")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path} is not UTF-8 text; write the password into it so.") from error


@index.command("delete")
@name_argument
@yes_option
@json_option
@where_options
@pass_chosen
def delete(chosen: Chosen, name: str, yes: bool, json_: bool) -> None:
    """Delete an index that holds nothing and is nobody's base.

    Its roles, names and figures go with it, and tokens that are for it alone end. The journal stays.
    """
    must_confirm(f"Delete the index {name}, with the roles and names on it?", yes=yes)
    with services_of(chosen) as services:
        services.indexes.delete(name, by=shell_actor())
    if json_:
        as_json({"deleted": name})
    else:
        answer(f"Deleted the index {name}.")


# -- names that stay


@index.command("kept")
@index_option
@json_option
@where_options
@pass_chosen
def list_kept(chosen: Chosen, index: str, json_: bool) -> None:
    """List the names that are kept on an index: its own, its teams' and those that are kept everywhere."""
    from indexes.documents import kept_line

    with reading(chosen, index) as reader:
        found = _kept(reader, index)
    if json_:
        as_json([kept_line(row) for row in found])
        return
    table(KEPT_COLUMNS, _kept_rows(found), nothing="No names are kept.")


def _place(index: str, everywhere: bool) -> tuple[str, str]:
    """The manager's word for where names are kept, and a person's."""
    from database.indexes import SERVER

    return (SERVER, "every index") if everywhere else (index, f"the index {index}")


@index.command("keep")
@pattern_argument
@index_option
@everywhere_option
@json_option
@where_options
@pass_chosen
def keep(chosen: Chosen, pattern: str, index: str, everywhere: bool, json_: bool) -> None:
    """Keep names, such as 'acme-*', for ever: no upstream is asked for them.

    Neither is it told of them, nor can anybody add to them by publishing under such a name elsewhere. Names that an
    index holds, or held once, and those of teams are kept without this.
    """
    where, words = _place(index, everywhere)
    with services_of(chosen) as services:
        changed = services.indexes.keep(where, pattern, by=shell_actor())
    names = _told(pattern)
    if json_:
        as_json({"index": where or None, "pattern": names, "changed": changed})
    else:
        answer(f"{names} is kept on {words}." if changed else f"Nothing to change: {names} is kept on {words} already.")


def _told(pattern: str) -> str:
    from people.tokens import checked_pattern

    return checked_pattern(pattern)


@index.command("release")
@pattern_argument
@index_option
@everywhere_option
@yes_option
@json_option
@where_options
@pass_chosen
def release(chosen: Chosen, pattern: str, index: str, everywhere: bool, yes: bool, json_: bool) -> None:
    """Let upstreams answer for kept names again.

    Whoever publishes under them there is then installed from here (dependency confusion).
    """
    where, words = _place(index, everywhere)
    must_confirm(f"Let upstreams answer for {pattern} on {words}?", yes=yes)
    with services_of(chosen) as services:
        services.indexes.release(where, pattern, by=shell_actor())
    if json_:
        as_json({"index": where or None, "released": _told(pattern)})
    else:
        answer(f"{_told(pattern)} is kept on {words} no more.")
