"""The tables.

Moments are kept as whole microseconds since 1970 UTC, digests as lower-case hex, versions both as spelled and as the
key under which ``1.0`` and ``1.0.0`` are one release.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as an integer of microseconds: exact, sortable, the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From microseconds."""
        return None if value is None else _EPOCH + timedelta(microseconds=int(value))


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class PackageIndex(Base):
    """A named collection of projects; ``main`` is always there. ``serial`` is that of its last change.

    A ``closed`` one is read by those who hold a role on it; of a ``declared`` one a file says what it is. ``synced`` is
    when it was last in line with what lies in the store.
    """

    __tablename__ = "indexes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    created: Mapped[datetime] = mapped_column(Moment)
    serial: Mapped[int] = mapped_column(BigInteger, default=0)
    closed: Mapped[bool] = mapped_column(default=False)
    declared: Mapped[bool] = mapped_column(default=False)
    synced: Mapped[datetime | None] = mapped_column(Moment)


class Project(Base):
    """One project of one index. What lists show of it is kept beside it and set anew with each change."""

    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    name: Mapped[str] = mapped_column(String(200))
    display_name: Mapped[str] = mapped_column(String(200))
    lookalike: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20), default="active")
    status_reason: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Moment)
    updated: Mapped[datetime] = mapped_column(Moment)
    serial: Mapped[int] = mapped_column(BigInteger, default=0)
    file_count: Mapped[int] = mapped_column(Integer, default=0)
    latest_version: Mapped[str | None] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index("uq_projects_index_id_name", "index_id", "name", unique=True),
        Index("ix_projects_index_id_updated", "index_id", "updated"),
        Index("ix_projects_index_id_created", "index_id", "created"),
        Index("ix_projects_index_id_lookalike", "index_id", "lookalike"),
    )


class Release(Base):
    """One version of a project. Its metadata is that of the first file that came."""

    __tablename__ = "releases"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    version: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(200))
    created: Mapped[datetime] = mapped_column(Moment)
    core_metadata: Mapped[dict[str, Any]] = mapped_column(JSON)
    description: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index("uq_releases_project_id_key", "project_id", "key", unique=True),
        Index("ix_releases_created", "created"),
    )


class RenderedDescription(Base):
    """A release's description as HTML, or NULL for plain text, and which rendering it is of.

    ``notes`` and ``problem`` are those of ``distributions.descriptions.Rendered``.
    """

    __tablename__ = "rendered_descriptions"
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    renderer: Mapped[str] = mapped_column(String(300))
    html: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[list[str]] = mapped_column(JSON)
    problem: Mapped[str] = mapped_column(Text, default="")


class File(Base):
    """One distribution. ``yanked`` is NULL or the reason, perhaps empty; ``location`` its key in the store."""

    __tablename__ = "files"
    id: Mapped[int] = mapped_column(primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    filename_key: Mapped[str] = mapped_column(String(255))
    location: Mapped[str] = mapped_column(String(600))
    kind: Mapped[str] = mapped_column(String(20))
    python_tag: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    md5: Mapped[str] = mapped_column(String(32))
    blake2b: Mapped[str] = mapped_column(String(64))
    requires_python: Mapped[str | None] = mapped_column(Text)
    yanked: Mapped[str | None] = mapped_column(Text)
    uploaded: Mapped[datetime] = mapped_column(Moment)
    uploader: Mapped[str] = mapped_column(String(200))
    metadata_sha256: Mapped[str | None] = mapped_column(String(64))
    has_provenance: Mapped[bool] = mapped_column(default=False)
    comment: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index("uq_files_index_id_filename_key", "index_id", "filename_key", unique=True),
        Index("uq_files_index_id_location", "index_id", "location", unique=True),
        Index("ix_files_index_id_uploaded", "index_id", "uploaded"),
    )


class CoreMetadataFile(Base):
    """The exact bytes of a distribution's METADATA or PKG-INFO (PEP 658), deflated."""

    __tablename__ = "core_metadata_files"
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class Attestations(Base):
    """The attestations that came with an upload, as sent (PEP 740), not yet verified."""

    __tablename__ = "attestations"
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class BurnedFilename(Base):
    """A filename whose file was deleted; it is not given out again unless the deletion is undone."""

    __tablename__ = "burned_filenames"
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"), primary_key=True)
    filename_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    deleted: Mapped[datetime] = mapped_column(Moment)


class Deletion(Base):
    """One deletion that can be undone until ``expires``: of a project, or of one ``version`` or ``filename`` of it.

    ``ended`` is set before its bytes go: from then on it is never undone, and what a crash cuts off is gone on with.
    """

    __tablename__ = "deletions"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    version: Mapped[str | None] = mapped_column(String(200))
    filename: Mapped[str | None] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(String(200))
    deleted: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment, index=True)
    ended: Mapped[datetime | None] = mapped_column(Moment)
    files: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(BigInteger)


class DeletedRelease(Base):
    """A release as it was when files of it were deleted. ``rows`` has every row about it, by table."""

    __tablename__ = "deleted_releases"
    id: Mapped[int] = mapped_column(primary_key=True)
    deletion_id: Mapped[int] = mapped_column(ForeignKey("deletions.id", ondelete="CASCADE"), index=True)
    version: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(200))
    rows: Mapped[dict[str, Any]] = mapped_column(JSON)


class DeletedFile(Base):
    """A file that was deleted, whose bytes still lie at ``location``. ``rows`` has every row about it, by table."""

    __tablename__ = "deleted_files"
    id: Mapped[int] = mapped_column(primary_key=True)
    deletion_id: Mapped[int] = mapped_column(ForeignKey("deletions.id", ondelete="CASCADE"), index=True)
    deleted_release_id: Mapped[int] = mapped_column(ForeignKey("deleted_releases.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    filename_key: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(20))
    location: Mapped[str] = mapped_column(String(600), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[dict[str, Any]] = mapped_column(JSON)


class JournalEntry(Base):
    """One change, and who made it. Serials rise and are never reused; ``chain`` hashes the row onto the one before."""

    __tablename__ = "journal"
    serial: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    action: Mapped[str] = mapped_column(String(60))
    index_name: Mapped[str | None] = mapped_column(String(100))
    project: Mapped[str | None] = mapped_column(String(200))
    version: Mapped[str | None] = mapped_column(String(200))
    filename: Mapped[str | None] = mapped_column(String(255))
    actor: Mapped[str] = mapped_column(String(200))
    token: Mapped[str | None] = mapped_column(String(40))
    address: Mapped[str | None] = mapped_column(String(80))
    request_id: Mapped[str | None] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    chain: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        Index("ix_journal_index_name_project_serial", "index_name", "project", "serial"),
        Index("ix_journal_actor_serial", "actor", "serial"),
        Index("ix_journal_at", "at"),
    )


class JobRun(Base):
    """A run of a background job. ``outcome`` is a word of ``database.job_runs.Outcome``."""

    __tablename__ = "job_runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    started: Mapped[datetime] = mapped_column(Moment)
    ended: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str] = mapped_column(String(20))
    summary: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index("ix_job_runs_job", "job"),)


class Counter(Base):
    """Named numbers: ``access`` moves with every change of accounts, so that cached verdicts end at once."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class DownloadCount(Base):
    """Whole downloads on a day (days since 1970, UTC), by one dimension at a time: never by several together.

    ``project`` "" is the whole index. What ``value`` and ``detail`` are is said by ``database.statistics.Dimension``.
    The rows lie in the order of the key, so that what one drawing needs lies together.
    """

    __tablename__ = "download_counts"
    index_name: Mapped[str] = mapped_column(String(100), primary_key=True)
    project: Mapped[str] = mapped_column(String(200), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(20), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    detail: Mapped[str] = mapped_column(String(255), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = ({"sqlite_with_rowid": False},)


class Word(Base):
    """The words of names and summaries, forwards and backwards: where spelling suggestions come from."""

    __tablename__ = "words"
    word: Mapped[str] = mapped_column(String(60), primary_key=True)
    backwards: Mapped[str] = mapped_column(String(60), index=True)


class Listing(Base):
    """What lists and the search sort a project by, in a narrow row. There is one for each project that may be shown:
    it has files and is not quarantined.

    ``downloads`` are the whole ones of all time that are in the table of downloads; ``is_yanked``: every release is.
    """

    __tablename__ = "listings"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    name: Mapped[str] = mapped_column(String(200))
    updated: Mapped[datetime] = mapped_column(Moment)
    downloads: Mapped[int] = mapped_column(BigInteger, default=0)
    is_yanked: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (
        Index("ix_listings_index_id_name", "index_id", "name"),
        Index("ix_listings_index_id_updated", "index_id", "updated"),
        Index("ix_listings_index_id_downloads", "index_id", "downloads", "name"),
    )


class Facet(Base):
    """A licence or a classifier that shown projects have, and how many do."""

    __tablename__ = "facets"
    id: Mapped[int] = mapped_column(primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(200))
    projects: Mapped[int] = mapped_column(Integer, default=0)
    __table_args__ = (
        Index("uq_facets_index_id_kind_value", "index_id", "kind", "value", unique=True),
        Index("ix_facets_index_id_kind_projects", "index_id", "kind", "projects"),
    )


class ProjectFacet(Base):
    """A shown project has this licence or classifier."""

    __tablename__ = "project_facets"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    facet_id: Mapped[int] = mapped_column(ForeignKey("facets.id"), primary_key=True)


class Requirement(Base):
    """What the release that stands for a project requires of another: ``texts`` as the metadata has them.

    Kept beside ``latest_version``, in the same transaction. ``required`` is a normalized name, also of projects that
    are not on the index; ``project`` is that of the one that requires it, so that users of it are read in order.
    """

    __tablename__ = "requirements"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    required: Mapped[str] = mapped_column(String(200), primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    project: Mapped[str] = mapped_column(String(200))
    texts: Mapped[list[str]] = mapped_column(JSON)
    __table_args__ = (Index("ix_requirements_index_id_required_project", "index_id", "required", "project"),)
