"""Second factors and recovery codes: queries and writes. Seeds come sealed, codes as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from database.accounts import Account, Accounts
from database.engine import Database
from database.identity_models import Factor, RecoveryCode, UsedTicket
from errors import UnknownFactor

TOTP = "totp"
PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A second factor: an authenticator app with its sealed seed and last step, or a passkey with its key."""

    id: int
    public_id: str
    user_id: int
    kind: str
    name: str
    created: datetime
    last_used: datetime | None
    sealed_seed: str
    last_step: int | None
    credential_id: bytes | None
    public_key: bytes | None
    sign_count: int


class Factors:
    """The reader of second factors. The functions below it change them, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._accounts = Accounts(database)

    def of_user(self, user_id: int) -> list[FactorRow]:
        """The factors of a user, oldest first."""
        with self.database.reading() as connection:
            return of_user(connection, user_id)

    def passkey(self, credential_id: bytes) -> tuple[Account, FactorRow] | None:
        """The passkey of that id with its owner, or None."""
        with self.database.reading() as connection:
            row = connection.execute(_factors().where(Factor.credential_id == credential_id)).first()
        if row is None:
            return None
        account = self._accounts.by_id(row.user_id)
        return (account, FactorRow(*row)) if account is not None else None

    def codes_left(self, user_id: int) -> int:
        """How many recovery codes of a user are good."""
        with self.database.reading() as connection:
            return connection.execute(
                select(func.count())
                .select_from(RecoveryCode)
                .where(RecoveryCode.user_id == user_id, RecoveryCode.used.is_(None))
            ).scalar_one()


def _factors() -> Any:
    return select(
        Factor.id, Factor.public_id, Factor.user_id, Factor.kind, Factor.name, Factor.created, Factor.last_used,
        Factor.sealed_seed, Factor.last_step, Factor.credential_id, Factor.public_key, Factor.sign_count,
    ).order_by(Factor.id)  # fmt: skip


def of_user(connection: Connection, user_id: int) -> list[FactorRow]:
    """The factors of a user, oldest first, within a transaction."""
    return [FactorRow(*row) for row in connection.execute(_factors().where(Factor.user_id == user_id))]


def add_factor(connection: Connection, **values: object) -> None:
    """Keep a new factor; the values are those of the table."""
    connection.execute(insert(Factor).values(**values))


def use_factor(connection: Connection, factor_id: int, at: datetime, **values: object) -> None:
    """Note that a factor was used: its last step, or its counter."""
    connection.execute(update(Factor).where(Factor.id == factor_id).values(last_used=at, **values))


def remove_factor(connection: Connection, user_id: int, public_id: str) -> str:
    """Remove a factor of a user; its name. Raises UnknownFactor, also for another's."""
    here = (Factor.user_id == user_id) & (Factor.public_id == public_id)
    name = connection.execute(select(Factor.name).where(here)).scalar_one_or_none()
    if name is None:
        raise UnknownFactor
    connection.execute(delete(Factor).where(here))
    return name


def remove_all(connection: Connection, user_id: int) -> int:
    """Remove every factor and recovery code of a user; how many factors there were."""
    connection.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    return connection.execute(delete(Factor).where(Factor.user_id == user_id)).rowcount


def set_codes(connection: Connection, user_id: int, hashes: Sequence[str]) -> None:
    """Keep the hashes of new recovery codes in the place of all earlier ones."""
    connection.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    if hashes:
        connection.execute(insert(RecoveryCode), [{"user_id": user_id, "code_sha256": one} for one in hashes])


def use_code(connection: Connection, user_id: int, code_sha256: str, at: datetime) -> bool:
    """Use a recovery code up; whether it was good."""
    used = connection.execute(
        update(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.code_sha256 == code_sha256, RecoveryCode.used.is_(None))
        .values(used=at)
    ).rowcount
    return used == 1


def use_once(connection: Connection, id_sha256: str, purpose: str, *, expires: datetime, at: datetime) -> bool:
    """Note that a ticket was used; False if it was before. Those that have ended are forgotten."""
    connection.execute(delete(UsedTicket).where(UsedTicket.expires <= at))
    if connection.execute(select(UsedTicket.purpose).where(UsedTicket.id_sha256 == id_sha256)).first() is not None:
        return False
    connection.execute(insert(UsedTicket).values(id_sha256=id_sha256, purpose=purpose, expires=expires))
    return True
