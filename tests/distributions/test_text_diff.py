"""Tests of distributions.text_diff: differences that are right, and that cost no more than their limit."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributions.text_diff import LONGEST_LINE, Steps, unified

ENOUGH = 1_000_000
LINES = st.lists(st.sampled_from(["a", "b", "c", "", "- d", "+ e", "@@"]), max_size=30)


def diff(old: list[str], new: list[str], most: int = 1000) -> list[str] | None:
    """The difference, with steps enough."""
    return unified(old, new, most=most, steps=Steps(ENOUGH))


def applied(old: list[str], lines: list[str]) -> list[str]:
    """What a difference makes of the old lines."""
    made: list[str] = []
    at = 0
    for line in lines:
        if line.startswith("@@"):
            head = re.match(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@", line)
            assert head
            start = int(head[1]) - (head[2] != "0")
            made += old[at:start]
            at = start
        elif line[0] == "+":
            made.append(line[1:])
        else:
            assert old[at] == line[1:]
            made += [] if line[0] == "-" else [old[at]]
            at += 1
    return made + old[at:]


@given(LINES, LINES)
def test_the_difference_makes_the_new_of_the_old(old: list[str], new: list[str]) -> None:
    """For any two texts; and equal ones have none."""
    found = diff(old, new)
    assert found is not None
    assert applied(old, found) == new
    assert (found == []) == (old == new)


@given(LINES, LINES)
def test_no_shorter_one_exists(old: list[str], new: list[str]) -> None:
    """As many lines are removed and added as the longest common subsequence leaves, and a limit below finds none."""
    found = diff(old, new) or []
    edits = sum(line[0] in "+-" for line in found if not line.startswith("@@ -"))
    row = [0] * (len(new) + 1)
    for line in old:
        before = row[:]
        for at, other in enumerate(new):
            row[at + 1] = before[at] + 1 if line == other else max(row[at], before[at + 1])
    assert edits == len(old) + len(new) - 2 * row[-1]
    if edits:
        assert diff(old, new, edits) == found
        assert diff(old, new, edits - 1) is None


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the program patch")
def test_patch_understands_it(tmp_path: Path) -> None:
    """Headers and ranges are those of unified diffs, at the start, in the middle and at the end of a file."""
    old = [f"line {n}" for n in range(60)]
    new = ["first", *old[:20], *old[22:40], "middle", *old[40:], "last"]
    path = tmp_path / "text"
    path.write_text("\n".join(old) + "\n")
    found = diff(old, new)
    assert found is not None
    patch = "\n".join(["--- text", "+++ text", *found]) + "\n"
    subprocess.run(["patch", "-s", str(path)], input=patch, text=True, check=True)
    assert path.read_text().splitlines() == new


def test_context_is_three_lines() -> None:
    """Changes near each other are one hunk; others are hunks of their own."""
    old = [str(n) for n in range(30)]
    near = diff(old, [*old[:10], "x", *old[11:16], "y", *old[17:]]) or []
    far = diff(old, [*old[:5], "x", *old[6:20], "y", *old[21:]]) or []
    assert [line for line in near if line.startswith("@@")] == ["@@ -8,13 +8,13 @@"]
    assert [line for line in far if line.startswith("@@")] == ["@@ -3,7 +3,7 @@", "@@ -18,7 +18,7 @@"]


def test_long_lines_are_cut() -> None:
    """A line of a megabyte is shown by its beginning."""
    found = diff(["x" * 1_000_000], ["y" * 1_000_000]) or []
    assert [len(line) for line in found[1:]] == [LONGEST_LINE + 2] * 2


def test_texts_with_nothing_in_common_end_at_the_limit() -> None:
    """Thousands of lines that all differ cost the limit and no more."""
    steps = Steps(ENOUGH)
    old, new = [f"{n % 7}" for n in range(20_000)], [f"{n % 11}x" for n in range(20_000)]
    assert unified(old, new, most=500, steps=steps) is None
    assert ENOUGH - 200_000 < steps.left < ENOUGH


def test_steps_are_shared() -> None:
    """When the steps of earlier texts are used up, a text that needs more is given up."""
    steps = Steps(1000)
    old, new = [f"{n % 7}" for n in range(2000)], [f"{n % 5}" for n in range(2000)]
    assert unified(old, new, most=1000, steps=steps) is None
    assert steps.left < 0
