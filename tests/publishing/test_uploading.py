"""What a job's token is good for: uploads to the projects that trust the job, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient

from permissions import MAIN
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.credentials.mock_issuer import MockIssuer
from tests.factory import build_wheel
from tests.multipart_form import upload
from tests.publishing.jobs import FIELDS, OTHER, SAMPLE, actions, job_of, mint, minted, refused, trust


def test_a_job_uploads(site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path) -> None:
    """The token stands for fifteen minutes, uploads to its project, and is good for nothing else."""
    trust(trusting)
    answer = mint(site, issuer.token(**issuer.github_claims()))
    body = answer.json
    assert body is not None
    assert body["success"] is True
    assert 890 < body["expires"] - time.time() <= 900
    assert answer.headers["Cache-Control"] == "no-store"
    headers = basic("__token__", body["token"])
    assert upload(site, wheel, headers=headers).status_code == 200
    assert site.post("/api/packages/sample/1.0/yank", json={}, headers=headers).status_code == 403
    assert site.delete("/api/packages/sample", json={}, headers=headers).status_code == 403
    assert site.get("/api/tokens", headers=headers).status_code == 403
    assert (
        site.post("/api/packages/new/publishers", json={"kind": "github", **FIELDS}, headers=headers).status_code == 403
    )


def test_the_token_is_for_its_project(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, tmp_path: Path
) -> None:
    """Another project is refused, whether it is there or not."""
    trust(trusting)
    answer = upload(site, build_wheel(tmp_path, "other"), headers=minted(site, issuer))
    assert answer.status_code == 403
    assert "is for sample only, not for other" in answer.text


def test_the_first_upload_makes_who_added_the_publisher_the_owner(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path
) -> None:
    """A pending publisher: the project begins with it, bob owns it, the journal and the file name the job."""
    trust(trusting)
    assert trusting.publishers.of_project(MAIN, SAMPLE)[0].pending
    assert upload(site, wheel, headers=minted(site, issuer)).status_code == 200
    assert trusting.readers.rights.ground(MAIN, SAMPLE).owners == ("bob",)
    assert not trusting.publishers.of_project(MAIN, SAMPLE)[0].pending
    assert trusting.at().catalogue.uploaders(SAMPLE) == {wheel.name: job_of(issuer)}
    assert [row.actor for row in actions(trusting, "file.publish")] == [job_of(issuer)]


def test_where_uploading_makes_no_owner_it_makes_none(
    open_server: Callable[..., Services], issuer: MockIssuer, wheel: Path
) -> None:
    """The setting first_upload_owns is that of publishers, too."""
    made = open_server(auth_enabled="true", publishing_github=issuer.url, auth_first_upload_owns="false")
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    site = create_app(made).test_client()
    trust(made)
    assert upload(site, wheel, headers=minted(site, issuer)).status_code == 200
    assert made.readers.rights.ground(MAIN, SAMPLE).owners == ()


def test_a_job_of_several_projects(site: FlaskClient, trusting: Services, issuer: MockIssuer, tmp_path: Path) -> None:
    """Its token uploads to each; one that names a project is for that alone."""
    trust(trusting)
    trust(trusting, OTHER)
    narrow = mint(site, issuer.token(**issuer.github_claims()), project="other").json
    assert narrow is not None
    sample, other = build_wheel(tmp_path, "sample"), build_wheel(tmp_path, "other")
    assert upload(site, sample, headers=basic("__token__", narrow["token"])).status_code == 403
    headers = minted(site, issuer)
    assert [upload(site, path, headers=headers).status_code for path in (sample, other)] == [200, 200]
    assert refused(mint(site, issuer.token(**issuer.github_claims()), project="third")) == "invalid-publisher"
