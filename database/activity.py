"""What happened lately, for those who look after the server: uploads. Downloads are in ``download_figures``."""

from __future__ import annotations

from sqlalchemy import select

from database.catalogue import Upload
from database.engine import Database
from database.models import File, PackageIndex, Project, Release


class Activity:
    """The activity of one index."""

    def __init__(self, database: Database, index: str = "main") -> None:
        self.database = database
        self.index = index

    def uploads(self, *, limit: int, offset: int = 0) -> list[Upload]:
        """The files of the index, newest first, also those of quarantined projects."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(Project.name, Release.version, File.filename, File.uploader, File.uploaded, File.size)
                .join(Release, Release.id == File.release_id)
                .join(Project, Project.id == File.project_id)
                .join(PackageIndex, PackageIndex.id == File.index_id)
                .where(PackageIndex.name == self.index)
                .order_by(File.uploaded.desc(), File.id.desc())
                .limit(limit)
                .offset(offset)
            )
            return [Upload(*row) for row in rows]
