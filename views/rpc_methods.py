"""The methods of PyPI's XML-RPC API, over the same catalogue as everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from xmlrpc.client import DateTime

import orjson

from database.search import SearchResult
from distributions.filenames import parse_filename
from errors import Conflict, Invalid, InvalidRequest, NotFound, shown
from permissions import Role
from simple.model import ProjectStatus, offered_files, offered_versions
from views import services, this_index
from views.legacy import offered_detail, release_document
from views.releases import offered_release
from views.simple import normalized

MOST_CHANGES: Final = 50_000
MOST_BROWSED: Final = 2_000
_MOST_HITS: Final = 100
_MOST_WORDS: Final = 10
_LAST_SERIAL: Final = 2**63 - 1
_SEARCHED: Final = frozenset({"name", "summary", "description", "keywords"})

# The journal's actions in the words that PyPI's change log has for them.
_WORDS: Final[Mapping[str, str]] = {
    "release.create": "new release",
    "file.publish": "add {tag} file {filename}",
    "file.replace": "add {tag} file {filename}",
    "file.relocate": "update file {filename}",
    "file.delete": "remove file {filename}",
    "release.restore": "new release",
    "file.restore": "add {tag} file {filename}",
    "file.yank": "yank release",
    "file.unyank": "unyank release",
    "project.status": "update project status",
}

Kind = Literal["text", "whole", "flag", "texts", "record"]


@dataclass(frozen=True, slots=True)
class Method:
    """A method with the kinds of its parameters; those beyond ``needed`` may be left out."""

    function: Callable[..., object]
    kinds: tuple[Kind, ...] = ()
    needed: int = 0


def call(name: str, arguments: tuple[Any, ...]) -> object:
    """The answer of a method that METHODS knows. Raises InvalidRequest for unfit arguments, and other refusals."""
    method = METHODS[name]
    if not method.needed <= len(arguments) <= len(method.kinds):
        raise InvalidRequest(
            f"{name} takes {method.needed} to {len(method.kinds)} arguments, not {len(arguments)}; see /api/docs."
        )
    for position, (argument, kind) in enumerate(zip(arguments, method.kinds, strict=False), 1):
        if not _fits(argument, kind):
            raise InvalidRequest(f"Argument {position} of {name} must be a {kind}; send one.")
    return method.function(*arguments)


def _fits(value: object, kind: Kind) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "whole":
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_SERIAL
        case "flag":
            return isinstance(value, bool | int)
        case "texts":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "record":
            return isinstance(value, dict)


# -- what mirrors ask


def list_packages() -> list[str]:
    """The normalized name of every project."""
    return [project.name for project in this_index().catalogue.project_list().projects]


def list_packages_with_serial() -> dict[str, int]:
    """The serial of every project's last change, by normalized name."""
    return {project.name: project.serial for project in this_index().catalogue.project_list().projects}


def changelog_last_serial() -> int:
    """The serial of the index's last change."""
    return this_index().catalogue.validity(None)


def changelog_since_serial(serial: int) -> list[list[object]]:
    """The changes after a serial, oldest first, at most MOST_CHANGES: name, version, time, action, serial."""
    return [[*_change(row), row.serial] for row in _changes(serial, MOST_CHANGES)]


def changelog(since: int, with_ids: object = False) -> list[list[object]]:
    """The changes after a time in seconds since 1970, oldest first, at most MOST_CHANGES; with serials if asked."""
    rows = _changes(_serial_at(since), MOST_CHANGES)
    return [[*_change(row), row.serial] if with_ids else _change(row) for row in rows]


def _changes(serial: int, limit: int) -> list[Any]:
    return [row for row in this_index().catalogue.changes_since(serial, limit) if row.project is not None]


def _serial_at(since: int) -> int:
    """The last serial at or before a time. Serials rise with time, so a few single rows are enough to find it."""
    low, high = 0, changelog_last_serial()
    while low < high:
        middle = (low + high) // 2
        row = next(iter(this_index().catalogue.changes_since(middle, 1)), None)
        if row is None or row.at.timestamp() > since:
            high = middle
        else:
            low = row.serial
    return low


def _change(row: Any) -> list[object]:
    words = _WORDS.get(row.action, row.action)
    filename = row.filename or ""
    action = words.format(filename=filename, tag=_tag(filename))
    return [row.project, row.version, int(row.at.timestamp()), action]


def _tag(filename: str) -> str:
    try:
        return parse_filename(filename).python_tag
    except Invalid:
        return "source"


# -- what scripts ask


def package_releases(name: str, show_hidden: object = False) -> list[str]:
    """The versions of a project, newest first; those that are yanked whole only if asked. Empty if it is unknown."""
    try:
        detail = offered_detail(normalized(name))
    except NotFound:
        return []
    standing = {file.version for file in offered_files(detail) if file.yanked is None}
    return [version for version in reversed(offered_versions(detail)) if show_hidden or version in standing]


def release_urls(name: str, version: str) -> list[dict[str, object]]:
    """The files of a release. Empty if it is unknown."""
    files: list[dict[str, object]] = _release(name, version).get("urls", [])
    return [{**file, "upload_time": _date_time(str(file["upload_time"]))} for file in files]


def release_data(name: str, version: str) -> dict[str, object]:
    """The metadata of a release. Empty if it is unknown."""
    info: dict[str, object] = _release(name, version).get("info", {})
    return info


def _release(name: str, version: str) -> dict[str, Any]:
    try:
        detail = offered_detail(normalized(name))
        document: dict[str, Any] = orjson.loads(release_document(detail, offered_release(detail, version)))
    except NotFound:
        return {}
    return document


def _date_time(stamp: str) -> DateTime:
    return DateTime(datetime.fromisoformat(stamp))


def package_roles(name: str) -> list[list[str]]:
    """Role and user of everybody who holds one on the project alone, owners first. Empty if it is unknown."""
    try:
        project = normalized(name)
        this_index().catalogue.validity(project)
    except NotFound:
        return []
    rows = services().readers.rights.grants(index=this_index().name, project=project)
    return _by_rank((row.role, row.holder) for row in rows if not row.is_team)


def user_packages(username: str) -> list[list[str]]:
    """Role and project of everything that a user holds alone and that is there, owned ones first."""
    held = services().readers.rights.projects_of(username, this_index().name)
    there = {project.name for project in this_index().catalogue.project_list().projects} if held else set()
    return _by_rank((role, project) for role, project in held if project in there)


def _by_rank(held: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [[role.title(), of] for role, of in sorted(held, key=lambda one: (-Role(one[0]).rank, one[1]))]


def browse(classifiers: list[str]) -> list[list[str]]:
    """Name and version of every release that has all the classifiers. Raises Conflict where the index is too large."""
    catalogue = this_index().catalogue
    if catalogue.count_projects() > MOST_BROWSED:
        raise Conflict(f"This index holds more than {MOST_BROWSED} projects; use the search instead of browsing.")
    wanted = set(classifiers)
    found = []
    for project in catalogue.projects(limit=MOST_BROWSED):
        if project.status != ProjectStatus.QUARANTINED:
            found += [
                [project.name, release.version]
                for release in catalogue.releases(normalized(project.name))
                if wanted <= set(release.metadata.get("classifiers") or ())
            ]
    return found


def search(spec: dict[str, object], operator: str = "and") -> list[dict[str, object]]:
    """The projects that fit, best first. ``spec`` has words by field, as ``pip search`` sends it: name and summary.

    With "or" one of the words is enough; projects that more of them find come first.
    """
    if operator not in {"and", "or"}:
        raise InvalidRequest(f"The operator of a search is 'and' or 'or', not {shown(operator)}; send one of them.")
    words = list(dict.fromkeys(_words_of(spec)))[:_MOST_WORDS]
    queries = words if operator == "or" else [" ".join(words)]
    scores: dict[str, tuple[int, Any]] = {}
    for query in queries:
        for hit in _found(query).hits:
            score, _ = scores.get(hit.name, (0, None))
            scores[hit.name] = (score + 1, hit)
    hits = [hit for _, hit in sorted(scores.values(), key=lambda one: -one[0])]
    if set(spec) == {"name"}:
        hits = [hit for hit in hits if any(word.lower().replace("_", "-") in hit.name for word in words)]
    return [
        {"name": hit.display_name, "version": hit.latest_version, "summary": hit.summary, "_pypi_ordering": position}
        for position, hit in enumerate(hits[:_MOST_HITS])
    ]


def _words_of(spec: Mapping[str, object]) -> Iterable[str]:
    for field, given in spec.items():
        if field not in _SEARCHED:
            raise InvalidRequest(f"A search does not know the field {shown(field)}; use name and summary.")
        values = given if isinstance(given, list) else [given]
        for value in values:
            if not isinstance(value, str):
                raise InvalidRequest(f"The field {shown(field)} of a search must hold texts; send words.")
            yield value


def _found(query: str) -> SearchResult:
    if not query.strip():
        return SearchResult(0, ())
    return this_index().search.find(query, limit=_MOST_HITS)


def list_methods() -> list[str]:
    """The names of all methods."""
    return sorted(METHODS)


METHODS: Final[Mapping[str, Method]] = {
    "browse": Method(browse, ("texts",), 1),
    "changelog": Method(changelog, ("whole", "flag"), 1),
    "changelog_last_serial": Method(changelog_last_serial),
    "changelog_since_serial": Method(changelog_since_serial, ("whole",), 1),
    "list_packages": Method(list_packages),
    "list_packages_with_serial": Method(list_packages_with_serial),
    "package_releases": Method(package_releases, ("text", "flag"), 1),
    "package_roles": Method(package_roles, ("text",), 1),
    "release_data": Method(release_data, ("text", "text"), 2),
    "release_urls": Method(release_urls, ("text", "text"), 2),
    "search": Method(search, ("record", "text"), 1),
    "system.listMethods": Method(list_methods),
    "user_packages": Method(user_packages, ("text",), 1),
}
