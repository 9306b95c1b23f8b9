"""Where words stand in a text, so that they can be marked."""

from __future__ import annotations

import re

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


@pytest.mark.parametrize(
    ("text", "passage"),
    [
        ("# Looms `2`\n\n[![Build](https://ci.example.com/b.svg)](https://ci.example.com) *Weaves* **fast**.",
         "Looms 2 Build Weaves fast."),
        ("Looms\n=====\n\n.. note:: See ``loom``, Warp_ and `Use`_.\n   :alt: a_b\n",
         "Looms See loom, Warp and Use. a_b"),
        ('<p align="center"><img src="loom.png">Looms</p>\n> for a < b\n- and more', "Looms for a < b and more"),
        ("| a | b |\n--- \n* [x] looms", "| a | b | [x] looms"),
    ],
)  # fmt: skip
def test_a_passage_is_read_without_its_markup(text: str, passage: str) -> None:
    """People read the words: no addresses, no tags, no signs of Markdown or reStructuredText."""
    assert passage_of(text, ["loom"]) == passage


def test_a_word_that_only_an_address_has_is_shown_in_it() -> None:
    """What was found is to be seen, even where it is no word of the text."""
    assert passage_of("Our [site](https://looms.example.com/).", ["loom"]) == "Our [site](https://looms.example.com/)."


def test_a_passage_from_the_midst_of_a_long_text_says_that_it_is_a_piece() -> None:
    """With dots on both sides; whatever is in the text, in little time."""
    text = f"{'word ' * 2_000}loom{' word' * 2_000}"
    assert re.fullmatch(r"… (word )+loom( word)+ …", passage_of(text, ["loom"]))
    assert "loom" in passage_of(f"{'![[' * 100_000}loom{'<a' * 100_000}", ["loom"])
