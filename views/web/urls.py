"""Addresses: this server's own, and which of the addresses that others give us may be followed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import request, url_for

from permissions import MAIN
from views import services
from views.addressing import mount

_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
_NOT_AFTER_LOGIN = ("/login", "/logout")


def own_url() -> str:
    """The address under which people reach this server, without a slash at its end."""
    return services().settings.base_url or request.url_root.rstrip("/").removesuffix(mount())


def index_address(index: str | None = None) -> str:
    """The address of an index, or of the one that this request speaks of, without a slash at its end: of ``main`` the
    server's, unless secrets of indexes are asked there.
    """
    if index is None:
        return own_url() + _mount_for_people(mount())
    return own_url() + _mount_for_people("" if index == MAIN else f"/index/{index}")


def simple_address() -> str:
    """The simple pages of the index that this request speaks of, as a path of this server."""
    return f"{request.script_root.removesuffix(mount())}{_mount_for_people(mount())}/simple/"


def _mount_for_people(mounted: str) -> str:
    """Where installers read with people's own credentials: at ``/simple/`` itself, secrets of indexes may be asked."""
    return mounted or (f"/index/{MAIN}" if services().pairs is not None else "")


def absolute(endpoint: str, **arguments: Any) -> str:
    """The address of a view, with the host by which people know this server; an argument that is None is left out."""
    return own_url() + url_for(endpoint, **arguments).removeprefix(request.script_root.removesuffix(mount()))


def index_url(index: str | None = None) -> str:
    """The address that installers are given for it."""
    return f"{index_address(index)}/simple/"


def trusted_host() -> str:
    """The host that pip has to be told to trust, with its port: over plain HTTP it trusts this machine only. Or ""."""
    url = urlsplit(own_url())
    local = url.hostname in {"localhost", "::1"} or (url.hostname or "").startswith("127.")
    return "" if url.scheme == "https" or local else url.netloc


def safe_next(target: str | None) -> str:
    """Where to go after signing in: a page of this server, else its home page."""
    return safe_path(target, request.script_root)


def safe_path(target: str | None, root: str) -> str:
    """The target if it is a path below ``root``, the prefix of this server such as "/pypi" or nothing; else the root.

    Browsers strip tabs and line ends from an address, read a backslash as a slash and follow dots upwards, so that is
    looked at first.
    """
    path = re.sub(r"[\t\r\n]", "", target or "").strip().replace("\\", "/")
    if not path.startswith(f"{root}/") or path.startswith("//") or _CONTROL.search(path):
        return f"{root}/"
    plain = re.sub(r"[\x00-\x20]", "", unquote(path)).replace("\\", "/").split("?")[0]
    leads_up = not {".", ".."}.isdisjoint(plain.split("/"))
    if plain.startswith("//") or leads_up or plain.removeprefix(root).rstrip("/") in _NOT_AFTER_LOGIN:
        return f"{root}/"
    return path


def safe_link(url: str) -> str | None:
    """The address if it may become a link: http or https, with a host and without control characters; else None."""
    if _CONTROL.search(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return url if good else None
