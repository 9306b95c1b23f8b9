"""Second factors, proving again who one is, and the browsers that are signed in."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from flask.testing import FlaskClient

from database.accounts import link_identity
from database.identity_models import Session
from database.models import JournalEntry
from people.tokens import Limits
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_wheel
from tests.multipart_form import upload
from tests.web.conftest import Visitor


def seed_of(page: str) -> str:
    """The seed that a page shows."""
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert found, page
    return found[1]


def ticket_of(page: str) -> str:
    """The ticket of the form that confirms an app."""
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def set_up(visitor: Visitor) -> tuple[pyotp.TOTP, list[str]]:
    """Set an authenticator app up, as a person does; the app and the recovery codes."""
    visitor.get("/account/security")
    begun = visitor.post("/account/factors/app").text
    app = pyotp.TOTP(seed_of(begun))
    done = visitor.post("/account/factors/app/confirm", ticket=ticket_of(begun), code=app.now(), name="Phone")
    assert done.status_code == 200, done.text
    codes = re.findall(r"[0-9a-z]{4}(?:-[0-9a-z]{4}){3}", done.text)
    assert len(codes) == 10
    return app, codes


def later_code(app: pyotp.TOTP, services: Services) -> str:
    """The app's code of now, with its earlier use forgotten, so that tests need not wait for the next one."""
    with services.database.writing() as change:
        change.connection.exec_driver_sql("UPDATE factors SET last_step = NULL")
    return app.now()


@pytest.fixture
def stranger(secured: Services) -> Callable[[], Visitor]:
    """Other browsers on the same server."""
    app = create_app(secured)
    return lambda: Visitor(app.test_client())


def test_signing_in_with_an_app(bob: Visitor, secured: Services, stranger: Callable[[], Visitor]) -> None:
    """After the password the code is asked for; only then is there a session. A code is good once (S120)."""
    app, _ = set_up(bob)
    visitor = stranger()
    visitor.get("/login")
    half = visitor.post("/login", username="bob", password=PASSWORDS["bob"], next="/search")
    assert half.headers["Location"] == "/login/factor"
    assert visitor.get("/account").status_code == 302
    visitor.get("/login/factor")
    assert visitor.post("/login/factor", code="000000").status_code == 401
    code = later_code(app, secured)
    done = visitor.post("/login/factor", code=f" {code[:3]} {code[3:]} ")
    assert (done.status_code, done.headers["Location"]) == (303, "/search")
    assert visitor.get("/account").status_code == 200
    again = stranger()
    again.get("/login")
    again.post("/login", username="bob", password=PASSWORDS["bob"])
    again.get("/login/factor")
    assert again.post("/login/factor", code=code).status_code == 401


def test_half_a_sign_in_ends_with_the_password(
    bob: Visitor, secured: Services, stranger: Callable[[], Visitor]
) -> None:
    """Whoever had the old password and waits for a code begins again; and a half done sign-in is finished once."""
    app, codes = set_up(bob)
    visitor = stranger()
    visitor.get("/login")
    visitor.post("/login", username="bob", password=PASSWORDS["bob"])
    with visitor.client.session_transaction() as kept:
        ticket = kept["sign-in"]
    visitor.get("/login/factor")
    assert visitor.post("/login/factor", code=codes[0]).status_code == 303
    with visitor.client.session_transaction() as kept:
        kept["sign-in"] = ticket
    assert visitor.post("/login/factor", code=codes[1]).status_code == 403
    late = stranger()
    late.get("/login")
    late.post("/login", username="bob", password=PASSWORDS["bob"])
    late.get("/login/factor")
    secured.users.set_password("bob", "a new one", by=TESTER)
    refused = late.post("/login/factor", code=later_code(app, secured))
    assert refused.status_code == 403
    assert "changed meanwhile" in refused.text


def test_an_app_is_set_up_once_a_page(bob: Visitor, secured: Services) -> None:
    """The page that was sent adds no second factor with the same seed when it is sent again."""
    bob.get("/account/security")
    begun = bob.post("/account/factors/app").text
    app, ticket = pyotp.TOTP(seed_of(begun)), ticket_of(begun)
    assert bob.post("/account/factors/app/confirm", ticket=ticket, code=app.now(), name="Phone").status_code == 200
    assert bob.post("/account/factors/app/confirm", ticket=ticket, code=app.now(), name="Again").status_code == 403
    account = secured.users.account("bob")
    assert [one.name for one in secured.factors.factors.of_user(account.id)] == ["Phone"]


def test_wrong_codes_bar_the_account_they_were_typed_for_only(
    bob: Visitor, secured: Services, stranger: Callable[[], Visitor]
) -> None:
    """Five from one address close that account's second step there; another's stays open."""
    set_up(bob)
    alice = stranger()
    alice.sign_in("alice")
    app, _ = set_up(alice)
    statuses = []
    for name in ("bob", "alice"):
        visitor = stranger()
        visitor.get("/login")
        visitor.post("/login", username=name, password=PASSWORDS[name])
        visitor.get("/login/factor")
        if name == "bob":
            statuses = [visitor.post("/login/factor", code=f"00000{number}").status_code for number in range(6)]
        else:
            assert visitor.post("/login/factor", code=later_code(app, secured)).status_code == 303
    assert statuses == [401] * 5 + [429]


def test_a_recovery_code_is_good_once(bob: Visitor, stranger: Callable[[], Visitor]) -> None:
    """However it is typed; new codes end the old ones."""
    _, codes = set_up(bob)
    for code, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 401)):
        visitor = stranger()
        visitor.get("/login")
        visitor.post("/login", username="bob", password=PASSWORDS["bob"])
        visitor.get("/login/factor")
        assert visitor.post("/login/factor", code=code).status_code == status
    assert "9 recovery codes left" in bob.get("/account/security").text
    fresh = bob.post("/account/factors/codes").text
    assert codes[1] not in fresh


def test_a_password_alone_is_not_enough_any_more(
    bob: Visitor, secured: Services, secured_client: FlaskClient, tmp_path: Path
) -> None:
    """With a factor on, Basic by password reads, and neither uploads nor makes tokens; a token uploads. Removing the
    factor gives it back.
    """
    token, _ = secured.tokens.create_token("bob", "ci", Limits(), by=TESTER)
    assert upload(secured_client, build_wheel(tmp_path), headers=basic("bob")).status_code == 200
    set_up(bob)
    second = build_wheel(tmp_path, version="2.0")
    refused = upload(secured_client, second, headers=basic("bob"))
    assert refused.status_code == 403
    assert "second factor" in refused.text
    assert secured_client.post("/api/tokens", json={"name": "x"}, headers=basic("bob")).status_code == 403
    assert secured_client.get("/api/packages", headers=basic("bob")).status_code == 200
    assert upload(secured_client, second, headers=basic("__token__", token.text)).status_code == 200
    (factor,) = secured.factors.factors.of_user(secured.users.account("bob").id)
    bob.get("/account/security")
    assert bob.post(f"/account/factors/{factor.public_id}/remove").status_code == 303
    assert upload(secured_client, build_wheel(tmp_path, version="3.0"), headers=basic("bob")).status_code == 200


def test_the_seed_lies_sealed_and_a_wrong_code_sets_nothing_up(bob: Visitor, secured: Services) -> None:
    """The page with the same seed comes again; the database never has it in clear."""
    bob.get("/account/security")
    begun = bob.post("/account/factors/app").text
    wrong = bob.post("/account/factors/app/confirm", ticket=ticket_of(begun), code="000000")
    assert wrong.status_code == 400
    assert seed_of(wrong.text) == seed_of(begun)
    assert bob.post("/account/factors/app/confirm", ticket="made up", code="000000").status_code == 403
    assert secured.factors.factors.of_user(secured.users.account("bob").id) == []
    app, _ = set_up(bob)
    dump = secured.database.path.read_bytes() + secured.database.path.with_name("index.sqlite3-wal").read_bytes()
    assert app.secret.encode() not in dump


def test_wrong_codes_are_slowed_down(bob: Visitor, stranger: Callable[[], Visitor], secured: Services) -> None:
    """S103: after five the right one is not even looked at; each is in the journal."""
    app, _ = set_up(bob)
    visitor = stranger()
    visitor.get("/login")
    visitor.post("/login", username="bob", password=PASSWORDS["bob"])
    visitor.get("/login/factor")
    statuses = [visitor.post("/login/factor", code="111111").status_code for _ in range(7)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert visitor.post("/login/factor", code=later_code(app, secured)).status_code == 429
    secured.flush()
    with secured.database.reading() as connection:
        rows = connection.execute(JournalEntry.__table__.select().where(JournalEntry.action == "session.refused")).all()
    assert [(row.detail["user"], row.detail["reason"]) for row in rows] == [("bob", "second factor")]


def test_another_browser_is_signed_out_by_a_new_factor(bob: Visitor, stranger: Callable[[], Visitor]) -> None:
    """Whoever was in by the password alone is out."""
    other = stranger()
    other.sign_in("bob")
    assert other.get("/account").status_code == 200
    set_up(bob)
    assert other.get("/account").status_code == 302
    assert bob.get("/account").status_code == 200


def long_ago(services: Services) -> None:
    """Let every session have proved who it is an hour ago."""
    with services.database.writing() as change:
        change.connection.execute(
            Session.__table__.update().values(proved=datetime.now(UTC) - timedelta(hours=1))  # type: ignore[attr-defined]
        )


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/tokens", {"name": "x", "scopes": "upload"}), ("/account/factors/app", {}),
        ("/account/factors/codes", {}), ("/account/factors/x/remove", {}), ("/account/factors/passkey", {}),
        ("/admin/users", {"username": "eve", "password": "eve's long password"}),
        ("/admin/users/bob/password", {"password": "p"}), ("/admin/users/bob/active", {"active": "no"}),
        ("/admin/users/bob/email", {"email": ""}), ("/admin/users/bob/unlink", {}),
        ("/admin/users/bob/sessions/end", {}), ("/admin/users/bob/factors/reset", {}),
    ],
)  # fmt: skip
def test_what_matters_asks_for_a_recent_proof(
    alice: Visitor, secured: Services, path: str, fields: dict[str, str]
) -> None:
    """An hour after signing in nothing is changed before the password was typed again, under a new session."""
    long_ago(secured)
    before = secured.sessions.sessions.of_user("alice", datetime.now(UTC))
    headers = {"Accept": "text/html", "Referer": "http://localhost/account"}
    asked = alice.client.post(path, data={"csrf_token": alice.token, **fields}, headers=headers)
    assert asked.status_code == 303
    assert asked.headers["Location"] == "/login/confirm?next=/account"
    assert secured.accounts.user("eve") is None
    alice.get("/login/confirm?next=/account")
    assert alice.post("/login/confirm", next="/account", password="wrong").status_code == 401
    proved = alice.post("/login/confirm", next="/account", password=PASSWORDS["alice"])
    assert (proved.status_code, proved.headers["Location"]) == (303, "/account")
    after = secured.sessions.sessions.of_user("alice", datetime.now(UTC))
    assert {one.public_id for one in before}.isdisjoint(one.public_id for one in after)
    alice.get("/account")
    location = alice.post(path, **fields).headers.get("Location", "")
    assert "/login/confirm" not in location


@pytest.mark.parametrize(("minutes", "asks"), [("59", True), ("61", False)])
def test_how_recent_a_proof_has_to_be_is_a_setting(
    open_server: Callable[..., Services], minutes: str, asks: bool
) -> None:
    """An hour after it, recent_minutes decides whether it is asked for anew."""
    one = open_server(auth_enabled="true", auth_recent_minutes=minutes)
    one.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    alice = Visitor(create_app(one).test_client())
    alice.sign_in("alice")
    long_ago(one)
    answer = alice.post("/account/tokens", name="x", expires_days="3", scopes="read")
    assert ("/login/confirm" in answer.headers.get("Location", "")) is asks
    assert len(one.readers.tokens.of_user("alice")) == (not asks)


def test_an_administrator_helps_whoever_lost_everything(
    alice: Visitor, secured: Services, stranger: Callable[[], Visitor]
) -> None:
    """On the user's page: factors removed, browsers signed out, a link to a directory forgotten, a new e-mail address;
    what there is not is not offered.
    """
    page = alice.get("/admin/users/bob").text
    for action in ("factors/reset", "sessions/end", "unlink"):
        assert f"/admin/users/bob/{action}" not in page
    bob = stranger()
    bob.sign_in("bob")
    set_up(bob)
    with secured.database.writing() as change:
        link_identity(change.connection, secured.users.account("bob").id, "ldap", "uid=bob", change.at)
    assert "/admin/users/bob/factors/reset" in alice.get("/admin/users/bob").text
    assert alice.post("/admin/users/bob/sessions/end").status_code == 303
    assert "Signed 1 browser of bob out." in alice.get("/admin/users/bob").text
    assert bob.get("/account").status_code == 302
    assert alice.post("/admin/users/bob/factors/reset").status_code == 303
    assert bob.sign_in("bob").headers["Location"] == "/"  # no code is asked for
    assert alice.post("/admin/users/bob/unlink").status_code == 303
    assert not secured.accounts.is_linked(secured.users.account("bob").id)
    wrong = alice.post("/admin/users/bob/email", email="nonsense")
    assert (wrong.status_code, wrong.text.count('role="alert"')) == (400, 1)
    assert alice.post("/admin/users/bob/email", email="bob@example.com").status_code == 303
    assert secured.users.account("bob").email == "bob@example.com"


def test_browsers_are_listed_and_signed_out(bob: Visitor, stranger: Callable[[], Visitor], secured: Services) -> None:
    """One by its id, or all others; another's id is answered like one that is not there (S110)."""
    others = [stranger(), stranger()]
    for other in others:
        other.sign_in("bob")
    alice = stranger()
    alice.sign_in("alice")
    page = bob.get("/account/security").text
    ids = re.findall(r"/account/sessions/([0-9a-f]+)/end", page)
    assert len(ids) == 2
    (foreign,) = secured.sessions.sessions.of_user("alice", datetime.now(UTC))
    assert bob.post(f"/account/sessions/{foreign.public_id}/end").status_code == 404
    assert alice.get("/account").status_code == 200
    assert bob.post(f"/account/sessions/{ids[0]}/end").status_code == 303
    assert sorted(other.get("/account").status_code for other in others) == [200, 302]
    assert bob.post("/account/sessions/end").status_code == 303
    assert [other.get("/account").status_code for other in others] == [302, 302]
    assert bob.get("/account").status_code == 200


def test_a_browser_that_is_left_alone_is_signed_out(open_server: Callable[..., Services]) -> None:
    """After the idle minutes, sooner for an administrator; use keeps it alive, written down beside the requests."""
    one = open_server(auth_enabled="true", auth_idle_minutes="60", auth_admin_idle_minutes="30")
    one.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    one.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    people = [one.users.account(name) for name in ("alice", "bob")]
    secrets = {person.username: one.sessions.sign_in(person, "password", by=TESTER, agent="") for person in people}

    def seen(minutes: int) -> None:
        with one.database.writing() as change:
            moment = datetime.now(UTC) - timedelta(minutes=minutes)
            change.connection.execute(Session.__table__.update().values(last_seen=moment))  # type: ignore[attr-defined]

    seen(45)
    assert one.sessions.session(secrets["alice"]) is None
    assert one.sessions.session(secrets["bob"]) is not None
    one.sessions.flush_uses()
    (row,) = one.sessions.sessions.of_user("bob", datetime.now(UTC))
    assert datetime.now(UTC) - row.last_seen < timedelta(minutes=5)
    seen(61)
    assert one.sessions.session(secrets["bob"]) is None


@pytest.mark.parametrize(
    ("demanded", "bob_must"), [("nobody", False), ("administrators", False), ("uploaders", True), ("everybody", True)]
)
def test_a_factor_may_be_demanded_by_role(
    open_server: Callable[..., Services], tmp_path: Path, demanded: str, bob_must: bool
) -> None:
    """Who has to have one is led to setting it up and may do nothing else before; their password alone uploads
    nothing.
    """
    one = open_server(auth_enabled="true", auth_require_factor=demanded)
    one.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    app = create_app(one)
    sent = upload(app.test_client(), build_wheel(tmp_path), headers=basic("bob"))
    assert sent.status_code == (403 if bob_must else 200)
    visitor = Visitor(app.test_client())
    visitor.get("/login")
    answer = visitor.post("/login", username="bob", password=PASSWORDS["bob"])
    assert answer.headers["Location"] == ("/account/security" if bob_must else "/")
    assert visitor.get("/account").status_code == (403 if bob_must else 200)
    set_up(visitor)
    assert visitor.get("/account").status_code == 200


def test_an_administrator_resets_a_lost_factor(
    bob: Visitor, secured: Services, stranger: Callable[[], Visitor]
) -> None:
    """Then the password alone signs in again, everywhere else they are out, and the journal says who did it."""
    set_up(bob)
    assert secured.factors.reset(secured.users.account("bob"), by=TESTER) == 1
    assert bob.get("/account").status_code == 302
    visitor = stranger()
    assert visitor.sign_in("bob").headers["Location"] == "/"
