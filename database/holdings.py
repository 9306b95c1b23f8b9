"""The statements that change what an index holds. Each runs inside a ``Change``, beside its journal row."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packaging.utils import NormalizedName
from packaging.version import Version
from sqlalchemy import Connection, delete, insert, select, update

from database import requirements, search_index
from database import statements as sql
from database.descriptions import keep
from database.identity_models import Provenance
from database.models import (
    Attestations,
    BurnedFilename,
    CoreMetadataFile,
    DeletedFile,
    Deletion,
    File,
    PackageIndex,
    Project,
    Release,
)
from distributions.descriptions import Rendered
from distributions.filenames import release_key
from errors import UnknownIndex, UnknownProject, UnknownRelease
from simple.model import ProjectStatus

SUMMARY_CHARACTERS = 512


@dataclass(frozen=True, slots=True)
class Proven:
    """What was verified of a file's attestations: the provenance object (PEP 740) as JSON, and the facts for people."""

    body: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewFile:
    """All that the row of one file says. ``key`` is the release's, ``lookalike`` the ultranormalized project name."""

    project: NormalizedName
    display_name: str
    lookalike: str
    version: str
    key: str
    filename: str
    location: str
    kind: str
    python_tag: str
    size: int
    sha256: str
    md5: str
    blake2b: str
    requires_python: str | None
    uploaded: datetime
    uploader: str
    metadata: Mapping[str, object]
    description: str
    rendered: Rendered | None = None
    core_metadata: bytes | None = None
    core_metadata_sha256: str | None = None
    attestations: str | None = None
    proven: Proven | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that is there: its row, digest and place."""

    id: int
    filename: str
    project: NormalizedName
    version: str
    sha256: str
    location: str
    yanked: str | None
    size: int


def index_id_of(connection: Connection, index: str) -> int:
    """The row of an index. Raises UnknownIndex."""
    found: int | None = connection.execute(sql.INDEX_ID, {"name": index}).scalar_one_or_none()
    if found is None:
        raise UnknownIndex(index)
    return found


def is_elsewhere(connection: Connection, index_id: int, location: str) -> bool:
    """Whether another index lists, or can bring back, a file whose bytes lie there: by promotion."""
    listed = select(File.id).where(File.index_id.in_(select(PackageIndex.id)), File.location == location)
    deleted = (
        select(DeletedFile.id)
        .join(Deletion, Deletion.id == DeletedFile.deletion_id)
        .join(Project, Project.id == Deletion.project_id)
        .where(DeletedFile.location == location, Project.index_id != index_id)
    )
    others = (listed.where(File.index_id != index_id), deleted)
    return any(connection.execute(one.limit(1)).first() is not None for one in others)


def began_with(connection: Connection, index_id: int, new: NewFile) -> bool:
    """Whether a project's row was made for this file."""
    created = connection.execute(
        select(Project.created).where(Project.index_id == index_id, Project.name == new.project)
    ).scalar_one()
    return bool(created == new.uploaded)


def held_file(connection: Connection, index_id: int, filename: str) -> HeldFile | None:
    """The file of that name, in whatever case, or None."""
    row = connection.execute(sql.HELD_FILE, {"index_id": index_id, "filename_key": filename.lower()}).first()
    return _held(row) if row else None


def has_release(connection: Connection, index_id: int, new: NewFile) -> bool:
    """Whether the release of a file is there, so that its metadata stands already."""
    project = connection.execute(sql.PROJECT, {"index_id": index_id, "name": new.project}).first()
    if project is None:
        return False
    return connection.execute(sql.RELEASE_ID, {"project_id": project.id, "key": new.key}).first() is not None


def held_files(connection: Connection, *where: Any) -> list[HeldFile]:
    """The files that fulfil the conditions."""
    return [_held(row) for row in connection.execute(sql.HELD.where(*where))]


def _held(row: Any) -> HeldFile:
    return HeldFile(row[0], row[1], NormalizedName(row[2]), *row[3:])


def add_file(connection: Connection, index_id: int, new: NewFile, at: datetime) -> bool:
    """List a file, with its project and release where they are new. True if the release is new.

    The UNIQUE constraint on the filename has the last word.
    """
    project_id = _project_row(connection, index_id, new)
    release_id, is_new = _release_row(connection, project_id, new)
    file_id = connection.execute(
        sql.ADD_FILE,
        {
            "index_id": index_id, "project_id": project_id, "release_id": release_id, "filename": new.filename,
            "filename_key": new.filename.lower(), "location": new.location, "kind": new.kind,
            "python_tag": new.python_tag, "size": new.size, "sha256": new.sha256, "md5": new.md5,
            "blake2b": new.blake2b, "requires_python": new.requires_python, "yanked": None,
            "uploaded": new.uploaded, "uploader": new.uploader, "metadata_sha256": new.core_metadata_sha256,
            "has_provenance": new.proven is not None, "comment": new.comment,
        },
    ).scalar_one()  # fmt: skip
    if new.core_metadata is not None:
        body = zlib.compress(new.core_metadata, 6)
        connection.execute(sql.ADD_METADATA, {"file_id": file_id, "body": body})
    if new.attestations is not None:
        connection.execute(insert(Attestations).values(file_id=file_id, body=new.attestations))
    if new.proven is not None:
        values = {"file_id": file_id, "body": new.proven.body, "facts": dict(new.proven.facts)}
        connection.execute(insert(Provenance).values(values))
    _note_file(connection, project_id, new, at, is_new=is_new)
    return is_new


def _note_file(connection: Connection, project_id: int, new: NewFile, at: datetime, *, is_new: bool) -> None:
    """Bring what lists show up to date for one more file: without reading the project's other releases, of which there
    may be thousands, unless the newest of them is yanked.
    """
    latest = connection.execute(sql.SHOWN, {"project_id": project_id}).scalar_one()
    if latest is None or (is_new and _rank(new.version) > _rank(latest)):
        about = summary_of(new.metadata)
        connection.execute(sql.NOTE_LATEST, {"project_id": project_id, "at": at, "latest": new.version, "about": about})
        search_index.refresh(connection, project_id)
        requirements.keep(connection, project_id, new.metadata)
        return
    key = release_key(Version(latest))
    if connection.execute(sql.OFFERS, {"project_id": project_id, "key": key}).first():
        connection.execute(sql.NOTE, {"project_id": project_id, "at": at})
        if new.kind == "bdist_wheel" and new.key == key:
            search_index.refresh(connection, project_id)  # it may be the first wheel of the latest release
        else:
            search_index.touch(connection, project_id, at)
    else:
        refresh_project(connection, project_id, at)


def summary_of(metadata: Mapping[str, object]) -> str:
    """A release's summary as lists show it: at most SUMMARY_CHARACTERS, whatever an older upload says."""
    return str(metadata.get("summary") or "")[:SUMMARY_CHARACTERS]


def _rank(version: str) -> tuple[bool, Version]:
    parsed = Version(version)
    return not parsed.is_prerelease, parsed


def _project_row(connection: Connection, index_id: int, new: NewFile) -> int:
    found = connection.execute(sql.PROJECT, {"index_id": index_id, "name": new.project}).first()
    if found is not None:
        return int(found.id)
    return connection.execute(
        sql.ADD_PROJECT,
        {
            "index_id": index_id, "name": new.project, "display_name": new.display_name, "lookalike": new.lookalike,
            "status": ProjectStatus.ACTIVE.value, "created": new.uploaded, "updated": new.uploaded, "serial": 0,
            "file_count": 0, "summary": "",
        },
    ).scalar_one()  # fmt: skip


def _release_row(connection: Connection, project_id: int, new: NewFile) -> tuple[int, bool]:
    found = connection.execute(sql.RELEASE_ID, {"project_id": project_id, "key": new.key}).scalar_one_or_none()
    if found is not None:
        return found, False
    made = connection.execute(
        sql.ADD_RELEASE,
        {
            "project_id": project_id, "version": new.version, "key": new.key, "created": new.uploaded,
            "core_metadata": dict(new.metadata), "description": new.description,
        },
    ).scalar_one()  # fmt: skip
    keep(connection, made, new.rendered)
    return made, True


def refresh_project(connection: Connection, project_id: int, at: datetime) -> None:
    """Set anew what lists and the search show of a project: latest version, summary, number of files, words."""
    rows = connection.execute(sql.RELEASES, {"project_id": project_id}).all()
    values: dict[str, Any] = {"project_id": project_id, "at": at, "files": 0, "latest": None, "about": ""}
    metadata: dict[str, Any] = {}
    if rows:
        latest = max(rows, key=_latest_first)
        metadata = connection.execute(sql.LATEST, {"release_id": latest.id}).scalar_one()
        files = sum(row.files for row in rows)
        values |= {"files": files, "latest": latest.version, "about": summary_of(metadata)}
    connection.execute(sql.REFRESH, values)
    search_index.refresh(connection, project_id)
    requirements.keep(connection, project_id, metadata)


def _latest_first(row: Any) -> tuple[bool, bool, Version]:
    version = Version(row.version)
    return row.files > row.yanked, not version.is_prerelease, version


def remove_files(connection: Connection, index_id: int, files: list[HeldFile], at: datetime) -> None:
    """Unlist files, burn their names, drop releases left empty. The project's row stays, and with it the roles on it:
    its name is nobody else's. What can bring them back is kept before (``deletions.keep``).
    """
    if not files:
        return
    ids = [file.id for file in files]
    project_ids = set(connection.execute(select(File.project_id).where(File.id.in_(ids)).distinct()).scalars())
    for beside in (CoreMetadataFile, Attestations):
        connection.execute(delete(beside).where(beside.file_id.in_(ids)))
    connection.execute(delete(File).where(File.id.in_(ids)))
    connection.execute(
        insert(BurnedFilename),
        [
            {"index_id": index_id, "filename_key": file.filename.lower(), "sha256": file.sha256, "deleted": at}
            for file in files
        ],
    )
    for project_id in project_ids:
        empty = select(Release.id).where(
            Release.project_id == project_id, ~select(File.id).where(File.release_id == Release.id).exists()
        )
        connection.execute(delete(Release).where(Release.id.in_(empty)))
        refresh_project(connection, project_id, at)


def replace_bytes(connection: Connection, index_id: int, held: HeldFile, new: NewFile, at: datetime) -> None:
    """Unlist a file and list another under its name (the ``overwrite`` setting)."""
    for beside in (CoreMetadataFile, Attestations):
        connection.execute(delete(beside).where(beside.file_id == held.id))
    connection.execute(delete(File).where(File.id == held.id))
    project = connection.execute(sql.PROJECT, {"index_id": index_id, "name": new.project}).one()
    release_id = connection.execute(sql.RELEASE_ID, {"project_id": project.id, "key": new.key}).scalar_one()
    connection.execute(
        update(Release)
        .where(Release.id == release_id)
        .values(core_metadata=dict(new.metadata), description=new.description)
    )
    keep(connection, release_id, new.rendered)
    add_file(connection, index_id, new, at)
    if held.yanked is not None:
        connection.execute(
            update(File)
            .where(File.index_id == index_id, File.filename_key == new.filename.lower())
            .values(yanked=held.yanked)
        )
    refresh_project(connection, project.id, at)


def set_yanked(connection: Connection, files: list[HeldFile], reason: str | None, at: datetime) -> None:
    """Yank files with a reason, perhaps empty, or restore them with None (PEP 592)."""
    ids = [file.id for file in files]
    connection.execute(update(File).where(File.id.in_(ids)).values(yanked=reason))
    for project_id in set(connection.execute(select(File.project_id).where(File.id.in_(ids))).scalars()):
        refresh_project(connection, project_id, at)


def set_location(connection: Connection, held: HeldFile, location: str) -> None:
    """The bytes of a file lie elsewhere now."""
    connection.execute(update(File).where(File.id == held.id).values(location=location))


def set_status(
    connection: Connection, index_id: int, project: NormalizedName, status: ProjectStatus, reason: str | None
) -> None:
    """Set a project's status marker (PEP 792). Raises UnknownProject."""
    found = connection.execute(
        update(Project)
        .where(Project.index_id == index_id, Project.name == project)
        .values(status=status.value, status_reason=reason)
        .returning(Project.id)
    ).scalar_one_or_none()
    if found is None:
        raise UnknownProject(project)
    search_index.refresh(connection, found)


def files_of(
    connection: Connection, index_id: int, project: NormalizedName, key: str | None, filename: str | None
) -> list[HeldFile]:
    """The files of a project, of one of its releases, or the one named. Raises UnknownProject, UnknownRelease."""
    where = [Project.index_id == index_id, Project.name == project]
    if not held_files(connection, *where):
        raise UnknownProject(project)
    if key is not None:
        where.append(Release.key == key)
    if filename is not None:
        where.append(File.filename == filename)
    files = held_files(connection, *where)
    if not files and filename is None:
        raise UnknownRelease(project, key or "")
    return files
