"""Which files an index takes: asked with an upload, and before one by its filename alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from packaging.utils import NormalizedName
from sqlalchemy import Connection, select

from database import holdings
from database import statements as sql
from database.holdings import HeldFile, NewFile
from database.models import File, Project, Release
from distributions.filenames import DistributionFilename, release_key, ultranormalize
from errors import Conflict, FilenameBurned, FilenameTaken, ReadOnlyProject, shown
from simple.model import ProjectStatus


@dataclass(frozen=True, slots=True)
class NamedFile:
    """What a filename alone says of a file, as ``NewFile`` has it."""

    project: NormalizedName
    lookalike: str
    version: str
    key: str
    filename: str
    kind: str


class Refusing(TypedDict):
    """What the server's rules say of filenames and names."""

    overwrite: bool
    refuse_similar: bool


def must_take(connection: Connection, index_id: int, new: NewFile, **rules: Unpack[Refusing]) -> HeldFile | None:
    """Refuse a file that this index cannot take; the held file of that name if there is one that may be met again.

    Raises FilenameTaken (other bytes under that name), FilenameBurned, ReadOnlyProject and Conflict (a second sdist of
    a release, or a project too similar to another).
    """
    held = holdings.held_file(connection, index_id, new.filename)
    if held is not None and held.filename == new.filename and held.sha256 == new.sha256:
        return held
    if held is not None and (held.filename != new.filename or not rules["overwrite"]):
        raise FilenameTaken(held.filename, held.sha256)
    _must_fit(connection, index_id, new, held, refuse_similar=rules["refuse_similar"])
    return held


def would_take(
    connection: Connection, index_id: int, filename: DistributionFilename, **rules: Unpack[Refusing]
) -> HeldFile | None:
    """Refuse a file for its name; the held file of that name if there is one, which the same bytes may meet again.

    Raises FilenameTaken where the name is taken in another spelling, FilenameBurned, ReadOnlyProject and Conflict.
    """
    held = holdings.held_file(connection, index_id, filename.filename)
    if held is not None and held.filename != filename.filename:
        raise FilenameTaken(held.filename, held.sha256)
    if held is None or rules["overwrite"]:
        named = NamedFile(
            project=filename.project,
            lookalike=ultranormalize(filename.name),
            version=str(filename.version),
            key=release_key(filename.version),
            filename=filename.filename,
            kind=filename.kind,
        )
        _must_fit(connection, index_id, named, held, refuse_similar=rules["refuse_similar"])
    return held


def _must_fit(
    connection: Connection, index_id: int, new: NewFile | NamedFile, held: HeldFile | None, *, refuse_similar: bool
) -> None:
    """Refuse a file for its name, its project or its release; ``held`` is the file in whose place it would come.

    Raises FilenameBurned, ReadOnlyProject and Conflict.
    """
    burned = connection.execute(sql.BURNED, {"index_id": index_id, "filename_key": new.filename.lower()}).first()
    if burned is not None and held is None:
        raise FilenameBurned(new.filename)
    project = connection.execute(sql.PROJECT, {"index_id": index_id, "name": new.project}).first()
    if project is None:
        if refuse_similar:
            _refuse_similar(connection, index_id, new)
        return
    if not ProjectStatus(project.status).takes_uploads:
        raise ReadOnlyProject(
            f"Project {shown(new.project)} is {project.status} and takes no new files; "
            "set its status to active before uploading."
        )
    if new.kind == "sdist" and held is None:
        _refuse_second_sdist(connection, project.id, new)


def _refuse_similar(connection: Connection, index_id: int, new: NewFile | NamedFile) -> None:
    similar = connection.execute(
        select(Project.name).where(Project.index_id == index_id, Project.lookalike == new.lookalike)
    ).first()
    if similar is not None:
        raise Conflict(
            f"The project name {shown(new.project)} is too similar to that of {shown(similar.name)}; choose another."
        )


def _refuse_second_sdist(connection: Connection, project_id: int, new: NewFile | NamedFile) -> None:
    other = connection.execute(
        select(File.filename)
        .join(Release, Release.id == File.release_id)
        .where(Release.project_id == project_id, Release.key == new.key, File.kind == "sdist")
    ).first()
    if other is not None:
        raise Conflict(
            f"Release {new.version} of {shown(new.project)} has a source distribution, {other.filename}; "
            "there can be only one, so publish another version."
        )
