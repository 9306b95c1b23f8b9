"""``/api/packages/<name>/statistics`` and ``/api/stats/downloads``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from database.statistics import today
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import PASSWORDS, TESTER, basic
from tests.web.conftest import publish_wheel

UV = 'uv/0.9.7 {"python":"3.13.1","cpu":"arm64","system":{"name":"Darwin"}}'


@pytest.fixture
def downloaded(services: Services, tmp_path: Path) -> Services:
    """The open server with a project that was downloaded three times today, and once fifty days ago."""
    publish_wheel(services, tmp_path, "looms")
    for agent in (UV, UV, ""):
        services.at().downloads.count("looms", "1.0", "looms-1.0-py3-none-any.whl", agent)
    services.at().downloads.count("looms", "0.9", "looms-0.9-py3-none-any.whl", UV, day=today() - 50)
    services.at().downloads.flush()
    return services


def document(client: FlaskClient, path: str) -> dict[str, Any]:
    """What is answered."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def test_a_project_in_figures(client: FlaskClient, downloaded: Services) -> None:
    """Every list adds up to the period; what a client does not say is null."""
    found = document(client, "/api/packages/Looms/statistics")
    assert (found["name"], found["days"], found["total"], found["in_period"]) == ("looms", 30, 4, 3)
    assert found["lately"] == {"last_7_days": 3, "last_30_days": 3, "last_90_days": 4}
    assert [day["downloads"] for day in found["by_day"]] == [0] * 29 + [3]
    assert found["by_python"] == [
        {"name": "3.13", "downloads": 2, "parts": [{"name": None, "downloads": 2}]},
        {"name": None, "downloads": 1, "parts": [{"name": None, "downloads": 1}]},
    ]
    assert found["by_installer"][0] == {"name": "uv", "downloads": 2, "parts": [{"name": "0.9.7", "downloads": 2}]}
    assert found["by_platform"][0]["name"] == "macOS ARM64"
    files = [{"name": "looms-1.0-py3-none-any.whl", "downloads": 3}]
    assert found["by_version"] == [{"name": "1.0", "downloads": 3, "parts": files}]


def test_the_whole_index_in_figures(client: FlaskClient, downloaded: Services) -> None:
    """The same, by project instead of version."""
    found = document(client, "/api/stats/downloads?days=60")
    assert (found["days"], found["total"], found["in_period"], len(found["by_day"])) == (60, 4, 4, 60)
    assert found["by_project"] == [{"name": "looms", "downloads": 4}]
    assert "by_version" not in found


@pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1.5"])
def test_other_periods_are_refused(client: FlaskClient, downloaded: Services, days: str) -> None:
    """From one day to a year."""
    for path in ("/api/packages/looms/statistics", "/api/stats/downloads"):
        assert client.get(f"{path}?days={days}").status_code == 400


def test_unknown_projects_are_404(client: FlaskClient, downloaded: Services) -> None:
    """Also what begins another's name."""
    for name in ("loom", "none"):
        assert client.get(f"/api/packages/{name}/statistics").status_code == 404


def test_a_quarantined_project_tells_no_versions(client: FlaskClient, downloaded: Services) -> None:
    """As it offers none; it is not among the most downloaded either."""
    downloaded.manager.set_status(MAIN, NormalizedName("looms"), ProjectStatus.QUARANTINED, None, by=TESTER)
    found = document(client, "/api/packages/looms/statistics")
    assert (found["total"], found["by_version"]) == (4, [])
    assert document(client, "/api/stats/downloads")["by_project"] == []


def test_what_was_deleted_is_counted_and_not_named(client: FlaskClient, downloaded: Services, tmp_path: Path) -> None:
    """A deleted release or file is shown nowhere, so its downloads have no name until that is undone; sums stand."""
    looms, secret = NormalizedName("looms"), "looms-1.1-py3-none-any.whl"
    publish_wheel(downloaded, tmp_path, "looms", "1.1")
    for _ in range(2):
        downloaded.at().downloads.count("looms", "1.1", secret)
    downloaded.at().downloads.flush()
    before = document(client, "/api/packages/looms/statistics")
    taken = downloaded.manager.delete(MAIN, looms, "1.1", by=TESTER)
    found = document(client, "/api/packages/looms/statistics?days=60")
    unnamed = {"name": None, "downloads": 3, "parts": [{"name": None, "downloads": 3}]}  # 0.9 was never here
    assert found["by_version"][0] == unnamed
    assert sum(one["downloads"] for one in found["by_version"]) == found["in_period"] == 6
    page = client.get("/project/looms/statistics", headers={"Accept": "text/html"}).text
    assert "not listed any more" in page
    assert secret not in page
    downloaded.manager.restore(MAIN, looms, str(taken.id), by=TESTER)
    assert document(client, "/api/packages/looms/statistics") == before


def test_who_may_not_read_is_told_nothing(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """The right to read the index is asked for before anything is looked up: the same for names that are none."""
    closed = open_server(auth_require="list")
    closed.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    publish_wheel(closed, tmp_path, "looms")
    client = create_app(closed).test_client()
    for path in ("/api/packages/looms/statistics", "/api/packages/none/statistics", "/api/stats/downloads"):
        assert client.get(path).status_code == 401
    assert client.get("/project/none/statistics").headers["Location"].startswith("/login?")
    assert client.get("/api/packages/looms/statistics", headers=basic("bob")).status_code == 200
