"""The search page and its JSON: words, marks, filters, order, pages, and who may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from people.tokens import Limits
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_wheel, core_metadata
from tests.web.conftest import BROWSER, Visitor, publish, publish_wheel

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_programs_get_json(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """curl, which accepts anything, gets the hits as JSON."""
    publish_wheel(services, tmp_path, "Loom_s", "1.0", summary="Weaves.")
    answer = client.get("/search?q=loom", headers={"Accept": "*/*"})
    assert answer.mimetype == "application/json"
    document = answer.get_json()
    (hit,) = document.pop("results")
    assert document == {
        "query": "loom", "total": 1, "instead": None, "suggestion": None, "page": 1, "pages": 1,
    }  # fmt: skip
    assert (hit["name"], hit["version"], hit["summary"], hit["url"]) == ("loom-s", "1.0", "Weaves.", "/project/loom-s/")
    assert (hit["passage"], hit["yanked"], hit["downloads"]) == (None, False, 0)
    assert "Accept" in answer.vary


def test_browsers_get_a_page(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Browsers, which name HTML, get a page with links to the projects."""
    publish_wheel(services, tmp_path, "looms", "1.0", summary="Weaves.")
    answer = anybody.get("/search?q=weaves")
    assert answer.mimetype == "text/html"
    assert 'href="/project/looms/"' in answer.text


def test_a_typing_mistake_is_told(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """What was looked for instead is said on the page and in the JSON."""
    publish_wheel(services, tmp_path, "looms", "1.0", summary="Weaves.")
    assert "since nothing fits <bdi>loosm</bdi>" in anybody.get("/search?q=loosm").text
    assert anybody.client.get("/search?q=loosm").get_json()["instead"] == "looms"


def test_results_have_pages(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Every hit is on exactly one page, and pages link to their neighbours."""
    for number in range(21):
        publish_wheel(services, tmp_path, f"looms-{number}")
    pages = [anybody.client.get(f"/search?q=looms&page={page}").get_json() for page in (1, 2, 3)]
    names = [hit["name"] for page in pages for hit in page["results"]]
    assert sorted(names) == sorted(f"looms-{number}" for number in range(21))
    assert [len(page["results"]) for page in pages] == [20, 1, 0]
    assert 'rel="next" href="/search?page=2&amp;q=looms"' in anybody.get("/search?q=looms").text
    assert "There are only 2 pages" in anybody.get("/search?q=looms&page=3").text


def test_without_words_everything_is_listed(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """An empty search is the list of all projects, the last changed first."""
    publish_wheel(services, tmp_path, "first")
    publish_wheel(services, tmp_path, "second")
    assert [hit["name"] for hit in anybody.client.get("/search").get_json()["results"]] == ["second", "first"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e3", "٣", "99999999999999999999", ""])
def test_a_page_that_is_none_is_refused(client: FlaskClient, page: str) -> None:
    """Not a server error, not silently the first page: a sentence."""
    answer = client.get("/search", query_string={"q": "a", "page": page})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


@pytest.mark.parametrize(
    "query", ['"', "*", "a AND", "NEAR(", "(", "col:x", "\x00", "%00", HOSTILE, "ß" * 100, "'; DROP"]
)
def test_no_query_breaks_the_search(anybody: Visitor, services: Services, tmp_path: Path, query: str) -> None:
    """What people type is never syntax, and comes back escaped."""
    publish_wheel(services, tmp_path, "looms")
    answer = anybody.client.get("/search", query_string={"q": query}, headers=BROWSER)
    assert answer.status_code == 200
    assert "<img" not in answer.text.replace('<img src="/static/', "")


def test_a_query_too_long_is_refused(client: FlaskClient) -> None:
    """With the number of characters that are taken."""
    answer = client.get("/search", query_string={"q": "a" * 201})
    assert answer.status_code == 400
    assert "at most 200" in answer.get_json()["detail"]


# -- marks


def test_what_was_looked_for_is_marked(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """In the name, also in its middle, in the summary, and in a passage where only the description has it."""
    publish_wheel(services, tmp_path, "aioloom", summary="Looms <b>quickly</b>.")
    publish_wheel(services, tmp_path, "tome", summary="A book.", description="It speaks of *looms* & <3 <i>more</i>")
    page = anybody.get("/search?q=loom").text
    assert '<span class="name">aio<mark>loom</mark></span>' in page
    assert "<mark>Loom</mark>s &lt;b&gt;quickly&lt;/b&gt;." in page
    assert "It speaks of <mark>loom</mark>s &amp; &lt;3 more" in page


def test_of_a_mistake_what_was_found_is_marked(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """The words that were looked for instead."""
    publish_wheel(services, tmp_path, "looms")
    assert "<mark>looms</mark>" in anybody.get("/search?q=loosm").text


# -- filters and order


@pytest.fixture
def varied(services: Services, tmp_path: Path) -> None:
    """Three projects that differ."""
    for name, expression, python in (("loom-a", "MIT", ">=3.9"), ("loom-b", "MIT", ">=3.13"), ("loom-c", "ISC", "")):
        metadata = core_metadata(
            name, metadata_version="2.4", requires_python=python or None,
            extra_headers=[f"License-Expression: {expression}", "Classifier: Framework :: Django :: 5.2"],
        )  # fmt: skip
        publish(services, build_wheel(tmp_path, name, metadata=metadata))


@pytest.mark.usefixtures("varied")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("license=mit", ["loom-b", "loom-a"]),
        ("license=MIT&sort=name", ["loom-a", "loom-b"]),
        ("python=3.12", ["loom-c", "loom-a"]),
        ("q=loom&python=3.12&license=ISC", ["loom-c"]),
        ("classifier=Framework+::+Django", ["loom-c", "loom-b", "loom-a"]),
        ("classifier=Framework+::+Django&classifier=Typing+::+Typed", []),
        ("has_wheel=true&yanked=false&status=active&q=loom-b", ["loom-b"]),
        ("has_wheel=false", []),
        ("yanked=true", []),
        ("status=archived", []),
    ],
)
def test_the_address_says_what_is_filtered(client: FlaskClient, query: str, names: list[str]) -> None:
    """In JSON as on the page."""
    assert [hit["name"] for hit in client.get(f"/search?{query}").get_json()["results"]] == names
    page = client.get(f"/search?{query}", headers=BROWSER).text
    assert re.findall(r'<h2><a href="/project/([^/]+)/"', page) == names


@pytest.mark.usefixtures("varied")
def test_filters_are_shown_and_can_be_removed(anybody: Visitor) -> None:
    """Each is a link to the same search without it, and the form keeps them."""
    page = anybody.get("/search?q=loom&license=MIT&python=3.12&classifier=Framework+::+Django&sort=name").text
    links = dict(re.findall(r'<a href="([^"]+)" aria-label="Remove the filter ([^"]+)"', page))
    assert {words: link.replace("&amp;", "&") for link, words in links.items()} == {
        "Licence: MIT": "/search?q=loom&sort=name&classifier=Framework+::+Django&python=3.12",
        "Python 3.12": "/search?q=loom&sort=name&classifier=Framework+::+Django&license=MIT",
        "Framework :: Django": "/search?q=loom&sort=name&license=MIT&python=3.12",
    }
    assert "<option selected>3.12</option>" in page
    assert '<input type="hidden" name="classifier" value="Framework :: Django">' in page


@pytest.mark.usefixtures("varied")
def test_what_a_form_leaves_empty_is_not_in_the_address(anybody: Visitor) -> None:
    """Without scripts a browser sends every field; it is led to the address that says what was chosen."""
    answer = anybody.get("/search?q=loom&sort=name&python=&license=MIT&has_wheel=&yanked=&status=&classifier=")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/search?q=loom&sort=name&license=MIT")


@pytest.mark.parametrize(
    "query",
    ["sort=size", "python=4", "python=3", "has_wheel=1", "yanked=yes", "status=quarantined", "colour=red",
     "q=a&q=b", "&".join(f"classifier={number}" for number in range(6)), "license=" + "x" * 121],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(client: FlaskClient, query: str) -> None:
    """With a sentence that names what may be."""
    answer = client.get(f"/search?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert client.get(f"/search?{query}", headers=BROWSER).status_code == 400


def test_hostile_filters_are_only_text(anybody: Visitor) -> None:
    """They come back escaped."""
    for name in ("license", "classifier", "q"):
        page = anybody.client.get("/search", query_string={name: HOSTILE[:100]}, headers=BROWSER)
        assert page.status_code == 200
        assert "<img" not in page.text.replace('<img src="/static/', "")
        assert "<script>alert" not in page.text


def test_nothing_fits_is_said_with_what_to_do(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Other words than for an empty server, and the filters are to blame where there are any."""
    assert "There are no projects yet" in anybody.get("/search").text
    publish_wheel(services, tmp_path, "loom")
    assert "Nothing fits <strong><bdi>zzz</bdi></strong>." in anybody.get("/search?q=zzz").text
    assert "with these filters" in anybody.get("/search?q=loom&license=MIT").text


def test_what_may_have_been_meant(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Where only a description makes the same mistake; filters and order stay."""
    publish_wheel(services, tmp_path, "looms")
    publish_wheel(services, tmp_path, "tome", description="All about loosm.")
    assert 'Did you mean <a href="/search?q=looms"><bdi>looms</bdi></a>?' in anybody.get("/search?q=loosm").text
    filtered = anybody.get("/search?q=loosm&has_wheel=true&sort=name").text
    assert 'Did you mean <a href="/search?q=looms&amp;sort=name&amp;has_wheel=true">' in filtered


def test_a_yanked_project_says_so(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """Before somebody opens it."""
    publish_wheel(services, tmp_path, "looms")
    services.manager.yank(MAIN, NormalizedName("looms"), "1.0", None, "", by=TESTER)
    assert '<span class="badge bad">yanked</span>' in anybody.get("/search?q=looms").text


# -- near names on a page that is not there


def test_a_project_that_is_not_there_has_neighbours(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """The 404 page names what is near; nothing where nothing is."""
    publish_wheel(services, tmp_path, "looms", summary="Weaves.")
    answer = anybody.get("/project/lomos/")
    assert answer.status_code == 404
    assert '<a href="/project/looms/" class="name">looms</a>' in answer.text
    assert "Did you mean" not in anybody.get("/project/zzzzzz/").text
    assert 'href="/search?q=zzzzzz">Search for' in anybody.get("/project/zzzzzz/").text
    services.manager.set_status(MAIN, NormalizedName("looms"), ProjectStatus.QUARANTINED, None, by=TESTER)
    assert "Did you mean" not in anybody.get("/project/lomos/").text


def test_who_may_not_list_is_told_of_no_neighbours(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """On a closed index, a token for one project ends at that name; its owner may look around."""
    closed = open_server(auth_require="list")
    closed.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    publish_wheel(closed, tmp_path, "looms")
    token, _ = closed.tokens.create_token("bob", "ci", Limits(scopes=["read"], projects=["lomos"]), by=TESTER)
    client = create_app(closed).test_client()
    answers = {
        who: client.get("/project/lomos/", headers={**BROWSER, **header}).text
        for who, header in {"bob": basic("bob"), "token": basic("__token__", token.text), "nobody": {}}.items()
    }
    assert "looms" in answers["bob"]
    assert "There is no project" in answers["token"]
    assert "looms" not in answers["token"] + answers["nobody"]
