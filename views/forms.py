"""Reading an upload form as it arrives: the files to the store, the fields within bounds (RFC 7578)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from errors import InvalidRequest, Refusal, TooLarge, shown
from package_manager import PackageManager
from storage import Incoming

_PIECE = 1 << 18
_MOST_PARTS = 10_000
_LONGEST_LF_FORM = 1 << 20
_LONGEST_FIELD = 8 << 20
_LONGEST_FIELDS = 16 << 20
_FILES = {"content", "gpg_signature"}
# Clients disagree on singular and plural; the name that is asked for stands on the right.
_SPELLINGS = {"requires_dists": "requires_dist", "classifier": "classifiers", "project_url": "project_urls"}


@dataclass(slots=True)
class UploadForm:
    """What a form says: its fields, and the file of its ``content`` part. Leaving the block drops an unused file."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    filename: str | None = None
    incoming: Incoming | None = None

    def one(self, name: str) -> str | None:
        """The value of a single-use field; None for one that is empty, UNKNOWN or absent. Raises InvalidRequest."""
        values = self.many(name)
        if len(values) > 1:
            raise InvalidRequest(f"The field {shown(name)} is given {len(values)} times; give it once.")
        return values[0] if values else None

    def many(self, name: str) -> tuple[str, ...]:
        """The values of a field that may come several times."""
        return tuple(value for value in self.fields.get(name, ()) if value.strip() not in {"", "UNKNOWN"})

    def __enter__(self) -> UploadForm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    def drop(self) -> None:
        """Leave nothing of the file behind, unless it was published."""
        if self.incoming is not None:
            self.incoming.__exit__(None, None, None)
            self.incoming = None


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """One of several files of a form: its bytes, or why they were not taken."""

    filename: str
    incoming: Incoming | None
    refusal: Refusal | None = None


def read_form(environ: dict[str, Any], manager: PackageManager, largest_file: int) -> UploadForm:
    """The form of a request. Raises InvalidRequest, TooLarge, StorageFull, StorageFailed; nothing is left then."""
    form = UploadForm()
    reader = _Reader(form, manager, largest_file)
    try:
        for event in _events(environ):
            reader.take(event)
    except BaseException:
        form.drop()
        raise
    return form


def read_files(
    environ: dict[str, Any], manager: PackageManager, largest_file: int, admit: Callable[[UploadForm], None]
) -> Iterator[ReceivedFile]:
    """The files of a form, each as its last byte comes; unless it was published, it is gone when the next is asked for.

    ``admit`` is asked once, with the fields that stand before the first file, and before a byte of it is kept; it
    refuses the form by what it raises. A file that cannot be taken comes with its refusal, and the next ones go on.
    Raises InvalidRequest and TooLarge for the form itself.
    """
    form = UploadForm()
    reader = _FilesReader(form, manager, largest_file, admit)
    try:
        for event in _events(environ):
            reader.take(event)
            if event is None and reader.is_content and form.filename:
                yield ReceivedFile(form.filename, form.incoming, reader.refusal)
                form.drop()
        reader.ask()
    finally:
        form.drop()


def _events(environ: dict[str, Any]) -> Iterator[MultipartSegment | bytearray | None]:
    """The beginnings, pieces and ends (None) of a body's parts. Raises InvalidRequest, TooLarge."""
    _, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    boundary = options.get("boundary")
    if not boundary or len(boundary) > 200 or not re.fullmatch(r"[ -~]+", boundary):
        raise InvalidRequest("The Content-Type has no sound multipart boundary; send the form as clients do.")
    parser = PushMultipartParser(
        boundary, max_header_size=8192, max_header_count=16, max_segment_count=_MOST_PARTS, strict=False
    )
    try:
        for piece in _with_crlf(_pieces(environ), boundary.encode()):
            yield from parser.parse(piece)
    except ParserLimitReached as error:
        raise TooLarge("The form has too many or too large parts; send the file and its metadata only.") from error
    except MultipartError as error:
        raise InvalidRequest(f"The upload body is not a sound form ({error}); upload again.") from error
    try:
        parser.close()
    except MultipartError as error:
        raise InvalidRequest(
            "The upload body ended early: its closing multipart boundary is missing; upload again."
        ) from error


class _Reader:
    """Fills a form from a stream of segments and pieces. ``is_content``: the part at hand is a file to be published."""

    def __init__(self, form: UploadForm, manager: PackageManager, largest_file: int) -> None:
        self.is_content = False
        self._form = form
        self._manager = manager
        self._largest_file = largest_file
        self._name = ""
        self._value = bytearray()
        self._fields_size = 0

    def take(self, event: MultipartSegment | bytearray | None) -> None:
        """Take the beginning, a piece or the end of a part."""
        if event is None:
            self._end()
        elif isinstance(event, MultipartSegment):
            self._begin(event)
        elif self.is_content:
            self._write(bytes(event))
        else:
            self._fields_size += len(event)
            if len(self._value) + len(event) > _LONGEST_FIELD or self._fields_size > _LONGEST_FIELDS:
                raise TooLarge(f"The field {shown(self._name)} is too long; a form's text may have 8 MiB a field.")
            self._value += event

    def _begin(self, segment: MultipartSegment) -> None:
        self._name = segment.name
        self._value.clear()
        self.is_content = False
        if segment.filename is None:
            return
        if segment.name not in _FILES:
            raise InvalidRequest(f"The field {shown(segment.name)} should be text, not a file; send it so.")
        if segment.name == "content":
            if self._form.incoming is not None:
                raise InvalidRequest("The form has two files; upload them one by one.")
            self.is_content = True
            self._form.filename = segment.filename
            self._form.incoming = self._manager.receive()

    def _write(self, piece: bytes) -> None:
        incoming = self._form.incoming
        if incoming is None:
            raise InvalidRequest("The form's file came before its name.")
        if incoming.size + len(piece) > self._largest_file:
            raise TooLarge(
                f"The file {shown(self._form.filename or '')} is larger than the {self._largest_file:,} bytes "
                "that a file may have here; an administrator can raise max_file_size."
            )
        incoming.write(piece)

    def _end(self) -> None:
        if self.is_content or self._name == "gpg_signature":
            return
        if self._name == "content":
            raise InvalidRequest("The field 'content' is text; send the file itself, with its filename.")
        try:
            text = self._value.decode()
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"The field {shown(self._name)} is not UTF-8 text; send it so.") from error
        if "\0" in text:
            raise InvalidRequest(f"The field {shown(self._name)} has a NUL character; leave it out.")
        name = _SPELLINGS.get(self._name, self._name)
        self._form.fields.setdefault(name, []).append(text)


class _FilesReader(_Reader):
    """Takes several files, one after the other; what is wrong with one of them is kept for it and ends no other."""

    def __init__(
        self, form: UploadForm, manager: PackageManager, largest_file: int, admit: Callable[[UploadForm], None]
    ) -> None:
        super().__init__(form, manager, largest_file)
        self.refusal: Refusal | None = None
        self._admit = admit
        self._is_admitted = False

    def ask(self) -> None:
        """Let the form be refused by what it has said so far, the first time. Raises what ``admit`` raises."""
        if not self._is_admitted:
            self._admit(self._form)
            self._is_admitted = True

    def take(self, event: MultipartSegment | bytearray | None) -> None:
        """The same as with one file."""
        if isinstance(event, MultipartSegment):
            self.refusal = None
            if event.filename is not None:
                self.ask()
        if self.refusal is not None:
            return  # the rest of a refused file
        try:
            super().take(event)
        except Refusal as refusal:
            if not self.is_content:
                raise
            self._form.drop()
            self.refusal = refusal


def _pieces(environ: dict[str, Any]) -> Iterator[bytes]:
    """The body, in pieces, up to its end: by its length, or by the server's word that the input ends with it."""
    source = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    left = float(length) if length else math.inf if environ.get("wsgi.input_terminated") else 0.0
    while left > 0 and (piece := source.read(int(min(_PIECE, left)))):
        left -= len(piece)
        yield piece


def drain(environ: dict[str, Any], at_most: int) -> None:
    """Read what the client still sends: most show an answer only after they have sent everything."""
    try:
        for piece in _pieces(environ):
            at_most -= len(piece)
            if at_most <= 0:
                return
    except (OSError, ValueError):
        return  # the client went away


def _with_crlf(pieces: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """The pieces; a form whose lines end in a bare LF, as distutils' ``register`` sends it, is put right first."""
    first = b""
    for piece in pieces:
        first += piece
        if len(first) > len(boundary) + 8:
            break
    if re.match(rb"\n?--" + re.escape(boundary) + rb"\n", first) is None:
        yield first
        yield from pieces
        return
    body = first
    for piece in pieces:
        body += piece
        if len(body) > _LONGEST_LF_FORM:
            raise TooLarge("A form with bare line feeds may have 1 MiB; send it with CRLF as RFC 7578 says.")
    for part in (b"\n" + body.lstrip(b"\n")).split(b"\n--" + boundary)[1:]:
        head, gap, value = part.partition(b"\n\n")
        yield b"\r\n--" + boundary + head.replace(b"\n", b"\r\n") + (b"\r\n\r\n" + value if gap else b"")
