"""What a start says, on one screen: where, what is there, who may do what, and what is unsafe about it."""

from __future__ import annotations

import socket
import sys

from config import Settings
from credentials.htpasswd import NAMED
from database.engine import SAFE_SQLITE, sqlite_version
from errors import shown
from services import Services


def print_banner(services: Services, port: int, *, made_admin: str) -> None:
    """Say it on stderr."""
    settings = services.settings
    stats = services.at().catalogue.stats()
    # An address that stands for all of the machine's is none that a client can ask.
    named = socket.gethostname() if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    host = f"[{named}]" if ":" in named else named
    url = settings.base_url or f"http://{host}:{port}"
    sqlite = ".".join(map(str, sqlite_version()))
    projects, files = _counted(stats["projects"], "project"), _counted(stats["files"], "file")
    lines = [
        "PyPI Clone",
        f"  Address     {url}/",
        f"  Install     pip install --index-url {url}/simple/ NAME",
        f"  Upload      twine upload --repository-url {url}/upload dist/*",
        f"  Data        {settings.data_path}",
        f"  Holds       {projects}, {files}, {stats['bytes'] / 1e6:,.1f} MB",
        (
            f"  May list    {_who_may(settings, 'list')}; download: {_who_may(settings, 'download')}; "
            f"upload: {_who_may(settings, 'update')}"
        ),
        f"  Server      {settings.server_name}, {settings.workers} x {settings.threads} threads, SQLite {sqlite}",
    ]
    if made_admin == "promoted":
        lines.append("  New         user 'admin' became administrator, since there was none; the password stays")
    elif made_admin:
        password = "the one of PYPI_ADMIN_PASSWORD" if settings.admin_password else "admin, from this machine only"
        lines.append(f"  New         administrator 'admin' was made; password: {password}")
    lines += [f"  Unsafe      {warning}" for warning in _warnings(services)]
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - it is what this module is for


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _warnings(services: Services) -> list[str]:
    warnings = list(services.settings.warnings)
    if not services.settings.auth_enabled and services.settings.is_local:
        warnings.append(
            "authentication is off: whoever can connect may upload, yank and delete (turn it on with --auth)"
        )
    if services.settings.auth_enabled and services.accounts.default_password_stands():
        warnings.append("the default password stands; change it with `cli.py user password --username admin`")
    weak = services.users.htpasswd.weak_names() if services.users.htpasswd else []
    if weak:
        named = ", ".join(shown(name) for name in weak[:NAMED])
        more = f" and {len(weak) - NAMED:,} more" if len(weak) > NAMED else ""
        warnings.append(
            f"the htpasswd file has hashes that let nobody in (DES, plain text, or too costly): {named}{more}; "
            "give these people new ones with `htpasswd -B`"
        )
    if sqlite_version() < SAFE_SQLITE:
        newer = ".".join(map(str, SAFE_SQLITE))
        warnings.append(f"this SQLite can damage its write-ahead log under rare timing; {newer} or newer does not")
    return warnings


def _who_may(settings: Settings, operation: str) -> str:
    return "people who sign in" if settings.auth_enabled and operation in settings.auth_require else "anybody"
