"""Who is asking, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient

from auth import Peer
from credentials.passwords import Passwords
from credentials.throttle import network_of
from credentials.tokens import PREFIX, make_token, read_token
from errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NameTaken,
    NotAuthenticated,
    TooManyAttempts,
    UnknownToken,
    UnknownUser,
)
from people.tokens import Limits
from permissions import Permission, Role, allows
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from views.guards import is_local_name, peer_of

HERE = Peer("127.0.0.1")
ELSEWHERE = Peer("203.0.113.9")


def header(username: str, password: str | None = None) -> str:
    """The Authorization header of somebody."""
    return basic(username, password)["Authorization"]


@dataclass
class Hashes:
    """How many slow hashes were computed."""

    count: int = 0


@pytest.fixture
def hashes(secured: Services, monkeypatch: pytest.MonkeyPatch) -> Hashes:
    """Counts them."""
    counted, verify = Hashes(), secured.authenticator.passwords.verify

    def counting(stored: str | None, password: str) -> bool:
        counted.count += 1
        return verify(stored, password)

    monkeypatch.setattr(secured.authenticator.passwords, "verify", counting)
    return counted


def test_unknown_names_and_wrong_passwords_look_alike(secured: Services, hashes: Hashes) -> None:
    """S102: the same sentence, and a real hash for each, so that they take about as long."""
    said = set()
    for number, username in enumerate(("bob", "nobody"), 1):
        with pytest.raises(NotAuthenticated) as caught:
            secured.authenticator.authenticate(header(username, "wrong"), HERE)
        assert hashes.count == number
        said.add(caught.value.sentence)
    assert len(said) == 1


@pytest.mark.parametrize("text", ["", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x", "Bearer x", "x" * 10_000])
def test_what_is_no_credential(secured: Services, text: str) -> None:
    """A header that cannot be read is a wrong credential, never an error of ours and never nobody."""
    with pytest.raises(NotAuthenticated):
        secured.authenticator.authenticate(text, HERE)


def test_a_megabyte_of_password_is_refused_at_once(secured: Services) -> None:
    """S104: nothing that long is hashed."""
    assert not secured.authenticator.passwords.verify(Passwords().hash("x"), "x" * 1_000_000)
    with pytest.raises(InvalidRequest):
        secured.users.create_user("carol", "x" * 5000, by=TESTER)


def test_no_header_is_anybody(secured: Services, services: Services) -> None:
    """Without a credential one is anybody, who on an open server may more."""
    anybody = secured.authenticator.authenticate(None, HERE)
    assert not anybody.is_known
    assert allows(anybody, Permission.DOWNLOAD)
    assert not allows(anybody, Permission.UPLOAD)
    on_an_open_server = services.authenticator.authenticate("whatever a client sends", HERE)
    assert not on_an_open_server.is_known
    assert allows(on_an_open_server, Permission.DELETE)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.users.set_password("bob", "another password", by=TESTER),
        lambda one: one.users.set_active("bob", active=False, by=TESTER),
    ],
)
def test_a_change_of_the_account_ends_the_verdict(secured: Services, change: Callable[[Services], None]) -> None:
    """What was good a moment ago is refused as soon as the password or the account changed."""
    assert secured.authenticator.authenticate(header("bob"), HERE).username == "bob"
    change(secured)
    with pytest.raises(NotAuthenticated):
        secured.authenticator.authenticate(header("bob"), HERE)


def test_a_change_in_another_process_ends_the_verdict(secured: Services, open_server: Callable[..., Services]) -> None:
    """The shell beside the server counts too."""
    secured.authenticator.authenticate(header("bob"), HERE)
    open_server(auth_enabled="true").users.set_active("bob", active=False, by=TESTER)
    with pytest.raises(NotAuthenticated):
        secured.authenticator.authenticate(header("bob"), HERE)


def test_verdicts_are_believed_for_a_while_only(open_server: Callable[..., Services]) -> None:
    """With a life of 0 seconds nothing is believed from before."""
    one = open_server(auth_enabled="true", auth_write_expires="0")
    one.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    one.authenticator.authenticate(header("bob"), HERE)
    assert one.authenticator.remembered(header("bob")) is not None
    assert one.authenticator.remembered(header("bob"), writing=True) is None


def test_the_default_password(open_server: Callable[..., Services]) -> None:
    """S100: the shipped password is taken from this machine, not from elsewhere nor through a proxy, also when it was
    found good a moment before; changed, it is gone.
    """
    one = open_server(auth_enabled="true")
    assert one.users.ensure_admin(None)
    assert one.accounts.default_password_stands()
    assert one.authenticator.authenticate(header("admin", "admin"), HERE).is_admin
    for peer in (ELSEWHERE, Peer("127.0.0.1", forwarded=True)):
        with pytest.raises(Forbidden):
            one.authenticator.authenticate(header("admin", "admin"), peer)
    one.users.set_password("admin", "changed", by=TESTER)
    assert not one.accounts.default_password_stands()
    assert one.authenticator.authenticate(header("admin", "changed"), ELSEWHERE).is_admin


def test_the_first_administrator(open_server: Callable[..., Services]) -> None:
    """A given password is no default one; where an administrator exists none is made."""
    one = open_server(auth_enabled="true")
    assert one.users.ensure_admin("given")
    assert not one.accounts.default_password_stands()
    assert not one.users.ensure_admin("another")
    assert one.authenticator.authenticate(header("admin", "given"), ELSEWHERE).is_admin


def test_an_admin_who_was_deactivated_is_brought_back_with_his_own_password(
    open_server: Callable[..., Services],
) -> None:
    """Where no active administrator is left, `admin` gets in again, and his password is not reset."""
    one = open_server(auth_enabled="true")
    one.users.create_user("admin", "his own", by=TESTER)
    assert one.users.ensure_admin(None)
    assert one.authenticator.authenticate(header("admin", "his own"), ELSEWHERE).is_admin


def test_the_last_administrator_stays(secured: Services) -> None:
    """The only administrator cannot be deactivated nor lose the role; with a second one they can."""
    manager = secured.users
    with pytest.raises(Conflict):
        manager.set_active("alice", active=False, by=TESTER)
    with pytest.raises(Conflict):
        manager.set_admin("alice", is_admin=False, by=TESTER)
    assert secured.accounts.has_admin()
    manager.set_admin("bob", is_admin=True, by=TESTER)
    manager.set_active("alice", active=False, by=TESTER)


def test_names_of_users(secured: Services) -> None:
    """Names are one whatever their case; odd ones are refused."""
    with pytest.raises(NameTaken):
        secured.users.create_user("BOB", "x", by=TESTER)
    for name in ("", "__token__", "a b", "-x", "x" * 101, "a\nb", "ä"):
        with pytest.raises(InvalidRequest):
            secured.users.create_user(name, "x", by=TESTER)
    with pytest.raises(UnknownUser):
        secured.users.set_password("nobody", "x", by=TESTER)


def test_tokens_have_a_form() -> None:
    """A token has our prefix, and a mistyped one is known as such without asking anybody."""
    token = make_token()
    assert token.text.startswith(f"{PREFIX}_{token.id}_")
    assert read_token(f" {token.text}\n") == token
    assert token.fits(token.secret_sha256)
    assert not make_token().fits(token.secret_sha256)
    for wrong in ("", "x", token.text[:-1], token.text + "x", token.text.replace(PREFIX, "abc"), token.text[::-1]):
        assert read_token(wrong) is None
    letter = token.text[20]
    assert read_token(token.text[:20] + ("a" if letter != "a" else "b") + token.text[21:]) is None


def test_tokens_expire_and_are_revoked(secured: Services) -> None:
    """Expired, revoked and unknown tokens are refused; so is a token of somebody else's under one's own name."""
    manager = secured.tokens
    token, row = manager.create_token("bob", "ci", Limits(30), by=TESTER)
    assert row.expires is not None
    assert 29 <= (row.expires - datetime.now(UTC)).days <= 30
    identity = secured.authenticator.check_token(token.text, HERE)
    assert identity is not None
    assert (identity.username, identity.otherwise, identity.token) == ("bob", Role.UPLOADER, token.id)
    with pytest.raises(UnknownToken):
        manager.revoke_token("alice", token.id, by=TESTER)
    manager.revoke_token("bob", token.id, by=TESTER)
    for text in (token.text, make_token().text):
        with pytest.raises(NotAuthenticated):
            secured.authenticator.check_token(text, HERE)
    assert secured.readers.tokens.of_user("bob") == []


def test_token_lives_are_bounded(open_server: Callable[..., Services]) -> None:
    """With a longest life set, a token without one gets it; a longer one, or one without an end, is refused."""
    one = open_server(auth_enabled="true", auth_token_max_days="90")
    one.users.create_user("bob", "x", by=TESTER)
    _, row = one.tokens.create_token("bob", "ci", Limits(), by=TESTER)
    assert row.expires is not None
    for days in (None, 0, -1, 91):
        with pytest.raises(InvalidRequest):
            one.tokens.create_token("bob", "ci", Limits(days), by=TESTER)
    for name in ("", " ", "x" * 201, "a\nb"):
        with pytest.raises(InvalidRequest):
            one.tokens.create_token("bob", name, Limits(1), by=TESTER)


def test_sessions_end_on_the_server(secured: Services) -> None:
    """S116: signed out, a copied cookie is worth nothing; a new password ends every session of its person."""
    manager, bob = secured.sessions, secured.users.account("bob")
    first, second = (manager.sign_in(bob, "password", by=TESTER, agent="a browser") for _ in range(2))
    found = manager.session(first)
    assert found is not None
    assert found.account.username == "bob"
    manager.sign_out(first, by=TESTER)
    assert manager.session(first) is None
    assert manager.session(second) is not None
    secured.users.set_password("bob", "another", by=TESTER)
    assert manager.session(second) is None
    assert manager.session("made up") is None


def test_the_last_use_of_a_token_is_written_down(secured: Services, secured_client: FlaskClient) -> None:
    """When and from where, beside the requests and not within them."""
    token, _ = secured.tokens.create_token("bob", "ci", Limits(None), by=TESTER)
    assert secured_client.get("/api/stats", headers=basic("__token__", token.text)).status_code == 200
    (row,) = secured.readers.tokens.of_user("bob")
    assert row.last_used is None
    secured.tokens.flush_uses()
    (row,) = secured.readers.tokens.of_user("bob")
    assert row.last_used is not None
    assert row.last_address == "127.0.0.1"


def test_wrong_passwords_are_slowed_down(secured: Services, hashes: Hashes) -> None:
    """S103: after ten wrong ones the pair of name and address waits, and costs no hash; another address does not."""
    authenticator = secured.authenticator
    for guess in range(10):
        with pytest.raises(NotAuthenticated):
            authenticator.authenticate(header("bob", f"wrong {guess}"), ELSEWHERE)
    with pytest.raises(TooManyAttempts, match="passwords for 'bob'; wait 5 minutes, or use a token") as caught:
        authenticator.authenticate(header("bob"), ELSEWHERE)
    assert hashes.count == 10
    assert 0 < caught.value.retry_after <= 300
    assert authenticator.authenticate(header("bob"), HERE).username == "bob"
    assert authenticator.authenticate(header("alice"), ELSEWHERE).username == "alice"


@pytest.mark.parametrize("username", ["bob", "__token__"])
def test_a_missing_password_is_no_guess(secured: Services, username: str) -> None:
    """uv with a keyring sends the name alone once a file, before the password: that shuts nobody out."""
    token, _ = secured.tokens.create_token("bob", "ci", Limits(), by=TESTER)
    good = header("bob") if username == "bob" else header(username, token.text)
    for _ in range(60):
        with pytest.raises(NotAuthenticated, match="No password came"):
            secured.authenticator.authenticate(header(username, ""), ELSEWHERE)
        assert secured.authenticator.authenticate(good, ELSEWHERE).username == "bob"


def test_a_good_password_forgives_the_bad_ones(secured: Services) -> None:
    """Who mistypes now and then never meets the limit."""
    for _ in range(3):
        for guess in range(9):
            with pytest.raises(NotAuthenticated):
                secured.authenticator.check_password("bob", f"wrong {guess}", ELSEWHERE)
        assert secured.authenticator.check_password("bob", PASSWORDS["bob"], ELSEWHERE).username == "bob"


def test_the_same_wrong_password_again_is_no_further_guess(secured: Services, hashes: Hashes) -> None:
    """A program with an old password in its settings bars nobody, and costs one slow hash in a while; the password
    that it sends is taken as soon as it is the right one.
    """
    authenticator, old = secured.authenticator, header("bob", "an old one")
    for _ in range(60):
        with pytest.raises(NotAuthenticated, match="is wrong"):
            authenticator.authenticate(old, ELSEWHERE)
    assert hashes.count == 1
    assert authenticator.authenticate(header("bob"), ELSEWHERE).username == "bob"
    secured.users.set_password("bob", "an old one", by=TESTER)
    assert authenticator.authenticate(old, ELSEWHERE).username == "bob"


def test_who_was_right_from_an_address_does_not_wait_for_others_there(secured: Services) -> None:
    """An office behind one address: guesses at many names close it to strangers, not to those who signed in there."""
    authenticator = secured.authenticator
    assert authenticator.check_password("alice", PASSWORDS["alice"], ELSEWHERE).username == "alice"
    for guess in range(50):
        with pytest.raises(NotAuthenticated):
            authenticator.check_password(f"stranger{guess}", "wrong", ELSEWHERE)
    with pytest.raises(TooManyAttempts, match="came from your address"):
        authenticator.check_password("bob", PASSWORDS["bob"], ELSEWHERE)
    assert authenticator.check_password("alice", PASSWORDS["alice"], ELSEWHERE).username == "alice"


def test_addresses_are_counted_by_network(secured: Services) -> None:
    """Of IPv6 the first 64 bits count."""
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:1::1")
    assert network_of("203.0.113.9") == "203.0.113.9"
    assert network_of("no address") == "no address"


def test_a_remembered_token_ends_when_it_expires(secured: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """S108: a verdict is believed no longer than its token stands."""
    token, _ = secured.tokens.create_token("bob", "ci", Limits(1), by=TESTER)
    said = header("__token__", token.text)
    assert secured.authenticator.authenticate(said, HERE).username == "bob"

    clock = SimpleNamespace(now=lambda tz: datetime.now(tz) + timedelta(days=2))
    monkeypatch.setattr("auth.datetime", clock)
    monkeypatch.setattr("credentials.verdicts.datetime", clock)
    assert secured.authenticator.remembered(said) is None


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("localhost:8080", True), ("127.0.0.1", True), ("[::1]:80", True), ("a.localhost", True), ("127.1.2.3:1", True),
     ("evil.example", False), ("localhost.evil.example", False), ("10.0.0.1", False), ("", False), ("[::2]", False)],
)  # fmt: skip
def test_names_of_this_machine(host: str, is_local: bool) -> None:
    """Only names and addresses that cannot lead elsewhere."""
    assert is_local_name(host) is is_local


def test_the_default_password_under_a_foreign_name(open_server: Callable[..., Services]) -> None:
    """A name that was rebound to 127.0.0.1, or a forwarder that says nothing of itself, is not this machine."""
    one = open_server(auth_enabled="true")
    one.users.ensure_admin(None)
    assert peer_of({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8080"}, one.settings).is_local
    foreign = peer_of({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "evil.example"}, one.settings)
    assert not foreign.is_local
    with pytest.raises(Forbidden):
        one.authenticator.authenticate(header("admin", "admin"), foreign)
    behind_a_proxy = open_server(auth_enabled="true", base_url="https://index.example.com")
    with pytest.raises(Forbidden):
        behind_a_proxy.authenticator.authenticate(header("admin", "admin"), HERE)


def test_how_many_wrong_passwords_are_too_many_is_a_setting(open_server: Callable[..., Services]) -> None:
    """Of one name from one address so many are taken, the next waits; of all names five times as many."""
    one = open_server(auth_enabled="true", auth_most_failures="2")
    one.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    client = create_app(one).test_client()

    def statuses(names: list[str]) -> list[int]:
        return [
            client.get("/api/tokens", headers=basic(name, f"wrong {number}")).status_code
            for number, name in enumerate(names)
        ]

    assert statuses(["bob"] * 3) == [401, 401, 429]
    assert statuses([f"name{number}" for number in range(9)]) == [401] * 8 + [429]
