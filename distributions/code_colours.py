"""The colours of code: which token of a language has which, and runs of them over the lines of a text.

The runs of a line are text, a colour and a length at a time: ``k3 1 n4`` is three characters of the colour ``k``, one
without a colour and four of ``n``. Whoever shows a line cuts their own text by them, so they are data and never markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# The classes of static/code.css, and Pygments' short names of the tokens that they stand for; others have no colour.
COLOURS: Final = {
    "k": ("k", "kc", "kd", "kn", "kp", "kr", "kt", "ow"),
    "s": ("s", "sa", "sb", "sc", "dl", "sd", "s2", "se", "sh", "si", "sx", "sr", "s1", "ss"),
    "m": ("m", "mb", "mf", "mh", "mi", "mo", "il", "no"),
    "c": ("c", "ch", "cm", "cp", "cpf", "c1", "cs"),
    "n": ("nc", "ne", "nf", "fm", "nt", "gh", "gu"),
    "b": ("nb", "bp", "nd", "na"),
    "gd": ("gd",),
    "gi": ("gi",),
}
COLOUR_OF: Final = {token: colour for colour, tokens in COLOURS.items() for token in tokens}
_RUN: Final = re.compile(r"([a-z]*)([0-9]{1,9})(?: |\Z)")


class Piece(NamedTuple):
    """A part of a line, and its colour: one of COLOURS, or empty."""

    text: str
    colour: str = ""


def pieces(line: str, runs: str) -> Iterator[Piece]:
    """The line cut by its runs. Together the pieces are the line, whatever the runs say."""
    place = 0
    for run in _RUN.finditer(runs):
        text = line[place : place + int(run[2])]
        if not text:
            break
        place += len(text)
        yield Piece(text, run[1] if run[1] in COLOURS else "")
    if place < len(line):
        yield Piece(line[place:])
