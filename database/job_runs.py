"""The runs of background jobs: what ran, when, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import delete, func, insert, select, update

from database.engine import Database
from database.models import JobRun

KEPT_OF_EACH = 50


class Outcome(Enum):
    """How a run ended; the value is the word that people see."""

    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class JobRunRow:
    """One run. ``summary`` says what was done, or why it was not; ``ended`` is None while it runs or was cut off."""

    job: str
    started: datetime
    ended: datetime | None
    outcome: Outcome
    summary: str


class JobRuns:
    """The record of runs. A job keeps the last ``KEPT_OF_EACH``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def begin(self, job: str) -> Callable[[Outcome, str], None]:
        """Note that a run began; what is returned notes its end, with a summary."""
        with self.database.writing() as change:
            made = insert(JobRun).values(job=job, started=change.at, outcome=Outcome.RUNNING.value, summary="")
            run = change.connection.execute(made.returning(JobRun.id)).scalar_one()
            old = select(JobRun.id).where(JobRun.job == job).order_by(JobRun.id.desc()).offset(KEPT_OF_EACH).limit(1000)
            change.connection.execute(delete(JobRun).where(JobRun.id.in_(old)))

        def end(outcome: Outcome, summary: str) -> None:
            with self.database.writing() as change:
                values = {"ended": change.at, "outcome": outcome.value, "summary": summary}
                change.connection.execute(update(JobRun).where(JobRun.id == run).values(**values))

        return end

    def cut_off(self, before: datetime) -> None:
        """Say of the runs that began before a moment, when another server ran, that they were cut off."""
        with self.database.writing() as change:
            change.connection.execute(
                update(JobRun)
                .where(JobRun.outcome == Outcome.RUNNING.value, JobRun.started < before)
                .values(outcome=Outcome.CUT_OFF.value, summary="The server ended before it did.")
            )

    def latest(self, limit: int = 100) -> list[JobRunRow]:
        """The last runs, newest first."""
        statement = select(JobRun.job, JobRun.started, JobRun.ended, JobRun.outcome, JobRun.summary)
        with self.database.reading() as connection:
            rows = connection.execute(statement.order_by(JobRun.id.desc()).limit(limit))
            return [JobRunRow(row[0], row[1], row[2], Outcome(row[3]), row[4]) for row in rows]

    def failed_since(self, moment: datetime) -> int:
        """How many runs were refused or failed since a moment."""
        bad = (Outcome.REFUSED.value, Outcome.FAILED.value)
        statement = (
            select(func.count())
            .select_from(JobRun)
            .where(JobRun.outcome.in_(bad), JobRun.started >= moment.astimezone(UTC))
        )
        with self.database.reading() as connection:
            return connection.execute(statement).scalar_one()
