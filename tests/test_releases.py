"""Which releases and files are compared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from simple.model import File, ProjectDetail
from views.releases import common_kinds, releases_before

DAY = datetime(2026, 2, 3, tzinfo=UTC)


def detail(*filenames: str, yanked: str = "") -> ProjectDetail:
    """A project with these files; those of the version ``yanked`` are yanked."""
    files = []
    for filename in filenames:
        version = filename.removesuffix(".tar.gz").removesuffix(".zip").split("-")[1]
        reason = "" if version == yanked else None
        files.append(File(filename, filename, version, "0" * 64, 1, DAY, yanked=reason))
    versions = sorted({file.version for file in files}, key=Version)
    return ProjectDetail(NormalizedName("p"), tuple(files), tuple(versions), 1)


def sdists(*versions: str, yanked: str = "") -> ProjectDetail:
    """A project with an sdist of each version."""
    return detail(*(f"p-{version}.tar.gz" for version in versions), yanked=yanked)


@pytest.mark.parametrize(
    ("project", "version", "before"),
    [
        (sdists("1.0", "1.1"), "1.1", "1.0"),
        (sdists("1.0", "1.1"), "1.0", None),
        (sdists("1.0", "1.1rc1", "1.1"), "1.1", "1.0"),
        (sdists("1.0", "1.1", "1.2", yanked="1.1"), "1.2", "1.0"),
        (sdists("1.0rc1", "1.0"), "1.0", "1.0rc1"),
        (sdists("1.0", "1.1", yanked="1.0"), "1.1", "1.0"),
    ],
)
def test_the_release_before(project: ProjectDetail, version: str, before: str | None) -> None:
    """The one that people came from: final and standing if there is such, else whatever there is."""
    assert releases_before(project)[version] == before


def test_files_are_chosen_alike() -> None:
    """Only kinds on both sides: wheels for any platform, then sdists, then wheels with the same tags."""
    project = detail(
        "p-1-cp312-cp312-win32.whl", "p-1-py3-none-any.whl", "p-1.tar.gz", "p-1-cp311-cp311-win32.whl",
        "p-2-cp312-cp312-win32.whl", "p-2-py3-none-any.whl", "p-2-1-py3-none-any.whl", "p-2.zip", "p-2.tar.gz",
    )  # fmt: skip
    kinds = common_kinds(project, "1", "2")
    assert list(kinds) == ["py3-none-any", "sdist", "cp312-cp312-win32"]
    assert [(old.filename, new.filename) for old, new in kinds.values()] == [
        ("p-1-py3-none-any.whl", "p-2-py3-none-any.whl"), ("p-1.tar.gz", "p-2.tar.gz"),
        ("p-1-cp312-cp312-win32.whl", "p-2-cp312-cp312-win32.whl"),
    ]  # fmt: skip
    assert common_kinds(detail("p-1.tar.gz", "p-2-py3-none-any.whl"), "1", "2") == {}
