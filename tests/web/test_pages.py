"""Every page in a real Chromium: accessible, quiet, as wide as the screen; and none is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser
from werkzeug.exceptions import NotFound

from services import Services
from tests.web import contents_site
from tests.web import site as full
from tests.web.browser import faults_of, sign_in, visit
from tests.web.conftest import Visitor
from tests.web.pages import PAGES, SITES, WHO, WebPage, every_site
from tests.web.screenshots import Shot, take
from views import addressing

# What answers GET and shows no page, by endpoint, with an address.
NO_PAGES = {
    "web.login_with_slash": "/login/",
    "web.logout_with_slash": "/logout/",
    "web.admin": "/admin",
    "web.begin_openid": "/login/openid",
    "web.check_upload": "/upload/check",
    "web.description": "/project/sample/1.0/description.txt",
    "web.end_openid": "/login/openid/callback",
    "web.favicon": "/favicon.ico",
    "web.robots": "/robots.txt",
    "web.static": "/static/site.js",
    "web.upload_again": "/upload/files",
}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Every server that pages are looked at on."""
    with every_site(tmp_path_factory.mktemp("sites")) as addresses:
        yield addresses


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 320), ("light", 1280)])
@pytest.mark.parametrize("who", WHO)
def test_every_page_is_accessible_and_quiet(
    chromium: Browser, sites: dict[str, str], who: str, scheme: str, width: int
) -> None:
    """axe finds nothing, nothing is wider than the screen, no error on the console, no request to another host.

    At huge pages axe looks once, in the dark and narrow.
    """
    found: list[str] = []
    for site, address in sites.items():
        seen = [one for one in PAGES if one.site == site and who in one.who]
        if not seen:
            continue
        with visit(chromium, address, scheme=scheme, width=width) as (page, faults):
            if WHO[who]:
                sign_in(page, WHO[who])
            for one in seen:
                one.open(page)
                with_axe = not one.huge or (scheme, width) == ("dark", 320)
                found += [f"{one.name}: {fault}" for fault in faults_of(page, with_axe=with_axe)]
                # Chromium itself reports that a page answered with a refusal.
                found += [f"{one.name}: {fault}" for fault in faults if not re.search("status of [45]", fault)]
                faults.clear()
    assert found == []


def endpoint_of(app: Flask, path: str) -> str | None:
    """The view that answers GET at an address."""
    environ = {"PATH_INFO": urlsplit(path).path}
    addressing.split(environ)
    try:
        return str(app.url_map.bind("localhost").match(environ["PATH_INFO"])[0])
    except NotFound:
        return None


def test_no_page_is_forgotten(app: Flask) -> None:
    """Whatever answers GET for people is in the list that the test above and the screenshots go by."""
    served = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    of_people = {endpoint for endpoint in served if endpoint.startswith("web.")}
    shown = {endpoint_of(app, one.path) for one in PAGES}
    assert of_people - shown == set(NO_PAGES)


@pytest.mark.parametrize(("endpoint", "path"), NO_PAGES.items())
def test_what_is_left_out_shows_no_page(app: Flask, visitor: Visitor, endpoint: str, path: str) -> None:
    """It is a redirect, or something else than HTML."""
    assert endpoint_of(app, path) == endpoint
    visitor.sign_in("alice")
    answer = visitor.client.get(path)
    assert answer.status_code // 100 == 3 or answer.mimetype != "text/html"


def test_pages_are_told_apart() -> None:
    """Each has a name of its own that is good for a file's, a known site, and somebody who looks at it."""
    names = [one.name for one in PAGES]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9-]+", name)] == []
    assert {one.site for one in PAGES} == set(SITES)
    assert {who for one in PAGES for who in one.who} == set(WHO)


@pytest.mark.browser
def test_pictures_are_taken(chromium: Browser, tmp_path: Path) -> None:
    """One for each page, onlooker, width and scheme, and a page that shows them side by side."""
    few = [WebPage("home", "/", ("nobody",), site="empty"), WebPage("login", "/login", ("nobody",), 403, "empty")]
    taken = take(chromium, tmp_path / "pictures", few)
    assert taken[0] == Shot("home", "nobody", 1280, "light")
    assert len(taken) == len(set(taken)) == 8
    assert {path.name for path in (tmp_path / "pictures").glob("*.png")} == {shot.filename for shot in taken}
    assert (tmp_path / "pictures" / "home-nobody-1280-light.png").read_bytes().startswith(b"\x89PNG")
    with visit(chromium, "file://") as (page, _):
        page.goto((tmp_path / "pictures" / "index.html").as_uri())
        drawn = page.evaluate("[...document.images].map(one => one.naturalWidth)")
    assert drawn == [1280, 1280, 320, 320] * 2


def test_no_two_pages_have_one_title(alice: Visitor, secured: Services, tmp_path: Path) -> None:
    """Tabs of a browser and its history tell the pages apart; those of the administration say that they are."""
    full.stock(secured, tmp_path / "looms")
    contents_site.stock(secured, tmp_path / "weft")
    titles: dict[str, str | None] = {}
    for path in dict.fromkeys(one.path for one in PAGES if one.site == "full" and one.status == 200):
        answer = alice.get(path)
        if answer.status_code != 200 or path == "/login":
            continue
        found = re.search(r"<title>(.*?) · PyPI Clone</title>", answer.text, re.DOTALL)
        assert found, path
        assert titles.setdefault(found[1], endpoint_of(alice.client.application, path)) == endpoint_of(
            alice.client.application, path
        ), found[1]
        assert found[1].endswith(" · Administration") == path.startswith("/admin/"), path
    assert len(titles) > 40
