"""Deleting, listing, restoring and purging over the REST API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from people.rights import Holder
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic

Stock = Callable[[Services], None]
DEMO = NormalizedName("demo-pkg")
RELEASE, DELETIONS = "/api/packages/demo-pkg/1.0", "/api/packages/demo-pkg/deletions"


@pytest.fixture
def index(services: Services, stock: Stock) -> FlaskClient:
    """A client of an open server that holds something."""
    stock(services)
    return create_app(services).test_client()


@pytest.fixture
def owned(secured: Services, stock: Stock) -> FlaskClient:
    """A client of a server with authentication, where bob owns demo-pkg and carol is an uploader."""
    stock(secured)
    secured.users.create_user("carol", PASSWORDS["carol"], by=TESTER)
    secured.rights.grant("main", DEMO, Holder("bob"), "owner", by=TESTER)
    return create_app(secured).test_client()


def document(client: FlaskClient, method: str, path: str, *, who: str = "") -> Any:
    """The JSON of a request that succeeds."""
    answer = client.open(path, method=method, headers=basic(who) if who else {})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_deletion_is_listed_and_undone(index: FlaskClient) -> None:
    """The answer to a deletion has what undoes it; the list tells all of it; afterwards everything is as before."""
    before = document(index, "GET", "/api/packages/demo-pkg")
    deleted = index.delete(RELEASE, json={"reason": "wrong branch"}).json
    assert deleted is not None
    assert len(deleted["deleted"]) == 2
    listed = document(index, "GET", "/api/packages/Demo.Pkg/deletions")
    (line,) = listed.pop("deletions")
    assert listed == {"page": 1, "pages": 1, "total": 1}
    assert line["deleted"] < line["restorable_until"] == deleted["restorable_until"]
    assert {name: line[name] for name in ("id", "name", "version", "filename", "files", "reason", "deleted_by")} == {
        "id": deleted["deletion"], "name": "demo-pkg", "version": "1.0", "filename": None, "files": 2,
        "reason": "wrong branch", "deleted_by": "anonymous",
    }  # fmt: skip
    restored = document(index, "POST", f"{DELETIONS}/{line['id']}/restore")
    assert restored == {"restored": deleted["deleted"]}
    assert document(index, "GET", "/api/packages/demo-pkg") == before
    assert document(index, "GET", DELETIONS)["total"] == 0


def test_a_whole_project_comes_back(index: FlaskClient) -> None:
    """Also where nothing of it was left."""
    before = document(index, "GET", "/api/packages/demo-pkg")
    deletion = document(index, "DELETE", "/api/packages/demo-pkg")["deletion"]
    assert index.get("/api/packages/demo-pkg").status_code == 404
    document(index, "POST", f"{DELETIONS}/{deletion}/restore")
    assert document(index, "GET", "/api/packages/demo-pkg") == before


def test_the_list_has_pages(index: FlaskClient) -> None:
    """Newest first; a page beyond the last is empty, a name that was never here too, and unfit queries are refused."""
    for version in ("1.0", "2.0", "3.0rc1"):
        document(index, "DELETE", f"/api/packages/demo-pkg/{version}")
    pages = [document(index, "GET", f"{DELETIONS}?per_page=2&page={page}") for page in (1, 2, 3)]
    assert [[one["version"] for one in page["deletions"]] for page in pages] == [["3.0rc1", "2.0"], ["1.0"], []]
    assert {(page["pages"], page["total"]) for page in pages} == {(2, 3)}
    assert document(index, "GET", "/api/packages/nothing/deletions")["total"] == 0
    assert index.get(f"{DELETIONS}?page=0").status_code == 400


def test_without_days_there_is_nothing_to_undo(open_server: Callable[..., Services], stock: Stock) -> None:
    """undo_days = 0: the answer says so with null."""
    services = open_server(undo_days="0")
    stock(services)
    client = create_app(services).test_client()
    answer = document(client, "DELETE", RELEASE)
    assert (answer["deletion"], answer["restorable_until"]) == (None, None)
    assert document(client, "GET", DELETIONS)["total"] == 0


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_who_may_delete_may_undo(owned: FlaskClient, who: str) -> None:
    """The owner and the administrator, whoever of them deleted; not a stranger, also not one who knows the id."""
    deletion = document(owned, "DELETE", RELEASE, who="bob")["deletion"]
    restore = f"{DELETIONS}/{deletion}/restore"
    for path, method in ((DELETIONS, "GET"), (restore, "POST")):
        assert owned.open(path, method=method).status_code == 401
        assert owned.open(path, method=method, headers=basic("carol")).status_code == 403
    assert document(owned, "GET", DELETIONS, who=who)["total"] == 1
    assert len(document(owned, "POST", restore, who=who)["restored"]) == 2


def test_whose_the_project_is_now_decides(owned: FlaskClient, secured: Services) -> None:
    """Who deleted and is no owner any more is told who is; the new owner may undo it."""
    deletion = document(owned, "DELETE", "/api/packages/demo-pkg", who="bob")["deletion"]
    secured.rights.grant("main", DEMO, Holder("carol"), "owner", by=TESTER)
    secured.rights.revoke("main", DEMO, Holder("bob"), by=TESTER)
    refused = owned.post(f"{DELETIONS}/{deletion}/restore", headers=basic("bob"))
    assert (refused.status_code, "belongs to carol" in refused.json["detail"]) == (403, True)  # type: ignore[index]
    document(owned, "POST", f"{DELETIONS}/{deletion}/restore", who="carol")


def test_a_right_on_another_project_is_none(owned: FlaskClient, secured: Services) -> None:
    """A deletion is found under its own project only."""
    secured.rights.grant("main", NormalizedName("other"), Holder("carol"), "owner", by=TESTER)
    deletion = document(owned, "DELETE", RELEASE, who="bob")["deletion"]
    answer = owned.post(f"/api/packages/other/deletions/{deletion}/restore", headers=basic("carol"))
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_administrators_see_all_and_purge(owned: FlaskClient) -> None:
    """The list of all and letting go for good are theirs alone; what was purged is not undone."""
    deletion = document(owned, "DELETE", RELEASE, who="bob")["deletion"]
    document(owned, "DELETE", "/api/packages/other", who="alice")
    for path, method in (("/api/deletions", "GET"), (f"/api/deletions/{deletion}", "DELETE")):
        assert owned.open(path, method=method).status_code == 401
        assert owned.open(path, method=method, headers=basic("bob")).status_code == 403
    assert [one["name"] for one in document(owned, "GET", "/api/deletions", who="alice")["deletions"]] == [
        "other", "demo-pkg",
    ]  # fmt: skip
    assert len(document(owned, "DELETE", f"/api/deletions/{deletion}", who="alice")["purged"]) == 2
    assert owned.delete(f"/api/deletions/{deletion}", headers=basic("alice")).status_code == 404
    assert owned.post(f"{DELETIONS}/{deletion}/restore", headers=basic("bob")).status_code == 404
    assert document(owned, "GET", "/api/deletions", who="alice")["total"] == 1


def test_refusals_have_their_status(index: FlaskClient, services: Services) -> None:
    """404 for an id that is none, 409 where something stands in the place, 410 once it has ended."""
    for wrong in ("0" * 12, "nonsense", "%00"):
        assert index.post(f"{DELETIONS}/{wrong}/restore").status_code == 404
    deletion = document(index, "DELETE", RELEASE)["deletion"]
    with services.database.writing() as change:
        change.connection.exec_driver_sql("UPDATE files SET location = 'demo-pkg/demo_pkg-1.0.tar.gz' WHERE id = 2")
    assert index.post(f"{DELETIONS}/{deletion}/restore").status_code == 409
    with services.database.writing() as change:
        change.connection.exec_driver_sql("UPDATE deletions SET expires = 1")
    assert index.post(f"{DELETIONS}/{deletion}/restore").status_code == 410
