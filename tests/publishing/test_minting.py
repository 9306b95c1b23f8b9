"""Who gets a token: only a job that the provider vouches for and a publisher fits, and for each of its words once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from permissions import MAIN
from services import Services
from tests.credentials.mock_issuer import MockIssuer, mock_issuer
from tests.publishing.jobs import SAMPLE, mint, minted, refused, trust


def test_the_audience_is_told(site: FlaskClient) -> None:
    """Case 58: JSON with the audience that the settings name."""
    answer = site.get("/_/oidc/audience")
    assert (answer.status_code, answer.json) == (200, {"audience": "pypi-clone"})


def test_without_accounts_it_is_off(client: FlaskClient, issuer: MockIssuer) -> None:
    """A server that asks nobody who they are gives no tokens: 403 at the audience, not-enabled at the mint."""
    answer = client.get("/_/oidc/audience")
    assert answer.status_code == 403
    assert set(answer.json) == {"message"}  # type: ignore[arg-type]
    assert refused(mint(client, issuer.token())) == "not-enabled"


@pytest.mark.parametrize(
    "body",
    [b"", b"garbage", b"[]", b"{}", b'{"token": 1}', b'{"token": ""}', b'{"token": "a.b"}', b'{"token": "a.b.c"}'],
)
def test_garbage_is_an_invalid_payload(site: FlaskClient, body: bytes) -> None:
    """Case 58: whatever the body is, 422 with a code that clients show."""
    assert refused(site.post("/_/oidc/mint-token", data=body, content_type="application/json")) == "invalid-payload"


def test_a_large_body_is_not_read(site: FlaskClient) -> None:
    """Bodies are bounded."""
    assert site.post("/_/oidc/mint-token", data=b"x" * 70_000).status_code == 413
    assert refused(mint(site, "x" * 20_000)) == "invalid-payload"


def test_another_sites_page_gets_nothing(site: FlaskClient) -> None:
    """S114 holds here too."""
    answer = site.post("/_/oidc/mint-token", json={"token": "a.b.c"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_a_token_is_taken_once(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> None:
    """Case 58, S121: the same token again is refused, and so is another one with the same jti."""
    trust(trusting)
    token = issuer.token(**issuer.github_claims(jti="only one"))
    assert mint(site, token).status_code == 200
    assert refused(mint(site, token)) == "invalid-reuse-token"
    assert refused(mint(site, issuer.token(**issuer.github_claims(jti="only one")))) == "invalid-reuse-token"


def test_a_refused_job_may_come_again(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> None:
    """A token that no publisher fitted was not used: it is good once the publisher is added."""
    token = issuer.token(**issuer.github_claims())
    assert refused(mint(site, token)) == "invalid-publisher"
    trust(trusting)
    assert mint(site, token).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "somebody else"}, {"aud": ["pypi-clone", "somebody else"]}, {"aud": None},
        pytest.param({"exp": int(time.time()) - 60}, id="expired"), {"exp": None}, {"kid": "unknown"},
        pytest.param({"iat": int(time.time()) + 3600}, id="issued in an hour"),
        {"algorithm": "HS256", "key": "k" * 40}, {"algorithm": "none", "key": ""},
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_hold_is_an_invalid_token(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, wrong: dict[str, Any]
) -> None:
    """S121: audience, time, algorithm and key."""
    trust(trusting)
    assert refused(mint(site, issuer.token(**issuer.github_claims(**wrong)))) == "invalid-token"


def test_unknown_demands_are_refused(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> None:
    """S121: a header that demands an extension which is not known."""
    trust(trusting)
    token = issuer.token(headers={"crit": ["odd"], "odd": 1}, **issuer.github_claims())
    assert refused(mint(site, token)) == "invalid-payload"


def test_an_issuer_that_nobody_named_is_not_even_asked(site: FlaskClient, trusting: Services) -> None:
    """Its keys are not fetched: a stranger's word sends this server nowhere."""
    trust(trusting)
    with mock_issuer() as stranger:
        assert refused(mint(site, stranger.token(**stranger.github_claims()))) == "invalid-payload"
        assert not stranger.counts


def test_an_issuer_that_is_down_is_our_trouble(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> None:
    """503 with Retry-After, in the shape that clients read."""
    trust(trusting)
    issuer.is_down = True
    answer = mint(site, issuer.token(**issuer.github_claims()))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["errors"][0]["code"] == "issuer-unavailable"  # type: ignore[index]


@pytest.mark.parametrize(
    "claims",
    [
        {"repository": "evil/tool"}, {"workflow": "other.yml"}, {"event_name": "pull_request_target"},
        {"repository_owner": "evil"}, {"jti": None},
        {"job_workflow_ref": "acme/tool/.github/workflows/release.yml@main"},
    ],
    ids=str,
)  # fmt: skip
def test_another_job_is_no_publisher(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, claims: dict[str, Any]
) -> None:
    """Another repository, file or event; the answer tells the job what it is."""
    trust(trusting)
    answer = mint(site, issuer.token(**issuer.github_claims(**claims)))
    assert refused(answer) == "invalid-publisher"
    assert "run_id '17'" in answer.text


def test_a_name_that_was_given_up_is_not_taken_over(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> None:
    """The owner's number is learnt from the first job; the same name with another number is somebody else."""
    trust(trusting)
    minted(site, issuer)
    assert trusting.publishers.of_project(MAIN, SAMPLE)[0].fields["owner_id"] == "65"
    taken_over = issuer.github_claims(repository_owner_id="66")
    assert refused(mint(site, issuer.token(**taken_over))) == "invalid-publisher"
