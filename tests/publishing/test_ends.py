"""How a job's token ends: with its time, burnt, or with the trust that it came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from database.publishers import NewPublisher, add_publisher
from errors import InvalidRequest
from permissions import MAIN
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.credentials.mock_issuer import MockIssuer
from tests.factory import build_wheel
from tests.multipart_form import upload
from tests.publishing.jobs import FIELDS, OTHER, SAMPLE, actions, job_of, mint, minted, refused, trust


def test_a_burnt_token_is_worth_nothing(site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path) -> None:
    """Case 58: burning is 2xx, again too, and the token gets 401 from then on."""
    trust(trusting)
    body = mint(site, issuer.token(**issuer.github_claims())).json
    assert body is not None
    headers = basic("__token__", body["token"])
    assert upload(site, wheel, headers=headers).status_code == 200
    for _ in range(2):
        assert site.post("/_/oidc/burn-token", json={"token": body["token"]}).status_code == 200
    assert upload(site, wheel, headers=headers).status_code == 401
    assert site.post("/_/oidc/burn-token", json={"token": "pcl_nonsense"}).status_code == 200
    assert refused(site.post("/_/oidc/burn-token", json={})) == "invalid-payload"


def test_a_persons_token_cannot_be_burnt(site: FlaskClient, trusting: Services, wheel: Path) -> None:
    """The address ends short-lived tokens only."""
    token, _ = trusting.tokens.create_token("bob", "ci", by=TESTER)
    site.post("/_/oidc/burn-token", json={"token": token.text})
    assert upload(site, wheel, headers=basic("__token__", token.text)).status_code == 200


def test_a_removed_publisher_ends_its_tokens(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path
) -> None:
    """At once, although the verdict was remembered."""
    public_id = trust(trusting)
    headers = minted(site, issuer)
    assert upload(site, wheel, headers=headers).status_code == 200
    trusting.publishers.remove(MAIN, SAMPLE, public_id, by=TESTER)
    assert upload(site, wheel, headers=headers).status_code == 401
    assert refused(mint(site, issuer.token(**issuer.github_claims()))) == "invalid-publisher"


def test_a_publisher_stands_with_who_added_it(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path
) -> None:
    """S112, S113: deactivating bob ends what he trusted, tokens and publishers alike."""
    trust(trusting)
    headers = minted(site, issuer)
    assert upload(site, wheel, headers=headers).status_code == 200
    trusting.users.set_active("bob", active=False, by=TESTER)
    assert upload(site, wheel, headers=headers).status_code == 401
    assert refused(mint(site, issuer.token(**issuer.github_claims()))) == "invalid-publisher"
    trusting.users.set_active("bob", active=True, by=TESTER)
    assert upload(site, wheel, headers=minted(site, issuer)).status_code == 200


def test_a_name_that_somebody_else_took_is_theirs(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path
) -> None:
    """A pending publisher keeps no name: once carol owns the project, bob's job does not upload to it."""
    trust(trusting)
    headers = minted(site, issuer)
    assert upload(site, wheel, headers=basic("carol", PASSWORDS["bob"])).status_code == 200
    assert upload(site, build_wheel(wheel.parent, version="2.0"), headers=headers).status_code == 401
    assert refused(mint(site, issuer.token(**issuer.github_claims()))) == "invalid-publisher"


def test_a_publisher_of_the_shell_stands_alone(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path, tmp_path: Path
) -> None:
    """Nobody's right bounds one that an operator added; but it starts no project, which would be nobody's."""
    with pytest.raises(InvalidRequest, match="belongs to somebody"):
        trust(trusting, by=None)
    assert upload(site, wheel, headers=basic("alice")).status_code == 200
    trust(trusting, by=None)
    second = build_wheel(tmp_path, version="2.0")
    headers = minted(site, issuer)
    assert upload(site, second, headers=headers).status_code == 200
    trusting.publishers.remove(MAIN, SAMPLE, trusting.publishers.of_project(MAIN, SAMPLE)[0].id, by=TESTER)
    with trusting.database.writing() as change:  # as an earlier version let the shell add one
        fresh = NewPublisher(MAIN, OTHER, "github", issuer.url, FIELDS)
        add_publisher(change.connection, fresh, None, change.at)
    assert refused(mint(site, issuer.token(**issuer.github_claims()))) == "invalid-pending-publisher"


def test_an_ended_token_is_worth_nothing(
    site: FlaskClient, trusting: Services, issuer: MockIssuer, wheel: Path
) -> None:
    """After its minutes it is 401."""
    trust(trusting)
    headers = minted(site, issuer)
    with trusting.database.writing() as change:
        change.connection.exec_driver_sql("UPDATE minted_tokens SET expires = 0")
    assert upload(site, wheel, headers=headers).status_code == 401


def test_the_journal_has_it_all(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> None:
    """Who trusted what, which run of which commit got a token, and when it ended."""
    public_id = trust(trusting)
    body = mint(site, issuer.token(**issuer.github_claims())).json
    assert body is not None
    site.post("/_/oidc/burn-token", json={"token": body["token"]})
    trusting.publishers.remove(MAIN, SAMPLE, public_id, by=TESTER)
    rows = actions(trusting)
    assert [row.action for row in rows] == ["publisher.add", "publisher.mint", "publisher.burn", "publisher.remove"]
    assert [row.actor for row in rows] == ["tester", job_of(issuer), job_of(issuer), "tester"]
    facts = rows[1].detail
    assert (rows[1].project, rows[1].address) == ("sample", "127.0.0.1")
    assert (facts["publisher"], facts["repository"], facts["run_id"]) == (public_id, "acme/tool", "17")
    assert (facts["ref"], len(facts["sha"])) == ("refs/tags/v1.0", 40)
    assert body["token"].split("_")[2] not in str([row.detail for row in rows])


def test_old_tokens_are_swept(site: FlaskClient, trusting: Services, issuer: MockIssuer) -> None:
    """What was seen is forgotten once it could not be used any more."""
    trust(trusting)
    minted(site, issuer)
    with trusting.database.writing() as change:
        for table in ("minted_tokens", "seen_identity_tokens"):
            change.connection.exec_driver_sql(f"UPDATE {table} SET expires = 0")
    minted(site, issuer)
    for table in ("minted_tokens", "seen_identity_tokens"):
        assert trusting.database.quick(f"SELECT count(*) FROM {table}", ())[0] == 1
