"""Warm simple pages and files without Flask: behind granian, Flask is 85 % of what a request costs.

It takes only the exact, ordinary request whose right to read is known, and lets everything else fall through. Both ways
use the same ``Pages`` and ``FileServer``, and a test asks for byte-identical answers.
"""

from __future__ import annotations

import re
from typing import Any

from packaging.utils import NormalizedName

from errors import Refusal
from permissions import Permission, Where, allows
from services import INDEX, Services
from simple.conditional import matches_none
from simple.negotiation import negotiate, negotiate_coding
from simple.pages import Page, PageKey
from views.files import Answer, FileServer
from views.guards import peer_of

_DETAIL = re.compile(r"/simple/([a-z0-9]+(?:-[a-z0-9]+)*)/")
_FILE = re.compile(r"/packages/([a-z0-9]+(?:-[a-z0-9]+)*)/([A-Za-z0-9][A-Za-z0-9._+!-]*)")
_LIST = "/simple/"
_LONGEST_KEPT = 500  # characters of path and headers
_MOST_KEPT = 4096


class FastPath:
    """Answers what it can; None for what Flask has to look at."""

    def __init__(self, services: Services, files: FileServer) -> None:
        self._pages = services.pages
        self._catalogue = services.catalogue
        self._authenticator = services.authenticator
        self._tokens = services.tokens
        self._settings = services.settings
        self._files = files
        self._public = {
            permission: allows(services.authenticator.nobody, permission)
            for permission in (Permission.LIST, Permission.DOWNLOAD)
        }
        self._keys: dict[tuple[str, str | None, str | None], PageKey] = {}

    def answer(self, environ: dict[str, Any]) -> Answer | None:
        """The answer to a request that is ordinary enough."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method not in {"GET", "HEAD"} or environ.get("QUERY_STRING") or "HTTP_COOKIE" in environ:
            return None
        try:
            if path.startswith(_LIST):
                return self._page(method, path, environ)
            if path.startswith("/packages/"):
                found = _FILE.fullmatch(path)
                if found is not None and self._may(Permission.DOWNLOAD, found[1], environ):
                    return self._files.answer(method, NormalizedName(found[1]), found[2], environ)
        except Refusal:
            return None  # Flask says it in the right form
        except Exception:  # noqa: BLE001 - Flask meets it again, logs it and answers with its number
            return None
        return None

    def _may(self, permission: Permission, project: str | None, environ: dict[str, Any]) -> bool:
        header = environ.get("HTTP_AUTHORIZATION")
        if header is None or not self._authenticator.enabled:
            return self._public[permission]
        identity = self._authenticator.remembered(header)
        if identity is None or identity.has_default_password:
            return False
        environ["pypi.user"] = identity.username or "-"
        if identity.token is not None and identity.publisher is None:
            self._tokens.note_use(identity.token, peer_of(environ, self._settings).address)
        return allows(identity, permission, Where(INDEX, project))

    def _page(self, method: str, path: str, environ: dict[str, Any]) -> Answer | None:
        asked = path, environ.get("HTTP_ACCEPT"), environ.get("HTTP_ACCEPT_ENCODING")
        key = self._keys.get(asked) or self._key(asked)
        if key is None or not self._may(Permission.LIST, key[1], environ):
            return None
        project = key[1]
        page = self._pages.cached(key, self._catalogue.validity(project))
        if page is None:
            page = self._pages.get(INDEX, self._catalogue, project, key[2], key[3])
        return _of_page(page, method, environ.get("HTTP_IF_NONE_MATCH"))

    def _key(self, asked: tuple[str, str | None, str | None]) -> PageKey | None:
        """Which page is asked for; None if the path is not exactly that of one."""
        path, accept, coding = asked
        project = None
        if path != _LIST:
            found = _DETAIL.fullmatch(path)
            if found is None:
                return None
            project = NormalizedName(found[1])
        key = INDEX, project, negotiate(accept), negotiate_coding(coding)
        if sum(len(part or "") for part in asked) <= _LONGEST_KEPT:
            if len(self._keys) >= _MOST_KEPT:
                self._keys.clear()
            self._keys[asked] = key
        return key


def _of_page(page: Page, method: str, if_none_match: str | None) -> Answer:
    if if_none_match is not None and (if_none_match == page.etag or matches_none(if_none_match, page.etag)):
        return Answer("304 Not Modified", page.not_modified_headers, [], 0)
    if method == "HEAD":
        return Answer("200 OK", page.headers, [], 0)
    return Answer("200 OK", page.headers, [page.body], len(page.body))
