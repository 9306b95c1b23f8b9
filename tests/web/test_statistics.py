"""The pages of downloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from database.statistics import today
from permissions import MAIN
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.web.conftest import Visitor, publish_wheel

UV = 'uv/0.9.7 {"python":"3.13.1","cpu":"arm64","system":{"name":"Darwin"}}'


@pytest.fixture
def downloaded(services: Services, tmp_path: Path) -> Services:
    """The open server with a project of which three files were downloaded."""
    publish_wheel(services, tmp_path, "Looms")
    for agent in (UV, UV, ""):
        services.at().downloads.count("looms", "1.0", "Looms-1.0-py3-none-any.whl", agent)
    services.at().downloads.flush()
    return services


def test_a_project_shows_its_downloads(anybody: Visitor, downloaded: Services) -> None:
    """In the sums, the drawing, its table, and by release, Python, installer and platform; linked from its page."""
    assert 'href="/project/looms/statistics"' in anybody.get("/project/looms/").text
    page = anybody.get("/project/looms/statistics").text
    assert "<dt>Last 7 days</dt><dd>3</dd>" in page
    assert "3 downloads in the last 30 days</title>" in page
    assert page.count('class="column"') == 30
    for said in ("Looms-1.0-py3-none-any.whl", "3.13", "uv", "0.9.7", "macOS ARM64", "not said", "100 %"):
        assert said in page
    assert 'href="/api/packages/looms/statistics?days=30"' in page


@pytest.mark.parametrize(("days", "bars"), [(30, 30), (90, 90), (365, 52)])
def test_the_period_is_in_the_address(anybody: Visitor, downloaded: Services, days: int, bars: int) -> None:
    """Each period has its link, and the one that is shown says so."""
    page = anybody.get(f"/project/looms/statistics?days={days}").text
    assert page.count('class="column"') == bars
    assert f'href="/project/looms/statistics?days={days}" aria-current="page"' in page
    assert page.count("?days=") == 4  # three periods and the JSON


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "", "٣٠", "9" * 5_000])
def test_other_periods_are_refused(anybody: Visitor, downloaded: Services, days: str) -> None:
    """With what may be chosen."""
    answer = anybody.get(f"/project/looms/statistics?days={days}")
    assert answer.status_code == 400
    assert "choose 30, 90 or 365 days" in answer.text


def test_names_lead_to_one_page(anybody: Visitor, downloaded: Services) -> None:
    """Another spelling is sent to the normalized one, with its period; an unknown name is 404."""
    answer = anybody.get("/project/LOOMS/statistics?days=90")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/project/looms/statistics?days=90")
    for name in ("loom", "looms-2", "none", "%20"):
        assert anybody.get(f"/project/{name}/statistics").status_code == 404


def test_a_project_without_downloads_says_so(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """No drawing of nothing, but when it will be there."""
    publish_wheel(services, tmp_path, "looms")
    page = anybody.get("/project/looms/statistics").text
    assert "Nothing of this project was downloaded yet" in page
    assert "<svg" not in page


def test_a_period_without_downloads_says_so(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """What was downloaded earlier is in the sum."""
    publish_wheel(services, tmp_path, "looms")
    services.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", day=today() - 50)
    services.at().downloads.flush()
    page = anybody.get("/project/looms/statistics").text
    assert "<dt>Downloads in all</dt><dd>1</dd>" in page
    assert "Nothing was downloaded in the last 30 days." in page
    assert "Nothing was downloaded" not in anybody.get("/project/looms/statistics?days=90").text


def test_a_quarantined_project_shows_nothing(anybody: Visitor, downloaded: Services) -> None:
    """Its page says what became of it."""
    downloaded.manager.set_status(MAIN, NormalizedName("looms"), ProjectStatus.QUARANTINED, None, by=TESTER)
    answer = anybody.get("/project/looms/statistics")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/project/looms/")


def test_administrators_see_the_whole_index(alice: Visitor, secured: Services, tmp_path: Path) -> None:
    """By day, and by project, Python, installer and platform; on the dashboard, too."""
    publish_wheel(secured, tmp_path, "looms")
    for _ in range(3):
        secured.at().downloads.count("looms", "1.0", "looms-1.0.tar.gz", UV)
    secured.at().downloads.flush()
    page = alice.get("/admin/statistics").text
    assert "3 downloads in the last 30 days</title>" in page
    assert 'href="/project/looms/statistics">looms</a>' in page
    assert "macOS ARM64" in page
    assert alice.get("/admin/statistics?days=365").text.count('class="column"') == 52
    assert alice.get("/admin/").text.count('class="column"') == 60  # with those of the uploads


def test_nobody_else_sees_it(bob: Visitor) -> None:
    """The administration is for administrators."""
    assert bob.get("/admin/statistics").status_code == 403
