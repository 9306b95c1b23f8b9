"""PyPI's older JSON API, as mirrors and scanners read it (protocol case 56)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.api.conftest import Publish
from tests.conftest import TESTER, basic

Stock = Callable[[Services], None]
DEMO = NormalizedName("demo-pkg")


@pytest.fixture
def index(services: Services, stock: Stock) -> FlaskClient:
    """A client of an open server that holds something."""
    stock(services)
    return create_app(services).test_client()


def document(client: FlaskClient, path: str) -> dict[str, Any]:
    """The document at an address."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/json"
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def test_the_project_document(index: FlaskClient) -> None:
    """The latest final release, its files, and the files of every version."""
    project = document(index, "/pypi/demo-pkg/json")
    assert (project["info"]["name"], project["info"]["version"]) == ("Demo_Pkg", "2.0")
    assert project["info"]["project_urls"] == {"Source": "https://index.example.com/demo"}
    assert project["info"]["package_url"] == "http://localhost/project/demo-pkg/"
    assert {version: len(files) for version, files in project["releases"].items()} == {"1.0": 2, "2.0": 1, "3.0rc1": 1}
    assert project["urls"] == project["releases"]["2.0"]


def test_files_are_where_the_document_says(index: FlaskClient) -> None:
    """Each address is absolute, lies below /packages, which mirrors insist on, and gives the bytes of that digest."""
    for file in document(index, "/pypi/demo-pkg/1.0/json")["urls"]:
        url = urlsplit(file["url"])
        assert (url.scheme, url.netloc) == ("http", "localhost")
        assert url.path.startswith("/packages/demo-pkg/")
        answer = index.get(file["url"])
        assert (answer.status_code, len(answer.data)) == (200, file["size"])
        assert answer.headers["ETag"] == f'"{file["digests"]["sha256"]}"'


def test_the_release_document_has_no_releases(index: FlaskClient) -> None:
    """One release, by any spelling of its version, with or without a slash at the end."""
    expected = document(index, "/pypi/demo-pkg/1.0/json")
    assert "releases" not in expected
    assert expected["info"]["version"] == "1.0"
    for path in ("/pypi/demo-pkg/1.0.0/json", "/pypi/demo-pkg/1.0/json/"):
        assert document(index, path) == expected
    assert document(index, "/pypi/demo-pkg/json/") == document(index, "/pypi/demo-pkg/json")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/pypi/Demo_Pkg/json", "/pypi/demo-pkg/json"),
        ("/pypi/demo.pkg/json/", "/pypi/demo-pkg/json"),
        ("/pypi/Demo_Pkg/1.0/json", "/pypi/demo-pkg/1.0/json"),
        ("/pypi/Demo_Pkg/1.0/json/", "/pypi/demo-pkg/1.0/json"),
        ("/pypi/Demo_Pkg/1%0d%0aX:y/json", "/pypi/demo-pkg/1%0D%0AX%3Ay/json"),
    ],
)
def test_other_spellings_are_sent_to_the_normalized_name(index: FlaskClient, path: str, expected: str) -> None:
    """301 to a relative address of this server."""
    answer = index.get(path)
    assert answer.status_code == 301
    assert urlsplit(answer.headers["Location"]).netloc == ""
    assert urljoin(path, answer.headers["Location"]) == expected


def test_the_serial_is_in_header_and_body_and_grows(services: Services, index: FlaskClient) -> None:
    """Both are the project's last serial; a yank raises them (protocol case 57)."""
    serials = []
    for _ in range(2):
        answer = index.get("/pypi/demo-pkg/json")
        assert int(answer.headers["X-PyPI-Last-Serial"]) == answer.json["last_serial"]  # type: ignore[index]
        serials.append(answer.json["last_serial"])  # type: ignore[index]
        services.manager.yank(MAIN, DEMO, "2.0", None, "broken", by=TESTER)
    assert serials[1] > serials[0]
    project = document(index, "/pypi/demo-pkg/json")
    assert project["info"]["version"] == "1.0"
    assert [file["yanked_reason"] for file in project["releases"]["2.0"]] == ["broken"]


def test_what_is_known_is_not_sent_again(index: FlaskClient) -> None:
    """A matching If-None-Match is a 304 that still names the serial."""
    first = index.get("/pypi/demo-pkg/json")
    assert first.headers["Cache-Control"] == "no-cache"
    again = index.get("/pypi/demo-pkg/json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["X-PyPI-Last-Serial"] == first.headers["X-PyPI-Last-Serial"]


@pytest.mark.parametrize(
    "path",
    [
        "/pypi/nothing/json", "/pypi/demo-pkg/9.9/json", "/pypi/demo-pkg/x/json", "/pypi/%FF/json", "/pypi/-x-/json",
        "/pypi/demo-pkg/" + "1" * 4000 + "/json", "/pypi/demo-pkg/1%00/json",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(index: FlaskClient, path: str) -> None:
    """Unknown projects and versions, and what could be neither."""
    assert index.get(path).status_code == 404


def test_a_quarantined_project_is_not_there(services: Services, index: FlaskClient) -> None:
    """Neither form says anything of it."""
    services.manager.set_status(MAIN, DEMO, ProjectStatus.QUARANTINED, None, by=TESTER)
    assert index.get("/pypi/demo-pkg/json").status_code == 404
    assert index.get("/pypi/demo-pkg/1.0/json").status_code == 404


def test_addresses_come_from_base_url_where_it_is_set(open_server: Callable[..., Services], publish: Publish) -> None:
    """Behind a proxy the documents name the address that people use."""
    services = open_server(base_url="https://index.example.com/pypi-clone")
    publish(services)
    client = create_app(services).test_client()
    project = document(client, "/pypi/demo-pkg/json")
    base = "https://index.example.com/pypi-clone"
    assert project["urls"][0]["url"] == f"{base}/packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl"
    assert project["info"]["package_url"] == f"{base}/project/demo-pkg/"


def test_a_wrong_credential_is_refused(secured: Services, stock: Stock) -> None:
    """401 for a project that is there and for one that is not (S109)."""
    stock(secured)
    client = create_app(secured).test_client()
    for project in ("demo-pkg", "nothing"):
        assert client.get(f"/pypi/{project}/json", headers=basic("alice", "wrong")).status_code == 401
    assert client.get("/pypi/demo-pkg/json", headers=basic("alice")).status_code == 200
