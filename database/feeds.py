"""What is new, for feeds: the newest releases and projects of an index, and when each last changed, by the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from packaging.utils import NormalizedName
from sqlalchemy import Connection, Select, func, select

from database.engine import Database
from database.models import File, JournalEntry, PackageIndex, Project, Release
from errors import UnknownProject
from simple.model import ProjectStatus

_CHANGES: Final = ("release.create", "file.publish", "file.replace", "file.yank", "file.unyank", "file.restore")


@dataclass(frozen=True, slots=True)
class NewRelease:
    """A release as a feed shows it. ``yanked`` is None unless all its files are: then a reason, perhaps empty."""

    project: str
    display_name: str
    version: str
    key: str
    summary: str
    uploader: str
    created: datetime
    updated: datetime
    yanked: str | None


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project as a feed shows it, as of its first file."""

    name: str
    display_name: str
    summary: str
    created: datetime


Item = TypeVar("Item", NewRelease, NewProject)


@dataclass(frozen=True, slots=True)
class News(Generic[Item]):
    """The newest, newest first. ``since`` is when the index was made, which tells it from others of its name;
    ``changed`` is when the index, or the project that was asked for, last changed.
    """

    items: tuple[Item, ...]
    since: datetime
    changed: datetime


def newest_releases(
    database: Database, index: str, limit: int, project: NormalizedName | None = None
) -> News[NewRelease]:
    """The newest releases of an index or of one of its projects; none of a quarantined one. Raises UnknownProject."""
    with database.reading() as connection:
        place = _index(connection, index)
        if project is None:
            # The sum keeps SQLite from going through all projects of the index: through the newest releases is shorter.
            changed, here = place.serial, Project.index_id + 0 == place.id
        else:
            found = _listed(connection, place.id, project)
            changed, here = found.serial, Release.project_id == found.id
        rows = connection.execute(_releases().where(here).limit(limit)).all()
        files = _files(connection, [row.id for row in rows])
        moments = _moments(connection, index, rows)
        items = tuple(_release(row, files[row.id], moments.get((row.name, row.version))) for row in rows)
        return News(items, place.created, _at(connection, changed, place.created))


def newest_projects(database: Database, index: str, limit: int) -> News[NewProject]:
    """The newest projects of an index that have files and are not quarantined."""
    with database.reading() as connection:
        place = _index(connection, index)
        rows = connection.execute(
            select(Project.name, Project.display_name, Project.summary, Project.created)
            .where(Project.index_id == place.id, *_SHOWN)
            .order_by(Project.created.desc(), Project.id.desc())
            .limit(limit)
        )
        items = tuple(NewProject(*row) for row in rows)
        return News(items, place.created, _at(connection, place.serial, place.created))


_SHOWN = (Project.file_count > 0, Project.status != ProjectStatus.QUARANTINED)


def _index(connection: Connection, index: str) -> Any:
    columns = PackageIndex.id, PackageIndex.created, PackageIndex.serial
    return connection.execute(select(*columns).where(PackageIndex.name == index)).one()


def _listed(connection: Connection, index_id: int, project: NormalizedName) -> Any:
    """The row and the serial of a project that has files. Raises UnknownProject."""
    row = connection.execute(
        select(Project.id, Project.serial).where(
            Project.index_id == index_id, Project.name == project, Project.file_count > 0
        )
    ).first()
    if row is None:
        raise UnknownProject(project)
    return row


def _at(connection: Connection, serial: int, otherwise: datetime) -> datetime:
    """The time of a serial; another one where nothing was changed yet."""
    found = connection.execute(select(JournalEntry.at).where(JournalEntry.serial == serial)).scalar_one_or_none()
    return found or otherwise


def _releases() -> Select[Any]:
    return (
        select(
            Release.id, Project.name, Project.display_name, Release.version, Release.key, Release.created,
            Release.core_metadata["summary"].as_string().label("summary"),
        )
        .join(Project, Project.id == Release.project_id)
        .where(*_SHOWN)
        .order_by(Release.created.desc(), Release.id.desc())
    )  # fmt: skip


def _files(connection: Connection, releases: Sequence[int]) -> Mapping[int, list[Any]]:
    """The files of each release, the first that came before the others."""
    found: dict[int, list[Any]] = {release: [] for release in releases}
    rows = connection.execute(
        select(File.release_id, File.uploader, File.uploaded, File.yanked)
        .where(File.release_id.in_(releases))
        .order_by(File.uploaded, File.id)
    )
    for row in rows:
        found[row.release_id].append(row)
    return found


def _moments(connection: Connection, index: str, releases: Sequence[Any]) -> Mapping[tuple[str, str], datetime]:
    """When each release last changed, by project and version."""
    rows = connection.execute(
        select(JournalEntry.project, JournalEntry.version, func.max(JournalEntry.at).label("at"))
        .where(
            JournalEntry.index_name == index,
            JournalEntry.project.in_({row.name for row in releases}),
            JournalEntry.version.in_({row.version for row in releases}),
            JournalEntry.action.in_(_CHANGES),
        )
        .group_by(JournalEntry.project, JournalEntry.version)
    )
    return {(row.project, row.version): row.at for row in rows}


def _release(row: Any, files: Sequence[Any], changed: datetime | None) -> NewRelease:
    reasons = [file.yanked for file in files if file.yanked is not None]
    return NewRelease(
        project=row.name,
        display_name=row.display_name,
        version=row.version,
        key=row.key,
        summary=row.summary or "",
        uploader=files[0].uploader,
        created=row.created,
        updated=changed or files[-1].uploaded,
        yanked=next(filter(None, reasons), "") if len(reasons) == len(files) else None,
    )
