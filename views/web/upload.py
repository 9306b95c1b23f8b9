"""Uploading in the browser: the page, what its script asks of each file, and the form, which may have several files.

``POST /upload`` takes no cookie, so that nothing a browser holds uploads by itself; this form goes elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from distributions.claims import Claim
from distributions.filenames import EXTENSIONS, LEGACY_EXTENSIONS, parse_filename
from errors import InvalidRequest, Refusal, shown
from permissions import Permission
from views import services, this_index
from views.errors import status_of, wants_html
from views.forms import ReceivedFile, UploadForm, read_files
from views.guards import asked_anew, identity, must, requires
from views.upload import draining, must_be_possible, publish, sentence_of
from views.web import blueprint
from views.web.forms import FIELD, must_be_token, token_in_stream
from views.web.upload_tools import access_with, tools_for
from views.web.words import size_words, tag_words


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: published, unchanged or refused, in words. ``url`` is the release's page."""

    filename: str
    outcome: str
    sentence: str
    status: int = 200
    release: str = ""
    url: str = ""
    warnings: tuple[str, ...] = ()

    @classmethod
    def refused(cls, filename: str, refusal: Refusal) -> Outcome:
        """A file that was not taken."""
        return cls(filename, "refused", refusal.sentence, status_of(refusal))


@blueprint.get("/upload")
@requires(Permission.UPLOAD)
def upload() -> Response:
    """The form, and how the tools upload."""
    return _page()


@blueprint.get("/upload/files")
@requires(Permission.UPLOAD)
def upload_again() -> AnyResponse:
    """To the form, for who comes back to the address that it is sent to."""
    return redirect(url_for("web.upload"), 302)


# A session is enough: what is asked to be proved anew gives rights that outlast the session, and an upload gives none.
@blueprint.post("/upload/files")
@requires(Permission.UPLOAD, asked_inside=True)  # a refusal lets the browser finish sending
@token_in_stream
def upload_files() -> Response:
    """Take the files of the form, one after the other; a page for people, JSON for the page's script."""
    with draining():
        must(Permission.UPLOAD)
        must_be_possible()
    outcomes = list(_outcomes())
    if not outcomes:
        raise InvalidRequest("No file was chosen; choose one or several, then upload.")
    taken = any(outcome.outcome != "refused" for outcome in outcomes)
    status = 200 if taken else outcomes[0].status
    if wants_html():
        return _page(outcomes, status)
    response = jsonify(files=[asdict(outcome) for outcome in outcomes])
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/upload/check")
@requires(Permission.UPLOAD)
def check_upload() -> Response:
    """What can be said of a file by its ``filename`` and ``size`` before it is sent.

    The answer is 200 also for a file that would be refused: the question was answered.
    """
    filename = request.args.get("filename", "")
    answer: dict[str, Any] = {"filename": filename, "takes": False, "facts": "", "sentence": ""}
    try:
        parsed = parse_filename(filename, accept_legacy=services().settings.accept_legacy_sdists)
        must(Permission.UPLOAD, parsed.project)  # first: what is there is told to nobody else
        size = _size_of(request.args.get("size", ""))
        answer["facts"] = f"{parsed.project} {parsed.version} · {_kind(filename)} · {size_words(size)}"
        taken = services().manager.foresee(this_index().name, parsed, size)
    except Refusal as refusal:
        answer["sentence"] = refusal.sentence
    else:
        answer |= {"takes": True, "sentence": _of_taken(is_taken=taken is not None)}
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def _kind(filename: str) -> str:
    return f"wheel for {tag_words(filename)}" if filename.endswith(".whl") else "source distribution"


def _of_taken(*, is_taken: bool) -> str:
    if not is_taken:
        return ""
    if services().settings.overwrite:
        return "A file of this name is here; other contents will take its place."
    return "A file of this name is here: the same contents change nothing, other contents will be refused."


def _size_of(text: str) -> int:
    """A file's size in bytes. Raises InvalidRequest."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidRequest(f"{shown(text)} is not a size in bytes; say how many the file has.")
    return int(text)


def _outcomes() -> Iterator[Outcome]:
    """What becomes of each file of the form. Raises what is wrong with the form, unless a file came before that."""
    here, is_first = services(), True
    try:
        with draining():
            for received in read_files(request.environ, here.manager, here.settings.max_file_size, _admit):
                is_first = False
                yield _published(received)
    except Refusal as refusal:
        if is_first:
            raise
        yield Outcome.refused("the rest of the form", refusal)


def _admit(form: UploadForm) -> None:
    """Refuse a form without the token, before a byte of its files is kept.

    The token is a field that stands before the files: browsers send a form's fields in the order of the page, so the
    same form serves with scripts and without. In the address it would be safe from other sites, too, but not from logs,
    the history, and who looks over a shoulder; a header would leave out browsers without scripts.
    """
    must_be_token(form.one(FIELD))


def _published(received: ReceivedFile) -> Outcome:
    if received.incoming is None or received.refusal is not None:
        return Outcome.refused(received.filename, received.refusal or InvalidRequest("The file did not come."))
    try:
        published = publish(received.incoming, Claim(received.filename), asked_anew)
    except Refusal as refusal:
        return Outcome.refused(received.filename, refusal)
    return Outcome(
        received.filename,
        "published" if published.changed else "unchanged",
        sentence_of(published),
        release=f"{published.project} {published.version}",
        url=url_for("web.release", name=published.project, version=published.version),
        warnings=published.warnings,
    )


def _page(outcomes: list[Outcome] | None = None, status: int = 200) -> Response:
    settings = services().settings
    extensions = EXTENSIONS + (LEGACY_EXTENSIONS if settings.accept_legacy_sdists else ())
    page = render_template(
        "upload.html",
        outcomes=outcomes or [],
        largest=settings.max_file_size,
        accept=",".join(sorted({f".{extension.rpartition('.')[2]}" for extension in extensions})),
        overwrite=settings.overwrite,
        uploads_as=identity().username,
        auth_enabled=settings.auth_enabled,
        tools=tools_for(access_with()),
    )
    return make_response(page, status)
