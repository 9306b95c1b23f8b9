"""Trusted publishers and the short-lived tokens that they got: queries and writes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from database.engine import Database
from database.identity_models import MintedToken, SeenIdentityToken, TrustedPublisher, User
from database.models import PackageIndex, Project
from errors import UnknownIndex, UnknownPublisher

# An ended token's row is of no use; what it did stands in the journal.
_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PublisherRow:
    """A trusted publisher. ``id`` is public, ``row`` the database's; ``created_by`` and ``user_id`` are who added it,
    None for the shell. ``pending``: its project has no file yet.
    """

    row: int
    id: str
    index: str
    project: str
    kind: str
    issuer: str
    fields: Mapping[str, Any]
    created: datetime
    created_by: str | None
    last_used: datetime | None
    pending: bool
    user_id: int | None


@dataclass(frozen=True, slots=True)
class NewPublisher:
    """What a trusted publisher is to be."""

    index: str
    project: str
    kind: str
    issuer: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Minted:
    """A short-lived upload token; the journal calls its bearer ``name``.

    ``projects`` are those of its publishers that still stand, each with the user who added the publisher.
    """

    name: str
    index: str
    projects: tuple[tuple[str, str | None], ...]
    secret_sha256: str
    expires: datetime
    burned: bool
    publisher_id: int


@dataclass(frozen=True, slots=True)
class NewMinted:
    """What a short-lived token is to be; its secret as a hash. ``publishers`` are rows, the first one its own."""

    public_id: str
    secret_sha256: str
    name: str
    publishers: tuple[int, ...]
    expires: datetime
    claims: Mapping[str, Any]


class Publishers:
    """The reader of trusted publishers. The functions below it change them, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def minted(self, public_id: str) -> Minted | None:
        """The short-lived token of that public id, whether it stands or not."""
        with self.database.reading() as connection:
            row = connection.execute(
                select(
                    MintedToken.name, PackageIndex.name, MintedToken.secret_sha256, MintedToken.expires,
                    MintedToken.burned, TrustedPublisher.id, MintedToken.claims,
                )
                .join(TrustedPublisher, TrustedPublisher.id == MintedToken.publisher_id)
                .join(PackageIndex, PackageIndex.id == TrustedPublisher.index_id)
                .where(MintedToken.public_id == public_id)
            ).first()  # fmt: skip
            if row is None:
                return None
            found = connection.execute(
                select(TrustedPublisher.project, User.username)
                .outerjoin(User, User.id == TrustedPublisher.created_by)
                .where(TrustedPublisher.id.in_(_publishers_of(row[6], row[5])))
                .order_by(TrustedPublisher.id.desc())
            )
            projects = tuple((one[0], one[1]) for one in found)
        return Minted(row[0], row[1], projects, row[2], row[3], row[4] is not None, row[5])

    def of_token(self, public_id: str, project: str) -> PublisherRow | None:
        """The publisher by which a short-lived token uploads to this project, or None."""
        with self.database.reading() as connection:
            row = connection.execute(
                select(MintedToken.claims, MintedToken.publisher_id).where(MintedToken.public_id == public_id)
            ).first()
            if row is None:
                return None
            found = connection.execute(
                _rows().where(
                    TrustedPublisher.id.in_(_publishers_of(row[0], row[1])), TrustedPublisher.project == project
                )
            ).first()
        return PublisherRow(*found) if found else None

    def of_project(self, index: str, project: str) -> list[PublisherRow]:
        """The publishers of a project, newest first."""
        return self._found(PackageIndex.name == index, TrustedPublisher.project == project)

    def of_issuer(self, index: str, issuer: str) -> list[PublisherRow]:
        """The publishers of an index whose tokens this issuer signs, newest first."""
        return self._found(PackageIndex.name == index, TrustedPublisher.issuer == issuer)

    def of_index(self, index: str) -> list[PublisherRow]:
        """Every publisher of an index, newest first."""
        return self._found(PackageIndex.name == index)

    def pending_of(self, user_id: int) -> list[PublisherRow]:
        """The publishers that a user added for projects that have no file yet, newest first."""
        return [row for row in self._found(TrustedPublisher.created_by == user_id) if row.pending]

    def _found(self, *where: Any) -> list[PublisherRow]:
        with self.database.reading() as connection:
            return [PublisherRow(*row) for row in connection.execute(_rows().where(*where))]


def _publishers_of(claims: Mapping[str, Any], first: int) -> list[int]:
    """The rows of the publishers that a token was given for."""
    return [int(one) for one in claims.get("publishers", [first])]


def _rows() -> Select[Any]:
    has_files = (
        select(Project.id)
        .where(
            Project.index_id == TrustedPublisher.index_id,
            Project.name == TrustedPublisher.project,
            Project.file_count > 0,
        )
        .exists()
    )
    return (
        select(
            TrustedPublisher.id, TrustedPublisher.public_id, PackageIndex.name, TrustedPublisher.project,
            TrustedPublisher.kind, TrustedPublisher.issuer, TrustedPublisher.fields, TrustedPublisher.created,
            User.username, TrustedPublisher.last_used, ~has_files, TrustedPublisher.created_by,
        )
        .join(PackageIndex, PackageIndex.id == TrustedPublisher.index_id)
        .outerjoin(User, User.id == TrustedPublisher.created_by)
        .order_by(TrustedPublisher.id.desc())
    )  # fmt: skip


def publishers_of(connection: Connection, index: str, project: str) -> list[PublisherRow]:
    """The publishers of a project, within a transaction."""
    found = connection.execute(_rows().where(PackageIndex.name == index, TrustedPublisher.project == project))
    return [PublisherRow(*row) for row in found]


def add_publisher(connection: Connection, new: NewPublisher, user_id: int | None, at: datetime) -> str:
    """Keep a publisher; its public id. Raises UnknownIndex."""
    index_id = connection.execute(select(PackageIndex.id).where(PackageIndex.name == new.index)).scalar_one_or_none()
    if index_id is None:
        raise UnknownIndex(new.index)
    public_id = secrets.token_hex(5)
    connection.execute(
        insert(TrustedPublisher).values(
            public_id=public_id, index_id=index_id, project=new.project, kind=new.kind, issuer=new.issuer,
            fields=dict(new.fields), created=at, created_by=user_id,
        )
    )  # fmt: skip
    return public_id


def remove_publisher(
    connection: Connection, index: str, project: str, public_id: str, added_by: int | None = None
) -> PublisherRow:
    """Remove a publisher and its tokens; what it was.

    Raises UnknownPublisher, also for another project's, and for one that another than ``added_by`` added.
    """
    for row in publishers_of(connection, index, project):
        if row.id == public_id and added_by in {None, row.user_id}:
            connection.execute(delete(TrustedPublisher).where(TrustedPublisher.id == row.row))
            return row
    raise UnknownPublisher


def use_publisher(connection: Connection, row: int, fields: Mapping[str, Any], at: datetime) -> bool:
    """Note that a publisher was used, with its fields as they are known now; False if it was removed meanwhile."""
    done = connection.execute(
        update(TrustedPublisher).where(TrustedPublisher.id == row).values(last_used=at, fields=dict(fields))
    )
    return done.rowcount > 0


def take_identity_token(connection: Connection, issuer: str, token_sha256: str, expires: datetime) -> bool:
    """Take a provider's token for the first time; False if it was taken before."""
    done = connection.execute(
        insert(SeenIdentityToken)
        .prefix_with("OR IGNORE", dialect="sqlite")
        .values(issuer=issuer, token_sha256=token_sha256, expires=expires)
    )
    return done.rowcount > 0


def add_minted(connection: Connection, new: NewMinted, at: datetime) -> None:
    """Keep a short-lived token."""
    connection.execute(
        insert(MintedToken).values(
            public_id=new.public_id, secret_sha256=new.secret_sha256, name=new.name, publisher_id=new.publishers[0],
            created=at, expires=new.expires, claims={**new.claims, "publishers": list(new.publishers)},
        )
    )  # fmt: skip


def burn_minted(connection: Connection, public_id: str, at: datetime) -> bool:
    """End a short-lived token; False if it had ended."""
    done = connection.execute(
        update(MintedToken)
        .where(MintedToken.public_id == public_id, MintedToken.burned.is_(None), MintedToken.expires > at)
        .values(burned=at)
    )
    return done.rowcount > 0


def sweep(connection: Connection, at: datetime) -> None:
    """Forget the tokens whose time is over."""
    connection.execute(delete(SeenIdentityToken).where(SeenIdentityToken.expires < at))
    connection.execute(delete(MintedToken).where(MintedToken.expires < at - _KEPT))


def count_added_by(connection: Connection, user_id: int | None) -> int:
    """How many publishers a user added, of those that stand."""
    statement = select(func.count()).select_from(TrustedPublisher).where(TrustedPublisher.created_by == user_id)
    return connection.execute(statement).scalar_one()
