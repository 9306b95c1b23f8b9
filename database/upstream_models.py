"""The tables of what came from other indexes: their pages, and which files were taken in.

They belong to an upstream's key, not to an index's projects: nothing of an upstream is ever among those.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from database.models import Base, Moment


class UpstreamPage(Base):
    """A project's page as an upstream gave it; the columns are those of ``simple.kept.KeptPage``."""

    __tablename__ = "upstream_pages"
    upstream: Mapped[str] = mapped_column(String(200), primary_key=True)
    project: Mapped[str] = mapped_column(String(200), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(64))
    etag: Mapped[str] = mapped_column(String(200))
    last_modified: Mapped[str] = mapped_column(String(200))
    serial: Mapped[int] = mapped_column(BigInteger)
    fetched: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment)
    is_gone: Mapped[bool] = mapped_column(default=False)


class UpstreamFile(Base):
    """A file that was ever taken in: what it was then stands for ever, also when its bytes are no longer kept.

    ``told_digest`` is "" or what the upstream tells of it now that is something else (``algorithm=hex``).
    """

    __tablename__ = "upstream_files"
    upstream: Mapped[str] = mapped_column(String(200), primary_key=True)
    filename: Mapped[str] = mapped_column(String(255), primary_key=True)
    project: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    location: Mapped[str] = mapped_column(String(100), index=True)
    first_seen: Mapped[datetime] = mapped_column(Moment)
    is_kept: Mapped[bool] = mapped_column(default=True)
    told_digest: Mapped[str] = mapped_column(String(200), default="")
    __table_args__ = (Index("ix_upstream_files_upstream_project", "upstream", "project"),)
