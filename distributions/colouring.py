"""Finding the colours of a text of code, for the sandbox: a lexer may take any time for what was made for it."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from pygments.lexers import get_lexer_for_filename
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from distributions.code_colours import COLOUR_OF

MOST_RUNS: Final = 50_000  # with a colour, in one text; each is an element of the page


def load() -> None:
    """Load what finding the language takes, which is longer than colouring most texts: it is used once."""
    colour("x = 1", "ready.py")


def colour(text: str, filename: str) -> list[str]:
    """The runs of each line of a text whose lines end in LF, as ``code_colours`` has them.

    The language is told by the filename alone; without one that is known there are no runs. After MOST_RUNS, and where
    a lexer stumbles, the rest has none.
    """
    try:
        lexer = get_lexer_for_filename(filename, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return []
    writer = _Writer()
    place = 0
    with suppress(Exception):  # whatever one of five hundred lexers stumbles over, the text can be read
        for token, value in lexer.get_tokens(text):
            if writer.room <= 0 or not text.startswith(value, place):
                break  # from here on the runs would be of another text
            writer.add(colour_of(token), value)
            place += len(value)
    return writer.runs()


def colour_of(token: tuple[str, ...]) -> str:
    """The colour of a token by its names from the widest in, or of the next wider that Pygments knows; or empty."""
    while token not in STANDARD_TYPES:  # the widest of all, (), is there
        token = token[:-1]
    return COLOUR_OF.get(STANDARD_TYPES[token], "")


class _Writer:
    """Collects runs by line; neighbours of one colour are one run."""

    def __init__(self) -> None:
        self.room = MOST_RUNS
        self._lines: list[list[tuple[str, int]]] = [[]]

    def add(self, colour: str, value: str) -> None:
        for number, part in enumerate(value.split("\n")):
            if number:
                self._lines.append([])
            line = self._lines[-1]
            if part and line and line[-1][0] == colour:
                line[-1] = (colour, line[-1][1] + len(part))
            elif part:
                line.append((colour, len(part)))
                self.room -= bool(colour)

    def runs(self) -> list[str]:
        return [" ".join(f"{colour}{length}" for colour, length in line) for line in self._lines]
