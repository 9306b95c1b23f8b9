"""Words as the search compares them, without case and accents, and where they stand in a text that is to be marked.

The full-text index is fed with folded words and asked for folded words, so both sides see the same ones whatever the
database's own idea of a word is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

WORD = re.compile(r"[^\W_]+")
_PASSAGE_CHARACTERS = 200
_BEFORE_CHARACTERS = 60
_AROUND_CHARACTERS = 1_000  # of the text, before and behind a match, that a passage is taken from
_FOLDED_CHARACTERS = 20_000  # of a text that is not ASCII: it is compared word by word

# What marks a text up in Markdown, reStructuredText and HTML, and is nothing to read.
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SIGN = re.compile(
    r"^[ \t]*(?:#{1,6} |> |[-*+] |\.\. (?:[\w-]+::)?|:[\w-]+:)|^[ \t]*([=~^\"-])\1{2,}[ \t]*$"
    r"|`+_{0,2}|(?<=[^\W_])__?(?![\w(])|\*+|~~",
    re.MULTILINE,
)


def fold(text: str) -> str:
    """The text without case and accents: ``Naïve`` is ``naive``."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def words_in(text: str) -> list[str]:
    """The folded words of a text, in order."""
    return WORD.findall(fold(text))


def squeezed(text: str) -> str:
    """A name without case and separators: ``Scikit-Learn`` is ``scikitlearn``."""
    return "".join(words_in(text))


def spans_of(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where words of the text begin with one of these folded words: from, to; in order."""
    found = []
    for match in WORD.finditer(text):
        longest = _length(match[0], words)
        if longest:
            found.append((match.start(), match.start() + longest))
    return found


def _length(word: str, beginnings: Sequence[str]) -> int:
    """How many characters of a word fit the longest of these beginnings; 0 where none fits."""
    folded = fold(word)
    longest = max((len(one) for one in beginnings if folded.startswith(one)), default=0)
    if longest == 0 or len(folded) == len(word):
        return longest
    return next(end for end in range(1, len(word) + 1) if len(fold(word[:end])) >= longest)


def spans_in_name(name: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where a name has these folded words, also in its middle; separators may be missing from them."""
    places = [place for place, one in enumerate(name) if WORD.fullmatch(one)]
    letters = "".join(fold(name[place])[:1] for place in places)
    if len(letters) != len(places):
        return []
    found = set()
    for word in filter(None, {*words, "".join(words)}):
        start = letters.find(word)
        while start >= 0:
            found.add((places[start], places[start + len(word) - 1] + 1))
            start = letters.find(word, start + len(word))
    return list(_apart(sorted(found)))


def _apart(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same characters in spans that neither touch nor overlap; ``spans`` are sorted."""
    start, end = -1, -1
    for next_start, next_end in spans:
        if next_start > end:
            if end > 0:
                yield start, end
            start = next_start
        end = max(end, next_end)
    if end > 0:
        yield start, end


def segments(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in pieces; True for those that are to be marked."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]


def passage_of(text: str, words: Sequence[str]) -> str:
    """A short passage around the first of these folded words in a text, on one line; "" where none occurs."""
    start = _first(text, words)
    if start < 0:
        return ""
    first, last = max(0, start - _AROUND_CHARACTERS), start + _AROUND_CHARACTERS
    first = text.find("\n", first, start) + 1 or first if first else 0
    around = read_out(text[first:last])
    start = _first(around, words)
    if start < 0:  # it stands in what is left out, such as an address
        around = text[first:last]
        start = _first(around, words)
    return _piece(around, start, first > 0, last < len(text))


def read_out(text: str) -> str:
    """A text without most of what marks it up: links and images are their words, tags and signs are left out."""
    for _ in range(2):  # an image that is a link
        text = _LINK.sub(r"\1", text)
    return _SIGN.sub("", _TAG.sub(" ", text))


def _piece(text: str, start: int, is_cut_before: bool, is_cut_behind: bool) -> str:
    begin = max(0, start - _BEFORE_CHARACTERS)
    if begin:
        begin = text.find(" ", begin, start) + 1 or begin
    end = min(len(text), begin + _PASSAGE_CHARACTERS)
    if end < len(text):
        space = text.rfind(" ", start, end)
        end = space if space > start else end
    passage = " ".join(text[begin:end].split())
    return f"{'… ' if begin or is_cut_before else ''}{passage}{' …' if end < len(text) or is_cut_behind else ''}"


def _first(text: str, words: Sequence[str]) -> int:
    plain = re.search(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, words))})", text, re.IGNORECASE)
    if plain is not None or text.isascii():
        return plain.start() if plain else -1
    return next((start for start, _ in spans_of(text[:_FOLDED_CHARACTERS], words)), -1)
