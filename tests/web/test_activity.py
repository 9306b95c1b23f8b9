"""The queries of the administration's pages."""

from __future__ import annotations

from pathlib import Path

from packaging.utils import NormalizedName

from database.activity import Activity
from permissions import MAIN
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.web.conftest import Visitor, publish_wheel


def test_uploads_include_quarantined_projects(services: Services, tmp_path: Path) -> None:
    """Administrators see what others do not, newest first, page by page."""
    for name in ("first", "second", "third"):
        publish_wheel(services, tmp_path, name)
    services.manager.set_status(MAIN, NormalizedName("second"), ProjectStatus.QUARANTINED, None, by=TESTER)
    activity = Activity(services.database)
    assert [upload.project for upload in activity.uploads(limit=2)] == ["third", "second"]
    assert [upload.project for upload in activity.uploads(limit=2, offset=2)] == ["first"]


def test_uploads_name_projects_as_their_owners_do(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Capitals and dots of a name are kept, in the administration and on the home page; addresses are normal ones."""
    publish_wheel(services, tmp_path, "Zope.Interface")
    [upload] = Activity(services.database).uploads(limit=1)
    assert (upload.project, upload.display_name) == ("zope-interface", "Zope.Interface")
    assert (
        '<a href="/project/zope-interface/1.0/"><span class="name">Zope.Interface</span> 1.0</a>'
        in anybody.get("/").text
    )
