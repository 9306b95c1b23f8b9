"""``cli.py mirror``: taking from upstreams ahead of need, and carrying it across an air gap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from console.options import Chosen, index_option, json_option, pass_chosen, services_of, where_options
from console.output import Refused, answer, as_json, in_units, say, table
from console.watching import stoppable, watched
from errors import InvalidRequest

if TYPE_CHECKING:
    from indexes.assembly import IndexServices
    from indexes.reading import Member
    from mirroring.bundle import Keepers
    from mirroring.choosing import Plan
    from mirroring.environments import Environment
    from mirroring.taking import TakeReport
    from services import Services
    from upstream.source import UpstreamSource


class _MirrorGroup(click.Group):
    """``mirror FILE`` is ``mirror take FILE``: what names no command is a file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in front of a file."""
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = ["take", *args]
        return super().parse_args(ctx, args)


@click.group("mirror", cls=_MirrorGroup)
def mirror() -> None:
    """Take from upstreams ahead of need what a list wants, and carry it across an air gap.

    `cli.py mirror requirements.txt` is short for `cli.py mirror take requirements.txt`.
    """


_pythons = click.option(
    "--python", "pythons", metavar="VERSION", multiple=True,
    help="A Python to take files for, as 3.12; may be given several times. This program's own if none is.",
)  # fmt: skip
_platforms = click.option(
    "--platform", "platforms", metavar="NAME", multiple=True,
    help="A platform to take files for: linux-x86_64, linux-aarch64, musllinux-x86_64, macos-arm64, windows-x86_64 and "
    "the like, or a tag such as manylinux_2_28_x86_64; may be given several times. This machine's own if none is.",
)  # fmt: skip
_lists = click.argument("lists", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))


@mirror.command("take")
@_lists
@_pythons
@_platforms
@click.option("--dry-run", is_flag=True, help="Only say what would be taken.")
@index_option
@json_option
@where_options
@pass_chosen
def take_files(
    chosen: Chosen,
    lists: tuple[Path, ...],
    pythons: tuple[str, ...],
    platforms: tuple[str, ...],
    dry_run: bool,
    index: str,
    json_: bool,
) -> None:
    """Take what requirements files, uv.lock or pylock.toml want, for chosen Pythons and platforms.

    Of a lock those files that it lists and that these would install. Requirements are resolved first, with all that
    they require. What is here already is not fetched again. The exit code is 1 where something could not be had.
    """
    from mirroring.environments import environments

    chosen_for = environments(pythons, platforms)
    with services_of(chosen) as services:
        one = services.at(index)
        plan = _planned(one, lists, chosen_for)
        if dry_run:
            _tell_plan(plan, json_=json_)
        else:
            _tell_taken(plan, _taken(services, one, plan), json_=json_)


def _planned(one: IndexServices, lists: tuple[Path, ...], chosen_for: tuple[Environment, ...]) -> Plan:
    from mirroring.choosing import Plan, plan
    from mirroring.library import ReaderLibrary
    from mirroring.wanted import read_wanted

    made = Plan()
    for path in lists:
        with watched(f"Looking up {path.name}") as report:
            found = plan(read_wanted(path), chosen_for, ReaderLibrary(one.reader), lambda _what, done: report(done, 0))
        made.files.extend(file for file in found.files if file not in made.files)
        made.missing.extend(found.missing)
        made.notes.extend(found.notes)
    return made


def _taken(services: Services, one: IndexServices, plan: Plan) -> TakeReport:
    from mirroring.taking import take

    with stoppable() as stop, watched("Taking files") as report:
        return take(
            one.reader, plan.files, lambda record: services.cache.size(record.location) is not None,
            progress=report, stop=stop.event,
        )  # fmt: skip


def _tell_plan(plan: Plan, *, json_: bool) -> None:
    rows = [(file.project, file.version, file.filename) for file in plan.files]
    if json_:
        files = [dict(zip(("name", "version", "filename"), row, strict=True)) for row in rows]
        as_json({"files": files, "missing": plan.missing, "notes": plan.notes})
    else:
        table(("PROJECT", "VERSION", "FILE"), rows)
        _tell_rest(plan)
    if plan.missing:
        raise click.exceptions.Exit(1)


def _tell_rest(plan: Plan) -> None:
    for sentence in (*plan.notes, *plan.missing):
        say(sentence)


def _tell_taken(plan: Plan, report: TakeReport, *, json_: bool) -> None:
    if json_:
        as_json({**asdict(report), "missing": plan.missing, "notes": plan.notes})
    else:
        _tell_rest(plan)
        for failure in report.failed:
            say(f"{failure.filename}: {failure.sentence}")
        said = f"{len(report.taken):,} files taken ({in_units(report.size)}), {len(report.there):,} were here"
        answer(f"{said}, {len(report.failed):,} failed.{' Stopped early.' * report.stopped}")
    if plan.missing or report.failed or report.stopped:
        raise click.exceptions.Exit(1)


# -- across the gap


@mirror.command("export")
@click.argument("bundle", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--list", "lists", metavar="FILE", multiple=True, type=click.Path(path_type=Path),
    help="Only what this requirements file or lock wants; may be given several times.",
)  # fmt: skip
@_pythons
@_platforms
@index_option
@json_option
@where_options
@pass_chosen
def export_bundle(
    chosen: Chosen,
    bundle: Path,
    lists: tuple[Path, ...],
    pythons: tuple[str, ...],
    platforms: tuple[str, ...],
    index: str,
    json_: bool,
) -> None:
    """Write what was taken from an index's upstream into one file, for a server that reaches none.

    It prints the digest of the file's manifest: compare it over there, with `mirror import --manifest`.
    """
    from mirroring.bundle import export
    from mirroring.environments import environments

    if bundle.exists():
        raise Refused(f"{bundle} is there already; name another file, or move it away.")
    with services_of(chosen) as services:
        one = services.at(index)
        only = None
        if lists:
            files = _planned(one, lists, environments(pythons, platforms)).files
            only = frozenset((file.project, file.filename) for file in files)
        with _bundling(services, one) as (member, keepers), watched("Writing files") as report:
            written = export(bundle, member, keepers, only, report)
    if json_:
        as_json(asdict(written))
        return
    answer(f"{written.files:,} files of {written.projects:,} projects ({in_units(written.size)}) are in {bundle}.")
    answer(f"The sha256 of its manifest is {written.manifest}.")


@mirror.command("import")
@click.argument("bundle", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--manifest", metavar="SHA256", default="", help="The digest that `mirror export` printed.")
@index_option
@json_option
@where_options
@pass_chosen
def import_bundle(chosen: Chosen, bundle: Path, manifest: str, index: str, json_: bool) -> None:
    """Take in what `mirror export` wrote, verified byte by byte, as if it came from the index's upstream.

    The index needs an upstream that is cached (a server that reaches none runs with --offline). The exit code is 1
    where something was refused.
    """
    from functools import partial

    from mirroring.unbundling import import_

    with services_of(chosen) as services:
        one = services.at(index)
        with _bundling(services, one) as (member, keepers), watched("Taking files") as report:
            source = cast("UpstreamSource", member.source)
            take_in = partial(services.manager.take_in, index, member.upstream)
            came = import_(
                bundle, member.upstream, source, keepers, take_in, manifest=manifest, progress=report
            )  # fmt: skip
    if json_:
        as_json(asdict(came))
    else:
        for failure in came.refused:
            say(f"{failure.filename}: {failure.sentence}")
        answer(f"{len(came.taken):,} files taken, {len(came.there):,} were here, {len(came.refused):,} refused.")
        answer(f"The sha256 of the manifest is {came.manifest}.")
    if came.refused:
        raise click.exceptions.Exit(1)


@contextmanager
def _bundling(services: Services, one: IndexServices) -> Iterator[tuple[Member, Keepers]]:
    """The upstream of an index whose files are carried. Raises InvalidRequest where none is cached."""
    from database.upstream_files import UpstreamFiles
    from database.upstream_pages import UpstreamPages
    from indexes.reading import Member
    from mirroring.bundle import Keepers

    member = next((found for found in one.reader.upstreams if isinstance(found, Member)), None)
    if member is None:
        raise InvalidRequest(
            f"The index {one.name} caches no upstream; set one with [upstream] mode or `cli.py index set`."
        )
    yield member, Keepers(UpstreamPages(services.database), UpstreamFiles(services.database), services.cache)
