"""``/packages/<project>/<filename>`` and the core metadata beside it, with ranges and preconditions (RFC 9110).

``FileServer`` answers in terms of WSGI, for the Flask view here and for the fast path alike.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from flask import Blueprint, Response, current_app, request
from packaging.utils import NormalizedName

from errors import UnknownFile, UnknownProject
from indexes.reading import Member
from permissions import Permission
from services import Services
from simple.conditional import (
    ByteRange,
    Unsatisfiable,
    http_date,
    not_modified,
    parse_range,
    range_still_valid,
)
from simple.sources import FileRecord
from views import services, this_index
from views.answering import Answering, who_answers
from views.guards import identity, requires
from views.lane import Place, SlowLane
from views.simple import normalized

blueprint = Blueprint("files", __name__)

Headers = list[tuple[str, str]]
_CHUNK = 1 << 18
_SMALL = 1 << 16
_ENTRY_BYTES = 2_000  # headers and record, roughly
_KEPT_BYTES = 32 << 20
METADATA_SUFFIX = ".metadata"


class Answer(NamedTuple):
    """A whole answer in WSGI's terms; ``size`` is what the body has in bytes."""

    status: str
    headers: Sequence[tuple[str, str]]
    body: Iterable[bytes]
    size: int


class Address(NamedTuple):
    """A file of a member; ``private`` where not everybody gets it."""

    member: str
    project: str
    filename: str
    private: bool


@dataclass(frozen=True, slots=True)
class Served:
    """What is known of one address: its headers, and its bytes where they are small."""

    member: Member
    record: FileRecord
    etag: str
    last_modified: str
    headers: Headers
    body: bytes | None
    size: int
    counts: bool


class FileServer:
    """Serves the files of every index. What it knows of an address stands while the project's validity does."""

    def __init__(self, services: Services, lane: SlowLane) -> None:
        self._services = services
        self._lane = lane
        self._known: OrderedDict[Address, tuple[Hashable, Served]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def answer(
        self, method: str, answering: Answering, project: NormalizedName, filename: str, environ: dict[str, Any]
    ) -> Answer:
        """The answer to a GET or HEAD. Raises UnknownProject, UnknownFile, StorageFailed."""
        served = self._served(answering, project, filename)
        conditions = environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE")
        if any(conditions) and not_modified(*conditions, served.etag, served.last_modified):
            return Answer("304 Not Modified", _without_length(served.headers), [], 0)
        asked = environ.get("HTTP_RANGE")
        if (
            asked
            and method == "GET"
            and range_still_valid(environ.get("HTTP_IF_RANGE"), served.etag, served.last_modified)
        ):
            part = parse_range(asked, served.size)
            if isinstance(part, Unsatisfiable):
                headers = [
                    ("Content-Range", part.content_range),
                    ("Content-Length", "0"),
                    ("Cache-Control", "no-store"),
                ]
                return Answer("416 Range Not Satisfiable", headers, [], 0)
            if part is not None:
                return self._part(served, part)
        if method == "HEAD":
            self._must_be_there(served)
            return Answer("200 OK", served.headers, [], 0)
        return self._whole(served, environ)

    def _whole(self, served: Served, environ: dict[str, Any]) -> Answer:
        if served.body is not None:
            self._count(served, environ.get("HTTP_USER_AGENT", ""))
            return Answer("200 OK", served.headers, [served.body], served.size)
        wrapper: Callable[..., Iterable[bytes]] | None = environ.get("wsgi.file_wrapper")
        agent = environ.get("HTTP_USER_AGENT", "")  # not the environ itself: it would live as long as the answer

        def finished() -> None:
            self._count(served, agent)

        if wrapper is not None:
            # A server that sends files itself (waitress) does so without holding a thread.
            file = WatchedFile(served.member.open(served.record), served.size, finished)
            return Answer("200 OK", served.headers, wrapper(file, _CHUNK), served.size)
        return Answer("200 OK", served.headers, self._body(served, 0, served.size, finished), served.size)

    def _body(self, served: Served, first: int, size: int, finished: Callable[[], None] | None) -> FileBody:
        place = self._lane.take()
        try:
            file = served.member.open(served.record)
            file.seek(first)
        except BaseException:
            place.leave()
            raise
        return FileBody(file, size, finished, place)

    def _part(self, served: Served, part: ByteRange) -> Answer:
        headers = [
            *_without_length(served.headers),
            ("Content-Range", part.content_range),
            ("Content-Length", str(part.length)),
        ]
        body: Iterable[bytes]
        if served.body is not None:
            body = [served.body[part.first : part.last + 1]]
        else:
            body = self._body(served, part.first, part.length, None)
        return Answer("206 Partial Content", headers, body, part.length)

    def _must_be_there(self, served: Served) -> None:
        if served.body is None and not served.member.upstream:
            served.member.open(served.record).close()

    def _count(self, served: Served, agent: str) -> None:
        if served.counts:
            record = served.record
            downloads = self._services.at(served.member.index).downloads
            downloads.count(record.project, record.version, record.filename, agent)

    # -- what is known of an address

    def _served(self, answering: Answering, project: NormalizedName, filename: str) -> Served:
        """The first member's file of that name. Raises UnknownFile."""
        for member in answering.members:
            try:
                return self._of_member(member, project, filename, private=answering.is_private)
            except UnknownFile:
                continue
        raise UnknownFile(filename)

    def _of_member(self, member: Member, project: NormalizedName, filename: str, *, private: bool) -> Served:
        validity = member.source.validity(project)
        key = Address(member.key, project, filename, private)
        known = self._known.get(key)
        if known is not None and known[0] == validity:
            return known[1]
        served = self._look_up(member, project, filename, private=private)
        self._keep(key, validity, served)
        return served

    def _look_up(self, member: Member, project: NormalizedName, filename: str, *, private: bool) -> Served:
        if filename.endswith(METADATA_SUFFIX):
            return self._metadata(member, project, filename.removesuffix(METADATA_SUFFIX), private=private)
        record = member.source.file(project, filename)
        body = None
        if record.size <= _SMALL and not member.upstream:
            with member.open(record) as file:
                body = file.read(_SMALL + 1)
            if len(body) != record.size:
                body = None  # changed under us: `cli.py check` names it; it is sent as it lies
        headers = [
            *self._headers(record, record.sha256, record.size, "application/octet-stream", private=private),
            ("Content-Disposition", f'attachment; filename="{record.filename}"'),
        ]
        etag, modified = f'"{record.sha256}"', _last_modified(record)
        return Served(member, record, etag, modified, headers, body, record.size, counts=True)

    def _metadata(self, member: Member, project: NormalizedName, filename: str, *, private: bool) -> Served:
        record = member.source.file(project, filename)
        sha256 = record.core_metadata_sha256
        if sha256 is None:
            raise UnknownFile(filename + METADATA_SUFFIX)
        body = member.core_metadata(project, filename)
        sha256 = sha256 or hashlib.sha256(body).hexdigest()
        headers = self._headers(record, sha256, len(body), "text/plain; charset=utf-8", private=private)
        return Served(member, record, f'"{sha256}"', _last_modified(record), headers, body, len(body), counts=False)

    def _headers(self, record: FileRecord, sha256: str, size: int, content_type: str, *, private: bool) -> Headers:
        keepers = "private" if private else "public"
        # Where files can be replaced, a client has to ask each time.
        is_fixed = not self._services.settings.overwrite
        caching = f"{keepers}, max-age=365000000, immutable, no-transform" if is_fixed else "no-cache, no-transform"
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        return [
            ("Content-Type", content_type),
            ("Content-Length", str(size)),
            ("ETag", f'"{sha256}"'),
            *((("Last-Modified", _last_modified(record)),) if record.uploaded is not None else ()),
            ("Accept-Ranges", "bytes"),
            ("Cache-Control", caching),
            ("Repr-Digest", f"sha-256=:{digest}:"),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            *([("Vary", "Authorization")] if private else []),
        ]

    def _keep(self, key: Address, validity: Hashable, served: Served) -> None:
        with self._lock:
            replaced = self._known.pop(key, None)
            if replaced is not None:
                self._bytes -= _weight(replaced[1])
            self._known[key] = (validity, served)
            self._bytes += _weight(served)
            while self._bytes > _KEPT_BYTES:
                _, dropped = self._known.popitem(last=False)
                self._bytes -= _weight(dropped[1])


def _last_modified(record: FileRecord) -> str:
    """The date as HTTP writes it; "", which no client's date equals, where it is not known."""
    return http_date(record.uploaded) if record.uploaded is not None else ""


def _weight(served: Served) -> int:
    return _ENTRY_BYTES + (len(served.body) if served.body is not None else 0)


def _without_length(headers: Headers) -> Headers:
    return [header for header in headers if header[0] not in {"Content-Length", "Repr-Digest"}]


class FileBody:
    """The next ``size`` bytes of an open file, in pieces; ``finished`` is called when all were sent."""

    def __init__(self, file: BinaryIO, size: int, finished: Callable[[], None] | None, place: Place) -> None:
        self._file = file
        self._place = place
        self._left = size
        self._finished = finished

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._left <= 0:
            self._finish()
            self.close()
            raise StopIteration
        piece = self._file.read(min(_CHUNK, self._left))
        if not piece:
            raise OSError("the file is shorter than it was when it was listed")  # the client sees a short body
        self._left -= len(piece)
        return piece

    def _finish(self) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished()

    def close(self) -> None:
        """Let go of the file and the place, also when the client went away."""
        self._file.close()
        self._place.leave()


class WatchedFile:
    """An open file for ``wsgi.file_wrapper`` (PEP 3333); ``finished`` is called if it was read to its end.

    A server moves on in the file as it hands the bytes over, so where it stands at the end tells how much was sent.
    """

    def __init__(self, file: BinaryIO, size: int, finished: Callable[[], None]) -> None:
        self._file = file
        self._size = size
        self._finished = finished
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._file.closed:
            return
        was_sent = self._file.tell() >= self._size
        self._file.close()
        if was_sent:
            self._finished()


@blueprint.get("/packages/<project>/<filename>")
@requires(Permission.DOWNLOAD, project="project")
def download(project: str, filename: str) -> Response:
    """A distribution, or with ``.metadata`` its core metadata (PEP 658)."""
    server: FileServer = current_app.extensions["file_server"]
    try:
        name = normalized(project)
        if name != project:
            raise UnknownFile(filename)  # no page leads there; upstreams would learn a private name by its spelling
        answering = who_answers(services(), this_index(), identity(), Permission.DOWNLOAD, name)
        answer = server.answer(request.method, answering, name, filename, request.environ)
    except UnknownProject as error:
        raise UnknownFile(filename) from error
    response = Response(answer.body, answer.status, list(answer.headers), direct_passthrough=True)
    response.automatically_set_content_length = False
    return response


@blueprint.get("/simple/<project>/<filename>")
@requires(Permission.DOWNLOAD, project="project")
def download_beside_page(project: str, filename: str) -> Response:
    """The same, where an older server had it."""
    return download(project=project, filename=filename)
