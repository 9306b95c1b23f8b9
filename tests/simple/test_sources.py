"""How sources are put together."""

from __future__ import annotations

import pytest

from errors import UnknownFile, UnknownProject
from simple.model import File
from simple.sources import Filtered, FirstOf, Source
from tests.simple.examples import a_file, a_project, a_shelf, an_sdist, name

DEMO = name("demo-pkg")
OTHER = name("other")
WHEEL = "demo_pkg-1.0-py3-none-any.whl"


def both() -> tuple[Source, Source, FirstOf]:
    """A private shelf with demo-pkg 1.0, an upstream with demo-pkg 9.0 and other 9.0, and the one before the other."""
    private = a_shelf(a_project(serial=7))
    upstream = a_shelf(a_project(a_file("9.0"), serial=900), a_project(a_file("9.0"), name=OTHER, display_name="Other"))
    upstream.serial = 901
    return private, upstream, FirstOf((private, upstream))


def test_the_first_that_knows_a_project_owns_it_whole() -> None:
    """Publishing a private project's name upstream adds nothing to it."""
    *_, index = both()
    assert index.project_detail(DEMO).versions == ("1.0",)
    assert index.project_detail(OTHER).versions == ("9.0",)


def test_a_file_comes_from_the_owner_or_from_nobody() -> None:
    """The upstream's file of a private project's name is not given out."""
    *_, index = both()
    assert index.file(DEMO, WHEEL).location == f"demo-pkg/{WHEEL}"
    with pytest.raises(UnknownFile):
        index.file(DEMO, "demo_pkg-9.0-py3-none-any.whl")


def test_a_file_of_an_upstream_project_is_found() -> None:
    """The first source says "no such file" for it, and the second is still asked."""
    *_, index = both()
    assert index.file(OTHER, "demo_pkg-9.0-py3-none-any.whl").project == OTHER


def test_what_no_source_knows_is_unknown() -> None:
    """The refusals are the same as those of one source."""
    *_, index = both()
    with pytest.raises(UnknownProject):
        index.project_detail(name("nothing"))
    with pytest.raises(UnknownProject):
        index.validity(name("nothing"))
    with pytest.raises(UnknownFile):
        index.file(name("nothing"), WHEEL)


def test_the_list_has_each_project_once() -> None:
    """Sorted by name, the owner's line, the highest serial."""
    *_, index = both()
    listing = index.project_list()
    assert [(project.name, project.serial) for project in listing.projects] == [(DEMO, 7), (OTHER, 42)]
    assert listing.serial == 901
    assert FirstOf(()).project_list().projects == ()


def test_the_validity_says_who_answered() -> None:
    """When a private project appears under an upstream's name, what was drawn before is no longer valid."""
    private, upstream = a_shelf(), a_shelf(a_project(name=OTHER, serial=42))
    index = FirstOf((private, upstream))
    before = index.validity(OTHER)
    private.projects[OTHER] = a_project(name=OTHER, serial=42)
    assert index.validity(OTHER) != before


def test_the_validity_of_the_list_moves_with_any_source() -> None:
    """A change of the second source makes a new list."""
    private, upstream = a_shelf(), a_shelf()
    index = FirstOf((private, upstream))
    before = index.validity(None)
    upstream.serial += 1
    assert index.validity(None) != before


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
    index = FirstOf((refusing, a_shelf(a_project(a_file("9.0")))))
    assert index.project_detail(DEMO).files == ()
    assert [project.name for project in index.project_list().projects] == [DEMO]


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
