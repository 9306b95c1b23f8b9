"""Users: queries and writes. Secrets come here as hashes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from database.engine import Database
from database.identity_models import Factor, LinkedIdentity, User
from database.journal import ACCESS
from errors import NameTaken, UnknownUser, shown

TABLE = "table"  # the source of an account whose password is kept here


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the rest of the program sees one. ``source`` says who checks the password."""

    id: int
    username: str
    password_hash: str
    email: str
    is_admin: bool
    active: bool
    default_password: bool
    created: datetime
    last_login: datetime | None
    source: str
    has_factor: bool


class Accounts:
    """The reader of accounts. The functions below it change them, inside a ``Change``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._access = (-1, 0)

    def access_serial(self) -> int:
        """A number that moves with every change of accounts and rights; kept until anything in the database changes."""
        now = self.database.changes.current()
        seen_at, serial = self._access
        if seen_at != now:
            row = self.database.quick("SELECT value FROM counters WHERE name = ?", (ACCESS,))
            serial = int(row[0]) if row else 0
            self._access = (now, serial)
        return serial

    def user(self, username: str) -> Account | None:
        """The account of that name, in whatever case, or None."""
        return self._one(User.username_key == username.lower())

    def by_id(self, user_id: int) -> Account | None:
        """The account of a row."""
        return self._one(User.id == user_id)

    def linked(self, issuer: str, subject: str) -> Account | None:
        """The account of whom an issuer calls ``subject``, or None."""
        return self._one(
            User.id.in_(
                select(LinkedIdentity.user_id).where(LinkedIdentity.issuer == issuer, LinkedIdentity.subject == subject)
            )
        )

    def is_linked(self, user_id: int) -> bool:
        """Whether a directory or provider is known to know a user."""
        with self.database.reading() as connection:
            statement = select(LinkedIdentity.issuer).where(LinkedIdentity.user_id == user_id).limit(1)
            return connection.execute(statement).first() is not None

    def is_linked_by(self, username: str, issuer: str) -> bool:
        """Whether this issuer is known to know the user of that name."""
        statement = (
            select(LinkedIdentity.issuer)
            .join(User, User.id == LinkedIdentity.user_id)
            .where(User.username_key == username.lower(), LinkedIdentity.issuer == issuer)
        )
        with self.database.reading() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def _one(self, *where: Any) -> Account | None:
        with self.database.reading() as connection:
            row = connection.execute(account_columns().where(*where)).first()
        return Account(*row) if row else None

    def users(self) -> list[Account]:
        """Every account, by name."""
        with self.database.reading() as connection:
            return [Account(*row) for row in connection.execute(account_columns().order_by(User.username_key))]

    def has_admin(self) -> bool:
        """Whether an active administrator exists."""
        with self.database.reading() as connection:
            row = connection.execute(select(User.id).where(User.is_admin, User.active).limit(1)).first()
        return row is not None

    def default_password_stands(self) -> bool:
        """Whether an active account still has the shipped password."""
        with self.database.reading() as connection:
            row = connection.execute(select(User.id).where(User.default_password, User.active).limit(1)).first()
        return row is not None


def account_columns(*more: Any) -> Any:
    """The columns that make an Account, and more behind them."""
    has_factor = select(Factor.id).where(Factor.user_id == User.id).exists()
    return select(
        User.id, User.username, User.password_hash, User.email, User.is_admin, User.active, User.default_password,
        User.created, User.last_login, User.source, has_factor, *more,
    )  # fmt: skip


ACCOUNT_COLUMNS = 11


def add_user(
    connection: Connection,
    username: str,
    password_hash: str,
    *,
    at: datetime,
    email: str = "",
    is_admin: bool = False,
    default: bool = False,
    source: str = TABLE,
) -> int:
    """Make an account; its row. Raises NameTaken."""
    if find_user(connection, username) is not None:
        raise NameTaken(f"A user named {shown(username)} exists; choose another name, or change that user's password.")
    return connection.execute(
        insert(User)
        .values(
            username=username, username_key=username.lower(), password_hash=password_hash, email=email,
            is_admin=is_admin, active=True, default_password=default, created=at, source=source,
        )
        .returning(User.id)
    ).scalar_one()  # fmt: skip


def change_user(connection: Connection, username: str, **values: object) -> None:
    """Change columns of an account: ``password_hash``, ``default_password``, ``active``, ``is_admin``, ``email``,
    ``last_login``, ``source``, ``admin_source``. Raises UnknownUser.
    """
    user_id = user_id_of(connection, username)
    connection.execute(update(User).where(User.id == user_id).values(**values))


def admin_source(connection: Connection, user_id: int) -> str:
    """Which directory made somebody an administrator; "" if it was done by hand, or not at all."""
    return connection.execute(select(User.admin_source).where(User.id == user_id)).scalar_one()


def count_active_admins(connection: Connection) -> int:
    """How many active administrators there are."""
    return connection.execute(select(func.count()).select_from(User).where(User.is_admin, User.active)).scalar_one()


def user_id_of(connection: Connection, username: str) -> int:
    """The row of a user. Raises UnknownUser."""
    found = find_user(connection, username)
    if found is None:
        raise UnknownUser(username)
    return found


def find_user(connection: Connection, username: str) -> int | None:
    """The row of a user, or None."""
    return connection.execute(select(User.id).where(User.username_key == username.lower())).scalar_one_or_none()


def link_identity(connection: Connection, user_id: int, issuer: str, subject: str, at: datetime) -> None:
    """Keep who an issuer says that a person is; a link of the same subject to somebody else is replaced."""
    connection.execute(delete(LinkedIdentity).where(LinkedIdentity.issuer == issuer, LinkedIdentity.subject == subject))
    connection.execute(insert(LinkedIdentity).values(issuer=issuer, subject=subject, user_id=user_id, created=at))


def unlink_identities(connection: Connection, user_id: int) -> bool:
    """Forget whom others know as a user; whether anything was known."""
    return bool(connection.execute(delete(LinkedIdentity).where(LinkedIdentity.user_id == user_id)).rowcount)
