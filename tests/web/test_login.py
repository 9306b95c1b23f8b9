"""Signing in and out, the cookie, the form token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import load_settings
from server import create_app
from services import Services, open_services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.web.conftest import BROWSER, Visitor


def test_signing_in_opens_ones_account(visitor: Visitor) -> None:
    """The right password leads to the page that was wanted, with one's name on it."""
    answer = visitor.sign_in("bob", next="/account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?x=1")
    assert "<bdi>bob</bdi>" in visitor.get("/account").text


def test_the_cookie_is_hard_to_steal(visitor: Visitor) -> None:
    """HttpOnly, Lax, for the whole host, for as long as the setting says; nobody keeps the answer."""
    answer = visitor.sign_in("bob")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sid=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert answer.headers["Cache-Control"] == "no-store"


def test_over_https_the_cookie_is_bound_to_the_host(open_server: Callable[..., Services]) -> None:
    """With an https base_url the cookie has the __Host- name and is Secure."""
    made = open_server(auth_enabled="true", base_url="https://index.example.com")
    made.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    client = create_app(made).test_client()
    page = client.get("/login", base_url="https://index.example.com", headers=BROWSER)
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sid=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_a_refusal_does_not_tell_who_exists(visitor: Visitor) -> None:
    """Unknown names and wrong passwords get the same 401 and sentence, on the form, without a Basic challenge."""
    for username, password in (("bob", "wrong"), ("nobody", "wrong"), ("", "x"), ("bob\x00", "ü")):
        answer = visitor.sign_in(username, password)
        assert answer.status_code == 401
        assert "The username or password is wrong; check both.</p>" in answer.text
        assert "WWW-Authenticate" not in answer.headers
        assert visitor.get("/account").status_code == 302


def test_signing_in_leads_to_no_other_site(visitor: Visitor) -> None:
    """Neither by the form's field nor, when signed in already, by the address."""
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "/logout"):
        assert visitor.sign_in("bob", next=target).headers["Location"] == "/"
        assert visitor.get("/login", query_string={"next": target}).headers["Location"] == "/"
        visitor.post("/logout")


def test_a_session_survives_a_restart(tmp_path: Path) -> None:
    """A new process over the same folder knows the cookie, though no secret key was set."""
    settings = load_settings(None, {"data_dir": str(tmp_path), "auth_enabled": "true"}, {})
    services = open_services(settings)
    services.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    before = Visitor(create_app(services).test_client())
    before.sign_in("bob")
    cookie = before.client.get_cookie("sid")
    services.close()
    assert cookie
    services = open_services(settings)
    after = create_app(services).test_client()
    after.set_cookie("sid", cookie.value)
    assert after.get("/account").status_code == 200
    services.close()


def test_a_copied_cookie_fails_after_signing_out(bob: Visitor, secured: Services) -> None:
    """Signing out ends the session on the server, not only in the browser."""
    cookie = bob.client.get_cookie("sid")
    assert cookie
    thief = create_app(secured).test_client()
    thief.set_cookie("sid", cookie.value)
    assert thief.get("/account").status_code == 200
    answer = bob.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert bob.client.get_cookie("sid") is None
    assert thief.get("/account").status_code == 302


def test_signing_in_begins_a_new_session(visitor: Visitor, secured: Services) -> None:
    """What the browser held before is dropped: another cookie, another form token, and an older session ends."""
    visitor.get("/login")
    planted = visitor.client.get_cookie("sid")
    token = visitor.token
    visitor.sign_in("bob")
    first = visitor.client.get_cookie("sid")
    assert planted
    assert first
    assert planted.value != first.value
    assert visitor.token != token
    visitor.post("/login", username="alice", password=PASSWORDS["alice"])
    old = create_app(secured).test_client()
    old.set_cookie("sid", first.value)
    assert old.get("/account").status_code == 302


def test_a_deactivated_person_is_out_at_once(bob: Visitor, secured: Services) -> None:
    """Their cookie opens nothing any more."""
    secured.users.set_active("bob", active=False, by=TESTER)
    assert bob.get("/account").status_code == 302


def test_an_altered_cookie_is_nobodys(bob: Visitor) -> None:
    """A cookie whose signature does not fit is ignored, not a fault."""
    cookie = bob.client.get_cookie("sid")
    assert cookie
    for value in (cookie.value[:-2], cookie.value[1:], "x", ""):
        bob.client.set_cookie("sid", value)
        assert bob.get("/account").status_code == 302


@pytest.mark.parametrize("site", [None, "none", "same-origin"])
def test_logout_by_address_signs_out(bob: Visitor, site: str | None) -> None:
    """GET /logout signs out when the person asked for it themselves."""
    headers = BROWSER | ({"Sec-Fetch-Site": site} if site else {})
    assert bob.get("/logout", headers=headers).status_code == 303
    assert bob.get("/account").status_code == 302


@pytest.mark.parametrize(
    "said", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Purpose": "prefetch"}]
)
def test_logout_by_a_foreign_page_asks_first(bob: Visitor, said: dict[str, str]) -> None:
    """An image on another site, or a browser's guess, signs nobody out."""
    assert "Sign out?" in bob.get("/logout", headers=BROWSER | said).text
    assert bob.get("/account").status_code == 200


def test_no_form_is_taken_without_its_token(alice: Visitor, secured: Services) -> None:
    """Every form of every page, the login form too, needs the token of this browser's session."""
    forms: dict[str, dict[str, str]] = {
        "/login": {"username": "bob", "password": PASSWORDS["bob"]},
        "/logout": {},
        "/account/tokens": {"name": "x"},
        "/account/password": {},
        "/admin/users": {"username": "eve", "password": "x"},
        "/admin/users/bob/active": {"active": "no"},
        "/admin/users/bob/password": {"password": "x"},
    }
    for address, fields in forms.items():
        for token in ({}, {"csrf_token": ""}, {"csrf_token": "wrong"}, {"csrf_token": "ü"}):
            answer = alice.client.post(address, data=fields | token, headers=BROWSER)
            assert answer.status_code == 403
            assert "load the page again" in answer.text
    assert secured.accounts.user("eve") is None
    assert alice.get("/admin/").status_code == 200


def test_a_cross_site_form_is_refused_even_with_the_token(bob: Visitor) -> None:
    """Browsers say where a form was sent from."""
    answer = bob.client.post(
        "/logout", data={"csrf_token": bob.token}, headers=BROWSER | {"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_a_form_cannot_be_huge(bob: Visitor) -> None:
    """More than 64 KiB is refused before it is read."""
    assert bob.post("/account/tokens", name="x" * 70_000).status_code == 413


def test_without_authentication_login_says_how_to_turn_it_on(anybody: Visitor) -> None:
    """403 with the way to do it, and no page offers to sign in."""
    for address in ("/login", "/account", "/admin", "/admin/"):
        answer = anybody.get(address)
        assert answer.status_code == 403
        assert "--auth" in answer.text
    assert "Sign in" not in anybody.get("/").text


def test_the_default_password_is_for_this_machine(open_server: Callable[..., Services]) -> None:
    """admin/admin is taken from loopback and refused from elsewhere, with the command that changes it."""
    made = open_server(auth_enabled="true")
    made.users.ensure_admin(None)
    far = Visitor(create_app(made).test_client())
    far.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    answer = far.sign_in("admin", "admin")
    assert answer.status_code == 403
    assert "cli.py user password --username admin" in answer.text
    near = Visitor(create_app(made).test_client())
    assert near.sign_in("admin", "admin").status_code == 303


def test_anonymous_readers_get_no_cookie(secured_client: FlaskClient) -> None:
    """Browsing sets nothing; only a form does."""
    for address in ("/", "/search", "/nothing-here"):
        assert "Set-Cookie" not in secured_client.get(address, headers=BROWSER).headers


def test_programs_get_their_401(secured_client: FlaskClient) -> None:
    """A program with a wrong credential is challenged; a browser is sent to sign in."""
    wrong = basic("bob", "wrong")
    assert secured_client.get("/search?q=x", headers=wrong).status_code == 401
    answer = secured_client.get("/search?q=x", headers=wrong | BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/search?q%3Dx")
    assert secured_client.get("/search?q=x", headers=basic("bob")).status_code == 200


def test_error_pages_know_who_is_signed_in(bob: Visitor, app: Flask) -> None:
    """The page for a wrong address keeps the navigation of the person."""
    assert "Sign out" in bob.get("/nothing-here").text
