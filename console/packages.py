"""``cli.py packages``: what an index holds, and changes to it. Import and sync are jobs: they stand in ``cli.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from console import output
from console.options import (
    Chosen,
    Command,
    Reader,
    index_option,
    json_option,
    package_option,
    pass_chosen,
    reading,
    services_of,
    shell_actor,
    where_options,
)
from console.output import answer, as_json, cell, facts, in_units, table, wanted
from distributions.facts import PYTHONS

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from database.catalogue import ProjectSummary, ReleaseDetail
    from simple.model import ProjectDetail

SORTED_BY = ("name", "-name", "updated", "-updated", "created", "-created")
FOUND_BY = ("relevance", "name", "updated", "downloads")
FOUND_STATUSES = ("active", "archived", "deprecated")
STATUSES = ("active", "archived", "quarantined", "deprecated")
COLUMNS = ("NAME", "LATEST", "FILES", "UPDATED", "STATUS", "SUMMARY")
_PAGE = 5_000

version_option = click.option("--package-version", metavar="VERSION", help="Version of the release.")
file_option = click.option("--file", "filename", metavar="FILENAME", help="Only this file of it.")


def filter_options(command: Command) -> Command:
    """Take what a search filters by; each arrives under its name in ``database.search.Filters``."""
    for option in (
        click.option("--yanked/--not-yanked", "is_yanked", default=None, help="Only those yanked whole; only others."),
        click.option("--wheel/--no-wheel", "has_wheel", default=None, help="Only those with a wheel; only others."),
        click.option("--status", type=click.Choice(FOUND_STATUSES), help="Only those with this status."),
        click.option(
            "--python", type=click.Choice(PYTHONS), metavar="VERSION",
            help="Only those that this Python may install, such as 3.13.",
        ),
        click.option("--license", metavar="NAME", help="Only those under this licence, such as MIT."),
        click.option(
            "--classifier", "classifiers", multiple=True, metavar="CLASSIFIER",
            help="Only those with this classifier or one below it; may be repeated.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
@where_options
def packages() -> None:
    """Look at what an index holds, and change it."""


def project_named(name: str | None) -> NormalizedName:
    """The project that an option names, or the person at the terminal. Raises InvalidName, UsageError."""
    from distributions.filenames import check_project_name

    return check_project_name(wanted(name, "--package-name", "Name of the project"))


def _row(project: ProjectSummary) -> tuple[object, ...]:
    return (
        project.display_name, project.latest_version, project.file_count, project.updated, project.status,
        project.summary,
    )  # fmt: skip


@packages.command("list")
@click.option("--sort", type=click.Choice(SORTED_BY), default="name", show_default=True, help="Order; - turns it.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many; else all.")
@click.option("--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Leave out the first so many.")
@click.option("--prefix", default="", help="Only names that begin so, in normalized form.")
@index_option
@json_option
@where_options
@pass_chosen
def list_projects(
    chosen: Chosen, sort: str, limit: int | None, offset: int, prefix: str, index: str, json_: bool
) -> None:
    """List the projects that an index holds."""
    with reading(chosen, index) as reader:
        found = list(_pages(reader, sort, limit, offset, prefix.lower()))
    if json_:
        as_json(found)
        return
    table(COLUMNS, map(_row, found), nothing="No projects.")


def _pages(reader: Reader, sort: str, limit: int | None, offset: int, prefix: str) -> Iterator[ProjectSummary]:
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        page = reader.catalogue.projects(sort=sort, limit=size, offset=offset, prefix=prefix, quarantined=True)
        yield from page
        if len(page) < size:
            return
        offset += size
        left = None if left is None else left - size


@packages.command("search")
@click.option("--query", metavar="WORDS", help="What to look for: names, summaries, keywords and descriptions.")
@filter_options
@click.option("--sort", type=click.Choice(FOUND_BY), default="relevance", show_default=True, help="Order.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), metavar="N", default=20, show_default=True, help="At most so many."
)
@index_option
@json_option
@where_options
@pass_chosen
def search(
    chosen: Chosen, /, query: str | None, sort: str, limit: int, index: str, json_: bool, **filters: Any
) -> None:
    """Search the projects, best first.

    All filters are about the latest release. With a filter the query may be left out.
    """
    from database.search import Filters

    asked = Filters(**{name: value for name, value in filters.items() if value is not None})
    words = query or "" if asked != Filters() else wanted(query, "--query", "Search for")
    with reading(chosen, index) as reader:
        found = reader.search.find(words, filters=asked, sort=sort, limit=limit)
    if json_:
        as_json(found)
        return
    if found.instead:
        output.say(f"Nothing has these words; this is for: {found.instead}")
    if found.suggestion:
        output.say(f"Only descriptions have these words; did you mean: {found.suggestion}")
    table(COLUMNS, map(_row, found.hits), nothing="Nothing was found.")
    if found.total > len(found.hits):
        output.say(f"{len(found.hits)} of {found.total:,} projects; --limit shows more.")


@packages.command("info")
@package_option
@index_option
@json_option
@where_options
@pass_chosen
def info(chosen: Chosen, package_name: str | None, index: str, json_: bool) -> None:
    """Show a project: its metadata, releases and files."""
    name = project_named(package_name)
    with reading(chosen, index) as reader:
        detail = reader.catalogue.project_detail(name)
        summary = reader.catalogue.projects(prefix=name, limit=1, quarantined=True)[0]
        releases = reader.catalogue.releases(name)
        uploaders = reader.catalogue.uploaders(name)
        downloads = reader.downloads.total(name)
    latest = next((one for one in releases if one.version == summary.latest_version), releases[-1])
    files = _files(detail, uploaders)
    if json_:
        metadata = {**latest.metadata, "description": latest.description}
        about = {**_about(summary, detail, downloads), "metadata": metadata}
        as_json({**about, "versions": detail.versions, "files": files})
        return
    said = [pair for pair in _about(summary, detail, downloads).items() if pair[1] not in {None, ""}]
    facts([*said, *_told(latest)])
    answer("")
    columns = ("VERSION", "FILENAME", "SIZE", "UPLOADED", "BY", "YANKED", "SHA256")
    table(columns, ((
        file["version"], file["filename"], in_units(file["size"]), file["uploaded"], file["uploader"],
        "" if file["yanked"] is None else file["yanked"] or "yes", file["sha256"],
    ) for file in files))  # fmt: skip


def _about(summary: ProjectSummary, detail: ProjectDetail, downloads: int) -> dict[str, object]:
    return {
        "name": summary.display_name, "normalized_name": summary.name, "latest_version": summary.latest_version,
        "summary": summary.summary, "status": summary.status, "status_reason": detail.status_reason,
        "created": summary.created, "updated": summary.updated, "downloads": downloads,
    }  # fmt: skip


def _told(release: ReleaseDetail) -> Iterator[tuple[str, object]]:
    """What the metadata of a release says beyond its description, as far as it says it."""
    left_out = {"name", "version", "summary", "metadata_version", "description_content_type"}
    for field, value in release.metadata.items():
        if value and field not in left_out:
            items = [f"{key}: {one}" for key, one in value.items()] if isinstance(value, dict) else value
            yield field, ", ".join(map(str, items)) if isinstance(items, list | tuple) else cell(items)


def _files(detail: ProjectDetail, uploaders: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "filename": file.filename, "version": file.version, "size": file.size, "uploaded": file.uploaded,
            "uploader": uploaders.get(file.filename, ""), "requires_python": file.requires_python,
            "yanked": file.yanked, "sha256": file.sha256,
        }
        for file in detail.files
    ]  # fmt: skip


def _version(version: str | None) -> str:
    return wanted(version, "--package-version", "Version of the release")


@packages.command("yank")
@package_option
@version_option
@file_option
@click.option("--reason", default="", help="Why; installers show it.")
@index_option
@json_option
@where_options
@pass_chosen
def yank(
    chosen: Chosen,
    package_name: str | None,
    package_version: str | None,
    filename: str | None,
    reason: str,
    index: str,
    json_: bool,
) -> None:
    """Yank a release or one of its files.

    Installers then take it only where it is pinned.
    """
    name, version = project_named(package_name), _version(package_version)
    with services_of(chosen) as services:
        changed = services.manager.yank(index, name, version, filename, reason, by=shell_actor())
    _say_changed("Yanked", changed, f"{name} {version}", json_)


@packages.command("unyank")
@package_option
@version_option
@file_option
@index_option
@json_option
@where_options
@pass_chosen
def unyank(
    chosen: Chosen,
    package_name: str | None,
    package_version: str | None,
    filename: str | None,
    index: str,
    json_: bool,
) -> None:
    """Take a yank back."""
    name, version = project_named(package_name), _version(package_version)
    with services_of(chosen) as services:
        changed = services.manager.unyank(index, name, version, filename, by=shell_actor())
    _say_changed("Unyanked", changed, f"{name} {version}", json_)


def _say_changed(done: str, changed: int, what: str, json_: bool) -> None:
    if json_:
        as_json({"changed": changed})
    else:
        answer(f"{done} {counted(changed)} of {what}." if changed else f"Nothing to change: {what} is so already.")


def counted(files: int) -> str:
    """A number of files in words."""
    return "1 file" if files == 1 else f"{files:,} files"


@packages.command("status")
@package_option
@click.option("--set", "status", type=click.Choice(STATUSES), help="The new status; without it the status is shown.")
@click.option("--reason", help="Why, with --set; pages and installers show it.")
@index_option
@json_option
@where_options
@pass_chosen
def status(
    chosen: Chosen, package_name: str | None, status: str | None, reason: str | None, index: str, json_: bool
) -> None:
    """Show or set a project's status.

    Archived and quarantined projects take no uploads; of quarantined ones nothing is served.
    """
    from simple.model import ProjectStatus

    if reason is not None and status is None:
        raise click.UsageError("Option '--reason' says why the status is set; give '--set' too.")
    name = project_named(package_name)
    if status is not None:
        with services_of(chosen) as services:
            services.manager.set_status(index, name, ProjectStatus(status), reason, by=shell_actor())
    with reading(chosen, index) as reader:
        detail = reader.catalogue.project_detail(name)
    said = {"name": name, "status": detail.status.value, "reason": detail.status_reason}
    if json_:
        as_json(said)
    else:
        facts(said.items())
