"""Colours of code: runs that add up to the text, whatever it is; by filename only; never at the server's expense."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.token import Token

from distributions import sandbox
from distributions.code_colours import COLOURS, Piece, pieces
from distributions.colouring import MOST_RUNS, colour, colour_of
from distributions.sandbox import Inspector

CODE = '@dataclass\nclass Loom:\n    """So\nmany."""\n\n    threads: int = 18  # more\n'
NAMES = [
    "a.py", "a.c", "a.html", "a.js", "a.css", "a.md", "a.rst", "a.toml", "a.json", "a.yaml", "a.ini", "a.sh", "a.diff",
    "Makefile", "a.txt", "a.pyx", "a.ipynb", "a.php", "a.tex", "setup.cfg",
]  # fmt: skip
SIGNS = "\n\n \t<>=&{}[]()\"'#@/*\\-:;,.`$%!|~^?_0aZ"
ALPHABET = st.sampled_from([*SIGNS, "def ", "class", "<?php", "织", "\x0b", "‹U+202E›"])


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    """An inspector that is closed afterwards."""
    made = Inspector(1)
    yield made
    made.close()


def lengths(runs: str) -> int:
    """The characters that the runs of a line are about."""
    assert re.fullmatch(r"(?:[a-z]*[0-9]+(?: (?!\Z)|\Z))*", runs)
    return sum(int(length) for length in re.findall(r"[0-9]+", runs))


def test_tokens_have_colours() -> None:
    """Line by line, a string over lines in each of them; what has no colour is there too."""
    shown = [list(pieces(line, runs)) for line, runs in zip(CODE.split("\n"), colour(CODE, "loom.py"), strict=True)]
    assert shown == [
        [Piece("@dataclass", "b")],
        [Piece("class", "k"), Piece(" "), Piece("Loom", "n"), Piece(":")],
        [Piece("    "), Piece('"""So', "s")],
        [Piece('many."""', "s")],
        [],
        [Piece("    threads: "), Piece("int", "b"), Piece(" = "), Piece("18", "m"), Piece("  "), Piece("# more", "c")],
        [],
    ]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (Token.Keyword, "k"), (Token.Keyword.Of.No.Language, "k"), (Token.Literal.String.Double, "s"),
        (Token.Generic.Deleted, "gd"), (Token.Name, ""), (Token.Never.Heard.Of, ""), (Token, ""),
    ],
)  # fmt: skip
def test_a_token_has_the_colour_of_its_kind(token: tuple[str, ...], expected: str) -> None:
    """A kind that Pygments gives no short name has the colour of the next wider one."""
    assert colour_of(token) == expected


@pytest.mark.parametrize(
    ("filename", "is_coloured"),
    [("a.py", True), ("Makefile", True), ("a.unknown", False), ("METADATA", False), ("", False), ("[" * 5000, False)],
)
def test_the_language_is_told_by_the_filename(filename: str, is_coloured: bool) -> None:
    """What the text looks like does not count, and a name that is none is no error."""
    runs = colour("#!/usr/bin/env python\nif x:\n\tpass\nall: x\n", filename)
    assert any(re.search("[a-z]", line) for line in runs) == is_coloured


@pytest.mark.parametrize("name", NAMES)
@given(text=st.lists(ALPHABET, max_size=60).map("".join))
@settings(max_examples=15, deadline=None)
def test_runs_add_up_to_the_text(name: str, text: str) -> None:
    """In every language, for text of no language: each line's runs are as long as the line, or are missing."""
    lines, found = text.split("\n"), colour(text, name)
    assert len(found) in {0, *range(1, len(lines) + 1)}
    for line, runs in zip(lines, found, strict=False):
        assert lengths(runs) in ({len(line)} if len(found) == len(lines) else range(len(line) + 1))
        assert "".join(piece.text for piece in pieces(line, runs)) == line


@given(line=st.text(max_size=30), runs=st.text("kszm019 <>\"'٣", max_size=30))
def test_whatever_the_child_says_the_line_is_whole(line: str, runs: str) -> None:
    """The pieces are the server's own line, in colours that there are."""
    found = list(pieces(line, runs))
    assert "".join(piece.text for piece in found) == line
    assert {piece.colour for piece in found} <= {"", *COLOURS}


def test_a_page_has_room_for_so_many_runs() -> None:
    """After them the text is plain."""
    found = colour("if " * (MOST_RUNS + 10), "a.py")
    assert found[0].count("k") == MOST_RUNS


def test_a_lexer_that_stumbles_leaves_a_text_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that raises, or whose tokens are not the text, colours what came before."""

    class Odd:
        def get_tokens(self, text: str) -> Iterator[tuple[tuple[str, ...], str]]:
            yield Token.Keyword, "if"
            if text.endswith("raise"):
                raise RecursionError
            yield Token.Keyword, "if"

    monkeypatch.setattr("distributions.colouring.get_lexer_for_filename", lambda *_, **__: Odd())
    assert colour("if x\nraise", "a.py") == colour("if x\n", "a.py") == ["k2"]


def test_the_child_does_the_same(inspector: Inspector) -> None:
    """Asked through the child process, the runs are equal; a name without a language has none."""
    assert inspector.colour(CODE, "loom.py").decode().split("\n") == colour(CODE, "loom.py")
    assert inspector.colour(CODE, "loom") == b""


def test_a_text_that_eats_time_has_no_colours(inspector: Inspector, monkeypatch: pytest.MonkeyPatch) -> None:
    """S74: it costs one child and a second of its time; the next text has its colours."""
    started = []
    make = sandbox._Child
    inspector.colour(CODE, "loom.py")
    monkeypatch.setattr(sandbox, "_Child", lambda: started.append(1) or make())  # type: ignore[func-returns-value]
    assert inspector.colour("a<<b " * 150_000, "a.rb") == b""
    assert started == []
    assert inspector.colour("pass", "a.py") == b"k4"
