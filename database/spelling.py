"""Typing mistakes: the known words at one edit from what was typed.

The known words are those of names and summaries, kept forwards and backwards. Two words at one edit share a beginning
or an end of about half their length (two swapped neighbours in the very middle cost one letter of it), so two ranges of
an index hold all candidates.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, func, or_, select, text

from database.models import Word
from database.words import words_in

SPELLING_LENGTH = 4
LONGEST_WORD = 40
_MOST = 20
_CANDIDATES = select(Word.word).where(
    func.length(Word.word).between(bindparam("shortest"), bindparam("longest")),
    or_(
        (Word.word >= bindparam("head")) & (Word.word < bindparam("after_head")),
        (Word.backwards >= bindparam("tail")) & (Word.backwards < bindparam("after_tail")),
    ),
)
_FREQUENCY = text("SELECT term, doc FROM search_terms WHERE term IN (SELECT value FROM json_each(:terms))")


def known_words(content: str) -> set[str]:
    """The words of a text that spelling is corrected by."""
    return {word for word in words_in(content) if SPELLING_LENGTH <= len(word) <= LONGEST_WORD}


def alternatives(connection: Connection, word: str) -> list[str]:
    """The known words at one edit from a folded word, the most frequent first; before them, or alone, the word itself.

    Where no whole word is near, those whose beginning is: somebody is still typing.
    """
    if not SPELLING_LENGTH <= len(word) <= LONGEST_WORD:
        return [word]
    half = (len(word) - 1) // 2
    head, tail = word[:half], word[::-1][:half]
    ranges = {"head": head, "after_head": head + "\U0010ffff", "tail": tail, "after_tail": tail + "\U0010ffff"}
    lengths = {"shortest": len(word) - 1, "longest": LONGEST_WORD}
    candidates = list(connection.execute(_CANDIDATES, {**ranges, **lengths}).scalars())
    near = [one for one in candidates if within_one_edit(word, one)]
    if not near:
        near = [one for one in candidates if _begins_near(word, one)]
    known = _frequent_first(connection, near)[:_MOST]
    return sorted(known, key=lambda one: one != word) or [word]


def _begins_near(word: str, other: str) -> bool:
    return any(within_one_edit(word, other[: len(word) + more]) for more in (0, -1, 1))


def _frequent_first(connection: Connection, words: list[str]) -> list[str]:
    counted: dict[str, int] = {}
    if words:
        counted = {row.term: row.doc for row in connection.execute(_FREQUENCY, {"terms": json.dumps(words)})}
    return sorted((word for word in words if word in counted), key=lambda word: (-counted[word], word))


def within_one_edit(one: str, other: str) -> bool:
    """Whether one letter was added, left out or changed, or two neighbours were swapped, between the two words."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, left = one[start:], other[start:]
    return (
        rest[1:] == left  # left out
        or rest == left[1:]  # added
        or rest[1:] == left[1:]  # changed
        or (rest[:2] == left[1::-1] and rest[2:] == left[2:])  # swapped
    )
