"""Headers, static files, and what every page keeps."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
import structlog.testing
import zstandard
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services import Services
from tests.web.conftest import BROWSER, Visitor
from views.access_log import log_failure
from views.web.assets import FOLDER

TEMPLATES = FOLDER.parent / "templates"


def unpacked(answer: TestResponse) -> bytes:
    """The body without its content coding."""
    if answer.headers["Content-Encoding"] == "gzip":
        return gzip.decompress(answer.data)
    return zstandard.ZstdDecompressor().decompress(answer.data)


def test_every_page_has_its_headers(secured_client: FlaskClient) -> None:
    """Also error pages and redirects: nothing inline, no frame, no sniffing, not shared between people."""
    for address in ("/", "/search", "/login", "/project/none/", "/nothing/here", "/admin"):
        headers = secured_client.get(address, headers=BROWSER).headers
        assert "default-src 'none'; script-src 'self'" in headers["Content-Security-Policy"]
        assert "'unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "Cookie" in headers["Vary"]
        assert "public" not in headers["Cache-Control"]


def test_every_refusal_is_what_it_says(secured_client: FlaskClient) -> None:
    """Also those for programs, which repeat what was asked for: no browser guesses a page there, nothing keeps them."""
    addresses = (
        "/nothing", "/simple/none/", "/feeds/projects/none/releases.atom", "/packages/none/none-1.0.tar.gz",
        "/api/packages/none", "/pypi/none/json", "/upload/check", "/search?page=x",
    )  # fmt: skip
    for address in addresses:
        answer = secured_client.get(address)
        assert answer.status_code in {400, 401, 404}, address
        assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"], address
        assert answer.headers.getlist("Cache-Control") == ["no-store"], address


def test_pages_of_signed_in_people_are_not_stored(bob: Visitor) -> None:
    """A proxy or a shared computer keeps none of them."""
    for address in ("/", "/account", "/search", "/nothing-here"):
        assert bob.get(address).headers["Cache-Control"] == "no-store"


def test_static_files_are_kept_for_ever_under_their_digest(client: FlaskClient) -> None:
    """The addresses in the pages carry the digest; with a wrong one or none the file is asked for again."""
    page = client.get("/", headers=BROWSER).text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) >= 3
    for address in addresses:
        answer = client.get(address)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in answer.headers
        for other in (address.split("?")[0], f"{address}0"):
            assert client.get(other).headers["Cache-Control"] == "public, no-cache"


def test_an_unchanged_static_file_is_not_sent_again(client: FlaskClient) -> None:
    """A matching If-None-Match gets 304."""
    etag = client.get("/static/style.css").headers["ETag"]
    assert client.get("/static/style.css", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_static_files_come_compressed(client: FlaskClient, coding: str) -> None:
    """In the coding that the browser takes, each with an ETag of its own, and back to the very bytes."""
    for name in ("style.css", "site.js"):
        plain = client.get(f"/static/{name}")
        packed = client.get(f"/static/{name}", headers={"Accept-Encoding": coding})
        assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, coding)
        assert 2 * len(packed.data) < len(plain.data) == len(unpacked(packed))
        assert unpacked(packed) == plain.data
        assert "Accept-Encoding" in plain.vary
        assert "Accept-Encoding" in packed.vary
        assert packed.headers["ETag"] != plain.headers["ETag"]
        asked = {"Accept-Encoding": coding, "If-None-Match": packed.headers["ETag"]}
        assert client.get(f"/static/{name}", headers=asked).status_code == 304


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_pages_come_compressed(stocked: Visitor, coding: str) -> None:
    """A page for everybody, and the JSON of a search, are the same bytes in fewer."""
    for path in ("/", "/search?q=weft", "/project/weft/", "/project/weft/2.0/description.txt"):
        plain = stocked.get(path)
        packed = stocked.client.get(path, headers={**BROWSER, "Accept-Encoding": f"{coding}, br"})
        assert "Accept-Encoding" in plain.vary
        if len(plain.data) >= 1_000:
            assert packed.headers["Content-Encoding"] == coding
            assert int(packed.headers["Content-Length"]) == len(packed.data)
            assert unpacked(packed) == plain.data
        else:
            assert packed.data == plain.data
    assert len(stocked.get("/").data) > 1_000


def test_the_size_of_a_page_tells_no_secret(visitor: Visitor) -> None:
    """What has a form's token in it, or is for a browser with a cookie, is never compressed (BREACH)."""
    headers = {**BROWSER, "Accept-Encoding": "gzip, zstd"}
    assert "Content-Encoding" in visitor.client.get("/search?q=a", headers=headers).headers
    first = visitor.get("/login", headers=headers)
    assert "Set-Cookie" in first.headers
    assert "Content-Encoding" not in first.headers
    assert "Content-Encoding" not in visitor.get("/search?q=a", headers=headers).headers
    assert visitor.sign_in("bob").status_code == 303
    for path in ("/", "/search?q=a", "/account", "/upload"):
        assert "Content-Encoding" not in visitor.get(path, headers=headers).headers


@pytest.mark.parametrize("name", ["../server.py", "..%2fserver.py", "admin/../style.css", "none.css", "", "%00.css"])
def test_only_static_files_are_served(client: FlaskClient, name: str) -> None:
    """Nothing beside the folder can be had through it."""
    assert client.get(f"/static/{name}").status_code in {308, 404}


def test_types_are_right(client: FlaskClient) -> None:
    """Under nosniff a browser takes a style sheet or script only with its own type."""
    types = {name: client.get(f"/static/{name}").mimetype for name in ("style.css", "site.js", "icon.svg")}
    assert types == {"style.css": "text/css", "site.js": "text/javascript", "icon.svg": "image/svg+xml"}
    icon = client.get("/favicon.ico")
    assert (icon.status_code, icon.data[:4]) == (200, b"\x00\x00\x01\x00")


def test_crawlers_are_asked_to_stay_away(client: FlaskClient) -> None:
    """A team's own index is not for search engines."""
    assert client.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_escape_everything(path: Path) -> None:
    """No template switches escaping off, writes script or style inline, or puts a value where quotes do not hold it."""
    text = path.read_text()
    assert not re.search(r"\|\s*safe\b|autoescape|Markup|xmlattr", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"=\{\{", text)


def test_pages_are_small(client: FlaskClient) -> None:
    """A page with its style sheet, script and icon is under 60 KB before compression."""
    page = client.get("/", headers=BROWSER)
    assets = sum(len(client.get(f"/static/{name}").data) for name in ("style.css", "site.js", "icon.svg"))
    assert len(page.data) + assets < 60_000


def test_every_view_names_its_permission(app: Flask) -> None:
    """No page of this blueprint is without a decision on who may see it."""
    views = {name: view for name, view in app.view_functions.items() if name.startswith("web.")}
    assert views
    assert [name for name, view in views.items() if not hasattr(view, "permission")] == []


def test_people_are_shown_a_fault_by_its_number(
    services: Services, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw is a page with status 500 and the number that is in the log, and nothing of the fault."""
    monkeypatch.setattr(services.at().catalogue, "stats", lambda: 1 // 0)
    with structlog.testing.capture_logs() as lines:
        answer = client.get("/", headers=BROWSER, environ_overrides={"pypi.request_id": "number-1"})
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "written to its log under number-1" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert ["ZeroDivisionError" in line["trace"] for line in lines] == [True]


def test_the_trace_of_a_fault_is_bounded() -> None:
    """A stranger cannot fill the log by one fault; its end, which names it, stays."""
    with structlog.testing.capture_logs() as lines:
        log_failure({}, RuntimeError("x" * 100_000 + " the end"))
    trace = lines[0]["trace"]
    assert len(trace) < 8_100
    assert trace.startswith("[9")
    assert trace.endswith("the end\n")
