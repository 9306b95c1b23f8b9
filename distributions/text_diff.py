"""The difference of two texts in unified form, found in bounded time.

E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), with a limit to D: what differs in more lines
than anybody reads costs no more than the limit. ``difflib`` has no such limit and can take minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CONTEXT: Final = 3  # equal lines shown around a change
LONGEST_LINE: Final = 500  # characters of a line that are shown


@dataclass(slots=True)
class Steps:
    """How many more steps may be taken, for several texts together; a step costs some 100 ns."""

    left: int


@dataclass(frozen=True, slots=True)
class _Run:
    """Equal lines: ``length`` of them, at these places of the old and the new text."""

    old: int
    new: int
    length: int


def unified(old: Sequence[str], new: Sequence[str], *, most: int, steps: Steps) -> list[str] | None:
    """The lines of a unified diff, without the two file headers; none where the texts are equal.

    None where more than ``most`` lines are removed and added, or the steps are used up. Long lines are cut.
    """
    runs = _equal_runs(old, new, most, steps)
    if runs is None:
        return None
    return [line for hunk in _hunks(runs) for line in _written(hunk, old, new)]


def _equal_runs(old: Sequence[str], new: Sequence[str], most: int, steps: Steps) -> list[_Run] | None:
    """The equal runs, in order, the last one of length 0 at the ends; None where a limit was reached."""
    shortest = min(len(old), len(new))
    head = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    tail = next((at for at in range(shortest - head) if old[-1 - at] != new[-1 - at]), shortest - head)
    pairs = _matched(old[head : len(old) - tail], new[head : len(new) - tail], most, steps)
    if pairs is None:
        return None
    runs = [_Run(0, 0, head)] if head else []
    for x, y in pairs:
        last = runs[-1] if runs else _Run(0, 0, 0)
        if (last.old + last.length, last.new + last.length) == (x + head, y + head) and runs:
            runs[-1] = _Run(last.old, last.new, last.length + 1)
        else:
            runs.append(_Run(x + head, y + head, 1))
    if tail:
        runs.append(_Run(len(old) - tail, len(new) - tail, tail))
    return [*runs, _Run(len(old), len(new), 0)]


def _matched(old: Sequence[str], new: Sequence[str], most: int, steps: Steps) -> list[tuple[int, int]] | None:
    """The pairs of equal lines of a shortest edit script, in order."""
    if not old or not new:
        return [] if len(old) + len(new) <= most else None
    layers: list[dict[int, int]] = []  # by number of edits: the furthest x on each diagonal, which is x - y
    for edits in range(min(most, len(old) + len(new)) + 1):
        layer: dict[int, int] = {}
        for diagonal in range(-edits, edits + 1, 2):
            entered = x = _enter(layers, edits, diagonal)[0]
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            layer[diagonal] = x
            steps.left -= 1 + x - entered
            if x == len(old) and x - diagonal == len(new):
                return _traced(layers, x, x - diagonal)
        layers.append(layer)
        if steps.left < 0:
            return None
    return None


def _enter(layers: list[dict[int, int]], edits: int, diagonal: int) -> tuple[int, bool]:
    """The furthest x that the last of these edits reaches on a diagonal, and whether it adds a line."""
    if not edits:
        return 0, False
    before = layers[edits - 1]
    removing, adding = before.get(diagonal - 1, -1), before.get(diagonal + 1, -1)
    return (removing + 1, False) if removing >= adding else (adding, True)


def _traced(layers: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """The way back from the end to the start; its equal lines, in order."""
    pairs = []
    for edits in range(len(layers), -1, -1):
        entered, is_added = _enter(layers, edits, x - y)
        while x > entered:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = (x, y - 1) if is_added else (x - 1, y)
    return pairs[::-1]


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines ``old`` to ``old_end`` became ``new`` to ``new_end``; both from 0, ends excluded."""

    old: int
    old_end: int
    new: int
    new_end: int


def _hunks(runs: list[_Run]) -> list[list[_Change]]:
    """The changes between the runs, those near each other together."""
    hunks: list[list[_Change]] = []
    old = new = 0
    for run in runs:
        if run.old > old or run.new > new:
            change = _Change(old, run.old, new, run.new)
            if hunks and change.old - hunks[-1][-1].old_end <= 2 * CONTEXT:
                hunks[-1].append(change)
            else:
                hunks.append([change])
        old, new = run.old + run.length, run.new + run.length
    return hunks


def _written(hunk: list[_Change], old: Sequence[str], new: Sequence[str]) -> list[str]:
    first, last = hunk[0], hunk[-1]
    lead = min(CONTEXT, first.old, first.new)
    start, end = first.old - lead, min(len(old), last.old_end + CONTEXT)
    new_start, new_end = first.new - lead, min(len(new), last.new_end + CONTEXT)
    lines = [f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@"]
    at = start
    for change in hunk:
        lines += [f" {_cut(line)}" for line in old[at : change.old]]
        lines += [f"-{_cut(line)}" for line in old[change.old : change.old_end]]
        lines += [f"+{_cut(line)}" for line in new[change.new : change.new_end]]
        at = change.old_end
    return [*lines, *(f" {_cut(line)}" for line in old[at:end])]


def _range(start: int, end: int) -> str:
    """As GNU diff writes it: the line before an empty range, no count for one line."""
    length = end - start
    return f"{start + (length > 0)}{'' if length == 1 else f',{length}'}"


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
