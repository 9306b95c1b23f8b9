"""A browser that came with an index's name and secret: what it may, and when that ends."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from database.journal_reading import JournalFilter, stream
from server import create_wsgi
from services import Services
from tests.conftest import PASSWORDS, TESTER
from tests.factory import build_wheel
from tests.indexes.declared import A_WRITES, B_WRITES, THREE
from tests.multipart_form import BOUNDARY, FilePart, encode, upload
from tests.web.conftest import BROWSER, Visitor

Open = Callable[..., Services]
Visit = Callable[..., "Declared"]
SECRETS = ("a reads", "a writes", "b reads", "b writes", "p reads")


class Declared(Visitor):
    """A browser, and the services of the server that it visits."""

    def __init__(self, client: Client, services: Services) -> None:
        super().__init__(cast("FlaskClient", client))
        self.services = services


@pytest.fixture
def visit(open_server: Open, tmp_path: Path) -> Iterator[Visit]:
    """Starts a server with a file of indexes and gives a browser of it; each start finds what the last one left."""
    with ExitStack() as stack:

        def make(text: str = THREE, **settings: str) -> Declared:
            services = open_server(indexes_file=text, indexes_text=True, **settings)
            front = create_wsgi(services)
            stack.callback(front.close)
            return Declared(Client(front), services)

        first = make()
        for header, name in ((A_WRITES, "alpha"), (B_WRITES, "beta")):
            assert upload(first.client, build_wheel(tmp_path, name), headers=header).status_code == 200
        yield make


def test_the_pair_opens_its_index(visit: Visit) -> None:
    """And no other; the name is at the top of each page, as a person's would be."""
    browser = visit()
    answer = browser.sign_in("Team-A", "a reads")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/index/team-a/")
    for path in ("/index/team-a/", "/index/team-a/project/alpha/", "/index/team-a/search?q=alpha"):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert page.headers["Cache-Control"] == "no-store"
        assert "<bdi>team-a</bdi>" in page.text
    assert browser.client.get("/index/team-a/api/packages/alpha").status_code == 200
    for path in ("/index/team-b/", "/index/team-b/project/beta/", "/index/prod/", "/admin", "/account"):
        assert browser.get(path).status_code in {302, 403, 404}, path


def test_it_leads_to_the_page_that_was_wanted(visit: Visit) -> None:
    """Of this server only."""
    browser = visit()
    wanted = browser.get("/index/team-a/project/alpha/")
    assert wanted.headers["Location"].startswith("/login?next=")
    answer = browser.sign_in("team-a", "a reads", next="/index/team-a/project/alpha/")
    assert answer.headers["Location"] == "/index/team-a/project/alpha/"
    answer = browser.sign_in("team-a", "a reads", next="https://evil.example/")
    assert answer.headers["Location"] == "/index/team-a/"


@pytest.mark.parametrize(("secret", "status"), [("a reads", 403), ("a writes", 200)])
def test_one_secret_uploads(visit: Visit, tmp_path: Path, secret: str, status: int) -> None:
    """By the form of the index; neither deletes or manages."""
    browser = visit()
    browser.sign_in("team-a", secret)
    assert browser.get("/index/team-a/upload").status_code == status
    browser.get("/index/team-a/")
    wheel = build_wheel(tmp_path, "gamma")
    body = encode([("csrf_token", browser.token), ("content", FilePart(wheel.name, wheel.read_bytes()))])
    answer = browser.client.post(
        "/index/team-a/upload/files", data=body, headers=BROWSER,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
    )  # fmt: skip
    assert answer.status_code == status
    assert (b"was published" in answer.data) is (status == 200)
    assert browser.get("/index/team-a/project/alpha/settings").status_code == 403


def test_the_secret_is_in_no_cookie_table_or_journal(visit: Visit) -> None:
    """The cookie names a session, which is kept by its hash beside a keyed digest of the secret."""
    browser = visit()
    browser.sign_in("team-a", "a writes")
    cookie = browser.client.get_cookie("sid")
    assert cookie is not None
    payload = cookie.value.strip(".").split(".")[0]
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    held = (zlib.decompress(raw) if cookie.value.startswith(".") else raw).decode()
    services = browser.services
    kept = services.settings.database_path.read_bytes()
    kept += services.settings.database_path.with_name("index.sqlite3-wal").read_bytes()
    journal = " ".join(str(row) for row in stream(services.database, JournalFilter()))
    for secret in SECRETS:
        assert secret not in held
        assert secret.encode() not in kept
        assert secret not in journal
    (row,) = stream(services.database, JournalFilter(action="session.start"))
    assert row.actor == "index:team-a"


def test_logging_out_ends_it_on_the_server(visit: Visit) -> None:
    """A copy of the cookie is worth nothing afterwards; a link of another site only asks."""
    browser = visit()
    browser.sign_in("team-a", "a reads")
    cookie = browser.client.get_cookie("sid")
    assert cookie is not None
    asked = browser.client.get("/logout", headers={**BROWSER, "Sec-Fetch-Site": "cross-site"})
    assert asked.status_code == 200
    assert browser.get("/index/team-a/").status_code == 200
    assert browser.get("/logout").status_code == 303
    assert browser.get("/index/team-a/").status_code == 302
    browser.client.set_cookie("sid", cookie.value)
    assert browser.get("/index/team-a/").status_code == 302


def test_the_older_addresses_lead_to_those_of_today(visit: Visit) -> None:
    """With the form that was sent to them."""
    browser = visit()
    answer = browser.get("/login/")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/login")
    browser.get("/login")
    sent = browser.post("/login/", username="team-a", password="a reads")
    assert (sent.status_code, sent.headers["Location"]) == (308, "/login")  # after which a browser sends the form again
    browser.sign_in("team-a", "a reads")
    assert browser.client.get("/logout/", headers=BROWSER, follow_redirects=True).status_code == 200
    assert browser.get("/index/team-a/").status_code == 302


def test_it_ends_when_the_secret_changes(visit: Visit) -> None:
    """Or is for something else, or the index is declared no more; not when another one changes."""
    browser = visit()
    browser.sign_in("team-a", "a reads")
    cookie = browser.client.get_cookie("sid")
    assert cookie is not None
    for text, status in [
        (THREE.replace("b reads", "b reads anew"), 200),
        (THREE.replace("a reads", "a reads anew"), 302),
        (THREE.replace("a writes", "other").replace("a reads", "r").replace("other", "a reads"), 302),
        ("[prod]", 302),
    ]:
        later = visit(text)
        later.client.set_cookie("sid", cookie.value)
        assert later.get("/index/team-a/").status_code == status, text


def test_it_ends_by_itself(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing was asked for a while, and some days after it began whatever was."""
    browser = visit(auth_idle_minutes="60", auth_session_days="1")
    services = browser.services
    assert services.pairs is not None
    pair = services.pairs.find("team-a", "a reads")
    assert pair is not None
    secret = services.pair_sessions.sign_in(pair, by=TESTER, agent="")
    at = [datetime.now(UTC)]

    class Clock(datetime):
        """A clock that is set by hand."""

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return at[0]

    monkeypatch.setattr("indexes.pair_sessions.datetime", Clock)
    began = at[0]
    for minutes in range(50, 1440, 50):
        at[0] = began + timedelta(minutes=minutes)
        assert services.pair_sessions.pair(secret) == pair
        services.flush()
    at[0] = began + timedelta(minutes=1441)
    assert services.pair_sessions.pair(secret) is None
    again = services.pair_sessions.sign_in(pair, by=TESTER, agent="")
    at[0] = datetime.now(UTC) + timedelta(minutes=61)
    assert services.pair_sessions.pair(again) is None


def test_a_wrong_pair_is_refused_like_a_wrong_password(visit: Visit) -> None:
    """With the same sentence for all; after ten guesses it waits, also with the right one."""
    browser = visit()
    for name in ("team-a", "absent"):
        answer = browser.sign_in(name, "guess")
        assert answer.status_code == 401
        assert "The username or password is wrong; check both." in answer.text
    for guess in range(9):
        browser.sign_in("team-a", f"guess {guess}")
    assert browser.sign_in("team-a", "a reads").status_code == 429


def test_a_person_called_like_an_index_signs_in(visit: Visit) -> None:
    """By their own password they are themselves; and what the browser had before is gone."""
    browser = visit()
    browser.services.users.create_user("team-a", PASSWORDS["carol"], by=TESTER)
    browser.sign_in("team-a", "a reads")
    assert browser.get("/index/team-a/").status_code == 200
    assert browser.sign_in("team-a", PASSWORDS["carol"]).status_code == 303
    assert browser.get("/account").status_code == 200
    assert browser.get("/index/team-a/").status_code == 403
    browser.get("/account")
    assert browser.post("/login", username="team-b", password="b reads").headers["Location"] == "/index/team-b/"
    assert browser.get("/account").status_code == 403
    assert browser.services.sessions.sessions.of_user("team-a", datetime.now(UTC)) == []


def test_an_index_that_is_deleted_takes_its_sessions_along(visit: Visit) -> None:
    """Though a browser came with its secret."""
    browser = visit()
    browser.sign_in("prod", "p reads")
    assert browser.get("/index/prod/").status_code == 200
    browser.services.indexes.delete("prod", by=TESTER, declaring=True)
    assert browser.get("/index/prod/").status_code in {302, 403}
