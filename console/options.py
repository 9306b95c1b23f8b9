"""The options that commands share, and what a command gets to work with from them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import config
from config import OPTIONS, Settings
from errors import InvalidSetting, shown
from options import SHORT, written
from permissions import MAIN

if TYPE_CHECKING:
    from database.accounts import Accounts
    from database.catalogue import Catalogue
    from database.engine import Database
    from database.journal import Actor
    from database.rights import Rights
    from database.search import Search
    from database.statistics import DownloadCounter
    from database.tokens import Tokens
    from identities import Identities
    from services import Services

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(slots=True)
class Chosen:
    """Where the settings and the data are, as said before the sub-command or, which wins, after it."""

    config: Path | None = None
    data_dir: str | None = None

    def settings(self, flags: Mapping[str, object] | None = None) -> Settings:
        """The settings in force. Raises InvalidSetting."""
        return config.load_settings(self.config, {"data_dir": self.data_dir, **(flags or {})})


def _remember(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    chosen = ctx.ensure_object(Chosen)
    if value is not None and parameter.name is not None:
        setattr(chosen, parameter.name, value)


pass_chosen = click.make_pass_decorator(Chosen, ensure=True)
config_option = click.option(
    "-c", "--config", type=click.Path(path_type=Path), metavar="FILE", callback=_remember, expose_value=False,
    help="Settings file; else the one PYPI_CONFIG names, else ./pypi.conf.",
)  # fmt: skip
data_dir_option = click.option(
    OPTIONS["data_dir"].flag, metavar="DIR", callback=_remember, expose_value=False, help=OPTIONS["data_dir"].doc
)
json_option = click.option("--json", "json_", is_flag=True, help="Print JSON, for scripts.")
package_option = click.option("--package-name", metavar="NAME", help="Name of the project, in any spelling.")
username_option = click.option("--username", metavar="NAME", help="Name of the user.")
index_option = click.option("--index", metavar="NAME", default=MAIN, show_default=True, help="Name of the index.")
team_option = click.option("--team", metavar="NAME", help="Name of the team.")
password_option = click.option("--password", help="The password; on a terminal it is asked for, hidden.")
password_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from stdin, one line; for scripts."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def where_options(command: Command) -> Command:
    """Take --config and --data-dir."""
    return config_option(data_dir_option(command))


def settings_options(command: Command) -> Command:
    """Take every setting that has a flag, as config.py declares it; each arrives under its field's name, or as None."""
    for name, one in reversed(list(OPTIONS.items())):
        if not one.flag or name == "data_dir":
            continue
        if isinstance(one.default, bool):
            flags = f"{one.flag}/--no-{one.flag.removeprefix('--')}"
            command = click.option(flags, name, default=None, help=one.sentence)(command)
            continue
        names = [SHORT[name], one.flag] if name in SHORT else [one.flag]
        default = written(one.default) or "empty"
        text = f"{one.sentence} [default: {default}]"
        command = click.option(*names, name, metavar=_metavar(one.default), help=text)(command)
    return command


def _metavar(default: object) -> str:
    return "NUMBER" if isinstance(default, int) else "LIST" if isinstance(default, tuple) else "TEXT"


@dataclass(frozen=True, slots=True)
class Reader:
    """What commands that change nothing need: the database alone, so that the store may be read-only to them.

    Catalogue, search and downloads are those of one index.
    """

    settings: Settings
    database: Database
    catalogue: Catalogue
    search: Search
    accounts: Accounts
    tokens: Tokens
    rights: Rights
    downloads: DownloadCounter

    def identities(self) -> Identities:
        """What people are by the settings. Raises InvalidSetting."""
        from services import identities_of

        return identities_of(self.settings, self.database)


@contextmanager
def reading(chosen: Chosen, index: str = MAIN) -> Iterator[Reader]:
    """The reader of an index of the data that was chosen; a database that is not there is made, as a start makes it.

    Raises UnknownIndex, and InvalidSetting for a folder that is not there, which nobody who only looks wants to have
    made.
    """
    from database import schema
    from database.accounts import Accounts
    from database.catalogue import Catalogue
    from database.engine import Database
    from database.indexes import must_be_there
    from database.rights import Rights
    from database.search import Search
    from database.statistics import DownloadCounter
    from database.tokens import Tokens

    settings = chosen.settings()
    if not settings.data_path.exists():
        raise InvalidSetting(
            f"There is no folder {shown(str(settings.data_path), 200)} ({settings.origin('data_dir')}); run this in "
            "the program's folder, name the data with --data-dir, or start the server, which makes it."
        )
    if not settings.database_path.exists():
        config.prepare_directories(settings)
    database = Database(settings.database_path)
    try:
        schema.prepare(database)
        must_be_there(database, index)
        yield Reader(
            settings, database, Catalogue(database, index), Search(database, index), Accounts(database),
            Tokens(database), Rights(database), DownloadCounter(database, index),
        )  # fmt: skip
    finally:
        database.close()


@contextmanager
def services_of(chosen: Chosen) -> Iterator[Services]:
    """The services of the data that was chosen, the same as the server's; closed in the end."""
    from services import open_services

    services = open_services(chosen.settings())
    try:
        yield services
    finally:
        services.close()


def shell_actor() -> Actor:
    """Who is at the shell, as the journal names them."""
    from database.journal import Actor

    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a number without a name, as in containers
        name = f"uid-{os.getuid()}"
    return Actor(f"{name}@shell")
