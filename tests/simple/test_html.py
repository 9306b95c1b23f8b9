"""The simple pages as HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simple.html import draw_project_detail, draw_project_list
from simple.model import ListedProject, ProjectDetail, ProjectList, ProjectStatus
from tests.simple.examples import HOSTILE, a_file, a_project, name

WILD = st.text(st.characters(exclude_categories=("Cs", "Cc")))


class Read(HTMLParser):
    """What a client's parser finds: the metas, the anchors with their text, and every tag."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.metas: dict[str, str] = {}
        self.anchors: list[dict[str, Any]] = []
        self.tags: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given_ = dict(attrs)
        if tag == "meta" and "name" in given_:
            self.metas[str(given_["name"])] = str(given_["content"])
        if tag == "a":
            self.anchors.append({**given_, "text": ""})

    def handle_data(self, data: str) -> None:
        if self.anchors and self.tags[-1] == "a":
            self.anchors[-1]["text"] += data


def the_anchor(detail: ProjectDetail) -> dict[str, Any]:
    (anchor,) = Read(draw_project_detail(detail)).anchors
    return anchor


def test_each_file_is_one_anchor_with_its_name_and_digest() -> None:
    """Two files: two anchors, the text is the filename, the fragment the sha256."""
    read = Read(draw_project_detail(a_project()))
    assert [anchor["text"] for anchor in read.anchors] == ["demo_pkg-1.0-py3-none-any.whl", "demo_pkg-1.0.tar.gz"]
    assert read.anchors[0]["href"] == f"../../packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl#sha256={'a1' * 32}"


def test_the_page_is_html5_and_names_its_version() -> None:
    """The document type and the repository version 1.4 are there (PEP 503, 629)."""
    page = draw_project_detail(a_project())
    assert page.startswith(b"<!DOCTYPE html>\n")
    assert Read(page).metas["pypi:repository-version"] == "1.4"
    assert Read(draw_project_list(ProjectList((), 1))).metas["pypi:repository-version"] == "1.4"


def test_a_file_without_extras_has_only_its_address() -> None:
    """What is not known is no attribute: "false" would mean "present" to pip."""
    assert set(the_anchor(a_project(a_file()))) == {"href", "text"}


def test_requires_python_is_escaped() -> None:
    """PEP 503 wants < and > escaped."""
    page = draw_project_detail(a_project(a_file(requires_python=">=3.8")))
    assert b'data-requires-python="&gt;=3.8"' in page


def test_core_metadata_is_named_twice_alike() -> None:
    """PEP 714: the old attribute repeats the new one."""
    anchor = the_anchor(a_project(a_file(core_metadata="cd" * 32)))
    assert anchor["data-core-metadata"] == anchor["data-dist-info-metadata"] == f"sha256={'cd' * 32}"


def test_digests_that_are_not_known_are_left_out() -> None:
    """The address has no fragment then, and the metadata is there without one (PEP 714)."""
    attributes = the_anchor(a_project(a_file(sha256="", core_metadata="")))
    assert "#" not in attributes["href"]
    assert attributes["data-core-metadata"] == attributes["data-dist-info-metadata"] == "true"


def test_a_yank_with_and_without_a_reason() -> None:
    """Presence yanks; the value is the reason and may be empty (PEP 592)."""
    assert the_anchor(a_project(a_file(yanked="bad build")))["data-yanked"] == "bad build"
    assert the_anchor(a_project(a_file(yanked="")))["data-yanked"] == ""
    assert b'data-yanked=""' in draw_project_detail(a_project(a_file(yanked="")))


def test_provenance_is_given() -> None:
    """PEP 740's attribute carries the address of the provenance object."""
    url = "https://index.example.com/integrity/demo-pkg/1.0/provenance"
    assert the_anchor(a_project(a_file(provenance=url)))["data-provenance"] == url


def test_an_ampersand_in_an_address_is_escaped() -> None:
    """The address is given as it is, with HTML's own escapes only."""
    page = draw_project_detail(a_project(a_file(url="/packages/a%2Bb.whl?x=1&y=2")))
    assert b'href="/packages/a%2Bb.whl?x=1&amp;y=2#sha256=' in page


def test_the_status_and_its_reason_are_metas() -> None:
    """PEP 792: archived with a reason; the files stay listed."""
    read = Read(draw_project_detail(a_project(status=ProjectStatus.ARCHIVED, status_reason="moved to 'new'")))
    assert read.metas["pypi:project-status"] == "archived"
    assert read.metas["pypi:project-status-reason"] == "moved to 'new'"
    assert len(read.anchors) == 2


def test_a_quarantined_project_lists_no_file() -> None:
    """PEP 792: nothing of a quarantined project is offered."""
    page = draw_project_detail(a_project(status=ProjectStatus.QUARANTINED))
    assert Read(page).anchors == []
    assert b"demo_pkg-1.0" not in page


def test_the_list_links_by_normalized_name() -> None:
    """Relative addresses with a closing slash; the text is the display name."""
    page = draw_project_list(ProjectList((ListedProject("Demo_Pkg", name("demo-pkg"), 3),), 3))
    assert b'<a href="demo-pkg/">Demo_Pkg</a><br>' in page


def test_one_hostile_name_in_a_list_is_escaped_and_the_others_stay() -> None:
    """A name that no check should have let in changes nothing but its own line."""
    listing = ProjectList((ListedProject(HOSTILE, name(HOSTILE), 1), ListedProject("", name("sound"), 2)), 2)
    read = Read(draw_project_list(listing))
    assert [anchor["text"] for anchor in read.anchors] == [HOSTILE, "sound"]
    assert [anchor["href"] for anchor in read.anchors] == [f"{HOSTILE}/", "sound/"]
    assert "script" not in read.tags


def test_the_pattern_of_hatch_finds_the_names() -> None:
    """hatch reads pages with a pattern: the anchor holds the filename alone."""
    page = draw_project_detail(a_project(a_file(requires_python=">=3.8,<4", yanked="a > b"))).decode()
    assert re.findall(r"<a [^>]+>([^<]+)</a>", page) == ["demo_pkg-1.0-py3-none-any.whl"]


@given(text=WILD)
def test_no_value_leaves_its_place(text: str) -> None:
    """Whatever a stranger wrote is read back as that value, and makes no tag."""
    wild = a_file(filename=f"x{text}", url=text, requires_python=text, yanked=text, provenance=text, core_metadata=text)
    read = Read(draw_project_detail(a_project(wild, display_name=text, status_reason=text)))
    metas = ["meta"] * (4 if text else 3)
    assert read.tags == ["html", "head", *metas, "title", "body", "h1", "a", "br"]
    (anchor,) = read.anchors
    assert (anchor["text"], anchor["data-yanked"], anchor["href"]) == (f"x{text}", text, f"{text}#sha256={'a1' * 32}")
    assert anchor.get("data-requires-python", "") == anchor.get("data-provenance", "") == text
    assert read.metas.get("pypi:project-status-reason", "") == text


def test_hostile_values_make_no_script() -> None:
    """The classic: closing the attribute and opening a script."""
    wild = a_file(filename=HOSTILE, yanked=HOSTILE, requires_python=HOSTILE, url=HOSTILE)
    page = draw_project_detail(a_project(wild, status_reason=HOSTILE, display_name=HOSTILE))
    assert b"<script" not in page
    assert b"'x'" not in page
