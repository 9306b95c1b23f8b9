"""Indexes that a TOML file declares, one table each: its secrets, who reads it, and what it adds to what it holds.

The table's name is the index's. Here the text becomes values; ``declaring`` brings the rows in line with them. No
sentence repeats a value of the file: any may be a secret that stands under the wrong key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from config import Settings
from errors import InvalidRequest, InvalidSetting, shown
from indexes.manager import MODES, NewUpstream, checked_name
from options import near

T = TypeVar("T")
FILE_SYSTEM: Final = "file_system"
GITHUB: Final = "github"
_KEYS: Final = (
    "type", "title", "read_secret", "write_secret", "closed", "bases", "keep", "upstream", "upstreams",
    "sync_index_interval",
)  # fmt: skip
_UPSTREAM_KEYS: Final = ("url", "mode", "username", "password", "allow_private")
_ADMIN_KEYS: Final = ("type", "raw")
_KIND_WORDS: Final = {str: "text", bool: "true or false", int: "a whole number", list: "a list of texts"}
_LONGEST_INTERVAL: Final = 86_400


@dataclass(frozen=True, slots=True)
class DeclaredIndex:
    """One table. A secret that is "" is nobody's; None for ``bases``, ``upstreams`` or ``closed`` says nothing of it.

    ``keep`` are patterns of names; ``sync_seconds`` is 0 where the index follows its folder at a start only.
    """

    name: str
    title: str = ""
    read_secret: str = field(default="", repr=False)
    write_secret: str = field(default="", repr=False)
    closed: bool | None = None
    bases: tuple[str, ...] | None = None
    keep: tuple[str, ...] = ()
    upstreams: tuple[NewUpstream, ...] | None = field(default=None, repr=False)
    sync_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that a file declares; ``origin`` says in refusals where it stands."""

    origin: str
    indexes: Mapping[str, DeclaredIndex] = field(default_factory=lambda: MappingProxyType({}))


def declaration_of(settings: Settings) -> Declaration | None:
    """What the files of the settings declare; None where no file is named.

    Raises InvalidSetting for one that cannot be read or understood, and for settings that do not go with one.
    """
    file, admin = settings.indexes_file, settings.indexes_admin_secret
    if not file:
        if admin:
            raise InvalidSetting(
                f"{settings.origin('indexes_admin_secret')} is set, but no file declares indexes; name one with "
                "--indexes."
            )
        return None
    if not settings.auth_enabled:
        raise InvalidSetting(
            f"{settings.origin('auth_enabled')} turns authentication off, but the indexes of "
            f"{settings.origin('indexes_file')} ask for secrets; keep one of them."
        )
    origin, text = _text_of(settings, "indexes_file")
    found = read(text, origin, settings.indexes_sync_interval)
    if admin:
        admin_origin, admin_text = _text_of(settings, "indexes_admin_secret")
        check_admin(admin_text, admin_origin, found)
    return found


def _text_of(settings: Settings, name: str) -> tuple[str, str]:
    """Where a declaration stands, and its text."""
    said: str = getattr(settings, name)
    origin = settings.origin(name)
    if settings.indexes_text:
        return origin, said
    try:
        return said, Path(said).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        named = shown(said) if said.isprintable() and "=" not in said else "what should be the path of a file"
        raise InvalidSetting(
            f"{origin} names {named}, which cannot be read: {why}; where it is the TOML itself, say --text."
        ) from None


def read(text: str, origin: str, sync_seconds: int = 0) -> Declaration:
    """The indexes that a TOML text declares; ``sync_seconds`` stands for each that says no interval of its own.

    Raises InvalidSetting, which names the table and the key.
    """
    indexes: dict[str, DeclaredIndex] = {}
    for spelled, table in _parsed(text, origin).items():
        one = _table(origin, spelled, table).index(sync_seconds)
        if one.name in indexes:
            raise InvalidSetting(f"{origin}: two tables are called {one.name}, in whatever case; keep one.")
        indexes[one.name] = one
    if not indexes:
        raise InvalidSetting(f"{origin} declares no index; write a table such as [team-a] for each.")
    return Declaration(origin, MappingProxyType(indexes))


def check_admin(text: str, origin: str, declared: Declaration) -> None:
    """Compare the second file with the first: the same names, the same types. Folders need nothing of it.

    Raises InvalidSetting.
    """
    for spelled, values in _parsed(text, origin).items():
        table = _table(origin, spelled, values)
        table.must_know(_ADMIN_KEYS)
        table.must_be_served()
        table.text("raw")
        if spelled.lower() not in declared.indexes:
            raise InvalidSetting(
                f"{origin} [{shown(spelled)}]: {declared.origin} has no table of this name; "
                f"{near(spelled.lower(), declared.indexes)}"
            )


def _parsed(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Only the place: the rest of the sentence may quote what stands there.
        found = re.search(r"line (\d+)", str(error))
        where = f", line {found[1]}" if found else " at its end"
        raise InvalidSetting(f"{origin}{where}: this is not TOML; correct it.") from None


def _table(origin: str, spelled: str, values: object) -> _Table:
    if not isinstance(values, dict):
        raise InvalidSetting(f"{origin}: {shown(spelled)} stands outside a table; put it under one such as [team-a].")
    return _Table(spelled, values, f"{origin} [{shown(spelled)}]")


class _Table:
    """One table of a file: its values, each asked for by key and kind. ``place`` says in refusals where it stands."""

    def __init__(self, spelled: str, values: Mapping[str, Any], place: str) -> None:
        self.spelled = spelled
        self.values = values
        self.place = place

    def index(self, sync_seconds: int) -> DeclaredIndex:
        """The index that the table declares."""
        self.must_be_served()
        self.must_know(_KEYS)
        name = self.spelled.lower()
        try:
            checked_name(name)
        except InvalidRequest as refusal:
            raise InvalidSetting(f"{self.place}: {refusal.sentence}") from None
        return DeclaredIndex(
            name,
            self.text("title") or (self.spelled if self.spelled != name else ""),
            self._secret("read_secret"),
            self._secret("write_secret"),
            self._of("closed", bool),
            self._names("bases"),
            self._names("keep") or (),
            self._upstreams(),
            self._interval(sync_seconds),
        )

    def must_be_served(self) -> None:
        """Refuse a store of a kind that is not served."""
        kind = self.text("type") or FILE_SYSTEM
        if kind == GITHUB:
            raise InvalidSetting(
                f'{self.place} type is "{GITHUB}": releases of GitHub as a store are not served yet; use '
                f'"{FILE_SYSTEM}", which keeps the files in the data folder.'
            )
        if kind != FILE_SYSTEM:
            raise InvalidSetting(f'{self.place} type is not known; use "{FILE_SYSTEM}", or leave it out.')

    def must_know(self, keys: tuple[str, ...]) -> None:
        """Refuse a key that nobody reads."""
        for key in self.values:
            if key not in keys:
                raise InvalidSetting(f"{self.place}: {shown(key)} is not known; {near(key, keys)}")

    def text(self, key: str) -> str:
        """A text, "" where it is left out."""
        return self._of(key, str) or ""

    def _of(self, key: str, kind: type[T]) -> T | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InvalidSetting(f"{self.place} {key} is of another kind than it should be; write {_KIND_WORDS[kind]}.")
        return value

    def _secret(self, key: str) -> str:
        secret = self._of(key, str)
        if secret is not None and not secret.strip():
            raise InvalidSetting(f"{self.place} {key} is empty; write a secret, or leave the key out.")
        return secret or ""

    def _names(self, key: str) -> tuple[str, ...] | None:
        names = self._of(key, list)
        if names is None:
            return None
        if not all(isinstance(one, str) for one in names):
            raise InvalidSetting(f"{self.place} {key} is of another kind than it should be; write {_KIND_WORDS[list]}.")
        return tuple(one.strip().lower() for one in names)

    def _interval(self, otherwise: int) -> int:
        seconds = self._of("sync_index_interval", int)
        if seconds is None:
            return otherwise
        if not 0 <= seconds <= _LONGEST_INTERVAL:
            raise InvalidSetting(
                f"{self.place} sync_index_interval is not within bounds; write seconds, from 0 to {_LONGEST_INTERVAL}."
            )
        return seconds

    def _upstreams(self) -> tuple[NewUpstream, ...] | None:
        url, more = self.text("upstream"), self._of("upstreams", list)
        if url and more is not None:
            raise InvalidSetting(f"{self.place} has both upstream and upstreams; keep one.")
        if url:
            return (_Table(self.spelled, {"url": url}, f"{self.place} upstream").upstream(),)
        if more is None:
            return None
        if not all(isinstance(values, dict) for values in more):
            raise InvalidSetting(f"{self.place} upstreams: write a table [[{self.spelled}.upstreams]] for each.")
        places = (f"{self.place} upstreams, number {number}" for number in range(1, len(more) + 1))
        return tuple(_Table(self.spelled, values, place).upstream() for values, place in zip(more, places, strict=True))

    def upstream(self) -> NewUpstream:
        """The upstream that a table within that of an index declares."""
        self.must_know(_UPSTREAM_KEYS)
        url, mode = self.text("url"), self.text("mode") or "cache"
        if not url:
            raise InvalidSetting(f"{self.place} url is missing; write the simple address of the index.")
        if "@" in url.partition("://")[2].partition("/")[0]:
            raise InvalidSetting(
                f"{self.place} url has a name or a password in it; write a table [[{self.spelled}.upstreams]] "
                "with url, username and password."
            )
        if mode not in MODES:
            raise InvalidSetting(f"{self.place} mode is not known; write {' or '.join(MODES)}.")
        allow_private = self._of("allow_private", bool) or False
        return NewUpstream(url, mode, self.text("username"), self.text("password"), allow_private)
