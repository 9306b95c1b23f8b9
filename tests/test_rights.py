"""Owners, teams and their names, logins for reading: tried through the application, with the people of the cast."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from errors import Conflict, InvalidRequest, NotFound, UnknownRole, UnknownTeam, UnknownUser
from people.rights import Holder
from people.tokens import Limits
from server import create_app, create_wsgi
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_wheel
from tests.multipart_form import upload

BOB, CAROL = Holder("bob"), Holder("carol")
SAMPLE = NormalizedName("sample")


@pytest.fixture
def carol(secured: Services) -> None:
    """Carol uploads, too."""
    secured.users.create_user("carol", PASSWORDS["carol"], by=TESTER)


def roles(services: Services, project: str = "sample") -> dict[str, str]:
    """Who is what on a project."""
    return {row.holder: row.role for row in services.readers.rights.grants(index="main", project=project)}


@pytest.mark.usefixtures("carol")
def test_the_first_upload_makes_an_owner(secured: Services, secured_client: FlaskClient, tmp_path: Path) -> None:
    """Another uploader adds nothing to it and yanks nothing, until the owner's project lets them; then both."""
    assert upload(secured_client, build_wheel(tmp_path), headers=basic("bob")).status_code == 200
    assert roles(secured) == {"bob": "owner"}
    second = build_wheel(tmp_path, version="2.0")
    refused = upload(secured_client, second, headers=basic("carol"))
    assert refused.status_code == 403
    assert "it belongs to bob" in refused.text
    assert secured_client.post("/api/packages/sample/1.0/yank", headers=basic("carol")).status_code == 403
    secured.rights.grant("main", SAMPLE, CAROL, "maintainer", by=TESTER)
    assert upload(secured_client, second, headers=basic("carol")).status_code == 200
    assert secured_client.post("/api/packages/sample/1.0/yank", headers=basic("carol")).status_code == 200
    assert secured_client.delete("/api/packages/sample/1.0", headers=basic("carol")).status_code == 403
    assert secured_client.delete("/api/packages/sample/1.0", headers=basic("bob")).status_code == 200


@pytest.mark.usefixtures("carol")
def test_the_same_file_again_from_somebody_without_the_right(
    secured_client: FlaskClient, secured: Services, wheel: Path
) -> None:
    """It is 403 and not 200: whoever may not add to a project is not told that its bytes are right."""
    assert upload(secured_client, wheel, headers=basic("bob")).status_code == 200
    assert upload(secured_client, wheel, headers=basic("carol")).status_code == 403
    assert secured.at().catalogue.project_detail(SAMPLE).files[0].filename == wheel.name


def test_first_upload_owns_can_be_turned_off(open_server: Callable[..., Services], wheel: Path) -> None:
    """Then a project takes files from any uploader."""
    one = open_server(auth_enabled="true", auth_first_upload_owns="false")
    one.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    assert upload(create_app(one).test_client(), wheel, headers=basic("bob")).status_code == 200
    assert roles(one) == {}


@pytest.mark.usefixtures("carol")
def test_of_two_who_begin_a_project_at_once_one_owns_it(secured: Services, tmp_path: Path) -> None:
    """The right is asked again within the transaction: the other is refused, and nothing of theirs is listed."""
    app = create_app(secured)
    answers: dict[str, int] = {}
    barrier = threading.Barrier(2)

    def send(username: str, version: str) -> None:
        path = build_wheel(tmp_path / username, version=version)
        barrier.wait()
        answers[username] = upload(app.test_client(), path, headers=basic(username)).status_code

    threads = [threading.Thread(target=send, args=one) for one in (("bob", "1.0"), ("carol", "2.0"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [200, 403]
    winner = min(answers, key=lambda name: answers[name])
    assert roles(secured) == {winner: "owner"}
    assert len(secured.at().catalogue.project_detail(SAMPLE).files) == 1


@pytest.mark.usefixtures("carol")
def test_a_team_and_its_names(secured: Services, secured_client: FlaskClient, tmp_path: Path) -> None:
    """Only its members start projects under acme-*, however spelt; a narrower pattern goes before a wider one."""
    rights = secured.rights
    rights.create_team("acme", "The Acme people", by=TESTER)
    rights.create_team("vault", by=TESTER)
    rights.set_pattern("main", "Acme_*", "acme", by=TESTER)
    rights.set_pattern("main", "acme-secret-*", "vault", by=TESTER)
    rights.add_member("acme", "bob", by=TESTER)
    for name in ("acme-tool", "acme.other", "ACME_third"):
        path = build_wheel(tmp_path, name.replace(".", "_").replace("-", "_").lower())
        assert upload(secured_client, path, headers=basic("carol")).status_code == 403
        assert upload(secured_client, path, headers=basic("bob")).status_code == 200
    hidden = build_wheel(tmp_path, "acme-secret-plan")
    assert upload(secured_client, hidden, headers=basic("bob")).status_code == 403
    assert upload(secured_client, build_wheel(tmp_path, "acmetool"), headers=basic("carol")).status_code == 200
    rights.set_pattern("main", "acme-one*", "acme", by=TESTER)
    rights.set_pattern("main", "acme-one", "vault", by=TESTER)
    assert upload(secured_client, build_wheel(tmp_path, "acme-one"), headers=basic("bob")).status_code == 403
    rights.remove_member("acme", "bob", by=TESTER)
    assert upload(secured_client, build_wheel(tmp_path, "acme-fourth"), headers=basic("bob")).status_code == 403


@pytest.mark.usefixtures("carol")
def test_a_team_holds_roles(secured: Services, secured_client: FlaskClient, tmp_path: Path) -> None:
    """A right by a team ends with the membership, at once, also for a token that was found good before."""
    upload(secured_client, build_wheel(tmp_path), headers=basic("bob"))
    secured.rights.create_team("friends", by=TESTER)
    secured.rights.add_member("friends", "carol", by=TESTER)
    secured.rights.grant("main", SAMPLE, Holder("friends", is_team=True), "maintainer", by=TESTER)
    token, _ = secured.tokens.create_token("carol", "ci", Limits(), by=TESTER)
    bearer = {"Authorization": f"Bearer {token.text}"}
    assert upload(secured_client, build_wheel(tmp_path, version="2.0"), headers=bearer).status_code == 200
    secured.rights.remove_member("friends", "carol", by=TESTER)
    assert upload(secured_client, build_wheel(tmp_path, version="3.0"), headers=bearer).status_code == 403


def test_the_last_owner_stays(secured: Services, secured_client: FlaskClient, wheel: Path) -> None:
    """Neither taken away nor made less, nor removed with their team; with a second owner all is possible."""
    upload(secured_client, wheel, headers=basic("bob"))
    rights = secured.rights
    with pytest.raises(Conflict):
        rights.revoke("main", SAMPLE, BOB, by=TESTER)
    with pytest.raises(Conflict):
        rights.grant("main", SAMPLE, BOB, "maintainer", by=TESTER)
    rights.create_team("crew", by=TESTER)
    crew = Holder("crew", is_team=True)
    rights.grant("main", SAMPLE, crew, "owner", by=TESTER)
    rights.revoke("main", SAMPLE, BOB, by=TESTER)
    with pytest.raises(Conflict):
        rights.delete_team("crew", by=TESTER)
    assert roles(secured) == {"crew": "owner"}
    rights.set_pattern("main", "crew-*", "crew", by=TESTER)
    rights.grant("main", SAMPLE, BOB, "owner", by=TESTER)
    with pytest.raises(Conflict, match="crew-"):
        rights.delete_team("crew", by=TESTER)
    rights.remove_pattern("main", "crew-*", by=TESTER)
    rights.delete_team("CREW", by=TESTER)
    assert roles(secured) == {"bob": "owner"}


def test_what_cannot_be_given(secured: Services) -> None:
    """Odd names, roles, teams and people are refused, and nothing is half done."""
    rights = secured.rights
    rights.create_team("crew", by=TESTER)
    for wrong in (
        lambda: rights.create_team("a b", by=TESTER),
        lambda: rights.create_team("administrators", by=TESTER),
        lambda: rights.grant("main", SAMPLE, BOB, "reader", by=TESTER),
        lambda: rights.grant("main", None, BOB, "king", by=TESTER),
        lambda: rights.set_pattern("main", "*", "crew", by=TESTER),
        lambda: rights.set_pattern("main", "a*b", "crew", by=TESTER),
    ):
        with pytest.raises(InvalidRequest):
            wrong()
    with pytest.raises(UnknownTeam):
        rights.add_member("nobodies", "bob", by=TESTER)
    with pytest.raises(UnknownUser):
        rights.add_member("crew", "nobody", by=TESTER)
    with pytest.raises(NotFound, match="bob is not in the team crew"):
        rights.remove_member("crew", "bob", by=TESTER)
    with pytest.raises(UnknownRole):
        rights.revoke("main", SAMPLE, BOB, by=TESTER)
    with pytest.raises(NotFound):
        rights.remove_pattern("main", "none-*", by=TESTER)
    with pytest.raises(NotFound):
        rights.grant("other", None, BOB, "reader", by=TESTER)
    assert secured.readers.rights.patterns() == []


# -- reading that needs a login

PATHS = [
    "/simple/", "/simple/{name}/", "/simple/{name}", "/packages/{name}/{name}-1.0-py3-none-any.whl",
    "/packages/{name}/{name}-1.0-py3-none-any.whl.metadata", "/pypi/{name}/json", "/pypi/{name}/1.0/json",
    "/api/packages", "/api/packages/{name}", "/api/packages/{name}/1.0", "/api/packages/{name}/status", "/api/stats",
    "/search?q={name}",
]  # fmt: skip
CONDITIONAL = {"If-None-Match": "*", "Range": "bytes=0-1"}


@pytest.fixture
def closed(open_server: Callable[..., Services], wheel: Path) -> Iterator[Any]:
    """The whole application of a server on which all three operations need a login; it holds a project."""
    one = open_server(auth_require="download, list, update", auth_default_role="none")
    one.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    one.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    front = create_wsgi(one)
    client = create_app(one).test_client()
    assert upload(client, wheel, headers=basic("alice")).status_code == 200
    yield one, front
    front.close()


def ask(front: Any, path: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of a GET through the outermost layer, fast path and all."""
    from werkzeug.test import Client

    answer = Client(front).get(path, headers={"Host": "localhost", **headers})
    return answer.status_code, answer.data.decode("latin-1"), dict(answer.headers)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("extra", [{}, CONDITIONAL], ids=["plain", "conditional"])
def test_what_one_may_not_read_looks_the_same_whether_it_is_there(closed: Any, path: str, extra: Any) -> None:
    """S109: 401 without a credential and 403 with one that has no right, with the same words but for the name; never
    404, which would send uv on to the next index; nor 304 or 206. Twice: the second time the credential is remembered.
    """
    _, front = closed
    token, _ = closed[0].tokens.create_token("bob", "ci", Limits(), by=TESTER)
    for headers, status in (({}, 401), (basic("bob"), 403), (basic("bob"), 403), (basic("__token__", token.text), 403)):
        seen = set()
        for name in ("sample", "nosuch"):
            found, body, _ = ask(front, path.format(name=name), {**headers, **extra})
            assert found == status, body
            seen.add(body.replace(name, "NAME").partition('"request_id"')[0])
        assert len(seen) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_reader_reads(closed: Any, path: str) -> None:
    """With the role of a reader everything is there, and what is not is 404; nobody on the way may keep it."""
    services, front = closed
    services.rights.grant("main", None, BOB, "reader", by=TESTER)
    for _ in range(2):
        status, body, headers = ask(front, path.format(name="sample"), basic("bob"))
        assert status in {200, 301}, body
        assert "public" not in headers.get("Cache-Control", "")
        if path.startswith(("/simple/{name}/", "/packages")):
            assert "private" in headers["Cache-Control"]
            assert "Authorization" in headers["Vary"]
    if "{name}" in path and not path.startswith("/search"):
        assert ask(front, path.format(name="nosuch"), basic("bob"))[0] in {301, 404}
    services.rights.revoke("main", None, BOB, by=TESTER)
    assert ask(front, path.format(name="sample"), basic("bob"))[0] == 403


@pytest.mark.parametrize(
    ("require", "page", "file", "sending"),
    [("update", 200, 200, 401), ("list", 401, 200, 200), ("download", 200, 401, 200), ("list, update", 401, 200, 401)],
)
def test_each_operation_asks_for_itself(
    open_server: Callable[..., Services], wheel: Path, require: str, page: int, file: int, sending: int
) -> None:
    """As other simple servers have it: download, list and update are turned on one by one."""
    one = open_server(auth_require=require)
    one.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    client = create_app(one).test_client()
    assert upload(client, wheel, headers=basic("alice")).status_code == 200
    assert client.get("/simple/sample/").status_code == page
    assert client.get(f"/packages/sample/{wheel.name}").status_code == file
    other = build_wheel(wheel.parent, "other")
    assert upload(client, other).status_code == sending
    assert upload(client, build_wheel(wheel.parent, version="2.0")).status_code == 401  # it has an owner


def test_a_token_for_one_project_reads_that(closed: Any) -> None:
    """It sees the project's page and files, and neither another's nor the list."""
    services, front = closed
    services.rights.grant("main", None, BOB, "reader", by=TESTER)
    token, _ = services.tokens.create_token("bob", "ci", Limits(scopes=["read"], projects=["Sample"]), by=TESTER)
    mine = basic("__token__", token.text)
    for _ in range(2):
        assert ask(front, "/simple/sample/", mine)[0] == 200
        assert ask(front, "/packages/sample/sample-1.0-py3-none-any.whl", mine)[0] == 200
        assert ask(front, "/simple/", mine)[0] == 403
        assert ask(front, "/simple/other/", mine)[0] == 403


def test_the_fast_path_notes_the_use_of_a_token(closed: Any) -> None:
    """A page that was answered without Flask counts as a use, too."""
    services, front = closed
    token, _ = services.tokens.create_token("alice", "ci", Limits(), by=TESTER)
    mine = basic("__token__", token.text)
    assert ask(front, "/simple/sample/", mine)[0] == 200
    services.flush()
    with services.database.writing() as change:
        change.connection.exec_driver_sql("UPDATE tokens SET last_used = NULL")
    assert ask(front, "/simple/sample/", mine)[0] == 200
    services.flush()
    (row,) = services.readers.tokens.of_user("alice")
    assert row.last_used is not None


def test_an_upload_whose_right_ends_while_it_is_sent_is_refused(
    secured: Services, secured_client: FlaskClient, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S112: the account is deactivated after the body began; nothing is listed."""
    inspect = secured.inspector.inspect

    def slow(*arguments: Any, **more: Any) -> Any:
        secured.users.set_active("bob", active=False, by=TESTER)
        return inspect(*arguments, **more)

    monkeypatch.setattr(secured.manager, "reader", type("Slow", (), {"inspect": staticmethod(slow)}))
    assert upload(secured_client, wheel, headers=basic("bob")).status_code == 401
    assert secured.at().catalogue.stats()["files"] == 0
    assert not (secured.settings.data_path / "sample" / wheel.name).exists()
