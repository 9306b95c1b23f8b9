"""The pages of other indexes as they were last known, by upstream and project."""

from __future__ import annotations

from dataclasses import asdict

from packaging.utils import NormalizedName
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from database.engine import Database
from database.journal import Change
from database.upstream_models import UpstreamPage
from simple.kept import KeptPage


class UpstreamPages:
    """Keeps pages. That one was asked for again is no change of an index: it has no journal row."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def load(self, upstream: str, name: NormalizedName) -> KeptPage | None:
        """The page that is kept, or None."""
        statement = select(
            UpstreamPage.body, UpstreamPage.digest, UpstreamPage.etag, UpstreamPage.last_modified, UpstreamPage.serial,
            UpstreamPage.fetched, UpstreamPage.expires, UpstreamPage.is_gone,
        ).where(UpstreamPage.upstream == upstream, UpstreamPage.project == name)  # fmt: skip
        with self.database.reading() as connection:
            row = connection.execute(statement).first()
        return None if row is None else KeptPage(*row)

    def save(self, upstream: str, name: NormalizedName, page: KeptPage) -> None:
        """Keep a page in the place of the one before. One that says the same as before is not written anew."""
        values = asdict(page)
        about = {key: value for key, value in values.items() if key not in {"body", "digest"}}
        same = (
            update(UpstreamPage)
            .where(UpstreamPage.upstream == upstream, UpstreamPage.project == name, UpstreamPage.digest == page.digest)
            .values(**about)
        )
        with self.database.writing() as change:
            if not change.connection.execute(same).rowcount:
                made = insert(UpstreamPage).values(upstream=upstream, project=name, **values)
                change.connection.execute(
                    made.on_conflict_do_update(index_elements=["upstream", "project"], set_=values)
                )

    def forget(self, upstream: str, name: NormalizedName) -> None:
        """Keep it no longer."""
        with self.database.writing() as change:
            change.connection.execute(
                delete(UpstreamPage).where(UpstreamPage.upstream == upstream, UpstreamPage.project == name)
            )

    def count(self, upstream: str) -> int:
        """How many pages of projects that are there are kept."""
        statement = select(func.count()).where(UpstreamPage.upstream == upstream, UpstreamPage.is_gone.is_(False))
        with self.database.reading() as connection:
            return connection.execute(statement).scalar_one()


def forget_pages(change: Change, upstream: str) -> None:
    """Remove the pages of an upstream, within the transaction that removes the upstream."""
    change.connection.execute(delete(UpstreamPage).where(UpstreamPage.upstream == upstream))
