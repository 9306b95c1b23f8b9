"""The pages on which people say which CI jobs may upload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from people.publishers import MOST_OF_A_PROJECT
from people.tokens import Limits
from permissions import MAIN
from services import Services
from tests.conftest import TESTER, basic
from tests.multipart_form import upload
from tests.web.conftest import BROWSER, Visitor

FIELDS = {"kind": "github", "owner": "acme", "repository": "tool", "workflow": "release.yml"}
SAMPLE = NormalizedName("sample")


def test_a_project_has_its_publishers(bob: Visitor, wheel: Path, secured: Services) -> None:
    """An owner adds one by form and removes it; the project's page leads there."""
    upload(bob.client, wheel, headers=basic("bob"))
    assert "/project/sample/publishing" in bob.get("/project/sample/").text
    assert "No job may upload here yet." in bob.get("/project/sample/publishing").text
    assert bob.post("/project/sample/publishing", **FIELDS).status_code == 303
    page = bob.get("/project/sample/publishing").text
    assert "acme/tool release.yml" in page
    assert "https://github.com/acme/tool" in page
    (row,) = secured.publishers.of_project(MAIN, SAMPLE)
    assert row.created_by == "bob"
    assert bob.post(f"/project/sample/publishing/{row.id}/remove").status_code == 303
    assert secured.publishers.of_project(MAIN, SAMPLE) == []


def test_a_wrong_form_comes_back(bob: Visitor, secured: Services) -> None:
    """With the sentence and what was typed."""
    bob.get("/account/publishing")
    answer = bob.post("/account/publishing", **{**FIELDS, "workflow": "nonsense", "new_project": "fresh"})
    assert answer.status_code == 400
    assert "The field workflow" in answer.text
    assert 'value="nonsense"' in answer.text
    assert 'value="fresh"' in answer.text
    assert bob.post("/account/publishing", **{**FIELDS, "new_project": "no name!"}).status_code == 400


def test_pending_publishers_stand_in_the_account(bob: Visitor, secured: Services) -> None:
    """A name that is free can be given to a job, of any provider that the settings name."""
    bob.get("/account/publishing")
    assert bob.post("/account/publishing", **{**FIELDS, "new_project": "Fresh"}).status_code == 303
    gitlab = {"kind": "gitlab", "namespace": "acme", "project": "tool", "new_project": "other"}
    assert bob.post("/account/publishing", **gitlab).status_code == 303
    claims = {
        "kind": "oidc",
        "issuer": "https://gitlab.com",
        "claims": "sub=project:*\nref=main",
        "new_project": "third",
    }
    assert bob.post("/account/publishing", **claims).status_code == 303
    page = bob.get("/account/publishing").text
    assert [name in page for name in (">fresh<", ">other<", ">third<")] == [True] * 3
    assert "acme/tool .gitlab-ci.yml" in page


def test_others_are_refused(visitor: Visitor, wheel: Path, secured: Services) -> None:
    """Nobody is sent to sign in; who owns nothing here is refused; no form goes without its token."""
    upload(visitor.client, wheel, headers=basic("alice"))
    assert visitor.get("/project/sample/publishing").status_code == 302
    visitor.sign_in("bob")
    assert visitor.get("/project/sample/publishing").status_code == 403
    assert visitor.post("/project/sample/publishing", **FIELDS).status_code == 403
    assert visitor.client.post("/account/publishing", data=FIELDS, headers=BROWSER).status_code == 403
    assert "Trusted publishers" not in visitor.get("/project/sample/").text


def publishers_of(client: FlaskClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    """The publishers of the project sample that somebody sees."""
    found: list[dict[str, Any]] = client.get("/api/packages/sample/publishers", headers=headers).get_json()[
        "publishers"
    ]
    return found


def test_each_has_their_own_publishers_of_a_free_name(
    secured: Services, visitor: Visitor, wheel: Path, secured_client: FlaskClient
) -> None:
    """Who may start a name sees and removes only what they added themselves, and nobody's many bar another's; whoever
    starts it has all of them.
    """
    for name in ("carol", "dave"):
        secured.users.create_user(name, f"password of {name}", by=TESTER)
    carol, dave = (basic(name, f"password of {name}") for name in ("carol", "dave"))
    address, theirs = "/api/packages/sample/publishers", {"kind": "github", "owner": "acme", "workflow": "a.yml"}
    for number in range(MOST_OF_A_PROJECT):
        body = {**theirs, "repository": f"tool{number}"}
        assert secured_client.post(address, json=body, headers=carol).status_code == 201
    assert secured_client.post(address, json={**theirs, "repository": "b"}, headers=carol).status_code == 409
    assert secured_client.post(address, json={**theirs, "repository": "tool0"}, headers=dave).status_code == 201
    (mine,) = publishers_of(secured_client, dave)
    assert mine["created_by"] == "dave"
    another = secured.publishers.of_project(MAIN, SAMPLE)[-1].id
    assert secured_client.delete(address, json={"id": another}, headers=dave).status_code == 404
    visitor.sign_in("dave", "password of dave")
    assert visitor.get("/project/sample/publishing").text.count("acme/tool0") == 3  # its job, its link and its button
    assert visitor.post(f"/project/sample/publishing/{another}/remove").status_code == 404
    upload(secured_client, wheel, headers=dave)
    assert len(publishers_of(secured_client, dave)) == MOST_OF_A_PROJECT + 1
    assert secured_client.get(address, headers=carol).status_code == 403


def test_a_token_adds_what_it_could_do_itself(secured: Services, secured_client: FlaskClient) -> None:
    """A publisher uploads, so a token for managing alone adds none; it lists and removes them."""
    address, body = "/api/packages/sample/publishers", {**FIELDS}
    managing, _ = secured.tokens.create_token("bob", "manage", Limits(scopes=("admin",)), by=TESTER)
    both, _ = secured.tokens.create_token("bob", "both", Limits(scopes=("admin", "upload")), by=TESTER)
    refused = secured_client.post(address, json=body, headers=basic("__token__", managing.text))
    assert refused.status_code == 403
    assert "lacks the scope 'upload'" in refused.text
    made = secured_client.post(address, json=body, headers=basic("__token__", both.text))
    assert made.status_code == 201
    header = basic("__token__", managing.text)
    assert (
        secured_client.delete(
            address, json={"id": publishers_of(secured_client, header)[0]["id"]}, headers=header
        ).status_code
        == 200
    )
