"""Home, search, project and release pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.factory import build_wheel, core_metadata
from tests.web.conftest import BROWSER, Visitor, publish, publish_wheel

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


# -- home


def test_home_says_how_to_use_this_very_server(anybody: Visitor) -> None:
    """The commands name the address under which the page was asked for."""
    page = anybody.client.get("/", base_url="http://index.example.com:81", headers=BROWSER).text
    assert "pip install --index-url http://index.example.com:81/simple/ --trusted-host index.example.com:81" in page
    assert "twine upload --repository-url http://index.example.com:81/upload dist/*" in page


def test_home_prefers_the_base_url(open_server: Callable[..., Services]) -> None:
    """Behind a proxy the setting is what people are shown; HTTPS needs no trust."""
    app = create_app(open_server(base_url="https://index.example.com/pypi"))
    page = app.test_client().get("/", headers=BROWSER).text
    assert "pip install --index-url https://index.example.com/pypi/simple/ NAME" in page
    assert "localhost" not in page


def test_home_shows_what_is_new(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """The newest upload, who made it and when."""
    assert "Nothing was uploaded yet" in anybody.get("/").text
    publish_wheel(services, tmp_path, "looms", "1.0", by="bob")
    page = anybody.get("/").text
    assert "1 project<" in page
    assert 'href="/project/looms/1.0/"' in page
    assert "<bdi>bob</bdi>" in page


def test_home_warns_while_the_default_password_stands(secured: Services, visitor: Visitor) -> None:
    """The notice has the command that ends it, and goes when the password is changed."""
    assert "default password" not in visitor.get("/").text
    secured.users.ensure_admin(None)
    assert "default password" not in visitor.get("/").text  # alice administers: none was made
    secured.users._add("admin", "admin", "", is_admin=True, default=True, by=TESTER)
    page = visitor.get("/").text
    assert "The default password still stands" in page
    assert ".venv/bin/python cli.py user password --username admin" in page
    secured.users.set_password("admin", "something else", by=TESTER)
    assert "default password" not in visitor.get("/").text


# -- projects


def test_a_project_shows_its_latest_release(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Version and install lines; files with digest and uploader, and the history, have pages of their own."""
    for version in ("1.0", "1.1", "2.0rc1"):
        publish_wheel(services, tmp_path, "looms", version, requires_python=">=3.11", by="bob")
    page = anybody.get("/project/looms/").text
    assert '<span class="version">1.1</span>' in page
    assert "pip install --index-url http://localhost/simple/ looms<" in page
    assert "uv pip install --default-index http://localhost/simple/ looms<" in page
    file = next(f for f in services.at().catalogue.project_detail(NormalizedName("looms")).files if f.version == "1.1")
    assert "&gt;=3.11" in page
    page = anybody.get("/project/looms/1.1/files").text
    assert file.sha256 in page
    assert "by <bdi>bob</bdi>" in page
    page = anybody.get("/project/looms/history").text
    assert page.index('href="/project/looms/2.0rc1/"') < page.index('href="/project/looms/1.0/"')


def test_links_of_files_lead_to_the_files(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """The file's and its metadata's addresses, as the page has them, answer with the bytes."""
    path = build_wheel(tmp_path, "looms")
    publish(services, path)
    page = anybody.get("/project/looms/1.0/files").text
    address = f"/packages/looms/{path.name}"
    assert f'href="{address}"' in page
    assert f'href="{address}.metadata"' in page
    assert anybody.client.get(address).data == path.read_bytes()
    assert anybody.client.get(f"{address}.metadata").data.startswith(b"Metadata-Version")


def test_other_releases_are_pinned(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """The install line of a release that installers would not choose names its version."""
    publish_wheel(services, tmp_path, "looms", "1.0")
    publish_wheel(services, tmp_path, "looms", "1.1")
    page = anybody.get("/project/looms/1.0/").text
    assert "looms==1.0<" in page
    assert 'The latest release is <a href="/project/looms/">1.1</a>' in page


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("/project/Loo_ms/", "/project/loo-ms/"),
        ("/project/Loo_ms/?all=1&x=%C3%A9", "/project/loo-ms/?all=1&x=%C3%A9"),
        ("/project/loo-ms", "/project/loo-ms/"),
        ("/project/Loo.ms/1.0/", "/project/loo-ms/1.0/"),
        ("/project/loo-ms/1.0.0/", "/project/loo-ms/1.0/"),
        ("/project/loo-ms/v1.0", "/project/loo-ms/1.0/"),
    ],
)
def test_there_is_one_address_for_a_page(
    anybody: Visitor, services: Services, tmp_path: Path, address: str, location: str
) -> None:
    """Other spellings of a name or version lead there for good, with their query."""
    publish_wheel(services, tmp_path, "loo-ms", "1.0")
    answer = anybody.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (301, location)
    assert anybody.get(location).status_code == 200


@pytest.mark.parametrize(
    "address", ["/project/none/", "/project/looms/9.9/", "/project/looms/nonsense/", "/project/-/", "/project/con/"]
)
def test_what_is_not_there_is_404(anybody: Visitor, services: Services, tmp_path: Path, address: str) -> None:
    """A page that says so, without echoing markup."""
    publish_wheel(services, tmp_path, "looms")
    answer = anybody.get(address)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_everything_a_stranger_wrote_is_text(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Markup in any field of the metadata arrives as text, and a script address is no link."""
    text = core_metadata(
        "looms", "1.0", summary=HOSTILE, description=HOSTILE,
        extra_headers=[
            f"Author: {HOSTILE}", f"Keywords: {HOSTILE}", f"License: {HOSTILE}",
            "Project-URL: javascript:alert(1), https://docs.example.com/",
        ],
    )  # fmt: skip
    publish(services, build_wheel(tmp_path, "looms", metadata=text))
    services.manager.yank(MAIN, NormalizedName("looms"), "1.0", None, HOSTILE, by=TESTER)
    for address in (
        "/project/looms/history", "/project/looms/1.0/files", "/project/looms/1.0/dependencies", "/",
        "/search?q=looms", "/project/looms/",
    ):  # fmt: skip
        page = anybody.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript' not in page
    assert "<p>&lt;script&gt;" in page
    assert "This release was yanked" in page


@pytest.mark.parametrize("status", [ProjectStatus.ARCHIVED, ProjectStatus.DEPRECATED, ProjectStatus.QUARANTINED])
def test_status_is_told_in_words(anybody: Visitor, services: Services, tmp_path: Path, status: ProjectStatus) -> None:
    """With its reason; a quarantined project offers neither files nor an install line."""
    publish_wheel(services, tmp_path, "looms")
    services.manager.set_status(MAIN, NormalizedName("looms"), status, "Look elsewhere.", by=TESTER)
    page = anybody.get("/project/looms/").text
    assert f"This project is {status.value}" in page
    assert "Look elsewhere." in page
    assert ("pip install" in page) is status.offers_files
    assert ("/project/looms/1.0/files" in page) is status.offers_files


def test_of_a_quarantined_project_nothing_is_shown(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Its page says that it is quarantined and why, and nothing that came with its files; its releases lead there."""
    publish_wheel(services, tmp_path, "looms", summary="Visit evil.example", description="Send coins to us.")
    services.manager.set_status(MAIN, NormalizedName("looms"), ProjectStatus.QUARANTINED, "Malware.", by=TESTER)
    page = anybody.get("/project/looms/").text
    assert "This project is quarantined" in page
    assert "Malware." in page
    for hidden in ("evil.example", "Send coins", "looms-1.0", "/project/looms/1.0/", "bob"):
        assert hidden not in page
    answer = anybody.get("/project/looms/1.0/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/project/looms/")


def test_a_project_page_says_how_much_it_leaves_out(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Long lists end in the number of what is not shown."""
    keywords = ["Keywords: " + ",".join(f"k{n}" for n in range(60)), *(f"Classifier: A :: c{n}" for n in range(202))]
    publish(services, build_wheel(tmp_path, "looms", metadata=core_metadata("looms", extra_headers=keywords)))
    page = anybody.get("/project/looms/").text
    assert re.findall("and ([0-9]+) more", page) == ["10", "2"]
    assert ("k49<" in page, "k50<" in page) == (True, False)
