"""Descriptions as HTML: what is rendered, what is left out, and that nothing in it acts on the page (S71, S72, S75)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readme_renderer import markdown

from distributions.descriptions import (
    CUT,
    IMAGES,
    LARGEST,
    UNDECLARED,
    UNSOUND,
    kind_of,
    renderer,
    variant_of,
    words_of,
)
from distributions.page_markup import ID_PREFIX, fit
from distributions.rendering import render
from tests.web.readmes import GFM, HOSTILE, KINDS, LONG, RST, WIDE

MARKDOWN = "text/markdown"
REFUSED = {
    "script", "style", "svg", "math", "form", "iframe", "object", "embed", "base", "meta", "link", "button", "img",
    "video", "textarea", "select", "template", "picture", "source", "audio", "section", "nav", "aside", "h1", "h2",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title", "rel", "class"}, "abbr": {"title"}, "ol": {"start"},
    "div": {"align", "class", "role", "tabindex", "aria-label"}, "span": {"class", "title"}, "p": {"align", "class"},
    "input": {"type", "checked", "disabled", "aria-label"}, "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"}, **{f"h{level}": {"align"} for level in range(3, 7)},
}  # fmt: skip


class Elements(HTMLParser):
    """The elements of some HTML with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def html_of(text: str, content_type: str | None = MARKDOWN) -> str:
    """The HTML of a description that can be rendered."""
    html = render(text, content_type).html
    assert html is not None
    return html


def elements(html: str) -> list[tuple[str, dict[str, str]]]:
    """Every element with its attributes."""
    return Elements(html).found


def faults(html: str) -> Iterator[str]:
    """What a page could not bear."""
    identities = []
    for tag, attributes in elements(html):
        if tag in REFUSED:
            yield f"<{tag}>"
        if more := set(attributes) - ATTRIBUTES.get(tag, set()) - {"id"}:
            yield f"{tag} {more}"
        if tag == "a" and not re.match(rf"https?://|mailto:|#{ID_PREFIX}", attributes.get("href", "")):
            yield f"link to {attributes.get('href')}"
        if tag == "a" and attributes.get("rel") != "nofollow noopener noreferrer":
            yield f"rel {attributes.get('rel')}"
        if "id" in attributes:
            identities.append(attributes["id"])
    yield from (f"id {one}" for one in identities if not one.startswith(ID_PREFIX))
    if len(identities) != len(set(identities)):
        yield "an id twice"


@pytest.mark.parametrize("kind", ["gfm", "commonmark", "restructured", "hostile", "wide"])
def test_nothing_in_a_description_acts(kind: str) -> None:
    """S71, S72: only harmless elements and attributes, links to the web, ids that are its own."""
    assert list(faults(html_of(*KINDS[kind]))) == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<style>*{}</style>",
        "[x](javascript:alert(1))", "[x](data:text/html,x)", "[x](vbscript:x)", "[x](//evil.example.com)",
        '<a href="java&#10;script:alert(1)">x</a>', '<a href=" &#14; javascript:alert(1)">x</a>',
        "![x](data:image/svg+xml;base64,PHN2Zz4=)", "<form action=/account><input name=a></form>",
        "<iframe srcdoc='<script>'></iframe>", '<meta http-equiv="refresh" content="0">', "<base href=//evil>",
        '<p id="csrf_token" name="location" style="position:fixed" class="hidden">x</p>',
        "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>", "<noscript><p title='</noscript><img src=x>'>",
        "<a href='https://e.example.com/' onclick=alert(1) target=_top>x</a>", "<div dir=rtl lang=x role=alert>x</div>",
        "# <a id=main>x</a>\n\n[x](#main)", "<!-- --!><img src=x onerror=alert(1)> -->", "<![CDATA[<script>]]>",
    ],
)  # fmt: skip
def test_tricks_with_markup_are_left_out(text: str) -> None:
    """S71: neither GFM nor CommonMark lets any of them through."""
    for variant in ("GFM", "CommonMark"):
        rendered = render(text, f"text/markdown; variant={variant}")
        assert list(faults(rendered.html or "")) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([
    "<a href='", "javascript:", "'>", "<b id=", "x>", "</a>", "<table>", "<td>", "<li>", "<svg>", "<style>", "</style>",
    "<math>", "<mtext>", "<!--", "-->", "&lt;", "\n", "\n\n", "# ", "`", "```html\n", "[a](", ")", "![", "](x.png)",
    "> ", "- [x] ", "|a|b|\n|-|-|\n", "<img src=x alt='", "'", "<pre lang='a'><code>", "<h1>", "<details>", "[^1]",
])))  # fmt: skip
def test_no_mixture_of_markup_gets_through(pieces: list[str]) -> None:
    """Whatever is put together, what comes out is harmless, and rewriting what came out changes no element."""
    html = render("".join(pieces), MARKDOWN).html or ""
    assert list(faults(html)) == []


def test_markdown_is_what_github_writes() -> None:
    """Tables, task lists, footnotes, alerts, strikethrough, bare addresses, details, colours of code."""
    html = html_of(GFM)
    for expected in (
        '<th align="left">Option</th>', '<input type="checkbox" aria-label="done" checked="" disabled=""> warp',
        '<input type="checkbox" aria-label="to do" disabled=""> weft', '<div class="alert warn">', "<del>errors</del>",
        '<a href="https://docs.example.com/looms"', "<summary>More</summary>", '<span class="k">def</span>',
        '<span class="gd">- removed', "<kbd>Ctrl</kbd>", 'href="#readme-fn-1"', 'id="readme-fn-1"', "<ol>",
        '<p class="title">Warning</p>',
    ):  # fmt: skip
        assert expected in html


def test_commonmark_has_no_extensions() -> None:
    """Where the variant says CommonMark, a table of GFM is text."""
    html = html_of(GFM, "text/markdown; variant=CommonMark")
    assert "<table>" not in html
    assert "~~errors~~" in html
    assert "<em>algebraic</em>" in html


def test_restructured_text_is_rendered() -> None:
    """Sections, contents, footnotes, admonitions, fields, figures, code with colours, formulas as they were written."""
    html = html_of(RST, "text/x-rst")
    for expected in (
        "<h3>Shuttle</h3>", "<h4>Use</h4>", 'href="#readme-use"', 'id="readme-use"', '<div class="alert warn">',
        "<code>shed</code>", '<span class="k">from</span>', "<dt>Weight:</dt>", "a^2 + b^2 = c^2", "<figure>",
        'class="footnote"', '<a class="image" href="https://img.example.com/shuttle.png"', ">shuttle.png</a>",
    ):  # fmt: skip
        assert expected in html


@pytest.mark.parametrize(
    "text",
    [
        ".. include:: /etc/passwd", ".. include:: <isonum.txt>", ".. raw:: html\n\n   <script>alert(1)</script>",
        ".. raw:: html\n   :file: /etc/passwd", ".. csv-table:: x\n   :file: /etc/passwd",
        ".. csv-table:: x\n   :url: http://127.0.0.1/", ".. literalinclude:: /etc/passwd",
        ".. code:: python\n   :file: /etc/passwd", ".. role:: raw-html(raw)\n   :format: html\n\n:raw-html:`<b>`",
    ],
)  # fmt: skip
def test_restructured_text_reads_no_file(text: str) -> None:
    """S75: a directive that reads a file, asks an address or writes HTML makes the description plain text."""
    rendered = render(f"Title\n=====\n\n{text}\n", "text/x-rst")
    assert (rendered.html, rendered.notes) == (None, (UNSOUND,))
    assert rendered.problem.startswith("line ")
    assert "root:" not in rendered.problem


def test_links_of_restructured_text_are_web_addresses() -> None:
    """S71: a script address of a target or an image is no link."""
    text = "A `b <javascript:alert(1)>`__ c_.\n\n.. _c: javascript:alert(1)\n.. image:: javascript:alert(1)\n"
    assert list(faults(html_of(text, "text/x-rst"))) == []


def test_what_is_not_sound_says_where() -> None:
    """The line and the parser's words, for whoever wrote it; without a content type, what to do about it."""
    rendered = render(RST + "\n.. automodule:: loom\n", "text/x-rst")
    assert rendered.notes == (UNSOUND,)
    assert re.fullmatch(r'line \d+: Unknown directive type "automodule"', rendered.problem)
    assert rendered.warnings("text/x-rst") == (
        f"The description is not sound reStructuredText and is shown as plain text: {rendered.problem}.",
    )
    rendered = render("# Not `restructured\n", None)
    assert rendered.notes == (UNDECLARED,)
    assert "text/markdown" in rendered.warnings(None)[0]


@pytest.mark.parametrize(
    ("content_type", "kind", "words"),
    [
        (None, "text/x-rst", "reStructuredText"), ("text/x-rst; charset=UTF-8", "text/x-rst", "reStructuredText"),
        ("text/markdown", MARKDOWN, "Markdown"), ("Text/Markdown; variant=GFM", MARKDOWN, "Markdown"),
        ("text/plain", "text/plain", "plain text"), ("text/html", "text/plain", "plain text"),
        ("nonsense", "text/plain", "plain text"), ("", "text/plain", "plain text"),
        ("text/markdown\r\nX: y", "text/plain", "plain text"),
    ],
)  # fmt: skip
def test_the_content_type_decides(content_type: str | None, kind: str, words: str) -> None:
    """Without one it is reStructuredText, as the specification has it; an unknown one is plain text."""
    assert (kind_of(content_type), words_of(content_type)) == (kind, words)


def test_github_flavour_is_usual() -> None:
    """A variant that is not named, or not known, is GFM."""
    found = [
        variant_of(f"text/markdown{said}") for said in ("", "; variant=GFM", "; variant=x", "; variant=CommonMark")
    ]
    assert found == ["GFM", "GFM", "GFM", "CommonMark"]


def test_plain_text_stays_as_it_is() -> None:
    """Plain and empty descriptions have no HTML and nothing to note."""
    for text, content_type in (KINDS["plain"], KINDS["empty"], KINDS["blank"]):
        rendered = render(text, content_type)
        assert (rendered.html, rendered.notes, rendered.warnings(content_type)) == (None, (), ())


@pytest.mark.parametrize(
    ("levels", "outline"),
    [
        ([1, 2, 3], [3, 4, 5]), ([2, 3, 2], [3, 4, 3]), ([3, 1, 6, 2], [3, 3, 4, 4]),
        ([1, 2, 3, 4, 5, 6], [3, 4, 5, 6, 6, 6]),
    ],
)  # fmt: skip
def test_headings_stand_below_the_pages_own(levels: list[int], outline: list[int]) -> None:
    """The first is an h3, below the page's h2, and none skips a level, so that the page's outline is one."""
    html = html_of("\n\n".join(f"{'#' * level} x" for level in levels))
    assert [int(tag[1]) for tag, _ in elements(html) if re.fullmatch("h[1-6]", tag)] == outline


def test_headings_without_words_and_their_empty_links_go() -> None:
    """A link around nothing has no name for a reader, an empty heading none in the outline."""
    html = html_of("#\n\n# A\n\n[](https://e.example.com/)\n\n<h2></h2>\n")
    assert (html.count("<h3"), html.count("<a")) == (1, 0)


def test_links_lead_to_the_web_or_into_the_description() -> None:
    """A relative link would lead to a page of this server that is another: its words stay. So with a missing place."""
    html = html_of(
        "[a](docs/a.md) [b](/admin) [c](#nowhere) [d](#there) [e](mailto:e@e.example.com) [f](ftp://f)\n\n# There"
    )
    hrefs = [attributes["href"] for tag, attributes in elements(html) if tag == "a"]
    assert hrefs == ["#readme-there", "mailto:e@e.example.com"]
    assert re.sub("<[^>]+>", "", html).split() == ["a", "b", "c", "d", "e", "f", "There"]


def test_places_with_other_letters_are_found() -> None:
    """Headings in any script can be linked to."""
    html = html_of("[x](#织布)\n\n# 织布\n")
    assert 'id="readme-织布"' in html
    assert 'href="#readme-%E7%BB%87%E5%B8%83"' in html


def test_images_are_their_words() -> None:
    """S73: nothing is loaded from elsewhere. An image is its description and a link to it, or in a link that link."""
    rendered = render(
        "![A shuttle](https://i.example.com/a.png) [![Build](https://i.example.com/b.svg)](https://ci.example.com/)\n"
        "![](https://i.example.com/logo.svg?raw=1) ![here](docs/c.png) <img src='https://[' alt=''> ![]()",
        MARKDOWN,
    )
    assert rendered.notes == (IMAGES,)
    html = rendered.html or ""
    assert "<img" not in html
    assert 'class="image" href="https://i.example.com/a.png" title="https://i.example.com/a.png"' in html
    assert re.search(r'<a href="https://ci.example.com/"[^>]*><span class="image"[^>]*>Build</span></a>', html)
    assert ">logo.svg</a>" in html
    assert '<span class="image" title="docs/c.png">here</span>' in html
    assert html.count("image") == 4


BADGES = {
    MARKDOWN: '<p><a href="https://a.example.com/">\n <img src="https://i.example.com/1.svg" alt="One">\n</a>\n'
    '<a href="https://b.example.com/">\n <img src="https://i.example.com/2.svg" alt="Two">\n</a></p>',
    "text/x-rst": ".. image:: https://i.example.com/1.svg\n   :target: https://a.example.com/\n   :alt: One\n\n"
    ".. image:: https://i.example.com/2.svg\n   :target: https://b.example.com/\n   :alt: Two\n",
}


@pytest.mark.parametrize("content_type", BADGES)
def test_a_badge_is_its_whole_link(content_type: str) -> None:
    """No underlined space hangs on it: the space of a link around an image stands outside, between the badges."""
    html = html_of(BADGES[content_type], content_type)
    assert not re.search(r"<a[^>]*>\s|\s</a>", html)
    assert re.search(r"One</span></a>\s+<a", html)


def test_space_beside_images_and_in_links_stays() -> None:
    """Between two images that are links themselves, and between the words of a link."""
    html = html_of("![a](https://i.example.com/a) ![b](https://i.example.com/b) [**c** *d*](https://e.example.com/)")
    assert ">a</a> <a" in html
    assert "<strong>c</strong> <em>d</em></a>" in html


def test_tables_scroll_in_a_box_of_their_own() -> None:
    """Which the keyboard reaches and a screen reader names; a cell cannot span thousands; an empty head is a cell."""
    inner = "<table><tr><td>b</td></tr></table>"
    html = html_of(f"<table><tr><th></th><td colspan=9999 rowspan=65534>a</td><td>{inner}</td></tr></table>")
    assert html.count('<div class="table" role="group" tabindex="0" aria-label="Table"><table>') == 1
    assert '<td rowspan="50" colspan="50">' in html or '<td colspan="50" rowspan="50">' in html
    assert "<th" not in html


def test_deep_nesting_is_flattened() -> None:
    """Fifty lists within each other keep their words and stay within a narrow screen."""
    html = html_of("\n".join(f"{' ' * 2 * depth}- item{depth}" for depth in range(50)))
    assert html.count("<ul>") == 8
    assert all(f"item{depth}" in html for depth in range(50))
    assert html_of("> " * 500 + "deep").count("<blockquote>") == 8


def test_parts_of_lists_without_a_list_are_blocks() -> None:
    """What only makes sense within a list or table is not left alone."""
    html = html_of("<li>a</li><dt>b</dt><dd>c</dd>")
    assert re.sub(r"\s", "", html) == "<div>a</div><div>b</div><div>c</div>"


def test_form_fields_are_at_most_check_boxes() -> None:
    """A password field in a description would look like one of the page's."""
    html = html_of("<input type=password> <input type=checkbox name=x value=y form=z> <input>")
    assert [tag for tag, _ in elements(html)].count("input") == 1
    assert "disabled" in html


def test_what_is_kept_is_bounded() -> None:
    """A megabyte is cut at 256 KiB, every element closed, and whoever uploaded it is told."""
    for text, content_type in (
        (LONG, MARKDOWN),
        ("x " * 400_000, MARKDOWN),
        ("```python\n" + "x = 'y'\n" * 30_000, MARKDOWN),
    ):
        rendered = render(text, content_type)
        assert rendered.notes == (CUT,)
        assert LARGEST * 0.9 < len((rendered.html or "").encode()) <= LARGEST + 100
        assert "the beginning" in rendered.warnings(MARKDOWN)[0]
        tags = re.findall(r"<(/?)(p|a|pre|code|span)\b", rendered.html or "")
        assert sum(1 if not end else -1 for end, _ in tags) == 0
    assert "the beginning" in render("x" * 300_000, "text/plain").warnings("text/plain")[0]


def test_a_cut_falls_between_characters() -> None:
    """No half of a letter, of an entity or of a tag is left."""
    for largest in range(20, 60):
        assert "�" not in fit("<p>织布&amp;机<a href='https://e.example.com/'>织</a></p>" * 3, largest).html
        assert list(faults(fit("<p>织布&amp;机</p>" * 5, largest).html)) == []


def test_code_stays_small() -> None:
    """Only what has a colour is wrapped, neighbours of one colour together: less than two thirds of what came."""
    code = 'def weave(threads: int = 10) -> list[str]:\n    return [f"{n}" for n in range(threads)]  # all\n' * 50
    whole = markdown.render(f"```python\n{code}```\n")
    assert whole is not None
    assert 3 * len(html_of(f"```python\n{code}```\n")) < 2 * len(whole)


def test_the_renderer_names_its_libraries() -> None:
    """A new version of any of them is another renderer."""
    for name in ("form", "readme-renderer", "comrak", "docutils", "pygments", "nh3"):
        assert re.search(rf"\b{name} \d", renderer())


def test_wide_and_hostile_samples_are_what_they_say() -> None:
    """The samples of the browser tests hold what those tests are about."""
    assert WIDE.count("\n") > 30
    assert "<script>" in HOSTILE
