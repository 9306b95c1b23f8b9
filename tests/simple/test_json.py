"""The simple pages as JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from simple.json import draw_project_detail, draw_project_list
from simple.model import File, ListedProject, ProjectDetail, ProjectList, ProjectStatus
from tests.simple.examples import HOSTILE, a_file, a_project, name


def read(detail: ProjectDetail) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(draw_project_detail(detail))
    return page


def read_file(file: File) -> dict[str, Any]:
    (written,) = read(a_project(file))["files"]
    assert isinstance(written, dict)
    return written


def test_the_whole_page() -> None:
    """The page as the specification draws it."""
    wheel = a_file(requires_python=">=3.8", core_metadata="cd" * 32)
    assert read(a_project(wheel)) == {
        "meta": {"api-version": "1.4", "_last-serial": 42},
        "name": "demo-pkg",
        "project-status": {"status": "active"},
        "versions": ["1.0"],
        "files": [
            {
                "filename": "demo_pkg-1.0-py3-none-any.whl",
                "url": "../../packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl",
                "hashes": {"sha256": "a1" * 32},
                "requires-python": ">=3.8",
                "core-metadata": {"sha256": "cd" * 32},
                "size": 1431,
                "upload-time": "2026-11-21T08:00:00.123456Z",
                "yanked": False,
            }
        ],
    }


@pytest.mark.parametrize("changes", [{}, {"yanked": ""}, {"requires_python": ""}, {"provenance": ""}], ids=str)
def test_no_value_is_null_or_an_empty_text(changes: dict[str, Any]) -> None:
    """uv refuses the whole page for a null size, upload time, yank or status: unknown keys are left out."""
    page = draw_project_detail(a_project(a_file(**changes)))
    assert b"null" not in page
    assert b'""' not in page


@pytest.mark.parametrize("key", ["size", "upload-time", "yanked", "hashes", "filename", "url"])
def test_what_uv_needs_is_always_there(key: str) -> None:
    """These keys stand on every file."""
    assert key in read_file(a_file())


def test_what_another_index_does_not_tell_is_left_out() -> None:
    """No size, time or digest; core metadata whose digest is not known is there all the same (PEP 714)."""
    written = read_file(a_file(size=None, uploaded=None, sha256="", core_metadata=""))
    assert not {"size", "upload-time"} & set(written)
    assert written["hashes"] == {}
    assert written["core-metadata"] is True


def test_the_old_name_of_core_metadata_is_never_written() -> None:
    """PEP 714: old pip misreads it in JSON."""
    assert b"dist-info-metadata" not in draw_project_detail(a_project(a_file(core_metadata="cd" * 32)))


@pytest.mark.parametrize(("yanked", "written"), [(None, False), ("", True), ("bad build", "bad build")])
def test_a_yank_is_false_true_or_the_reason(yanked: str | None, written: bool | str) -> None:
    """An empty text would be a yanked file to uv and a sound one to pip."""
    assert (
        read_file(a_file(yanked=yanked))["yanked"] is written or read_file(a_file(yanked=yanked))["yanked"] == written
    )


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
        datetime(2026, 11, 21, 10, 0, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 11, 21, 8, 0),  # noqa: DTZ001 - as a database without zones gives it
    ],
    ids=["utc", "offset", "none"],
)
def test_the_upload_time_is_utc_with_six_digits(moment: datetime) -> None:
    """PEP 700's form, also on a whole second and from another zone."""
    assert read_file(a_file(uploaded=moment))["upload-time"] == "2026-11-21T08:00:00.000000Z"


def test_the_upload_time_of_an_early_year_keeps_four_digits() -> None:
    """RFC 3339 wants four digits of a year."""
    stamp = read_file(a_file(uploaded=datetime(812, 1, 1, tzinfo=UTC)))["upload-time"]
    assert re.fullmatch(r"0812-01-01T00:00:00\.000000Z", stamp)


def test_provenance_is_written_where_it_is_known() -> None:
    """PEP 740."""
    url = "https://index.example.com/integrity/x/provenance"
    assert read_file(a_file(provenance=url))["provenance"] == url
    assert "provenance" not in read_file(a_file())


def test_an_archived_project_says_why_and_keeps_its_files() -> None:
    """PEP 792: at the top level of the page."""
    page = read(a_project(status=ProjectStatus.ARCHIVED, status_reason="moved"))
    assert page["project-status"] == {"status": "archived", "reason": "moved"}
    assert len(page["files"]) == 2


def test_a_quarantined_project_offers_nothing() -> None:
    """PEP 792: neither files nor versions."""
    page = read(a_project(status=ProjectStatus.QUARANTINED))
    assert (page["files"], page["versions"], page["project-status"]) == ([], [], {"status": "quarantined"})


def test_versions_without_files_stay_listed() -> None:
    """PEP 700: versions may hold more than the files show."""
    assert read(a_project(a_file(), versions=("0.9", "1.0")))["versions"] == ["0.9", "1.0"]


def test_the_list_carries_serials() -> None:
    """Mirrors read _last-serial on the list and on each project."""
    listing = ProjectList((ListedProject("Demo_Pkg", name("demo-pkg"), 41), ListedProject("", name("other"), 42)), 42)
    assert json.loads(draw_project_list(listing)) == {
        "meta": {"api-version": "1.4", "_last-serial": 42},
        "projects": [{"name": "Demo_Pkg", "_last-serial": 41}, {"name": "other", "_last-serial": 42}],
    }


def test_hostile_values_are_only_values() -> None:
    """What a stranger wrote comes back as it is."""
    written = read_file(a_file(filename=HOSTILE, yanked=HOSTILE, requires_python=HOSTILE))
    assert (written["filename"], written["yanked"], written["requires-python"]) == (HOSTILE, HOSTILE, HOSTILE)
