"""The queries of the administration's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from packaging.utils import NormalizedName

from database.activity import Activity
from services import INDEX, Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.web.conftest import publish_wheel


def test_uploads_include_quarantined_projects(services: Services, tmp_path: Path) -> None:
    """Administrators see what others do not, newest first, page by page."""
    for name in ("first", "second", "third"):
        publish_wheel(services, tmp_path, name)
    services.manager.set_status(INDEX, NormalizedName("second"), ProjectStatus.QUARANTINED, None, by=TESTER)
    activity = Activity(services.database)
    assert [upload.project for upload in activity.uploads(limit=2)] == ["third", "second"]
    assert [upload.project for upload in activity.uploads(limit=2, offset=2)] == ["first"]


def test_days_without_downloads_count_nothing(services: Services) -> None:
    """Every day of the span is there, in order, today last."""
    services.downloads.count("looms", "1.0", "looms-1.0.tar.gz")
    services.downloads.flush()
    before = datetime.now(UTC).date()
    days = Activity(services.database).downloads_by_day(7)
    assert [day.count for day in days] == [0, 0, 0, 0, 0, 0, 1]
    assert days[-1].day in {before, datetime.now(UTC).date()}


def test_top_projects_come_first(services: Services) -> None:
    """Most downloads first, equal ones by name, no more than asked for; another index's do not count."""
    for project, count in (("b", 2), ("a", 2), ("c", 5), ("d", 1)):
        for _ in range(count):
            services.downloads.count(project, "1.0", f"{project}.tar.gz")
    services.downloads.flush()
    assert Activity(services.database).top_projects(30, limit=3) == [("c", 5), ("a", 2), ("b", 2)]
    assert Activity(services.database, "other").top_projects(30) == []
