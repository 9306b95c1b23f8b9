"""Signing in with a real OpenID provider, and with a real LDAP directory, through the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from credentials.people import Person
from database.journal_reading import JournalFilter, read
from errors import Conflict
from people.tokens import Limits
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.credentials.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdMock, openid_provider
from tests.credentials.slapd import GROUPS, PEOPLE, password_of, slapd
from tests.factory import build_wheel
from tests.multipart_form import upload
from tests.web.conftest import BROWSER, Visitor
from tests.web.test_security import set_up


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdMock]:
    """The provider's process."""
    with openid_provider() as running:
        yield running


@pytest.fixture
def one(open_server: Callable[..., Services], provider: OpenIdMock) -> Services:
    """A server that knows it; uploaders are the team crew, index admins are administrators."""
    made = open_server(
        auth_enabled="true", openid_issuer=provider.issuer, openid_client_id=CLIENT_ID, openid_name="Example ID",
        openid_client_secret=CLIENT_SECRET, openid_groups="uploaders=crew; index admins=administrators",
    )  # fmt: skip
    made.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    made.rights.create_team("crew", by=TESTER)
    return made


@pytest.fixture
def browser(one: Services) -> Callable[[], Visitor]:
    """Browsers on it."""
    app = create_app(one)
    return lambda: Visitor(app.test_client())


def through(visitor: Visitor, provider: OpenIdMock, subject: str, start: str = "/login/openid?next=/account") -> str:
    """From our page to the provider's form and back: the address on our server that it sends the browser to."""
    away = visitor.get(start).headers["Location"]
    assert away.startswith(provider.issuer)
    back = urlsplit(provider.sign_in(away, subject))
    assert back.path == "/login/openid/callback"
    return f"{back.path}?{back.query}"


def test_a_person_of_the_provider_signs_in(one: Services, browser: Callable[[], Visitor], provider: OpenIdMock) -> None:
    """They have an account without a password, found again by issuer and subject; their groups are teams."""
    visitor = browser()
    assert "Continue with Example ID" in visitor.get("/login").text
    landed = visitor.get(through(visitor, provider, "carol"))
    assert landed.headers["Location"] == "/account"
    assert "carol" in visitor.get("/account").text
    account = one.users.account("carol")
    assert (account.source, account.password_hash, account.is_admin) == ("openid", "", True)
    assert one.readers.rights.team("crew").members == (("carol", "openid"),)
    again = browser()
    assert again.get(through(again, provider, "carol")).headers["Location"] == "/account"
    assert [user.username for user in one.accounts.users()] == ["alice", "carol"]
    assert create_app(one).test_client().get("/api/tokens", headers=basic("carol", "")).status_code == 401


def test_the_answer_belongs_to_the_browser_that_went(browser: Callable[[], Visitor], provider: OpenIdMock) -> None:
    """S115: another browser cannot be signed in with it, and it is good once."""
    mine, theirs = browser(), browser()
    address = through(mine, provider, "dave")
    assert theirs.get(address).status_code == 403
    through(theirs, provider, "dave")
    assert theirs.get(address).status_code == 400
    assert mine.get(address).status_code == 303
    assert mine.get(address).status_code == 403


def test_a_name_that_is_taken_stays_its_owners(
    one: Services, browser: Callable[[], Visitor], provider: OpenIdMock
) -> None:
    """V6.8.1: an account is nobody's because a provider calls somebody so."""
    one.users.create_user("dave", PASSWORDS["dave"], by=TESTER)
    visitor = browser()
    refused = visitor.get(through(visitor, provider, "dave"))
    assert refused.status_code == 409
    assert "belongs to another account" in refused.text
    assert visitor.get("/account").status_code == 302
    assert Visitor(visitor.client).sign_in("dave").status_code == 303


def test_a_name_that_was_given_to_somebody_else_is_not_they(one: Services) -> None:
    """Another subject under the same name is refused, until an administrator says that it is the same person."""
    first = Person("grace", "subject-1", "https://login.example.com", "", frozenset())
    account = one.users.admit(first, "openid", by=TESTER)
    second = replace(first, subject="subject-2")
    with pytest.raises(Conflict, match="belongs to another account"):
        one.users.admit(second, "openid", by=TESTER)
    assert one.users.unlink("grace", by=TESTER)
    assert one.users.admit(second, "openid", by=TESTER).id == account.id
    with pytest.raises(Conflict):
        one.users.admit(first, "openid", by=TESTER)


def test_deactivated_here_is_out(one: Services, browser: Callable[[], Visitor], provider: OpenIdMock) -> None:
    """Whatever the provider says, their session, tokens and next sign-in end."""
    visitor = browser()
    visitor.get(through(visitor, provider, "dave"))
    token, _ = one.tokens.create_token("dave", "ci", by=TESTER)
    client = create_app(one).test_client()
    bearer = {"Authorization": f"Bearer {token.text}"}
    assert client.get("/api/packages", headers=bearer).status_code == 200
    one.users.set_active("dave", active=False, by=TESTER)
    assert visitor.get("/account").status_code == 302
    assert client.get("/api/packages", headers=bearer).status_code == 401
    assert visitor.get(through(visitor, provider, "dave")).status_code == 403


def test_a_local_administrator_gets_in_while_the_provider_is_down(
    open_server: Callable[..., Services], provider: OpenIdMock
) -> None:
    """The start does not ask it; its button says that it does not answer."""
    one = open_server(auth_enabled="true", openid_issuer="http://127.0.0.1:9", openid_client_id=CLIENT_ID)
    one.users.create_user("alice", PASSWORDS["alice"], is_admin=True, by=TESTER)
    visitor = Visitor(create_app(one).test_client())
    assert visitor.get("/login/openid").status_code == 503
    assert visitor.sign_in("alice").status_code == 303


def test_proving_again_goes_through_the_provider(
    one: Services, browser: Callable[[], Visitor], provider: OpenIdMock
) -> None:
    """Who has no password here proves it there, as the same person."""
    visitor = browser()
    visitor.get(through(visitor, provider, "dave"))
    page = visitor.get("/login/confirm?next=/account").text
    assert "Continue with Example ID" in page
    assert 'name="password"' not in page
    other = through(visitor, provider, "carol", "/login/openid?next=/account&again=1")
    assert visitor.get(other).status_code == 403
    assert visitor.client.get("/login/openid?again=1", headers=BROWSER).status_code in {302, 503}


def test_without_a_provider_there_is_no_such_way(bob: Visitor) -> None:
    """404, and no button."""
    assert bob.get("/login/openid").status_code == 404
    assert "Continue with" not in bob.get("/login/confirm").text


def test_people_of_a_directory_upload(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """With their directory password by Basic; their groups are teams; a wrong password and an unknown name are 401."""
    with slapd(tmp_path / "slapd") as directory:
        one = open_server(
            auth_enabled="true", ldap_url=directory.url, ldap_bind_dn=f"uid={{username}},{PEOPLE}",
            ldap_group_base=GROUPS, ldap_group_filter="(member={dn})", ldap_groups="Index Admins=crew",
        )  # fmt: skip
        one.rights.create_team("crew", by=TESTER)
        client = create_app(one).test_client()
        mine = basic("carol", password_of("carol"))
        assert upload(client, build_wheel(tmp_path), headers=mine).status_code == 200
        assert one.users.account("carol").source == "ldap"
        assert one.readers.rights.team("crew").members == (("carol", "ldap"),)
        second = build_wheel(tmp_path, version="2.0")
        assert upload(client, second, headers=basic("carol", "wrong")).status_code == 401
        assert upload(client, second, headers=basic("nobody", "x")).status_code == 401


def test_a_second_factor_set_up_here_is_asked_for(
    one: Services, browser: Callable[[], Visitor], provider: OpenIdMock
) -> None:
    """The provider's word does not stand for it: whoever took that account over has only half."""
    visitor = browser()
    visitor.get(through(visitor, provider, "carol"))
    _, codes = set_up(visitor)
    again = browser()
    assert again.get(through(again, provider, "carol")).headers["Location"] == "/login/factor"
    assert again.get("/account").status_code == 302
    again.get("/login/factor")
    assert again.post("/login/factor", code=codes[0]).headers["Location"] == "/account"
    (last,) = read(one.database, JournalFilter(action="session.start"), limit=1, newest_first=True)
    assert last.detail["method"] == "openid and code"


def test_people_of_a_provider_end_with_it(
    one: Services, browser: Callable[[], Visitor], provider: OpenIdMock, open_server: Callable[..., Services]
) -> None:
    """When the settings name another provider, or none, tokens and sessions of those it vouched for stand no more."""
    visitor = browser()
    visitor.get(through(visitor, provider, "carol"))
    token, _ = one.tokens.create_token("carol", "ci", Limits(), by=TESTER)
    assert create_app(one).test_client().get("/api/tokens", headers=basic("carol", token.text)).status_code == 403
    account = one.users.account("carol")
    assert one.authenticator.identities.stands(account)
    for issuer in ("http://127.0.0.1:9", ""):
        later = open_server(
            auth_enabled="true", openid_issuer=issuer, openid_client_id=CLIENT_ID, data_dir=one.settings.data_dir
        )
        assert not later.authenticator.identities.stands(account)
        assert later.readers.tokens.of_user("carol")
        header = basic("__token__", token.text)
        assert create_app(later).test_client().get("/simple/", headers=header).status_code == 401


def test_who_gets_a_password_here_leaves_the_provider(
    one: Services, browser: Callable[[], Visitor], provider: OpenIdMock
) -> None:
    """With the teams and the administration that it gave."""
    visitor = browser()
    visitor.get(through(visitor, provider, "carol"))
    assert one.users.account("carol").is_admin
    one.users.set_password("carol", "a password of ours", by=TESTER)
    account = one.users.account("carol")
    assert (account.source, account.is_admin) == ("table", False)
    assert one.readers.rights.team("crew").members == ()
    assert browser().get(through(browser(), provider, "carol")).status_code in {403, 409}


def test_being_an_administrator_by_hand_stays(one: Services) -> None:
    """The provider takes what it gave, never what somebody here gave; and never the last administrator."""
    member = Person("frank", "subject-frank", one.settings.openid_issuer, "", frozenset({"index admins"}))
    nobody = replace(member, groups=frozenset())
    assert one.users.admit(member, "openid", by=TESTER).is_admin
    assert not one.users.admit(nobody, "openid", by=TESTER).is_admin
    one.users.set_admin("frank", is_admin=True, by=TESTER)
    assert one.users.admit(nobody, "openid", by=TESTER).is_admin
    one.users.set_admin("frank", is_admin=False, by=TESTER)
    assert one.users.admit(member, "openid", by=TESTER).is_admin
    one.users.set_admin("alice", is_admin=False, by=TESTER)
    assert one.users.admit(nobody, "openid", by=TESTER).is_admin
