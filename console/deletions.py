"""``cli.py packages delete``, and what undoes it: ``deleted``, ``restore``, ``purge``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.options import (
    Chosen,
    index_option,
    json_option,
    package_option,
    pass_chosen,
    reading,
    services_of,
    shell_actor,
    where_options,
    yes_option,
)
from console.output import answer, as_json, cell, in_units, must_confirm, table, wanted
from console.packages import counted, file_option, packages, project_named, version_option

if TYPE_CHECKING:
    from database.deletions import Deleted

COLUMNS = ("ID", "WHAT", "FILES", "SIZE", "DELETED", "BY", "RESTORABLE UNTIL", "REASON")
deletion_option = click.option("--deletion", metavar="ID", help="Id of the deletion; `packages deleted` shows it.")


@packages.command("delete")
@package_option
@version_option
@file_option
@click.option("--reason", default="", help="Why; the journal keeps it.")
@index_option
@yes_option
@json_option
@where_options
@pass_chosen
def delete(
    chosen: Chosen,
    package_name: str | None,
    package_version: str | None,
    filename: str | None,
    reason: str,
    index: str,
    yes: bool,
    json_: bool,
) -> None:
    """Delete a file, a release or a whole project.

    `packages restore` undoes it for as long as the setting undo_days says. The project's name and the roles on it
    stand; filenames are given out again only by restoring them.
    """
    name = project_named(package_name)
    what = filename or (f"release {package_version} of {name}" if package_version else f"the whole project {name}")
    must_confirm(f"Delete {what}?", yes=yes)
    with services_of(chosen) as services:
        taken = services.manager.delete(index, name, package_version, filename, reason=reason, by=shell_actor())
    if json_:
        as_json(taken.document())
        return
    answer(f"Deleted {counted(len(taken.filenames))}:")
    for one in taken.filenames:
        answer(one)
    if taken.id:
        answer(f"To undo it until {cell(taken.expires)} UTC: cli.py packages restore --deletion {taken.id}")


@packages.command("deleted")
@package_option
@index_option
@json_option
@where_options
@pass_chosen
def deleted(chosen: Chosen, package_name: str | None, index: str, json_: bool) -> None:
    """List what was deleted and can be restored.

    Newest first; of all projects, or with --package-name of one.
    """
    from database.deletions import Deletions
    from deletion import deletion_line

    name = project_named(package_name) if package_name is not None else None
    with reading(chosen, index) as reader:
        found = Deletions(reader.database, index).standing(name)
    if json_:
        as_json([deletion_line(one) for one in found])
        return
    table(COLUMNS, ((
        one.id, _what(one), one.files, in_units(one.size), one.deleted, one.by, one.expires, one.reason,
    ) for one in found), nothing="Nothing that was deleted can be restored.")  # fmt: skip


def _what(deleted: Deleted) -> str:
    if deleted.filename is not None:
        return deleted.filename
    return f"{deleted.project} {deleted.version}" if deleted.version is not None else f"all of {deleted.project}"


@packages.command("restore")
@deletion_option
@index_option
@json_option
@where_options
@pass_chosen
def restore(chosen: Chosen, deletion: str | None, index: str, json_: bool) -> None:
    """Undo a deletion.

    Its files are listed again as they were: metadata, attestations, yanks, uploaders and times.
    """
    public_id = wanted(deletion, "--deletion", "Id of the deletion")
    with services_of(chosen) as services:
        restored = services.manager.restore(index, None, public_id, by=shell_actor())
    _say_done("restored", restored, json_)


@packages.command("purge")
@deletion_option
@index_option
@yes_option
@json_option
@where_options
@pass_chosen
def purge(chosen: Chosen, deletion: str | None, index: str, yes: bool, json_: bool) -> None:
    """Let what was deleted go for good.

    Its bytes are removed now, and not only when its time is over. This cannot be undone.
    """
    public_id = wanted(deletion, "--deletion", "Id of the deletion")
    must_confirm(f"Remove the bytes of the deletion {public_id} for good?", yes=yes)
    with services_of(chosen) as services:
        purged = services.manager.purge(index, public_id, by=shell_actor())
    _say_done("purged", purged, json_)


def _say_done(done: str, filenames: list[str], json_: bool) -> None:
    if json_:
        as_json({done: filenames})
        return
    answer(f"{done.capitalize()} {counted(len(filenames))}:")
    for one in filenames:
        answer(one)
