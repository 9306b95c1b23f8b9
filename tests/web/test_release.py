"""What a release's page shows, from what the catalogue says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from packaging.utils import NormalizedName

from simple.model import File, ProjectDetail, ProjectStatus
from views.web.release import Link, ReleaseFacts, files_of, history_of

DAY = datetime(2026, 2, 3, tzinfo=UTC)


def detail(*files: tuple[str, str | None], status: ProjectStatus = ProjectStatus.ACTIVE) -> ProjectDetail:
    """A project with one file for each (version, yanked), in ascending order of versions."""
    made = tuple(
        File(
            f"looms-{version}-{n}-py3-none-any.whl",
            f"../../packages/looms/{n}",
            version,
            "0" * 64,
            1,
            DAY,
            yanked=yanked,
        )
        for n, (version, yanked) in enumerate(files)
    )
    versions = tuple(dict.fromkeys(version for version, _ in files))
    return ProjectDetail(NormalizedName("looms"), made, versions, 1, status)


def test_history_is_newest_first_and_marks_whole_yanks() -> None:
    """A release is yanked when all its files are; its reason is the first that was given."""
    lines = history_of(detail(("1.0", ""), ("1.0", "bad"), ("1.1", "bad"), ("1.1", None), ("2.0b1", None)))
    assert [(line.version, line.yanked, line.is_prerelease, line.files) for line in lines] == [
        ("2.0b1", None, True, 1),
        ("1.1", None, False, 2),
        ("1.0", "bad", False, 2),
    ]


def test_addresses_of_files_are_ready() -> None:
    """Addresses are resolved as a client of the project detail would, under whatever prefix."""
    (file,) = files_of(detail(("1.0", None)), "1.0", {"looms-1.0-0-py3-none-any.whl": "bob"}, "/prefix/simple/looms/")
    assert (file.url, file.uploader, file.metadata_url) == ("/prefix/packages/looms/0", "bob", None)


def test_a_quarantined_project_offers_no_files() -> None:
    """Its page lists none."""
    assert files_of(detail(("1.0", None), status=ProjectStatus.QUARANTINED), "1.0", {}, "/simple/looms/") == []


def facts(**metadata: Any) -> ReleaseFacts:
    """The facts of this metadata."""
    return ReleaseFacts.of(metadata)


def test_only_web_addresses_are_links() -> None:
    """Labels and addresses are kept apart; what must not be followed is text; doubles are shown once."""
    links = facts(
        home_page="javascript:alert(1)", project_urls=["Docs, https://example.com/a,b", "Docs, https://example.com/a,b"]
    ).links
    assert links == (
        Link("Home page", "javascript:alert(1)", None),
        Link("Docs", "https://example.com/a,b", "https://example.com/a,b"),
    )


def test_the_rest_is_put_in_order() -> None:
    """Keywords are taken apart, classifiers grouped, people named by role, a licence's text cut to its first line."""
    found = facts(
        keywords="a, b ,,a", classifiers=["A :: b", "A :: c :: d", "E"], author="Ada", author_email="ada@example.com",
        maintainer_email="Bob <bob@example.com>", license="MIT License\n\nPermission is hereby granted",
    )  # fmt: skip
    assert found.keywords == ("a", "b")
    assert found.classifiers == (("A", ("b", "c :: d")), ("E", ("E",)))
    assert found.people == (("Author", "Ada, ada@example.com"), ("Maintainer", "Bob <bob@example.com>"))
    assert found.license == "MIT License"


def test_long_lists_are_cut() -> None:
    """Fifty keywords and links and two hundred classifiers are shown, and how many more there are; names are cut."""
    found = facts(
        keywords=",".join(f"k{n}" for n in range(60)), classifiers=[f"A :: {n}" for n in range(201)],
        project_urls=[f"Docs, https://example.com/{n}" for n in range(53)], author="A" * 100_000,
    )  # fmt: skip
    assert (len(found.keywords), len(found.classifiers[0][1]), len(found.links)) == (50, 200, 50)
    assert found.more == {"keywords": 10, "classifiers": 1, "links": 3}
    assert found.people == (("Author", "A" * 500 + "…"),)


def test_nothing_said_is_no_fault() -> None:
    """A release without any metadata has an empty page."""
    assert facts() == ReleaseFacts((), (), "", "", (), ())


def test_a_release_is_compared_with_the_one_that_was_good_before() -> None:
    """Yanked releases and pre-releases are passed over, unless nothing else came before."""
    lines = history_of(detail(("1.0b1", None), ("1.0", None), ("1.1", "bad"), ("2.0rc1", None), ("2.0", None)))
    assert [(line.version, line.before) for line in lines] == [
        ("2.0", "1.0"), ("2.0rc1", "1.0"), ("1.1", "1.0"), ("1.0", "1.0b1"), ("1.0b1", None),
    ]  # fmt: skip
