"""``POST /upload``, and the same at ``/legacy/``, ``/simple/`` and ``/``: the legacy upload API.

The body goes piece by piece from the socket to the store's own file system; the form's fields are small and bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, request
from packaging.utils import NormalizedName

from database.publishers import PublisherRow
from database.rights import ground
from distributions import attestations
from distributions.claims import Claim
from distributions.filenames import parse_filename
from errors import Forbidden, Gone, InvalidRequest, NotAuthenticated, TooLarge, UnsupportedMedia, shown
from identities import place_of
from indexes.assembly import IndexServices
from package_manager import Published, Uploader
from permissions import Identity, Permission, allows, why_not
from storage import Incoming
from views import services, this_index, xmlrpc
from views.forms import UploadForm, drain, read_form
from views.guards import actor, by_header, identity, must, requires
from views.xmlrpc import is_xmlrpc

blueprint = Blueprint("upload", __name__)

_EXPLAINED = {"submit", "submit_pkg_info", "verify"}
_DRAINED_AT_MOST = 64 << 20
_FORM_SLACK = 20 << 20


@blueprint.post("/upload", endpoint="upload")
@blueprint.post("/upload/", endpoint="upload")
@blueprint.post("/legacy", endpoint="upload")
@blueprint.post("/legacy/", endpoint="upload")
@blueprint.post("/simple/", endpoint="upload")
@blueprint.post("/", endpoint="upload")
@requires(Permission.UPLOAD, asked_inside=True)  # a refusal lets the client finish sending
def upload() -> Any:
    """Take one distribution."""
    if is_xmlrpc(request):
        return xmlrpc.answer()  # `pip search --index` posts to whatever address it is given
    with draining():
        must(Permission.UPLOAD)
        must_be_possible()
        form = read_form(request.environ, services().manager, services().settings.max_file_size)
    with form:
        return _act(form)


@contextmanager
def draining() -> Iterator[None]:
    """Read the rest of the body after a refusal: most clients show an answer only after they have sent everything."""
    try:
        yield
    except Exception:
        drain(request.environ, _DRAINED_AT_MOST)
        raise


def _act(form: UploadForm) -> Response:
    action = form.one(":action") or request.args.get(":action") or "file_upload"
    if action == "doc_upload":
        raise Gone("Documentation is not hosted here; link to it from the project's metadata.")
    if action in _EXPLAINED:
        return _said("Nothing needs to be registered before it is uploaded; the metadata is taken from the files.")
    if action != "file_upload":
        raise InvalidRequest(f"The action {shown(action)} is not known; upload with :action=file_upload.")
    if form.one("protocol_version") not in {None, "1"}:
        raise InvalidRequest("The protocol_version is not known; send 1, or leave it out.")
    if form.incoming is None or form.filename is None:
        raise InvalidRequest("The upload has no file; send it in the field 'content'.")
    published = publish(form.incoming, claim_of(form, form.filename), by_header)
    warnings = "".join(f"Warning: {warning}\n" for warning in published.warnings)
    return _said(sentence_of(published), warnings)


def publish(incoming: Incoming, claim: Claim, ask: Callable[[], Identity]) -> Published:
    """Publish a received file in the asker's name; ``ask`` finds out anew who that is, and raises as guards do.

    Raises as ``PackageManager.publish`` does.
    """
    return services().manager.publish(
        this_index().name, incoming, claim, uploader=_uploader(claim.filename, ask), by=actor()
    )


def sentence_of(published: Published) -> str:
    """What became of an upload, for a person."""
    if not published.changed:
        return f"{published.filename} is here already with the same contents; nothing was changed."
    return f"{published.filename} was published as {published.project} {published.version}."


def _uploader(filename: str, ask: Callable[[], Identity]) -> Uploader:
    """The asker, whose right to the project is asked again within the transaction that lists the file: it may have
    ended, or the project may have become another's, while the body came.
    """

    def permit(connection: Any, project: NormalizedName) -> None:
        must_take(connection, ask(), this_index(), project)

    publisher = _publisher(filename)
    owner = publisher.created_by if publisher is not None else None if identity().by_pair else identity().username
    attested_as = services().publishers.attested_as(publisher) if publisher and attestations.available() else None
    return Uploader(permit, owner if services().settings.auth_first_upload_owns else None, attested_as)


def must_take(connection: Any, asker: Identity, index: IndexServices, project: NormalizedName) -> None:
    """Refuse who may not upload to a project as it is within a transaction. Raises NotAuthenticated, Forbidden."""
    place = place_of(index.name, project, ground(connection, index.name, project), closed=index.is_closed)
    if allows(asker, Permission.UPLOAD, place):
        return
    if not asker.is_known and services().settings.auth_enabled:
        raise NotAuthenticated(f"Uploading {project} needs a login; send a username and password, or a token.")
    raise Forbidden(why_not(asker, Permission.UPLOAD, place))


def _publisher(filename: str) -> PublisherRow | None:
    """The trusted publisher that uploads this file; None for anybody else. Raises InvalidFilename."""
    asker = identity()
    if asker.publisher is None or asker.token is None:
        return None
    return services().readers.publishers.of_token(asker.token, parse_filename(filename).project)


def claim_of(form: UploadForm, filename: str) -> Claim:
    """What the form says of its file. Metadata beyond it is not believed: it is read from the file."""
    return Claim(
        filename=filename,
        name=form.one("name"),
        version=form.one("version"),
        filetype=form.one("filetype"),
        pyversion=form.one("pyversion"),
        sha256=form.one("sha256_digest"),
        md5=form.one("md5_digest"),
        blake2b=form.one("blake2_256_digest"),
        requires_python=form.one("requires_python"),
        requires_dist=form.many("requires_dist"),
        attestations=form.one("attestations"),
        comment=form.one("comment") or "",
    )


def _said(sentence: str, more: str = "") -> Response:
    response = Response(f"{sentence}\n{more}", 200, {"Cache-Control": "no-store"})
    response.content_type = "text/plain; charset=utf-8"
    return response


def must_be_possible() -> None:
    """What can be refused before the body is read. Raises UnsupportedMedia, TooLarge."""
    coding = request.headers.get("Content-Encoding", "identity").lower()
    if coding not in {"identity", ""}:
        raise UnsupportedMedia("Upload bodies are not taken in a content coding; send the form as it is.")
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia("An upload is a multipart/form-data form with the file in the field 'content'.")
    largest = services().settings.max_file_size
    length = request.content_length
    if length is not None and length > largest + _FORM_SLACK:
        raise TooLarge(f"The upload has {length:,} bytes; a file here may have {largest:,}.")
