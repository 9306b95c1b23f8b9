"""What a job and its publisher do: trust is put in it, it asks for a token, and the journal names it."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from packaging.utils import NormalizedName
from werkzeug.test import TestResponse

from database.models import JournalEntry
from permissions import MAIN
from services import Services
from tests.conftest import TESTER, basic
from tests.credentials.mock_issuer import MockIssuer

SAMPLE, OTHER = NormalizedName("sample"), NormalizedName("other")
FIELDS = {"owner": "acme", "repository": "tool", "workflow": "release.yml"}


def user_id(services: Services, name: str) -> int:
    """The row of a user."""
    account = services.accounts.user(name)
    assert account is not None
    return account.id


def trust(services: Services, project: NormalizedName = SAMPLE, by: str | None = "bob", **fields: str) -> str:
    """Add a publisher; its id."""
    who = user_id(services, by) if by else None
    row = services.publishers.add(MAIN, project, "github", {**FIELDS, **fields}, by=TESTER, user_id=who)
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
