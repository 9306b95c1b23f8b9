"""The statements of an upload, built once: building one costs five to ten times what running it costs."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select, update

from database.models import BurnedFilename, CoreMetadataFile, File, PackageIndex, Project, Release

HELD = (
    select(File.id, File.filename, Project.name, Release.version, File.sha256, File.location, File.yanked, File.size)
    .join(Project, Project.id == File.project_id)
    .join(Release, Release.id == File.release_id)
    .order_by(File.id)
)
HELD_FILE = HELD.where(File.index_id == bindparam("index_id"), File.filename_key == bindparam("filename_key"))
INDEX_ID = select(PackageIndex.id).where(PackageIndex.name == bindparam("name"))
BURNED = select(BurnedFilename.sha256).where(
    BurnedFilename.index_id == bindparam("index_id"), BurnedFilename.filename_key == bindparam("filename_key")
)
PROJECT = select(Project.id, Project.status).where(
    Project.index_id == bindparam("index_id"), Project.name == bindparam("name")
)
RELEASE_ID = select(Release.id).where(Release.project_id == bindparam("project_id"), Release.key == bindparam("key"))
ADD_FILE = insert(File).returning(File.id)
ADD_PROJECT = insert(Project).returning(Project.id)
ADD_RELEASE = insert(Release).returning(Release.id)
ADD_METADATA = insert(CoreMetadataFile)
RELEASES = (
    select(Release.id, Release.version, func.count(File.id).label("files"), func.count(File.yanked).label("yanked"))
    .join(File, File.release_id == Release.id)
    .where(Release.project_id == bindparam("project_id"))
    .group_by(Release.id)
)
LATEST = select(Release.core_metadata).where(Release.id == bindparam("release_id"))
SHOWN = select(Project.latest_version).where(Project.id == bindparam("project_id"))
OFFERS = (
    select(File.id)
    .join(Release, Release.id == File.release_id)
    .where(Release.project_id == bindparam("project_id"), Release.key == bindparam("key"), File.yanked.is_(None))
    .limit(1)
)
NOTE = (
    update(Project)
    .where(Project.id == bindparam("project_id"))
    .values(updated=bindparam("at"), file_count=Project.file_count + 1)
)
NOTE_LATEST = NOTE.values(latest_version=bindparam("latest"), summary=bindparam("about"))
REFRESH = (
    update(Project)
    .where(Project.id == bindparam("project_id"))
    .values(
        updated=bindparam("at"),
        file_count=bindparam("files"),
        latest_version=bindparam("latest"),
        summary=bindparam("about"),
    )
)
