"""The upstreams of each index, as members that may answer: those of its own, and for ``main`` that of the settings."""

from __future__ import annotations

from collections.abc import Callable

from config import Settings
from database.indexes import IndexRow, UpstreamRow
from indexes.reading import Member, Redirect
from permissions import MAIN

OF_SETTINGS = "settings"  # the id of the upstream that the settings name


def check_url(url: str, allow_private: bool) -> None:
    """Refuse an address that is never asked. Raises InvalidRequest."""


class Upstreams:
    """Makes members of upstreams. ``password_of`` opens the password of one."""

    def __init__(self, settings: Settings, password_of: Callable[[UpstreamRow], str]) -> None:
        self._settings = settings
        self._password_of = password_of

    def of(self, row: IndexRow) -> tuple[Member | Redirect, ...]:
        """Those of an index, in the order in which they are asked."""
        of_settings = self._of_settings() if row.name == MAIN else ()
        return (*of_settings, *(self._member(row, one, self._password_of(one)) for one in row.upstreams))

    def _of_settings(self) -> tuple[Member | Redirect, ...]:
        settings = self._settings
        if settings.upstream_way == "none":
            return ()
        return (Redirect(MAIN, OF_SETTINGS, settings.upstream_url),)

    def _member(self, row: IndexRow, upstream: UpstreamRow, password: str) -> Member | Redirect:
        return Redirect(row.name, upstream.id, upstream.url)
