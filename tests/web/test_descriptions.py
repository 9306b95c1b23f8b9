"""Descriptions on the project's page: rendered, or as they were written with the reason; whole as plain text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import delete

from database.models import RenderedDescription
from distributions.descriptions import LARGEST
from permissions import MAIN
from services import Services
from simple.model import ProjectStatus
from tests.conftest import ROOT, TESTER
from tests.web.conftest import Visitor, publish
from tests.web.readmes import GFM, KINDS, LONG, build

FORBIDDEN = re.compile(
    r"<script(?! src=\"/static/)|\son\w+=|<(style|iframe|object|embed|svg|math|base|meta http)\b|srcdoc"
)


@pytest.fixture
def kinds(services: Services, tmp_path: Path) -> None:
    """A project for each of the smaller kinds."""
    for name, (text, content_type) in KINDS.items():
        if name not in {"long", "wide"}:
            publish(services, build(tmp_path, name, text, content_type))


@pytest.mark.parametrize("name", ["gfm", "restructured"])
@pytest.mark.usefixtures("kinds")
def test_a_description_is_rendered(anybody: Visitor, name: str) -> None:
    """In its own box, below the page's headings, without a note that all is well."""
    page = anybody.get(f"/project/{name}/").text
    inside = page.split('<div class="readme" dir="auto">')[1]
    assert "<h3" in inside
    assert "as it was written</a>" in inside  # of the images
    assert "shown as it was written" not in page


@pytest.mark.usefixtures("kinds")
def test_a_hostile_description_is_harmless(anybody: Visitor) -> None:
    """S71, S72, S76: nothing in it is a script, a form, a style or an id of the page; the summary is text."""
    page = anybody.get("/project/hostile/").text
    assert not FORBIDDEN.search(page)
    inside = page.split('class="readme"')[1].split("</section>")[0]
    assert not re.search(r'\sid="(?!readme-)|\sname=|<form|<img|javascript:|\sclass="note', inside)
    identities = re.findall(r'\sid="([^"]+)"', page)
    assert len(identities) == len(set(identities))
    assert "A &lt;i&gt;sample&lt;/i&gt; &amp; more." in page
    assert page.count("<form") == anybody.get("/project/plain/").text.count("<form")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("broken", r"This is not sound reStructuredText \(line \d+: Unknown directive type &#34;automodule&#34;\), so"),
        ("undeclared", "This does not say what it is written in, so"),
    ],
)
@pytest.mark.usefixtures("kinds")
def test_what_cannot_be_rendered_is_shown_as_it_was_written(anybody: Visitor, name: str, why: str) -> None:
    """With the reason, for the reader and for whoever wrote it."""
    page = anybody.get(f"/project/{name}/").text
    assert re.search(f'<p class="muted">{why} it is shown as it was written.</p>\n<pre class="description"', page)


@pytest.mark.usefixtures("kinds")
def test_plain_text_is_text(anybody: Visitor) -> None:
    """With its spaces and without a note; empty and blank ones are none."""
    page = anybody.get("/project/plain/").text
    text = 'dir="auto">Plain &lt;b&gt;text&lt;/b&gt;\n\n  with its spaces, سلام, 织布机.\n'
    assert text in page
    assert "so it is shown" not in page
    for name in ("empty", "blank"):
        assert "This release has no description." in anybody.get(f"/project/{name}/").text


@pytest.mark.usefixtures("kinds")
def test_what_waits_is_shown_as_it_was_written(anybody: Visitor, services: Services) -> None:
    """S74: a page never renders; the release of an older database says that it is still to be done."""
    with services.database.writing() as change:
        change.connection.execute(delete(RenderedDescription))
    page = anybody.get("/project/gfm/").text
    assert "This has not been rendered yet" in page
    assert "# Looms `2`" in page
    assert services.at().descriptions.count_outdated() > 0


def test_a_huge_description_is_cut(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """The page has the beginning and leads to the whole text, rendered or plain."""
    publish(services, build(tmp_path, "long", LONG, "text/markdown"))
    publish(services, build(tmp_path, "bare", "a line of text\n" * 60_000, "text/plain"))
    for name in ("long", "bare"):
        page = anybody.get(f"/project/{name}/")
        assert len(page.data) < LARGEST + 10_000
        assert f'<a href="/project/{name}/1.0/description.txt">Read the whole text</a>' in page.text
        whole = anybody.get(f"/project/{name}/1.0/description.txt")
        assert len(whole.text) > 800_000


@pytest.mark.usefixtures("kinds")
def test_the_text_is_there_as_it_was_written(anybody: Visitor) -> None:
    """S78: as plain text that no browser takes for anything else."""
    assert anybody.get("/project/GFM/1/description.txt").headers["Location"] == "/project/gfm/1.0/description.txt"
    answer = anybody.get("/project/gfm/1.0/description.txt")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.text.strip() == GFM.strip()
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert anybody.get("/project/gfm/9/description.txt").status_code == 404
    assert anybody.get("/project/none/1/description.txt").status_code == 404


@pytest.mark.usefixtures("kinds")
def test_a_quarantined_project_shows_no_description(anybody: Visitor, services: Services) -> None:
    """Neither on its page nor as text."""
    services.manager.set_status(MAIN, NormalizedName("gfm"), ProjectStatus.QUARANTINED, "Malware.", by=TESTER)
    answer = anybody.get("/project/gfm/1.0/description.txt")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/project/gfm/")
    assert "algebraic" not in anybody.get("/project/gfm/").text


@pytest.mark.usefixtures("kinds")
def test_a_page_with_a_description_is_small(anybody: Visitor) -> None:
    """With its style sheets and script under 60 KB before compression."""
    page = anybody.get("/project/gfm/")
    names = ("style.css", "description.css", "code.css", "site.js", "icon.svg")
    assert len(page.data) + sum(len(anybody.get(f"/static/{name}").data) for name in names) < 60_000


def test_markup_is_trusted_in_four_places() -> None:
    """S76: a token field, our own drawings and charts, and the description that was made harmless; nowhere else."""
    trusting = {
        path.relative_to(ROOT).as_posix(): path.read_text().count("Markup(")
        for path in ROOT.glob("views/**/*.py")
        if re.search(r"\bMarkup\(|Markup,", path.read_text())
    }
    assert trusting == {
        "views/web/__init__.py": 0, "views/web/charts.py": 2, "views/web/description.py": 1, "views/web/forms.py": 1,
    }  # fmt: skip
