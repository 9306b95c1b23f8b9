"""The tables of people: accounts, teams, roles, tokens, sessions, second factors, trusted publishers.

Secrets are kept as hashes, or sealed where they have to be read again (seeds of one-time codes).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from database.models import Base, Moment


class User(Base):
    """An account. Deactivated, never erased. ``default_password`` stands until the shipped password is changed.

    ``source`` says who checks the password: "table", or the directory that the person comes from; ``admin_source`` is
    the directory whose groups made them an administrator, "" where that was done by hand.
    """

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(100))
    username_key: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(300))
    email: Mapped[str] = mapped_column(String(300), default="")
    is_admin: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    default_password: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(Moment)
    last_login: Mapped[datetime | None] = mapped_column(Moment)
    source: Mapped[str] = mapped_column(String(20), default="table")
    admin_source: Mapped[str] = mapped_column(String(20), default="")


class LinkedIdentity(Base):
    """Who an OpenID provider or a directory says a person is: its issuer and the subject there, never the e-mail."""

    __tablename__ = "linked_identities"
    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created: Mapped[datetime] = mapped_column(Moment)


class Team(Base):
    """People who hold roles together."""

    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    created: Mapped[datetime] = mapped_column(Moment)


class TeamMember(Base):
    """A person in a team. ``source`` is "" for one put there by hand, else the directory whose groups say so."""

    __tablename__ = "team_members"
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    source: Mapped[str] = mapped_column(String(20), default="")
    added: Mapped[datetime] = mapped_column(Moment)


class Grant(Base):
    """A role that a person or a team holds on an index (``project`` empty) or on one project of it."""

    __tablename__ = "grants"
    id: Mapped[int] = mapped_column(primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    project: Mapped[str] = mapped_column(String(200), default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    created: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (
        Index("uq_grants_index_id_project_user_id", "index_id", "project", "user_id", unique=True),
        Index("uq_grants_index_id_project_team_id", "index_id", "project", "team_id", unique=True),
    )


class NamePattern(Base):
    """Names such as ``acme-*`` under which only one team's people may start a project."""

    __tablename__ = "name_patterns"
    id: Mapped[int] = mapped_column(primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    pattern: Mapped[str] = mapped_column(String(200))
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), index=True)
    created: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (Index("uq_name_patterns_index_id_pattern", "index_id", "pattern", unique=True),)


class Token(Base):
    """An API token: its public id, and the hash of its secret. Revoked, never erased.

    ``scopes`` are words with spaces between them; ``index_name`` NULL is any index, ``projects`` empty any project.
    """

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True)
    secret_sha256: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    created: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime | None] = mapped_column(Moment)
    revoked: Mapped[datetime | None] = mapped_column(Moment)
    last_used: Mapped[datetime | None] = mapped_column(Moment)
    last_address: Mapped[str | None] = mapped_column(String(80))
    scopes: Mapped[str] = mapped_column(String(100), default="read upload yank admin")
    index_name: Mapped[str | None] = mapped_column(String(100))
    projects: Mapped[list[str]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Text, default="")


class Session(Base):
    """A signed-in browser: the hash of its cookie, its person, its end.

    ``method`` says how they proved who they are, ``proved`` when last; ``public_id`` names it to its person.
    """

    __tablename__ = "sessions"
    id_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created: Mapped[datetime] = mapped_column(Moment)
    last_seen: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment)
    address: Mapped[str | None] = mapped_column(String(80))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    public_id: Mapped[str] = mapped_column(String(20), unique=True)
    method: Mapped[str] = mapped_column(String(40), default="password")
    proved: Mapped[datetime] = mapped_column(Moment)


class UsedTicket(Base):
    """A ticket that was used and is good no more: its hash, until it would have ended."""

    __tablename__ = "used_tickets"
    id_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(40))
    expires: Mapped[datetime] = mapped_column(Moment)


class Factor(Base):
    """A second factor: "totp" with its sealed seed and the last step that was used, or "passkey" with its key."""

    __tablename__ = "factors"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    created: Mapped[datetime] = mapped_column(Moment)
    last_used: Mapped[datetime | None] = mapped_column(Moment)
    sealed_seed: Mapped[str] = mapped_column(Text, default="")
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    credential_id: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)


class RecoveryCode(Base):
    """The hash of a code that stands in for a lost second factor, once."""

    __tablename__ = "recovery_codes"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    code_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    used: Mapped[datetime | None] = mapped_column(Moment)


class TrustedPublisher(Base):
    """A CI job that may upload to a project without a password, told by the claims of its provider's token."""

    __tablename__ = "publishers"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"))
    project: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    issuer: Mapped[str] = mapped_column(String(300), index=True)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    last_used: Mapped[datetime | None] = mapped_column(Moment)
    __table_args__ = (Index("ix_publishers_index_id_project", "index_id", "project"),)


class MintedToken(Base):
    """A short-lived upload token that a trusted publisher got for one project."""

    __tablename__ = "minted_tokens"
    public_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publishers.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment)
    burned: Mapped[datetime | None] = mapped_column(Moment)
    claims: Mapped[dict[str, Any]] = mapped_column(JSON)


class SeenIdentityToken(Base):
    """A provider's token that was taken once and is not taken again while it would stand."""

    __tablename__ = "seen_identity_tokens"
    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires: Mapped[datetime] = mapped_column(Moment)


class Provenance(Base):
    """What was verified of a file's attestations: the provenance object (PEP 740), and the facts for people."""

    __tablename__ = "provenances"
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
