"""Attestations of trusted publishers: verified with the upload, offered as provenance, shown with what was verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName
from werkzeug.test import Client

from credentials import issuers
from credentials.issuer_keys import fetch_keys
from credentials.publishers import GITHUB_ISSUER
from distributions import attestations as verifying
from distributions.attestations import verify
from people.rights import Holder
from permissions import MAIN
from server import create_app, create_wsgi
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.credentials.mock_issuer import MockIssuer, mock_issuer
from tests.distributions.attestations.recorded import GITHUB
from tests.factory import build_sdist
from tests.multipart_form import upload

PROJECT = NormalizedName("pypi-attestations")
PATH = f"/integrity/{PROJECT}/0.0.19/{GITHUB.filename}/provenance"
INTEGRITY = "application/vnd.pypi.integrity.v1+json"
BASE = "https://index.example.com"
SIMPLE = {"Accept": "application/vnd.pypi.simple.v1+json"}


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockIssuer]:
    """Signs as GitHub does; its keys are found where GitHub's are looked for."""
    with mock_issuer() as running:
        monkeypatch.setattr(issuers, "fetch_keys", lambda _issuer, seconds: fetch_keys(running.url, seconds))
        yield running


@pytest.fixture
def sdist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the name that the recorded attestations are of. They are of other bytes, so only the digest that they
    are held against is the recorded one; all else is verified as it is.
    """

    def with_recorded_digest(text: str, *, filename: str, sha256: str, publisher: Any) -> Any:
        assert len(sha256) == 64
        return verify(text, filename=filename, sha256=GITHUB.sha256, publisher=publisher)

    monkeypatch.setattr(verifying, "verify", with_recorded_digest)
    path = build_sdist(tmp_path, "pypi_attestations", "0.0.19")
    assert path.name == GITHUB.filename
    return path


@pytest.fixture
def trusting(open_server: Callable[..., Services]) -> Services:
    """A server with authentication that is known under an https address."""
    made = open_server(auth_enabled="true", base_url=BASE)
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    return made


@pytest.fixture
def site(trusting: Services) -> FlaskClient:
    """A client of that server."""
    return create_app(trusting).test_client()


@pytest.fixture
def job(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> dict[str, str]:
    """The header of a job of the repository that the recorded attestations are of."""
    account = trusting.accounts.user("bob")
    assert account is not None
    fields = {"owner": "trailofbits", "repository": "pypi-attestations", "workflow": "release.yml"}
    trusting.publishers.add(MAIN, PROJECT, "github", fields, by=TESTER, user_id=account.id)
    claims = issuer.github_claims("trailofbits/pypi-attestations", iss=GITHUB_ISSUER)
    answer = site.post("/_/oidc/mint-token", json={"token": issuer.token(**claims)}).json
    assert answer is not None
    return basic("__token__", answer["token"])


def attestations(*names: str) -> str:
    """Recorded attestations as an upload carries them."""
    documents = dict(zip(GITHUB.bundles, GITHUB.documents(), strict=True))
    return json.dumps([documents[name] for name in names or GITHUB.bundles])


def listed(site: FlaskClient) -> dict[str, Any]:
    """The file as the project's page lists it."""
    page = site.get(f"/simple/{PROJECT}/", headers=SIMPLE).json
    assert page is not None
    return dict(page["files"][0])


def test_verified_attestations_are_offered(site: FlaskClient, job: dict[str, str], sdist: Path) -> None:
    """Both pages link the provenance, and it holds what was sent, of the publisher."""
    assert upload(site, sdist, headers=job, attestations=attestations()).status_code == 200
    assert listed(site)["provenance"] == BASE + PATH
    html = site.get(f"/simple/{PROJECT}/", headers={"Accept": "text/html"}).text
    assert f'data-provenance="{BASE}{PATH}"' in html
    answer = site.get(PATH)
    assert (answer.status_code, answer.mimetype) == (200, INTEGRITY)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age=600" in answer.headers["Cache-Control"]
    body = answer.json
    assert body is not None
    (bundle,) = body["attestation_bundles"]
    assert (body["version"], bundle["publisher"]["kind"]) == (1, "GitHub")
    assert bundle["publisher"]["repository"] == "trailofbits/pypi-attestations"
    signatures = [one["envelope"]["signature"] for one in bundle["attestations"]]
    assert signatures == [one["envelope"]["signature"] for one in GITHUB.documents()]


def test_the_provenance_on_a_closed_index_is_for_no_shared_cache(
    site: FlaskClient, trusting: Services, job: dict[str, str], sdist: Path
) -> None:
    """Whoever may not read the index would get it there."""
    upload(site, sdist, headers=job, attestations=attestations())
    assert site.get(PATH).headers["Cache-Control"] == "public, max-age=600"
    trusting.indexes.create("dev", by=TESTER)
    trusting.rights.grant("dev", None, Holder("bob"), "reader", by=TESTER)
    trusting.manager.promote(MAIN, "dev", PROJECT, "0.0.19", by=TESTER)
    front = create_wsgi(trusting)
    answer = Client(front).get(f"/index/dev{PATH}", base_url=BASE, headers=basic("bob"))
    front.close()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, max-age=600")
    assert "Authorization" in answer.headers["Vary"]


def test_people_see_what_was_verified(site: FlaskClient, job: dict[str, str], sdist: Path) -> None:
    """The release's files, and the page of one, say by whom it was attested, and what is known of the run."""
    upload(site, sdist, headers=job, attestations=attestations())
    page = site.get(f"/project/{PROJECT}/0.0.19/files").text
    assert 'by <span class="name">trailofbits/pypi-attestations</span> (release.yml)' in page
    alone = site.get(f"/project/{PROJECT}/0.0.19/files/{GITHUB.filename}").text
    for text in (page, alone):
        assert "<dt>Statement</dt><dd>SLSA provenance" in text
        assert "<dt>Signed at</dt>" in text
        assert PATH in text


def test_wrong_attestations_refuse_the_upload(
    site: FlaskClient, job: dict[str, str], trusting: Services, tmp_path: Path
) -> None:
    """Of other bytes, garbled, none: 400, and nothing is stored."""
    path = build_sdist(tmp_path, "pypi_attestations", "0.0.19")
    for text in (attestations(), "[]", "{", "[{}]"):
        answer = upload(site, path, headers=job, attestations=text)
        assert answer.status_code == 400, text
        assert "ttestation" in answer.text
    assert not list(trusting.settings.data_path.glob("*/*.tar.gz"))
    assert trusting.database.quick("SELECT count(*) FROM files", ())[0] == 0


def test_anothers_attestations_refuse_the_upload(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, sdist: Path
) -> None:
    """Sound ones of another repository are not this publisher's."""
    account = trusting.accounts.user("bob")
    assert account is not None
    fields = {"owner": "acme", "repository": "tool", "workflow": "release.yml"}
    trusting.publishers.add(MAIN, PROJECT, "github", fields, by=TESTER, user_id=account.id)
    token = issuer.token(**issuer.github_claims(iss=GITHUB_ISSUER))
    answer = site.post("/_/oidc/mint-token", json={"token": token}).json
    assert answer is not None
    refused = upload(site, sdist, headers=basic("__token__", answer["token"]), attestations=attestations())
    assert refused.status_code == 400
    assert "not the publisher" in refused.text


def test_a_persons_attestations_are_kept_and_not_offered(site: FlaskClient, trusting: Services, sdist: Path) -> None:
    """Nothing says whose they would have to be: the upload is good, the file has no provenance."""
    assert upload(site, sdist, headers=basic("bob"), attestations=attestations()).status_code == 200
    assert "provenance" not in listed(site)
    assert site.get(PATH).status_code == 404
    assert trusting.at().catalogue.attestations(PROJECT, sdist.name) == attestations()
    assert trusting.database.quick("SELECT has_provenance FROM files", ())[0] == 0


def test_without_https_pages_link_no_provenance(
    open_server: Callable[..., Services], issuer: MockIssuer, sdist: Path
) -> None:
    """The address would not be one that PEP 740 allows."""
    made = open_server(auth_enabled="true")
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    site = create_app(made).test_client()
    fields = {"owner": "trailofbits", "repository": "pypi-attestations", "workflow": "release.yml"}
    made.publishers.add(MAIN, PROJECT, "github", fields, by=TESTER, user_id=made.users.account("bob").id)
    claims = issuer.github_claims("trailofbits/pypi-attestations", iss=GITHUB_ISSUER)
    minted = site.post("/_/oidc/mint-token", json={"token": issuer.token(**claims)}).json
    assert minted is not None
    headers = basic("__token__", minted["token"])
    assert upload(site, sdist, headers=headers, attestations=attestations("github-publish")).status_code == 200
    assert "provenance" not in listed(site)
    assert site.get(PATH).status_code == 200


def test_what_is_asked_is_answered(site: FlaskClient, job: dict[str, str], sdist: Path) -> None:
    """Either type, 406 for another; 404 with a message for what is not there; another spelling of the version."""
    upload(site, sdist, headers=job, attestations=attestations())
    for media_type in (INTEGRITY, "application/json"):
        assert site.get(PATH, headers={"Accept": media_type}).mimetype == media_type
    assert site.get(PATH, headers={"Accept": "text/html"}).status_code == 406
    assert site.get(PATH.replace("/0.0.19/", "/v0.0.19/")).status_code == 200
    for wrong in (PATH.replace("/0.0.19/", "/0.1/"), PATH.replace(PROJECT, "other"), PATH.replace(".tar.gz", ".zip")):
        answer = site.get(wrong)
        assert (answer.status_code, set(answer.json)) == (404, {"message"})  # type: ignore[arg-type]


def test_a_deleted_file_has_no_provenance(
    site: FlaskClient, job: dict[str, str], sdist: Path, trusting: Services
) -> None:
    """It goes with the file, and comes back with it."""
    upload(site, sdist, headers=job, attestations=attestations())
    before, page = site.get(PATH).data, listed(site)
    deletion = trusting.manager.delete(MAIN, PROJECT, by=TESTER).id
    assert deletion is not None
    trusting.manager.restore(MAIN, PROJECT, deletion, by=TESTER)
    assert (site.get(PATH).data, listed(site)) == (before, page)
    trusting.manager.delete(MAIN, PROJECT, by=TESTER)
    assert site.get(PATH).status_code == 404
    assert trusting.database.quick("SELECT count(*) FROM provenances", ())[0] == 0
