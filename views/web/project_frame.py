"""What every page of a project has in common: its head, its notes and its tabs (``project_base.html``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from flask import redirect, request, url_for
from packaging.utils import NormalizedName
from packaging.version import Version
from werkzeug.wrappers import Response

from database.catalogue import ReleaseDetail, provenance_path
from errors import UnknownProject
from permissions import MAIN, Permission, Where, allows
from simple.legacy_json import project_latest, reason_of
from simple.model import ProjectDetail, ProjectStatus
from views import this_index
from views.guards import identity, where
from views.promoting import targets
from views.releases import latest_release, release_named
from views.simple import normalized
from views.web.origin import Origin, origin_of
from views.web.release import Attested, PageFile, files_of


class _Kind(NamedTuple):
    """A tab: its view, its words, whether its address names a release, and the rights of which one is needed for it."""

    endpoint: str
    label: str
    of_release: bool = False
    needs: frozenset[str] = frozenset()


# In this order.
_TABS: Final = (
    _Kind("web.project", "Description"),
    _Kind("web.history", "Release history"),
    _Kind("web.files", "Files", of_release=True),
    _Kind("web.dependencies", "Dependencies", of_release=True),
    _Kind("web.project_statistics", "Statistics"),
    _Kind("web.project_settings", "Settings", needs=frozenset({"delete", "manage"})),
    _Kind("web.publishing", "Publishing", needs=frozenset({"manage"})),
)
_IN_QUARANTINE: Final = ("web.project", "web.project_settings", "web.publishing")


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: ``current`` is "page" for the page itself, "true" for one below it, else ""."""

    label: str
    url: str
    current: str


@dataclass(frozen=True, slots=True)
class ProjectFrame:
    """The head of a project's pages.

    ``version`` is the release that is shown, "" where none may be; ``of_release`` says that the page is about it, not
    about the whole project. ``place`` has the facts about the name, and ``may`` is what the asker may change there
    (``rights_on``). ``yanked`` is the reason of a yanked release, perhaps empty, else None. ``proven`` is what was
    verified of the attestations of its files, by filename; ``is_attested``: each of them has such. ``origin`` is where
    its files come from, where that can be asked.
    """

    name: NormalizedName
    shown_name: str
    tabs: tuple[Tab, ...]
    place: Where
    may: frozenset[str]
    status: ProjectStatus = ProjectStatus.ACTIVE
    status_reason: str | None = None
    version: str = ""
    latest: str = ""
    summary: str = ""
    yanked: str | None = None
    is_prerelease: bool = False
    proven: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_attested: bool = False
    of_release: bool = False
    origin: Origin | None = None
    can_promote: bool = False

    @property
    def is_latest(self) -> bool:
        """Whether the release stands for the project."""
        return self.version == self.latest


def frame_of(detail: ProjectDetail, here: str, found: ReleaseDetail | None = None) -> ProjectFrame:
    """The frame of a page; ``here`` is the view of the tab that it belongs to, ``found`` the release that it is about.

    Without one it is about the project, and its head shows the latest release. Of a quarantined project nothing that
    came with its files is shown.
    """
    if not detail.status.offers_files:
        return _bare(detail.name, here, detail)
    latest, of_release = project_latest(detail), found is not None
    found = found or latest_release(detail)
    files = [file for file in detail.files if file.version == found.version]
    proven = this_index().catalogue.proven(detail.name, found.version)
    place = where(Permission.MANAGE, detail.name)
    may = _rights_at(place)
    kinds = _kinds(here, may)
    return ProjectFrame(
        name=detail.name,
        shown_name=detail.display_name or detail.name,
        tabs=tuple(_tab(kind, detail.name, found.version, latest, here) for kind in kinds),
        place=place,
        may=may,
        status=detail.status,
        status_reason=detail.status_reason,
        version=found.version,
        latest=latest,
        summary=str(found.metadata.get("summary") or ""),
        yanked=reason_of(files),
        is_prerelease=Version(found.version).is_prerelease,
        proven=proven,
        is_attested=all(file.filename in proven for file in files),
        of_release=of_release,
        origin=origin_of(detail.name),
        can_promote=of_release and bool(targets(detail.name)),
    )


def project_of_name(name: NormalizedName) -> ProjectDetail | None:
    """The project of a name; None where all its files were deleted, or none came yet."""
    try:
        return this_index().catalogue.project_detail(name)
    except UnknownProject:
        return None


def frame_of_name(name: NormalizedName, here: str, detail: ProjectDetail | None) -> ProjectFrame:
    """The frame of a page about a name, whether there is a project of it (``project_of_name``) or not."""
    return _bare(name, here) if detail is None else frame_of(detail, here)


def _bare(name: NormalizedName, here: str, detail: ProjectDetail | None = None) -> ProjectFrame:
    place = where(Permission.MANAGE, name)
    may = _rights_at(place)
    shown = _IN_QUARANTINE if detail else _IN_QUARANTINE[1:]
    kinds = [kind for kind in _kinds(here, may) if kind.endpoint in shown]
    tabs = tuple(_tab(kind, name, "", "", here) for kind in kinds)
    if detail is None:
        return ProjectFrame(name, name, tabs, place, may)
    shown_name = detail.display_name or name
    return ProjectFrame(name, shown_name, tabs, place, may, detail.status, detail.status_reason)


def _kinds(here: str, may: frozenset[str]) -> list[_Kind]:
    shown = [kind for kind in _TABS if not kind.needs or kind.needs & may or kind.endpoint == here]
    # Tokens of CI jobs are traded for those of main only.
    return [kind for kind in shown if kind.endpoint != "web.publishing" or this_index().name == MAIN]


def _tab(kind: _Kind, name: NormalizedName, version: str, latest: str, here: str) -> Tab:
    if kind.of_release:
        url = url_for(kind.endpoint, name=name, version=version)
    elif kind.endpoint == "web.project" and version != latest:
        url = url_for("web.release", name=name, version=version)
    else:
        url = url_for(kind.endpoint, name=name)
    if kind.endpoint != here:
        return Tab(kind.label, url, "")
    return Tab(kind.label, url, "page" if _path_of(url) == request.path else "true")


def rights_on(name: NormalizedName) -> frozenset[str]:
    """What the asker may change of a project: "yank", "delete", "manage"."""
    return _rights_at(where(Permission.MANAGE, name))


def _rights_at(place: Where) -> frozenset[str]:
    asker = identity()
    wanted = (Permission.YANK, Permission.DELETE, Permission.MANAGE)
    return frozenset(permission.value for permission in wanted if allows(asker, permission, place))


def page_files(detail: ProjectDetail, version: str, proven: Mapping[str, Mapping[str, Any]]) -> list[PageFile]:
    """The files of a release as pages show them; ``proven`` is the frame's."""
    root = request.script_root
    attested = {
        filename: Attested.of(facts, root + provenance_path(detail.name, version, filename))
        for filename, facts in proven.items()
    }
    uploaders = this_index().catalogue.uploaders(detail.name)
    return files_of(detail, version, uploaders, f"{root}/simple/{detail.name}/", attested)


def page_of_release(endpoint: str, name: str, version: str) -> tuple[ProjectDetail, ReleaseDetail] | Response:
    """The project and release of an address, or where to go instead.

    That is the one spelling of the address, for good; and for a quarantined project its page that says so. Raises
    UnknownProject, UnknownRelease.
    """
    known = normalized(name)
    detail = this_index().catalogue.project_detail(known)
    if not detail.status.offers_files:
        return redirect(url_for("web.project", name=known), 302)
    found = release_named(known, version)
    target = url_for(endpoint, name=known, version=found.version)
    return moved(target) if request.path != _path_of(target) else (detail, found)


def page_of_project(endpoint: str, name: str) -> ProjectDetail | Response:
    """The project of an address, or where to go instead: as ``page_of_release``. Raises UnknownProject."""
    known = normalized(name)
    if name != known:
        return moved(url_for(endpoint, name=known))
    detail = this_index().catalogue.project_detail(known)
    if not detail.status.offers_files:
        return redirect(url_for("web.project", name=known), 302)
    return detail


def _path_of(target: str) -> str:
    return unquote(target.removeprefix(request.script_root))


def moved(address: str) -> Response:
    """There is one address for a page: to it for good, with the query kept."""
    query = request.query_string.decode("ascii", "replace")
    return redirect(f"{address}?{query}" if query else address, 301)
