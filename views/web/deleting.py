"""Deleting with a confirming step, undoing it, and what was deleted everywhere, for administrators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from packaging.utils import NormalizedName, canonicalize_name
from werkzeug.wrappers import Response as AnyResponse

from database.deletions import Deleted
from errors import Gone, InvalidRequest, Refusal, StorageFailed, UnknownFile
from permissions import Permission, allows
from simple.model import File
from views import services, this_index
from views.errors import status_of
from views.guards import actor, identity, requires
from views.paging import pages_of
from views.releases import release_named
from views.simple import normalized
from views.web import blueprint
from views.web.choosing import address_of_chosen, chosen_index, index_names
from views.web.project_settings import reason_said, settings_page
from views.web.search import page_number
from views.web.teams import REFUSALS, said
from views.web.words import count_words

_PER_PAGE = 50


@blueprint.get("/project/<name>/settings/delete")
@requires(Permission.DELETE, project="name")
def confirm_deletion(name: str) -> AnyResponse:
    """What would go, and the name to be typed."""
    return _confirm_page(normalized(name))


@blueprint.post("/project/<name>/settings/delete")
@requires(Permission.DELETE, project="name", proved=True)
def delete_from_project(name: str) -> AnyResponse:
    """Delete a project, a release or a file."""
    project = normalized(name)
    version, filename = _named(project)
    try:
        _must_be_typed(project)
        reason = reason_said()
    except InvalidRequest as refusal:
        return _confirm_page(project, refusal)
    taken = services().manager.delete(this_index().name, project, version, filename, reason=reason, by=actor())
    if taken.id is None:
        flash(f"{count_words(len(taken.filenames), 'file')} of {project} deleted.")
    return redirect(url_for("web.project_settings", name=project, deleted=taken.id), 303)


@blueprint.post("/project/<name>/settings/restore")
@requires(Permission.DELETE, project="name")
def restore_to_project(name: str) -> AnyResponse:
    """Undo a deletion, and go back to the page that it was asked on."""
    project, is_admins = normalized(name), said("from") == "admin" and allows(identity(), Permission.ADMIN)
    try:
        restored = services().manager.restore(this_index().name, project, said("deletion"), by=actor())
    except (*REFUSALS, Gone, StorageFailed) as refusal:
        return _deleted_page(refusal) if is_admins else settings_page(project, refusal, "deleted")
    flash(f"{count_words(len(restored), 'file')} of {project} restored.")
    return redirect(
        address_of_chosen("web.deleted") if is_admins else url_for("web.project_settings", name=project), 303
    )


def _must_be_typed(project: NormalizedName) -> None:
    if canonicalize_name(said("typed")) != project:
        raise InvalidRequest(f"That is not the project's name, so nothing was done; type {project} to go on.")


def _named(project: NormalizedName) -> tuple[str | None, str | None]:
    """The release and the file that the page is about, if it is not the project. Raises UnknownRelease."""
    version = request.values.get("version", "").strip() or None
    filename = request.values.get("filename", "").strip() or None
    if version is not None:
        version = release_named(project, version).version
    return version, filename


def _confirm_page(project: NormalizedName, refusal: Refusal | None = None) -> Response:
    version, filename = _named(project)
    here = services()
    files = [
        file for file in this_index().catalogue.project_detail(project).files if _is_meant(file, version, filename)
    ]
    if not files:
        raise UnknownFile(filename or "")
    days = here.settings.undo_days
    page = render_template(
        "confirm_deletion.html",
        name=project,
        version=version,
        filename=filename,
        owners=here.readers.rights.ground(this_index().name, project).owners,
        files=files,
        size=sum(file.size for file in files),
        until=datetime.now(UTC) + timedelta(days=days) if days else None,
        sentence=refusal.sentence if refusal else "",
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


def _is_meant(file: File, version: str | None, filename: str | None) -> bool:
    return version in {None, file.version} and filename in {None, file.filename}


# -- of every project


@blueprint.get("/admin/deleted")
@requires(Permission.ADMIN)
def deleted() -> Response:
    """What was deleted and can be restored, newest first."""
    return _deleted_page()


@blueprint.get("/admin/deleted/<deletion>/purge")
@requires(Permission.ADMIN)
def confirm_purge(deletion: str) -> Response:
    """What would go for good, and the name to be typed."""
    return _purge_page(chosen_index().deletions.one(None, deletion))


@blueprint.post("/admin/deleted/<deletion>/purge")
@requires(Permission.ADMIN, proved=True)
def purge(deletion: str) -> AnyResponse:
    """Let what was deleted go for good."""
    found = chosen_index().deletions.one(None, deletion)
    try:
        _must_be_typed(found.project)
    except InvalidRequest as refusal:
        return _purge_page(found, refusal)
    purged = services().manager.purge(chosen_index().name, deletion, by=actor())
    flash(f"{count_words(len(purged), 'file')} of {found.project} gone for good.")
    return redirect(address_of_chosen("web.deleted"), 303)


def _deleted_page(refusal: Refusal | None = None) -> Response:
    page, total = page_number(), chosen_index().deletions.count()
    html = render_template(
        "admin/deleted.html",
        deleted=chosen_index().deletions.standing(limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE),
        days=services().settings.undo_days,
        total=total,
        page=page,
        pages=pages_of(total, _PER_PAGE),
        index=chosen_index().name,
        names=index_names(),
        sentence=refusal.sentence if refusal else "",
    )
    return make_response(html, status_of(refusal) if refusal else 200)


def _purge_page(found: Deleted, refusal: Refusal | None = None) -> Response:
    page = render_template(
        "admin/purge.html", one=found, index=chosen_index().name, sentence=refusal.sentence if refusal else ""
    )
    return make_response(page, status_of(refusal) if refusal else 200)
