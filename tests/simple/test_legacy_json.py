"""PyPI's older JSON API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from errors import UnknownRelease
from simple.legacy_json import ReleaseInfo, draw_project_json, draw_release_json, project_latest, yanked_reason
from simple.model import File, ProjectDetail, ProjectStatus
from tests.simple.examples import HOSTILE, a_file, a_project, an_sdist

INFO = [
    "author",
    "author_email",
    "bugtrack_url",
    "classifiers",
    "description",
    "description_content_type",
    "docs_url",
    "download_url",
    "downloads",
    "dynamic",
    "home_page",
    "keywords",
    "license",
    "license_expression",
    "license_files",
    "maintainer",
    "maintainer_email",
    "name",
    "package_url",
    "platform",
    "project_url",
    "project_urls",
    "provides_extra",
    "release_url",
    "requires_dist",
    "requires_python",
    "summary",
    "version",
    "yanked",
    "yanked_reason",
]
FILE = [
    "comment_text",
    "core-metadata",
    "digests",
    "downloads",
    "filename",
    "has_sig",
    "md5_digest",
    "packagetype",
    "python_version",
    "requires_python",
    "size",
    "upload_time",
    "upload_time_iso_8601",
    "url",
    "yanked",
    "yanked_reason",
]
METADATA: dict[str, object] = {
    "author": "Alice",
    "summary": "A demonstration",
    "license_expression": "MIT",
    "requires_python": ">=3.8",
    "requires_dist": ["other>=1", "extra; extra == 'more'"],
    "classifiers": ["Programming Language :: Python :: 3"],
    "project_urls": ["Source, https://example.com/source?a=1,2", "Docs,https://example.com/docs"],
    "keywords": ["demo", "package"],
    "provides_extra": ["more"],
}


def address(file: File) -> str:
    return f"https://index.example.com/packages/demo-pkg/{file.filename}"


def read(
    detail: ProjectDetail, version: str = "1.0", metadata: Mapping[str, object] | None = None, *, whole: bool = True
) -> dict[str, Any]:
    release = ReleaseInfo(version, METADATA if metadata is None else metadata, "# Demo", yanked_reason(detail, version))
    draw = draw_project_json if whole else draw_release_json
    written = draw(detail, release, page_url="https://index.example.com/project/demo-pkg/", file_url=address)
    document: dict[str, Any] = json.loads(written)
    return document


def test_the_project_document_has_pypis_keys() -> None:
    """Every key that PyPI sends, at every level."""
    document = read(a_project())
    assert set(document) == {"info", "last_serial", "ownership", "releases", "urls", "vulnerabilities"}
    assert sorted(document["info"]) == sorted(INFO)
    assert sorted(document["urls"][0]) == sorted(FILE)
    assert (document["last_serial"], document["vulnerabilities"]) == (42, [])
    assert document["ownership"] == {"roles": [], "organization": None}


def test_the_release_document_has_no_releases() -> None:
    """Else both are the same."""
    project, release = read(a_project()), read(a_project(), whole=False)
    del project["releases"]
    assert release == project


def test_info_says_what_the_metadata_say() -> None:
    """Texts, lists and labelled addresses in PyPI's forms."""
    info = read(a_project())["info"]
    assert (info["name"], info["version"], info["description"]) == ("Demo_Pkg", "1.0", "# Demo")
    assert (info["author"], info["summary"], info["license_expression"]) == ("Alice", "A demonstration", "MIT")
    assert info["keywords"] == "demo,package"
    assert info["requires_dist"] == ["other>=1", "extra; extra == 'more'"]
    assert info["project_urls"] == {"Source": "https://example.com/source?a=1,2", "Docs": "https://example.com/docs"}
    assert info["package_url"] == info["project_url"] == "https://index.example.com/project/demo-pkg/"
    assert info["release_url"] == "https://index.example.com/project/demo-pkg/1.0/"
    assert info["downloads"] == {"last_day": -1, "last_month": -1, "last_week": -1}


def test_what_the_metadata_do_not_say_is_null() -> None:
    """A release with nothing but its name; lists that PyPI always sends are empty."""
    info = read(a_project(), metadata={"summary": "", "author": None})["info"]
    assert (info["summary"], info["author"], info["requires_dist"], info["project_urls"]) == (None, None, None, None)
    assert (info["keywords"], info["platform"], info["classifiers"]) == (None, None, [])


@pytest.mark.parametrize("urls", [{"Docs": "https://example.com"}, ["Docs, https://example.com", "no address"]])
def test_addresses_may_come_as_a_mapping_or_as_lines(urls: object) -> None:
    """Both readings of the metadata give the same."""
    assert read(a_project(), metadata={"project_urls": urls})["info"]["project_urls"] == {"Docs": "https://example.com"}


def test_keywords_may_come_as_one_text() -> None:
    """As the metadata file writes them; platforms alike."""
    info = read(a_project(), metadata={"keywords": "demo package", "platforms": ["linux", "any"]})["info"]
    assert (info["keywords"], info["platform"]) == ("demo package", "linux,any")


def test_a_file_says_what_mirrors_check() -> None:
    """Address, digests, size, times and the tag."""
    file = a_file(core_metadata="cd" * 32, md5="ef" * 16, blake2b="ab" * 32, requires_python=">=3.8")
    (written,) = read(a_project(file))["urls"]
    assert written["url"] == "https://index.example.com/packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl"
    assert written["digests"] == {"blake2b_256": "ab" * 32, "md5": "ef" * 16, "sha256": "a1" * 32}
    assert (written["md5_digest"], written["size"]) == ("ef" * 16, 1431)
    assert (written["upload_time"], written["upload_time_iso_8601"]) == (
        "2026-11-21T08:00:00",
        "2026-11-21T08:00:00.123456Z",
    )
    assert (written["packagetype"], written["python_version"]) == ("bdist_wheel", "py3")
    assert (written["core-metadata"], written["requires_python"]) == ({"sha256": "cd" * 32}, ">=3.8")


def test_a_digest_that_is_not_known_is_left_out() -> None:
    """sha256 is always there, md5 and blake2b only if somebody sent them."""
    (written,) = read(a_project(a_file()))["urls"]
    assert written["digests"] == {"sha256": "a1" * 32}
    assert written["core-metadata"] is False


def test_files_stand_under_their_release() -> None:
    """1.0 and 1.0.0 are one release, and a version without files has an empty list."""
    detail = a_project(a_file("1.0"), an_sdist("1.0.0"), a_file("2.0"), versions=("0.9", "1.0", "2.0"))
    document = read(detail, "1.0.0")
    assert {version: len(files) for version, files in document["releases"].items()} == {"0.9": 0, "1.0": 2, "2.0": 1}
    assert len(document["urls"]) == 2


def test_a_yanked_release_says_so() -> None:
    """The mark and its reason, on the release and on the file."""
    document = read(a_project(a_file(yanked="bad build")))
    assert (document["info"]["yanked"], document["info"]["yanked_reason"]) == (True, "bad build")
    assert (document["urls"][0]["yanked"], document["urls"][0]["yanked_reason"]) == (True, "bad build")
    document = read(a_project(a_file(yanked="")))
    assert (document["info"]["yanked"], document["info"]["yanked_reason"]) == (True, None)


@pytest.mark.parametrize(
    ("yanks", "reason"), [((None, None), None), (("bad", None), None), (("", "bad"), "bad"), (("", ""), ""), ((), None)]
)
def test_a_release_is_yanked_when_all_its_files_are(yanks: tuple[str | None, ...], reason: str | None) -> None:
    """One sound file keeps it; the first reason that says something is given."""
    files = tuple(a_file("1.0", filename=f"f{number}", yanked=yank) for number, yank in enumerate(yanks))
    assert yanked_reason(a_project(a_file("2.0", yanked="other"), *files), "1.0.0") == reason


@pytest.mark.parametrize(
    ("files", "latest"),
    [
        ((a_file("1.0"), a_file("2.0")), "2.0"),
        ((a_file("9.0"), a_file("10.0")), "10.0"),
        ((a_file("1.0"), a_file("2.0rc1")), "1.0"),
        ((a_file("1.0rc1"), a_file("1.0rc2")), "1.0rc2"),
        ((a_file("1.0"), a_file("2.0", yanked="")), "1.0"),
        ((a_file("1.0rc1"), a_file("2.0", yanked="bad")), "1.0rc1"),
        ((a_file("1.0", yanked=""), a_file("2.0", yanked="")), "2.0"),
        ((a_file("1.0"), a_file("1.1", yanked="bad"), a_file("1.1", filename="other")), "1.1"),
        ((a_file("1.0"), a_file("1!0.1")), "1!0.1"),
        ((a_file("1.0.dev1"), a_file("no version")), "1.0.dev1"),
    ],
)
def test_the_latest_release(files: tuple[File, ...], latest: str) -> None:
    """Not yanked, then final before pre-release, then highest."""
    assert project_latest(a_project(*files)) == latest
    assert project_latest(a_project(*reversed(files))) == latest


def test_a_version_without_files_is_not_the_latest() -> None:
    """What cannot be installed does not stand for the project."""
    assert project_latest(a_project(a_file("1.0"), versions=("1.0", "3.0"))) == "1.0"


@pytest.mark.parametrize("changes", [{"versions": ()}, {"status": ProjectStatus.QUARANTINED}], ids=str)
def test_a_project_that_offers_nothing_has_no_latest(changes: dict[str, Any]) -> None:
    """The document is refused, as PyPI does for a quarantined project."""
    with pytest.raises(UnknownRelease):
        project_latest(a_project(**changes))


def test_a_quarantined_project_offers_no_file_here_either() -> None:
    """The rule of the simple pages holds for this API."""
    document = read(a_project(status=ProjectStatus.QUARANTINED))
    assert (document["urls"], document["releases"]) == ([], {})


def test_hostile_metadata_are_only_values() -> None:
    """What a stranger wrote comes back as it is."""
    assert read(a_project(), metadata={"summary": HOSTILE})["info"]["summary"] == HOSTILE
