"""Who may upload, and what is written down of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask.testing import FlaskClient

from database.models import JournalEntry
from people.tokens import Limits
from services import Services
from tests.conftest import TESTER, basic
from tests.multipart_form import upload
from tests.test_upload import filenames


def test_uploading_needs_a_login_when_authentication_is_on(secured_client: FlaskClient, wheel: Path) -> None:
    """Nobody and a wrong password get 401 with a challenge that old setuptools knows; a password uploads."""
    for headers in ({}, basic("bob", "wrong"), {"Authorization": "Basic ???"}, {"Authorization": "Bearer nonsense"}):
        answer = upload(secured_client, wheel, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="pypi"')
    assert filenames(secured_client) == []
    assert upload(secured_client, wheel, headers=basic("bob")).status_code == 200


def test_tokens_upload(secured_client: FlaskClient, secured: Services, wheel: Path) -> None:
    """A token uploads under __token__ and under its owner's name, and no more once it is revoked."""
    by = secured.tokens
    token, row = by.create_token("bob", "ci", Limits(30), by=TESTER)
    for username in ("__token__", "bob"):
        assert upload(secured_client, wheel, headers=basic(username, token.text)).status_code == 200
    assert upload(secured_client, wheel, headers={"Authorization": f"Bearer {token.text}"}).status_code == 200
    assert upload(secured_client, wheel, headers=basic("alice", token.text)).status_code == 401
    by.revoke_token("bob", row.id, by=TESTER)
    assert upload(secured_client, wheel, headers=basic("__token__", token.text)).status_code == 401


def test_a_deactivated_account_uploads_no_more(secured_client: FlaskClient, secured: Services, wheel: Path) -> None:
    """S112: the cached verdict ends with the account."""
    assert upload(secured_client, wheel, headers=basic("bob")).status_code == 200
    secured.users.set_active("bob", active=False, by=TESTER)
    assert upload(secured_client, wheel, headers=basic("bob")).status_code == 401


def test_another_sites_page_cannot_upload(client: FlaskClient, wheel: Path) -> None:
    """S114: even on an open server, a request that a browser makes for another site is refused."""
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert upload(client, wheel, headers=headers).status_code == 403
    assert upload(client, wheel, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_an_upload_is_in_the_journal(secured_client: FlaskClient, secured: Services, wheel: Path) -> None:
    """Who uploaded what from where is a row of the journal, beside the release that it made."""
    upload(secured_client, wheel, headers=basic("bob"))
    with secured.database.reading() as connection:
        rows = connection.execute(
            JournalEntry.__table__.select().where(JournalEntry.index_name == "main").order_by(JournalEntry.serial)
        ).all()
    assert [(row.action, row.actor, row.address) for row in rows] == [
        ("release.create", "bob", "127.0.0.1"),
        ("file.publish", "bob", "127.0.0.1"),
    ]
    assert rows[1].detail["sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
