"""Tests of distributions.texts: bytes become lines that hide nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributions.texts import as_text, hides, lines_of, visible, visible_name


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "UTF-8"),
        ("Grüße 织布机".encode(), "Grüße 织布机", "UTF-8"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n", "UTF-8"),
        ("Grüße".encode("utf-16"), "Grüße", "UTF-16"),
        ("Grüße".encode("latin-1"), "Grüße", "Latin-1"),
        (b"colour \x1b[31m red\n", "colour \x1b[31m red\n", "UTF-8"),
    ],
)
def test_texts_are_known(data: bytes, text: str, encoding: str) -> None:
    """UTF-8 with and without its mark, UTF-16 with it, and else Latin-1."""
    found = as_text(data)
    assert found is not None
    assert (found.text, found.encoding) == (text, encoding)


@pytest.mark.parametrize("data", [b"\x7fELF\x02\x00", b"GIF89a\xff\xfe\x01", b"\xff\xfe\x00"])
def test_binary_data_is_no_text(data: bytes) -> None:
    """NUL, or control characters in what is not UTF-8, make no text; nor does half of UTF-16."""
    assert as_text(data) is None


def test_a_cut_may_go_through_a_character() -> None:
    """The beginning of a UTF-8 file is UTF-8 wherever it was cut."""
    data = "Grüße".encode()
    for end in range(len(data)):
        found = as_text(data[:end], is_cut=True)
        assert found is not None
        assert found.encoding == "UTF-8"
        assert "Grüße".startswith(found.text)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_have_an_answer(data: bytes, is_cut: bool) -> None:
    """No bytes raise."""
    found = as_text(data, is_cut=is_cut)
    assert found is None or isinstance(found.text, str)


def test_lines_are_those_of_editors() -> None:
    """LF, CR LF and CR end lines; form feeds and Unicode's line separators do not, so numbers fit."""
    assert lines_of("a\nb\r\nc\rd\x0ce\u2028f") == ["a", "b", "c", "d\x0ce\u2028f"]
    assert lines_of("a\n\n") == ["a", ""]
    assert lines_of("") == []


@pytest.mark.parametrize("code", [0x00, 0x1B, 0x7F, 0x9B, 0xAD, 0x200B, 0x202E, 0x2066, 0x2069, 0xFEFF, 0xE0041])
def test_what_hides_is_shown(code: int) -> None:
    """Bidirectional controls (CVE-2021-42574), invisible and control characters become code points."""
    text = f"if {chr(code)}admin:\n\tpass"
    assert hides(text)
    assert visible(text) == f"if ‹U+{code:04X}›admin:\n\tpass"


def test_writing_stays_as_it_is() -> None:
    """Arabic, Persian and Indic joiners, emoji sequences, tabs and line ends are left alone."""
    for text in ("سلام نمی\u200cخواهم", "क्\u200dष", "👩\u200d💻", "a\tb\n", "织布机"):
        assert not hides(text)
        assert visible(text) == text


def test_names_show_more() -> None:
    """In a name also odd spaces and unassigned characters are shown; plain spaces and letters stay."""
    assert visible_name("سلام 织 x.py") == "سلام 织 x.py"
    assert visible_name("evil\u202egpj.py") == "evil‹U+202E›gpj.py"
    assert visible_name("a\u00a0b\u200cc\x1bd") == "a‹U+00A0›b‹U+200C›c‹U+001B›d"
