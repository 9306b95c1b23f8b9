"""What an index holds: the questions that pages, files and the API ask."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from packaging.utils import NormalizedName
from packaging.version import Version
from sqlalchemy import ColumnElement, Connection, Select, func, select

from database.engine import Database
from database.identity_models import Provenance
from database.models import Attestations, CoreMetadataFile, File, JournalEntry, PackageIndex, Project, Release
from database.serials import Serials
from errors import UnknownFile, UnknownProject, UnknownRelease
from simple import model
from simple.sources import FileRecord


@dataclass(frozen=True, slots=True)
class ReleaseDetail:
    """One release as the API and the pages show it; ``metadata`` in the form of ``CoreMetadata.to_json``."""

    version: str
    created: datetime
    metadata: dict[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One line of a list of projects for people and scripts."""

    name: str
    display_name: str
    summary: str
    latest_version: str | None
    status: str
    file_count: int
    created: datetime
    updated: datetime
    serial: int


@dataclass(frozen=True, slots=True)
class Upload:
    """One recent upload. ``display_name`` is the project's name as it was written; it may be empty. ``index`` is said
    where it is not known from where one looks.
    """

    project: str
    display_name: str
    version: str
    filename: str
    uploader: str
    uploaded: datetime
    size: int
    index: str | None = None


UPLOADED = (Project.name, Project.display_name, Release.version, File.filename, File.uploader, File.uploaded, File.size)
SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "name": Project.name.asc(),
    "-name": Project.name.desc(),
    "updated": Project.updated.asc(),
    "-updated": Project.updated.desc(),
    "created": Project.created.asc(),
    "-created": Project.created.desc(),
}


def summary_columns() -> tuple[ColumnElement[Any], ...]:
    """The columns that make a ProjectSummary."""
    return (
        Project.name, Project.display_name, Project.summary, Project.latest_version, Project.status,
        Project.file_count, Project.created, Project.updated, Project.serial,
    )  # type: ignore[return-value]  # fmt: skip


class Catalogue:
    """The reader of one index. As a ``Source`` it gives values for pages; the rest serves the API and the web.

    ``base_url`` is where the server is, if that is known.
    """

    def __init__(self, database: Database, index: str = "main", *, base_url: str = "") -> None:
        self.database = database
        # Provenance is offered at absolute addresses only, and over HTTPS (PEP 740).
        self._secure_base = base_url if base_url.startswith("https://") else ""
        self.index = index
        with database.reading() as connection:
            self.index_id = connection.execute(select(PackageIndex.id).where(PackageIndex.name == index)).scalar_one()
        self._serials = Serials(database, self.index_id)
        self._stats: tuple[int, dict[str, int]] = (-1, {})

    def validity(self, name: NormalizedName | None) -> int:
        """The serial of a project, or of the index for None: what was drawn under it stands while it stands.

        Raises UnknownProject.
        """
        return self._serials.serial(name)

    def has_had(self, name: NormalizedName) -> bool:
        """Whether there is, or was, a project of that name: it stays this index's."""
        return self._serials.has_had(name)

    # -- what Source asks

    def project_list(self) -> model.ProjectList:
        """Every project that has files and is not quarantined."""
        with self.database.reading() as connection:
            serial = connection.execute(
                select(PackageIndex.serial).where(PackageIndex.id == self.index_id)
            ).scalar_one()
            rows = connection.execute(
                select(Project.display_name, Project.name, Project.serial).where(self._shown()).order_by(Project.name)
            )
            projects = tuple(
                model.ListedProject(row.display_name, NormalizedName(row.name), row.serial) for row in rows
            )
        return model.ProjectList(projects, serial)

    def project_detail(self, name: NormalizedName) -> model.ProjectDetail:
        """Every file of a project. Raises UnknownProject."""
        with self.database.reading() as connection:
            project = self._project(connection, name)
            rows = connection.execute(
                select(
                    File.filename, Release.version, File.sha256, File.size, File.uploaded, File.requires_python,
                    File.yanked, File.metadata_sha256, File.md5, File.blake2b, File.kind, File.python_tag,
                    File.has_provenance,
                )
                .join(Release, Release.id == File.release_id)
                .where(File.project_id == project.id)
            ).all()  # fmt: skip
        versions = {row.version: Version(row.version) for row in rows}
        rows = sorted(rows, key=lambda row: (versions[row.version], row.filename))
        return model.ProjectDetail(
            name=name,
            files=tuple(_file(name, row, self._secure_base) for row in rows),
            versions=tuple(sorted(versions, key=versions.__getitem__)),
            serial=project.serial,
            status=model.ProjectStatus(project.status),
            status_reason=project.status_reason,
            display_name=project.display_name,
        )

    def file(self, name: NormalizedName, filename: str) -> FileRecord:
        """Where one file lies and what it is. Raises UnknownFile; so does a file of a quarantined project."""
        with self.database.reading() as connection:
            row = connection.execute(
                select(
                    File.location, File.size, File.sha256, File.uploaded, File.metadata_sha256, Project.status,
                    Release.version,
                )
                .join(Project, Project.id == File.project_id)
                .join(Release, Release.id == File.release_id)
                .where(
                    File.index_id == self.index_id,
                    File.filename_key == filename.lower(),
                    File.filename == filename,
                    Project.name == name,
                )
            ).first()  # fmt: skip
        if row is None or not model.ProjectStatus(row.status).offers_files:
            raise UnknownFile(filename)
        return FileRecord(
            project=name,
            filename=filename,
            version=row.version,
            location=row.location,
            size=row.size,
            sha256=row.sha256,
            uploaded=row.uploaded,
            core_metadata_sha256=row.metadata_sha256,
        )

    # -- what files, the API and the web ask

    def core_metadata(self, name: NormalizedName, filename: str) -> bytes:
        """The core metadata file of a distribution (PEP 658). Raises UnknownFile."""
        return zlib.decompress(self._beside(CoreMetadataFile.body, name, filename, ".metadata"))

    def attestations(self, name: NormalizedName, filename: str) -> str:
        """The attestations that came with an upload, as sent. Raises UnknownFile."""
        return str(self._beside(Attestations.body, name, filename, " attestations"))

    def provenance(self, name: NormalizedName, filename: str) -> str:
        """The provenance object of a file whose attestations were verified (PEP 740). Raises UnknownFile."""
        return str(self._beside(Provenance.body, name, filename, " provenance"))

    def proven(self, name: NormalizedName, version: str) -> dict[str, dict[str, Any]]:
        """What was verified of the attestations of a release's files, by filename (``Verified.as_dict``)."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(File.filename, Provenance.facts)
                .join(File, File.id == Provenance.file_id)
                .join(Release, Release.id == File.release_id)
                .join(Project, Project.id == Release.project_id)
                .where(Project.index_id == self.index_id, Project.name == name, Release.version == version)
            )
            return {row.filename: row.facts for row in rows}

    def _beside(self, body: Any, name: NormalizedName, filename: str, what: str) -> Any:
        with self.database.reading() as connection:
            row = connection.execute(
                select(body, Project.status)
                .join(File, File.id == body.class_.file_id)
                .join(Project, Project.id == File.project_id)
                .where(File.index_id == self.index_id, File.filename_key == filename.lower(), Project.name == name)
            ).first()
        if row is None or not model.ProjectStatus(row.status).offers_files:
            raise UnknownFile(f"{filename}{what}")
        return row[0]

    def releases(self, name: NormalizedName) -> list[ReleaseDetail]:
        """Every release of a project, ascending by version. Raises UnknownProject."""
        with self.database.reading() as connection:
            project = self._project(connection, name)
            rows = connection.execute(_release_columns().where(Release.project_id == project.id)).all()
        return sorted((_release(row) for row in rows), key=lambda release: Version(release.version))

    def release(self, name: NormalizedName, key: str) -> ReleaseDetail:
        """One release by its key (``distributions.filenames.release_key``). Raises UnknownProject, UnknownRelease."""
        with self.database.reading() as connection:
            project = self._project(connection, name)
            row = connection.execute(
                _release_columns().where(Release.project_id == project.id, Release.key == key)
            ).first()
        if row is None:
            raise UnknownRelease(name, key)
        return _release(row)

    def uploaders(self, name: NormalizedName) -> dict[str, str]:
        """Who uploaded each file of a project, by filename."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(File.filename, File.uploader)
                .join(Project, Project.id == File.project_id)
                .where(Project.index_id == self.index_id, Project.name == name)
            )
            return {row.filename: row.uploader for row in rows}

    def projects(
        self, *, sort: str = "name", limit: int = 50, offset: int = 0, prefix: str = "", quarantined: bool = False
    ) -> list[ProjectSummary]:
        """A page of the projects that have files; ``sort`` is a key of SORT_KEYS, ``prefix`` begins the name.

        Quarantined ones are left out unless asked for, as operators do.
        """
        shown = self._listed() if quarantined else self._shown()
        with self.database.reading() as connection:
            rows = connection.execute(
                select(*summary_columns())
                .where(shown, _begins(Project.name, prefix))
                .order_by(SORT_KEYS[sort], Project.name)
                .limit(limit)
                .offset(offset)
            )
            return [ProjectSummary(*row) for row in rows]

    def count_projects(self, prefix: str = "") -> int:
        """How many projects have files, are not quarantined and begin with ``prefix``."""
        with self.database.reading() as connection:
            return connection.execute(
                select(func.count()).select_from(Project).where(self._shown(), _begins(Project.name, prefix))
            ).scalar_one()

    def stats(self) -> dict[str, int]:
        """How much the index holds: projects, releases, files, bytes, yanked files, and its last serial.

        Counted once while the index stands: counting half a million files takes a third of a second.
        """
        now = self.validity(None)
        kept_at, kept = self._stats
        if kept_at == now:
            return dict(kept)
        with self.database.reading() as connection:
            files = connection.execute(
                select(
                    func.count(File.id).label("files"),
                    func.coalesce(func.sum(File.size), 0).label("bytes"),
                    func.count(File.yanked).label("yanked_files"),
                    func.count(File.release_id.distinct()).label("releases"),
                ).where(File.index_id == self.index_id)
            ).one()
            serial = connection.execute(
                select(PackageIndex.serial).where(PackageIndex.id == self.index_id)
            ).scalar_one()
        stats = {
            "projects": self.count_projects(), "releases": files.releases, "files": files.files,
            "bytes": int(files.bytes), "yanked_files": files.yanked_files, "serial": serial,
        }  # fmt: skip
        self._stats = (now, stats)
        return dict(stats)

    def recent_uploads(self, limit: int = 20) -> list[Upload]:
        """The newest files, newest first; none of a quarantined project."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(*UPLOADED)
                .join(Release, Release.id == File.release_id)
                .join(Project, Project.id == File.project_id)
                .where(File.index_id == self.index_id, Project.status != model.ProjectStatus.QUARANTINED)
                .order_by(File.uploaded.desc(), File.id.desc())
                .limit(limit)
            )
            return [Upload(*row) for row in rows]

    def changes_since(self, serial: int, limit: int = 50_000) -> list[Any]:
        """The journal rows of this index after a serial: project, version, at, action, filename, serial."""
        with self.database.reading() as connection:
            return list(
                connection.execute(
                    select(
                        JournalEntry.project, JournalEntry.version, JournalEntry.at, JournalEntry.action,
                        JournalEntry.filename, JournalEntry.serial,
                    )
                    .where(JournalEntry.index_name == self.index, JournalEntry.serial > serial)
                    .order_by(JournalEntry.serial)
                    .limit(limit)
                )
            )  # fmt: skip

    def _listed(self) -> ColumnElement[bool]:
        return (Project.index_id == self.index_id) & (Project.file_count > 0)

    def _shown(self) -> ColumnElement[bool]:
        return self._listed() & (Project.status != model.ProjectStatus.QUARANTINED)

    def _project(self, connection: Connection, name: NormalizedName) -> Any:
        row = connection.execute(
            select(Project.id, Project.serial, Project.status, Project.status_reason, Project.display_name).where(
                self._listed(), Project.name == name
            )
        ).first()
        if row is None:
            raise UnknownProject(name)
        return row


def _begins(column: Any, prefix: str) -> ColumnElement[bool]:
    return column.startswith(prefix, autoescape=True)  # type: ignore[no-any-return]


def _release_columns() -> Select[Any]:
    return select(Release.version, Release.created, Release.core_metadata, Release.description)


def _release(row: Any) -> ReleaseDetail:
    return ReleaseDetail(row.version, row.created, row.core_metadata, row.description)


def provenance_path(project: str, version: str, filename: str) -> str:
    """Where the provenance object of a file is (PyPI's integrity API)."""
    return f"/integrity/{project}/{quote(version)}/{quote(filename)}/provenance"


def _file(project: NormalizedName, row: Any, base: str) -> model.File:
    proven = base and row.has_provenance
    return model.File(
        filename=row.filename,
        url=model.file_url(project, row.filename),
        version=row.version,
        sha256=row.sha256,
        size=row.size,
        uploaded=row.uploaded,
        requires_python=row.requires_python,
        yanked=row.yanked,
        core_metadata=row.metadata_sha256,
        provenance=base + provenance_path(project, row.version, row.filename) if proven else None,
        md5=row.md5,
        blake2b=row.blake2b,
        kind=row.kind,
        python_tag=row.python_tag,
    )
