"""Every line for uploads that a page shows, taken from it and run by the real tool against the server that shows it."""

from __future__ import annotations

import shutil
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.clients.conftest import Index, files_of, page_with_token
from tests.clients.programs import BIN, Credential, Programs, Project
from tests.conftest import LiveServer

pytestmark = pytest.mark.clients

TOOLS = ("twine", "uv", "flit", "hatch", "poetry", "pdm")
SHELL = Path(shutil.which("sh") or "sh")


@dataclass
class Box:
    """What a box to be copied holds: the sentence before it says which file it belongs in, if any."""

    before: str
    text: str = ""


@dataclass
class Card:
    """What the page says of one tool."""

    boxes: list[Box] = field(default_factory=list)


class Cards(HTMLParser):
    """The cards of a page by what is written above each, in an element of this kind."""

    def __init__(self, above: str = "h3") -> None:
        super().__init__()
        self.cards: dict[str, Card] = {}
        self._above = above
        self._open: list[str] = []
        self._heading = self._sentence = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        if tag == self._above:
            self._heading = ""
        if tag == "p":
            self._sentence = ""
        if tag == "pre":
            self.cards.setdefault(self._heading, Card()).boxes.append(Box(self._sentence))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            continue

    def handle_data(self, data: str) -> None:
        if self._above in self._open:
            self._heading += data
        elif "pre" in self._open:
            self.cards[self._heading].boxes[-1].text += data
        elif "p" in self._open:
            self._sentence += data


def cards_of(server: LiveServer, person: Credential | None = None) -> dict[str, Card]:
    """What the page of a server shows to somebody."""
    request = urllib.request.Request(f"{server.url}/upload", headers={"Accept": "text/html"})
    if person is not None:
        named = b64encode(f"{person.username}:{person.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {named}")
    reader = Cards()
    with urllib.request.urlopen(request, timeout=10) as response:
        reader.feed(response.read().decode())
    return reader.cards


def use(programs: Programs, project: Project, box: Box, token: str) -> str:
    """Do with a box what a person does who copies it: into its file, or into a shell; what the shell wrote."""
    text = box.text.replace("TOKEN", token)
    if "~/.pypirc:" in box.before:
        (programs.home / ".pypirc").write_text(text)
        return ""
    if "pyproject.toml:" in box.before:
        with (project.folder / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
        return ""
    # Under the Python that pdm runs on itself, and with nothing looked up on other machines.
    return programs.well(SHELL, "-ec", text, cwd=project.folder, VIRTUAL_ENV=str(BIN.parent))


def publish_by(tool: str, programs: Programs, project: Project, cards: dict[str, Card], token: str) -> int:
    """Use every box of a tool's card, in order; in how many of them something was run that publishes."""
    pypirc = next(box for box in cards["twine"].boxes if "~/.pypirc:" in box.before)
    use(programs, project, pypirc, token)  # flit's card speaks of it
    published = 0
    for box in cards[tool].boxes:
        use(programs, project, box, token)
        published += "upload" in box.text.split() or "publish" in box.text.split()
    return published


@pytest.mark.parametrize("tool", TOOLS)
def test_every_line_works_with_accounts(tool: str, programs: Programs, project: Project, guarded: Index) -> None:
    """With a token in the place of TOKEN, each way of each tool publishes; a second way meets the same files again."""
    cards = cards_of(guarded.server, guarded.person)
    assert tuple(cards) == TOOLS
    assert publish_by(tool, programs, project, cards, guarded.token.password) >= 1
    assert sorted(guarded.page(project.name)) == project.filenames


@pytest.mark.parametrize("tool", TOOLS)
def test_every_line_beside_a_new_token_works(tool: str, programs: Programs, project: Project, guarded: Index) -> None:
    """The account page shows the same lines with the token in them: nothing is left to be filled in."""
    reader = Cards("summary")
    reader.feed(page_with_token(guarded.server, "upload"))
    cards = {said.removeprefix("Upload with "): card for said, card in reader.cards.items() if "Upload" in said}
    assert tuple(cards) == TOOLS
    assert all("TOKEN" not in box.text for card in cards.values() for box in card.boxes)
    assert publish_by(tool, programs, project, cards, "") >= 1
    assert sorted(guarded.page(project.name)) == project.filenames


@pytest.mark.parametrize("tool", TOOLS)
def test_every_line_works_without_accounts(
    tool: str, programs: Programs, project: Project, live: Callable[..., LiveServer]
) -> None:
    """On a server that knows nobody the lines have names that tools insist on, and work as they are."""
    server = live()
    cards = cards_of(server)
    assert all("TOKEN" not in box.text for card in cards.values() for box in card.boxes)
    assert publish_by(tool, programs, project, cards, "") >= 1
    assert sorted(files_of(server, project.name)) == project.filenames


def test_the_lines_of_uv_work_where_reading_needs_a_login(
    programs: Programs, project: Project, guard: Callable[..., Index]
) -> None:
    """uv looks at the index before it publishes: on a closed one its lines say as whom."""
    index = guard("-a", "list,download,update")
    cards = cards_of(index.server, index.person)
    assert publish_by("uv", programs, project, cards, index.token.password) == 2
    assert len(list(index.server.data.glob("*/*.whl"))) == 1
