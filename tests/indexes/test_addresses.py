"""What is at /simple/ of main is at /index/<name>/simple/ of another index, for those who may read it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from werkzeug.test import Client, TestResponse

from errors import InvalidRequest
from people.rights import Holder
from server import create_wsgi
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_wheel
from tests.multipart_form import upload

J = "application/vnd.pypi.simple.v1+json"
READ_BY_PROGRAMS = (
    "/simple/beta/",
    "/packages/beta/beta-1.0-py3-none-any.whl",
    "/pypi/beta/json",
    "/api/packages/beta",
)


@pytest.fixture
def dev(secured: Services, tmp_path: Path) -> Iterator[Client]:
    """A server with main (alpha 1.0) and the closed index dev (beta 1.0), of which bob is a maintainer."""
    secured.indexes.create("dev", "Development", by=TESTER)
    secured.rights.grant("dev", None, Holder("bob"), "maintainer", by=TESTER)
    secured.users.create_user("carol", PASSWORDS["carol"], by=TESTER)
    front = create_wsgi(secured)
    client = Client(front)
    assert upload(client, build_wheel(tmp_path, "alpha"), headers=basic("bob")).status_code == 200
    answer = upload(client, build_wheel(tmp_path, "beta"), to="/index/dev/upload", headers=basic("bob"))
    assert answer.status_code == 200, answer.text
    yield client
    front.close()


def get(client: Client, path: str, who: str | None = None, accept: str = f"{J}, */*;q=0.1") -> TestResponse:
    """Ask for a page, as somebody."""
    return client.get(path, headers={"Accept": accept, **(basic(who) if who else {})})


def test_an_index_has_pages_files_and_uploads_of_its_own(dev: Client) -> None:
    """And what is on one is not on another."""
    page = get(dev, "/index/dev/simple/beta/", "bob")
    assert page.status_code == 200
    assert page.json is not None
    (file,) = page.json["files"]
    assert file["url"] == "../../packages/beta/beta-1.0-py3-none-any.whl"
    whole = get(dev, "/index/dev/packages/beta/beta-1.0-py3-none-any.whl", "bob")
    assert (whole.status_code, len(whole.data)) == (200, file["size"])
    assert get(dev, "/index/dev/packages/beta/beta-1.0-py3-none-any.whl.metadata", "bob").status_code == 200
    for path in ("/simple/beta/", "/packages/beta/beta-1.0-py3-none-any.whl", "/index/dev/simple/alpha/"):
        assert get(dev, path, "bob").status_code == 404


def test_main_is_an_index_like_the_others(dev: Client) -> None:
    """Its pages are at both addresses."""
    assert get(dev, "/index/main/simple/alpha/").data == get(dev, "/simple/alpha/").data


@pytest.mark.parametrize(
    "path",
    [
        "/simple/", "/simple/beta/", "/packages/beta/beta-1.0-py3-none-any.whl", "/pypi/beta/json", "/project/beta/",
        "/api/packages/beta", "/search?q=beta", "/feeds/releases.atom", "/",
        "/packages/beta/beta-1.0-py3-none-any.whl.metadata", "/project/beta/statistics", "/api/stats",
        "/integrity/beta/1.0/beta-1.0-py3-none-any.whl/provenance", "/simple/absent/", "/project/beta/1.0/files",
    ],
)  # fmt: skip
def test_a_closed_index_is_read_by_those_with_a_role(dev: Client, path: str) -> None:
    """On every reading path: nobody is asked to sign in, carol (an uploader on main) is refused, bob gets it. An index
    that is not there is the same to both.
    """
    for place in ("/index/dev", "/index/absent"):
        nobody = get(dev, f"{place}{path}")  # pages for people send them to the login page
        assert nobody.status_code == 401 or nobody.location.startswith("/login?")
        assert get(dev, f"{place}{path}", "carol").status_code == 403
    expected = {"/simple/absent/": 404, "/integrity/beta/1.0/beta-1.0-py3-none-any.whl/provenance": 404}
    assert get(dev, f"/index/dev{path}", "bob").status_code == expected.get(path, 200)
    assert get(dev, f"/index/absent{path}", "alice").status_code == 404


def test_an_open_index_is_read_as_main_is(dev: Client, secured: Services) -> None:
    """By anybody, where main is; it takes files from those with a role on it."""
    secured.indexes.change("dev", closed=False, by=TESTER)
    assert get(dev, "/index/dev/simple/beta/").status_code == 200
    secured.indexes.change("dev", closed=True, by=TESTER)
    assert get(dev, "/index/dev/simple/beta/").status_code == 401


def test_uploads_need_a_role_on_the_index(dev: Client, tmp_path: Path) -> None:
    """An uploader on main is none elsewhere."""
    wheel = build_wheel(tmp_path, "gamma")
    assert upload(dev, wheel, to="/index/dev/upload", headers=basic("carol")).status_code == 403
    assert upload(dev, wheel, to="/index/dev/upload").status_code == 401
    assert upload(dev, wheel, to="/index/dev/upload", headers=basic("alice")).status_code == 200


def test_private_pages_are_for_no_shared_cache(dev: Client) -> None:
    """Those of a closed index, of a server whose main index anybody reads."""
    for path in (
        "/simple/beta/",
        "/packages/beta/beta-1.0-py3-none-any.whl",
        "/pypi/beta/json",
        "/feeds/releases.atom",
        "/feeds/projects/beta/releases.atom",
    ):
        headers = get(dev, f"/index/dev{path}", "bob").headers
        assert "private" in headers["Cache-Control"], path
        assert "Authorization" in headers["Vary"], path
        assert "private" not in get(dev, path.replace("beta", "alpha")).headers["Cache-Control"], path
    assert get(dev, "/index/dev/api/packages/beta", "bob").headers["Cache-Control"] == "no-store"
    assert get(dev, "/api/packages/alpha").headers["Cache-Control"] == "no-cache"


def test_what_comes_of_a_closed_base_is_for_no_shared_cache(dev: Client, secured: Services) -> None:
    """Though anybody reads the index that was asked."""
    secured.indexes.create("top", closed=False, by=TESTER)
    secured.indexes.set_bases("top", ["dev"], by=TESTER)
    for path in (*READ_BY_PROGRAMS, "/feeds/projects/beta/releases.atom"):
        caching = get(dev, f"/index/top{path}", "bob").headers["Cache-Control"]
        assert "private" in caching or caching == "no-store", path


def test_the_pages_of_an_index_link_to_each_other(dev: Client) -> None:
    """Projects and tabs stay on the index, accounts and style sheets are the server's."""
    page = get(dev, "/index/dev/project/beta/", "bob", "text/html").text
    assert 'href="/index/dev/project/beta/history"' in page
    assert 'href="/static/' in page
    assert "/index/dev/static" not in page
    assert "/index/dev/simple/" in page  # the install line


def test_what_is_of_no_index_is_at_its_own_address(dev: Client) -> None:
    """So there is one address for an account or an administrator's page."""
    assert get(dev, "/index/dev/account", "bob", "text/html").status_code == 404
    assert get(dev, "/index/dev/api/users", "alice").status_code == 404


@pytest.mark.parametrize("path", ["/index/DEV/simple/", "/index/../simple/", "/index//simple/", "/index/-/simple/"])
def test_no_other_spelling_is_an_index(dev: Client, path: str) -> None:
    """One index has one address."""
    assert get(dev, path, "alice").status_code == 404


def test_a_base_is_read_through_another_index_by_those_who_may(dev: Client, secured: Services) -> None:
    """dev shows main's projects; where the base is closed to somebody, its projects are not there for them."""
    secured.indexes.set_bases("dev", ["main"], by=TESTER)
    for path in (
        "/simple/alpha/",
        "/packages/alpha/alpha-1.0-py3-none-any.whl",
        "/pypi/alpha/json",
        "/api/packages/alpha",
    ):
        assert get(dev, f"/index/dev{path}", "bob").status_code == 200, path
    moved = get(dev, "/index/dev/project/alpha/", "bob", "text/html")
    assert (moved.status_code, moved.location) == (302, "/project/alpha/")
    secured.indexes.create("top", closed=False, by=TESTER)
    secured.indexes.set_bases("top", ["dev"], by=TESTER)
    for path in READ_BY_PROGRAMS:
        assert get(dev, f"/index/top{path}", "carol").status_code == 404, path
        assert get(dev, f"/index/top{path}", "bob").status_code == 200, path
        assert get(dev, f"/index/top{path}", "carol").status_code == 404, path
    listed = {who: get(dev, "/index/top/simple/", who).json for who in ("bob", "carol")}
    names = {who: [one["name"] for one in (page or {})["projects"]] for who, page in listed.items()}
    assert names == {"bob": ["alpha", "beta"], "carol": ["alpha"]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/integrity/{0}/1.0/{0}-1.0-py3-none-any.whl/provenance"),
        ("GET", "/api/packages/{0}/1.0/files/{0}-1.0-py3-none-any.whl/contents"),
        ("GET", "/api/packages/{0}?limit=wrong"),
        ("GET", "/pypi/{0}/wrong/json"),
        ("GET", "/feeds/projects/{0}/releases.atom"),
        ("GET", "/project/{0}/"),
        ("POST", "/api/packages/{0}/1.0/promote"),
    ],
)
def test_a_name_of_a_closed_base_is_as_one_that_nobody_has(
    dev: Client, secured: Services, method: str, path: str
) -> None:
    """Also where something else is wrong with the request: carol does not learn that there is a beta."""
    secured.indexes.create("top", closed=False, by=TESTER)
    secured.indexes.set_bases("top", ["dev"], by=TESTER)

    def told(name: str) -> tuple[int, str]:
        headers = {"Accept": "text/html", "X-Request-ID": "the-same-one", **basic("carol")}
        answer = dev.open(f"/index/top{path.format(name)}", method=method, json={"wrong": 1}, headers=headers)
        return answer.status_code, answer.text.replace(name, "NAME")

    assert told("beta") == told("zeta")


def test_a_token_for_one_index_is_for_no_other(dev: Client, secured: Services) -> None:
    """Reading a base through an index needs the right on the base, too."""
    from people.tokens import Limits

    secured.indexes.set_bases("dev", ["main"], by=TESTER)
    token, _ = secured.tokens.create_token("bob", "ci", Limits(index="dev"), by=TESTER)
    header = {"Authorization": "Basic " + base64.b64encode(f"__token__:{token.text}".encode()).decode()}
    assert dev.get("/index/dev/simple/beta/", headers=header).status_code == 200
    assert dev.get("/index/dev/simple/alpha/", headers=header).status_code == 200  # anybody reads main here
    secured.indexes.create("other", by=TESTER)
    assert dev.get("/index/other/simple/", headers=header).status_code == 403


def test_trusted_publishing_is_for_main(dev: Client, secured: Services) -> None:
    """Elsewhere nothing would trade a job's token: there is no tab for it, and adding one is refused."""
    fields = {"repository": "acme/tool", "workflow": "release.yml"}
    with pytest.raises(InvalidRequest, match="main only"):
        secured.publishers.add("dev", NormalizedName("beta"), "github", fields, by=TESTER, user_id=None)
    secured.rights.grant("dev", NormalizedName("beta"), Holder("bob"), "owner", by=TESTER)
    page = get(dev, "/index/dev/project/beta/", "bob", "text/html").text
    assert ">Settings</a>" in page
    assert ">Publishing</a>" not in page
