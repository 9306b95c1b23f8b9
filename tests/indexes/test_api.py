"""Indexes by API: who makes and changes them, who is told of them, what is never told, promotion and opening."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName
from werkzeug.test import Client, TestResponse

from people.rights import Holder
from server import create_wsgi
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_sdist, build_wheel
from tests.indexes.test_promotion import put

SAMPLE = NormalizedName("sample")
UPSTREAM = "https://index.example.com/simple/"
SECRET = "an upstream's secret"


@pytest.fixture
def site(secured: Services, tmp_path: Path) -> Iterator[Client]:
    """main, and the closed indexes dev (sample 1.0; bob is its maintainer) and prod (which carol reads).

    alice administers; dave has an account and no role.
    """
    for name in ("carol", "dave"):
        secured.users.create_user(name, PASSWORDS[name], by=TESTER)
    for name, title in (("dev", "Development"), ("prod", "Production")):
        secured.indexes.create(name, title, by=TESTER)
    secured.rights.grant("dev", None, Holder("bob"), "maintainer", by=TESTER)
    secured.rights.grant("prod", None, Holder("carol"), "reader", by=TESTER)
    for path in (build_wheel(tmp_path), build_sdist(tmp_path)):
        put(secured, "dev", path)
    front = create_wsgi(secured)
    yield Client(front)
    front.close()


def ask(client: Client, method: str, path: str, who: str | None = None, body: Any = None) -> TestResponse:
    """Ask the API something, as somebody."""
    return client.open(path, method=method, json=body, headers=basic(who) if who else {})


def document(client: Client, method: str, path: str, body: Any = None, who: str = "alice") -> Any:
    """What the API answers to somebody who may."""
    answer = ask(client, method, path, who, body)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json


def names(client: Client, who: str | None) -> list[str]:
    """The indexes that somebody is told of."""
    return [one["name"] for one in (ask(client, "GET", "/api/indexes", who).json or {})["indexes"]]


# -- indexes


def test_an_index_is_made_changed_and_deleted(site: Client) -> None:
    """By an administrator; each answer is the index as it is then, and is what GET tells."""
    made = document(site, "POST", "/api/indexes", {"name": "staging", "title": "Tried out"})
    assert (made["name"], made["title"], made["closed"], made["bases"], made["files"]) == (
        "staging", "Tried out", True, [], 0,
    )  # fmt: skip
    changed = document(site, "PATCH", "/api/indexes/staging", {"closed": False, "title": ""})
    assert (changed["title"], changed["closed"]) == ("", False)
    based = document(site, "PUT", "/api/indexes/staging/bases", {"bases": ["dev", "main"]})
    assert based["bases"] == ["dev", "main"]
    assert document(site, "GET", "/api/indexes/staging") == based
    assert document(site, "DELETE", "/api/indexes/staging") == {"deleted": "staging"}
    assert ask(site, "GET", "/api/indexes/staging", "alice").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/indexes", {"name": "more"}),
        ("PATCH", "/api/indexes/dev", {"title": "Mine"}),
        ("DELETE", "/api/indexes/prod", None),
        ("PUT", "/api/indexes/dev/bases", {"bases": ["prod"]}),
        ("PUT", "/api/indexes/dev/upstreams", {"upstreams": []}),
        ("GET", "/api/indexes/dev/kept", None),
        ("PUT", "/api/indexes/dev/kept", {"pattern": "acme-*"}),
        ("DELETE", "/api/indexes/dev/kept", {"pattern": "acme-*"}),
        ("GET", "/api/kept", None),
        ("PUT", "/api/kept", {"pattern": "acme-*"}),
        ("DELETE", "/api/kept", {"pattern": "acme-*"}),
    ],
)
def test_indexes_are_managed_by_administrators(site: Client, method: str, path: str, body: Any) -> None:
    """Not by who looks after the index, and by nobody."""
    assert ask(site, method, path, None, body).status_code == 401
    assert ask(site, method, path, "bob", body).status_code == 403


def test_what_clashes_is_refused(site: Client, secured: Services) -> None:
    """A name that is taken, an index that holds files or is a base, main, an index below itself, an unknown base."""
    assert ask(site, "POST", "/api/indexes", "alice", {"name": "dev"}).status_code == 409
    assert ask(site, "DELETE", "/api/indexes/dev", "alice").status_code == 409
    assert ask(site, "DELETE", "/api/indexes/main", "alice").status_code == 409
    assert ask(site, "PATCH", "/api/indexes/main", "alice", {"closed": True}).status_code == 409
    document(site, "PUT", "/api/indexes/dev/bases", {"bases": ["prod"]})
    assert ask(site, "DELETE", "/api/indexes/prod", "alice").status_code == 409
    assert ask(site, "PUT", "/api/indexes/prod/bases", "alice", {"bases": ["dev"]}).status_code == 400
    assert ask(site, "PUT", "/api/indexes/prod/bases", "alice", {"bases": ["none"]}).status_code == 404
    for bad in ("Dev", "a..b", "-a", "a/b", ""):
        assert ask(site, "POST", "/api/indexes", "alice", {"name": bad}).status_code == 400
    assert list(secured.registry.all()) == ["main", "dev", "prod"]


def test_an_index_is_told_to_those_who_may_read_it(site: Client) -> None:
    """Its name, its title and that it is a base; one that may not be read is as one that is not there."""
    assert names(site, None) == names(site, "dave") == ["main"]
    assert names(site, "bob") == ["main", "dev"]
    assert names(site, "carol") == ["main", "prod"]
    assert names(site, "alice") == ["main", "dev", "prod"]
    for path in ("/api/indexes/dev", "/api/indexes/absent", "/api/why?project=x&index=dev"):
        assert ask(site, "GET", path).status_code == 401
        assert ask(site, "GET", path, "carol").status_code == 403
    document(site, "PUT", "/api/indexes/prod/bases", {"bases": ["dev", "main"]})
    assert document(site, "GET", "/api/indexes/prod", who="carol")["bases"] == ["main"]


def test_nobody_is_asked_to_sign_in_where_nothing_may_be_read(open_server: Any) -> None:
    """On a server that is read by those who sign in only, the list is, too."""
    services = open_server(auth_require="list,download,update")
    front = create_wsgi(services)
    assert Client(front).get("/api/indexes").status_code == 401
    front.close()


def test_what_names_its_index_is_at_one_address(site: Client) -> None:
    """The list of indexes, or who answers on one, is of no index."""
    for path in ("/api/indexes", "/api/indexes/dev", "/api/why?project=x"):
        assert ask(site, "GET", f"/index/dev{path}", "alice").status_code == 404
        assert ask(site, "GET", path, "alice").status_code == 200


# -- upstreams


def test_a_password_is_told_to_nobody(site: Client, secured: Services) -> None:
    """Neither by the answer nor in the journal or the database's rows; a name to sign in with to administrators."""
    body = {"upstreams": [{"url": UPSTREAM, "username": "robot", "password": SECRET, "mode": "redirect"}]}
    answer = ask(site, "PUT", "/api/indexes/dev/upstreams", "alice", body)
    assert answer.status_code == 200, answer.text
    (told,) = (answer.json or {})["upstreams"]
    assert (told["url"], told["mode"], told["username"], told["has_password"]) == (UPSTREAM, "redirect", "robot", True)
    (to_bob,) = document(site, "GET", "/api/indexes/dev", who="bob")["upstreams"]
    assert (to_bob["url"], to_bob["username"], to_bob["has_password"], to_bob["allow_private"]) == (
        UPSTREAM, None, None, None,
    )  # fmt: skip
    (row,) = secured.at("dev").row.upstreams
    assert secured.indexes.password_of(row) == SECRET
    for text in (answer.text, ask(site, "GET", "/api/journal", "alice").text, repr(row)):
        assert SECRET not in text


@pytest.mark.parametrize(
    "upstream",
    [
        {"url": "https://robot:a-secret@index.example.com/simple/"},
        {"url": "https://robot:a-secret@[bad/"},
        {"url": UPSTREAM, "username": "robot", "password": "a-secret\n"},
    ],
)
def test_no_refusal_repeats_a_password(site: Client, upstream: dict[str, str]) -> None:
    """Logs of whoever sent it would keep it."""
    answer = ask(site, "PUT", "/api/indexes/dev/upstreams", "alice", {"upstreams": [upstream]})
    assert (answer.status_code, "a-secret" in answer.text) == (400, False)


def test_a_password_that_is_not_sent_stays(site: Client, secured: Services) -> None:
    """With the id under which pages are kept; an empty one takes it away."""
    place = "/api/indexes/dev/upstreams"
    one = {"url": UPSTREAM, "username": "robot"}
    document(site, "PUT", place, {"upstreams": [{**one, "password": SECRET}]})
    (before,) = secured.at("dev").row.upstreams
    document(site, "PUT", place, {"upstreams": [{**one, "mode": "redirect"}]})
    (after,) = secured.at("dev").row.upstreams
    assert (after.id, secured.indexes.password_of(after)) == (before.id, SECRET)
    document(site, "PUT", place, {"upstreams": [{**one, "password": ""}]})
    assert secured.indexes.password_of(secured.at("dev").row.upstreams[0]) == ""


def test_an_address_has_no_password_in_it(site: Client) -> None:
    """It would stand in the journal; so it is refused, also with half a character."""
    for url in ("https://robot:secret@index.example.com/simple/", "ftp://index.example.com/", "https://a b/"):
        body = {"upstreams": [{"url": url}]}
        assert ask(site, "PUT", "/api/indexes/dev/upstreams", "alice", body).status_code == 400
    raw = '{"upstreams": [{"url": "https://index.example.com/", "username": "\\ud800"}]}'
    headers = {**basic("alice"), "Content-Type": "application/json"}
    assert site.put("/api/indexes/dev/upstreams", data=raw, headers=headers).status_code == 400
    assert "secret@" not in ask(site, "GET", "/api/journal", "alice").text


# -- names that stay


def test_names_are_kept_and_released(site: Client, secured: Services) -> None:
    """On one index, or everywhere; the list has those of teams, too, and a name that is not kept is not released."""
    secured.rights.create_team("web", "", by=TESTER)
    secured.rights.set_pattern("dev", "web-*", "web", by=TESTER)
    kept = document(site, "PUT", "/api/indexes/dev/kept", {"pattern": "Acme_*"})
    assert (kept["index"], kept["pattern"], kept["team"], kept["by"]) == ("dev", "acme-*", None, "alice")
    document(site, "PUT", "/api/kept", {"pattern": "corp"})
    listed = document(site, "GET", "/api/indexes/dev/kept")["kept"]
    found = {(one["index"], one["pattern"], one["team"]) for one in listed}
    assert found == {("dev", "acme-*", None), (None, "corp", None), ("dev", "web-*", "web")}
    assert document(site, "GET", "/api/kept")["kept"] == listed
    assert [one["pattern"] for one in document(site, "GET", "/api/indexes/prod/kept")["kept"]] == ["corp"]
    assert "keeps names like acme-*" in document(site, "GET", "/api/why?project=acme-x&index=dev")["sentence"]
    released = document(site, "DELETE", "/api/indexes/dev/kept", {"pattern": "acme-*"})
    assert released == {"index": "dev", "released": "acme-*"}
    for path in ("/api/indexes/dev/kept", "/api/kept"):
        assert ask(site, "DELETE", path, "alice", {"pattern": "acme-*"}).status_code == 404
    assert ask(site, "PUT", "/api/indexes/absent/kept", "alice", {"pattern": "x"}).status_code == 404


# -- who answers


def test_why_tells_what_the_asker_may_read(site: Client) -> None:
    """The owner, its versions and what is shadowed; of an index that they may not read, nothing."""
    document(site, "PUT", "/api/indexes/prod/bases", {"bases": ["dev"]})
    found = document(site, "GET", "/api/why?project=Sample&version=1.0.0&index=prod")
    assert (found["project"], found["sentence"]) == ("sample", "sample 1.0.0 is answered by the index dev.")
    assert [(one["index"], one["verdict"], one["versions"]) for one in found["voices"]] == [
        ("prod", "knows nothing", []), ("dev", "answers", ["1.0"]),
    ]  # fmt: skip
    hidden = document(site, "GET", "/api/why?project=sample&index=prod", who="carol")
    assert [one["index"] for one in hidden["voices"]] == ["prod"]
    assert hidden["sentence"] == "prod has no sample."
    assert ask(site, "GET", "/api/why", "alice").status_code == 400
    assert ask(site, "GET", "/api/why?project=sample&version=1-x", "alice").status_code == 404


# -- promotion


def test_a_release_is_promoted(site: Client, secured: Services) -> None:
    """Copied, then, since it is there already, only taken off the first index; who promoted it owns it."""
    secured.rights.grant("prod", None, Holder("bob"), "uploader", by=TESTER)
    path = "/index/dev/api/packages/Sample/1.0.0/promote"
    files = ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]
    copied = document(site, "POST", path, {"to": "prod"}, who="bob")
    assert (sorted(copied["copied"]), copied["already_there"], copied["moved"]) == (files, [], False)
    moved = document(site, "POST", path, {"to": "prod", "move": True}, who="bob")
    assert (moved["copied"], sorted(moved["already_there"]), moved["moved"]) == ([], files, True)
    assert ask(site, "GET", "/index/dev/api/packages/sample", "bob").status_code == 404
    (role,) = document(site, "GET", "/index/prod/api/packages/sample/roles")["roles"]
    assert (role["user"], role["role"]) == ("bob", "owner")
    deleted = document(site, "GET", "/api/deletions?index=dev")["deletions"]
    assert [one["name"] for one in deleted] == ["sample"]
    assert document(site, "GET", "/api/deletions")["deletions"] == []
    assert len(document(site, "DELETE", f"/api/deletions/{deleted[0]['id']}?index=dev")["purged"]) == 2


def test_promoting_needs_rights_on_both_sides(site: Client, secured: Services) -> None:
    """To read here, to upload there, and to delete here where it is moved; else nothing is promoted."""
    path = "/index/dev/api/packages/sample/1.0/promote"
    secured.rights.grant("dev", None, Holder("dave"), "reader", by=TESTER)

    def status(who: str | None, **body: Any) -> int:
        return ask(site, "POST", path, who, {"to": "prod", **body}).status_code

    assert status(None) == 401
    assert status("carol") == 403  # reads prod only
    assert status("dave") == 403  # reads dev only
    secured.rights.grant("prod", None, Holder("dave"), "uploader", by=TESTER)
    assert status("dave", move=True) == 403  # may not delete on dev
    assert ask(site, "GET", "/index/prod/api/packages/sample", "alice").status_code == 404
    assert status("dave") == 200
    assert status("dave", to="absent") == status("dave", to="main", move=True) == 403
    assert status("alice", to="absent") == 404


def test_what_is_quarantined_is_not_promoted(site: Client) -> None:
    """It would be served from there."""
    document(site, "PUT", "/index/dev/api/packages/sample/status", {"status": "quarantined"})
    assert ask(site, "POST", "/index/dev/api/packages/sample/1.0/promote", "alice", {"to": "prod"}).status_code == 404


def test_a_clash_promotes_nothing(site: Client, secured: Services, tmp_path: Path) -> None:
    """Other bytes under the name of one of its files."""
    put(secured, "prod", build_wheel(tmp_path, summary="Another one."))
    answer = ask(site, "POST", "/index/dev/api/packages/sample/1.0/promote", "alice", {"to": "prod"})
    assert (answer.status_code, (answer.json or {})["type"]) == (409, "urn:pypi-clone:filename-taken")


# -- opening


def test_an_owner_opens_a_project(site: Client, secured: Services) -> None:
    """And closes it again; nobody else does, and there has to be one to be opened."""
    path = "/index/dev/api/packages/sample/open"
    assert ask(site, "PUT", path, "bob").status_code == 403
    secured.rights.grant("dev", SAMPLE, Holder("bob"), "owner", by=TESTER)
    assert document(site, "PUT", path, who="bob") == {"name": "sample", "open": True, "changed": True}
    assert document(site, "PUT", path, who="bob")["changed"] is False
    assert document(site, "GET", "/api/indexes/dev", who="bob")["opened"] == ["sample"]
    assert document(site, "DELETE", path, who="bob") == {"name": "sample", "open": False, "changed": True}
    assert document(site, "GET", "/api/indexes/dev", who="bob")["opened"] == []
    assert ask(site, "PUT", "/index/dev/api/packages/absent/open", "alice").status_code == 404


# -- tokens


def test_a_token_is_for_an_index_that_its_owner_may_read(site: Client) -> None:
    """Others are not told whether there is one of that name."""
    made = document(site, "POST", "/api/tokens", {"name": "ci", "index": "dev"}, who="bob")
    assert made["index"] == "dev"
    for name in ("prod", "absent"):
        assert ask(site, "POST", "/api/tokens", "bob", {"name": "ci", "index": name}).status_code == 403
    assert ask(site, "POST", "/api/tokens", "alice", {"name": "ci", "index": "absent"}).status_code == 404
