"""Trusted publishers and the short-lived tokens that they got: queries and writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from database.engine import Database
from database.identity_models import MintedToken, TrustedPublisher
from database.models import PackageIndex


@dataclass(frozen=True, slots=True)
class Minted:
    """A short-lived upload token of a publisher, and what it is for; the journal calls its bearer ``name``."""

    name: str
    index: str
    project: str
    secret_sha256: str
    expires: datetime
    burned: bool
    publisher_id: int


class Publishers:
    """The reader of trusted publishers."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def minted(self, public_id: str) -> Minted | None:
        """The short-lived token of that public id, whether it stands or not."""
        with self.database.reading() as connection:
            row = connection.execute(
                select(
                    MintedToken.name, PackageIndex.name, TrustedPublisher.project, MintedToken.secret_sha256,
                    MintedToken.expires, MintedToken.burned, TrustedPublisher.id,
                )
                .join(TrustedPublisher, TrustedPublisher.id == MintedToken.publisher_id)
                .join(PackageIndex, PackageIndex.id == TrustedPublisher.index_id)
                .where(MintedToken.public_id == public_id)
            ).first()  # fmt: skip
        if row is None:
            return None
        return Minted(row[0], row[1], row[2], row[3], row[4], row[5] is not None, row[6])
