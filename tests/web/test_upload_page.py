"""Uploading in the browser, as HTTP: the form, its token, what is said of each file, and who may."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from packaging.utils import NormalizedName
from werkzeug.test import TestResponse

from database.journal_reading import JournalFilter, read
from people.rights import Holder
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_sdist, build_wheel
from tests.multipart_form import BOUNDARY, FilePart, Part, encode, post, upload
from tests.web.conftest import BROWSER, Visitor, publish

SCRIPT = {"Accept": "application/json"}
SAMPLE = NormalizedName("sample")


def files_part(*paths: Path) -> list[Part]:
    """The files of a form."""
    return [("content", FilePart(path.name, path.read_bytes())) for path in paths]


def send(visitor: Visitor, *paths: Path, headers: dict[str, str] = BROWSER, token: str | None = None) -> TestResponse:
    """Send the page's form with these files."""
    visitor.get("/upload")
    said = visitor.token if token is None else token
    return post(visitor.client, [("csrf_token", said), *files_part(*paths)], "/upload/files", headers=headers)


def outcomes(answer: TestResponse) -> list[dict[str, Any]]:
    """What the script is told of each file."""
    assert answer.json is not None, answer.text
    found: list[dict[str, Any]] = answer.json["files"]
    return found


def check(client: FlaskClient, filename: str, size: object = 1000) -> dict[str, Any]:
    """What the page's script asks before it sends a file."""
    answer = client.get("/upload/check", query_string={"filename": filename, "size": str(size)}, headers=SCRIPT)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    found: dict[str, Any] = answer.json
    return found


def incoming(services: Services) -> list[Path]:
    """What lies among the incoming files."""
    return list((services.settings.data_path / ".state" / "incoming").iterdir())


def test_a_file_is_published_in_the_persons_name(bob: Visitor, secured: Services, wheel: Path) -> None:
    """The page says so with a link to the release, and the journal names the person, without a token."""
    answer = send(bob, wheel)
    assert answer.status_code == 200
    assert f"{wheel.name} was published as sample 1.0." in answer.text
    assert '<a href="/project/sample/1.0/">Show sample 1.0</a>' in answer.text
    (row,) = read(secured.database, JournalFilter(action="file.publish"), limit=5)
    assert (row.actor, row.token) == ("bob", None)
    assert secured.readers.rights.ground(MAIN, SAMPLE).owners == ("bob",)


def test_each_of_several_files_has_its_own_answer(bob: Visitor, secured: Services, wheel: Path, tmp_path: Path) -> None:
    """Good ones are published, bad ones refused in the words of the upload endpoint, wherever they stand."""
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no zip file")
    empty = tmp_path / "empty-1.0.tar.gz"
    empty.write_bytes(b"")
    sdist = build_sdist(tmp_path, "sample", "1.0")
    answer = send(bob, broken, wheel, empty, sdist, wheel, headers=SCRIPT)
    assert answer.status_code == 200
    assert [one["outcome"] for one in outcomes(answer)] == ["refused", "published", "refused", "published", "unchanged"]
    words = upload(bob.client, broken, headers=basic("bob")).text.strip()
    assert outcomes(answer)[0]["sentence"] == words
    assert "is empty" in outcomes(answer)[2]["sentence"]
    assert "nothing was changed" in outcomes(answer)[4]["sentence"]
    page = send(bob, broken, wheel).text
    assert words.replace("'", "&#39;") in page
    assert incoming(secured) == []


def test_warnings_come_along(anybody: Visitor, tmp_path: Path) -> None:
    """What was taken although it is spelled in an older way is said to be so."""
    sdist = build_sdist(tmp_path, "Old.Name", "1.0")
    (found,) = outcomes(send(anybody, sdist, headers=SCRIPT))
    assert found["outcome"] == "published"
    assert found["warnings"]
    assert found["url"] == "/project/old-name/1.0/"


def test_a_refused_file_alone_has_its_status(anybody: Visitor, services: Services, wheel: Path, tmp_path: Path) -> None:
    """400 for an unsound one, 409 for a taken name; the first of them where all are refused."""
    publish(services, wheel)
    other = build_wheel(tmp_path / "other", files={"sample/__init__.py": b"other = 1\n"})
    text = tmp_path / "notes.txt"
    text.write_text("x")
    assert send(anybody, other).status_code == 409
    assert send(anybody, text, other).status_code == 400
    answer = send(anybody, other, headers=SCRIPT)
    assert (answer.status_code, outcomes(answer)[0]["outcome"]) == (409, "refused")
    assert "File already exists" in outcomes(answer)[0]["sentence"]


def test_the_form_needs_its_token_before_the_files(bob: Visitor, secured: Services, wheel: Path) -> None:
    """S114: without the token, with another one or with it behind the file nothing is kept, not even for a moment."""
    asked = 0
    receive = secured.manager.receive

    def counted() -> Any:
        nonlocal asked
        asked += 1
        return receive()

    secured.manager.receive = counted  # type: ignore[method-assign]
    bob.get("/upload")
    forms: list[list[Part]] = [
        files_part(wheel),
        [("csrf_token", ""), *files_part(wheel)],
        [("csrf_token", "wrong"), *files_part(wheel)],
        [*files_part(wheel), ("csrf_token", bob.token)],
        [("csrf_token", bob.token), ("csrf_token", bob.token), *files_part(wheel)],
        [("csrf_token", "wrong")],
    ]
    for parts in forms:
        answer = post(bob.client, parts, "/upload/files", headers=BROWSER)
        assert answer.status_code in {400, 403}, parts[0][0]
        assert answer.status_code == 400 or "load the page again" in answer.text
    assert asked == 0
    assert secured.at().catalogue.stats()["files"] == 0


def test_a_page_of_another_site_uploads_nothing(anybody: Visitor, services: Services, wheel: Path) -> None:
    """Also on an open server, and with the token: the browser says where the form came from."""
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert send(anybody, wheel, headers=BROWSER | headers).status_code == 403
    assert services.at().catalogue.stats()["files"] == 0


def test_anybody_uploads_to_an_open_server(anybody: Visitor, services: Services, wheel: Path) -> None:
    """Without authentication the page is there, and the file is published by ``anonymous``."""
    page = anybody.get("/upload").text
    assert "This server has no accounts" in page
    assert send(anybody, wheel).status_code == 200
    assert services.at().catalogue.uploaders(SAMPLE) == {wheel.name: "anonymous"}


def test_who_is_not_signed_in_is_sent_to_do_so(visitor: Visitor, wheel: Path) -> None:
    """The page leads to the login and back; a program gets its 401, without a dialog of the browser for the script."""
    answer = visitor.get("/upload")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/upload")
    question = visitor.client.get("/upload/check?filename=a-1.0.tar.gz&size=1", headers=SCRIPT)
    assert (question.status_code, question.headers["WWW-Authenticate"]) == (401, "Session")
    assert "login" in question.text
    wrong = visitor.client.get("/upload/check?filename=a-1.0.tar.gz&size=1", headers=SCRIPT | basic("bob", "wrong"))
    assert (wrong.status_code, wrong.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    sent = post(visitor.client, files_part(wheel), "/upload/files", headers=SCRIPT)
    assert sent.status_code == 401


def test_who_may_not_is_told_whom_to_ask(bob: Visitor, secured: Services, wheel: Path) -> None:
    """403 in words: on the page for who may upload nothing, beside the file for another's project."""
    publish(secured, wheel, by="alice")
    secured.rights.grant(MAIN, SAMPLE, Holder("alice"), "owner", by=TESTER)
    words = "bob may not upload to sample: it belongs to alice; ask there for a role on it."
    new = build_wheel(wheel.parent / "new", "sample", "2.0")
    assert check(bob.client, new.name)["sentence"] == words
    answer = send(bob, new, headers=SCRIPT)
    assert (answer.status_code, outcomes(answer)[0]["sentence"]) == (403, words)
    secured.rights.grant(MAIN, None, Holder("bob"), "reader", by=TESTER)
    page = bob.get("/upload")
    assert (page.status_code, "ask an administrator" in page.text) == (403, True)


def test_the_right_is_asked_again_when_the_file_is_listed(bob: Visitor, secured: Services, wheel: Path) -> None:
    """Who is signed out, or loses the right, while the body comes publishes nothing."""
    inspect = secured.manager.reader.inspect

    def meanwhile(change: Callable[[], object]) -> TestResponse:
        def inspected(*args: Any, **kwargs: Any) -> Any:
            change()
            return inspect(*args, **kwargs)

        secured.manager.reader.inspect = inspected  # type: ignore[method-assign]
        return send(bob, wheel, headers=SCRIPT)

    lost = meanwhile(lambda: secured.rights.grant(MAIN, None, Holder("bob"), "reader", by=TESTER))
    assert lost.status_code == 403
    secured.rights.grant(MAIN, None, Holder("bob"), "uploader", by=TESTER)
    out = meanwhile(lambda: secured.sessions.end_all("bob", by=TESTER))
    assert out.status_code == 401
    assert "signed out meanwhile" in outcomes(out)[0]["sentence"]
    assert secured.at().catalogue.stats()["files"] == 0
    assert incoming(secured) == []


def test_who_must_have_a_factor_does_not_upload_without(open_server: Callable[..., Services], wheel: Path) -> None:
    """The session of somebody who still has to set a second factor up is for that alone."""
    made = open_server(auth_enabled="true", auth_require_factor="everybody")
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    bob = Visitor(create_app(made).test_client())
    bob.sign_in("bob")
    answer = bob.get("/upload")
    assert (answer.status_code, "second factor" in answer.text) == (403, True)
    assert post(bob.client, [("csrf_token", bob.token), *files_part(wheel)], "/upload/files").status_code == 403


def test_the_endpoint_of_the_tools_takes_no_session(bob: Visitor, secured: Services, wheel: Path) -> None:
    """A signed-in browser's cookie, even with the token, is no credential at ``POST /upload``."""
    bob.get("/upload")
    assert post(bob.client, [("csrf_token", bob.token), *files_part(wheel)], "/upload").status_code == 401
    assert secured.at().catalogue.stats()["files"] == 0


def test_a_large_file_is_refused_as_it_comes(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """What passes the limit is dropped in the midst and said so, and the next file is taken; a form that says itself to
    be larger than any is not read.
    """
    services = open_server(max_file_size="2000")
    visitor = Visitor(create_app(services).test_client())
    large = build_wheel(tmp_path, "large", files={"large.bin": random.Random(1).randbytes(10_000)})
    small = build_wheel(tmp_path, "small")
    answer = send(visitor, large, small, headers=SCRIPT)
    assert [one["outcome"] for one in outcomes(answer)] == ["refused", "published"]
    assert "max_file_size" in outcomes(answer)[0]["sentence"]
    assert incoming(services) == []
    whole = visitor.client.post(
        "/upload/files", data=b"", headers=BROWSER,
        content_type=f"multipart/form-data; boundary={BOUNDARY}", environ_overrides={"CONTENT_LENGTH": str(1 << 30)},
    )  # fmt: skip
    assert whole.status_code == 413


def test_a_form_that_breaks_off_keeps_what_came(anybody: Visitor, services: Services, wheel: Path) -> None:
    """The files before the fault are published and said to be; the rest is refused in words."""
    anybody.get("/upload")
    other = build_wheel(wheel.parent / "other", "other")
    for paths, expected in (([wheel, other], ["published", "refused"]), ([other], [])):
        body = encode([("csrf_token", anybody.token), *files_part(*paths)])[:-60]
        answer = anybody.client.post(
            "/upload/files", data=body, headers=SCRIPT, content_type=f"multipart/form-data; boundary={BOUNDARY}"
        )
        assert answer.status_code == (200 if expected else 400)
        if expected:
            assert [one["outcome"] for one in outcomes(answer)] == expected
        assert "ended early" in answer.text
    assert services.at().catalogue.stats()["files"] == 1
    assert incoming(services) == []


@pytest.mark.parametrize(
    "parts", [[], [("content", FilePart("", b""))], [("content", "text")], [("x", FilePart("y", b""))]]
)
def test_a_form_without_a_file_is_told_so(anybody: Visitor, parts: list[Part]) -> None:
    """No file chosen, and what is no file, are 400 with a sentence."""
    anybody.get("/upload")
    answer = post(anybody.client, [("csrf_token", anybody.token), *parts], "/upload/files", headers=BROWSER)
    assert answer.status_code == 400


def test_other_bodies_are_refused(anybody: Visitor) -> None:
    """A body that is no such form, or comes in a coding, is 415 with a sentence."""
    anybody.get("/upload")
    assert anybody.client.post("/upload/files", json={"csrf_token": anybody.token}).status_code == 415
    coded = {"Content-Encoding": "gzip", **SCRIPT}
    assert post(anybody.client, [("csrf_token", anybody.token)], "/upload/files", headers=coded).status_code == 415


def test_only_the_upload_reads_its_form_as_a_stream(app: Flask) -> None:
    """Every other form of the pages is held to its token before its view is asked."""
    streaming = [name for name, view in app.view_functions.items() if getattr(view, "token_in_stream", False)]
    assert streaming == ["web.upload_files"]


def test_the_address_of_the_form_leads_to_the_page(anybody: Visitor) -> None:
    """Whoever calls it up gets to the page."""
    answer = anybody.get("/upload/files")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/upload")


# -- the question before a file is sent


def test_a_name_is_taken_apart_before_it_is_sent(client: FlaskClient) -> None:
    """Project, version, kind and size are shown."""
    wheel = check(client, "Sample-1.0-cp312-cp312-win_amd64.whl", 1500)
    assert wheel["takes"] is True
    assert wheel["facts"] == "sample 1.0 · wheel for CPython 3.12, Windows x86-64 · 1.5 kB"
    assert wheel["sentence"] == ""
    assert check(client, "sample-1.0.tar.gz", 1)["facts"] == "sample 1.0 · source distribution · 1 byte"


@pytest.mark.parametrize(
    ("filename", "size", "words"),
    [
        ("notes.txt", 5, "an ending that is not taken here"), ("sample.whl", 5, "parts between dashes"),
        ("sample-x.tar.gz", 5, "no version"), ("", 5, "no filename"), ("a/b-1.0.tar.gz", 5, "path separators"),
        ("sample-1.0.tar.gz", 0, "is empty"), ("sample-1.0.tar.gz", 200_000_000, "a file may have 104,857,600 here"),
        ("sample-1.0.tar.gz", -1, "not a size"), ("sample-1.0.tar.gz", "9" * 30, "not a size"),
    ],
)  # fmt: skip
def test_what_would_be_refused_is_said_before(client: FlaskClient, filename: str, size: object, words: str) -> None:
    """Unsound names, empty and too large files need not be sent to be refused."""
    found = check(client, filename, size)
    assert found["takes"] is False
    assert words in found["sentence"]


def test_a_taken_name_is_said_before(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """A name that is there, was there, is there in another spelling, or is that of a second sdist."""
    wheel = build_wheel(tmp_path)
    publish(services, wheel)
    publish(services, build_sdist(tmp_path))
    found = check(client, wheel.name)
    assert found["takes"] is True
    assert "other contents will be refused" in found["sentence"]
    assert "already exists" in check(client, wheel.name.replace("sample", "SAMPLE"))["sentence"]
    assert "there can be only one" in check(client, "sample-1.0.zip")["sentence"]
    services.manager.delete(MAIN, SAMPLE, "1.0", wheel.name, by=TESTER)
    assert "was deleted and is not used again" in check(client, wheel.name)["sentence"]
    services.manager.set_status(MAIN, SAMPLE, ProjectStatus.ARCHIVED, None, by=TESTER)
    archived = check(client, "sample-2.0.tar.gz")
    assert (archived["takes"], "is archived" in archived["sentence"]) == (False, True)


def test_the_rules_of_the_server_are_said_before(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Overwriting, similar names and older spellings, as the settings have it."""
    services = open_server(overwrite="true", refuse_similar_names="true", accept_legacy_sdists="false")
    client = create_app(services).test_client()
    wheel = build_wheel(tmp_path)
    publish(services, wheel)
    assert "will take its place" in check(client, wheel.name)["sentence"]
    assert "too similar" in check(client, "samp1e-1.0.tar.gz")["sentence"]
    assert "not in normalized form" in check(client, "Sample-2.0.tar.gz")["sentence"]
