"""What a release requires: for whom, when, and how it is written."""

from __future__ import annotations

import pytest

from distributions import markers
from distributions.requirements import Required, by_extra, by_project


def cases(marker: str) -> list[tuple[str, str]]:
    """For which extras, "" for everybody, a requirement with this marker is needed, and what else has to hold."""
    return [(case.extra, case.marker) for case in Required.of(f"sample; {marker}").cases]


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("python_version < '3.12'", [("", 'python_version < "3.12"')]),
        ("extra == 'Fast_Ones'", [("fast-ones", "")]),
        ("'fast' == extra", [("fast", "")]),
        ("extra == 'fast' and os_name == 'nt'", [("fast", 'os_name == "nt"')]),
        ("(extra == 'fast' or extra == 'all') and os_name == 'nt'", [
            ("all", 'os_name == "nt"'), ("fast", 'os_name == "nt"'),
        ]),
        ("os_name == 'nt' or extra == 'fast'", [("", 'os_name == "nt"'), ("fast", "")]),
        ("extra != 'slim'", [("", "")]),
        ("os_name == 'nt' and (python_version < '3' or extra == 'a')", [
            ("", 'os_name == "nt" and python_version < "3"'), ("a", 'os_name == "nt"'),
        ]),
        ("sys_platform not  in 'win32 linux'", [("", 'sys_platform not in "win32 linux"')]),
    ],
)  # fmt: skip
def test_markers_are_told_apart_by_extra(marker: str, expected: list[tuple[str, str]]) -> None:
    """Each extra that changes what is needed has a case of its own, with what remains of the marker for it."""
    assert cases(marker) == expected


def test_what_nobody_needs_is_not_lost() -> None:
    """Two extras at once are never asked for; the requirement is there, with the marker that says so."""
    assert cases("extra == 'a' and extra == 'b'") == [("", 'extra == "a" and extra == "b"')]


@pytest.mark.parametrize(
    "marker",
    [
        " or ".join(f"extra == 'x{number}'" for number in range(20)),
        f"os_name == '{'n' * 1000}'",
    ],
)
def test_a_marker_out_of_bounds_is_left_as_it_is(marker: str) -> None:
    """Too many extras, or too long: nobody's upload makes a page slow."""
    (case,) = Required.of(f"sample; {marker}").cases
    assert (case.extra, case.tree) == ("", None)
    assert case.marker
    assert markers.parse("(" * 30 + "os_name == 'nt'" + ")" * 30) is None


@pytest.mark.parametrize("text", ["", "(", "a ==", "== 'b'", "'a' == 'b'", "a == b", "a == 'b' and", "a == 'b')", "?"])
def test_what_is_no_marker_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert markers.parse(text) is None


def test_a_requirement_says_what_it_asks_for() -> None:
    """Name, extras, versions and address, in one order however they were written."""
    one = Required.of("Sample_Thing[b,A] !=1.5, >=1, <2")
    assert (one.name, one.display_name, one.extras, one.specifier) == (
        "sample-thing", "Sample_Thing", ("A", "b"), ">=1,<2,!=1.5",
    )  # fmt: skip
    assert Required.of("sample @ https://index.example.com/s.whl").url == "https://index.example.com/s.whl"
    assert Required.of("sample (>=1)").specifier == ">=1"


def test_what_cannot_be_read_is_shown_as_it_is() -> None:
    """A requirement that a later reader refuses has no name and is no fault."""
    assert Required.of("sample >= one").name is None
    assert Required.of("sample >= one").text == "sample >= one"


def test_requirements_stand_under_their_extra() -> None:
    """Those always needed come first, then the extras in the order that the release names them, empty ones, too."""
    required = [Required.of(text) for text in ("x; extra == 'plots'", "y", "z; extra == 'other'")]
    groups = by_extra(required, ["Quiet", "plots"])
    assert [(extra, [one.text for one, _ in found]) for extra, found in groups.items()] == [
        ("", ["y"]), ("quiet", []), ("plots", ["x; extra == 'plots'"]), ("other", ["z; extra == 'other'"]),
    ]  # fmt: skip


def test_requirements_of_one_project_stand_together() -> None:
    """However its name is spelled."""
    texts = ["a_b<2; python_version < '3.9'", "A.B>=2", "c@https://index.example.com/c.whl"]
    assert by_project({"requires_dist": texts}) == {"a-b": texts[:2], "c": texts[2:]}
    assert by_project({}) == {}
