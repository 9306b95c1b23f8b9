"""``/api/packages`` and ``/api/stats``: reading, yanking, deleting, status."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from errors import InvalidRequest
from server import create_app
from services import Services
from tests.api.conftest import Publish
from tests.conftest import basic
from views.api.bodies import parse_object

Stock = Callable[[Services], None]


@pytest.fixture
def index(services: Services, stock: Stock) -> FlaskClient:
    """A client of an open server that holds something."""
    stock(services)
    return create_app(services).test_client()


@pytest.fixture
def secured_index(secured: Services, stock: Stock) -> FlaskClient:
    """A client of a server with authentication that holds something."""
    stock(secured)
    return create_app(secured).test_client()


def names(client: FlaskClient, query: str = "") -> list[str]:
    """The names on a page of the list."""
    answer = client.get(f"/api/packages{query}")
    assert answer.status_code == 200, answer.text
    return [package["name"] for package in answer.json["packages"]]  # type: ignore[index]


# -- the list


def test_the_list_has_a_line_for_each_project(index: FlaskClient) -> None:
    """A line says what a project is without asking further."""
    document: Any = index.get("/api/packages").json
    assert {key: document[key] for key in ("page", "per_page", "pages", "total")} == {
        "page": 1, "per_page": 50, "pages": 1, "total": 2,
    }  # fmt: skip
    line = document["packages"][0]
    assert line.pop("created").endswith("Z")
    assert line.pop("updated").endswith("Z")
    assert line == {
        "name": "demo-pkg", "display_name": "Demo_Pkg", "version": "2.0", "summary": "Shows how.", "status": "active",
        "files": 4,
    }  # fmt: skip


def test_pages_hold_every_project_once_and_link_to_each_other(services: Services, publish: Publish) -> None:
    """Following rel="next" from the first page to the last gives every project, once (RFC 8288)."""
    expected = [f"project-{number}" for number in range(5)]
    for name in expected:
        publish(services, name)
    client = create_app(services).test_client()
    found: list[str] = []
    address: str | None = "http://localhost/api/packages?per_page=2"
    while address is not None:
        answer = client.get(address)
        found += [package["name"] for package in answer.json["packages"]]  # type: ignore[index]
        links = {
            part.partition("; ")[2]: part.partition("; ")[0].strip("<>") for part in answer.headers["Link"].split(", ")
        }
        assert 'rel="last"' in links
        address = links.get('rel="next"')
    assert found == expected


def test_a_page_beyond_the_last_is_empty(index: FlaskClient) -> None:
    """Asking beyond the end is no fault, and its links lead back."""
    answer = index.get("/api/packages?page=10000")
    assert answer.json["packages"] == []  # type: ignore[index]
    assert 'rel="prev"' in answer.headers["Link"]
    assert 'rel="next"' not in answer.headers["Link"]


def test_the_list_is_sorted_as_asked(index: FlaskClient) -> None:
    """By name or by time, either way."""
    assert names(index) == names(index, "?sort=name") == ["demo-pkg", "other"]
    assert names(index, "?sort=-name") == names(index, "?sort=-updated") == ["other", "demo-pkg"]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("demo", ["demo-pkg"]), ("Demo_", ["demo-pkg"]), ("demo.-_p", ["demo-pkg"]), ("_", []), ("x", [])],
)
def test_the_list_is_filtered_by_the_beginning_of_names(index: FlaskClient, prefix: str, expected: list[str]) -> None:
    """In any spelling; ``_`` and ``%`` are no wildcards (S96)."""
    assert names(index, f"?prefix={prefix}") == expected


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=1.0", "page=", "page=" + "9" * 5000, "page=10001", "page=%D9%A1", "page=1&page=2",
        "per_page=0", "per_page=201", "per_page=1000000000", "sort=size", "sort=name;drop", "prefix=%25", "prefix=%FF",
        "prefix=%00", "prefix=" + "a" * 129, "color=red", "page=1%00",
    ],
)  # fmt: skip
def test_unfit_queries_are_refused_by_name(index: FlaskClient, query: str) -> None:
    """Whatever is not a sound query is a 400 that names the parameter (S95)."""
    answer = index.get(f"/api/packages?{query}")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert repr(query.partition("=")[0]) in answer.json["detail"]  # type: ignore[index]


# -- one project, one release


def test_a_project_is_told_whole(index: FlaskClient) -> None:
    """Latest version, metadata, releases newest first, files with their digests, and how to install it."""
    document: Any = index.get("/api/packages/Demo.Pkg").json
    assert (document["name"], document["version"], document["status"]) == ("demo-pkg", "2.0", "active")
    assert (document["summary"], document["description"].strip()) == ("Shows how.", "# Demo")
    assert document["metadata"]["classifiers"] == ["Topic :: Software Development"]
    assert [release["version"] for release in document["releases"]] == ["3.0rc1", "2.0", "1.0"]
    assert document["releases"][2]["files"] == 2
    file = document["files"][0]
    assert file["url"] == "http://localhost/packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl"
    assert (file["uploader"], file["kind"], file["python_tag"]) == ("tester", "bdist_wheel", "py3")
    assert file["requires_python"] == ">=3.9"
    assert [len(file[name]) for name in ("sha256", "md5", "blake2b_256", "core_metadata_sha256")] == [64, 32, 64, 64]
    assert document["install"] == "pip install --index-url http://localhost/simple/ demo-pkg"
    assert document["downloads"] == 0


def test_a_release_is_found_by_any_spelling_of_its_version(index: FlaskClient) -> None:
    """1.0, 1.0.0 and v1 are one release; it has its own files only."""
    documents = [index.get(f"/api/packages/demo-pkg/{version}").json for version in ("1.0", "1.0.0", "v1")]
    assert documents[0] == documents[1] == documents[2]
    document: Any = documents[0]
    assert (document["version"], len(document["files"])) == ("1.0", 2)
    assert document["install"].endswith(" demo-pkg==1.0")


def test_downloads_are_counted_into_the_answer(services: Services, index: FlaskClient) -> None:
    """What was downloaded stands in the project's and the server's figures."""
    services.at().downloads.count("demo-pkg", "1.0", "demo_pkg-1.0-py3-none-any.whl")
    services.at().downloads.flush()
    assert index.get("/api/packages/demo-pkg").json["downloads"] == 1  # type: ignore[index]
    assert index.get("/api/stats").json["downloads"] == 1  # type: ignore[index]


def test_the_figures(index: FlaskClient) -> None:
    """Projects, releases, files and bytes are those that the index holds."""
    stats: Any = index.get("/api/stats").json
    files = [file for name in names(index) for file in index.get(f"/api/packages/{name}").json["files"]]  # type: ignore[index]
    assert (stats["projects"], stats["releases"], stats["files"], stats["yanked_files"]) == (2, 4, 5, 0)
    assert stats["bytes"] == sum(file["size"] for file in files)
    assert stats["serial"] > 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/packages/nothing", "/api/packages/nothing/status", "/api/packages/demo-pkg/9.9",
        "/api/packages/demo-pkg/nonsense", "/api/packages/demo-pkg/1..0", "/api/packages/%FF", "/api/packages/%00",
        "/api/packages/-demo", "/api/packages/" + "a" * 129, "/api/packages/demo-pkg/1%00", "/api/packages/..%2f",
        "/api/packages/demo-pkg/" + "1" * 4000, "/api/nothing", "/api/packages/",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_document(index: FlaskClient, path: str) -> None:
    """404 as problem+json (RFC 9457), also for what could be no name at all."""
    answer = index.get(path)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 404  # type: ignore[index]


def test_another_method_is_refused_with_those_that_are_taken(index: FlaskClient) -> None:
    """405 carries Allow, also where ``status`` stands in a version's place."""
    answer = index.delete("/api/packages/demo-pkg/status")
    assert answer.status_code == 405
    assert {"GET", "PUT"} <= set(answer.headers["Allow"].split(", "))
    assert "DELETE" not in answer.headers["Allow"]


def test_answers_carry_the_headers_of_an_api(index: FlaskClient) -> None:
    """No answer, refusals included, can be sniffed, framed or run; open reading is asked anew, the rest not kept."""
    for path, caching in (("/api/packages", "no-cache"), ("/api/packages/none", "no-store"), ("/api/x", "no-store")):
        headers = index.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Cache-Control"] == caching


def test_what_was_read_before_is_not_sent_again(index: FlaskClient) -> None:
    """A matching If-None-Match is a 304 without a body; a change ends it."""
    etag = index.get("/api/packages/other").headers["ETag"]
    again = index.get("/api/packages/other", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    index.post("/api/packages/other/0.1/yank")
    assert index.get("/api/packages/other", headers={"If-None-Match": etag}).status_code == 200


# -- changes


def test_yank_and_unyank_a_release(index: FlaskClient) -> None:
    """The reason is on every file; the next version stands for the project until it is taken back."""
    answer = index.post("/api/packages/demo-pkg/2.0.0/yank", json={"reason": "broken"})
    assert answer.json == {"name": "demo-pkg", "version": "2.0", "filename": None, "yanked": True, "changed": 1}
    document: Any = index.get("/api/packages/demo-pkg").json
    assert document["version"] == "1.0"
    yanked = {release["version"]: release["yanked_reason"] for release in document["releases"] if release["yanked"]}
    assert yanked == {"2.0": "broken"}
    assert index.delete("/api/packages/demo-pkg/2.0/yank").json["changed"] == 1  # type: ignore[index]
    assert index.delete("/api/packages/demo-pkg/2.0/yank").json["changed"] == 0  # type: ignore[index]
    assert index.get("/api/packages/demo-pkg").json["version"] == "2.0"  # type: ignore[index]


def test_yank_one_file(index: FlaskClient) -> None:
    """Only the named file is yanked, and the release as a whole is not."""
    answer = index.post("/api/packages/demo-pkg/1.0/yank", json={"filename": "demo_pkg-1.0.tar.gz"})
    assert answer.json["changed"] == 1  # type: ignore[index]
    document: Any = index.get("/api/packages/demo-pkg/1.0").json
    assert document["yanked"] is False
    assert [file["filename"] for file in document["files"] if file["yanked"]] == ["demo_pkg-1.0.tar.gz"]
    assert index.post("/api/packages/demo-pkg/1.0/yank", json={"filename": "none.whl"}).status_code == 404


def test_delete_a_file_a_release_and_a_project(index: FlaskClient) -> None:
    """Each goes with its files and no more; a project without files leaves the list."""
    answer = index.delete("/api/packages/demo-pkg/1.0/demo_pkg-1.0.tar.gz", json={"reason": "a slip"})
    assert answer.json["deleted"] == ["demo_pkg-1.0.tar.gz"]  # type: ignore[index]
    answer = index.delete("/api/packages/demo-pkg/1.0")
    assert answer.json["deleted"] == ["demo_pkg-1.0-py3-none-any.whl"]  # type: ignore[index]
    assert index.get("/api/packages/demo-pkg/1.0").status_code == 404
    assert len(index.delete("/api/packages/Demo_Pkg").json["deleted"]) == 2  # type: ignore[index]
    assert names(index) == ["other"]
    assert index.get("/api/packages/demo-pkg").status_code == 404
    assert index.delete("/api/packages/demo-pkg").status_code == 404


def test_a_deletion_is_in_the_journal_with_its_reason(services: Services, index: FlaskClient) -> None:
    """Who deletes can say why, and it can be read afterwards."""
    index.delete("/api/packages/other", json={"reason": "by mistake"})
    row = services.database.quick("SELECT action, detail FROM journal ORDER BY serial DESC LIMIT 1", ())
    assert row[0] == "file.delete"
    assert json.loads(row[1])["reason"] == "by mistake"


def test_status(index: FlaskClient) -> None:
    """A status is set and read with its reason; a quarantined project offers nothing."""
    assert index.get("/api/packages/other/status").json == {"name": "other", "status": "active", "reason": None}
    said = {"status": "quarantined", "reason": "looks bad"}
    assert index.put("/api/packages/other/status", json=said).json == {"name": "other", **said}
    document: Any = index.get("/api/packages/other").json
    assert (document["status"], document["status_reason"], document["version"]) == ("quarantined", "looks bad", None)
    assert document["files"] == document["releases"] == []
    assert index.get("/api/packages/other/0.1").status_code == 404
    assert index.put("/api/packages/nothing/status", json={"status": "active"}).status_code == 404


# -- bodies: S94

UNSOUND = {
    "an array": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "depth": b"[" * 20_000,
    "objects": b'{"reason":' * 5_000,
    "not JSON": b"{reason: 1}",
    "trailing": b'{"reason": "a"} x',
    "NaN": b'{"reason": NaN}',
    "infinity": b'{"reason": -Infinity}',
    "twice": b'{"reason": "a", "reason": "b"}',
    "not UTF-8": b'{"reason": "\xff"}',
    "UTF-16": '{"reason": "a"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"reason": "a"}',
    "half a pair": b'{"reason": "\\ud800"}',
    "digits": b'{"reason": ' + b"9" * 10_000 + b"}",
    "wrong type": b'{"reason": 1}',
    "a list": b'{"reason": ["a"]}',
    "a null": b'{"reason": null}',
    "unknown": b'{"cause": "a"}',
    "controls": b'{"reason": "a\\u0000"}',
    "line end": b'{"reason": "a\\n"}',
    "too long": b'{"reason": "' + b"a" * 501 + b'"}',
}


@pytest.mark.parametrize("body", UNSOUND.values(), ids=UNSOUND.keys())
def test_unsound_bodies_are_refused(index: FlaskClient, body: bytes) -> None:
    """Every fault of a body is a 400 with a sentence, and nothing is changed."""
    answer = index.post("/api/packages/other/0.1/yank", data=body, content_type="application/json")
    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/problem+json"
    assert index.get("/api/packages/other/0.1").json["yanked"] is False  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{"reason": 1}', "reason"), ('{"cause": ""}', "cause"), ('{"filename": ""}', "filename"),
        ('{"filename": "../x"}', "filename"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field(index: FlaskClient, body: str, word: str) -> None:
    """The sentence says which field is wrong."""
    answer = index.post("/api/packages/other/0.1/yank", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert f"'{word}'" in answer.json["detail"]  # type: ignore[index]


def test_other_content_types_are_415(index: FlaskClient) -> None:
    """A form or text cannot pass for JSON, nor can a coded body; so no web form can send one."""
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = index.put("/api/packages/other/status", data='{"status": "archived"}', content_type=content_type)
        assert answer.status_code == 415
    answer = index.put("/api/packages/other/status", json={"status": "archived"}, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert index.put("/api/packages/other/status").status_code == 400


def test_large_bodies_are_413(index: FlaskClient) -> None:
    """More than 64 KiB is not read."""
    answer = index.post("/api/packages/other/0.1/yank", data=b" " * 65_537, content_type="application/json")
    assert answer.status_code == 413


def test_whole_numbers_are_those_of_json(secured_index: FlaskClient) -> None:
    """30.0 is an integer in JSON; true is none."""
    for days, status in ((30, 201), (30.0, 201), (None, 201), (0, 201), (True, 400), (0.5, 400), ("30", 400)):
        answer = secured_index.post("/api/tokens", json={"name": "n", "expires_days": days}, headers=basic("alice"))
        assert answer.status_code == status, days


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_reading_a_body_gives_an_object_or_a_refusal(raw: bytes) -> None:
    """No bytes at all make the reader fail in another way."""
    with contextlib.suppress(InvalidRequest):
        assert isinstance(parse_object(raw), dict)


# -- rights


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/packages/demo-pkg/1.0/yank"), ("DELETE", "/api/packages/demo-pkg/1.0/yank"),
        ("DELETE", "/api/packages/demo-pkg"), ("DELETE", "/api/packages/demo-pkg/1.0"),
        ("DELETE", "/api/packages/demo-pkg/1.0/demo_pkg-1.0.tar.gz"), ("PUT", "/api/packages/demo-pkg/status"),
    ],
)  # fmt: skip
def test_changes_need_a_right(secured_index: FlaskClient, method: str, path: str) -> None:
    """401 with a challenge for nobody, the same for what is not there; an uploader may yank and not delete."""
    for asked in (path, path.replace("demo-pkg", "nothing")):
        answer = secured_index.open(asked, method=method)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    expected = 200 if path.endswith("/yank") else 403
    assert secured_index.open(path, method=method, headers=basic("bob")).status_code == expected


def test_administrators_and_their_tokens_may_delete(secured: Services, secured_index: FlaskClient) -> None:
    """A token has the rights of its owner over packages, as far as its scopes go."""
    answer = secured_index.delete("/api/packages/demo-pkg/2.0", headers=basic("alice"))
    assert answer.status_code == 200
    for scopes, status in ((["read", "upload", "yank"], 403), (["admin"], 200)):
        body = {"name": "CI", "scopes": scopes}
        token: Any = secured_index.post("/api/tokens", json=body, headers=basic("alice")).json
        bearer = {"Authorization": f"Bearer {token['token']}"}
        assert secured_index.delete("/api/packages/demo-pkg", headers=bearer).status_code == status


def test_a_page_of_another_site_changes_nothing(index: FlaskClient) -> None:
    """An open server does not act for a stranger's page in somebody's browser (S114)."""
    answer = index.delete("/api/packages/other", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "other" in names(index)
