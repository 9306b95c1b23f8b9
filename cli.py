#!/usr/bin/env python3
"""The command line: one command a use case, over the same services as the server, also beside it.

Commands import what they need when they run, so that ``--help`` is quick.
"""

from __future__ import annotations

if __name__ == "__main__":
    from console.entrance import explain_missing_modules

    explain_missing_modules("./start.sh makes .venv with all that is needed, then run `.venv/bin/python cli.py ...`.")

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from console import deletions as _deletions  # noqa: F401 - it adds its commands to the group packages
from console import promotion as _promotion  # noqa: F401 - so does this
from console import security as _security  # noqa: F401 - it adds its commands to the group user
from console import tokens as _tokens  # noqa: F401 - so does this
from console.answering import why
from console.indexes import index as index_group
from console.journal import journal
from console.mirror import mirror
from console.options import (
    Chosen,
    index_option,
    json_option,
    pass_chosen,
    reading,
    services_of,
    settings_options,
    shell_actor,
    where_options,
)
from console.output import (
    CommandGroup,
    answer,
    as_json,
    clean,
    facts,
    in_units,
    json_text,
    say,
    table,
)
from console.packages import packages
from console.publishers import publisher
from console.roles import pattern, role
from console.settings import init, show_config
from console.teams import team
from console.users import user
from console.watching import stoppable, watched

if TYPE_CHECKING:
    from jobs.checking import CheckReport
    from jobs.importing import ImportReport
    from jobs.rendering import RenderReport
    from jobs.sync import SyncReport

ROOT = Path(__file__).resolve().parent


def program_version() -> str:
    """The version of this program, from ``pyproject.toml`` beside it or, where it was installed, its package."""
    import importlib.metadata
    import tomllib

    project = ROOT / "pyproject.toml"
    if project.exists():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return importlib.metadata.version("pypi-clone")


def versions() -> dict[str, str]:
    """The versions of this program and of what it runs on."""
    from database.engine import sqlite_version

    python = ".".join(map(str, sys.version_info[:3]))
    return {"pypi-clone": program_version(), "python": python, "sqlite": ".".join(map(str, sqlite_version()))}


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"pypi-clone {program_version()}")
        ctx.exit()


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@where_options
def main() -> None:
    """Run and manage a package index."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name must not end a listing on a narrow terminal


main.add_command(index_group)
main.add_command(init)
main.add_command(journal)
main.add_command(mirror)
main.add_command(packages)
main.add_command(publisher)
main.add_command(pattern)
main.add_command(role)
main.add_command(show_config)
main.add_command(team)
main.add_command(user)
main.add_command(why)


@main.command("version")
@json_option
def show_version(json_: bool) -> None:
    """Show the versions of program, Python and SQLite."""
    if json_:
        as_json(versions())
    else:
        facts(versions().items())


# -- the server


@main.command("start")
@settings_options
@click.option("--reload", is_flag=True, help="Run the development server, which starts anew when the code changes.")
@where_options
@pass_chosen
@click.pass_context
def start(ctx: click.Context, chosen: Chosen, /, reload: bool, **flags: object) -> None:
    """Start the server. Every option is a setting: see `cli.py config` and docs/settings.md."""
    settings = chosen.settings(flags)
    from server import serve

    ctx.exit(serve(settings, reload=reload))


@main.command("stats")
@index_option
@json_option
@where_options
@pass_chosen
def stats(chosen: Chosen, index: str, json_: bool) -> None:
    """Show how much an index holds, and the server."""
    with reading(chosen, index) as reader:
        found: dict[str, Any] = {
            **reader.catalogue.stats(),
            "downloads": reader.downloads.total(),
            "users": len(reader.accounts.users()),
            "data_dir": str(reader.settings.data_path),
            "data_dir_bytes": _size_of(reader.settings.data_path),
            "sqlite": versions()["sqlite"],
        }
    if json_:
        as_json(found)
        return
    shown = {**found, "serial": str(found["serial"])}
    facts((name.replace("_", " "), in_units(value) if "bytes" in name else value) for name, value in shown.items())


def _size_of(folder: Path) -> int:
    """The bytes of all files below a folder; what goes away while they are counted is left out."""

    def sizes() -> Iterator[int]:
        for place, _, names in os.walk(folder):
            for name in names:
                try:
                    yield Path(place, name).lstat().st_size
                except FileNotFoundError:
                    continue

    return sum(sizes())


# -- jobs

jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 32), metavar="N", default=4, show_default=True, help="Files taken at a time."
)


@packages.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@jobs_option
@index_option
@click.option(
    "--report", type=click.File("w", encoding="utf-8", lazy=False), metavar="FILE", help="Write JSON there too."
)
@json_option
@where_options
@pass_chosen
@click.pass_context
def import_(
    ctx: click.Context, chosen: Chosen, folder: Path, jobs: int, index: str, report: IO[str] | None, json_: bool
) -> None:
    """Take in every wheel and sdist below a folder.

    Start it again to go on where it was stopped: what is there already is passed over. Exit code 1 if any was refused.
    """
    from jobs.importing import import_folder

    with stoppable() as stop, services_of(chosen) as services:
        if folder.resolve() == services.settings.data_path.resolve():
            raise click.UsageError(
                "This is the data directory itself; `cli.py packages sync` takes in what lies there."
            )
        with watched("Importing") as progress:
            found = import_folder(
                services, folder, index=index, by=shell_actor(), threads=jobs, progress=progress, stop=stop.event
            )
    if report is not None:
        report.write(json_text(found) + "\n")
    if json_:
        as_json(found)
    else:
        _print_import(found)
    if found.stopped:
        say(f"Error: {found.stopped}")
    ctx.exit(stop.code or int(bool(found.refused or found.stopped)))


def _print_import(found: ImportReport) -> None:
    facts([
        ("imported", found.imported), ("size", in_units(found.bytes)), ("there already", found.skipped),
        ("bytes restored", found.restored), ("refused", len(found.refused)),
        ("not distributions", found.not_distributions), ("seconds", found.seconds),
    ])  # fmt: skip
    if found.refused:
        answer("")
        table(("REFUSED", "WHY"), ((one.file, one.reason) for one in found.refused))


@packages.command("sync")
@jobs_option
@json_option
@where_options
@pass_chosen
@click.pass_context
def sync_(ctx: click.Context, chosen: Chosen, jobs: int, json_: bool) -> None:
    """Take in what was put into the data directory, for every index.

    Files are listed where they lie, moved ones are followed, and descriptions that wait for it are rendered. Exit code
    1 if listed files are gone (they are named and stay listed) or any was refused.
    """
    ctx.exit(_sync(chosen, None, jobs, json_))


@index_group.command("sync")
@click.argument("name")
@jobs_option
@json_option
@where_options
@pass_chosen
@click.pass_context
def sync_index(ctx: click.Context, chosen: Chosen, name: str, jobs: int, json_: bool) -> None:
    """Take in what was put into the data directory for one index.

    That is the folder @NAME there; of main all that is in none of these. Else as `packages sync`.
    """
    ctx.exit(_sync(chosen, name, jobs, json_))


def _sync(chosen: Chosen, index: str | None, threads: int, json_: bool) -> int:
    """Take in what lies in the data directory, of one index or of all; the exit code."""
    from jobs.rendering import render_outdated
    from jobs.sync import sync

    with stoppable() as stop, services_of(chosen) as services:
        with watched("Taking in") as progress:
            found = sync(services, index=index, by=shell_actor(), progress=progress, stop=stop.event, threads=threads)
        with watched("Rendering") as progress:
            rendered = render_outdated(services, progress=progress, stop=stop.event, threads=threads)
    found.rendered, found.stopped = rendered.rendered, found.stopped or rendered.stopped
    if json_:
        as_json(found)
    else:
        _print_sync(found)
    return stop.code or int(not found.is_sound)


def _print_sync(found: SyncReport) -> None:
    facts([
        ("listed before", found.listed), ("taken in", len(found.adopted)), ("moved", len(found.moved)),
        ("further copies", len(found.duplicates)), ("deleted", len(found.deleted)), ("missing", len(found.missing)),
        ("refused", len(found.refused)), ("not distributions", found.not_distributions),
        ("descriptions rendered", found.rendered), ("made searchable", found.searchable),
    ])  # fmt: skip
    for title, troubles in (("MISSING", found.missing), ("REFUSED", found.refused)):
        if troubles:
            answer("")
            table((title, "WHY"), ((one.file, one.reason) for one in troubles))


@packages.command("render")
@click.option(
    "--jobs", type=click.IntRange(1, 32), metavar="N", default=2, show_default=True, help="Descriptions at a time."
)
@json_option
@where_options
@pass_chosen
@click.pass_context
def render_(ctx: click.Context, chosen: Chosen, jobs: int, json_: bool) -> None:
    """Render the descriptions that an older version rendered, or none.

    A server does the same after its start; beside it, this shows how many are left and helps. Stopped, it goes on where
    it was.
    """
    from jobs.rendering import render_outdated

    with stoppable() as stop, services_of(chosen) as services, watched("Rendering") as progress:
        found = render_outdated(services, progress=progress, stop=stop.event, threads=jobs)
    if json_:
        as_json(found)
    else:
        _print_render(found)
    ctx.exit(stop.code)


def _print_render(found: RenderReport) -> None:
    facts([("rendered", found.rendered), ("as plain text", found.plain), ("changed meanwhile", found.passed)])


@main.command("check")
@click.option(
    "--jobs", type=click.IntRange(1, 32), metavar="N", default=2, show_default=True, help="Files read at a time."
)
@json_option
@where_options
@pass_chosen
@click.pass_context
def check(ctx: click.Context, chosen: Chosen, jobs: int, json_: bool) -> None:
    """Verify every file, the database and the journal.

    Each file is read again and held against its digest, its size and the rows; the journal's chain is computed anew.
    Nothing is changed. Exit code 1 if anything is damaged or missing.
    """
    from jobs.checking import check as run
    from storage.digests import DigestFolder
    from storage.filesystem import FilesystemStorage

    with stoppable() as stop, reading(chosen) as reader, watched("Checking") as progress:
        storage = FilesystemStorage(reader.settings.data_path)
        taken = reader.settings.state_path / "upstream"
        cache = DigestFolder(taken, reader.settings.upstream_cache_size) if taken.exists() else None
        found = run(reader.database, storage, cache, progress=progress, stop=stop.event, threads=jobs)
    if json_:
        as_json(found)
    else:
        _print_check(found)
    ctx.exit(stop.code or int(not found.is_sound))


def _print_check(found: CheckReport) -> None:
    facts([
        ("files", found.files), ("deleted of them", found.deleted), ("of upstreams", found.taken),
        ("read", in_units(found.bytes)),
        ("journal rows", found.journal_rows), ("unlisted files", len(found.unlisted)),
        ("problems", len(found.problems)), ("seconds", found.seconds),
    ])  # fmt: skip
    if found.problems:
        answer("")
        table(("PROBLEM", "WHERE", "WHAT"), ((one.kind, one.name, one.reason) for one in found.problems))
    if found.unlisted:
        say("Unlisted files are no fault; `cli.py packages sync` takes in those that are distributions:")
        for key in found.unlisted:
            click.echo(f"  {clean(key)}", err=True)


if __name__ == "__main__":
    main(prog_name="cli.py")
