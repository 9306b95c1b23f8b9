"""A member's bytes as text for people: decoded, cut into lines, and with nothing in it that cannot be seen."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

# Characters that change the order of what is read, or cannot be seen at all, and so can hide what a program does
# ("Trojan Source", CVE-2021-42574); tags are U+E0000 to U+E007F. Joiners, which scripts and emoji need, stay.
_HIDING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_BINARY: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Text:
    """Decoded bytes, and the encoding in words."""

    text: str
    encoding: str


def as_text(data: bytes, *, is_cut: bool = False) -> Text | None:
    """The text that these bytes are, None for binary data. ``is_cut``: more follow, so a character may be cut too.

    UTF-8 and UTF-16 with its mark; what is neither but has no control characters is taken for Latin-1.
    """
    if data.startswith(_UTF16):
        return _decoded(data, "utf-16", "UTF-16", is_cut=is_cut)
    if b"\x00" in data:
        return None
    found = _decoded(data, "utf-8-sig", "UTF-8", is_cut=is_cut)
    if found is not None:
        return found
    text = data.decode("latin-1")
    return None if _BINARY.search(text) else Text(text, "Latin-1")


def _decoded(data: bytes, codec: str, encoding: str, *, is_cut: bool) -> Text | None:
    try:
        return Text(codecs.getincrementaldecoder(codec)().decode(data, final=not is_cut), encoding)
    except UnicodeDecodeError:
        return None


def lines_of(text: str) -> list[str]:
    """The lines as editors count them: ended by LF, CR LF or CR, and by nothing else."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def visible(text: str) -> str:
    """The text with code points in the place of what hides: ``‹U+202E›``. Tabs and line ends stay."""
    return _HIDING.sub(lambda found: _code_point(found[0]), text)


def visible_name(name: str) -> str:
    """A member's name with code points in the place of all that is no letter, digit, mark, sign or plain space."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(
        _code_point(letter) if letter != " " and unicodedata.category(letter)[0] in "CZ" else letter for letter in name
    )


def hides(text: str) -> bool:
    """Whether there is something in the text that ``visible`` would show."""
    return _HIDING.search(text) is not None


def _code_point(letter: str) -> str:
    return f"‹U+{ord(letter):04X}›"
