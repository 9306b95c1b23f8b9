"""What becomes of a project's description: HTML that may stand on a page, or plain text and the reason.

The work itself is ``distributions.rendering``, in the sandbox; nothing here loads its libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from importlib import metadata
from typing import Any, Final, Self

FORM: Final = 2  # raise it when this program's own part of the rendering changes: everything is rendered anew
LARGEST: Final = 256 << 10  # bytes of HTML, or characters of plain text, on a page
_LIBRARIES: Final = ("readme-renderer", "comrak", "docutils", "pygments", "nh3")

UNSOUND: Final = "unsound"  # it is not what its content type says
UNDECLARED: Final = "undeclared"  # it has no content type and is not sound reStructuredText
LIMITS: Final = "limits"  # rendering it took too much time or memory
CUT: Final = "cut"  # only its beginning was kept
IMAGES: Final = "images"  # images stand as their words

_WARNINGS: Final = {
    UNDECLARED: (
        "The description does not say what it is written in and is not sound reStructuredText, so it is shown as plain "
        "text; set Description-Content-Type, such as text/markdown."
    ),
    LIMITS: (
        "The description could not be rendered within the limits of time and memory and is shown as plain text; "
        "make it simpler."
    ),
    CUT: "The description is long: its page shows the beginning, and a link to the whole text.",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered description. ``html`` is None where it is to be shown as the plain text that it is.

    ``notes`` are of UNSOUND, UNDECLARED, LIMITS, CUT and IMAGES; ``problem`` is what the parser said, for a person.
    """

    html: str | None
    notes: tuple[str, ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, object]:
        """For a frame of the sandbox."""
        return {"html": self.html, "notes": list(self.notes), "problem": self.problem}

    @classmethod
    def from_json(cls, mapping: Mapping[str, Any]) -> Self:
        """What ``to_json`` wrote."""
        return cls(mapping["html"], tuple(mapping["notes"]), mapping["problem"])

    def warnings(self, content_type: str | None) -> tuple[str, ...]:
        """Sentences for whoever uploaded it; none where all is well."""
        said = [_WARNINGS[note] for note in self.notes if note in _WARNINGS]
        if UNSOUND in self.notes:
            why = f": {self.problem}" if self.problem else ""
            said.append(f"The description is not sound {words_of(content_type)} and is shown as plain text{why}.")
        return tuple(said)


MARKDOWN: Final = "text/markdown"
RST: Final = "text/x-rst"
PLAIN: Final = "text/plain"


def kind_of(content_type: str | None) -> str:
    """MARKDOWN, RST or PLAIN. Without a content type it is RST, as the core metadata specification has it."""
    if content_type is None:
        return RST
    kind = _parsed(content_type).get_content_type()
    return kind if kind in {MARKDOWN, RST} else PLAIN


def words_of(content_type: str | None) -> str:
    """What people call it."""
    return {MARKDOWN: "Markdown", RST: "reStructuredText", PLAIN: "plain text"}[kind_of(content_type)]


def variant_of(content_type: str) -> str:
    """The variant of Markdown: CommonMark, or GFM, which is what is meant when none is named."""
    return "CommonMark" if str(_parsed(content_type).get_param("variant", "")).lower() == "commonmark" else "GFM"


def _parsed(content_type: str) -> Message:
    message = Message()
    message["Content-Type"] = " ".join(content_type.split())[:200]
    return message


@lru_cache(maxsize=1)
def renderer() -> str:
    """Which rendering this is: our form and the versions of the libraries. Another one renders everything anew."""
    return "; ".join([f"form {FORM}", *(f"{name} {metadata.version(name)}" for name in _LIBRARIES)])
