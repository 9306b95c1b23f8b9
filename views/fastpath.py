"""Warm simple pages and files without Flask: behind granian, Flask is 85 % of what a request costs.

It takes only the exact, ordinary request whose right to read is known, and lets everything else fall through. Both ways
use the same ``Pages`` and ``FileServer``, and a test asks for byte-identical answers.
"""

from __future__ import annotations

import re
from typing import Any

from packaging.utils import NormalizedName

from auth import Permission, allows
from errors import Refusal
from services import INDEX, Services
from simple.conditional import matches_none
from simple.negotiation import negotiate, negotiate_coding
from simple.pages import Page
from views.files import Answer, FileServer

_DETAIL = re.compile(r"/simple/([a-z0-9]+(?:-[a-z0-9]+)*)/")
_FILE = re.compile(r"/packages/([a-z0-9]+(?:-[a-z0-9]+)*)/([A-Za-z0-9][A-Za-z0-9._+!-]*)")
_LIST = "/simple/"


class FastPath:
    """Answers what it can; None for what Flask has to look at."""

    def __init__(self, services: Services, files: FileServer) -> None:
        self._pages = services.pages
        self._catalogue = services.catalogue
        self._authenticator = services.authenticator
        self._files = files

    def answer(self, environ: dict[str, Any]) -> Answer | None:
        """The answer to a request that is ordinary enough."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method not in {"GET", "HEAD"} or environ.get("QUERY_STRING") or not self._may_read(environ):
            return None
        try:
            if path.startswith(_LIST):
                return self._page(method, path, environ)
            if path.startswith("/packages/"):
                found = _FILE.fullmatch(path)
                if found is not None:
                    return self._files.answer(method, NormalizedName(found[1]), found[2], environ)
        except Refusal:
            return None  # Flask says it in the right form
        return None

    def _may_read(self, environ: dict[str, Any]) -> bool:
        if "HTTP_COOKIE" in environ:
            return False
        header = environ.get("HTTP_AUTHORIZATION")
        if header is None or not self._authenticator.enabled:
            return allows(self._authenticator.nobody, Permission.READ)
        identity = self._authenticator.remembered(header)
        return identity is not None and not identity.has_default_password and allows(identity, Permission.READ)

    def _page(self, method: str, path: str, environ: dict[str, Any]) -> Answer | None:
        if path == _LIST:
            project = None
        else:
            found = _DETAIL.fullmatch(path)
            if found is None:
                return None
            project = NormalizedName(found[1])
        media_type = negotiate(environ.get("HTTP_ACCEPT"))
        coding = negotiate_coding(environ.get("HTTP_ACCEPT_ENCODING"))
        page = self._pages.get(INDEX, self._catalogue, project, media_type, coding)
        return _of_page(page, method, environ.get("HTTP_IF_NONE_MATCH"))


def _of_page(page: Page, method: str, if_none_match: str | None) -> Answer:
    if if_none_match is not None and matches_none(if_none_match, page.etag):
        return Answer("304 Not Modified", list(page.not_modified_headers), [], 0)
    if method == "HEAD":
        return Answer("200 OK", list(page.headers), [], 0)
    return Answer("200 OK", list(page.headers), [page.body], len(page.body))
