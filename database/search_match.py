"""What is looked for, as expressions of SQLite's full-text index (FTS5).

What people type never gets here as it is: only folded words, quoted, and facts whose names are made by this program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func

from database.models import Listing
from database.search_index import SHORTEST_MIDDLE, initial_token


@dataclass(frozen=True, slots=True)
class Scope:
    """What filters a match: facts that must be there and facts that must not."""

    needed: tuple[str, ...]
    unwanted: tuple[str, ...] = ()

    def around(self, match: str = "") -> str:
        """A match within the scope; without one, that of every project in it."""
        facts = f"facts : ({' AND '.join(self.needed)})"
        within = f"({match}) AND {facts}" if match else facts
        return f"({within}) NOT facts : ({' OR '.join(self.unwanted)})" if self.unwanted else within


@dataclass(frozen=True, slots=True)
class Layer:
    """The hits that are at least so close. ``is_step``: it only puts some hits of the next layer before the others."""

    match: str
    in_description: bool = False
    is_step: bool = False


class Wanted:
    """What is looked for: for each word its alternatives, the likeliest first. All words are folded."""

    def __init__(self, options: Sequence[Sequence[str]]) -> None:
        self.options: Final = options
        self.words: Final = tuple(dict.fromkeys(word for one in options for word in one))
        self.text: Final = " ".join(one[0] for one in options)
        self._squeezed = "".join(one[0] for one in options)
        self._phrase = "-".join(one[0] for one in options)

    def layers(self) -> list[Layer]:
        """From the closest to the widest, each with all of those before it: names, some words in the name and the rest
        in the summary, summaries, descriptions. Single letters are looked for in names only: every text has them.
        """
        start, in_name = self._start(), [_in(one) for one in self.options]
        names = f"{start} OR ({' AND '.join(in_name)})"
        if all(len(word) == 1 for word in self.words):
            return [Layer(names)]
        about = " AND ".join(_in(one, "about") for one in self.options)
        partly = f"{start} OR (({about}) AND ({' OR '.join(in_name)}))"
        everywhere = " AND ".join(_in(one, "about description") for one in self.options)
        return [
            Layer(names, is_step=True),
            *([Layer(partly, is_step=True)] if len(self.options) > 1 else []),
            Layer(f"{start} OR ({about})"),
            Layer(f"{start} OR ({everywhere})", in_description=True),
        ]

    def _start(self) -> str:
        """Names that begin so, whatever separates their words."""
        if len(self._squeezed) == 1 and self._squeezed.isascii():
            return f"facts : {initial_token(self._squeezed)}"
        return f"start : {_beginning(self._squeezed)}"

    @property
    def closeness(self) -> ColumnElement[Any]:
        """How far a name is from what is looked for: 0 for the same."""
        plain = func.replace(Listing.name, "-", "")
        words = "-" + Listing.name + "-"
        return case(
            (Listing.name == self._phrase, 0),
            (plain == self._squeezed, 1),
            (plain.startswith(self._squeezed, autoescape=True), 2),
            (words.contains(f"-{self._phrase}-", autoescape=True), 3),
            (words.contains(f"-{self._phrase}", autoescape=True), 4),
            else_=5,
        )


def _in(options: Sequence[str], more: str = "") -> str:
    """The match of names and ``more`` columns in which one of the words begins a word; from three letters on, of names
    that have it in their middle, too.
    """
    longer = [word for word in options if len(word) >= SHORTEST_MIDDLE]
    shorter = [word for word in options if len(word) < SHORTEST_MIDDLE]
    groups = ((f"name middle {more}", longer), (f"name {more}", shorter))
    parts = [f"{{{columns.strip()}}} : ({_any(words)})" for columns, words in groups if words]
    return f"({' OR '.join(parts)})"


def _any(options: Sequence[str]) -> str:
    return " OR ".join(_beginning(word) if len(word) > 1 else f'"{word}"' for word in options)


def _beginning(word: str) -> str:
    return f'"{word}"*'
