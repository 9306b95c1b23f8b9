"""The administration of indexes: which there are, who reads them, and whose projects they give out beside their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from database.indexes import SERVER, KeptRow
from errors import InvalidRequest, Refusal
from indexes.documents import upstreams_of
from indexes.manager import MODES, NewUpstream
from indexes.upstream_urls import apart
from indexes.upstreams import OF_SETTINGS
from permissions import MAIN, Permission
from views import services
from views.errors import status_of
from views.guards import actor, requires
from views.web import blueprint
from views.web.choosing import index_names
from views.web.teams import REFUSALS, said

_CREDENTIALS: Final = re.compile(r"//[^/]*@")
_MOST_FIELDS: Final = 20  # of upstreams in one form, as many as an index may have


@dataclass(frozen=True, slots=True)
class UpstreamField:
    """An upstream as its part of the form shows it. ``number`` tells the parts apart; the last one is for a new one."""

    number: int
    url: str = ""
    mode: str = "cache"
    username: str = ""
    has_password: bool = False
    allow_private: bool = False


# -- all of them


@blueprint.get("/admin/indexes")
@requires(Permission.ADMIN)
def indexes() -> Response:
    """Every index, the form for a new one, and the names that are kept on all of them."""
    return _list_page()


@blueprint.post("/admin/indexes")
@requires(Permission.ADMIN, proved=True)
def create_index() -> AnyResponse:
    """Make an index."""
    name = said("name")
    try:
        services().indexes.create(name, said("title"), closed=said("closed") != "no", by=actor())
    except REFUSALS as refusal:
        return _list_page(refusal, "new")
    flash(f"The index {name} is there, at /index/{name}/.")
    return _to_index(name)


@blueprint.post("/admin/kept")
@requires(Permission.ADMIN, proved=True)
def keep_everywhere() -> AnyResponse:
    """Keep names on every index, or let others answer for them again."""
    try:
        _keep_or_release(SERVER)
    except REFUSALS as refusal:
        return _list_page(refusal, "kept")
    return redirect(url_for("web.indexes"), 303)


def _list_page(refusal: Refusal | None = None, place: str = "") -> Response:
    page = render_template(
        "admin/indexes.html",
        indexes=[(one.row, one.catalogue.stats(), _upstreams(one.name)) for one in services().registry.all().values()],
        has_accounts=services().settings.auth_enabled,
        kept=_kept(SERVER),
        sentence=refusal.sentence if refusal else "",
        where=place,
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)


# -- one of them


@blueprint.get("/admin/indexes/<name>")
@requires(Permission.ADMIN)
def index(name: str) -> Response:
    """One index: what it is called, who reads it, its bases, upstreams and kept names."""
    return _index_page(name)


@blueprint.post("/admin/indexes/<name>")
@requires(Permission.ADMIN, proved=True)
def change_index(name: str) -> AnyResponse:
    """Set an index's title, and who reads it."""
    closed = None if name == MAIN else said("closed") != "no"
    try:
        services().indexes.change(name, title=said("title"), closed=closed, by=actor())
    except REFUSALS as refusal:
        return _index_page(name, refusal, "what")
    flash(f"The index {name} is as you said.")
    return _to_index(name)


@blueprint.post("/admin/indexes/<name>/bases")
@requires(Permission.ADMIN, proved=True)
def set_bases(name: str) -> AnyResponse:
    """Say whose projects an index gives out, too, in which order."""
    bases = [base for base in request.form.getlist("base") if base]
    try:
        services().indexes.set_bases(name, bases, by=actor())
    except REFUSALS as refusal:
        return _index_page(name, refusal, "bases")
    flash(f"The bases of {name}: {', '.join(bases) or 'none'}.")
    return _to_index(name)


@blueprint.post("/admin/indexes/<name>/upstreams")
@requires(Permission.ADMIN, proved=True)
def set_upstreams(name: str) -> AnyResponse:
    """Say from where an index takes what nobody here has, in which order."""
    try:
        wanted = _upstreams_said()
        services().indexes.set_upstreams(name, wanted, by=actor())
    except REFUSALS as refusal:
        return _index_page(name, refusal, "upstreams")
    flash(f"The upstreams of {name}: {', '.join(one.url for one in wanted) or 'none'}.")
    return _to_index(name)


@blueprint.post("/admin/indexes/<name>/kept")
@requires(Permission.ADMIN, proved=True)
def keep_names(name: str) -> AnyResponse:
    """Keep names on an index, or let others answer for them again."""
    try:
        _keep_or_release(name)
    except REFUSALS as refusal:
        return _index_page(name, refusal, "kept")
    return _to_index(name)


@blueprint.post("/admin/indexes/<name>/delete")
@requires(Permission.ADMIN, proved=True)
def delete_index(name: str) -> AnyResponse:
    """Delete an index that holds nothing, after its name was typed."""
    try:
        if said("typed") != name:
            raise InvalidRequest(f"That is not the index's name, so nothing was done; type {name} to go on.")
        services().indexes.delete(name, by=actor())
    except REFUSALS as refusal:
        return _index_page(name, refusal, "delete")
    flash(f"The index {name} is no more.")
    return redirect(url_for("web.indexes"), 303)


def _upstreams_said() -> list[NewUpstream]:
    """Those of the form in the order of their places; one without an address is left out. Raises InvalidRequest."""
    found = []
    for number in range(_MOST_FIELDS + 1):
        if not said(f"url-{number}"):
            continue
        url, username, password = apart(said(f"url-{number}"))
        username = said(f"username-{number}") or username
        password = request.form.get(f"password-{number}") or password
        new = NewUpstream(
            url, said(f"mode-{number}"), username,
            password if password or username else "",  # nothing typed keeps the password that there is
            f"allow_private-{number}" in request.form,
        )  # fmt: skip
        found.append((_place_said(number), number, new))
    return [new for _, _, new in sorted(found, key=lambda one: one[:2])]


def _fields_said() -> list[UpstreamField]:
    """The parts of the form as they were sent, without passwords."""
    form = request.form
    return [
        UpstreamField(
            number, _CREDENTIALS.sub("//", said(f"url-{number}")), said(f"mode-{number}"), said(f"username-{number}"),
            allow_private=f"allow_private-{number}" in form,
        )
        for number in range(_MOST_FIELDS)
        if f"url-{number}" in form
    ]  # fmt: skip


def _place_said(number: int) -> int:
    text = said(f"place-{number}")
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise InvalidRequest("A place is a number from 1 on: the upstream of the lowest is asked first.")
    return int(text)


def _keep_or_release(index_name: str) -> None:
    """Do what the form asks for, and say so. Raises InvalidRequest, UnknownIndex, NotFound."""
    pattern, manager = said("pattern"), services().indexes
    if said("do") == "release":
        manager.release(index_name, pattern, by=actor())
        flash(f"Bases and upstreams may answer for {pattern} again.")
    elif manager.keep(index_name, pattern, by=actor()):
        flash(f"Nobody else is asked for {pattern}.")
    else:
        flash(f"{pattern} was kept already; nothing changed.")


def _kept(index_name: str) -> list[KeptRow]:
    return [row for row in services().indexes.rows.kept() if row.index == index_name]


def _upstreams(name: str) -> list[str]:
    """The addresses of an index's upstreams, that of the settings among them."""
    return [one.url for one in upstreams_of(services().at(name).row, services().settings)]


def _to_index(name: str) -> AnyResponse:
    return redirect(url_for("web.index", name=name), 303)


def _index_page(name: str, refusal: Refusal | None = None, place: str = "") -> Response:
    here = services()
    found = here.at(name)
    row = found.row
    upstreams = [
        UpstreamField(number, one.url, one.mode, one.username, bool(one.sealed_password), one.allow_private)
        for number, one in enumerate(row.upstreams)
    ]
    page = render_template(
        "admin/index.html",
        index=row,
        stats=found.catalogue.stats(),
        others=[other for other in index_names() if other != name],
        bases=request.form.getlist("base") if place == "bases" else [*row.bases, ""],
        fields=_fields_said() if place == "upstreams" else [*upstreams, UpstreamField(len(upstreams))][:_MOST_FIELDS],
        of_settings=[one for one in upstreams_of(row, here.settings) if one.id == OF_SETTINGS],
        modes=MODES,
        kept=_kept(name),
        users=[one.name for one in here.indexes.rows.all() if name in one.bases],
        has_accounts=here.settings.auth_enabled,
        sentence=refusal.sentence if refusal else "",
        where=place,
        said=request.form,
    )
    return make_response(page, status_of(refusal) if refusal else 200)
