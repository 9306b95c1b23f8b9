"""What jobs over the whole store ask: every listed file, and whether what the database says of itself holds.

Long answers are read in pages, each in a transaction of its own, so that a check of hours holds up no checkpoint.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from database.engine import Database
from database.models import CoreMetadataFile, DeletedFile, Deletion, File, PackageIndex, Project

_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file that some index lists, where it lies and what its bytes are. ``size`` is in bytes."""

    id: int
    project: str
    filename: str
    location: str
    size: int
    sha256: str


def _files() -> Select[*tuple[Any, ...]]:
    return select(File.id, Project.name, File.filename, File.location, File.size, File.sha256).join(
        Project, Project.id == File.project_id
    )


def listed_files(database: Database) -> Iterator[ListedFile]:
    """Every file that any index lists. Raises StorageFailed for a damaged database."""
    last = -1
    while True:
        with database.reading_damaged("database") as connection:
            rows = connection.execute(_files().where(File.id > last).order_by(File.id).limit(_PAGE)).all()
        yield from (ListedFile(*row) for row in rows)
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def deleted_files(database: Database) -> Iterator[ListedFile]:
    """Every file that was deleted and can be brought back, as it was listed. Raises as ``listed_files`` does."""
    last = -1
    while True:
        with database.reading_damaged("database") as connection:
            rows = connection.execute(
                _deleted_files().where(DeletedFile.id > last).order_by(DeletedFile.id).limit(_PAGE)
            ).all()
        yield from (ListedFile(*row) for row in rows)
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def _deleted_files() -> Select[*tuple[Any, ...]]:
    return (
        select(
            DeletedFile.id, Project.name, DeletedFile.filename, DeletedFile.location, DeletedFile.size,
            DeletedFile.sha256,
        )
        .join(Deletion, Deletion.id == DeletedFile.deletion_id)
        .join(Project, Project.id == Deletion.project_id)
        .where(Deletion.ended.is_(None))
    )  # fmt: skip


def is_deleted(database: Database, location: str) -> bool:
    """Whether the bytes that lie there are those of a deleted file, kept or about to go."""
    with database.reading_damaged("database") as connection:
        statement = select(DeletedFile.id).where(DeletedFile.location == location).limit(1)
        return connection.execute(statement).first() is not None


def deleted_locations(database: Database) -> set[str]:
    """Where the bytes of deleted files lie, kept or about to go."""
    with database.reading_damaged("database") as connection:
        return set(connection.execute(select(DeletedFile.location)).scalars())


def still_deleted(database: Database, file: ListedFile) -> bool:
    """Whether a file that ``deleted_files`` gave can still be brought back."""
    with database.reading_damaged("database") as connection:
        return connection.execute(_deleted_files().where(DeletedFile.id == file.id)).first() is not None


def count_files(database: Database) -> int:
    """How many files are listed, or deleted and can be brought back."""
    with database.reading_damaged("database") as connection:
        listed = connection.execute(select(func.count()).select_from(File)).scalar_one()
        return listed + connection.execute(select(func.count()).select_from(_deleted_files().subquery())).scalar_one()


def find_file(database: Database, index: str, filename: str) -> ListedFile | None:
    """The file of that name, in whatever case, on that index; also one of a quarantined project."""
    with database.reading_damaged("database") as connection:
        row = connection.execute(
            _files()
            .join(PackageIndex, PackageIndex.id == File.index_id)
            .where(PackageIndex.name == index, File.filename_key == filename.lower())
        ).first()
    return ListedFile(*row) if row else None


def still_listed(database: Database, file: ListedFile) -> bool:
    """Whether the row stands as it was read: not deleted, replaced or moved since."""
    with database.reading_damaged("database") as connection:
        row = connection.execute(
            select(File.id).where(File.id == file.id, File.location == file.location, File.sha256 == file.sha256)
        ).first()
    return row is not None


def faults_of_core_metadata(database: Database) -> Iterator[tuple[str, str]]:
    """Filename and sentence of each kept core metadata file (PEP 658) that is not what its digest says."""
    last = -1
    while True:
        with database.reading_damaged("database") as connection:
            rows = connection.execute(
                select(File.id, File.filename, File.metadata_sha256, CoreMetadataFile.body)
                .outerjoin(CoreMetadataFile, CoreMetadataFile.file_id == File.id)
                .where(File.id > last, File.metadata_sha256.is_not(None))
                .order_by(File.id)
                .limit(_PAGE // 10)  # bodies are some kilobytes each
            ).all()
        for row in rows:
            fault = _metadata_fault(row.metadata_sha256, row.body)
            if fault:
                yield row.filename, fault
        if not rows:
            return
        last = rows[-1].id


def _metadata_fault(sha256: str, body: bytes | None) -> str:
    if body is None:
        return "The core metadata that its page offers is not kept; restore a backup of the database."
    try:
        found = hashlib.sha256(zlib.decompress(body)).hexdigest()
    except zlib.error:
        return "The kept core metadata cannot be unpacked; restore a backup of the database."
    if found != sha256:
        return f"The kept core metadata has sha256 {found}, its page says {sha256}; restore a backup of the database."
    return ""


def integrity_faults(database: Database) -> list[str]:
    """What SQLite's own check of the whole file says is wrong; none for a sound one."""
    with database.reading_damaged("database") as connection:
        said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    return [] if said == ["ok"] else said
