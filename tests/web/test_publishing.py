"""The pages on which people say which CI jobs may upload."""

from __future__ import annotations

from pathlib import Path

from packaging.utils import NormalizedName

from services import INDEX, Services
from tests.conftest import basic
from tests.multipart_form import upload
from tests.web.conftest import BROWSER, Visitor

FIELDS = {"kind": "github", "owner": "acme", "repository": "tool", "workflow": "release.yml"}
SAMPLE = NormalizedName("sample")


def test_a_project_has_its_publishers(bob: Visitor, wheel: Path, secured: Services) -> None:
    """An owner adds one by form and removes it; the project's page leads there."""
    upload(bob.client, wheel, headers=basic("bob"))
    assert "/project/sample/publishing" in bob.get("/project/sample/").text
    assert "There are none." in bob.get("/project/sample/publishing").text
    assert bob.post("/project/sample/publishing", **FIELDS).status_code == 303
    page = bob.get("/project/sample/publishing").text
    assert "acme/tool release.yml" in page
    assert "https://github.com/acme/tool" in page
    (row,) = secured.publishers.of_project(INDEX, SAMPLE)
    assert row.created_by == "bob"
    assert bob.post(f"/project/sample/publishing/{row.id}/remove").status_code == 303
    assert secured.publishers.of_project(INDEX, SAMPLE) == []


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
