"""``dependencies`` and ``used-by``: what a release requires, and who requires a project."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from people.tokens import Limits
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.api.conftest import Publish
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import core_metadata


@pytest.fixture
def index(services: Services, publish: Publish) -> FlaskClient:
    """A client of an open server with a mill that requires a thread."""
    publish(services, "thread", "1.4")
    needs = ["Thread[wool]>=1,<2; python_version < '4'", "needle; extra == 'Sewing_Kit'"]
    metadata = core_metadata(
        "Mill", "2.0", requires_python=">=3.9", requires_dist=needs, extra_headers=["Provides-Extra: Sewing_Kit"]
    )
    publish(services, "mill", "2.0", metadata=metadata)
    publish(services, "mill", "1.0", requires_dist=["thread==1.0"])
    return create_app(services).test_client()


def test_a_release_says_what_it_requires(index: FlaskClient) -> None:
    """Each requirement in its parts, when it is needed, and whether this index has the project."""
    answer = index.get("/api/packages/Mill/dependencies")
    assert answer.status_code == 200
    assert answer.headers["ETag"]
    assert answer.json == {
        "name": "mill",
        "version": "2.0",
        "requires_python": ">=3.9",
        "extras": ["Sewing_Kit"],
        "requirements": [
            {
                "requirement": "Thread[wool]>=1,<2; python_version < '4'",
                "name": "thread",
                "extras": ["wool"],
                "specifier": ">=1,<2",
                "url": None,
                "needed": [{"extra": None, "marker": 'python_version < "4"'}],
                "in_index": True,
                "latest_version": "1.4",
            },
            {
                "requirement": "needle; extra == 'Sewing_Kit'",
                "name": "needle",
                "extras": [],
                "specifier": "",
                "url": None,
                "needed": [{"extra": "sewing-kit", "marker": None}],
                "in_index": False,
                "latest_version": None,
            },
        ],
    }


def test_an_older_release_speaks_for_itself(index: FlaskClient) -> None:
    """In whatever spelling its version is asked for."""
    document: Any = index.get("/api/packages/mill/v1.0.0/dependencies").json
    assert document["version"] == "1.0"
    assert [one["requirement"] for one in document["requirements"]] == ["thread==1.0"]


def test_the_users_of_a_project_are_listed(index: FlaskClient, services: Services, publish: Publish) -> None:
    """By their latest release, in pages that link to each other."""
    publish(services, "loft", "1.0", requires_dist=["thread"])
    answer = index.get("/api/packages/Thread/used-by?per_page=1&page=2")
    document: Any = answer.json
    (mill,) = document.pop("projects")
    assert mill == {
        "name": "mill", "display_name": "Mill", "version": "2.0", "status": "active",
        "requirements": ["Thread[wool]>=1,<2; python_version < '4'"],
    }  # fmt: skip
    assert document == {"name": "thread", "page": 2, "per_page": 1, "pages": 2, "total": 2}
    assert '<http://localhost/api/packages/thread/used-by?page=1&per_page=1>; rel="prev"' in answer.headers["Link"]


@pytest.mark.parametrize(
    "address", ["nothing/dependencies", "nothing/used-by", "mill/9.9/dependencies", "needle/used-by"]
)
def test_what_is_not_there_is_404(index: FlaskClient, address: str) -> None:
    """Also a project that only others name."""
    assert index.get(f"/api/packages/{address}").status_code == 404


def test_a_quarantined_project_shows_nothing(index: FlaskClient, services: Services) -> None:
    """Neither what it requires nor that it requires anything; who requires it is said of the others."""
    services.manager.set_status(MAIN, NormalizedName("mill"), ProjectStatus.QUARANTINED, None, by=TESTER)
    document: Any = index.get("/api/packages/mill/dependencies").json
    assert (document["version"], document["requirements"]) == (None, [])
    assert index.get("/api/packages/mill/2.0/dependencies").status_code == 404
    assert index.get("/api/packages/thread/used-by").json["total"] == 0  # type: ignore[index]


def test_who_may_not_read_learns_nothing(open_server: Any, publish: Publish) -> None:
    """401 without a login, for a project that is there and for one that is not."""
    services = open_server(auth_enabled="true", auth_require="list, download, update")
    services.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    publish(services, "thread")
    client = create_app(services).test_client()
    for name in ("thread", "nothing"):
        for what in ("dependencies", "1.0/dependencies", "used-by"):
            assert client.get(f"/api/packages/{name}/{what}").status_code == 401
    assert client.get("/api/packages/thread/used-by", headers=basic("bob")).status_code == 200


def test_a_token_for_some_projects_is_told_of_no_other(open_server: Any, publish: Publish) -> None:
    """Neither who requires its project nor whether what that requires is here, by the API and on the page."""
    services = open_server(auth_enabled="true", auth_require="list, download, update")
    services.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    publish(services, "thread", "1.0", requires_dist=["needle", "thread-extra", "nothing"])
    publish(services, "thread-extra", "1.0")
    publish(services, "needle", "3.0")
    publish(services, "mill", "2.0", requires_dist=["thread>=1"])
    client = create_app(services).test_client()
    token, _ = services.tokens.create_token("bob", "CI", Limits(projects=("thread*",)), by=TESTER)
    limited = {"Authorization": f"Bearer {token.text}"}
    document: Any = client.get("/api/packages/thread/dependencies", headers=limited).json
    told = {one["name"]: (one["in_index"], one["latest_version"]) for one in document["requirements"]}
    assert told == {"needle": (None, None), "thread-extra": (True, "1.0"), "nothing": (None, None)}
    assert client.get("/api/packages/thread/used-by", headers=limited).status_code == 403
    page = client.get("/project/thread/1.0/dependencies", headers=limited).text
    assert "mill" not in page
    assert page.count("not told to this token") == 2
    whole = client.get("/project/thread/1.0/dependencies", headers=basic("bob")).text
    assert '<a class="name" href="/project/mill/">' in whole
    assert "not told" not in whole
