"""Pages of a server with several indexes: each says on which one it is, and tells of no other that one may not read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from playwright.sync_api import Browser, expect

from services import Services
from tests.factory import build_wheel
from tests.web import index_site
from tests.web.browser import visit
from tests.web.conftest import Person, Visitor
from tests.web.site import serving

SHUTTLE = NormalizedName("shuttle")


def switch(page: str) -> dict[str, str]:
    """Where the head of a page leads, by index."""
    found = re.search(r"<ul data-indexes>(.*?)</ul>", page, re.DOTALL)
    return {name: url for url, name in re.findall(r'href="([^"]*)".*?class="name">([^<]*)<', found[1])} if found else {}


# -- where one is


def test_a_page_says_on_which_index_it_is(somebody: Person) -> None:
    """In its head and its title."""
    page = somebody("").get("/index/dev/project/shuttle/").text
    assert "Index <strong>dev</strong>" in page
    assert "<title>shuttle 1.1 · dev · PyPI Clone</title>" in page
    assert "<title>Home · PyPI Clone</title>" in somebody("").get("/").text


def test_a_server_with_one_index_speaks_of_none(visitor: Visitor) -> None:
    """There is nothing to tell apart."""
    page = visitor.get("/").text
    assert switch(page) == {}
    assert "indexes.css" not in page


@pytest.mark.parametrize(
    ("who", "seen", "closed", "absent"),
    [("", False, 302, 302), ("erin", False, 403, 403), ("carol", True, 200, 403), ("alice", True, 200, 404)],
)
def test_an_index_is_named_only_to_those_who_read_it(
    somebody: Person, who: str, seen: bool, closed: int, absent: int
) -> None:
    """On no page, though prod is over the closed one and a search could lead there. To others it is answered for as one
    that is not there, which administrators alone are told."""
    person = somebody(who)
    for path in (
        "/", "/index/prod/", "/index/dev/search?q=cipher", "/index/prod/project/shuttle/",
        "/index/prod/project/cipher/why", "/index/prod/project/cipher/",
    ):  # fmt: skip
        page = person.get(path, follow_redirects=True).text
        assert ("security team" in page or ">secret<" in page) == seen, path
    assert (person.get("/index/secret/").status_code, person.get("/index/nowhere/").status_code) == (closed, absent)


def test_the_switch_keeps_the_place(somebody: Person) -> None:
    """The search, its filters, and the project where it is there, too; else the other index's home page."""
    person = somebody("")
    leads = switch(person.get("/index/dev/search?q=shuttle&has_wheel=true&page=2").text)
    assert leads["prod"] == "/index/prod/search?q=shuttle&amp;has_wheel=true"
    assert leads["main"] == "/search?q=shuttle&amp;has_wheel=true"
    leads = switch(person.get("/index/dev/project/shuttle/history").text)
    assert (leads["prod"], leads["main"]) == ("/index/prod/project/shuttle/history", "/")
    assert switch(person.get("/index/dev/project/shuttle/1.1/files").text)["prod"] == "/index/prod/project/shuttle/"


def test_nothing_of_the_address_but_a_search_is_kept(somebody: Person) -> None:
    """What names an option of the function that makes addresses is not taken for one."""
    page = somebody("").get("/index/dev/search?q=x&_external=1&_scheme=javascript&_anchor=y")
    assert page.status_code == 400
    assert set(switch(page.text).values()) >= {"/index/prod/search?q=x"}


@pytest.mark.browser
def test_the_switch_follows_the_typing(chromium: Browser, tmp_path: Path) -> None:
    """It leads to what is typed, not to what the page was opened with."""
    with serving(tmp_path, stocked=False, fill=index_site.fill) as site, visit(chromium, site) as (page, faults):
        page.goto("/index/dev/search?q=thread")
        page.get_by_role("searchbox").fill("shuttle")
        expect(page.locator("[data-found]")).to_contain_text("shuttle")
        page.get_by_text("Index dev").click()
        page.locator(".index-switch").get_by_role("link", name="prod").click()
        page.wait_for_url("**/index/prod/search?q=shuttle")
        assert faults == []


def test_the_home_page_lists_the_indexes(somebody: Person) -> None:
    """With how much each holds; and says what this one gives out beside its own, in the order of the bases."""
    page = somebody("").get("/index/dev/").text
    assert re.search(r'data-label="Projects" class="number">2<', page)
    assert '<span class="name">prod</span>, <span class="name">main</span> hold' in page


def test_a_search_leads_to_the_same_search_elsewhere(somebody: Person) -> None:
    """Also where nothing was found."""
    for query in ("shuttle", "zzzz"):
        page = somebody("").get(f"/index/dev/search?q={query}").text
        assert f'The same search on <a href="/search?q={query}" class="name">main</a>' in page


def test_every_link_of_a_page_leads_somewhere(somebody: Person) -> None:
    """The footer's and the head's, too: what is of no index leads out of it."""
    person = somebody("")
    page = person.get("/index/dev/project/shuttle/").text
    for address in sorted(set(re.findall(r'href="(/[^"]*)"', page))):
        assert person.client.get(address.replace("&amp;", "&")).status_code in {200, 302}, address


def test_a_closed_index_says_how_to_sign_in_to_it(somebody: Person) -> None:
    """Its lines for installers have a token in them; those of an open one have none."""
    person = somebody("carol")
    assert "machine localhost login __token__" in person.get("/index/secret/project/cipher/").text
    assert "machine localhost login __token__" not in person.get("/index/dev/project/shuttle/").text


# -- where a project comes from


def test_a_project_says_where_its_files_come_from(somebody: Person) -> None:
    """It is private, or others add to it; where nobody else could, it says nothing."""
    person = somebody("")
    assert ">private</a>" in person.get("/index/dev/project/shuttle/").text
    for who, named in (("", ["prod", "main"]), ("alice", ["prod", "secret", "main"])):
        page = somebody(who).get("/index/dev/project/thread/").text
        assert ">open to others</a>" in page
        assert re.findall(r'class="name">([^<]*)<', page.split("Also taken from")[1].split("</p>")[0]) == named
    assert ">private</a>" not in person.get("/project/thread/").text


def test_it_is_told_who_answers(somebody: Person) -> None:
    """Who owns the name, what was shadowed and what was not asked; upstreams by their hosts."""
    page = somebody("").get("/index/dev/project/shuttle/why").text
    assert "shuttle is answered by the index dev." in page
    assert ">shadowed</span>" in page
    assert "packages.example.com" in page
    assert "which has no 0.9" in somebody("").get("/index/dev/project/shuttle/why?version=0.9").text


def test_it_is_told_why_a_name_is_not_there(somebody: Person) -> None:
    """What keeps it; the page that says that there is no such project leads there."""
    person = somebody("")
    assert 'href="/index/dev/project/acme-new/why"' in person.get("/index/dev/project/acme-new/").text
    assert "The index dev keeps names like acme-*" in person.get("/index/dev/project/acme-new/why").text
    assert person.get("/index/dev/project/Acme_New/why").headers["Location"] == "/index/dev/project/acme-new/why"
    assert person.get("/index/dev/project/acme-new/why?version=one").status_code == 400
    assert "/why" not in person.get("/index/prod/project/-/").text


def test_others_are_let_in_by_who_manages_the_project(somebody: Person, secured: Services) -> None:
    """With the danger said; and kept out again."""
    bob = somebody("bob")
    assert "dependency confusion" in bob.get("/index/dev/project/shuttle/settings").text
    assert bob.post("/index/dev/project/shuttle/settings/open", open="yes").status_code == 303
    assert SHUTTLE in secured.at("dev").reader.opened
    assert "Others add files to this project" in bob.get("/index/dev/project/shuttle/settings").text
    bob.post("/index/dev/project/shuttle/settings/open", open="no")
    assert SHUTTLE not in secured.at("dev").reader.opened
    answer = somebody("erin").post("/index/dev/project/shuttle/settings/open", open="yes")
    assert (answer.status_code, "erin may not manage shuttle" in answer.text) == (403, True)


# -- promoting


def files_of(services: Services, index: str) -> list[str]:
    """The versions of shuttle on an index."""
    return [file.version for file in services.at(index).catalogue.project_detail(SHUTTLE).files]


def test_a_release_is_promoted_by_a_form(somebody: Person, secured: Services) -> None:
    """The page of the release leads to it; one is on the other index afterwards, and told what was done."""
    bob = somebody("bob")
    assert 'href="/index/dev/project/shuttle/1.1/promote"' in bob.get("/index/dev/project/shuttle/").text
    form = bob.get("/index/dev/project/shuttle/1.1/promote").text
    assert '<option value="prod"' in form
    answer = bob.post("/index/dev/project/shuttle/1.1/promote", to="prod", way="copy")
    assert answer.headers["Location"] == "/index/prod/project/shuttle/1.1/"
    assert "1 file of shuttle 1.1 copied to prod." in bob.get("/index/prod/project/shuttle/1.1/").text
    assert (files_of(secured, "prod"), files_of(secured, "dev")) == (["1.0", "1.1"], ["1.0", "1.1"])


def test_a_release_is_moved_by_who_may_delete_it(somebody: Person, secured: Services) -> None:
    """Others are offered a copy only, and refused if they ask for more."""
    bob = somebody("bob")
    assert '<option value="move"' in bob.get("/index/dev/project/shuttle/1.1/promote").text
    bob.post("/index/dev/project/shuttle/1.1/promote", to="prod", way="move")
    assert (files_of(secured, "prod"), files_of(secured, "dev")) == (["1.0", "1.1"], ["1.0"])
    assert '<option value="move"' not in bob.get("/index/dev/project/thread/1.0/promote").text
    answer = bob.post("/index/dev/project/thread/1.0/promote", to="prod", way="move")
    assert (answer.status_code, "may not delete files of thread" in answer.text) == (403, True)


def test_a_move_asks_for_a_recent_proof(somebody: Person, secured: Services) -> None:
    """As any deletion does; a copy does not."""
    bob = somebody("bob")
    bob.get("/index/dev/project/shuttle/1.1/promote")
    object.__setattr__(secured.settings, "auth_recent_minutes", -1)
    answer = bob.post("/index/dev/project/shuttle/1.1/promote", to="prod", way="move")
    assert "/login/confirm" in answer.headers["Location"]
    assert bob.post("/index/dev/project/shuttle/1.1/promote", to="prod").headers["Location"].startswith("/index/prod/")


def test_a_release_goes_nowhere_without_the_right_there(somebody: Person, secured: Services) -> None:
    """Whoever may read it only, and may upload to no other index, is offered nothing; nobody is asked to sign in."""
    erin = somebody("erin")
    assert "1.1/promote" not in erin.get(f"/project/{index_site.THREAD}/").text
    answer = erin.post("/index/dev/project/shuttle/1.1/promote", to="prod")
    assert (answer.status_code, files_of(secured, "prod")) == (403, ["1.0"])
    assert "erin may not upload to shuttle" in answer.text
    assert "/login" in somebody("").get("/index/dev/project/shuttle/1.1/promote").headers["Location"]


def test_an_index_that_one_may_not_read_is_none_to_promote_to(somebody: Person) -> None:
    """It is answered as one that is not there."""
    bob = somebody("bob")
    bob.get("/index/dev/project/shuttle/1.1/promote")
    said = [
        re.findall(r'role="alert">([^<]*)<', bob.post("/index/dev/project/shuttle/1.1/promote", to=to).text)
        for to in ("secret", "nowhere")
    ]
    assert said[0] == [text.replace("nowhere", "secret") for text in said[1]] != []


def test_what_cannot_be_promoted_is_said_on_the_form(somebody: Person, secured: Services, tmp_path: Path) -> None:
    """Another file of that name is there: nothing is promoted."""
    index_site.put(secured, "prod", build_wheel(tmp_path, "shuttle", "1.1", summary="Another."))
    bob = somebody("bob")
    bob.get("/index/dev/project/shuttle/1.1/promote")
    answer = bob.post("/index/dev/project/shuttle/1.1/promote", to="prod")
    assert (answer.status_code, 'role="alert"' in answer.text) == (409, True)


# -- tokens


def test_a_token_is_for_an_index(somebody: Person, secured: Services) -> None:
    """The lines that go with it are for that index; what one may not read is not offered and not taken."""
    bob = somebody("bob")
    form = bob.get("/account").text
    assert '<option value="dev"' in form
    assert '<option value="secret"' not in form
    made = bob.post("/account/tokens", name="CI", scopes="upload", index="dev").text
    assert "/index/dev/upload" in made
    assert [row.index for row in secured.readers.tokens.of_user("bob")] == ["dev"]
    answer = bob.post("/account/tokens", name="CI", scopes="upload", index="secret")
    assert (answer.status_code, 'role="alert"' in answer.text) == (404, True)
