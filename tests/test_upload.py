"""The legacy upload endpoint: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.factory import build_sdist, build_wheel
from tests.multipart_form import BOUNDARY, FilePart, Part, encode, post, upload, upload_parts

JSON = "application/vnd.pypi.simple.v1+json"


def page(client: FlaskClient, project: str = "sample") -> dict[str, Any]:
    """The project's page as JSON, or an empty one."""
    answer = client.get(f"/simple/{project}/", headers={"Accept": JSON})
    document: Any = answer.json if answer.status_code == 200 else {"files": []}
    return cast("dict[str, Any]", document)


def filenames(client: FlaskClient, project: str = "sample") -> list[str]:
    """The files that the project's page offers."""
    return [file["filename"] for file in page(client, project)["files"]]


def left_behind(services: Services) -> list[Path]:
    """What lies among the incoming files."""
    return list((services.settings.data_path / ".state" / "incoming").iterdir())


@pytest.mark.parametrize("address", ["/upload", "/upload/", "/legacy/", "/legacy", "/"])
def test_an_upload_is_listed_at_once(client: FlaskClient, wheel: Path, address: str) -> None:
    """A wheel sent to any of the addresses that clients use is on its project's page when the 200 comes."""
    answer = upload(client, wheel, to=address)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert filenames(client) == [wheel.name]


def test_a_file_alone_is_enough(client: FlaskClient, wheel: Path) -> None:
    """`curl -F content=@FILE` uploads: name and version come from the file."""
    answer = post(client, [("content", FilePart(wheel.name, wheel.read_bytes(), None))])
    assert answer.status_code == 200
    assert filenames(client) == [wheel.name]


def test_the_bytes_are_in_the_folder(client: FlaskClient, services: Services, wheel: Path) -> None:
    """An upload lies at <data_dir>/<project>/<filename>, whole, and nothing is left among the incoming files."""
    upload(client, wheel)
    assert (services.settings.data_path / "sample" / wheel.name).read_bytes() == wheel.read_bytes()
    assert left_behind(services) == []


def test_the_same_file_again_changes_nothing(client: FlaskClient, services: Services, wheel: Path) -> None:
    """S61: identical bytes under the same name are a success that leaves time and serial as they were."""
    upload(client, wheel)
    before = page(client)
    assert upload(client, wheel).status_code == 200
    assert page(client) == before


def test_other_bytes_under_the_same_name_are_refused(client: FlaskClient, wheel: Path, tmp_path: Path) -> None:
    """S62: the first file stands, and reason and body have the words that clients look for."""
    upload(client, wheel)
    other = build_wheel(tmp_path / "other", files={"sample/__init__.py": b"other = 1\n"})
    answer = upload(client, other)
    assert answer.status_code == 400
    assert answer.status.startswith("400 File already exists")
    assert "already exist" in answer.text
    assert client.get(f"/packages/sample/{wheel.name}").data == wheel.read_bytes()


def test_uv_gets_its_json(client: FlaskClient, wheel: Path, tmp_path: Path) -> None:
    """A client whose Accept names application/json reads message, code and title there."""
    upload(client, wheel)
    other = build_wheel(tmp_path / "other", files={"sample/__init__.py": b"other = 1\n"})
    accept = {"Accept": "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"}
    answer = upload(client, other, headers=accept)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json is not None
    assert answer.json["code"].startswith("400 File already exists")
    assert answer.json["title"] == "Bad Request"


def test_overwriting_is_a_setting(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """With overwrite on, other bytes take the place of the first; the old ones are moved aside, not lost."""
    services = open_server(overwrite="true")
    client = create_app(services).test_client()
    wheel = build_wheel(tmp_path / "one")
    other = build_wheel(tmp_path / "other", files={"sample/__init__.py": b"other = 1\n"}, requires_python=">=3.9")
    assert upload(client, wheel).status_code == 200
    assert upload(client, other).status_code == 200
    assert client.get(f"/packages/sample/{wheel.name}").data == other.read_bytes()
    assert page(client)["files"][0]["requires-python"] == ">=3.9"
    aside = list((services.settings.data_path / ".state" / "trash").rglob("*.whl"))
    assert [path.read_bytes() for path in aside] == [wheel.read_bytes()]


@pytest.mark.parametrize("field", ["sha256_digest", "md5_digest", "blake2_256_digest"])
def test_a_wrong_digest_stores_nothing(client: FlaskClient, services: Services, wheel: Path, field: str) -> None:
    """S03: bytes that are not those that the form describes are refused, whichever digest tells."""
    wrong = "0" * (32 if field == "md5_digest" else 64)
    answer = upload(client, wheel, **{field: wrong})
    assert answer.status_code == 400
    assert wrong in answer.text
    assert filenames(client) == []
    assert left_behind(services) == []


def test_digests_may_be_upper_case(client: FlaskClient, wheel: Path) -> None:
    """Clients send hexadecimal digits in either case."""
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest().upper()
    assert upload(client, wheel, sha256_digest=sha256).status_code == 200


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "other"}, "name"),
        ({"version": "1.1"}, "version"),
        ({"filetype": "sdist"}, "filetype"),
        ({"filetype": "bdist_egg"}, "filetype"),
        ({"protocol_version": "2"}, "protocol_version"),
        ({":action": "nonsense"}, "action"),
        ({"sha256_digest": "abc"}, "sha256"),
        ({"requires_python": ">=3.13"}, "requires_python"),
        ({"requires_dist": "requests"}, "requires_dist"),
    ],
)
def test_a_form_that_contradicts_the_file_is_refused(
    client: FlaskClient, wheel: Path, fields: dict[str, str], says: str
) -> None:
    """S08, S09, S29, S30, S57: what the form does say must be what the file says."""
    answer = upload(client, wheel, **fields)
    assert answer.status_code == 400
    assert says in answer.text
    assert filenames(client) == []


@pytest.mark.parametrize("fields", [{"version": "1.0.0"}, {"name": "Sample"}, {"name": None}, {"filetype": None}])
def test_other_spellings_of_the_same_are_taken(client: FlaskClient, wheel: Path, fields: dict[str, str | None]) -> None:
    """A name is compared normalized, a version as a version; what is not said is not compared."""
    assert upload(client, wheel, **fields).status_code == 200


@pytest.mark.parametrize("action", ["submit", "submit_pkg_info", "verify"])
def test_old_actions_are_explained(client: FlaskClient, action: str) -> None:
    """`register` and `verify` of old clients end well: nothing has to be registered here."""
    answer = post(client, [(":action", action), ("name", "sample"), ("version", "1.0")])
    assert answer.status_code == 200
    assert "registered" in answer.text


def test_doc_upload_is_gone(client: FlaskClient) -> None:
    """Hosting documentation is no longer done."""
    assert post(client, [(":action", "doc_upload"), ("name", "sample")]).status_code == 410


def test_a_form_with_bare_line_feeds_is_read(client: FlaskClient) -> None:
    """distutils' `register` ends its lines with LF alone."""
    body = encode([(":action", "verify"), ("name", "sample"), ("summary", "two\r\nlines")]).replace(b"\r\n", b"\n")
    kind = f"multipart/form-data; boundary={BOUNDARY}; charset=utf-8"
    assert client.post("/legacy/", data=b"\n" + body, content_type=kind).status_code == 200


def test_a_body_cut_short_is_refused(client: FlaskClient, services: Services, wheel: Path) -> None:
    """S01: without its closing boundary nothing is published."""
    answer = post(client, upload_parts(wheel), closed=False)
    assert answer.status_code == 400
    assert "ended early" in answer.text
    assert filenames(client) == []
    assert left_behind(services) == []


def test_content_must_be_a_file(client: FlaskClient) -> None:
    """S05: an upload without a file, or with text in its place, says so."""
    for parts in ([("name", "sample")], [("content", "text")]):
        answer = post(client, [(":action", "file_upload"), *parts])
        assert answer.status_code == 400
        assert "content" in answer.text


def test_a_single_field_given_twice_is_refused(client: FlaskClient, wheel: Path) -> None:
    """S06: nobody guesses which of two names is meant."""
    answer = post(client, [("name", "sample"), *upload_parts(wheel)])
    assert answer.status_code == 400
    assert "2 times" in answer.text


def test_a_text_field_sent_as_a_file_is_refused(client: FlaskClient, wheel: Path) -> None:
    """S07."""
    answer = post(client, [("summary", FilePart("x", b"y")), *upload_parts(wheel)])
    assert answer.status_code == 400
    assert "summary" in answer.text


def test_thousands_of_parts_are_refused_and_hundreds_taken(client: FlaskClient, wheel: Path) -> None:
    """S10: 1,500 classifiers are a long list, 20,000 parts an attack."""
    many: list[Any] = [("classifiers", f"Topic :: {number}") for number in range(1500)]
    assert post(client, [*many, *upload_parts(wheel)]).status_code == 200
    assert post(client, [("classifiers", "x")] * 20_000).status_code == 413


def test_long_descriptions_are_taken_up_to_a_bound(client: FlaskClient, wheel: Path) -> None:
    """S12: 2 MB of description pass, 9 MB do not."""
    assert upload(client, wheel, description="x" * 2_000_000).status_code == 200
    answer = upload(client, wheel, description="x" * 9_000_000)
    assert answer.status_code == 413
    assert "description" in answer.text


def test_a_file_over_the_limit_is_refused(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """S13, S14: the refusal names the limit, and what had come is gone."""
    services = open_server(max_file_size="2000")
    client = create_app(services).test_client()
    wheel = build_wheel(tmp_path, files={"sample/data.bin": random.Random(1).randbytes(5000)})
    answer = upload(client, wheel)
    assert answer.status_code == 413
    assert "2,000" in answer.text
    assert left_behind(services) == []


def test_request_codings_are_refused(client: FlaskClient, wheel: Path) -> None:
    """S16: nothing is inflated on a stranger's word."""
    assert upload(client, wheel, headers={"Content-Encoding": "gzip"}).status_code == 415


def test_other_content_types_are_refused(client: FlaskClient) -> None:
    """S17."""
    assert client.post("/upload", json={"name": "sample"}).status_code == 415


def test_an_empty_file_is_refused(client: FlaskClient) -> None:
    """S19."""
    answer = post(client, [("content", FilePart("sample-1.0-py3-none-any.whl", b""))])
    assert answer.status_code == 400
    assert "empty" in answer.text


@pytest.mark.parametrize("value", [b"a\0b", b"\xff\xfe"])
def test_text_must_be_text(client: FlaskClient, wheel: Path, value: bytes) -> None:
    """S20: NUL and bytes that are no UTF-8 are refused with the field's name."""
    answer = post(client, [("comment", value), *upload_parts(wheel)])
    assert answer.status_code == 400
    assert "comment" in answer.text


def test_ignored_fields_do_no_harm(client: FlaskClient, wheel: Path) -> None:
    """UNKNOWN, empty and unknown fields, a signature and attestations are no reason to refuse."""
    parts: list[Any] = [
        ("home_page", "UNKNOWN"), ("provides_extras", "x"), ("comment", ""), ("something_new", "1"),
        ("gpg_signature", FilePart(f"{wheel.name}.asc", b"signature")), ("attestations", "[{}]"),
    ]  # fmt: skip
    assert post(client, [*parts, *upload_parts(wheel)]).status_code == 200


@pytest.mark.parametrize(
    "filename",
    [
        "../../sample-1.0.tar.gz", "a/sample-1.0.tar.gz", "sample-1.0.egg", "sample-1.0.exe", ".sample-1.0.tar.gz",
        "sample-1.0-py3-none.whl", "s\u0430mple-1.0-py3-none-any.whl", "sample-1.0%0d%0aX: y-py3-none-any.whl",
        "sample-not.a.version!-py3-none-any.whl", "x" * 300 + "-1.0.tar.gz", "sample-1.0-py3-none-any.WHL",
    ],
)  # fmt: skip
def test_bad_filenames_are_refused(client: FlaskClient, services: Services, filename: str) -> None:
    """S21 to S25, S35, S36: one line says what is wrong, without a stranger's line breaks in it."""
    answer = post(client, [("content", FilePart(filename, b"bytes"))])
    assert answer.status_code == 400
    assert "\n" not in answer.status
    assert left_behind(services) == []
    assert [path for path in services.settings.data_path.iterdir() if path.name != ".state"] == []


def test_a_deleted_filename_is_not_reused(client: FlaskClient, services: Services, wheel: Path) -> None:
    """S64: nobody slips other bytes under a name that installers may have locked."""
    upload(client, wheel)
    services.manager.delete("main", NormalizedName("sample"), by=TESTER)
    assert filenames(client) == []
    answer = upload(client, wheel)
    assert answer.status_code == 400
    assert "deleted" in answer.text


def test_a_second_sdist_of_a_release_is_refused(client: FlaskClient, tmp_path: Path) -> None:
    """S38: a release has one source distribution."""
    assert upload(client, build_sdist(tmp_path, "sample", "1.0")).status_code == 200
    zipped = build_sdist(tmp_path, "sample", "1.0", extension=".zip")
    answer = upload(client, zipped)
    assert answer.status_code == 400
    assert "one" in answer.text


def test_names_that_normalize_alike_are_one_project(client: FlaskClient, tmp_path: Path) -> None:
    """S27: Foo.Bar and foo_bar are one project, and 1.0 and 1.0.0 one release of it."""
    assert upload(client, build_wheel(tmp_path, "foo_bar", "1.0")).status_code == 200
    sdist = build_sdist(tmp_path, "Foo.Bar", "1.0.0")
    assert upload(client, sdist, name="Foo.Bar", version="1.0.0").status_code == 200
    assert page(client, "foo-bar")["versions"] == ["1.0"]
    assert len(filenames(client, "foo-bar")) == 2


def test_similar_names_are_refused_if_told_to(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """S26: with the setting on, dem0pkg cannot stand beside demo-pkg."""
    client = create_app(open_server(refuse_similar_names="true")).test_client()
    assert upload(client, build_wheel(tmp_path, "demo_pkg")).status_code == 200
    answer = upload(client, build_wheel(tmp_path, "dem0pkg"))
    assert answer.status_code == 400
    assert "similar" in answer.text


def test_archived_projects_take_no_files(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """PEP 792: uploads to archived and quarantined projects are refused, with 403."""
    upload(client, build_wheel(tmp_path))
    for status in (ProjectStatus.ARCHIVED, ProjectStatus.QUARANTINED):
        services.manager.set_status("main", NormalizedName("sample"), status, None, by=TESTER)
        answer = upload(client, build_wheel(tmp_path, version="2.0"))
        assert answer.status_code == 403
        assert status in answer.text


def test_attestations_are_kept(client: FlaskClient, services: Services, wheel: Path) -> None:
    """What came in the field is kept as it came."""
    upload(client, wheel, attestations='[{"version": 1}]')
    assert services.at().catalogue.attestations(NormalizedName("sample"), wheel.name) == '[{"version": 1}]'


def test_below_the_low_water_mark_uploads_wait(open_server: Callable[..., Services], wheel: Path) -> None:
    """F05: with too little free space an upload is 503 with Retry-After, and reading goes on."""
    client = create_app(open_server(min_free_space=str(10**14))).test_client()
    answer = upload(client, wheel)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert client.get("/simple/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("attestations", "not json", "JSON array of objects"),
        ("attestations", "{}", "JSON array of objects"),
        ("attestations", "[1]", "JSON array of objects"),
        ("attestations", "[" * 100_000, "JSON array of objects"),
        ("attestations", '[{"a": "' + "x" * (256 << 10) + '"}]', "262,144 bytes"),
        ("comment", "x" * 10_001, "10,001 characters"),
        ("requires_python", ">=1," * 500_000, "1,000 is the limit"),
        ("requires_dist", "a; " + "(" * 200_000 + 'os_name=="a"' + ")" * 200_000, "5,000 is the limit"),
        ("requires_dist", "a; " + " or ".join(['os_name=="a"'] * 200_000), "5,000 is the limit"),
        ("requires_dist", "a " + ",".join(f">={n}" for n in range(300_000)), "5,000 is the limit"),
    ],
)  # fmt: skip
def test_a_form_may_say_so_much_only(client: FlaskClient, wheel: Path, field: str, value: str, words: str) -> None:
    """What would take long to compare, or is no list of attestations, is refused at once."""
    started = time.process_time()
    answer = upload(client, wheel, **{field: value})
    assert (answer.status_code, words in answer.text) == (400, True)
    assert time.process_time() - started < 1
    assert filenames(client) == []


def test_many_requirements_are_refused(client: FlaskClient, wheel: Path) -> None:
    """The form may have as many requirements as the file, and no more."""
    parts: list[Part] = [("requires_dist", "a" * 100)] * 2001
    answer = post(client, [*parts, ("content", FilePart(wheel.name, wheel.read_bytes(), None))])
    assert (answer.status_code, "2,000 is the limit" in answer.text) == (400, True)
    parts = [("requires_dist", "a" * 4000)] * 300
    answer = post(client, [*parts, ("content", FilePart(wheel.name, wheel.read_bytes(), None))])
    assert (answer.status_code, "in all" in answer.text) == (400, True)


def test_nested_markers_are_compared_as_text(client: FlaskClient, tmp_path: Path) -> None:
    """A marker too deep to be parsed is compared as it is written: no fault of the server's."""
    deep = "a; " + "(" * 2000 + 'os_name=="a"' + ")" * 2000
    wheel = build_wheel(tmp_path, requires_dist=["a"])
    answer = upload(client, wheel, requires_dist=deep)
    assert (answer.status_code, "requires_dist" in answer.text) == (400, True)


def test_requirements_in_other_words_agree(client: FlaskClient, tmp_path: Path) -> None:
    """Spelling and order of a form's requirements do not matter, and sound attestations are kept."""
    wheel = build_wheel(tmp_path, requires_dist=["Some.Thing >= 1", "b"], requires_python=">=3.9, <4")
    said = upload_parts(wheel, requires_python="<4,>=3.9", attestations='[{"version": 1}]')
    answer = post(client, [("requires_dist", "b"), ("requires_dist", "some-thing>=1"), *said])
    assert answer.status_code == 200, answer.text
