"""``cli.py publisher``: which CI jobs may upload to a project without a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
)
from console.output import answer, as_json, say, table, wanted
from console.packages import project_named
from credentials.publishers import KINDS
from errors import Forbidden, InvalidRequest, shown

if TYPE_CHECKING:
    from database.publishers import PublisherRow
    from services import Services

# What a repository's two parts are called, by kind.
_PARTS = {"github": ("owner", "repository"), "gitlab": ("namespace", "project")}
_FILES = {"github": "workflow", "gitlab": "workflow_filepath"}


@click.group()
@where_options
def publisher() -> None:
    """Trust CI jobs to upload: see docs/publishing.md."""


@publisher.command("list")
@package_option
@index_option
@json_option
@where_options
@pass_chosen
def list_publishers(chosen: Chosen, package_name: str | None, index: str, json_: bool) -> None:
    """List the trusted publishers, of one project or of all."""
    from database.publishers import Publishers
    from people.documents import publisher_line

    with reading(chosen, index) as reader:
        found = Publishers(reader.database)
        rows = found.of_project(index, project_named(package_name)) if package_name else found.of_index(index)
    if json_:
        as_json([publisher_line(row) for row in rows])
        return
    columns = ("ID", "PROJECT", "JOB", "ISSUER", "CREATED", "BY", "LAST USED", "PENDING")
    lines = (
        (
            row.id, row.project, _described(row), row.issuer, row.created, row.created_by, row.last_used, row.pending,
        )
        for row in rows
    )  # fmt: skip
    table(columns, lines, nothing="No trusted publishers.")


def _described(row: PublisherRow) -> str:
    from credentials.publishers import describe
    from people.publishers import publisher_of

    return describe(publisher_of(row))


@publisher.command("add")
@package_option
@click.option("--kind", type=click.Choice(KINDS), default="github", show_default=True, help="Which provider it is.")
@click.option("--repository", metavar="OWNER/NAME", help="GitHub: the repository; GitLab: the project with its groups.")
@click.option("--workflow", metavar="FILE", help="GitHub: such as release.yml; GitLab: such as .gitlab-ci.yml.")
@click.option("--environment", metavar="NAME", help="The environment that the job must run in; else any.")
@click.option("--email", metavar="ADDRESS", help="Google: the service account.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="Another field; for oidc: a claim.")
@click.option("--issuer", default="", metavar="URL", help="Who signs for the job; else the usual one of the kind.")
@click.option("--username", metavar="NAME", help="On whose behalf: it can do no more than they; else nobody's.")
@index_option
@json_option
@where_options
@pass_chosen
def add(
    chosen: Chosen,
    /,
    package_name: str | None,
    kind: str,
    issuer: str,
    username: str | None,
    index: str,
    json_: bool,
    **said: Any,
) -> None:
    """Trust a CI job to upload to a project.

    The project need not be there if --username is named: the first upload starts it, and they own it.
    """
    from people.documents import publisher_line

    project, fields = project_named(package_name), _fields(kind, **said)
    with services_of(chosen) as services:
        user_id = _user_id(services, username, index, project)
        row = services.publishers.add(index, project, kind, fields, issuer, by=shell_actor(), user_id=user_id)
        if not services.publishers.rules.enabled:
            say(
                "By the settings that this command reads trusted publishing is off: it needs authentication and an "
                "issuer. It does not see a server that was started with flags; keep settings in pypi.conf."
            )
    if json_:
        as_json(publisher_line(row))
    else:
        answer(f"{_described(row)} may upload to {project}; its id is {row.id}.")


def _user_id(services: Services, username: str | None, index: str, project: str) -> int | None:
    """On whose behalf a job uploads. Raises UnknownUser, and Forbidden for somebody who may not upload there either."""
    if username is None:
        return None
    account = services.users.account(username)
    if not services.authenticator.identities.may_upload(account, index, project):
        raise Forbidden(
            f"{account.username} may not upload to {project}, so a job on their behalf may not either; give them a "
            "role first (cli.py role grant)."
        )
    return account.id


def _fields(
    kind: str,
    repository: str | None,
    workflow: str | None,
    environment: str | None,
    email: str | None,
    fields: tuple[str, ...],
) -> dict[str, str]:
    """The fields of the kind. Raises InvalidRequest."""
    found: dict[str, str] = {}
    if repository is not None:
        owner, slash, name = repository.rpartition("/")
        if kind not in _PARTS or not slash:
            raise InvalidRequest(
                f"--repository {shown(repository)} is for github and gitlab, as OWNER/NAME; send it so."
            )
        found = dict(zip(_PARTS[kind], (owner, name), strict=True))
    found |= {_FILES.get(kind, "workflow"): workflow} if workflow else {}
    found |= {"environment": environment} if environment else {}
    found |= {"email": email} if email else {}
    for one in fields:
        name, equals, value = one.partition("=")
        if not equals:
            raise InvalidRequest(f"--field {shown(one)} is not NAME=VALUE; send it so.")
        found[name] = value
    return found


@publisher.command("remove")
@package_option
@click.option("--id", "public_id", metavar="ID", help="The publisher's id, as `list` shows it.")
@index_option
@json_option
@where_options
@pass_chosen
def remove(chosen: Chosen, package_name: str | None, public_id: str | None, index: str, json_: bool) -> None:
    """Trust a CI job no more; the tokens that it got end at once."""
    project, said = project_named(package_name), wanted(public_id, "--id", "Id of the publisher")
    with services_of(chosen) as services:
        row = services.publishers.remove(index, project, said, by=shell_actor())
    if json_:
        as_json({"removed": row.id})
    else:
        answer(f"{_described(row)} uploads to {project} no more.")
