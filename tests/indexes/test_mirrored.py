"""The page of a project that an upstream gives."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from errors import InvalidSetting
from indexes.manager import NewUpstream
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.upstream.conftest import a_wheel
from tests.upstream.fake_upstream import FakeFile, FakeUpstream, fake_upstream

BROWSER = {"Accept": "text/html"}
METADATA = b"""Metadata-Version: 2.1
Name: demo-pkg
Version: 1.0
Summary: Looms & <b>more</b>
Requires-Dist: yarn>=2
Project-URL: Source, https://index.example.com/source
Project-URL: Bad, javascript:alert(1)

# A <script>alert(1)</script> loom
"""


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """An upstream with demo-pkg 0.9 and 1.0."""
    with fake_upstream() as made:
        made.add("demo-pkg", a_wheel("0.9"), a_wheel("1.0", metadata=METADATA))
        yield made


@pytest.fixture
def client(open_server: Callable[..., Services], upstream: FakeUpstream) -> FlaskClient:
    """A server that caches it."""
    services = open_server(upstream_url=upstream.url, upstream_allow_private="true")
    services.indexes.keep("main", "acme-*", by=TESTER)
    return create_app(services).test_client()


def test_it_says_what_the_project_is_and_whence(client: FlaskClient) -> None:
    """With the latest release's own words, its files and all versions; nothing of a stranger's acts."""
    page = client.get("/project/demo-pkg/", headers=BROWSER)
    assert page.status_code == 200
    for part in (
        "from an upstream", "Looms &amp; &lt;b&gt;more", "yarn&gt;=2", "https://index.example.com/source",
        "<li>0.9</li>",
        'href="/packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl"', "&lt;script&gt;alert(1)",
    ):  # fmt: skip
        assert part in page.text, part
    assert "javascript:" not in page.text


def test_an_offline_server_looks_no_name_up(
    open_server: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind an air gap nobody answers that, so it would hold up every start; an address is refused all the same."""

    def asked(*arguments: object) -> None:
        raise AssertionError(arguments)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    services = open_server(upstream_url="https://index.example.com/simple/", offline="true")
    assert [one.upstream for one in services.at().reader.upstreams] == ["settings"]
    with pytest.raises(InvalidSetting):
        open_server(upstream_url="https://127.0.0.1/simple/", offline="true")


def test_a_kept_or_unknown_name_has_none(client: FlaskClient, upstream: FakeUpstream) -> None:
    """And a kept one is not asked for."""
    assert client.get("/project/acme-tool/", headers=BROWSER).status_code == 404
    assert upstream.paths(".*acme.*") == []
    assert client.get("/project/absent/", headers=BROWSER).status_code == 404


@pytest.mark.parametrize("spelled", ["Acme_Tool", "acme.tool", "ACME-TOOL", "acme--tool", "..acme-tool", "a" * 300])
@pytest.mark.parametrize("ending", ["", ".metadata"])
def test_another_spelling_asks_nobody_for_a_file(
    client: FlaskClient, upstream: FakeUpstream, spelled: str, ending: str
) -> None:
    """The upstream learns no private name by one, and no file of its own is served under it."""
    upstream.add("acme-tool", a_wheel("9.0", name="acme-tool"))
    address = f"/packages/{spelled}/acme_tool-9.0-py3-none-any.whl{ending}"
    assert client.get(address).status_code == 404
    assert upstream.paths(".*") == []


def test_an_upstream_that_is_down_is_said_to_be(client: FlaskClient, upstream: FakeUpstream) -> None:
    """What is known of it is shown, with how old it is; what is not is no unknown project."""
    assert client.get("/project/demo-pkg/", headers=BROWSER).status_code == 200
    upstream.misbehave(".*", status=500)
    assert client.get("/project/other/", headers=BROWSER).status_code == 503


def test_metadata_that_cannot_be_had_is_left_out(client: FlaskClient, upstream: FakeUpstream) -> None:
    """The page tells the rest."""
    upstream.add("bare", FakeFile("bare-1.0.tar.gz", b"no metadata"))
    page = client.get("/project/bare/", headers=BROWSER)
    assert (page.status_code, "bare-1.0.tar.gz" in page.text) == (200, True)


def test_mirrors_read_it_in_the_older_json(client: FlaskClient) -> None:
    """The latest release and each one by its version, with files at this server's own addresses."""
    latest = client.get("/pypi/demo-pkg/json").json
    assert latest is not None
    assert (latest["info"]["version"], latest["info"]["summary"]) == ("1.0", "Looms & <b>more</b>")
    assert set(latest["releases"]) == {"0.9", "1.0"}
    assert latest["urls"][0]["url"].endswith("/packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl")
    older = client.get("/pypi/demo-pkg/0.9.0/json").json
    assert older is not None
    assert older["info"]["version"] == "0.9"
    for path in ("/pypi/absent/json", "/pypi/demo-pkg/2.0/json", "/pypi/demo-pkg/x/json", "/pypi/acme-tool/json"):
        assert client.get(path).status_code == 404, path


def test_an_upstream_of_an_index_that_somebody_may_not_read_fails_without_its_address(
    open_server: Callable[..., Services], upstream: FakeUpstream
) -> None:
    """On every way to a project; whoever may read the index is told which upstream it was."""
    services = open_server(auth_enabled="true")
    services.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    services.indexes.create("secret", by=TESTER)
    services.indexes.set_upstreams("secret", [NewUpstream(upstream.url, allow_private=True)], by=TESTER)
    services.indexes.set_bases("main", ["secret"], by=TESTER)
    upstream.misbehave(".*", status=500)
    client = create_app(services).test_client()
    for path in (
        "/simple/demo-pkg/", "/packages/demo-pkg/x.whl", "/project/demo-pkg/", "/api/why?project=demo-pkg",
        "/pypi/demo-pkg/json",
    ):  # fmt: skip
        assert upstream.url not in client.get(path).text, path
        assert upstream.url in client.get(path, headers=basic("alice")).text, path
    assert client.get("/simple/demo-pkg/").status_code == 503
