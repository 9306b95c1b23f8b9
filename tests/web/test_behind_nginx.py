"""Behind a real nginx with TLS, set up as docs/operations.md shows: at the root of a host, and under a path."""

from __future__ import annotations

import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients.programs import Credential, Programs, Project, Venv
from tests.clients.uploaders import UPLOADERS
from tests.conftest import LiveServer, free_port
from tests.factory import build_wheel
from tests.web.browser import visit
from tests.web.nginx import nginx

ADMIN = Credential("admin", "a longer pass:word")
HSTS = "max-age=31536000"


@dataclass(frozen=True, slots=True)
class Fronted:
    """Where people reach the server, without a slash at the end, and what vouches for it."""

    url: str
    ca_file: Path

    def ask(self, path: str, **headers: str) -> tuple[int, Message, str]:
        """Status, headers and body of an address below it; redirects are not followed."""
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _Stay(), urllib.request.HTTPSHandler(
                context=ssl.create_default_context(cafile=self.ca_file)
            ),
        )  # fmt: skip
        try:
            with opener.open(urllib.request.Request(self.url + path, headers=headers), timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *told: object) -> None:
        """Follow none."""


@pytest.fixture(params=["", "/pypi"], ids=["root", "path"])
def fronted(request: pytest.FixtureRequest, live: Callable[..., LiveServer], tmp_path: Path) -> Iterator[Fronted]:
    """A server process with authentication, reached through nginx."""
    port, prefix = free_port(), request.param
    url = f"https://localhost:{port}{prefix}"
    server = live(
        "--auth", "--no-debug", "--base-url", url, "--trusted-proxies", "127.0.0.1", PYPI_ADMIN_PASSWORD=ADMIN.password
    )
    with nginx(tmp_path / "nginx", port, before=server.port, prefix=prefix) as ca_file:
        yield Fronted(url, ca_file)


def strays(page: Page, url: str) -> list[str]:
    """The addresses of a page's own host, in links, forms and what it loads, that are not below the index."""
    found: list[str] = page.evaluate(
        """url => [...document.querySelectorAll("[href], [src], [action]")]
            .map(one => one.action || one.href || one.src)
            .filter(address => new URL(address).host === location.host && !address.startsWith(`${url}/`))"""
        , url,
    )  # fmt: skip
    return found


def sign_in(page: Page) -> None:
    """Through the form; the cookie goes over HTTPS only, and not to scripts."""
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill(ADMIN.username)
    page.get_by_label("Password").fill(ADMIN.password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["path"], cookie["domain"]) == ("__Host-sid", "/", "localhost")
    assert (cookie["secure"], cookie["httpOnly"]) == (True, True)


def make_a_token(page: Page, url: str) -> None:
    """It is shown and copied, with how to use it here."""
    page.get_by_role("link", name="admin", exact=True).click()
    page.get_by_label("Name", exact=True).fill("CI")
    page.get_by_role("button", name="Make token").click()
    page.get_by_role("button", name="Copy the token").click()
    assert re.fullmatch(r"pcl_\w+", page.evaluate("navigator.clipboard.readText()"))
    expect(page.get_by_role("main")).to_contain_text(f"--repository-url {url}/upload")


def upload(page: Page, wheel: Path, url: str) -> None:
    """By the page, whose script asks of the file before it is sent; then its release is shown."""
    page.get_by_role("link", name="Upload", exact=True).click()
    page.get_by_label("Wheels and source distributions").set_input_files([wheel])
    expect(page.get_by_role("listitem").filter(has_text=wheel.name)).to_contain_text("ready")
    page.get_by_role("main").get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="Show sample 1.0").click()
    expect(page).to_have_url(f"{url}/project/sample/1.0/")


@pytest.mark.browser
def test_a_person_goes_all_the_way(chromium: Browser, fronted: Fronted, tmp_path: Path) -> None:
    """Sign in, make a token, upload, copy the install line, search, sign out: every address is below the index, nothing
    is on the console and nothing is asked elsewhere.
    """
    wheel, url = build_wheel(tmp_path / "dist"), fronted.url
    with visit(chromium, url) as (page, faults):
        page.goto(f"{url}/")
        faults.extend(strays(page, url))
        sign_in(page)
        make_a_token(page, url)
        faults.extend(strays(page, url))
        upload(page, wheel, url)
        faults.extend(strays(page, url))
        page.get_by_role("button", name="Copy the pip command").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"pip install --index-url {url}/simple/ sample"
        page.keyboard.press("/")
        page.keyboard.type("sam")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{url}/search?q=sam")
        page.get_by_role("searchbox").fill("sampl")  # the results follow while one types
        expect(page).to_have_url(f"{url}/search?q=sampl")
        faults.extend(strays(page, url))
        page.get_by_role("main").get_by_role("link", name="sample").click()
        expect(page).to_have_url(f"{url}/project/sample/")
        page.get_by_role("link", name="Files", exact=True).click()
        page.get_by_role("link", name="Contents of").first.click()
        page.get_by_role("heading", name=wheel.name).first.wait_for()
        faults.extend(strays(page, url))
        page.get_by_role("link", name="Admin", exact=True).click()
        page.get_by_role("heading", name="Dashboard").wait_for()
        faults.extend(strays(page, url))
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in").wait_for()
    assert faults == []


@pytest.mark.clients
def test_installers_and_uploaders_go_through(fronted: Fronted, tmp_path: Path) -> None:
    """twine uploads and pip installs, with the certificate trusted; with a wrong password twine is refused."""
    (home := tmp_path / "home").mkdir()
    programs = Programs(home, {"PIP_CERT": str(fronted.ca_file), "TWINE_CERT": str(fronted.ca_file)})
    project = Project(tmp_path / "project", "sample").write()
    refused = UPLOADERS["twine"](programs, project, f"{fronted.url}/upload", Credential("admin", "wrong"))
    assert refused.code != 0
    assert "401" in refused.text
    sent = UPLOADERS["twine"](programs, project, f"{fronted.url}/upload", ADMIN)
    assert sent.code == 0, sent.text
    programs.well("python", "-m", "venv", "--without-pip", tmp_path / "venv")
    venv = Venv(programs, tmp_path / "venv")
    programs.well(
        "pip", "--python", venv.python, "install", "--no-deps", "--index-url", f"{fronted.url}/simple/", "sample"
    )
    assert venv.versions()["sample"] == "1.0"


@pytest.mark.clients
def test_answers_are_those_of_a_server_with_tls(fronted: Fronted) -> None:
    """Browsers are told to come back by HTTPS only, also by refusals; redirects stay below the index; what a client
    says of a prefix is not believed.
    """
    for path, status in (("/", 200), ("/nothing-here", 404), ("/account", 302), ("/simple/", 200)):
        answer = fronted.ask(path, Accept="text/html")
        assert (answer[0], answer[1]["Strict-Transport-Security"]) == (status, HSTS), path
    below = fronted.url.partition("://")[2].partition("/")[2]
    root = f"/{below}" if below else ""
    assert fronted.ask("/account", Accept="text/html")[1]["Location"] == f"{root}/login?next={root}/account"
    assert "__Host-sid=" in fronted.ask("/login", Accept="text/html")[1]["Set-Cookie"]
    assert "/elsewhere/" not in fronted.ask("/", **{"Accept": "text/html", "X-Forwarded-Prefix": "/elsewhere"})[2]
    linked = re.findall(r'href="([^"]+)"', fronted.ask("/feeds/releases.atom")[2])
    assert linked
    assert [address for address in linked if not address.startswith(f"{fronted.url}/")] == []
