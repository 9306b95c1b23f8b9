"""The addresses that declared indexes share: the pair of an index's name and its secret says which is meant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName
from werkzeug.test import Client, TestResponse

from auth import Peer
from database.journal_reading import JournalFilter, stream
from people.rights import Holder
from people.tokens import Limits
from permissions import Permission, Where, allows
from server import create_wsgi
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_wheel
from tests.indexes.declared import A_READS, A_WRITES, B_READS, B_WRITES, THREE, pair
from tests.multipart_form import upload

J = {"Accept": "application/vnd.pypi.simple.v1+json"}
Open = Callable[..., Services]
FILE = "alpha-1.0-py3-none-any.whl"
CHALLENGE = 'Basic realm="pypi", charset="UTF-8"'
READ = ("/simple/", "/simple/alpha/", f"/simple/alpha/{FILE}", f"/packages/alpha/{FILE}", "/index_mtime/")


@pytest.fixture
def named(open_server: Open) -> Services:
    """A server with the three indexes; alice administers, bob uploads to main."""
    services = open_server(indexes_file=THREE, indexes_text=True)
    services.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    services.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    return services


@pytest.fixture
def client(named: Services, tmp_path: Path) -> Iterator[Client]:
    """A client of it; team-a has alpha 1.0, team-b another alpha 1.0 and beta 1.0."""
    with_front = front_of(named)
    made = next(with_front)
    for header, name, summary in ((A_WRITES, "alpha", "A's"), (B_WRITES, "alpha", "B's"), (B_WRITES, "beta", "")):
        answer = upload(made, build_wheel(tmp_path, name, summary=summary), headers=header)
        assert answer.status_code == 200, answer.text
    yield made
    next(with_front, None)


def front_of(services: Services) -> Iterator[Client]:
    """A client of a server's whole WSGI application."""
    front = create_wsgi(services)
    yield Client(front)
    front.close()


def get(client: Client, path: str, header: dict[str, str] | None = None, **more: str) -> TestResponse:
    """Ask for something, by the fast path where that takes it."""
    return client.get(path, headers={**J, **(header or {}), **more})


def by_flask(client: Client, path: str, header: dict[str, str]) -> TestResponse:
    """The same, not by the fast path, which takes no cookies."""
    return get(client, path, header, Cookie="other=1")


def test_the_pair_says_which_index_is_meant(client: Client) -> None:
    """One address, another page for each; the name in whatever case."""
    for header, names in ((A_READS, ["alpha"]), (B_READS, ["alpha", "beta"]), (pair("Team-A", "a reads"), ["alpha"])):
        page = get(client, "/simple/", header)
        assert page.json is not None
        assert [one["name"] for one in page.json["projects"]] == names
    files = [get(client, f"/packages/alpha/{FILE}", header).data for header in (A_READS, B_READS)]
    assert files[0] != files[1]
    assert get(client, "/simple/beta/", A_READS).status_code == 404
    assert get(client, "/simple/beta/", B_READS).status_code == 200


def test_files_are_also_where_an_older_server_had_them(client: Client) -> None:
    """Beside the project's page."""
    old, new = (get(client, f"/{place}/alpha/{FILE}", A_READS) for place in ("simple", "packages"))
    assert (old.status_code, old.data, old.headers["ETag"]) == (200, new.data, new.headers["ETag"])
    assert get(client, f"/simple/alpha/{FILE}.metadata", A_READS).status_code == 200


@pytest.mark.parametrize("path", ["/upload", "/upload/", "/legacy/", "/legacy", "/simple/", "/"])
def test_uploads_go_to_the_index_of_the_pair(client: Client, named: Services, tmp_path: Path, path: str) -> None:
    """At every address that takes them; the secret to read with does not upload."""
    wheel = build_wheel(tmp_path, "gamma")
    refused = upload(client, wheel, to=path, headers=A_READS)
    assert refused.status_code == 403
    assert "upload with the index's secret for that" in refused.text
    assert upload(client, wheel, to=path, headers=A_WRITES).status_code == 200
    assert get(client, "/simple/gamma/", A_WRITES).status_code == 200
    assert get(client, "/simple/gamma/", B_READS).status_code == 404
    (row,) = stream(named.database, JournalFilter(filename=wheel.name))
    assert (row.actor, row.index) == ("index:team-a", "team-a")


def test_what_is_no_pair_is_asked_for_one(client: Client, named: Services) -> None:
    """Nothing, people, tokens, unknown names, wrong secrets, those of another index: one 401 for all."""
    token, _ = named.tokens.create_token("alice", "ci", Limits(), by=TESTER)
    none: list[dict[str, str]] = [
        {}, {"Authorization": f"Bearer {token.text}"}, {"Authorization": "Basic !"}, pair("team-a", ""),
    ]  # fmt: skip
    wrong = [
        basic("alice"), pair("__token__", token.text), pair("absent", "a reads"), pair("team-a", "wrong"),
        pair("team-a", "b reads"), pair("main", "a reads"), pair("prod", "a writes"), pair("team-a", "a reads "),
    ]  # fmt: skip
    for path in READ:
        for header in (*none, *wrong):
            answer = get(client, path, header)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, CHALLENGE), (path, header)
    said = {get(client, "/simple/alpha/", header).text for header in wrong}
    assert said == {"The name or the secret of the index is wrong; check both.\n"}
    asked = {get(client, "/simple/", header).text for header in (none[0], none[1], none[3])}
    assert asked == {"This address asks for the name of an index and its secret; send them as username and password.\n"}


def test_a_pair_is_good_at_its_own_index_and_nowhere_else(client: Client) -> None:
    """At the index's own address as at the shared one, for reading and uploading; nor at another's, nor for what is of
    no index.
    """
    assert get(client, "/index/team-a/simple/alpha/", A_WRITES).status_code == 200
    for path in (
        "/index/team-b/simple/",
        "/index/main/simple/",
        "/api/packages",
        "/api/users",
        "/index/team-a/api/packages",
    ):
        assert get(client, path, A_WRITES).status_code == 401, path
    assert get(client, "/index/team-a/simple/alpha/", pair("team-a", "b reads")).status_code == 401


def test_people_read_and_upload_at_an_indexs_own_address(client: Client, named: Services, tmp_path: Path) -> None:
    """By their roles, on main as well."""
    named.rights.grant("team-a", None, Holder("bob"), "uploader", by=TESTER)
    assert get(client, "/index/team-a/simple/alpha/", basic("bob")).status_code == 200
    assert get(client, "/index/team-b/simple/alpha/", basic("bob")).status_code == 403
    wheel = build_wheel(tmp_path, "delta")
    assert upload(client, wheel, to="/index/main/upload", headers=basic("bob")).status_code == 200
    assert get(client, "/index/main/simple/delta/", basic("bob")).status_code == 200
    page = get(client, "/project/delta/", basic("bob"), Accept="text/html").text
    assert "/index/main/simple/" in page
    assert "localhost/simple/" not in page


def test_who_uploads_by_a_secret_owns_nothing(client: Client, named: Services, tmp_path: Path) -> None:
    """Even where a person is called like the index; and it adds to what a person owns."""
    named.users.create_user("team-a", PASSWORDS["carol"], by=TESTER)
    assert upload(client, build_wheel(tmp_path, "gamma"), headers=A_WRITES).status_code == 200
    assert not named.readers.rights.ground("team-a", NormalizedName("gamma")).owners
    named.rights.grant("team-a", None, Holder("bob"), "uploader", by=TESTER)
    wheel = build_wheel(tmp_path, "delta")
    assert upload(client, wheel, to="/index/team-a/upload", headers=basic("bob")).status_code == 200
    assert named.readers.rights.ground("team-a", NormalizedName("delta")).owners == ("bob",)
    assert upload(client, build_wheel(tmp_path, "delta", "2.0"), headers=A_WRITES).status_code == 200


def test_a_secret_reads_and_uploads_and_nothing_more(named: Services) -> None:
    """On its own index only."""
    assert named.pairs is not None
    good = named.pairs.find("team-a", "a writes")
    assert good is not None
    identity = named.pairs.identity(good)
    may = {one for one in Permission if allows(identity, one, Where("team-a", "alpha", closed=True))}
    assert may == {Permission.LIST, Permission.DOWNLOAD, Permission.UPLOAD}
    for place in (Where("team-b", "alpha", closed=True), Where("team-b", "alpha")):
        assert not {one for one in Permission if allows(identity, one, place)} - named.authenticator.nobody.public


def test_an_index_is_read_through_another_where_it_is_open(client: Client, named: Services) -> None:
    """prod has team-a as its base; while that is closed, its projects are not there for who has prod's secret."""
    reads = pair("prod", "p reads")
    for _ in range(2):  # by Flask first, then by the fast path
        assert get(client, "/simple/alpha/", reads).status_code == 404
    named.indexes.change("team-a", closed=False, by=TESTER, declaring=True)
    for _ in range(2):
        answer = get(client, "/simple/alpha/", reads)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-cache")
    named.indexes.change("team-a", closed=True, by=TESTER, declaring=True)
    assert get(client, "/simple/alpha/", reads).status_code == 404


@pytest.mark.parametrize(
    "path", ["/simple/", "/simple/alpha/", "/simple/absent/", *READ[2:4], "/packages/alpha/absent"]
)
@pytest.mark.parametrize("closed", [True, False])
def test_the_fast_path_answers_as_flask_does(client: Client, named: Services, path: str, *, closed: bool) -> None:
    """To the byte, for each index; and no cache on the way may keep it, since the next pair gets another answer."""
    for name in ("team-a", "team-b"):
        named.indexes.change(name, closed=closed, by=TESTER, declaring=True)
    for header in (A_READS, B_READS, A_WRITES):
        slow = by_flask(client, path, header)
        fast = get(client, path, header)
        assert (fast.status, fast.data) == (slow.status, slow.data)
        without = {"x-request-id", "date"}
        headers = [
            sorted((key.lower(), value) for key, value in one.headers if key.lower() not in without)
            for one in (fast, slow)
        ]
        assert headers[0] == headers[1]
        if fast.status_code == 200:
            assert "private" in fast.headers["Cache-Control"]
            assert "Authorization" in fast.headers["Vary"]


def test_the_fast_path_serves_pairs(client: Client) -> None:
    """Once a pair was found good; a request of Flask's would be counted otherwise."""
    get(client, "/simple/alpha/", A_READS)
    before = fast_answers(client)
    for path in ("/simple/", "/simple/alpha/", f"/packages/alpha/{FILE}", f"/simple/alpha/{FILE}"):
        assert get(client, path, A_READS).status_code == 200
    assert fast_answers(client) - before == 4


def fast_answers(client: Client) -> int:
    """How many answers of 200 came by the fast path."""
    front: Any = client.application
    samples = (sample for family in front.registry.collect() for sample in family.samples)
    of_200 = {"status": "200"}
    return sum(
        int(one.value) for one in samples if one.name == "pypi_clone_fast_requests_total" and one.labels == of_200
    )


def test_checked_pairs_are_believed_for_as_long_as_set(named: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """For reading longer than for uploading; a change of what the indexes are ends it."""
    pairs = named.pairs
    assert pairs is not None
    header, peer = A_WRITES["Authorization"], Peer("192.0.2.1")
    assert pairs.remembered(header) is None
    pairs.authenticate(header, peer)
    began = time.monotonic()
    for after, reading, writing in ((10, True, True), (301, True, False), (3601, False, False)):
        monkeypatch.setattr(time, "monotonic", lambda after=after: began + after)
        assert (pairs.remembered(header) is not None) is reading
        assert (pairs.remembered(header, writing=True) is not None) is writing
    monkeypatch.undo()
    assert pairs.remembered(header) is not None
    named.indexes.change("prod", title="Of the customers", by=TESTER, declaring=True)
    assert pairs.remembered(header) is None


def test_wrong_secrets_are_slowed_down(client: Client) -> None:
    """For that index from that address; who was right there before goes on, and so does a person of the same name."""
    assert get(client, "/simple/", B_READS).status_code == 200
    for guess in range(10):
        assert get(client, "/simple/", pair("team-a", f"guess {guess}")).status_code == 401
    waiting = get(client, "/simple/", pair("team-a", "a writes, or another guess"))
    assert waiting.status_code == 429
    assert int(waiting.headers["Retry-After"]) > 0
    assert get(client, "/simple/", A_READS).status_code == 429
    assert get(client, "/simple/", B_READS).status_code == 200
    for guess in range(60):
        get(client, "/simple/", pair(f"name{guess}", "guess"))
    assert get(client, "/simple/", pair("prod", "p reads")).status_code == 429


def test_an_empty_secret_is_no_guess(client: Client) -> None:
    """uv asks so before it looks into its keyring; and a secret that was left out is nobody's."""
    for _ in range(20):
        assert get(client, "/simple/", pair("team-a", "")).status_code == 401
    assert get(client, "/simple/", A_READS).status_code == 200
    assert upload_refused(client, pair("prod", ""))


def upload_refused(client: Client, header: dict[str, str]) -> bool:
    """Whether these credentials may not upload."""
    return client.post("/upload", headers=header).status_code == 401


def test_without_a_file_the_addresses_are_those_of_main(client: Client, open_server: Open, tmp_path: Path) -> None:
    """And the older addresses of uploads and files serve it, too."""
    plain = open_server(data_dir=str(tmp_path / "plain"))
    with_front = front_of(plain)
    other = next(with_front)
    assert upload(other, build_wheel(tmp_path, "alpha"), to="/simple/").status_code == 200
    for path in READ:
        assert get(other, path).status_code == 200
    assert get(other, "/index_mtime/").text == "0"
    next(with_front, None)
