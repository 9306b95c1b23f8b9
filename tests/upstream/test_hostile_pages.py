"""Pages that were made to do harm: what is sound on them is listed, and the rest costs little."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from errors import UpstreamFailed
from simple.model import ProjectStatus
from tests.upstream.conftest import DEMO, KEY, Room, a_wheel
from tests.upstream.fake_upstream import JSON, FakeFile, FakeUpstream
from upstream.client import LargePages, Limits
from upstream.failures import CannotFetch
from upstream.html_page import read_html
from upstream.page import UpstreamPage

PAGE = "/simple/demo-pkg/"
GOOD = "demo_pkg-1.0-py3-none-any.whl"


def listed(room: Room) -> list[str]:
    """The filenames on the page."""
    return [file.filename for file in room.source().project_detail(DEMO).files]


def dropped(room: Room) -> int:
    """How many entries were left out, as the page that is kept says."""
    kept = room.pages.load(KEY, DEMO)
    assert kept is not None
    page = UpstreamPage.from_bytes(kept.body)
    assert page is not None
    return page.dropped


EVIL_NAMES = [
    "../../etc/passwd", "..\\x-1.0.tar.gz", "demo_pkg-1.0-py3-none-any.whl/../x", "/demo_pkg-2.0.tar.gz", "",
    "other-1.0-py3-none-any.whl", "demo_pkg_extra-1.0-py3-none-any.whl", "demo_pkg-1.0-py3-none-any.whl\n", "demo_pkg",
    "demo_pkg-nonsense.tar.gz", "demo_pkg-1.0.tar.gz\x00", "<script>-1.0.tar.gz", "dеmo_pkg-1.0.tar.gz",
    "demo_pkg-1.0-py3-none-any.whl" + "x" * 300 + ".whl", ".demo_pkg-1.0.tar.gz", "con-1.0.tar.gz",
]  # fmt: skip


@pytest.mark.parametrize("html_only", [False, True])
@pytest.mark.parametrize("name", EVIL_NAMES)
def test_s136_a_filename_that_is_not_the_projects_is_dropped(
    room: Room, upstream: FakeUpstream, name: str, *, html_only: bool
) -> None:
    """And counted; the rest of the page stands, and nothing of it is out of place."""
    upstream.html_only = html_only
    upstream.add(DEMO, FakeFile(name, b"evil", {"url": "../../files/x"}), a_wheel())
    if html_only and name.endswith("\n"):  # HTML has no such end: it is the sound name, and the first of two
        assert listed(room) == [GOOD]
        return
    assert listed(room) == [GOOD]
    assert dropped(room) == 1


EVIL_URLS = [
    "javascript:alert(1)", "data:text/plain,x", "file:///etc/passwd", "http://169.254.169.254/x.whl", "https://10.0.0.1/x",
    "//localhost/x.whl", "https://user:password@files.example.com/x.whl", "https://files.example.com:22/x.whl",
    "http://files.example.com/x.whl", "https://[::1", "https://0x7f000001/x.whl", "gopher://files.example.com/x.whl",
    "https://files.example.com/" + "x" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("html_only", [False, True])
@pytest.mark.parametrize("url", EVIL_URLS)
def test_s136_a_file_that_lies_where_nothing_is_asked_is_dropped(
    room: Room, upstream: FakeUpstream, url: str, *, html_only: bool
) -> None:
    """Whatever the form of the page."""
    upstream.html_only = html_only
    upstream.add(DEMO, a_wheel("2.0", extra={"url": url}), a_wheel())
    assert listed(room) == [GOOD]
    assert dropped(room) == 1


EVIL_ENTRIES: list[Any] = [
    None, 7, "x", [], {}, {"filename": 7}, {"filename": "demo_pkg-2.0.tar.gz"},
    {"filename": "demo_pkg-2.0.tar.gz", "url": 7}, {"filename": "demo_pkg-2.0.tar.gz", "url": "x", "hashes": "sha256"},
    {"filename": "demo_pkg-2.0.tar.gz", "url": "../../x", "size": "large"},
    {"filename": "demo_pkg-2.0.tar.gz", "url": "../../x", "yanked": {"a": 1}},
    {"filename": "demo_pkg-2.0.tar.gz", "url": "../../x", "upload-time": "yesterday"},
    {"filename": "demo_pkg-2.0.tar.gz", "url": "../../x", "provenance": "javascript:alert(1)"},
]  # fmt: skip


@pytest.mark.parametrize("entry", EVIL_ENTRIES, ids=str)
def test_s136_an_entry_that_is_none_costs_nobody_the_page(room: Room, upstream: FakeUpstream, entry: Any) -> None:
    """One bad entry, and the good one is installed."""
    page = upstream.page(DEMO)
    page["files"].insert(0, entry)
    upstream.misbehave(PAGE, body=json.dumps(page).encode(), headers={"Content-Type": JSON})
    assert listed(room) == [GOOD]
    assert dropped(room) == 1


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"size": -1}, {"size": None}),
        ({"size": None, "upload-time": None, "yanked": None, "requires-python": None}, {"size": None, "yanked": None}),
        ({"hashes": {"SHA256": "AB" * 32}}, {"sha256": "ab" * 32}),
        ({"hashes": {"sha256": "../../../etc"}}, {"sha256": ""}),
        ({"hashes": {"sha256": "abc"}}, {"sha256": ""}),
        ({"core-metadata": {"sha256": "no hex"}}, {"core_metadata": ""}),
        ({"core-metadata": False}, {"core_metadata": ""}),
        ({"requires-python": "snakes"}, {"requires_python": None}),
        ({"requires-python": ">=3.8,<4"}, {"requires_python": ">=3.8,<4"}),
        ({"yanked": "x" * 10_000}, {"yanked": "x" * 2000}),
        ({"provenance": "http://index.example.com/p"}, {"provenance": None}),
    ],
    ids=str,
)
def test_a_value_that_is_not_sound_is_not_known(
    room: Room, upstream: FakeUpstream, extra: dict[str, Any], expected: dict[str, Any]
) -> None:
    """The file is listed without it."""
    upstream.projects[DEMO].files[0].extra = extra
    (file,) = room.source().project_detail(DEMO).files
    assert {key: getattr(file, key) for key in expected} == expected


def test_what_no_installer_takes_is_passed_over_in_silence(room: Room, upstream: FakeUpstream) -> None:
    """Old pages are full of it, and nothing is wrong with them."""
    upstream.add(DEMO, FakeFile("demo_pkg-1.0-py2.7.egg", b""), FakeFile("demo_pkg-1.0.win32.exe", b""), a_wheel())
    assert listed(room) == [GOOD]
    assert dropped(room) == 0


def test_of_two_files_of_one_name_the_first_is_listed(room: Room, upstream: FakeUpstream) -> None:
    """Also where only case tells them apart, as no file system need do."""
    other = a_wheel(padding=5)
    again = FakeFile("Demo_Pkg-1.0-py3-none-any.whl", b"x")
    first = upstream.projects[DEMO].files[0]
    upstream.add(DEMO, first, other, again)
    (file,) = room.source().project_detail(DEMO).files
    assert file.sha256 == first.sha256
    assert dropped(room) == 2


def test_versions_that_are_none_or_the_same_are_left_out(room: Room, upstream: FakeUpstream) -> None:
    """What a page lists as its versions can be compared."""
    upstream.projects[DEMO].extra = {"versions": ["1.0.0", "banana", 7, "2.0", None, "0.1"]}
    assert room.source().project_detail(DEMO).versions == ("0.1", "1.0", "2.0")


@pytest.mark.parametrize("status", ["", "strange", 7, None, {"a": 1}])
def test_a_status_that_is_not_known_is_taken_for_active(room: Room, upstream: FakeUpstream, status: Any) -> None:
    """As clients do."""
    upstream.projects[DEMO].extra = {"project-status": {"status": status, "reason": 7}}
    detail = room.source().project_detail(DEMO)
    assert (detail.status, detail.status_reason) == (ProjectStatus.ACTIVE, None)


def refused(room: Room, why: str) -> None:
    """The page is refused for a reason, which is no outage, and taken when it is good again."""
    with pytest.raises(UpstreamFailed, match=why):
        room.source().validity(DEMO)
    assert room.source().state().open_until is None
    room.upstream.behave()
    assert room.source().validity(DEMO)


BOMB = gzip.compress(b"[" * 5_000_000)


@pytest.mark.parametrize(
    "what",
    [
        {"body": BOMB, "headers": {"Content-Type": JSON, "Content-Encoding": "gzip"}},
        {"body": b"x" * 2_000_000, "headers": {"Content-Type": JSON}},
        {"body": b"x" * 2_000_000, "headers": {"Content-Type": "text/html"}, "without_length": True},
    ],
    ids=["gzip bomb", "huge", "huge HTML of unknown length"],
)
def test_s135_a_page_without_end_is_stopped_at_the_limit(
    make_room: Callable[..., Room], upstream: FakeUpstream, what: dict[str, Any]
) -> None:
    """While it comes, packed or not; that is no outage of the upstream."""
    upstream.misbehave(PAGE, **what)
    refused(make_room(page_bytes=1_000_000), "more than 1,000,000 bytes")


def test_s135_large_pages_are_read_one_at_a_time() -> None:
    """Sixteen of a hundred megabytes would take more memory than a server has."""
    large = LargePages(0.01)
    with large.one() as grow, large.one() as other, large.one():
        grow()
        with pytest.raises(CannotFetch, match="so are others"):
            other()
    with large.one() as grow:
        grow()


def test_s135_a_page_becomes_a_large_one_while_it_comes(room: Room, upstream: FakeUpstream) -> None:
    """It waits then for the one that is being read, and nothing is left held."""
    upstream.projects[DEMO].extra = {"padding": "x" * (9 << 20)}
    assert listed(room) == [GOOD]
    room.expire()
    upstream.projects[DEMO].serial += 1
    with room.hub._page_tools.large.one() as grow:
        grow()
    assert listed(room) == [GOOD]
    assert room.source().project_detail(DEMO).serial == 8


def test_s135_the_limit_is_100_mib() -> None:
    """And HTML, which takes far longer to read, has a lower one."""
    assert Limits().page_bytes == 100 << 20
    assert Limits().html_bytes < Limits().page_bytes
    assert Limits().links == 100_000


@pytest.mark.parametrize("html_only", [False, True])
def test_s135_a_page_with_too_many_links_is_refused(
    make_room: Callable[..., Room], upstream: FakeUpstream, *, html_only: bool
) -> None:
    """Before any of them is looked at."""
    room = make_room(links=50)
    upstream.html_only = html_only
    files = [a_wheel(f"1.{minor}") for minor in range(51)]
    upstream.add(DEMO, *files)
    with pytest.raises(UpstreamFailed, match="more than 50"):
        room.source().validity(DEMO)
    upstream.add(DEMO, *files[:50])
    assert len(listed(room)) == 50


def test_s135_html_that_is_too_long_is_not_read(make_room: Callable[..., Room], upstream: FakeUpstream) -> None:
    """Its limit is its own."""
    upstream.misbehave(PAGE, body=b"<a>" * 1000, headers={"Content-Type": "text/html"})
    refused(make_room(html_bytes=1000), "HTML page has more than 1,000 bytes")


@pytest.mark.parametrize("opened", [b"[", b'{"a":', b"[[],"])
def test_s135_json_that_is_too_deep_is_no_page(room: Room, upstream: FakeUpstream, opened: bytes) -> None:
    """It breaks no stack."""
    upstream.misbehave(PAGE, body=opened * 200_000, headers={"Content-Type": JSON})
    with pytest.raises(UpstreamFailed, match="not JSON"):
        room.source().validity(DEMO)


def test_s135_json_of_millions_of_values_is_not_read(room: Room, upstream: FakeUpstream) -> None:
    """A hundred megabytes of empty lists would take gigabytes."""
    upstream.misbehave(PAGE, body=b'{"files":[' + b"[]," * 2_500_000 + b"[]]}", headers={"Content-Type": JSON})
    refused(room, "too many values")


OPEN_ENDED = [b"<!--", b"<a ", b"<", b"</", b"<!", b"<?", b"<![CDATA[", b"&#", b"<a href='", b'<a href="x">']


@pytest.mark.parametrize("start", OPEN_ENDED)
def test_s135_html_that_opens_and_never_closes_is_read_in_a_pass(start: bytes) -> None:
    """What Python's parser would go over again and again at the end, for hours, is left alone."""
    calls = []
    try:
        links, _ = read_html(start * (400_000 // len(start)), "https://a.example.com/", "", 10, lambda: calls.append(1))
    except CannotFetch as error:
        assert "more than 10 links" in error.why  # noqa: PT017 - either is right, as the start may be
    else:
        assert len(links) <= 10
    assert calls


def test_the_time_for_reading_html_ends(room: Room) -> None:
    """It is looked at between pieces."""

    def over() -> None:
        raise CannotFetch("over", is_outage=False)

    with pytest.raises(CannotFetch, match="over"):
        read_html(b"<p>", "https://a.example.com/", "", 10, over)


def test_html_has_its_own_base_and_coding(room: Room, upstream: FakeUpstream) -> None:
    """Addresses are relative to what the page says; an unknown charset is read as UTF-8."""
    body = (
        '<base href="/files/"><meta name="pypi:repository-version" content="1.0">'
        f'<a href="{GOOD}#sha256={"ab" * 32}" data-yanked="größer">\n {GOOD} </a><A HREF="x">not a file</A>'
    )
    upstream.misbehave(PAGE, body=body.encode(), headers={"Content-Type": "text/html; charset=nonsense"})
    (file,) = room.source().project_detail(DEMO).files
    assert (file.sha256, file.yanked) == ("ab" * 32, "größer")
    source = room.source()
    assert source.file(DEMO, GOOD).size == len(upstream.projects[DEMO].files[0].content)


def test_the_page_of_a_proxy_that_wants_a_sign_in_is_not_taken_for_an_empty_one(
    room: Room, upstream: FakeUpstream
) -> None:
    """What was known of the project stands."""
    source = room.source()
    source.validity(DEMO)
    room.expire()
    upstream.misbehave(PAGE, body=b"<html><h1>Welcome to the hotel</h1></html>", headers={"Content-Type": "text/html"})
    assert listed(room) == [GOOD]


@pytest.mark.parametrize("version", ["2.0", "1!1.0", "banana"])
@pytest.mark.parametrize("html_only", [False, True])
def test_a_later_major_version_of_the_api_is_not_guessed_at(
    room: Room, upstream: FakeUpstream, version: str, *, html_only: bool
) -> None:
    """PEP 629: a client fails, and the page that was kept is served; a later minor version is read."""
    upstream.html_only = html_only
    upstream.misbehave(PAGE, **said(upstream, version, html_only=html_only))
    with pytest.raises(UpstreamFailed, match="version of the simple API"):
        room.source().validity(DEMO)
    upstream.misbehave(PAGE, **said(upstream, "1.99", html_only=html_only))
    assert listed(room) == [GOOD]


def said(upstream: FakeUpstream, version: str, *, html_only: bool) -> dict[str, Any]:
    """The page, with another version of the API."""
    if html_only:
        body = upstream.html(DEMO).replace('content="1.4"', f'content="{version}"').encode()
        return {"body": body, "headers": {"Content-Type": "text/html"}}
    page = upstream.page(DEMO)
    page["meta"]["api-version"] = version
    return {"body": json.dumps(page).encode(), "headers": {"Content-Type": JSON}}


def test_f24_an_older_page_does_not_take_the_place_of_a_newer_one(
    room: Room, upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    """A mirror that fell behind, or somebody who hides a yank: the newer serial stands, with a warning."""
    upstream.add(DEMO, a_wheel(extra={"yanked": "it was stolen"}), a_wheel("2.0"), serial=100)
    before = listed(room)
    upstream.add(DEMO, a_wheel(), serial=99)
    room.expire()
    assert listed(room) == before
    assert room.source().project_detail(DEMO).files[0].yanked == "it was stolen"
    assert any("went back from serial 100 to 99" in entry.getMessage() for entry in caplog.records)
    assert "went back" in room.source().state().why
    upstream.add(DEMO, a_wheel("3.0"), serial=101)
    room.expire()
    assert room.source().project_detail(DEMO).versions == ("3.0",)


@pytest.mark.parametrize("serial", ["-1", "1e9", "9" * 40, "ten", "１２"])
def test_a_serial_that_is_none_is_not_known(room: Room, upstream: FakeUpstream, serial: str) -> None:
    """It neither breaks the page nor passes for the newest."""
    upstream.misbehave(PAGE, headers={"X-PyPI-Last-Serial": serial.encode("utf-8").decode("latin-1")})
    assert room.source().project_detail(DEMO).serial == 0


def test_s139_the_name_alone_is_what_a_page_is_kept_under(room: Room, upstream: FakeUpstream) -> None:
    """Nothing that a client sends with its request gets to the upstream, so nothing of it is in what is kept."""
    source = room.source()
    source.validity(DEMO)
    source.project_detail(DEMO)
    with source.open(source.file(DEMO, GOOD)) as file:
        file.seek(3)
        file.read(1)
    assert [one.path for one in upstream.asked] == [PAGE, f"/files/{GOOD}"]
    assert not any({"Range", "Cookie", "Referer"} & set(one.headers) for one in upstream.asked)
    assert room.pages.count(KEY) == 1


@pytest.mark.parametrize(
    "kept", [b"", b"nonsense", zlib.compress(b"[0, [], []]"), zlib.compress(b"{}")], ids=["empty", "damaged", "0", "{}"]
)
def test_a_kept_page_that_cannot_be_read_is_asked_for_anew(kept: bytes) -> None:
    """Another version of this program may have kept it."""
    assert UpstreamPage.from_bytes(kept) is None
