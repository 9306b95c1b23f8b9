"""Rendering a description, for the sandbox: it may take any time and memory that a stranger's text can make it take."""

from __future__ import annotations

import io
import re
from typing import Final

from distributions.descriptions import (
    CUT,
    IMAGES,
    LARGEST,
    LIMITS,
    MARKDOWN,
    PLAIN,
    UNDECLARED,
    UNSOUND,
    Rendered,
    kind_of,
    variant_of,
)

_LONGEST_PROBLEM: Final = 200
_MESSAGE: Final = re.compile(r"<string>:(\d+): \([A-Z]+/\d\) (.+?)(?:\n\n|\Z)", re.DOTALL)


def load() -> None:
    """Load the libraries, which takes longer than rendering most texts: they are used once."""
    _rst("Ready\n")
    _markdown("```python\nready = True\n```\n", MARKDOWN)


def render(text: str, content_type: str | None) -> Rendered:
    """A description as HTML that is safe to put into a page.

    ``content_type`` is the Description-Content-Type of the core metadata. What cannot be rendered is plain text, with a
    note that says why.
    """
    kind = kind_of(content_type)
    if kind == PLAIN or not text.strip():
        return _plain(text)
    try:
        html, problem = _markdown(text, content_type or "") if kind == MARKDOWN else _rst(text)
    except (RecursionError, MemoryError):
        return Rendered(None, (LIMITS,))
    except Exception as error:  # noqa: BLE001 - whatever a parser of this size stumbles over, the text can be read
        html, problem = None, type(error).__name__
    if html is None:
        return Rendered(None, (UNDECLARED,)) if content_type is None else Rendered(None, (UNSOUND,), problem)
    return _fitted(html)


def _plain(text: str) -> Rendered:
    return Rendered(None, (CUT,) if len(text) > LARGEST else ())


def _markdown(text: str, content_type: str) -> tuple[str | None, str]:
    from readme_renderer import markdown

    return markdown.render(text, variant=variant_of(content_type)), ""


def _rst(text: str) -> tuple[str | None, str]:
    from readme_renderer import rst

    said = io.StringIO()
    html = rst.render(text, stream=said)
    message = _MESSAGE.match(said.getvalue())
    if message is None:
        return html, ""
    sentence = " ".join(message[2].split()).rstrip(".")
    return html, f"line {message[1]}: {sentence}"[:_LONGEST_PROBLEM]


def _fitted(html: str) -> Rendered:
    from distributions.page_markup import fit

    fitted = fit(html, LARGEST)
    notes = [note for note, given in ((CUT, fitted.cut), (IMAGES, fitted.images)) if given]
    return Rendered(fitted.html, tuple(notes))
