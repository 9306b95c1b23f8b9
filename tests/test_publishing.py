"""Trusted publishing: a job that its provider vouches for gets a token for some minutes, and uploads with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName
from werkzeug.test import TestResponse

from database.journal import Actor
from database.models import JournalEntry
from database.publishers import NewPublisher, add_publisher
from errors import Conflict, InvalidRequest, NameTaken, UnknownPublisher
from people.publishers import MOST_OF_A_PROJECT
from server import create_app
from services import INDEX, Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.credentials.mock_issuer import MockIssuer, mock_issuer
from tests.factory import build_wheel
from tests.multipart_form import upload

SAMPLE, OTHER = NormalizedName("sample"), NormalizedName("other")
FIELDS = {"owner": "acme", "repository": "tool", "workflow": "release.yml"}
Mint = Callable[..., TestResponse]


@pytest.fixture
def issuer() -> Iterator[MockIssuer]:
    """A provider on loopback."""
    with mock_issuer() as running:
        yield running


@pytest.fixture
def trusting(open_server: Callable[..., Services], issuer: MockIssuer) -> Services:
    """A server with authentication, to which the provider signs for GitHub: alice administers, bob and carol upload."""
    made = open_server(auth_enabled="true", publishing_github=issuer.url)
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    for name in ("bob", "carol"):
        made.users.create_user(name, PASSWORDS["bob"], by=TESTER)
    return made


@pytest.fixture
def site(trusting: Services) -> FlaskClient:
    """A client of that server."""
    return create_app(trusting).test_client()


def user_id(services: Services, name: str) -> int:
    """The row of a user."""
    account = services.accounts.user(name)
    assert account is not None
    return account.id


def trust(services: Services, project: NormalizedName = SAMPLE, by: str | None = "bob", **fields: str) -> str:
    """Add a publisher; its id."""
    who = user_id(services, by) if by else None
    row = services.publishers.add(INDEX, project, "github", {**FIELDS, **fields}, by=TESTER, user_id=who)
    return row.id


def mint(site: FlaskClient, token: object, **more: object) -> TestResponse:
    """Ask for an upload token."""
    return site.post("/_/oidc/mint-token", json={"token": token, **more})


def minted(site: FlaskClient, issuer: MockIssuer, **claims: Any) -> dict[str, str]:
    """The Authorization header of a token that the job gets."""
    answer = mint(site, issuer.token(**issuer.github_claims(**claims)))
    assert answer.status_code == 200, answer.text
    return basic("__token__", answer.json["token"])  # type: ignore[index]


def refused(answer: TestResponse) -> str:
    """PyPI's word for why no token was given."""
    assert answer.status_code == 422, answer.text
    body = answer.json
    assert body is not None
    assert body["message"] == "Token request failed"
    assert [set(one) for one in body["errors"]] == [{"code", "description"}]
    return str(body["errors"][0]["code"])


def actions(services: Services, like: str = "publisher.%") -> list[Any]:
    """The rows of the journal whose action is so."""
    with services.database.reading() as connection:
        table = JournalEntry.__table__
        return list(connection.execute(table.select().where(table.c.action.like(like)).order_by(table.c.serial)))


def job_of(issuer: MockIssuer) -> str:
    """What the journal calls the job: with the issuer, since it is not the usual one."""
    return f"github:{issuer.url.removeprefix('http://')}/acme/tool"


# -- the addresses


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


# -- tokens for the provider's


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
    assert trusting.publishers.of_project(INDEX, SAMPLE)[0].pending
    assert upload(site, wheel, headers=minted(site, issuer)).status_code == 200
    assert trusting.readers.rights.ground(INDEX, SAMPLE).owners == ("bob",)
    assert not trusting.publishers.of_project(INDEX, SAMPLE)[0].pending
    assert trusting.catalogue.uploaders(SAMPLE) == {wheel.name: job_of(issuer)}
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
    assert made.readers.rights.ground(INDEX, SAMPLE).owners == ()


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
    assert trusting.publishers.of_project(INDEX, SAMPLE)[0].fields["owner_id"] == "65"
    taken_over = issuer.github_claims(repository_owner_id="66")
    assert refused(mint(site, issuer.token(**taken_over))) == "invalid-publisher"


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


# -- ends


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
    trusting.publishers.remove(INDEX, SAMPLE, public_id, by=TESTER)
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
    trusting.publishers.remove(INDEX, SAMPLE, trusting.publishers.of_project(INDEX, SAMPLE)[0].id, by=TESTER)
    with trusting.database.writing() as change:  # as an earlier version let the shell add one
        fresh = NewPublisher(INDEX, OTHER, "github", issuer.url, FIELDS)
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
    trusting.publishers.remove(INDEX, SAMPLE, public_id, by=TESTER)
    rows = actions(trusting)
    assert [row.action for row in rows] == ["publisher.add", "publisher.mint", "publisher.burn", "publisher.remove"]
    assert [row.actor for row in rows] == ["tester", job_of(issuer), job_of(issuer), "tester"]
    facts = rows[1].detail
    assert (rows[1].project, rows[1].address) == ("sample", "127.0.0.1")
    assert (facts["publisher"], facts["repository"], facts["run_id"]) == (public_id, "acme/tool", "17")
    assert (facts["ref"], len(facts["sha"])) == ("refs/tags/v1.0", 40)
    assert body["token"].split("_")[2] not in str([row.detail for row in rows])


# -- what may be trusted


def test_what_cannot_be_trusted(trusting: Services) -> None:
    """An issuer that the settings do not name, a field that is wrong, twice the same, too many."""
    add, who = trusting.publishers.add, user_id(trusting, "bob")
    with pytest.raises(InvalidRequest, match="not trusted here"):
        add(INDEX, SAMPLE, "github", FIELDS, "https://evil.example", by=TESTER, user_id=who)
    with pytest.raises(InvalidRequest, match="workflow"):
        add(INDEX, SAMPLE, "github", {**FIELDS, "workflow": "a/b.yml"}, by=TESTER, user_id=who)
    with pytest.raises(InvalidRequest, match="no kind"):
        add(INDEX, SAMPLE, "jenkins", FIELDS, by=TESTER, user_id=who)
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
        trusting.publishers.remove(INDEX, OTHER, public_id, by=Actor("tester"))
    assert [row.id for row in trusting.publishers.of_project(INDEX, SAMPLE)] == [public_id]


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


# -- the API


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
