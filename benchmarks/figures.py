"""One line of the results."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Figure:
    """What one server did in one scenario, once for each run.

    ``values`` are in ``unit``; ``busy`` is the share of one processor that the server used meanwhile, ``p99`` the
    latency in milliseconds that one request of a hundred passed. ``void`` says why the line does not count.
    """

    scenario: str
    title: str
    target: str
    unit: str
    pinned: bool
    less_is_better: bool = False
    values: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    note: str = ""
    void: str = ""

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return statistics.median(self.values)

    def ratio_to(self, other: Figure) -> float:
        """How good this is against the other; more than 1 is better."""
        return other.median / self.median if self.less_is_better else self.median / other.median

    def to_json(self) -> dict[str, Any]:
        """All of it, for the JSON file."""
        return asdict(self) | ({"median": self.median} if self.values else {})


def yardsticks(figures: list[Figure]) -> dict[str, Figure]:
    """The first line of each scenario, which the others are compared with."""
    found: dict[str, Figure] = {}
    for figure in figures:
        if figure.values and not figure.void:
            found.setdefault(figure.scenario, figure)
    return found
