"""What may be chosen: every setting with its default, its sentence and the places it is read from.

A setting is declared once, as a field of ``Settings``. The sample file, ``docs/settings.md``, the options of the
command line and ``cli.py config`` come from that declaration. Order: default < pypi.conf < environment < command line.
"""

from __future__ import annotations

import configparser
import importlib.util
import ipaddress
import json
import logging
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import options
from auth_options import AuthSettings
from errors import InvalidSetting, shown
from index_options import IndexSettings
from options import PLACEHOLDER, Option, choice, near, option, whole, written

Address = ipaddress.IPv4Network | ipaddress.IPv6Network
Given = Iterator[tuple[str, str, str]]  # name of the field, its text, where that was said
DEFAULT_FILE = Path("pypi.conf")
PASSED_ON = ("granian", "waitress")
IMPLY_AUTH = ("auth_require", "auth_htpasswd", "indexes_file")
SHORTEST_KEY = 16
MASK = "********"
logger = logging.getLogger("pypi_clone.config")


class Row(NamedTuple):
    """One setting in force, as ``cli.py config`` shows it: secrets are masked."""

    section: str
    key: str
    value: str
    origin: str
    doc: str


@dataclass(frozen=True)
class Settings(AuthSettings, IndexSettings):
    """The settings in force. ``load_settings`` makes them; made directly, the values are taken as they are."""

    host: str = option(
        "localhost", "Address to listen on; 0.0.0.0 takes connections from other machines.", kind=options.HOST
    )
    port: int = option(8080, "Port to listen on; 0 lets the system choose a free one.", kind=whole(0, 65535))
    data_dir: str = option("./packages", "Folder that holds the packages, one folder a project.", kind=options.FOLDER)
    debug: bool = option(True, "Log in detail and for people to read; the browser never gets a debugger.")
    secret_key: str = option(
        "", "Key that signs sessions and tokens; while it is empty one is made and kept in the state folder.",
        secret=True, kind=options.SECRET,
    )  # fmt: skip
    max_file_size: int = option(104857600, "Largest distribution that is accepted.", kind=options.SIZE)
    state_dir: str = option("", "Folder of the database, secret key and caches; empty: .state in the data folder.")
    database_url: str = option(
        "", "Database, as sqlite:///path; empty: index.sqlite3 in the state folder. Later the place for PostgreSQL.",
        kind=options.DATABASE,
    )  # fmt: skip
    server: str = option(
        "auto", "Web server: granian, waitress, or auto (granian where it is installed, else waitress).",
        kind=choice("granian", "waitress", "auto"),
    )  # fmt: skip
    workers: int = option(1, "Processes that answer requests; more than one needs granian.", kind=whole(1, 64))
    threads: int = option(64, "Threads of each process; a quarter is kept from slow clients.", kind=whole(1, 256))
    base_url: str = option(
        "", "Address under which people reach the index, when a proxy is before it.", kind=options.BASE_URL
    )
    trusted_proxies: tuple[str, ...] = option(
        (), "Proxies whose X-Forwarded headers are believed; empty: those headers are ignored.", kind=options.NETWORKS
    )
    trusted_hosts: tuple[str, ...] = option(
        (),
        "Host names that requests may name; empty: that of base_url, or any when base_url is empty.",
        kind=options.HOSTS,
    )
    log_format: str = option(
        "", "Form of the log lines, console or json; empty: console with debug, else json.",
        kind=choice("", "console", "json"),
    )  # fmt: skip
    overwrite: bool = option(False, "Let an upload replace a file of the same name that has other contents.")
    accept_legacy_sdists: bool = option(
        True, "Accept sdists with old-style names or without pyproject.toml, with a warning."
    )
    refuse_similar_names: bool = option(
        False, "Refuse a new project whose name is easily mistaken for that of a project that is there."
    )
    min_free_space: int = option(67108864, "Free space of the disk below which uploads are refused.", kind=options.SIZE)
    undo_days: int = option(
        14, "How long deleted files can be brought back; 0: their bytes go at once.", kind=whole(0, 3650, "days")
    )
    granian: Mapping[str, str] = field(default_factory=dict, hash=False)
    waitress: Mapping[str, str] = field(default_factory=dict, hash=False)
    origins: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False, repr=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{row.key}={row.value!r}' for row in self.rows())})"

    @property
    def data_path(self) -> Path:
        """The data folder, absolute; a relative one is looked up in the working directory."""
        return Path(self.data_dir).expanduser().absolute()

    @property
    def state_path(self) -> Path:
        """The state folder, absolute."""
        return Path(self.state_dir).expanduser().absolute() if self.state_dir else self.data_path / ".state"

    @property
    def database_path(self) -> Path:
        """The SQLite file, absolute."""
        named = unquote(self.database_url.removeprefix("sqlite:///"))
        return Path(named).absolute() if named else self.state_path / "index.sqlite3"

    @property
    def secret_key_path(self) -> Path:
        """Where a key that was made here is kept."""
        return self.state_path / "secret_key"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect: the host is a loopback address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def server_name(self) -> str:
        """granian or waitress: the setting with "auto" resolved."""
        if self.server != "auto":
            return self.server
        return "granian" if importlib.util.find_spec("granian") else "waitress"

    @property
    def json_logs(self) -> bool:
        """Whether log lines are JSON."""
        return self.log_format == "json" if self.log_format else not self.debug

    @property
    def accepted_hosts(self) -> tuple[str, ...]:
        """The host names that a request may name, in lower case; none: any."""
        return self.trusted_hosts or tuple(filter(None, [urlsplit(self.base_url).hostname]))

    @property
    def proxy_networks(self) -> tuple[Address, ...]:
        """``trusted_proxies`` as networks."""
        return tuple(ipaddress.ip_network(network) for network in self.trusted_proxies)

    def origin(self, name: str) -> str:
        """Where a value came from: "default", "pypi.conf [server] port", "PYPI_PORT" or "--port"."""
        return self.origins.get(name, "default")

    def shown(self, name: str) -> str:
        """The value as a settings file would write it; a secret that is set is masked."""
        value, one = getattr(self, name), OPTIONS[name]
        is_secret = one.secret or (one.masked_with and getattr(self, one.masked_with))
        return MASK if is_secret and value else written(value)

    def rows(self) -> Iterator[Row]:
        """All settings in the order of the sample file, then what is passed on to the web servers."""
        for name, one in OPTIONS.items():
            yield Row(one.section, one.key, self.shown(name), self.origin(name), one.sentence)
        for section in PASSED_ON:
            for key, value in getattr(self, section).items():
                masked = MASK if "password" in key else value
                yield Row(section, key, masked, self.origin(f"{section}.{key}"), f"Passed on to {section}.")

    def dump(self) -> str:
        """The settings as JSON, for a process started by this one. It holds the secrets."""
        return json.dumps(asdict(self))

    @classmethod
    def restore(cls, text: str) -> Settings:
        """The settings that ``dump`` wrote."""
        said: dict[str, Any] = json.loads(text)
        values: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
        return cls(**values)


_DECLARED = [one.metadata["option"].named(one.name) for one in fields(Settings) if "option" in one.metadata]
OPTIONS: Mapping[str, Option] = {
    one.name: one for one in sorted(_DECLARED, key=lambda one: options.SECTIONS.index(one.section))
}
SECTIONS = options.SECTIONS


def load_settings(
    config_file: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force: default < file < environment < flags.

    The file is ``config_file``, else the one that PYPI_CONFIG names, else ./pypi.conf where there is one. ``flags``
    maps names of fields to values; None is "not set". Nothing is written or made. Raises InvalidSetting.
    """
    environ = os.environ if environ is None else environ
    path = config_file or (Path(environ["PYPI_CONFIG"]) if environ.get("PYPI_CONFIG") else None)
    if path is None and DEFAULT_FILE.exists():
        path = DEFAULT_FILE
    parser = _parsed(path) if path else _empty_parser()
    warnings = _unknown_variables(environ)
    values: dict[str, Any] = {one: dict(parser.items(one)) for one in PASSED_ON if parser.has_section(one)}
    origins = {f"{one}.{key}": f"{path} [{one}] {key}" for one in values for key in values[one]}
    for given in (_from_file(parser, path), _from_environment(environ), _from_flags(flags or {})):
        said: dict[str, str] = {}
        for name, text, origin in given:
            said[name] = origin
            if OPTIONS[name].secret and text.strip() == PLACEHOLDER:
                warnings.append(f"{origin} is the placeholder of the sample file and counts as not set.")
                continue
            values[name], origins[name] = OPTIONS[name].read(text, origin), origin
        # Who names what needs a login, or a file of secrets, wants logins, unless the same place says otherwise.
        implied = next((said[name] for name in IMPLY_AUTH if values.get(name) and name in said), "")
        if implied and "auth_enabled" not in said:
            values["auth_enabled"], origins["auth_enabled"] = True, implied
    settings = Settings(**values, origins=origins)
    return replace(settings, warnings=(*warnings, *_checked_together(settings)))


def _empty_parser() -> configparser.ConfigParser:
    # No section lends its keys to others (default_section), and a % is a % (interpolation).
    return configparser.ConfigParser(interpolation=None, default_section="\0")


def _parsed(path: Path) -> configparser.ConfigParser:
    parser = _empty_parser()
    try:
        parser.read_string(path.expanduser().read_text(encoding="utf-8-sig"), source=str(path))
    except OSError as error:
        raise InvalidSetting(f"The settings file {shown(path)} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSetting(f"The settings file {shown(path)} is not UTF-8 text; save it as such.") from None
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
        said = f"[{error.section}] {getattr(error, 'option', '')}".rstrip()
        raise InvalidSetting(f"{path}, line {error.lineno}: {said} is there twice; keep one.") from None
    except configparser.ParsingError as error:
        # Only the number: the line may hold a secret.
        line = error.lineno if isinstance(error, configparser.MissingSectionHeaderError) else error.errors[0][0]
        raise InvalidSetting(f"{path}, line {line}: neither [section] nor key = value in a section.") from None
    return parser


def _from_file(parser: configparser.ConfigParser, path: Path | None) -> Given:
    for section in parser.sections():
        if section not in (*SECTIONS, *PASSED_ON):
            raise InvalidSetting(
                f"{path}: section {shown(section)} is not known; {near(section, (*SECTIONS, *PASSED_ON))}"
            )
        names = {one.key: one.name for one in OPTIONS.values() if one.section == section}
        for key, text in parser.items(section) if section in SECTIONS else ():
            if key not in names:
                elsewhere = [one.section for one in OPTIONS.values() if one.key == key]
                hint = f"it belongs to [{elsewhere[0]}]." if elsewhere else near(key, names)
                raise InvalidSetting(f"{path} [{section}]: {shown(key)} is not known; {hint}")
            yield names[key], text, f"{path} [{section}] {key}"


def _from_environment(environ: Mapping[str, str]) -> Given:
    for name, one in OPTIONS.items():
        text, file = environ.get(one.env, ""), environ.get(one.env_file, "")
        if text.strip() and file:
            raise InvalidSetting(f"{one.env} and {one.env_file} are both set; keep one.")
        if text.strip():
            yield name, text, one.env
        if file:
            try:
                yield name, Path(file).read_text(encoding="utf-8").rstrip("\r\n"), one.env_file
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "it is not UTF-8 text"
                raise InvalidSetting(f"{one.env_file} names {shown(file)}, which cannot be read: {why}.") from None


def _from_flags(flags: Mapping[str, object]) -> Given:
    for name, value in flags.items():
        if name not in OPTIONS:
            raise InvalidSetting(f"There is no setting {shown(name)}; {near(name, OPTIONS)}")
        if value is not None:
            text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            yield name, text, OPTIONS[name].flag or name


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {"PYPI_CONFIG"} | {name for one in OPTIONS.values() for name in (one.env, one.env_file) if name}
    strange = sorted(name for name in environ if name.startswith("PYPI_") and name not in known)
    hints = {name: f" ({hint})" if (hint := near(name, known, 0.8)).startswith("did") else "" for name in strange}
    return [f"{shown(name)} names no setting and is not used{hints[name]}." for name in strange]


def _checked_together(settings: Settings) -> Iterator[str]:
    """Refuse what does not go together; yield a warning for what is risky."""
    if settings.workers > 1 and settings.server_name == "waitress":
        raise InvalidSetting(
            f"{settings.origin('workers')} is {settings.workers}, but waitress runs in one process; "
            "set workers to 1 or server to granian."
        )
    if 0 < len(settings.secret_key) < SHORTEST_KEY:
        said = f"{settings.origin('secret_key')} has fewer than {SHORTEST_KEY} characters and can be guessed"
        if not settings.is_local:
            raise InvalidSetting(f"{said}; set a longer one, or none to have one made.")
        yield f"{said}."
    if 0 < len(settings.admin_token) < SHORTEST_KEY:
        raise InvalidSetting(
            f"{settings.origin('admin_token')} has fewer than {SHORTEST_KEY} characters and can be guessed; "
            "set a longer one, or none to keep registration closed."
        )
    if 0 < len(settings.admin_password) < settings.auth_min_password_length:
        raise InvalidSetting(
            f"{settings.origin('admin_password')} has fewer characters than min_password_length; set a longer one."
        )
    if not settings.is_local and settings.debug:
        yield f"debug is on and other machines can connect to {settings.host}; set debug to false there."
    if not settings.is_local and not settings.auth_enabled:
        yield f"Anybody who can connect to {settings.host} may upload and delete: authentication is off."


def sample_file(secret_key: str = PLACEHOLDER) -> str:
    """The settings file to copy, ``pypi.conf.sample``: all settings with their sentences, at their defaults."""
    return options.sample(OPTIONS.values(), secret_key)


def settings_document() -> str:
    """The page of all settings, ``docs/settings.md``."""
    return options.document(OPTIONS.values())


def prepare_directories(settings: Settings) -> None:
    """Make the data and state folders where they are missing; raises InvalidSetting where they cannot be written."""
    for name, path, mode in (("data_dir", settings.data_path, 0o777), ("state_dir", settings.state_path, 0o700)):
        try:
            path.mkdir(mode=mode, parents=True, exist_ok=True)
            reason = "" if os.access(path, os.W_OK | os.X_OK) else "Permission denied"
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        if reason:
            raise InvalidSetting(
                f"The folder {shown(path, 200)} ({settings.origin(name)}) cannot be written: {reason}; give it to the "
                f"user who runs the server, or set {name} to another one."
            )


def ensure_secret_key(settings: Settings) -> bytes:
    """The key that signs: the one that is set, else the one kept in the state folder, made where there is none.

    Processes that start at the same time get the same key. Raises InvalidSetting where it cannot be read or made.
    """
    if settings.secret_key:
        return settings.secret_key.encode()
    path = settings.secret_key_path
    try:
        if not path.exists():
            prepare_directories(settings)
            _make_key(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if os.name == "posix" and mode & 0o077:
            path.chmod(0o600)
            logger.warning("%s could be read by others (mode %o); it is now its owner's only.", path, mode)
        key = path.read_bytes().strip()
    except OSError as error:
        raise InvalidSetting(
            f"The secret key {shown(path, 200)} cannot be read or made: {error.strerror}; "
            "give the file to the user who runs the server, or set secret_key."
        ) from None
    if len(key) < 2 * SHORTEST_KEY:
        raise InvalidSetting(
            f"The secret key {shown(path, 200)} is cut off; delete it and a new one is made (everybody signs in again)."
        )
    return key


def _make_key(path: Path) -> None:
    """Write a new key beside ``path`` and link it there: it appears whole or not at all, and the first one stays."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(fresh, "xb", opener=lambda name, how: os.open(name, how, 0o600)) as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    except FileExistsError:
        return  # another process was first; its key is the one
    finally:
        fresh.unlink(missing_ok=True)
