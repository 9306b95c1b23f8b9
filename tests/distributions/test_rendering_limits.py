"""S74: texts made to eat time or memory cost a child process, never the server, and are shown as plain text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from distributions import sandbox
from distributions.descriptions import LIMITS, Rendered
from distributions.rendering import render
from distributions.sandbox import Inspector
from tests.web.readmes import GFM, KINDS

NESTED = "\n\n".join(f"{' ' * depth}- x" for depth in range(600))
LAUGHS = "\n".join(
    [*(f".. |a{n}| replace:: " + f"|a{n + 1}| " * 10 for n in range(12)), ".. |a12| replace:: ha", "", "|a0|"]
)
EATERS = {
    "nested-divs": ("<div>" * 60_000, "text/markdown"),
    "billion-headings": ("# a\n" * 100_000, "text/markdown"),
    "unclosed-code": ('<pre lang="a"><code>' * 50_000, "text/markdown"),
    "slow-lexer": ("```html\n" + "<a " * 300_000 + "\n```", "text/markdown"),
    "billion-laughs": (LAUGHS, "text/x-rst"),
    "huge-rst-table": ("+---+---+\n" + "| a | b |\n+---+---+\n" * 40_000, "text/x-rst"),
    "nested-rst-lists": (NESTED, "text/x-rst"),
}


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    """An inspector whose renderings get a second of processor time."""
    before = sandbox.RENDERING_SECONDS
    sandbox.RENDERING_SECONDS = 1.0  # type: ignore[misc]
    made = Inspector()
    yield made
    made.close()
    sandbox.RENDERING_SECONDS = before  # type: ignore[misc]


@pytest.mark.parametrize("name", EATERS)
def test_what_eats_time_is_shown_as_plain_text(inspector: Inspector, name: str) -> None:
    """S74: the child ends, the text is kept with the reason, and the next one is rendered."""
    text, content_type = EATERS[name]
    assert inspector.render(text, content_type) == Rendered(None, (LIMITS,))
    assert inspector.render("*next*", "text/markdown").html == "<p><em>next</em></p>\n"


def test_memory_is_limited(inspector: Inspector) -> None:
    """S74: within the time, so much memory that the child has to give up: still only plain text."""
    text = "|" + "a|" * 2_000 + "\n|" + "-|" * 2_000 + "\n" + "|\n" * 400_000
    rendered = inspector.render(text[: 1 << 20], "text/markdown")
    assert rendered.notes
    assert inspector.render("*next*", "text/markdown").html == "<p><em>next</em></p>\n"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_child_renders_what_the_renderer_does(inspector: Inspector, name: str) -> None:
    """HTML, notes and problem come back as they were, whatever the description."""
    assert inspector.render(*KINDS[name]) == render(*KINDS[name])


def test_what_ran_out_of_time_is_not_tried_again(inspector: Inspector, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hostile text costs one child."""
    inspector.render(GFM, "text/markdown")
    started = []
    make = sandbox._Child

    def counted() -> sandbox._Child:
        started.append(1)
        return make()

    monkeypatch.setattr(sandbox, "_Child", counted)
    assert inspector.render(*EATERS["billion-headings"]).notes == (LIMITS,)
    assert started == []
