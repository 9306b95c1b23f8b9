"""What can be filtered by, that it is kept true by every change, and that nothing shows which may not be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import text

from database.search import Filters
from permissions import MAIN
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.factory import build_sdist, build_wheel, core_metadata
from tests.search.conftest import Shelf
from tests.test_package_manager import publish

LOOM = NormalizedName("loom")
KNOWN = [
    "Framework :: Django :: 5.2", "Programming Language :: Python :: 3", "License :: OSI Approved :: MIT License",
]  # fmt: skip


@pytest.fixture
def varied(shelf: Shelf) -> Shelf:
    """Projects that differ in what can be filtered by."""
    shelf.add("mit", "Weaves.", license_expression="MIT", requires_python=">=3.9", classifiers=KNOWN[:2])
    shelf.add("both", "Weaves.", license_expression="MIT OR Apache-2.0", requires_python=">=3.12", wheel=False)
    shelf.add("old", "Weaves.", classifiers=KNOWN[1:], requires_python="<3.9")
    shelf.add("ours", "Weaves.", license="Acme Internal")
    return shelf


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (Filters(license="MIT"), ["both", "mit", "old"]),
        (Filters(license="mit"), ["both", "mit", "old"]),
        (Filters(license="Apache-2.0"), ["both"]),
        (Filters(license="acme internal"), ["ours"]),
        (Filters(license="MIT License"), ["both", "mit", "old"]),
        (Filters(license="Zlib"), []),
        (Filters(python="3.9"), ["mit", "ours"]),
        (Filters(python="3.8"), ["old", "ours"]),
        (Filters(python="3.13"), ["both", "mit", "ours"]),
        (Filters(has_wheel=True), ["mit", "old", "ours"]),
        (Filters(has_wheel=False), ["both"]),
        (Filters(is_yanked=False), ["both", "mit", "old", "ours"]),
        (Filters(is_yanked=True), []),
        (Filters(status="active"), ["both", "mit", "old", "ours"]),
        (Filters(status="archived"), []),
        (Filters(classifiers=("Framework :: Django",)), ["mit"]),
        (Filters(classifiers=("framework :: django :: 5.2",)), ["mit"]),
        (Filters(classifiers=("Framework :: Django", "Programming Language :: Python :: 3")), ["mit"]),
        (Filters(classifiers=("Framework :: Dj",)), []),
        (Filters(license="MIT", python="3.12", has_wheel=True), ["mit"]),
    ],
)
def test_filters(varied: Shelf, filters: Filters, names: list[str]) -> None:
    """Each alone and together, with a query and without, whatever the order."""
    assert varied.found("weaves", filters=filters) == names
    for sort in ("relevance", "name", "updated", "downloads"):
        assert sorted(varied.found("weaves", filters=filters, sort=sort)) == names
        assert sorted(varied.found("", filters=filters, sort=sort)) == names
    assert varied.search.find("", filters=filters).total == len(names)


def test_what_can_be_chosen(varied: Shelf) -> None:
    """Licences and classifiers that projects have, the most frequent first."""
    choices = varied.search.choices()
    assert choices.licenses == ("MIT", "Acme Internal", "Apache-2.0")
    assert choices.classifiers[:2] == ("Programming Language :: Python", "Programming Language :: Python :: 3")
    assert "Framework :: Django" in choices.classifiers


def test_the_latest_release_counts(shelf: Shelf) -> None:
    """A new release brings its own facts, an older one that comes late brings none."""
    shelf.add("loom", "Weaves.", license_expression="MIT", wheel=False)
    shelf.add("loom", "Knits.", version="2.0", license_expression="ISC")
    shelf.add("loom", "Spins.", version="0.9", license_expression="Zlib", wheel=False)
    assert shelf.search.choices().licenses == ("ISC",)
    assert shelf.found("knits", filters=Filters(license="isc", has_wheel=True)) == ["loom"]
    assert shelf.found("weaves") == shelf.found("spins") == []


def test_a_wheel_that_comes_later_is_noticed(shelf: Shelf) -> None:
    """Also one that is the release's second file."""
    shelf.add("loom", wheel=False)
    assert shelf.found("loom", filters=Filters(has_wheel=True)) == []
    shelf.add("loom", version="1.0.0")
    assert shelf.found("loom", filters=Filters(has_wheel=True)) == ["loom"]


@pytest.fixture
def stocked(services: Services, tmp_path: Path) -> Services:
    """A project with two releases, published as uploads are."""
    for version, license_ in (("1.0", "MIT"), ("2.0", "ISC")):
        metadata = core_metadata(
            "loom", version, metadata_version="2.4", summary="Weaves.",
            extra_headers=[f"License-Expression: {license_}"],
        )  # fmt: skip
        publish(services, build_wheel(tmp_path, "loom", version, metadata=metadata))
    return services


def licenses(services: Services) -> tuple[tuple[str, ...], int]:
    """The licences that can be chosen, and how many projects a query finds."""
    return services.at().search.choices().licenses, services.at().search.find("weaves").total


def test_yanking_is_noticed(stocked: Services) -> None:
    """A yanked release gives way to the one before it; where all are, the project says so."""
    assert licenses(stocked) == (("ISC",), 1)
    stocked.manager.yank(MAIN, LOOM, "2.0", None, "", by=TESTER)
    assert licenses(stocked) == (("MIT",), 1)
    assert stocked.at().search.find("", filters=Filters(is_yanked=True)).total == 0
    stocked.manager.yank(MAIN, LOOM, "1.0", None, "", by=TESTER)
    (hit,) = stocked.at().search.find("loom", filters=Filters(is_yanked=True)).hits
    assert hit.is_yanked
    stocked.manager.unyank(MAIN, LOOM, "2.0", None, by=TESTER)
    assert stocked.at().search.find("", filters=Filters(is_yanked=False)).total == 1


def test_deleting_is_noticed(stocked: Services) -> None:
    """A release, then the project: neither words nor licences are left."""
    stocked.manager.delete(MAIN, LOOM, "2.0", by=TESTER)
    assert licenses(stocked) == (("MIT",), 1)
    stocked.manager.delete(MAIN, LOOM, by=TESTER)
    assert licenses(stocked) == ((), 0)
    assert stocked.at().search.find("").total == 0


def test_nothing_of_a_quarantined_project_shows(stocked: Services) -> None:
    """Neither as a hit, nor in a total, nor as a licence, a spelling or a near name; it comes back whole."""
    stocked.manager.set_status(MAIN, LOOM, ProjectStatus.QUARANTINED, None, by=TESTER)
    assert licenses(stocked) == ((), 0)
    assert stocked.at().search.find("").total == 0
    assert stocked.at().search.find("loomx").instead is None
    assert stocked.at().search.near("loomx") == ()
    assert stocked.at().search.find("", filters=Filters(license="ISC")).total == 0
    stocked.manager.set_status(MAIN, LOOM, ProjectStatus.ARCHIVED, None, by=TESTER)
    assert licenses(stocked) == (("ISC",), 1)
    assert stocked.at().search.find("", filters=Filters(status="archived")).total == 1
    assert [hit.name for hit in stocked.at().search.near("loomx")] == ["loom"]


def test_downloads_are_sorted_by_once_they_are_written_down(stocked: Services, tmp_path: Path) -> None:
    """Counting costs no write; the table and the search learn of it together."""
    publish(stocked, build_sdist(tmp_path, "attic"))
    for _ in range(3):
        stocked.at().downloads.count("loom", "2.0", "loom-2.0-py3-none-any.whl")
    assert [hit.downloads for hit in stocked.at().search.find("", sort="downloads").hits] == [0, 0]
    stocked.flush()
    hits = stocked.at().search.find("", sort="downloads").hits
    assert [(hit.name, hit.downloads) for hit in hits] == [("loom", 3), ("attic", 0)]
    stocked.manager.set_status(MAIN, LOOM, ProjectStatus.QUARANTINED, None, by=TESTER)
    stocked.manager.set_status(MAIN, LOOM, ProjectStatus.ACTIVE, None, by=TESTER)
    assert stocked.at().search.find("loom").hits[0].downloads == 3


def test_a_lost_index_is_made_anew(stocked: Services) -> None:
    """F40: what the search knows is rebuilt from the rows by a sync; what stands is left alone."""
    from jobs.sync import sync

    assert sync(stocked, by=TESTER).searchable == 0
    for loss in ("DELETE FROM search", "DELETE FROM listings"):
        with stocked.database.writing() as change:
            change.connection.execute(text(loss))
        assert stocked.at().search.find("weaves").hits == ()
        assert sync(stocked, by=TESTER).searchable == 1
        assert licenses(stocked) == (("ISC",), 1)


def test_a_licence_is_found_as_it_is_offered(shelf: Shelf) -> None:
    """Also one in letters that the database does not fold."""
    shelf.add("theirs", "Knits.", license="Лицензия Ш")
    (offered,) = shelf.search.choices().licenses
    assert shelf.found("", filters=Filters(license=offered)) == ["theirs"]
