"""Where words stand in a text, so that they can be marked."""

from __future__ import annotations

import pytest

from database.words import fold, passage_of, segments, spans_in_name, spans_of


def bracketed(pieces: list[tuple[str, bool]]) -> str:
    """The text with brackets around what is marked."""
    return "".join(f"[{piece}]" if is_match else piece for piece, is_match in pieces)


def marked(text: str, *words: str) -> str:
    """A text, marked."""
    return bracketed(segments(text, spans_of(text, words)))


def marked_name(name: str, *words: str) -> str:
    """A name, marked."""
    return bracketed(segments(name, spans_in_name(name, words)))


@pytest.mark.parametrize(
    ("text", "words", "with_marks"),
    [
        ("HTTP for humans", ["http"], "[HTTP] for humans"),
        ("The https of http", ["http"], "The [http]s of [http]"),
        ("rehttp", ["http"], "rehttp"),
        ("Naïve café", ["cafe", "na"], "[Na]ïve [café]"),
        ("Cafe\u0301s", ["cafe"], "[Cafe]\u0301s"),
        ("Straße", ["strass"], "[Straß]e"),
        ("nothing", ["x"], "nothing"),
        ("", ["x"], ""),
        ("web webbing", ["web", "webb"], "[web] [webb]ing"),
        ("<b>bold</b>", ["b"], "<[b]>[b]old</[b]>"),
    ],
)
def test_words_are_marked_where_they_begin(text: str, words: list[str], with_marks: str) -> None:
    """Without regard to case and accents; the text itself is never changed."""
    assert marked(text, *words) == with_marks
    assert "".join(piece for piece, _ in segments(text, spans_of(text, words))) == text


@pytest.mark.parametrize(
    ("name", "words", "with_marks"),
    [
        ("aiohttp", ["http"], "aio[http]"),
        ("Scikit-Learn", ["scikitlearn"], "[Scikit-Learn]"),
        ("scikit_learn", ["learn"], "scikit_[learn]"),
        ("flask-login", ["flask", "l"], "[flask-l]ogin"),
        ("flask-login", ["login", "flask"], "[flask]-[login]"),
        ("aaa", ["aa"], "[aa]a"),
        ("loom", ["zzz"], "loom"),
    ],
)
def test_names_are_marked_anywhere(name: str, words: list[str], with_marks: str) -> None:
    """Also in their middle, and across what separates their words."""
    assert marked_name(name, *words) == with_marks


def test_folding_twice_is_folding_once() -> None:
    """Both sides of the search see the same words."""
    for text in ("İstanbul", "ﬁne", "Å", "ẞ", "½", "Ǆ"):
        assert fold(fold(text)) == fold(text)


def test_a_short_text_is_its_own_passage() -> None:
    """Without dots, on one line."""
    assert passage_of("A loom\n  weaves.", ["weave"]) == "A loom weaves."
    assert passage_of("A loom weaves.", ["knit"]) == ""
    assert passage_of("", ["knit"]) == ""
