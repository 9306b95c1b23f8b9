"""What administrators read of the server: projects, tokens in use, background jobs, settings in force."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import update

from database.identity_models import Token
from database.job_runs import JobRuns, Outcome
from jobs.background import Background
from people.rights import Holder
from people.tokens import Limits
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import PASSWORDS, TESTER
from tests.web.conftest import Visitor, publish_wheel


def listed(page: str) -> list[str]:
    """The first links of a table's rows."""
    return re.findall(r'<td data-label="Project"><a class="name" href="[^"]*">([^<]+)</a>', page)


@pytest.fixture
def _projects(secured: Services, tmp_path: Path) -> None:
    """Three projects, one of bob's, one quarantined."""
    for name, summary in (("alpha", "x" * 1900), ("beta", ""), ("gamma", "")):
        publish_wheel(secured, tmp_path, name, summary=summary)
    secured.rights.grant(MAIN, NormalizedName("beta"), Holder("bob"), "owner", by=TESTER)
    secured.manager.set_status(MAIN, NormalizedName("gamma"), ProjectStatus.QUARANTINED, "Looked at.", by=TESTER)


@pytest.mark.usefixtures("_projects")
def test_projects_are_listed_with_owners_size_and_state(alice: Visitor) -> None:
    """Quarantined ones too, with the reason; by name, size or state, with what does not exist refused."""
    page = alice.get("/admin/projects").text
    assert sorted(listed(page)) == ["alpha", "beta", "gamma"]
    assert "<bdi>bob</bdi>" in page
    assert "Looked at." in page
    assert listed(alice.get("/admin/projects?sort=name").text) == ["alpha", "beta", "gamma"]
    assert listed(alice.get("/admin/projects?sort=size").text)[0] == "alpha"
    assert listed(alice.get("/admin/projects?state=quarantined").text) == ["gamma"]
    assert listed(alice.get("/admin/projects?state=without+owner&sort=name").text) == ["alpha", "gamma"]
    assert listed(alice.get("/admin/projects?name=Be").text) == ["beta"]
    assert "No project fits." in alice.get("/admin/projects?name=zeta").text
    assert alice.get("/admin/projects?sort=colour").status_code == 400


def test_tokens_in_use_are_everybodys(alice: Visitor, secured: Services) -> None:
    """Told apart: idle for long, expired, without an end; any of them is revoked here."""
    fresh, _ = secured.tokens.create_token("bob", "fresh", Limits(30), by=TESTER)
    old, _ = secured.tokens.create_token("bob", "old", Limits(None), by=TESTER)
    over, _ = secured.tokens.create_token("alice", "over", Limits(1), by=TESTER)
    with secured.database.writing() as change:
        past = datetime.now(UTC) - timedelta(days=100)
        for token, values in ((old, {"created": past}), (over, {"expires": past})):
            change.connection.execute(update(Token).where(Token.public_id == token.id).values(**values))
    assert all(one.id in alice.get("/admin/tokens").text for one in (fresh, old, over))
    for show, wanted in (("idle", old), ("expired", over), ("for+ever", old)):
        page = alice.get(f"/admin/tokens?show={show}").text
        assert [one.id in page for one in (fresh, old, over)] == [one is wanted for one in (fresh, old, over)]
    assert alice.post(f"/admin/tokens/{old.id}/revoke").status_code == 303
    assert f"The token {old.id} of bob works no more." in alice.get("/admin/tokens").text
    assert secured.readers.tokens.unused_since(datetime.now(UTC) - timedelta(days=90)) == []
    assert alice.post("/admin/tokens/none/revoke").status_code == 404


def test_background_jobs_are_told_of(alice: Visitor, secured: Services) -> None:
    """What a start ran, with its figures; a run whose server died is one that was cut off."""
    assert "Nothing ran yet." in alice.get("/admin/jobs").text
    JobRuns(secured.database).begin("sync")
    background = Background(secured, True, flush_seconds=60)
    background.start()
    while any(run.ended is None and run.outcome is Outcome.RUNNING for run in JobRuns(secured.database).latest()):
        pass
    background.stop()
    runs = {(run.job, run.outcome) for run in JobRuns(secured.database).latest()}
    assert runs == {
        ("sync", Outcome.CUT_OFF),
        ("sweep", Outcome.DONE),
        ("sync", Outcome.DONE),
        ("render", Outcome.DONE),
    }
    page = alice.get("/admin/jobs").text
    assert "cut off" in page
    assert "Of 0 listed files and what else lay there: 0 taken in" in page


def test_a_job_that_fails_says_why(secured: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its run is recorded as failed, and the next one runs all the same."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(secured.storage, "sweep", broken)
    background = Background(secured, True, flush_seconds=60)
    background.start()
    background.stop()
    runs = {run.job: (run.outcome, run.summary) for run in JobRuns(secured.database).latest()}
    assert runs["sweep"] == (Outcome.FAILED, "RuntimeError; the log has more.")
    assert runs["sync"][0] is Outcome.DONE
    assert JobRuns(secured.database).failed_since(datetime.now(UTC) - timedelta(hours=1)) == 1


def test_old_runs_are_forgotten(secured: Services) -> None:
    """A job keeps its last fifty."""
    runs = JobRuns(secured.database)
    for _ in range(52):
        runs.begin("sync")(Outcome.DONE, "")
    runs.begin("sweep")(Outcome.DONE, "")
    assert [run.job for run in runs.latest()].count("sync") == 50


def test_settings_in_force_are_shown_without_their_secrets(open_server: Callable[..., Services]) -> None:
    """Each with where it came from; a secret that is set is masked."""
    one = open_server(auth_enabled="true", admin_token="t" * 40, threads="7")
    one.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    visitor = Visitor(create_app(one).test_client())
    visitor.sign_in("alice")
    page = visitor.get("/admin/settings").text
    assert "t" * 40 not in page
    assert "k" * 40 not in page
    assert re.search(r'>threads</span>.*?>7</td>\s*<td data-label="From"><span class="name">--threads', page, re.DOTALL)
