"""The tabs of a project: one head for all of them, real addresses, and pages that stay usable when there is much."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import text

from people.rights import Holder
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.factory import build_wheel, core_metadata
from tests.web.conftest import BROWSER, Visitor, publish, publish_wheel

LOOMS = NormalizedName("looms")
WIRE_LIMIT = 60_000  # bytes of a page


def tabs(page: str) -> list[tuple[str, str, str]]:
    """The tabs of a page: address, which is the current one, and words."""
    nav = page[page.index('<nav class="tabs" aria-label="Project">') :]
    found = re.findall(r'<a href="([^"]+)"(?: aria-current="(\w+)")?>([^<]+)</a>', nav[: nav.index("</nav>")])
    return [(address, current, words) for address, current, words in found]


def rows(page: str) -> list[str]:
    """The rows of a page's table, without markup."""
    body = page[page.index("<tbody>") : page.rindex("</tbody>")]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>")[:-1]]


_RELEASE = text(
    "INSERT INTO releases (project_id, version, key, created, core_metadata, description)"
    " SELECT project_id, :version, :version, created, core_metadata, '' FROM releases WHERE id = 1"
)
_FILE = text(
    "INSERT INTO files (index_id, project_id, release_id, filename, filename_key, location, kind, python_tag, size,"
    " sha256, md5, blake2b, uploaded, uploader, has_provenance, comment) SELECT index_id, project_id, (SELECT id FROM"
    " releases WHERE version = :version), :name, :name, :name, kind, python_tag, size, :sha256, md5, blake2b, uploaded,"
    " uploader, has_provenance, comment FROM files WHERE id = 1"
)


def copy_file(services: Services, files: list[tuple[str, str]], *, with_release: bool = False) -> None:
    """List the first file again, for each (version, filename): quicker than as many uploads."""
    with services.database.writing() as change:
        for number, (version, name) in enumerate(files):
            if with_release:
                change.connection.execute(_RELEASE, {"version": version})
            change.connection.execute(_FILE, {"version": version, "name": name, "sha256": f"{number:064x}"})


# -- the frame


def test_tabs_have_addresses(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Each leads to a page that has the same tabs, with itself marked; those of a release stay with it."""
    for version in ("1.0", "1.1"):
        publish_wheel(services, tmp_path, "looms", version)
    for start, release in (("/project/looms/", "1.1"), ("/project/looms/1.0/", "1.0")):
        found = tabs(anybody.get(start).text)
        assert [words for _, _, words in found[:4]] == ["Description", "Release history", "Files", "Dependencies"]
        assert found[0][:2] == (start, "page")
        assert (found[2][0], found[3][0]) == (
            f"/project/looms/{release}/files",
            f"/project/looms/{release}/dependencies",
        )
        for address, _, words in found[:4]:
            page = anybody.get(address)
            assert page.status_code == 200
            assert [one[2] for one in tabs(page.text) if one[1]] == [words]


def test_settings_are_for_who_may(secured: Services, visitor: Visitor, tmp_path: Path) -> None:
    """Their tabs are shown to owners; a maintainer is led to managing a release; a stranger sees neither."""
    publish_wheel(secured, tmp_path, "looms", "1.0")

    def words() -> set[str]:
        return {words for _, _, words in tabs(visitor.get("/project/looms/").text)}

    assert "Settings" not in words()
    assert "Manage this release" not in visitor.get("/project/looms/").text
    visitor.sign_in("bob")
    secured.rights.grant(MAIN, LOOMS, Holder("alice"), "owner", by=TESTER)
    secured.rights.grant(MAIN, LOOMS, Holder("bob"), "maintainer", by=TESTER)
    assert "Settings" not in words()
    assert 'href="/project/looms/settings/releases/1.0"' in visitor.get("/project/looms/").text
    secured.rights.grant(MAIN, LOOMS, Holder("bob"), "owner", by=TESTER)
    assert {"Settings", "Publishing"} <= words()
    for address in ("/project/looms/settings", "/project/looms/publishing"):
        assert [one[0] for one in tabs(visitor.get(address).text) if one[1] == "page"] == [address]


def test_the_head_tells_the_state(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Of the release that is shown, on each of its tabs; a page about the project shows the latest."""
    for version in ("0.9", "1.0", "2.0rc1"):
        publish_wheel(services, tmp_path, "looms", version, summary="Weaves.")
    services.manager.yank(MAIN, LOOMS, "0.9", None, "Breaks.", by=TESTER)
    services.manager.set_status(MAIN, LOOMS, ProjectStatus.DEPRECATED, "Use a mill.", by=TESTER)
    badges = {
        "/project/looms/0.9/files": {"yanked", "deprecated"},
        "/project/looms/1.0/dependencies": {"latest", "deprecated"},
        "/project/looms/2.0rc1/": {"pre-release", "deprecated"},
        "/project/looms/history": {"latest", "deprecated"},
    }
    for address, expected in badges.items():
        head = anybody.get(address).text.partition('<nav class="tabs"')[0]
        assert set(re.findall(r'<span class="badge \w+">([^<]+)</span>', head)) == expected, address
        assert "Weaves." in head
        assert "Use a mill." in head
        assert ("Breaks." in head) is ("0.9" in address)


@pytest.mark.parametrize("tab", ["history", "1.0/files", "1.0/dependencies"])
def test_a_tab_has_one_address(anybody: Visitor, services: Services, tmp_path: Path, tab: str) -> None:
    """Other spellings of name and version lead to it for good; what is not there is 404."""
    publish_wheel(services, tmp_path, "looms", "1.0")
    answer = anybody.get(f"/project/LOOMS/{tab.replace('1.0', 'v1')}?page=1")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/project/looms/{tab}?page=1")
    assert anybody.get(f"/project/nothing/{tab}").status_code == 404
    assert anybody.get(f"/project/looms/{tab.replace('1.0', '9')}").status_code == (200 if tab == "history" else 404)


@pytest.mark.parametrize("tab", ["history", "1.0/files", "1.0/dependencies"])
def test_of_a_quarantined_project_no_tab_is_shown(
    anybody: Visitor, services: Services, tmp_path: Path, tab: str
) -> None:
    """Each leads to the page that says why."""
    publish_wheel(services, tmp_path, "looms", "1.0")
    services.manager.set_status(MAIN, LOOMS, ProjectStatus.QUARANTINED, None, by=TESTER)
    answer = anybody.get(f"/project/looms/{tab}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/project/looms/")
    assert "Release history" not in anybody.get("/project/looms/").text


def test_tabs_need_the_right_to_read(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Who may not list learns nothing, of a project that is there or not."""
    services = open_server(auth_enabled="true", auth_require="list, download, update")
    publish_wheel(services, tmp_path, "looms", "1.0")
    client = create_app(services).test_client()
    for name in ("looms", "nothing"):
        for tab in ("history", "1.0/files", "1.0/dependencies"):
            answer = client.get(f"/project/{name}/{tab}", headers=BROWSER)
            assert (answer.status_code, "/login" in answer.headers["Location"]) == (302, True)


# -- release history


def test_two_thousand_releases_have_pages(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Every release is on exactly one page, newest version first, and no page is heavy."""
    publish_wheel(services, tmp_path, "looms", "0.0")
    many = [(f"0.{minor}", f"looms-0.{minor}-py3-none-any.whl") for minor in range(1, 2001)]
    copy_file(services, many, with_release=True)
    seen: list[str] = []
    address: str | None = "/project/looms/history"
    while address:
        page = anybody.get(address).text
        assert len(page) < WIRE_LIMIT
        seen += [row.split()[0] for row in rows(page)]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1] if following else None
    assert seen == [f"0.{minor}" for minor in range(2000, -1, -1)]
    assert "There are only 21 pages" in anybody.get("/project/looms/history?page=99").text
    assert anybody.get("/project/looms/history?page=0").status_code == 400


def test_the_history_says_why(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """What was yanked and why, what is a pre-release, and a way to compare each with the one before."""
    for version in ("0.9", "1.0", "1.1", "2.0rc1"):
        publish_wheel(services, tmp_path, "looms", version)
    services.manager.yank(MAIN, LOOMS, "1.0", None, "Breaks on <Tuesdays>.", by=TESTER)
    page = anybody.get("/project/looms/history").text
    lines = [re.sub(r" \d+ \w+ \d{4}, .*UTC", "", line) for line in rows(page)]
    assert lines == [
        "2.0rc1 pre-release 1 with 1.1", "1.1 latest 1 with 0.9",
        "1.0 yanked Breaks on &lt;Tuesdays&gt;. 1 with 0.9", "0.9 1",
    ]  # fmt: skip
    assert anybody.get("/project/looms/compare?from=0.9&to=1.1").status_code == 200


# -- files


def test_three_hundred_files_have_pages(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Each is on one page, is found by its tags in words, and has a link that will still show it."""
    wheel = build_wheel(tmp_path, "looms", "1.0")
    publish(services, wheel)
    tags = [f"cp3{minor}-cp3{minor}-manylinux_2_{glibc}_x86_64" for minor in range(8, 14) for glibc in range(17, 67)]
    copy_file(services, [("1.0", f"looms-1.0-{tag}.whl") for tag in tags])
    names = []
    for number in range(1, 9):
        page = anybody.get(f"/project/looms/1.0/files?page={number}").text
        assert len(page) < WIRE_LIMIT
        names += re.findall(r'<a class="name" href="[^"]+">(looms-1.0-[^<]+)</a>', page)
    assert sorted(names) == sorted([wheel.name, *(f"looms-1.0-{tag}.whl" for tag in tags)])
    found = anybody.get("/project/looms/1.0/files?q=3.12+GLIBC+2.28%2B").text
    assert [row.split()[0] for row in rows(found)] == ["looms-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"]
    link = re.search(r'href="([^"]+)" aria-label="Permalink of (looms-1.0-[^"]+)"', page)
    assert link
    shown = anybody.get(link[1].replace("&amp;", "&")).text
    assert [row.split()[0] for row in rows(shown)] == [link[2]]
    assert f'id="{link[1].partition("#")[2]}"' in shown
    assert "No file fits" in anybody.get("/project/looms/1.0/files?q=%3Cnothing%3E").text


# -- dependencies


def dependent(services: Services, folder: Path, name: str, *requires: str, extras: tuple[str, ...] = ()) -> None:
    """Publish a project that requires these."""
    headers = [f"Provides-Extra: {extra}" for extra in extras]
    metadata = core_metadata(name, "1.0", requires_dist=requires, extra_headers=headers)
    publish(services, build_wheel(folder, name, "1.0", metadata=metadata))


def test_requirements_are_grouped_and_linked(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """By extra, with markers in words, and a link to what is on this index."""
    publish_wheel(services, tmp_path, "looms", "1.4")
    publish_wheel(services, tmp_path, "suspect", "1.0")
    services.manager.set_status(MAIN, NormalizedName("suspect"), ProjectStatus.QUARANTINED, None, by=TESTER)
    dependent(
        services, tmp_path, "mill", "Looms[fast]>=1", "needle<2; python_version < '3.12'", "suspect",
        "thread; extra == 'sewing' and 'linux' in sys_platform", extras=("quiet", "Sewing"),
    )  # fmt: skip
    page = anybody.get("/project/mill/1.0/dependencies").text
    assert rows(page[: page.index('id="used-by"')]) == [
        "Looms [fast] &gt;=1 always 1.4",
        "needle &lt;2 Python before 3.12 not in this index",
        "suspect any always quarantined",
        "With the extra quiet",
        "nothing more",
        "With the extra sewing",
        "thread any &#34;linux&#34; in sys_platform not in this index",
    ]
    assert 'href="/project/looms/">Looms</a>' in page
    assert "/project/needle/" not in page


def test_users_are_counted_linked_and_paged(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """The projects whose latest release requires it, fifty on a page."""
    publish_wheel(services, tmp_path, "looms", "1.4")
    assert "of no other project" in anybody.get("/project/looms/1.4/dependencies").text
    for number in range(51):
        dependent(services, tmp_path, f"user{number:02}", f"looms>={number}")
    page = anybody.get("/project/looms/1.4/dependencies").text
    assert '<span class="muted">51 projects</span>' in page
    assert 'href="/project/user00/">user00</a>' in page
    assert "looms&gt;=49" in page
    assert "user50" not in page
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following
    assert [row.split()[0] for row in rows(anybody.get(following[1]).text)] == ["user50"]


def test_many_requirements_are_shown_on_demand(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """A hundred and fifty at first, all of them one click away."""
    dependent(services, tmp_path, "mill", *(f"part{number}" for number in range(200)))
    page = anybody.get("/project/mill/1.0/dependencies").text
    assert len(page) < WIRE_LIMIT
    assert "part149" in page
    assert "part150" not in page
    assert 'href="/project/mill/1.0/dependencies?all=1">Show all 200 requirements</a>' in page
    assert "part199" in anybody.get("/project/mill/1.0/dependencies?all=1").text


def test_nothing_is_required(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """An empty tab says so in a sentence."""
    publish_wheel(services, tmp_path, "looms", "1.0", requires_python=">=3.11")
    page = anybody.get("/project/looms/1.0/dependencies").text
    assert re.search(r'Python <span class="name">&gt;=3.11</span>, and nothing else.', page)


@pytest.mark.parametrize(
    ("version", "yanked", "requirement"),
    [("1.0", False, "looms"), ("1.0", True, "looms==1.0"), ("1.0rc1", False, "looms==1.0rc1")],
)
def test_page_and_api_pin_alike(
    services: Services, anybody: Visitor, tmp_path: Path, version: str, yanked: bool, requirement: str
) -> None:
    """An installer takes neither a yanked release nor a pre-release by itself: the line names it, here and there."""
    publish_wheel(services, tmp_path, "looms", version)
    if yanked:
        services.manager.yank(MAIN, LOOMS, version, None, "bad", by=TESTER)
    line = f"pip install --index-url http://localhost/simple/ {requirement}"
    assert anybody.client.get("/api/packages/looms").json["install"] == line  # type: ignore[index]
    assert f"{line}<" in anybody.get("/project/looms/").text
