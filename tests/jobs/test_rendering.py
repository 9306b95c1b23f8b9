"""What ``jobs.rendering`` promises: descriptions of older databases and renderings are rendered beside a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import delete, update

from database import descriptions
from database.job_runs import JobRuns
from database.journal import Actor
from database.models import Release, RenderedDescription
from distributions.descriptions import LIMITS, UNSOUND, Rendered
from jobs.background import Background
from jobs.rendering import render_outdated
from services import Services
from tests.factory import build_wheel, core_metadata
from tests.test_package_manager import journal, publish
from tests.web.readmes import KINDS, build

MARKDOWN = "text/markdown"


def rendered(services: Services, name: str, version: str = "1.0") -> Rendered | None:
    """What is kept for a release; the key of a version such as these is the version without its zero."""
    return services.at().descriptions.rendered(NormalizedName(name), version.removesuffix(".0"))


def forget(services: Services) -> None:
    """Make every release one of an older database."""
    with services.database.writing() as change:
        change.connection.execute(delete(RenderedDescription))


def test_an_upload_is_rendered_once(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S74: with the upload that begins a release, never for its other files or the same file again."""
    asked: list[str] = []
    inspector = services.inspector
    render = inspector.render

    def counted(text: str, content_type: str | None) -> Rendered:
        asked.append(text)
        return render(text, content_type)

    monkeypatch.setattr(inspector, "render", counted)
    first = build(tmp_path, "looms", "# One", MARKDOWN)
    publish(services, first)
    other = core_metadata("looms", description="# Two", extra_headers=[f"Description-Content-Type: {MARKDOWN}"])
    publish(services, build_wheel(tmp_path, "looms", metadata=other, tag="py2-none-any"))
    publish(services, first)
    assert len(asked) == 1
    found = rendered(services, "looms")
    assert found is not None
    assert found.html == '<h3 id="readme-one">One</h3>\n'


@pytest.mark.parametrize("name", ["broken", "undeclared", "long"])
def test_whoever_uploads_is_told(services: Services, tmp_path: Path, name: str) -> None:
    """A description that is not shown as it was meant is a warning of the upload and of its journal row."""
    published = publish(services, build(tmp_path, name, *KINDS[name]))
    assert len([warning for warning in published.warnings if "description" in warning]) == 1
    assert published.warnings == tuple(journal(services)[-1].detail["warnings"])


def test_a_sound_description_needs_no_warning(services: Services, tmp_path: Path) -> None:
    """Neither do an empty one and plain text."""
    for name in ("gfm", "restructured", "plain", "empty", "blank"):
        assert publish(services, build(tmp_path, name, *KINDS[name])).warnings == ()


def test_older_databases_are_filled(services: Services, tmp_path: Path) -> None:
    """Every description that has none is rendered, and none is rendered twice; no row of the journal is written."""
    for name in ("gfm", "broken", "empty", "plain"):
        publish(services, build(tmp_path, name, *KINDS[name]))
    before = {name: rendered(services, name) for name in ("gfm", "broken", "plain")}
    forget(services)
    rows = len(journal(services))
    steps: list[tuple[int, int]] = []
    assert services.at().descriptions.count_outdated() == 3
    report = render_outdated(services, progress=lambda done, total: steps.append((done, total)), threads=2)
    assert (report.rendered, report.plain, report.passed, report.stopped) == (3, 2, 0, False)
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert {name: rendered(services, name) for name in before} == before
    assert len(journal(services)) == rows
    assert render_outdated(services).rendered == 0


def test_another_renderer_renders_anew(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier version of the libraries made is replaced, and shown until then."""
    publish(services, build(tmp_path, "looms", "# One", MARKDOWN))
    monkeypatch.setattr(descriptions, "renderer", lambda: "form 2")
    with services.database.writing() as change:
        change.connection.execute(update(RenderedDescription).values(html="old"))
    found = rendered(services, "looms")
    assert found is not None
    assert found.html == "old"
    assert render_outdated(services).rendered == 1
    found = rendered(services, "looms")
    assert found is not None
    assert found.html != "old"
    assert services.at().descriptions.count_outdated() == 0


def test_a_text_that_changed_meanwhile_keeps_its_own(services: Services, tmp_path: Path) -> None:
    """What was read before an overwriting or a deletion is never put beside another text."""
    publish(services, build(tmp_path, "looms", "# One", MARKDOWN))
    publish(services, build(tmp_path, "gone", "# One", MARKDOWN))
    forget(services)
    gone, looms = services.at().descriptions.outdated()
    with services.database.writing() as change:
        change.connection.execute(update(Release).where(Release.id == looms.release_id).values(description="# Two"))
    services.manager.delete("main", NormalizedName("gone"), by=Actor("tester"))
    assert [services.at().descriptions.keep(one, Rendered("<p>old</p>")) for one in (gone, looms)] == [False, False]
    assert rendered(services, "looms") is None


def test_overwriting_replaces_it(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """The new file's description is the release's, rendered."""
    services = open_server(overwrite="true")
    for text in ("# One", "# Two"):
        publish(services, build(tmp_path, "looms", text, MARKDOWN))
    found = rendered(services, "looms")
    assert found is not None
    assert found.html == '<h3 id="readme-two">Two</h3>\n'


def test_a_deleted_release_takes_its_rendering_along(services: Services, tmp_path: Path) -> None:
    """Nothing is left of it."""
    publish(services, build(tmp_path, "looms", "# One", MARKDOWN))
    services.manager.delete("main", NormalizedName("looms"), by=Actor("tester"))
    with services.database.reading() as connection:
        assert connection.execute(RenderedDescription.__table__.select()).all() == []


def test_it_stops_between_two(services: Services, tmp_path: Path) -> None:
    """What was done stays, and the next run goes on."""
    for version in ("1.0", "2.0", "3.0"):
        publish(services, build(tmp_path, "looms", "# One", MARKDOWN, version))
    forget(services)
    stop = threading.Event()
    report = render_outdated(services, progress=lambda done, _: stop.set() if done else None, stop=stop)
    assert (report.rendered, report.stopped) == (1, True)
    assert rendered(services, "looms", "3.0") is not None  # the newest first
    assert render_outdated(services).rendered == 2


def test_one_that_eats_time_ends_nothing(services: Services, tmp_path: Path) -> None:
    """S74: it is plain text from now on, the others are rendered, and it is not tried again."""
    publish(services, build(tmp_path, "looms", "# One", MARKDOWN))
    with services.database.writing() as change:
        change.connection.execute(update(Release).values(description="# a\n" * 250_000))
    publish(services, build(tmp_path, "other", "# One", MARKDOWN))
    forget(services)
    assert render_outdated(services).plain == 1
    assert rendered(services, "looms") == Rendered(None, (LIMITS,))
    assert render_outdated(services).rendered == 0


def test_a_server_renders_after_its_start(services: Services, tmp_path: Path) -> None:
    """Beside the requests, without being asked."""
    publish(services, build(tmp_path, "looms", "# One", MARKDOWN))
    forget(services)
    background = Background(services, is_first=True)
    background.start()
    until = time.monotonic() + 20
    while services.at().descriptions.count_outdated() and time.monotonic() < until:
        time.sleep(0.02)
    background.stop()
    assert services.at().descriptions.count_outdated() == 0
    told = {run.job: run.summary for run in JobRuns(services.database).latest()}
    assert told["render"].startswith("1 descriptions rendered, 0 of them to be shown as plain text")


def test_dropped_files_are_rendered_too(services: Services) -> None:
    """What a sync takes in has its description rendered with it."""
    build(services.settings.data_path, "looms", *KINDS["broken"])
    background = Background(services, is_first=True)
    background.start()
    until = time.monotonic() + 20
    while not journal(services) and time.monotonic() < until:
        time.sleep(0.02)
    background.stop()
    found = rendered(services, "looms")
    assert found is not None
    assert found.notes == (UNSOUND,)
    assert [row.actor for row in journal(services)] == ["sync", "sync"]
