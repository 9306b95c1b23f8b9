"""How sources are put together."""

from __future__ import annotations

import pytest

from errors import UnknownFile, UnknownProject
from simple.model import File
from simple.sources import Filtered, Merged
from tests.simple.examples import a_file, a_project, a_shelf, an_sdist, name

DEMO = name("demo-pkg")
OTHER = name("other")
WHEEL = "demo_pkg-1.0-py3-none-any.whl"


def both() -> Merged:
    """A private shelf with demo-pkg 1.0, another with demo-pkg 9.0 and other 9.0, as one."""
    private = a_shelf(a_project(serial=7))
    upstream = a_shelf(a_project(a_file("9.0"), serial=900), a_project(a_file("9.0"), name=OTHER, display_name="Other"))
    upstream.serial = 901
    return Merged((private, upstream))


def test_merged_projects_have_the_files_of_all() -> None:
    """In order of versions, with the first one's state and the highest serial."""
    detail = both().project_detail(DEMO)
    assert detail.versions == ("1.0", "9.0")
    assert [file.version for file in detail.files] == ["1.0", "1.0", "9.0"]
    assert detail.serial == 900
    assert both().project_detail(OTHER).versions == ("9.0",)


def test_of_two_files_of_one_name_the_first_ones_is_given() -> None:
    """On the page and as a file alike."""
    first, second = a_shelf(a_project(a_file(sha256="1" * 64))), a_shelf(a_project(a_file(sha256="2" * 64)))
    merged = Merged((first, second))
    assert [file.sha256 for file in merged.project_detail(DEMO).files] == ["1" * 64]
    assert merged.file(DEMO, WHEEL).sha256 == "1" * 64


def test_a_version_that_is_spelled_in_two_ways_is_there_once() -> None:
    """1.0 and 1.0.0 are one release: the first one's spelling stands."""
    merged = Merged((a_shelf(a_project()), a_shelf(a_project(a_file("1.0.0")))))
    assert merged.project_detail(DEMO).versions == ("1.0",)


def test_what_no_source_knows_is_unknown() -> None:
    """The refusals are the same as those of one source."""
    for ask in (both().project_detail, both().validity):
        with pytest.raises(UnknownProject):
            ask(name("nothing"))
    with pytest.raises(UnknownFile):
        both().file(name("nothing"), WHEEL)


def test_the_list_has_each_project_once() -> None:
    """Sorted by name, the first one's line, the highest serial."""
    listing = both().project_list()
    assert [(project.name, project.serial) for project in listing.projects] == [(DEMO, 7), (OTHER, 42)]
    assert listing.serial == 901
    assert Merged(()).project_list().projects == ()


def test_the_validity_says_who_answered() -> None:
    """When a project appears in the first source, or the second one's list moves, what was drawn is valid no more."""
    private, upstream = a_shelf(), a_shelf(a_project(name=OTHER, serial=42))
    index = Merged((private, upstream))
    before, listed = index.validity(OTHER), index.validity(None)
    private.projects[OTHER] = a_project(name=OTHER, serial=42)
    upstream.serial += 1
    assert index.validity(OTHER) != before
    assert index.validity(None) != listed


def not_yanked(file: File) -> bool:
    return file.yanked is None


def test_a_filter_drops_files_and_the_versions_left_empty() -> None:
    """A version that never had a file stays; one whose files are all refused goes."""
    detail = a_project(a_file("1.0", yanked="bad"), a_file("2.0", yanked=""), an_sdist("2.0"))
    filtered = Filtered(a_shelf(a_project(*detail.files, versions=("0.1", "1.0", "2.0"))), not_yanked)
    assert filtered.project_detail(DEMO).versions == ("0.1", "2.0")
    assert [file.filename for file in filtered.project_detail(DEMO).files] == ["demo_pkg-2.0.tar.gz"]


def test_a_refused_file_is_not_given_out_either() -> None:
    """The rule of the page is the rule of the file."""
    filtered = Filtered(a_shelf(a_project(a_file(yanked=""), an_sdist())), not_yanked)
    assert filtered.file(DEMO, "demo_pkg-1.0.tar.gz").size == 1431
    for project in (DEMO, name("nothing")):
        with pytest.raises(UnknownFile):
            filtered.file(project, WHEEL)


def test_a_filtered_project_stays_known() -> None:
    """A project whose files are all refused does not make room for another source's."""
    refusing = Filtered(a_shelf(), lambda file: False)
    assert refusing.project_detail(DEMO).files == ()
    assert [project.name for project in refusing.project_list().projects] == [DEMO]


def test_the_state_of_a_policy_is_part_of_the_validity() -> None:
    """When the policy changes, pages are drawn again though no serial moved."""
    revision = [1]
    filtered = Filtered(a_shelf(), not_yanked, lambda: revision[0])
    before = filtered.validity(DEMO)
    assert filtered.validity(DEMO) == before
    revision[0] = 2
    assert filtered.validity(DEMO) != before
    with pytest.raises(UnknownProject):
        filtered.validity(name("nothing"))
