"""Who answers for a name: ``cli.py why``, and ``packages open`` and ``close``, which change it."""

from __future__ import annotations

import click

from console.options import (
    Chosen,
    index_option,
    json_option,
    pass_chosen,
    services_of,
    shell_actor,
    where_options,
)
from console.output import answer, as_json, say, table
from console.packages import packages, project_named


@click.command("why")
@click.argument("name")
@click.argument("version", required=False)
@index_option
@json_option
@where_options
@pass_chosen
def why(chosen: Chosen, name: str, version: str | None, index: str, json_: bool) -> None:
    """Show who answers for a project on an index, what is shadowed, and why.

    Upstreams are asked as they are for an installer; for a name that is kept none is.
    """
    from distributions.filenames import check_version
    from indexes.documents import upstreams_of
    from indexes.why import explain

    project, wanted = project_named(name), str(check_version(version)) if version is not None else None
    with services_of(chosen) as services:
        there = services.registry.all()
        explained = explain(services.at(index).reader, project, wanted, lambda _: True)
        places = {one.id: one.url for found in there.values() for one in upstreams_of(found.row, services.settings)}
    if json_:
        as_json(explained.document())
        return
    answer(explained.sentence)
    answer("")
    columns = ("INDEX", "UPSTREAM", "VERDICT", "WHY", "VERSIONS")
    rows = (
        (one.index, places.get(one.upstream, one.upstream), one.word, one.reason, _versions(one.versions))
        for one in explained.voices
    )
    table(columns, rows)


def _versions(versions: tuple[str, ...], most: int = 5) -> str:
    """The newest few of them."""
    newest = ", ".join(reversed(versions[-most:]))
    return f"{newest} and {len(versions) - most:,} more" if len(versions) > most else newest


@packages.command("open")
@click.argument("name")
@index_option
@json_option
@where_options
@pass_chosen
def open_project(chosen: Chosen, name: str, index: str, json_: bool) -> None:
    """Let bases and upstreams add files to a project.

    Beware: whoever may publish under this name there, on PyPI perhaps anybody, then decides what installers take from
    here, as soon as their version is higher (dependency confusion). `packages close` ends it.
    """
    project = project_named(name)
    with services_of(chosen) as services:
        services.at(index).catalogue.validity(project)  # raises UnknownProject
        changed = services.indexes.open_project(index, project, opened=True, by=shell_actor())
    if changed:
        say(f"From now on who may publish {project} on a base or upstream decides what is installed from {index}.")
    _say_opened(project, index, opened=True, changed=changed, json_=json_)


@packages.command("close")
@click.argument("name")
@index_option
@json_option
@where_options
@pass_chosen
def close_project(chosen: Chosen, name: str, index: str, json_: bool) -> None:
    """Let nobody else add files to a project, as it is unless it was opened."""
    project = project_named(name)
    with services_of(chosen) as services:
        changed = services.indexes.open_project(index, project, opened=False, by=shell_actor())
    _say_opened(project, index, opened=False, changed=changed, json_=json_)


def _say_opened(project: str, index: str, *, opened: bool, changed: bool, json_: bool) -> None:
    word = "open" if opened else "closed"
    if json_:
        as_json({"name": project, "open": opened, "changed": changed})
    else:
        answer(f"{project} on {index} is {word} to others{'' if changed else ' already'}.")
