"""Feeds of what is new (Atom): releases of all projects or of one, and projects."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, request
from packaging.utils import NormalizedName
from packaging.version import Version

from database import feeds
from database.feeds import NewProject, NewRelease
from permissions import Permission
from simple.conditional import matches_none
from views import atom, services, this_index
from views.atom import Feed, FeedEntry
from views.guards import is_for_everybody, requires
from views.simple import moved, normalized
from views.web.urls import absolute, own_url

blueprint = Blueprint("feeds", __name__)

MOST_ENTRIES: Final = 50
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@blueprint.get("/feeds/releases.atom")
@requires(Permission.LIST)
def releases() -> Response:
    """The newest releases of all projects."""
    news = feeds.newest_releases(services().database, this_index().name, MOST_ENTRIES)
    entries = [_of_release(one, news.since) for one in news.items]
    return _answer(
        Feed(
            id=_id(news.since, "releases"),
            title=f"New releases on {_host()}",
            url=absolute("feeds.releases"),
            page=absolute("web.home"),
            updated=news.changed,
            entries=entries,
        )
    )


@blueprint.get("/feeds/projects.atom")
@requires(Permission.LIST)
def projects() -> Response:
    """The newest projects."""
    news = feeds.newest_projects(services().database, this_index().name, MOST_ENTRIES)
    entries = [_of_project(one, news.since) for one in news.items]
    return _answer(
        Feed(
            id=_id(news.since, "projects"),
            title=f"New projects on {_host()}",
            url=absolute("feeds.projects"),
            page=absolute("web.search"),
            updated=news.changed,
            entries=entries,
        )
    )


@blueprint.get("/feeds/projects/<name>/releases.atom")
@requires(Permission.LIST, project="name")
def project_releases(name: str) -> Response:
    """The newest releases of one project. Another spelling of its name is sent to the normalized one."""
    project = normalized(name)
    if project != name:
        return moved(f"../{project}/releases.atom")
    news = feeds.newest_releases(services().database, this_index().name, MOST_ENTRIES, project)
    entries = [_of_release(one, news.since) for one in news.items]
    return _answer(
        Feed(
            id=_id(news.since, "releases", project),
            title=f"Releases of {news.items[0].display_name if news.items else project} on {_host()}",
            url=absolute("feeds.project_releases", name=project),
            page=absolute("web.project", name=project),
            updated=news.changed,
            entries=entries,
        )
    )


def _of_release(one: NewRelease, since: datetime) -> FeedEntry:
    marks = ["pre-release"] if Version(one.version).is_prerelease else []
    summary, title = one.summary, f"{one.display_name} {one.version}"
    if one.yanked is not None:
        marks.append("yanked")
        title += " (yanked)"
        summary = f"Yanked: {one.yanked or 'no reason was given'}. {summary}".rstrip()
    return FeedEntry(
        id=_id(since, "release", NormalizedName(one.project), one.key),
        title=title,
        url=absolute("web.release", name=one.project, version=one.version),
        published=one.created,
        updated=one.updated,
        summary=summary,
        author=one.uploader,
        categories=tuple(marks),
    )


def _of_project(one: NewProject, since: datetime) -> FeedEntry:
    return FeedEntry(
        id=_id(since, "project", NormalizedName(one.name)),
        title=one.display_name,
        url=absolute("web.project", name=one.name),
        published=one.created,
        updated=one.created,
        summary=one.summary,
    )


def _id(since: datetime, kind: str, *names: str) -> str:
    """The lasting name of a thing (RFC 4287, 4.2.6), made of what it is and of the index that holds it, and not of the
    address at which the server happens to be asked. The index is told from others by the moment when it was made.
    """
    index = uuid.uuid5(uuid.NAMESPACE_OID, f"pypi-clone {this_index().name} {since.isoformat()}")
    return uuid.uuid5(index, " ".join((kind, *names))).urn


def _host() -> str:
    return own_url().partition("://")[2]


def _answer(feed: Feed) -> Response:
    body = atom.draw(feed)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    is_public = is_for_everybody(Permission.LIST)
    headers = {
        **_HEADERS,
        "ETag": etag,
        "Cache-Control": "no-cache" if is_public else "private, no-cache",
        **({} if is_public else {"Vary": "Authorization, Cookie"}),
    }
    if matches_none(request.headers.get("If-None-Match"), etag):
        return Response(status=304, headers=headers)
    return Response(body, 200, headers, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")
