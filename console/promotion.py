"""``cli.py packages promote``: releases go from one index to another."""

from __future__ import annotations

import click

from console.options import (
    Chosen,
    json_option,
    pass_chosen,
    services_of,
    shell_actor,
    where_options,
    yes_option,
)
from console.output import answer, as_json, must_confirm
from console.packages import counted, packages, project_named


@packages.command("promote")
@click.argument("name")
@click.argument("version")
@click.option("--from", "source", metavar="INDEX", required=True, help="The index that has the release.")
@click.option("--to", "target", metavar="INDEX", required=True, help="The index that is to have it, too.")
@click.option("--move", is_flag=True, help="Delete it from the first one, where it can be restored.")
@yes_option
@json_option
@where_options
@pass_chosen
def promote(
    chosen: Chosen, name: str, version: str, source: str, target: str, move: bool, yes: bool, json_: bool
) -> None:
    """Copy or move a release to another index.

    All its files or none; they keep their times, yanks and attestations, and no byte is copied. A project that this
    begins there has no owner: `role grant --index` gives it one. Files that are there already are passed over.
    """
    project = project_named(name)
    if move:
        must_confirm(f"Move {project} {version} from {source} to {target}?", yes=yes)
    with services_of(chosen) as services:
        promoted = services.manager.promote(source, target, project, version, move=move, by=shell_actor())
    if json_:
        as_json(promoted.document())
        return
    if not promoted.copied:
        answer(f"Nothing to copy: {target} has {project} {version} already.")
    for filename in promoted.copied:
        answer(filename)
    if promoted.copied:
        answer(f"Promoted {counted(len(promoted.copied))} from {source} to {target}.")
    if move:
        answer(f"{source} has {project} {version} no more; `packages deleted --index {source}` shows what restores it.")
