"""The tables of what an index adds to what it holds: bases, upstreams, and the names for which neither answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from database.models import Base, Moment


class IndexBase(Base):
    """An index whose projects another one shows too, in order of ``position``."""

    __tablename__ = "index_bases"
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"), primary_key=True)
    base_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(Integer)


class Upstream(Base):
    """An index elsewhere from which an index takes what it does not hold. ``mode`` is "redirect" or "cache".

    ``public_id`` names it, also where its pages and files are kept; ``sealed_password`` is its secret, sealed.
    """

    __tablename__ = "upstreams"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    url: Mapped[str] = mapped_column(String(500))
    mode: Mapped[str] = mapped_column(String(20))
    username: Mapped[str] = mapped_column(String(200), default="")
    sealed_password: Mapped[str] = mapped_column(Text, default="")
    allow_private: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(Moment)


class KeptName(Base):
    """A name, or names such as ``acme-*``, which an index never asks of a base or an upstream; no index: none does."""

    __tablename__ = "kept_names"
    id: Mapped[int] = mapped_column(primary_key=True)
    index_id: Mapped[int | None] = mapped_column(ForeignKey("indexes.id"))
    pattern: Mapped[str] = mapped_column(String(200))
    created: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(200))
    __table_args__ = (Index("uq_kept_names_index_id_pattern", "index_id", "pattern", unique=True),)


class OpenedName(Base):
    """A project whose owner lets bases and upstreams add files to it."""

    __tablename__ = "opened_names"
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"), primary_key=True)
    project: Mapped[str] = mapped_column(String(200), primary_key=True)
    created: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(200))


class IndexSession(Base):
    """A browser that came with a secret of a declared index: the hash of its cookie, the index, its end.

    ``uploads`` where the secret is the one to upload with; ``stamp`` tells the secret from others.
    """

    __tablename__ = "index_sessions"
    id_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"), index=True)
    uploads: Mapped[bool] = mapped_column()
    stamp: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(Moment)
    last_seen: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment)
    address: Mapped[str | None] = mapped_column(String(80))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
