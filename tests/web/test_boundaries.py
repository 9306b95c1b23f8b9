"""What lies beyond one's rights is not told, and no way around a second proof or a limit leads there."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import update

from auth import Peer
from credentials.people import Person
from credentials.throttle import network_of, plain_address
from database.identity_models import Session
from errors import Conflict, NotAuthenticated, TooManyAttempts
from people.rights import Holder
from people.tokens import Limits
from permissions import MAIN
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_wheel
from tests.multipart_form import upload
from tests.web.conftest import Visitor, publish_wheel
from tests.web.test_security import later_code, set_up

OWN, SECRET = NormalizedName("own"), NormalizedName("secret")


@pytest.fixture
def closed(open_server: Callable[..., Services], tmp_path: Path) -> Services:
    """Nobody reads without a role; bob has none, and owns the project own; secret is alice's, its 0.9 deleted."""
    made = open_server(auth_enabled="true", auth_require="list download update", auth_default_role="none")
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    for name, version in (("own", "1.0"), ("secret", "0.9"), ("secret", "1.0")):
        publish_wheel(made, tmp_path, name, version)
    made.rights.grant(MAIN, OWN, Holder("bob"), "owner", by=TESTER)
    made.rights.grant(MAIN, SECRET, Holder("alice"), "owner", by=TESTER)
    made.manager.delete(MAIN, SECRET, "0.9", reason="a leaked key", by=TESTER)
    return made


def test_a_projects_owner_reads_no_list_of_all_deletions(closed: Services) -> None:
    """Whatever page the form says that it came from."""
    bob = Visitor(create_app(closed).test_client())
    bob.sign_in("bob")
    answer = bob.post("/project/own/settings/restore", **{"from": "admin", "deletion": "nope"})
    assert answer.status_code == 404
    assert "secret" not in answer.text
    assert "leaked" not in answer.text


@pytest.mark.parametrize(
    "filename", ["secret-1.0.tar.gz", "secret-1.0-py3-none-any.whl", "secret-0.9-py3-none-any.whl"]
)
def test_the_upload_page_tells_nothing_of_anothers_files(closed: Services, filename: str) -> None:
    """A name that is there, one that was deleted and one that never was are answered alike."""
    client = create_app(closed).test_client()
    token, _ = closed.tokens.create_token("bob", "ci", Limits(projects=("own",)), by=TESTER)
    for headers in (basic("bob"), basic("__token__", token.text)):
        said = [
            client.get("/upload/check", query_string={"filename": name, "size": "9"}, headers=headers).get_json()
            for name in (filename, filename.replace("secret", "nobody"))
        ]
        assert said[0]["sentence"].replace("secret", "nobody") == said[1]["sentence"]
        assert (said[0]["takes"], said[0]["facts"]) == (said[1]["takes"], said[1]["facts"]) == (False, "")


def test_refusals_name_owners_to_readers_only(closed: Services, tmp_path: Path) -> None:
    """To others a name that is somebody's and one that is nobody's are refused in the same words."""
    client = create_app(closed).test_client()

    def refusals(name: str) -> list[str]:
        wheel = build_wheel(tmp_path, name, "3.0")
        answers = [
            client.delete(f"/api/packages/{name}", headers=basic("bob")),
            client.get(f"/project/{name}/settings", headers=basic("bob")),
            upload(client, wheel, headers=basic("bob")),
        ]
        assert [answer.status_code for answer in answers] == [403] * 3
        # But for the request's number.
        return [re.sub(r'"request_id".*|Request <span.*', "", answer.text.replace(name, "NAME")) for answer in answers]

    hidden = [text.split('"request_id"')[0].split('<p class="muted">Request')[0] for text in refusals("secret")]
    assert hidden == [
        text.split('"request_id"')[0].split('<p class="muted">Request')[0] for text in refusals("nothing")
    ]
    assert "alice" not in "".join(hidden)
    closed.rights.grant(MAIN, None, Holder("bob"), "reader", by=TESTER)
    assert "belongs to alice" in refusals("secret")[0]


def test_a_new_password_is_no_way_around_the_second_proof(bob: Visitor, secured: Services) -> None:
    """Who sits at a browser that proved itself long ago proves it again first, with the second factor."""
    set_up(bob)
    with secured.database.writing() as change:
        change.connection.execute(update(Session).values(proved=change.at.replace(year=2020)))
    new = "quite another password"
    answer = bob.post("/account/password", old_password=PASSWORDS["bob"], new_password=new, new_password_again=new)
    assert (answer.status_code, answer.headers["Location"].startswith("/login/confirm")) == (303, True)
    assert secured.authenticator.check_password("bob", PASSWORDS["bob"], Peer("127.0.0.1")).username == "bob"


def test_a_second_factor_is_demanded_of_teams_that_have_names(
    open_server: Callable[..., Services], tmp_path: Path
) -> None:
    """They start and maintain projects, whatever they are on the index."""
    one = open_server(auth_enabled="true", auth_default_role="reader", auth_require_factor="uploaders")
    one.users.create_user("carol", PASSWORDS["carol"], by=TESTER)
    one.rights.create_team("web", by=TESTER)
    one.rights.add_member("web", "carol", by=TESTER)
    client = create_app(one).test_client()
    assert not one.authenticator.identities.must_have_factor(one.users.account("carol"))
    one.rights.set_pattern(MAIN, "acme-*", "web", by=TESTER)
    refused = upload(client, build_wheel(tmp_path, "acme-tool"), headers=basic("carol"))
    assert refused.status_code == 403
    assert "second factor" in refused.text


def test_many_codes_at_a_time_are_no_more_guesses(bob: Visitor, secured: Services) -> None:
    """A right code among them is not believed once five wrong ones were counted."""
    app, _ = set_up(bob)
    account = secured.users.account("bob")
    tries, inner = secured.factors.throttle, secured.factors.check_code
    visitor = Visitor(create_app(secured).test_client())
    visitor.get("/login")
    visitor.post("/login", username="bob", password=PASSWORDS["bob"])
    visitor.get("/login/factor")

    def meanwhile(*arguments: object, **named: object) -> bool:
        for _ in range(5):
            tries.failed("bob", "127.0.0.1")
        return inner(*arguments, **named)  # type: ignore[arg-type]

    secured.factors.check_code = meanwhile  # type: ignore[method-assign]
    assert visitor.post("/login/factor", code=later_code(app, secured)).status_code == 429
    assert account.has_factor


def test_many_passwords_at_a_time_are_no_more_guesses(secured: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """So with passwords."""
    authenticator, begun, go_on = secured.authenticator, threading.Event(), threading.Event()
    verify = authenticator.passwords.verify
    seen: list[type[Exception] | None] = []

    def slow(stored: str | None, password: str) -> bool:
        begun.set()
        go_on.wait(20)
        return verify(stored, password)

    def right() -> None:
        try:
            authenticator.check_password("bob", PASSWORDS["bob"], Peer("203.0.113.9"))
            seen.append(None)
        except TooManyAttempts as refusal:
            seen.append(type(refusal))

    monkeypatch.setattr(authenticator.passwords, "verify", slow)
    thread = threading.Thread(target=right)
    thread.start()
    assert begun.wait(20)
    for _ in range(10):
        authenticator.throttle.failed("bob", "203.0.113.9")
    go_on.set()
    thread.join(20)
    assert seen == [TooManyAttempts]


def test_whoever_knows_the_password_does_not_bar_its_owner(bob: Visitor, secured: Services) -> None:
    """Wrong codes from elsewhere bar neither the owner where they were before, nor a recovery code anywhere."""
    app, codes = set_up(bob)
    client = create_app(secured).test_client()

    def half(address: str) -> Visitor:
        visitor = Visitor(client.application.test_client())
        visitor.client.environ_base["REMOTE_ADDR"] = address
        visitor.get("/login")
        visitor.post("/login", username="bob", password=PASSWORDS["bob"])
        visitor.get("/login/factor")
        return visitor

    assert half("203.0.113.5").post("/login/factor", code=later_code(app, secured)).status_code == 303
    thief = half("203.0.113.66")
    assert [thief.post("/login/factor", code=f"00000{n}").status_code for n in range(6)] == [401] * 5 + [429]
    assert half("203.0.113.77").post("/login/factor", code=later_code(app, secured)).status_code == 429
    assert half("203.0.113.77").post("/login/factor", code=codes[0]).status_code == 303
    assert half("203.0.113.5").post("/login/factor", code=later_code(app, secured)).status_code == 303


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("::ffff:203.0.113.9", "203.0.113.9"), ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"), (" 2001:db8::1 ", "2001:db8::1"), ("unix:", "unix"),
    ],
)  # fmt: skip
def test_an_address_is_counted_as_what_it_is(text: str, plain: str) -> None:
    """On a socket for both kinds IPv4 is IPv4, one address each; a port that a proxy adds is none of it."""
    assert plain_address(text) == plain
    assert network_of("::ffff:203.0.113.9") != network_of("::ffff:203.0.113.10")


def test_a_throttle_keeps_no_long_names(secured: Services) -> None:
    """Names that nobody can have are counted together."""
    throttle = secured.authenticator.throttle
    for number in range(10):
        throttle.failed(f"{number}" + "x" * 60_000, "203.0.113.9")
    with pytest.raises(TooManyAttempts):
        throttle.must_allow("y" * 60_000, "203.0.113.9")
    assert max(len(name) for name, _ in throttle._failures) < 300


def test_a_file_takes_nobody_of_another_directory(secured: Services) -> None:
    """Neither an import nor a registration makes their account one of the table or the file."""
    secured.users.admit(Person("erin", "subject", "ldap", "", frozenset()), "ldap", by=TESTER)
    with pytest.raises(Conflict, match="comes from ldap"):
        secured.users.import_user("erin", "{SHA}x", by=TESTER)
    with pytest.raises(Conflict, match="comes from ldap"):
        secured.users.register("erin", "a new password", by=TESTER)
    assert secured.users.account("erin").source == "ldap"


def test_a_registration_spells_a_name_as_the_file_does(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """One line a person: the name that is there gets the new password, in whatever case it was asked for."""
    people = tmp_path / "people"
    people.write_text("")
    one = open_server(auth_enabled="true", auth_htpasswd=str(people))
    assert one.users.register("ivan", "first password", by=TESTER) == ("ivan", True)
    assert one.users.register("Ivan", "second password", by=TESTER) == ("ivan", False)
    assert people.read_text().count("\n") == 1
    assert one.authenticator.check_password("ivan", "second password", Peer("127.0.0.1")).username == "ivan"
    with pytest.raises(NotAuthenticated):
        one.authenticator.check_password("ivan", "first password", Peer("127.0.0.1"))
