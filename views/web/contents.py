"""The page of one file: what it is, what is inside it, and the text of what is inside."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from packaging.utils import NormalizedName

from distributions.archives import Member
from distributions.code_colours import Piece, pieces
from distributions.contents import Contents, Excerpt
from distributions.texts import as_text, hides, lines_of, visible
from errors import InvalidArchive, NotFound, shown
from permissions import Permission, allows
from simple.model import ProjectDetail
from simple.sources import FileRecord
from views import this_index
from views.contents import LARGEST_SHOWN, reader, stored_file
from views.guards import identity, must, project_named, requires, where
from views.releases import release_named
from views.simple import normalized
from views.web import blueprint
from views.web.project_frame import frame_of, moved, page_files
from views.web.search import page_number
from views.web.tree import crumbs_of, tree_of

MOST_LINES: Final = 10_000


@dataclass(frozen=True, slots=True)
class ShownText:
    """The text of a member as its page shows it; ``more`` is whether some of it is left out."""

    lines: list[str]
    encoding: str
    more: bool
    hides: bool


@blueprint.get("/project/<name>/<version>/files/<filename>")
@requires(Permission.LIST, project="name")
def file(name: str, version: str, filename: str) -> ResponseReturnValue:
    """A file's facts, for whoever may list; and what is inside it, for whoever may download."""
    path = request.args.get("path", "")
    if path:
        must(Permission.DOWNLOAD, project_named(name))
    known = normalized(name)
    detail = this_index().catalogue.project_detail(known)
    if not detail.status.offers_files:
        return redirect(url_for("web.project", name=known), 302)
    record = stored_file(known, version, filename)
    if (name, version) != (known, record.version):
        return moved(url_for("web.file", name=known, version=record.version, filename=filename))
    if not may_download(known):
        return _page(detail, record, None, "")
    try:
        contents = reader().contents(record)
    except InvalidArchive as refusal:
        return _page(detail, record, None, refusal.sentence)
    return _member(detail, record, contents, path) if path else _page(detail, record, contents, "")


def may_download(project: NormalizedName) -> bool:
    """Whether the asker may have a project's files."""
    return allows(identity(), Permission.DOWNLOAD, where(Permission.DOWNLOAD, project))


def _page(detail: ProjectDetail, record: FileRecord, contents: Contents | None, fault: str) -> str:
    frame = frame_of(detail, "web.files", release_named(detail.name, record.version))
    files = page_files(detail, frame.version, frame.proven)
    return render_template(
        "file.html",
        frame=frame,
        detail=detail,
        record=record,
        one=next(one for one in files if one.file.filename == record.filename),
        contents=contents,
        fault=fault,
        tree=tree_of(contents.members, page=page_number()) if contents else None,
    )


def _member(detail: ProjectDetail, record: FileRecord, contents: Contents, path: str) -> str:
    """A member of the archive, or a folder in it. Raises NotFound."""
    member = next((one for one in contents.members if one.name == path), None)
    if member is None:
        folder = path.rstrip("/") + "/"
        tree = tree_of(contents.members, folder, page_number())
        if tree.files:
            return render_template(
                "folder.html", detail=detail, record=record, path=folder, crumbs_above=crumbs_of(folder), tree=tree
            )
        if not contents.omitted:
            raise NotFound(f"{shown(record.filename, 200)} holds no file {shown(path)}; its page lists those it has.")
    excerpt = None if member and member.target else reader().excerpt(record, path)
    return _member_page(detail, record, member or Member(path, excerpt.size if excerpt else 0), excerpt)


def _member_page(detail: ProjectDetail, record: FileRecord, member: Member, excerpt: Excerpt | None) -> str:
    text = shown_text(excerpt) if excerpt else None
    return render_template(
        "member.html",
        detail=detail,
        record=record,
        member=member,
        text=text,
        coloured=_coloured(record, member.name, text.lines) if text else [],
        crumbs_above=crumbs_of(member.name),
        limit=LARGEST_SHOWN,
        most_lines=MOST_LINES,
    )


def _coloured(record: FileRecord, name: str, lines: list[str]) -> list[list[Piece]]:
    """The lines of a member, each in pieces of one colour."""
    runs = reader().colours(record, name, lines)
    return [list(pieces(line, found)) for line, found in zip(lines, chain(runs, repeat("")), strict=False)]


def shown_text(excerpt: Excerpt) -> ShownText | None:
    """An excerpt as lines in which nothing is hidden; None for binary data."""
    is_cut = excerpt.size > len(excerpt.data)
    text = as_text(excerpt.data, is_cut=is_cut)
    if text is None:
        return None
    lines = lines_of(text.text)
    kept = lines[:MOST_LINES]
    return ShownText(
        [visible(line) for line in kept],
        text.encoding,
        is_cut or len(lines) > len(kept),
        any(hides(line) for line in kept),
    )
