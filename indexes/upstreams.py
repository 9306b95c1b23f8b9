"""The upstreams of each index, as members that may answer: those of its own, and for ``main`` that of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import outbound
from config import Settings
from database.indexes import IndexRow, UpstreamRow
from errors import InvalidRequest, InvalidSetting, Unavailable
from indexes.reading import Member, Redirect
from permissions import MAIN
from simple.kept import TakenFile
from upstream.addresses import check_url, default_url
from upstream.hub import UpstreamHub
from upstream.upstream import UpstreamConfig

OF_SETTINGS = "settings"  # the id of the upstream that the settings name

# Records that an index took a file in from one of its upstreams: index, id of the upstream, file.
TakeIn = Callable[[str, str, TakenFile], None]


def check_for_request(url: str, allow_private: bool) -> None:
    """Refuse an address that somebody wants an index to have. Raises InvalidRequest."""
    try:
        check_url(url, allow_private=allow_private)
    except InvalidSetting as refusal:
        raise InvalidRequest(refusal.sentence) from refusal


def _look_up_nothing(host: str, port: int) -> Sequence[outbound.Address]:
    raise OSError(f"{host}:{port} is not looked up")


class Upstreams:
    """Makes members of upstreams. ``password_of`` opens the password of one. Raises InvalidSetting for settings that
    name an address which is never asked.
    """

    def __init__(
        self, settings: Settings, hub: UpstreamHub, password_of: Callable[[UpstreamRow], str], take_in: TakeIn
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._password_of = password_of
        self._take_in = take_in
        self._url_of_settings = ""
        if settings.upstream_way != "none":
            url = settings.upstream_url or default_url()
            # Offline no name is looked up: where nobody answers, that would hold up every start and command.
            resolver = _look_up_nothing if settings.offline else outbound.resolve
            allow_private = settings.upstream_allow_private
            self._url_of_settings = check_url(url, allow_private=allow_private, resolver=resolver)

    def of(self, row: IndexRow) -> tuple[Member | Redirect, ...]:
        """Those of an index, in the order in which they are asked. One whose password cannot be opened is left out of
        use: it is asked without, and refuses.
        """
        members = [*(self._of_settings() if row.name == MAIN else ())]
        for one in row.upstreams:
            if one.mode == "redirect":
                members.append(Redirect(row.name, one.id, one.url))
                continue
            try:
                password = self._password_of(one)
            except Unavailable:
                password = ""
            members.append(self._member(row.name, self._config(one, password)))
        return tuple(members)

    def _of_settings(self) -> tuple[Member | Redirect, ...]:
        settings, url = self._settings, self._url_of_settings
        if not url:
            return ()
        if settings.upstream_way == "redirect":
            return (Redirect(MAIN, OF_SETTINGS, url),)
        config = UpstreamConfig(
            OF_SETTINGS, url, settings.upstream_username, settings.upstream_password,
            settings.upstream_allow_private, settings.offline, settings.upstream_private_hosts,
        )  # fmt: skip
        return (self._member(MAIN, config),)

    def _config(self, one: UpstreamRow, password: str) -> UpstreamConfig:
        settings = self._settings
        return UpstreamConfig(
            one.id, one.url, one.username, password, one.allow_private, settings.offline,
            settings.upstream_private_hosts,
        )  # fmt: skip

    def _member(self, index: str, config: UpstreamConfig) -> Member:
        source = self._hub.source(config, partial(self._take_in, index, config.key))
        return Member(index, config.key, source, source.open, source.core_metadata)
