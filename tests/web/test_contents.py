"""The page of a file: what is inside it, for whoever may see that, and never as anything but text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from distributions.sandbox import Inspector
from errors import Unavailable
from people.tokens import Limits
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER, basic
from tests.factory import build_sdist, build_wheel, zip_bytes
from tests.web.conftest import BROWSER, Visitor, publish
from tests.web.contents_site import CODE, HIDING_NAME, HOSTILE, HOSTILE_NAME, stock
from views.contents import LARGEST_COLOURED, LARGEST_SHOWN, ContentsReader
from views.web.contents import MOST_LINES

WEFT = "/project/weft/1.0/files/weft-1.0-py3-none-any.whl"
SDIST = "/project/weft/2.0/files/weft-2.0.tar.gz"


def inside(visitor: Visitor, path: str, file: str = WEFT) -> str:
    """The page of a member."""
    answer = visitor.get(f"{file}?path={quote(path)}")
    assert answer.status_code == 200, answer.text
    return answer.text


def text_of(page: str) -> str:
    """What a member's page shows of it."""
    found = re.search(r'<pre class="code"[^>]*>(.*)</pre>', page, re.DOTALL)
    assert found
    return unescape(re.sub(r"<a [^>]*>\d+</a>|<[^>]*>", "", found[1]))


# -- the file


def test_a_file_is_told_whole(stocked: Visitor, services: Services) -> None:
    """Size, tags in words, digests to copy, a link to download, the tree, entry points, metadata as sent."""
    page = stocked.get(WEFT).text
    record = services.at().catalogue.file(NormalizedName("weft"), "weft-1.0-py3-none-any.whl")
    assert f"<code>{record.sha256}</code>" in page
    assert page.count('data-copy="the ') == 3
    assert 'href="/packages/weft/weft-1.0-py3-none-any.whl"' in page
    assert "Python 3, any platform" in page
    assert f'href="{WEFT}?path=weft/loom.py"' in page
    assert '<bdi class="name">weft.cli:main</bdi>' in page
    assert "Requires-Dist: numbers&gt;=1.2" in page
    assert f'href="{WEFT}?path=weft-1.0.dist-info/METADATA"' in page


@pytest.mark.parametrize("extension", [".tar.gz", ".zip", ".tar.bz2", ".tar.xz"])
def test_every_kind_of_sdist_is_looked_into(
    anybody: Visitor, services: Services, tmp_path: Path, extension: str
) -> None:
    """Tars of each compression and zips alike."""
    path = build_sdist(tmp_path, extension=extension)
    publish(services, path)
    file = f"/project/sample/1.0/files/{path.name}"
    assert f'href="{file}?path=sample-1.0/sample.py"' in anybody.get(file).text
    assert text_of(inside(anybody, "sample-1.0/sample.py", file)) == "answer = 42\n"


def test_the_project_links_to_its_files(stocked: Visitor) -> None:
    """From each file to its contents, and from the history to the comparison."""
    assert f'href="{WEFT}"' in stocked.get("/project/weft/1.0/files").text
    assert 'href="/project/weft/compare?from=1.0&amp;to=1.1"' in stocked.get("/project/weft/history").text
    assert "/compare" not in stocked.get("/project/first/history").text


def test_other_spellings_are_sent_to_the_address(stocked: Visitor) -> None:
    """A name or version spelled otherwise is redirected, with the query."""
    answer = stocked.get("/project/Weft/1.0.0/files/weft-1.0-py3-none-any.whl?path=weft/old.py")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{WEFT}?path=weft/old.py")


@pytest.mark.parametrize(
    "address",
    [
        "/project/nothing/1.0/files/nothing-1.0.tar.gz", "/project/weft/1.0/files/weft-3.0.tar.gz",
        "/project/weft/2.0/files/weft-1.0-py3-none-any.whl", "/project/weft/x/files/weft-1.0-py3-none-any.whl",
        f"{WEFT}?path=weft/none.py", f"{WEFT}?path=..", f"{WEFT}?path=/etc/passwd", f"{WEFT}?path=/",
        f"{WEFT}?path=%00",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(stocked: Visitor, address: str) -> None:
    """Projects, files, files of another release, members: a page that says so."""
    assert stocked.get(address).status_code == 404


def test_a_quarantined_project_shows_nothing(stocked: Visitor, services: Services) -> None:
    """Its files' pages lead to the page that says why."""
    services.manager.set_status(MAIN, NormalizedName("weft"), ProjectStatus.QUARANTINED, None, by=TESTER)
    for address in (WEFT, f"{WEFT}?path=weft/loom.py", "/project/weft/compare"):
        answer = stocked.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/project/weft/")


# -- members


def test_a_text_has_lines_that_can_be_linked(stocked: Visitor) -> None:
    """Each line has its number as its anchor."""
    page = inside(stocked, "weft/loom.py")
    assert (
        '<span id="L10"><a href="#L10" tabindex="-1">10</a>    threads: <span class="b">int</span> = '
        '<span class="m">1842</span>\n</span>' in page
    )
    assert "327 bytes, 14 lines, UTF-8" in page


def test_folders_have_pages(stocked: Visitor) -> None:
    """With or without the slash; and large ones have several."""
    assert f'href="{WEFT}?path=weft/patterns/leaves.txt"' in inside(stocked, "weft/patterns/")
    assert f'href="{WEFT}?path=weft/patterns/leaves.txt"' in inside(stocked, "weft/patterns")
    many = "/project/many/1.0/files/many-1.0-py3-none-any.whl"
    assert 'rel="next"' not in inside(stocked, "many/part0/", many)
    assert stocked.get(f"{many}?path=many/part0/&page=x").status_code == 400


def test_binary_data_is_told(stocked: Visitor) -> None:
    """No bytes of it are in the page."""
    page = inside(stocked, "weft/_native.so")
    assert "This is not text" in page
    assert "ELF" not in page


def test_links_in_an_archive_are_told(stocked: Visitor) -> None:
    """A link is one, and leads to the page of its target."""
    page = inside(stocked, "weft-2.0/README", SDIST)
    assert f'This is a link to <a class="name" href="{SDIST}?path=weft-2.0/docs/README.md">' in page


def test_a_large_text_is_shown_by_its_beginning(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Bytes and lines are bounded, and the page says so."""
    files = {"a.txt": b"x" * 2_000_000, "b.txt": b"\n" * 100_000, "c.txt": b""}
    publish(services, build_wheel(tmp_path, files=files))
    file = "/project/sample/1.0/files/sample-1.0-py3-none-any.whl"
    long = inside(anybody, "a.txt", file)
    assert LARGEST_SHOWN < len(long) < LARGEST_SHOWN + 5000
    assert "This is only the beginning" in long
    high = inside(anybody, "b.txt", file)
    assert high.count('<span id="L') == MOST_LINES
    assert "This is only the beginning" in high
    assert "This file is empty" in inside(anybody, "c.txt", file)


# -- colours


def test_code_has_colours_and_stays_the_same_text(stocked: Visitor) -> None:
    """By the language of the filename; a text of none has none, and each line is what is in the file."""
    page = inside(stocked, "weft/loom.py")
    assert '<span class="k">class</span> <span class="n">Loom</span>:' in page
    assert '</a>    <span class="s">&#34;&#34;&#34;A loom with so many threads.&#34;&#34;&#34;</span>\n' in page
    assert text_of(page) == CODE
    assert '&lt;<span class="n">script</span>&gt;' in inside(stocked, HOSTILE_NAME)
    assert '<span class="' not in inside(stocked, "weft/arabic.txt").split("<pre")[1]


def test_large_texts_have_no_colours(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """They would take long, and make the page much larger; the text is there all the same."""
    line = b"pass".ljust(99) + b"\n"
    most = LARGEST_COLOURED // len(line)
    publish(services, build_wheel(tmp_path, files={"most.py": line * most, "more.py": line * (most + 1)}))
    file = "/project/sample/1.0/files/sample-1.0-py3-none-any.whl"
    assert inside(anybody, "most.py", file).count('<span class="k">pass</span>') == most
    assert '<span class="k">' not in inside(anybody, "more.py", file)
    assert text_of(inside(anybody, "more.py", file)).encode() == line * (most + 1)


def test_a_text_made_to_eat_time_is_shown_plain_and_costs_once(
    anybody: Visitor, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S74: its child is ended, which is remembered with the file."""
    publish(services, build_wheel(tmp_path, files={"slow.rb": b"a<<b " * 50_000}))
    asked = []
    colour = Inspector.colour

    def counted(self: Inspector, text: str, filename: str) -> bytes:
        asked.append(filename)
        return colour(self, text, filename)

    monkeypatch.setattr(Inspector, "colour", counted)
    for _ in range(2):
        page = inside(anybody, "slow.rb", "/project/sample/1.0/files/sample-1.0-py3-none-any.whl")
        assert text_of(page) == "a<<b " * 50_000 + "\n"
        assert '<span class="k">' not in page
    assert asked == ["slow.rb"]


def test_the_text_does_not_wait_for_its_colours(stocked: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """When others took the places meanwhile it is shown plain, and with colours when there is room."""
    taken = [Unavailable("Too many.", 2)]
    colour = ContentsReader._colour

    def busy(self: ContentsReader, text: str, filename: str) -> bytes:
        if taken:
            raise taken.pop()
        return colour(self, text, filename)

    monkeypatch.setattr(ContentsReader, "_colour", busy)
    assert text_of(inside(stocked, "weft/loom.py")) == CODE
    assert '<span class="k">class</span>' in inside(stocked, "weft/loom.py")


# -- hostile contents


def test_contents_are_text_in_our_page_and_nothing_else(stocked: Visitor) -> None:
    """HTML in names and contents is escaped, under the strict policy; no address gives a member as it is."""
    answer = stocked.get(f"{WEFT}?path={quote(HOSTILE_NAME)}")
    assert answer.mimetype == "text/html"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert text_of(answer.text) == HOSTILE.decode()
    for page in (answer.text, stocked.get(WEFT).text, inside(stocked, "weft")):
        assert not re.search(r"<script>|<svg onload|<img src=x|<h1>Out", page)


def test_what_hides_is_marked(stocked: Visitor) -> None:
    """Names and lines that would be read in another order show code points, and a note says so."""
    page = inside(stocked, HIDING_NAME)
    assert "evil‹U+202E›cod.py" in page
    assert "&#39;user‹U+202E› ‹U+2066›# only for admins‹U+2069› ‹U+2066›&#39;" in page
    assert "characters that cannot be seen" in page
    assert "\u202e" not in page
    assert "characters that cannot be seen" not in inside(stocked, "weft/arabic.txt")


def test_a_stored_file_that_went_bad_says_so(stocked: Visitor, services: Services) -> None:
    """An archive that cannot be read leaves its page with the facts and the reason, not an error."""
    location = services.at().catalogue.file(NormalizedName("weft"), "weft-1.0-py3-none-any.whl").location
    with services.storage.local(location) as path:
        path.write_bytes(b"no zip at all")
    page = stocked.get(f"{WEFT}?path=weft/loom.py")
    assert page.status_code == 200
    assert "What is inside cannot be shown." in page.text
    with services.storage.local(location) as path:
        path.unlink()
    assert stocked.get(WEFT).status_code == 503


def test_a_bomb_is_not_unpacked(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """A file that became a bomb after its upload is refused by its headers."""
    wheel = build_wheel(tmp_path)
    publish(services, wheel)
    location = services.at().catalogue.file(NormalizedName("sample"), wheel.name).location
    with services.storage.local(location) as path:
        path.write_bytes(zip_bytes({"zeros": bytes(80 << 20)}, compression=zipfile.ZIP_DEFLATED))
    assert "taken for a compression bomb" in anybody.get(f"/project/sample/1.0/files/{wheel.name}").text


# -- who may see


@pytest.fixture
def closed(open_server: Callable[..., Services], tmp_path: Path) -> FlaskClient:
    """A server where anybody may list, and downloading needs a login; alice may."""
    made = open_server(auth_enabled="true", auth_require="download")
    made.users.create_user("alice", "alice's long password", is_admin=True, by=TESTER)
    stock(made, tmp_path / "dist")
    return create_app(made).test_client()


def test_what_is_inside_needs_the_right_to_download(closed: FlaskClient) -> None:
    """Whoever may only list sees the facts; members ask for a login, whether they exist or not."""
    page = closed.get(WEFT, headers=BROWSER).text
    assert "What is inside is shown to those who may download files." in page
    assert "Sign in</a> to see it" in page
    assert "loom.py" not in page
    assert "Requires-Dist" not in page
    for name in ("weft", "nothing"):
        for path in ("weft/loom.py", "nothing"):
            address = f"/project/{name}/1.0/files/weft-1.0-py3-none-any.whl?path={path}"
            assert closed.get(address).status_code == 302
            assert "/login?next=" in closed.get(address, headers=BROWSER).headers["Location"]
    assert "loom.py" in closed.get(WEFT, headers=basic("alice")).text


def test_a_closed_index_tells_nobody_what_it_has(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Where listing needs a login, names that exist and that do not are answered alike."""
    made = open_server(auth_enabled="true", auth_require="list,download")
    made.users.create_user("alice", "alice's long password", is_admin=True, by=TESTER)
    stock(made, tmp_path / "dist")
    client = create_app(made).test_client()
    for rest in ("/1.0/files/weft-1.0-py3-none-any.whl", "/1.0/files/weft-1.0-py3-none-any.whl?path=weft", "/compare"):
        answers = [client.get(f"/project/{name}{rest}", headers=BROWSER) for name in ("weft", "nothing")]
        assert [answer.status_code for answer in answers] == [302, 302]
        assert all(answer.headers["Location"].startswith("/login") for answer in answers)
    for rest in ("/1.0/files/weft-1.0-py3-none-any.whl/contents", "/1.0/files/x/text?path=weft", "/compare"):
        assert {client.get(f"/api/packages/{name}{rest}").status_code for name in ("weft", "nothing")} == {401}


def test_a_token_without_the_right_is_403(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """A known asker who may not read gets 403 for names that exist and that do not, whatever they ask."""
    made = open_server(auth_enabled="true", auth_require="list,download")
    made.users.create_user("bob", "bob's long password", by=TESTER)
    stock(made, tmp_path / "dist")
    token, _ = made.tokens.create_token("bob", "CI", Limits(scopes=["upload"]), by=TESTER)
    client = create_app(made).test_client()
    for name in ("weft", "nothing"):
        for address in (
            f"/project/{name}/1.0/files/weft-1.0-py3-none-any.whl?path=weft/loom.py", f"/project/{name}/compare",
            f"/api/packages/{name}/1.0/files/weft-1.0-py3-none-any.whl/contents", f"/api/packages/{name}/compare",
        ):  # fmt: skip
            assert client.get(address, headers=basic("__token__", token.text)).status_code == 403, address


def test_a_token_for_one_project_sees_what_is_inside_it(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """It may download that one, so the page shows it; and nothing of others."""
    made = open_server(auth_enabled="true", auth_require="list,download")
    made.users.create_user("bob", "bob's long password", by=TESTER)
    stock(made, tmp_path / "dist")
    token, _ = made.tokens.create_token("bob", "CI", Limits(scopes=["read"], projects=["weft"]), by=TESTER)
    client, header = create_app(made).test_client(), basic("__token__", token.text)
    assert "What is inside" in client.get(WEFT, headers=header).text
    assert "threads" in client.get(f"{WEFT}?path=weft/loom.py", headers=header).text
    assert client.get("/project/weft/compare?from=1.0&to=1.1", headers=header).text.count("What changed in it") > 0
    assert client.get("/project/many/1.0/files/many-1.0-py3-none-any.whl", headers=header).status_code == 403
