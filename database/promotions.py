"""Listing files of one index on another: every row about them is copied, and their bytes are shared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from packaging.utils import NormalizedName
from sqlalchemy import Connection, insert, select

from database import holdings
from database.holdings import HeldFile
from database.kept_rows import put_back, rows_about
from database.models import File, Project, Release
from errors import ReadOnlyProject, shown
from simple.model import ProjectStatus


class Began(NamedTuple):
    """What was new on the target."""

    project: bool
    release: bool


def copy(
    connection: Connection, source: str, target: str, project: NormalizedName, files: Sequence[HeldFile], at: datetime
) -> Began:
    """List files of one release on another index, which has none of their names."""
    source_id, target_id = (holdings.index_id_of(connection, index) for index in (source, target))
    project_id, is_new_project = _project(connection, source_id, target_id, project, at)
    ids = [file.id for file in files]
    release_id, is_new_release = _release(connection, ids[0], project_id)
    about = rows_about(connection, "files", ids)
    places = {"indexes": target_id, "projects": project_id, "releases": release_id}
    put_back(connection, "files", [about[one] for one in ids], [places] * len(ids))
    holdings.refresh_project(connection, project_id, at)
    return Began(is_new_project, is_new_release)


def must_be_offered(connection: Connection, source: str, project: NormalizedName) -> None:
    """Raises ReadOnlyProject for a quarantined project: nothing of it goes anywhere."""
    source_id = holdings.index_id_of(connection, source)
    there = select(Project.status).where(Project.index_id == source_id, Project.name == project)
    if not ProjectStatus(connection.execute(there).scalar_one()).offers_files:
        raise ReadOnlyProject(
            f"Project {shown(project)} is quarantined on {source} and is not promoted; set its status to active first."
        )


def _project(
    connection: Connection, source_id: int, target_id: int, name: NormalizedName, at: datetime
) -> tuple[int, bool]:
    there = select(Project.id).where(Project.index_id == target_id, Project.name == name)
    found = connection.execute(there).scalar_one_or_none()
    if found is not None:
        return found, False
    row = connection.execute(
        select(Project.display_name, Project.lookalike).where(Project.index_id == source_id, Project.name == name)
    ).one()
    made = connection.execute(
        insert(Project)
        .values(
            index_id=target_id, name=name, display_name=row.display_name, lookalike=row.lookalike, created=at,
            updated=at,
        )
        .returning(Project.id)
    ).scalar_one()  # fmt: skip
    return made, True


def _release(connection: Connection, file_id: int, project_id: int) -> tuple[int, bool]:
    """The release on the target that is that of a file, made with all that is known of it where there is none."""
    of_source = connection.execute(
        select(Release.id, Release.key).join(File, File.release_id == Release.id).where(File.id == file_id)
    ).one()
    there = select(Release.id).where(Release.project_id == project_id, Release.key == of_source.key)
    found = connection.execute(there).scalar_one_or_none()
    if found is not None:
        return found, False
    about = rows_about(connection, "releases", [of_source.id])[of_source.id]
    (made,) = put_back(connection, "releases", [about], [{"projects": project_id}])
    return made, True
