"""Warm simple pages and files without Flask: behind granian, Flask is 85 % of what a request costs.

It takes only the exact, ordinary request whose right to read is known, and lets everything else fall through. Both ways
use the same ``Pages`` and ``FileServer``, and a test asks for byte-identical answers.
"""

from __future__ import annotations

import re
from typing import Any

from packaging.utils import NormalizedName

from errors import Refusal
from indexes.assembly import IndexServices
from indexes.pairs import PairAuthenticator
from permissions import Identity, Permission, Where, allows
from services import Services
from simple.conditional import matches_none
from simple.negotiation import negotiate, negotiate_coding
from simple.pages import Page, PageKey
from views.addressing import index_named
from views.answering import Answering, who_answers
from views.files import Answer, FileServer
from views.guards import peer_of
from views.pairs import ASKED

_DETAIL = re.compile(r"/simple/([a-z0-9]+(?:-[a-z0-9]+)*)/")
_FILE = re.compile(r"/(?:packages|simple)/([a-z0-9]+(?:-[a-z0-9]+)*)/([A-Za-z0-9][A-Za-z0-9._+!-]*)")
_LIST = "/simple/"
_LONGEST_KEPT = 500  # characters of path and headers
_MOST_KEPT = 4096
Understood = tuple[NormalizedName | None, str, str]  # project or None for the list, media type, coding


class FastPath:
    """Answers what it can; None for what Flask has to look at."""

    def __init__(self, services: Services, files: FileServer) -> None:
        self._services = services
        self._pages = services.pages
        self._authenticator = services.authenticator
        self._pairs = services.pairs
        self._tokens = services.tokens
        self._settings = services.settings
        self._files = files
        self._public = {
            permission: allows(services.authenticator.nobody, permission)
            for permission in (Permission.LIST, Permission.DOWNLOAD)
        }
        self._asked: dict[tuple[str, str, str | None, str | None], Understood] = {}

    def answer(self, environ: dict[str, Any]) -> Answer | None:
        """The answer to a request that is ordinary enough."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method not in {"GET", "HEAD"} or environ.get("QUERY_STRING") or "HTTP_COOKIE" in environ:
            return None
        try:
            if path.startswith(_LIST) and path.endswith("/"):
                return self._page(method, path, environ)
            if path.startswith(("/packages/", _LIST)):
                found = _FILE.fullmatch(path)
                return None if found is None else self._file(method, NormalizedName(found[1]), found[2], environ)
        except Refusal:
            return None  # Flask says it in the right form
        except Exception:  # noqa: BLE001 - Flask meets it again, logs it and answers with its number
            return None
        return None

    def _asker(
        self, permission: Permission, project: str | None, index: IndexServices, environ: dict[str, Any]
    ) -> Identity | None:
        """Who asks, if it is known that they may; else None."""
        header = environ.get("HTTP_AUTHORIZATION")
        if self._pairs is not None and ASKED in environ:
            return self._holder(self._pairs, permission, project, index, environ)
        if header is None or not self._authenticator.enabled:
            return self._authenticator.nobody if self._public[permission] and not index.is_closed else None
        identity = self._authenticator.remembered(header)
        if identity is None or identity.has_default_password:
            return None
        environ["pypi.user"] = identity.username or "-"
        if identity.token is not None and identity.publisher is None:
            self._tokens.note_use(identity.token, peer_of(environ, self._settings).address)
        return identity if allows(identity, permission, Where(index.name, project, closed=index.is_closed)) else None

    def _holder(
        self, pairs: PairAuthenticator, permission: Permission, project: str | None, index: IndexServices,
        environ: dict[str, Any],
    ) -> Identity | None:  # fmt: skip
        """Who sends the pair of an index, if it is known to be good."""
        header = environ.get("HTTP_AUTHORIZATION")
        identity = pairs.remembered(header) if header is not None else None
        if identity is None:
            return None
        environ["pypi.user"] = identity.username
        return identity if allows(identity, permission, Where(index.name, project, closed=index.is_closed)) else None

    def _file(self, method: str, project: NormalizedName, filename: str, environ: dict[str, Any]) -> Answer | None:
        index = self._services.at(index_named(environ))
        asker = self._asker(Permission.DOWNLOAD, project, index, environ)
        if asker is None:
            return None
        answering = self._answering(index, asker, Permission.DOWNLOAD, project)
        return self._files.answer(method, answering, project, filename, environ) if answering.members else None

    def _page(self, method: str, path: str, environ: dict[str, Any]) -> Answer | None:
        name = index_named(environ)
        asked = name, path, environ.get("HTTP_ACCEPT"), environ.get("HTTP_ACCEPT_ENCODING")
        found = self._asked.get(asked) or self._understood(asked)
        if found is None:
            return None
        project, media_type, coding = found
        index = self._services.at(name)
        asker = self._asker(Permission.LIST, project, index, environ)
        if asker is None:
            return None
        answering = self._answering(index, asker, Permission.LIST, project)
        if not answering.members:
            return None
        source = answering.source
        key = PageKey(answering.key, project, media_type, coding, answering.is_private)
        page = self._pages.cached(key, source.validity(project)) or self._pages.get(key, source)
        return _of_page(page, method, environ.get("HTTP_IF_NONE_MATCH"))

    def _answering(
        self, index: IndexServices, asker: Identity, permission: Permission, project: NormalizedName | None
    ) -> Answering:
        """As ``who_answers``, at less cost for what the index holds itself."""
        reader = index.reader
        is_private = asker.by_pair or index.is_closed or not self._public[permission]
        if project is None and not reader.bases and not reader.upstreams:
            return Answering((reader.own,), is_private)
        if project is not None and project not in reader.opened and reader.holds(project):
            return Answering((reader.own,), is_private)
        return who_answers(self._services, index, asker, permission, project)

    def _understood(self, asked: tuple[str, str, str | None, str | None]) -> Understood | None:
        """Which page is asked for; None if the path is not exactly that of one."""
        _, path, accept, coding = asked
        project = None
        if path != _LIST:
            found = _DETAIL.fullmatch(path)
            if found is None:
                return None
            project = NormalizedName(found[1])
        understood = project, negotiate(accept), negotiate_coding(coding)
        if sum(len(part or "") for part in asked) <= _LONGEST_KEPT:
            if len(self._asked) >= _MOST_KEPT:
                self._asked.clear()
            self._asked[asked] = understood
        return understood


def _of_page(page: Page, method: str, if_none_match: str | None) -> Answer:
    if if_none_match is not None and (if_none_match == page.etag or matches_none(if_none_match, page.etag)):
        return Answer("304 Not Modified", page.not_modified_headers, [], 0)
    if method == "HEAD":
        return Answer("200 OK", page.headers, [], 0)
    return Answer("200 OK", page.headers, [page.body], len(page.body))
