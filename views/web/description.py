"""What the page of a release shows of its description, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from markupsafe import Markup

from database.catalogue import ReleaseDetail
from distributions.descriptions import (
    CUT,
    IMAGES,
    LARGEST,
    LIMITS,
    UNDECLARED,
    UNSOUND,
    Rendered,
    words_of,
)

_SHOWN = "so it is shown as it was written."
_NOT_YET = "This has not been rendered yet; until then it is shown as it was written."


@dataclass(frozen=True, slots=True)
class Shown:
    """A description on a page: ``html``, or ``text`` where that is None, and why it is the text.

    ``is_cut`` where only its beginning is shown; ``has_images`` where words stand for images.
    """

    html: Markup | None
    text: str
    why_plain: str = ""
    is_cut: bool = False
    has_images: bool = False

    @classmethod
    def of(cls, detail: ReleaseDetail, rendered: Rendered | None) -> Self | None:
        """From a release and what its description was rendered to, if it was; None where there is none."""
        text = detail.description
        if not text.strip():
            return None
        if rendered is not None and rendered.html is not None:
            # The one place where a stranger's words are markup: distributions.page_markup made them harmless.
            html = Markup(rendered.html)  # noqa: S704
            return cls(html, "", is_cut=CUT in rendered.notes, has_images=IMAGES in rendered.notes)
        why = _NOT_YET if rendered is None else _why_plain(rendered, detail.metadata.get("description_content_type"))
        return cls(None, text[:LARGEST], why, is_cut=len(text) > LARGEST)


def _why_plain(rendered: Rendered, content_type: str | None) -> str:
    if UNSOUND in rendered.notes:
        where = f" ({rendered.problem})" if rendered.problem else ""
        return f"This is not sound {words_of(content_type)}{where}, {_SHOWN}"
    if UNDECLARED in rendered.notes:
        return f"This does not say what it is written in, {_SHOWN}"
    if LIMITS in rendered.notes:
        return f"Rendering this would take too much time or memory, {_SHOWN}"
    return ""
