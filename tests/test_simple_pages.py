"""The simple pages as installers get them, by the fast path and by Flask alike (protocol cases 1 to 19)."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import zstandard
from packaging.utils import NormalizedName
from werkzeug.test import Client, TestResponse

from server import create_wsgi
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER, basic
from tests.factory import build_sdist, build_wheel
from tests.multipart_form import upload

J = "application/vnd.pypi.simple.v1+json"
H = "application/vnd.pypi.simple.v1+html"
DEMO = NormalizedName("demo-pkg")


@pytest.fixture
def index(front: Any, tmp_path: Path) -> Client:
    """The whole WSGI application, holding Demo_Pkg 1.0 as wheel and sdist."""
    client = Client(front)
    metadata = "Metadata-Version: 2.1\nName: Demo_Pkg\nVersion: 1.0\nRequires-Python: >=3.8\n"
    assert upload(client, build_wheel(tmp_path, "demo_pkg", metadata=metadata)).status_code == 200
    assert upload(client, build_sdist(tmp_path, "demo_pkg")).status_code == 200
    return client


def get(client: Client, path: str = "/simple/demo-pkg/", accept: str | None = None, **headers: str) -> TestResponse:
    """Ask for a page; keyword arguments are headers with underscores."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    if accept is not None:
        said["Accept"] = accept
    return client.get(path, headers=said)


def test_the_json_page(index: Client) -> None:
    """Case 1: every key that installers read, in the form that uv accepts."""
    answer = get(index, accept=J)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, J)
    page = answer.json
    assert page is not None
    assert page["meta"]["api-version"] == "1.4"
    assert (page["name"], page["versions"], page["project-status"]) == ("demo-pkg", ["1.0"], {"status": "active"})
    wheel, sdist = page["files"]
    assert wheel["filename"] == "demo_pkg-1.0-py3-none-any.whl"
    assert sdist["filename"] == "demo_pkg-1.0.tar.gz"
    assert len(wheel["hashes"]["sha256"]) == 64
    assert isinstance(wheel["size"], int)
    assert wheel["upload-time"].endswith("Z")
    assert wheel["requires-python"] == ">=3.8"
    assert None not in [value for file in page["files"] for value in file.values()]


@pytest.mark.parametrize("accept", [None, "", "*/*"])
def test_the_html_page_is_the_default(index: Client, accept: str | None) -> None:
    """Case 2: who asks for nothing special gets HTML with one anchor a file."""
    answer = get(index, accept=accept)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.count("<a ") == 2
    assert ">demo_pkg-1.0.tar.gz</a>" in answer.text
    assert 'name="pypi:repository-version" content="1.4"' in answer.text


def test_negotiation_by_header_and_by_query(index: Client) -> None:
    """Cases 3 to 6: the exact type asked for, an alias named by its real version, ?format= before Accept, 406."""
    assert get(index, accept=H).headers["Content-Type"] == H
    assert get(index, accept="application/vnd.pypi.simple.latest+json").headers["Content-Type"] == J
    by_query = get(index, f"/simple/demo-pkg/?format={J.replace('+', '%2B')}", accept="text/html")
    assert by_query.headers["Content-Type"] == J
    for refused in (get(index, "/simple/demo-pkg/?format=foo/bar"), get(index, accept="application/json")):
        assert refused.status_code == 406
    assert "Accept" in get(index, accept=H).headers["Vary"]


@pytest.mark.parametrize(
    ("asked", "sent_to"),
    [
        ("/simple/Demo_Pkg/?x=1", "/simple/demo-pkg/?x=1"),
        ("/simple/demo-pkg", "/simple/demo-pkg/"),
        ("/simple/Demo.Pkg?y=%2B", "/simple/demo-pkg/?y=%2B"),
        ("/simple", "/simple/"),
    ],
)
def test_other_spellings_are_redirected(index: Client, asked: str, sent_to: str) -> None:
    """Cases 7, 8: to the normalized name with its slash, the query kept, the address relative."""
    answer = get(index, asked)
    assert answer.status_code == 301
    assert "://" not in answer.headers["Location"]
    assert urljoin(asked, answer.headers["Location"]) == sent_to
    assert get(index, sent_to).status_code == 200


@pytest.mark.parametrize(
    "path", ["/simple/no-such/", "/simple/no-such", "/simple/%ff/", "/simple/a%00b/", "/simple/-/"]
)
@pytest.mark.parametrize("accept", [J, "text/html", "*/*"])
def test_unknown_projects_are_404(index: Client, path: str, accept: str) -> None:
    """Case 9, S80, S81: never 500, whatever the path."""
    answer = get(index, path, accept=accept)
    if answer.status_code == 301:
        answer = get(index, urljoin(path, answer.headers["Location"]), accept=accept)
    assert answer.status_code in {404, 400}


def test_the_project_list(index: Client) -> None:
    """Case 10: display names with their last serial in JSON, normalized addresses in HTML."""
    listed = get(index, "/simple/", accept=J).json
    assert listed is not None
    (project,) = listed["projects"]
    assert project["name"] == "Demo_Pkg"
    assert project["_last-serial"] <= listed["meta"]["_last-serial"]
    assert 'href="demo-pkg/"' in get(index, "/simple/").text


def test_yanking_shows_and_moves_the_etag(index: Client, services: Services) -> None:
    """Case 12: a reason as text, none as true, taken back as false; each with an ETag of its own."""
    tags = set()

    def yanked() -> Any:
        answer = get(index, accept=J)
        tags.add(answer.headers["ETag"])
        assert answer.json is not None
        return answer.json["files"][0]["yanked"]

    manager = services.manager
    assert yanked() is False
    manager.yank("main", DEMO, "1.0", None, 'broken <"on"> arm', by=TESTER)
    assert yanked() == 'broken <"on"> arm'
    assert 'data-yanked="broken &lt;&quot;on&quot;&gt; arm"' in get(index).text
    manager.yank("main", DEMO, "1.0", None, "", by=TESTER)
    assert yanked() is True
    assert 'data-yanked=""' in get(index).text
    manager.unyank("main", DEMO, "1.0", None, by=TESTER)
    assert yanked() is False
    assert len(tags) == 4
    assert index.get("/packages/demo-pkg/demo_pkg-1.0.tar.gz").status_code == 200


def test_project_status(index: Client, services: Services) -> None:
    """Case 14: archived says why and offers its files; quarantined offers none, nor is it listed or downloadable."""
    services.manager.set_status("main", DEMO, ProjectStatus.ARCHIVED, "moved on", by=TESTER)
    page = get(index, accept=J).json
    assert page is not None
    assert page["project-status"] == {"status": "archived", "reason": "moved on"}
    assert len(page["files"]) == 2
    services.manager.set_status("main", DEMO, ProjectStatus.QUARANTINED, None, by=TESTER)
    page = get(index, accept=J).json
    assert page is not None
    assert page["files"] == []
    assert index.get("/packages/demo-pkg/demo_pkg-1.0.tar.gz").status_code == 404
    assert index.get("/packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl.metadata").status_code == 404
    listed = get(index, "/simple/", accept=J).json
    assert listed is not None
    assert listed["projects"] == []


def test_preconditions(index: Client) -> None:
    """Cases 16, 17: 304 with ETag and Vary while nothing changed; representations have ETags of their own."""
    tags = set()
    for accept in (J, H, "text/html"):
        for coding in ("identity", "gzip", "zstd"):
            answer = get(index, accept=accept, Accept_Encoding=coding)
            again = get(index, accept=accept, Accept_Encoding=coding, If_None_Match=answer.headers["ETag"])
            assert (again.status_code, again.data) == (304, b"")
            assert {"ETag", "Vary", "Cache-Control"} <= set(again.headers.keys())
            assert answer.headers["Cache-Control"] == "no-cache"
            tags.add(answer.headers["ETag"])
    assert len(tags) == 9


def test_codings(index: Client) -> None:
    """Case 18: gzip and zstd as asked, with Vary; the same page inside."""
    plain = get(index, accept=J).data
    packed = get(index, accept=J, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain
    zstd = get(index, accept=J, Accept_Encoding="gzip, deflate, zstd")
    assert zstandard.ZstdDecompressor().decompress(zstd.data) == plain


def test_head_and_other_methods(index: Client) -> None:
    """Cases 15, 19: HEAD has the headers of GET and no body; POST is refused with Allow."""
    head = index.head("/simple/demo-pkg/")
    assert head.data == b""
    assert head.headers["Content-Length"] == get(index).headers["Content-Length"]
    refused = index.post("/simple/demo-pkg/")
    assert refused.status_code == 405
    assert "GET" in refused.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/simple/", "/simple/demo-pkg/", "/packages/demo-pkg/demo_pkg-1.0.tar.gz"]
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers", [{}, {"Accept": J}, {"Accept-Encoding": "gzip"}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}]
)
def test_the_fast_path_answers_as_flask_does(index: Client, path: str, method: str, headers: dict[str, str]) -> None:
    """Byte-identical answers, but for the request's number: a cookie sends the same request through Flask."""
    fast = index.open(path, method=method, headers=headers)
    slow = index.open(path, method=method, headers={**headers, "Cookie": "unknown=1"})
    assert fast.status == slow.status
    assert fast.data == slow.data
    without = {"x-request-id"}
    assert sorted((name.lower(), value) for name, value in fast.headers if name.lower() not in without) == sorted(
        (name.lower(), value) for name, value in slow.headers if name.lower() not in without
    )


def test_every_process_sees_a_change_at_once(
    index: Client, services: Services, tmp_path: Path, open_server: Any
) -> None:
    """A change by another process's connection shows on the next request, though this one's pages are warm."""
    get(index, accept=J)
    other = open_server()
    other.manager.yank("main", DEMO, "1.0", None, "seen", by=TESTER)
    page = get(index, accept=J).json
    assert page is not None
    assert page["files"][0]["yanked"] == "seen"


def test_readers_never_see_an_older_page(index: Client, services: Services, tmp_path: Path) -> None:
    """While one thread yanks and restores, another never reads a serial lower than one it has read."""
    serials: list[int] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            serials.append(int(get(index).headers["X-PyPI-Last-Serial"]))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(30):
        services.manager.yank("main", DEMO, "1.0", None, str(number), by=TESTER)
    stop.set()
    reader.join()
    assert serials == sorted(serials)
    assert len(set(serials)) > 1


def test_with_credentials_reading_stays_fast_and_right(
    secured: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good password is checked once and then remembered; a bad one is 401 even on a public index."""
    front = create_wsgi(secured)
    client = Client(front)
    upload(client, build_wheel(tmp_path, "demo_pkg"), headers=basic("bob"))
    checked: list[str] = []
    verify: Callable[..., bool] = secured.authenticator.passwords.verify

    def counted(*said: str) -> bool:
        checked.append("once")
        return verify(*said)

    monkeypatch.setattr(secured.authenticator.passwords, "verify", counted)
    assert [client.get("/simple/demo-pkg/", headers=basic("alice")).status_code for _ in range(5)] == [200] * 5
    assert checked == ["once"]
    assert client.get("/simple/demo-pkg/", headers=basic("alice", "wrong")).status_code == 401
    front.close()
