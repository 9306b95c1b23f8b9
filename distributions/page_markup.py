"""HTML of a description fitted into a page: headings under the page's own, ids apart from it, nothing that loads.

What comes in was sanitised by readme-renderer; what goes out was sanitised once more, by an allow-list of its own, so
that nothing rests on the writing in between.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import nh3

from distributions.code_colours import COLOUR_OF, COLOURS

ID_PREFIX: Final = "readme-"
_THEIR_PREFIX: Final = "user-content-"
_DEEPEST: Final = 40  # elements within each other; text below keeps its words and loses its boxes
_MOST_INDENTS: Final = 8
_LONGEST_WORDS: Final = 200
_MOST_CELLS: Final = 50  # that one cell may span
_INDENTING: Final = frozenset({"ul", "ol", "blockquote", "dd", "details"})
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_RENAMED: Final = {"section": "div", "aside": "div", "nav": "div", "tt": "code", "acronym": "abbr"}
_PARENTS: Final = {"li": {"ul", "ol"}, "dt": {"dl"}, "dd": {"dl"}}
_ALERTS: Final = {
    "note": "", "tip": "good", "hint": "good", "seealso": "", "important": "", "attention": "warn", "warning": "warn",
    "caution": "bad", "danger": "bad", "error": "bad",
}  # fmt: skip
_TITLES: Final = frozenset({"admonition-title", "topic-title", "sidebar-title"})
_REL: Final = "nofollow noopener noreferrer"
_RELATION: Final = len(f' rel="{_REL}"')
_WEB: Final = re.compile(r"(?:https?://[^\s/]|mailto:.)", re.IGNORECASE)
_ID: Final = re.compile(r'\sid="([^"]*)"')
_NUMBER: Final = re.compile(r"-?\d{1,6}\Z")
_KEPT: Final = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "details", "div", "dl", "dt", "em",
    "figcaption", "figure", "h3", "h4", "h5", "h6", "hr", "i", "input", "kbd", "li", "ol", "p", "pre", "span",
    "strong", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul", "var",
}  # fmt: skip
_ALIGNED: Final = frozenset({"p", "div", "td", "th", "h3", "h4", "h5", "h6"})
_CLEANER: Final = nh3.Cleaner(
    tags=_KEPT,
    attributes={
        "*": {"id"},
        **{tag: {"align"} for tag in _ALIGNED},
        "a": {"href", "title"},
        "abbr": {"title"},
        "div": {"align", "aria-label"},
        "input": {"checked", "disabled", "aria-label"},
        "ol": {"start"},
        "span": {"title"},
        "td": {"align", "colspan", "rowspan"},
        "th": {"align", "colspan", "rowspan"},
    },
    tag_attribute_values={
        "div": {"role": {"group"}, "tabindex": {"0"}},
        "input": {"type": {"checkbox"}},
    },
    set_tag_attribute_values={"input": {"disabled": "", "type": "checkbox"}},
    allowed_classes={
        "a": {"image"},
        "div": {"table", "alert", "good", "warn", "bad", "footnote"},
        "p": {"title"},
        "span": {"image", *COLOURS},
    },
    attribute_filter=lambda _tag, name, value: value if name != "id" or value.startswith(ID_PREFIX) else None,
    link_rel=_REL,
    url_schemes={"http", "https", "mailto"},
    url_relative=lambda url: url if url.startswith(f"#{ID_PREFIX}") else None,
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """HTML for a page. ``cut`` says that only its beginning is there, ``images`` that words stand for images."""

    html: str
    cut: bool
    images: bool


def fit(html: str, largest: int) -> Fitted:
    """Rewrite sanitised HTML for a page; ``largest`` is how many bytes may be kept."""
    writer = _Writer(_ID.findall(html), largest)
    cut = False
    try:
        writer.feed(html)
        writer.close()
    except _Full:
        cut = True
    return Fitted(_CLEANER.clean(writer.text()), cut, writer.images)


class _Full(Exception):
    """No more may be written."""


@dataclass(slots=True)
class _Element:
    """An open element: its name as read and as written ("" for one that is left out), where its tag stands."""

    read: str
    written: str
    place: int
    words_before: int
    opening: str = ""
    closing: str = ""
    identity: str = ""


class _Writer(HTMLParser):
    """Writes what it reads, changed. Its input is well-formed: a sanitiser wrote it."""

    def __init__(self, ids: Iterable[str], largest: int) -> None:
        super().__init__(convert_charrefs=False)
        self.images = False
        self._targets = {_bare(unescape(one)) for one in ids}
        self._given: set[str] = set()
        self._room = largest
        self._out: list[str] = []
        self._open: list[_Element] = []
        self._outline: list[int] = []
        self._inside: Counter[str] = Counter()  # the elements written and not closed
        self._last_span = ""  # the tag of the span that was closed last
        self._words = 0  # pieces of text that a reader sees

    def text(self) -> str:
        """What was written, every element closed."""
        while self._open:
            self._close(self._open.pop())
        return "".join(self._out)

    # -- what the parser meets

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element, or one of those without an end."""
        said = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._image(said)
        elif tag == "input":
            self._checkbox(said)
        elif tag in {"br", "hr"}:
            self._write(f"<{tag}>")
        elif tag not in {"col", "colgroup"}:
            self._begin(tag, said)

    def handle_endtag(self, tag: str) -> None:
        """The end of the innermost element of that name."""
        while self._open:
            element = self._open.pop()
            self._close(element)
            if element.read == tag:
                return

    def handle_data(self, data: str) -> None:
        """Text, as it is escaped."""
        if data.strip():
            self._words += 1
        elif self._open and self._open[-1].written == "a" and self._open[-1].place == len(self._out) - 1:
            return  # space at the beginning of a link
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        """A character by its name."""
        self._words += name != "nbsp"
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """A character by its number."""
        self._words += 1
        self._write(f"&#{name};")

    # -- elements

    def _begin(self, tag: str, said: dict[str, str]) -> None:
        classes = said.get("class", "").split()
        written = self._name(tag, classes, said)
        element = _Element(tag, written, len(self._out), self._words)
        if written:
            element.identity = self._identity(said)
            attributes = element.identity + self._attributes(written, classes, said)
            before, after = "", ""
            if written == "table" and not self._inside["table"]:
                before, after = '<div class="table" role="group" tabindex="0" aria-label="Table">', "</div>"
            element.closing = f"</{written}>{after}"
            element.opening = f"{before}<{written}{attributes}>"
            if self._out[-1:] == ["</span>"] and element.opening == self._last_span:
                self._out.pop()  # the same colour goes on
                self._write("", len(element.closing))
            else:
                self._write(element.opening, len(element.closing) + _RELATION * (written == "a"))
            self._inside[written] += 1
        self._open.append(element)

    def _name(self, tag: str, classes: list[str], said: dict[str, str]) -> str:
        """The element to write for one that was read; "" to write only what is in it."""
        name = _RENAMED.get(tag, tag)
        if tag in _HEADINGS:
            name = self._heading(int(tag[1]))
        elif tag == "span":
            name = self._span(classes)
        elif tag == "div" and "math" in classes:
            name = "pre"  # formulas stand as they were written
        elif tag == "a" and not self._leads_somewhere(said.get("href", "")):
            name = "span" if said.get("id") else ""
        if name in _PARENTS and self._parent() not in _PARENTS[name]:
            name = "div"
        if name not in _KEPT or self._inside.total() >= _DEEPEST:
            return ""
        if name in _INDENTING and sum(self._inside[one] for one in _INDENTING) >= _MOST_INDENTS:
            return ""
        return name

    def _leads_somewhere(self, href: str) -> bool:
        """Whether a link is kept; a heading that leads back to a table of contents is a heading alone."""
        in_heading = any(self._inside[heading] for heading in _HEADINGS)
        return bool(self._address(href)) and not (in_heading and href.startswith("#"))

    def _heading(self, level: int) -> str:
        """Below the page's h2, and never more than one level below the heading before."""
        while self._outline and self._outline[-1] >= level:
            self._outline.pop()
        self._outline.append(level)
        return f"h{min(2 + len(self._outline), 6)}"

    def _span(self, classes: list[str]) -> str:
        if {"literal", "math"}.intersection(classes):
            return "code"
        is_token = COLOUR_OF.keys() & classes and (self._inside["pre"] or self._inside["code"])
        return "span" if is_token or "label" in classes else ""

    def _close(self, element: _Element) -> None:
        if not element.written:
            return
        self._inside[element.written] -= 1
        if self._words == element.words_before:
            if element.written in _HEADINGS:  # one without a word would only stand in the outline
                del self._out[element.place :]
                return
            if element.written == "a":  # such as a heading's link to itself
                self._out[element.place] = f"<span{element.identity}>" if element.identity else ""
                element.closing = "</span>" if element.identity else ""
            elif element.written == "th":
                self._out[element.place] = self._out[element.place].replace("<th", "<td", 1)
                element.closing = "</td>"
            elif element.written == "summary":
                self._out.append("Details")
        space = self._space_behind_image(element)
        self._out.append(element.closing + space)
        if element.written == "span":
            self._last_span = element.opening

    def _space_behind_image(self, element: _Element) -> str:
        """Take the space out with which a link ends behind an image: it would be underlined between two badges."""
        before, last = self._out[-2:] if len(self._out) > 1 else ["", ""]
        is_image = element.written == "a" and before.startswith('<span class="image"')
        return self._out.pop() if is_image and last.isspace() else ""

    # -- attributes

    def _attributes(self, name: str, classes: list[str], said: dict[str, str]) -> str:
        found: list[tuple[str, str]] = []
        if name == "a":
            found.append(("href", self._address(said["href"])))
        if name in {"a", "abbr"} and said.get("title"):
            found.append(("title", said["title"][:_LONGEST_WORDS]))
        if name in _ALIGNED and said.get("align", "").lower() in {"left", "right", "center"}:
            found.append(("align", said["align"].lower()))
        if name in {"td", "th"}:
            spans = ((span, said.get(span, "")) for span in ("colspan", "rowspan"))
            found += [(span, str(min(abs(int(text)), _MOST_CELLS))) for span, text in spans if _NUMBER.match(text)]
        if name == "ol" and _NUMBER.match(said.get("start", "")):
            found.append(("start", said["start"]))
        own = _class_of(name, classes)
        return "".join(f' {key}="{escape(value)}"' for key, value in [*own, *found])

    def _identity(self, said: dict[str, str]) -> str:
        bare = _bare(said.get("id", ""))
        if not bare or bare in self._given or len(bare) > _LONGEST_WORDS or re.search(r"\s", bare):
            return ""
        self._given.add(bare)
        return f' id="{ID_PREFIX}{escape(bare)}"'

    def _address(self, href: str) -> str:
        """Where a link may lead: the web, a mailbox, a place in this description; "" for anywhere else."""
        if href.startswith("#"):
            bare = _bare(unquote(href[1:]))
            return f"#{ID_PREFIX}{quote(bare)}" if bare in self._targets else ""
        return href if _WEB.match(href) else ""

    # -- what stands for what is not shown

    def _image(self, said: dict[str, str]) -> None:
        """The page loads nothing from elsewhere, so an image is its words, and a link to it where none is around."""
        source = said.get("src", "")
        words = said.get("alt", "").strip()
        if words in {"", source}:  # docutils takes the address for want of words
            words = _name_of(source)
        if not words:
            return
        self.images = True
        self._words += 1
        shown, title = escape(words[:_LONGEST_WORDS]), escape(source[:_LONGEST_WORDS])
        if _WEB.match(source) and not self._inside["a"]:
            self._write(f'<a class="image" href="{escape(source)}" title="{title}">{shown}</a>', _RELATION)
        else:
            self._write(f'<span class="image" title="{title}">{shown}</span>')

    def _checkbox(self, said: dict[str, str]) -> None:
        if said.get("type", "").lower() == "checkbox":
            done = "checked" in said
            self._write(
                f'<input type="checkbox" aria-label="{"done" if done else "to do"}"{" checked" * done} disabled>'
            )

    # -- small things

    def _write(self, text: str, more: int = 0) -> None:
        """Write what is to be kept; ``more`` is what it brings with it later, in bytes."""
        size = len(text.encode()) + more
        if size > self._room:
            if not text.startswith("<"):
                self._out.append(text.encode()[: self._room].decode(errors="ignore"))
            raise _Full
        self._room -= size
        self._out.append(text)

    def _parent(self) -> str:
        return next((element.written for element in reversed(self._open) if element.written), "")


def _class_of(name: str, classes: list[str]) -> list[tuple[str, str]]:
    if name == "div" and "admonition" in classes:
        kind = next((_ALERTS[one] for one in classes if one in _ALERTS), "")
        return [("class", f"alert {kind}".strip())]
    if name == "div" and "footnote" in classes:
        return [("class", "footnote")]
    if name == "p" and _TITLES.intersection(classes):
        return [("class", "title")]
    if name == "span":
        colour = next((COLOUR_OF[one] for one in classes if one in COLOUR_OF), "")
        return [("class", colour)] if colour else []
    return []


def _bare(identifier: str) -> str:
    return identifier.removeprefix(_THEIR_PREFIX)


def _name_of(source: str) -> str:
    """What an image without words is called: its file's name, else its host."""
    try:
        address = urlsplit(source)
    except ValueError:  # such as an unclosed bracket
        return ""
    return unquote(address.path.rstrip("/").rpartition("/")[2]) or address.netloc
