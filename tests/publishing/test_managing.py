"""Who may put trust in which jobs, by the API and below it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from database.journal import Actor
from errors import Conflict, InvalidRequest, NameTaken, UnknownPublisher
from people.publishers import MOST_OF_A_PROJECT
from permissions import MAIN
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.credentials.mock_issuer import MockIssuer
from tests.multipart_form import upload
from tests.publishing.jobs import FIELDS, OTHER, SAMPLE, mint, refused, trust, user_id


def test_what_cannot_be_trusted(trusting: Services) -> None:
    """An issuer that the settings do not name, a field that is wrong, twice the same, too many."""
    add, who = trusting.publishers.add, user_id(trusting, "bob")
    with pytest.raises(InvalidRequest, match="not trusted here"):
        add(MAIN, SAMPLE, "github", FIELDS, "https://evil.example", by=TESTER, user_id=who)
    with pytest.raises(InvalidRequest, match="workflow"):
        add(MAIN, SAMPLE, "github", {**FIELDS, "workflow": "a/b.yml"}, by=TESTER, user_id=who)
    with pytest.raises(InvalidRequest, match="no kind"):
        add(MAIN, SAMPLE, "jenkins", FIELDS, by=TESTER, user_id=who)
    trust(trusting)
    with pytest.raises(NameTaken):
        trust(trusting)
    for number in range(MOST_OF_A_PROJECT - 1):
        trust(trusting, environment=f"e{number}")
    with pytest.raises(Conflict):
        trust(trusting, environment="one more")


def test_another_projects_publisher_is_not_removed(trusting: Services) -> None:
    """An id counts with its project only."""
    public_id = trust(trusting)
    with pytest.raises(UnknownPublisher):
        trusting.publishers.remove(MAIN, OTHER, public_id, by=Actor("tester"))
    assert [row.id for row in trusting.publishers.of_project(MAIN, SAMPLE)] == [public_id]


def test_owners_manage_publishers(site: FlaskClient, wheel: Path) -> None:
    """Of a name that is free, whoever may start it; of a project, its owners; a token, if it may manage."""
    body = {"kind": "github", **FIELDS}
    path = "/api/packages/Sample/publishers"
    assert site.post(path, json=body).status_code == 401
    made = site.post(path, json=body, headers=basic("carol", PASSWORDS["bob"]))
    assert (made.status_code, made.json["project"], made.json["created_by"]) == (201, "sample", "carol")  # type: ignore[index]
    assert upload(site, wheel, headers=basic("bob")).status_code == 200
    assert site.get(path, headers=basic("carol", PASSWORDS["bob"])).status_code == 403
    listed = site.get(path, headers=basic("bob")).json
    assert listed is not None
    assert [one["description"] for one in listed["publishers"]] == [made.json["description"]]  # type: ignore[index]
    public_id = listed["publishers"][0]["id"]
    assert site.delete(path, json={"id": public_id}, headers=basic("bob")).json == {"removed": public_id}
    assert site.delete(path, json={"id": public_id}, headers=basic("bob")).status_code == 404


def test_a_token_for_uploading_trusts_nobody(site: FlaskClient, trusting: Services) -> None:
    """A publisher would outlive it."""
    token, _ = trusting.tokens.create_token("bob", "ci", by=TESTER)
    body = {"kind": "github", **FIELDS}
    answer = site.post("/api/packages/sample/publishers", json=body, headers=basic("__token__", token.text))
    assert answer.status_code == 403


def test_claims_of_any_provider(open_server: Callable[..., Services], issuer: MockIssuer, wheel: Path) -> None:
    """An issuer that the settings name besides: told by the claims that are demanded."""
    made = open_server(auth_enabled="true", publishing_issuers=issuer.url)
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    site = create_app(made).test_client()
    body = {"kind": "oidc", "issuer": issuer.url, "claims": ["sub=job:release:*", "team=acme"]}
    assert site.post("/api/packages/sample/publishers", json=body, headers=basic("bob")).status_code == 201
    assert refused(mint(site, issuer.token(sub="job:test:1", team="acme"))) == "invalid-publisher"
    answer = mint(site, issuer.token(sub="job:release:1", team="acme")).json
    assert answer is not None
    assert upload(site, wheel, headers=basic("__token__", answer["token"])).status_code == 200
