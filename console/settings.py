"""``cli.py init`` and ``cli.py config``: the settings file, and the settings in force."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

import click

import config
from console.options import Chosen, json_option, pass_chosen, where_options
from console.output import Refused, answer, as_json, say, table


@click.command("init")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@where_options
@pass_chosen
def init(chosen: Chosen, force: bool) -> None:
    """Write a settings file.

    It is --config, else pypi.conf: all settings at their defaults, and a fresh secret key.
    """
    if chosen.data_dir is not None:
        raise click.UsageError("Option '--data-dir' has no use here; set data_dir in the file that is made.")
    path = (chosen.config or Path(os.environ.get("PYPI_CONFIG") or config.DEFAULT_FILE)).expanduser()
    text = config.sample_file(secrets.token_hex(32))
    try:
        _write_private(path, text, replace=force)
    except FileExistsError:
        raise Refused(f"{path} is there already; --force replaces it, and with it the secret key.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    answer(f"Wrote {path}, readable by you alone: it holds the secret key.")


def _write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file of mode 0600 that appears whole or not at all. Raises FileExistsError unless ``replace``."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if replace:
            Path(name).replace(path)
        else:
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@click.command("config")
@json_option
@where_options
@pass_chosen
def show_config(chosen: Chosen, json_: bool) -> None:
    """Show the settings in force and where each came from.

    Secrets are masked. Warnings go to stderr.
    """
    settings = chosen.settings()
    if json_:
        as_json({"settings": [row._asdict() for row in settings.rows()], "warnings": settings.warnings})
        return
    table(
        ("SETTING", "VALUE", "FROM"), ((f"[{row.section}] {row.key}", row.value, row.origin) for row in settings.rows())
    )
    for warning in settings.warnings:
        say(f"Warning: {warning}")
