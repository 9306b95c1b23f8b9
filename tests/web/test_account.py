"""One's own tokens and password."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest
from packaging.utils import NormalizedName

from people.rights import Holder
from people.tokens import Limits
from permissions import MAIN
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER, basic
from tests.web.conftest import BROWSER, Visitor


def test_a_token_is_shown_once_and_works(bob: Visitor, secured: Services) -> None:
    """The answer has the whole token and is kept by nobody; afterwards only its public part is there."""
    answer = bob.post("/account/tokens", name="CI", expires_days="30", scopes="upload")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    found = re.search(r"pcl_\w{10}_\w{43}_\w{6}", answer.text)
    assert found
    page = bob.get("/account").text
    assert found[0] not in page
    assert found[0][:14] in page
    client = create_app(secured).test_client()
    assert client.get("/search", headers=basic("__token__", found[0])).status_code == 200


def test_revoking_ends_a_token(bob: Visitor, secured: Services) -> None:
    """It is gone from the list and from use. Left empty, it stands as long as the settings say; for ever is ticked."""
    bob.post("/account/tokens", name="Usual", expires_days="", scopes="upload")
    (row,) = secured.readers.tokens.of_user("bob")
    assert row.expires is not None
    secured.tokens.revoke_token("bob", row.id, by=TESTER)
    bob.post("/account/tokens", name="CI", expires_days="30", no_end="yes", scopes="upload")
    (row,) = secured.readers.tokens.of_user("bob")
    assert row.expires is None
    assert bob.post(f"/account/tokens/{row.id}/revoke").status_code == 303
    assert "The token was revoked." in bob.get("/account").text
    assert secured.readers.tokens.of_user("bob") == []


def test_nobody_revokes_anothers_token(bob: Visitor, secured: Services) -> None:
    """Another's token is as unknown as none."""
    secured.tokens.create_token("alice", "hers", Limits(None), by=TESTER)
    (row,) = secured.readers.tokens.of_user("alice")
    assert bob.post(f"/account/tokens/{row.id}/revoke").status_code == 404
    assert len(secured.readers.tokens.of_user("alice")) == 1


def test_a_token_form_is_checked(bob: Visitor, secured: Services) -> None:
    """What cannot be is said on the form, and no token is made."""
    for name, days in (
        ("", "3"),
        ("x", ""),
        ("x", "soon"),
        ("x", "0"),
        ("x", "-1"),
        ("x", "99999999999"),
        ("x\x00", "3"),
    ):
        answer = bob.post("/account/tokens", name=name, expires_days=days)
        assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
    assert secured.readers.tokens.of_user("bob") == []


def test_changing_the_password_signs_other_browsers_out(bob: Visitor, secured: Services) -> None:
    """One stays signed in here, under a new session; elsewhere one is out, and the old password is worth nothing."""
    other = Visitor(create_app(secured).test_client())
    other.sign_in("bob")
    new = "quite another password"
    answer = bob.post("/account/password", old_password=PASSWORDS["bob"], new_password=new, new_password_again=new)
    assert answer.status_code == 303
    assert "Your password was changed" in bob.get("/account").text
    assert other.get("/account").status_code == 302
    assert other.sign_in("bob").status_code == 401
    assert other.sign_in("bob", new).status_code == 303


def test_only_who_the_browser_is_signed_in_for_changes_the_password(bob: Visitor, secured: Services) -> None:
    """A header that names somebody, the same one or another, changes nothing: rights and person would differ."""
    new = "quite another password"
    for headers in (basic("alice"), basic("bob")):
        form = {"old_password": PASSWORDS["bob"], "new_password": new, "new_password_again": new}
        sent = {"csrf_token": bob.token, **form}
        assert bob.client.post("/account/password", data=sent, headers={**BROWSER, **headers}).status_code == 403
        codes = bob.client.post("/account/factors/codes", data=sent, headers={**BROWSER, **headers})
        assert codes.status_code == 403
    assert Visitor(create_app(secured).test_client()).sign_in("bob").status_code == 303


def test_a_directory_keeps_its_own_passwords(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Somebody of a directory does not enter the table by a new password, and so stay when the directory lets go."""
    people = tmp_path / "people"
    people.write_text(f"bob:{bcrypt.hashpw(PASSWORDS['bob'].encode(), bcrypt.gensalt(4)).decode()}\n")
    one = open_server(auth_enabled="true", auth_htpasswd=str(people))
    bob = Visitor(create_app(one).test_client())
    bob.sign_in("bob")
    new = "quite another password"
    answer = bob.post("/account/password", old_password=PASSWORDS["bob"], new_password=new, new_password_again=new)
    assert (answer.status_code, "kept elsewhere (htpasswd)" in answer.text) == (403, True)
    assert one.users.account("bob").source == "htpasswd"


def test_a_password_form_is_checked(bob: Visitor) -> None:
    """The old password is asked for, the new one twice; else nothing changes."""
    for old, new, again, words in (
        ("wrong", "n", "n", "The old password is not right"),
        (PASSWORDS["bob"], "n", "m", "differ"),
        (PASSWORDS["bob"], "", "", "is empty"),
    ):
        answer = bob.post("/account/password", old_password=old, new_password=new, new_password_again=again)
        assert answer.status_code == 400
        assert words in answer.text
    assert bob.sign_in("bob").status_code == 303


def test_a_token_opens_no_account_page(bob: Visitor, secured: Services) -> None:
    """A token manages neither tokens nor passwords."""
    token, _ = secured.tokens.create_token("bob", "CI", Limits(None), by=TESTER)
    client = create_app(secured).test_client()
    assert client.get("/account", headers=basic("__token__", token.text)).status_code == 403


@pytest.mark.parametrize("path", ["/account", "/admin/", "/admin/users", "/admin/users/bob", "/admin/uploads"])
def test_pages_take_basic_as_they_take_sessions(bob: Visitor, path: str) -> None:
    """The page is that of the person whom the header names, also in a browser where another is signed in."""
    answer = bob.client.get(path, headers={**BROWSER, **basic("alice")})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    header = answer.text.partition("</header>")[0]
    assert "<bdi>alice</bdi>" in header
    assert "Sign out" not in header
    assert ("You are <strong><bdi>alice</bdi>" in answer.text) is (path == "/account")


def test_basic_needs_no_session(visitor: Visitor) -> None:
    """A script that sends its password sees the account; a wrong one is refused."""
    assert "<bdi>bob</bdi>" in visitor.client.get("/account", headers=basic("bob")).text
    assert visitor.client.get("/account", headers=basic("bob", "wrong")).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "may", "installs", "uploads"),
    [
        (["read"], "read in your name", True, False), (["upload"], "upload in your name", False, True),
        (["read", "upload", "yank"], "read, upload and yank in your name", True, True),
        (["admin"], "administer in your name", False, False),
    ],
)  # fmt: skip
def test_a_new_token_says_what_it_is_for(
    bob: Visitor, scopes: list[str], may: str, installs: bool, uploads: bool
) -> None:
    """Its page has the lines for what its scopes allow, and no others."""
    page = bob.client.post(
        "/account/tokens", data={"csrf_token": bob.token, "name": "x", "expires_days": "3", "scopes": scopes},
        headers=BROWSER,
    ).text  # fmt: skip
    assert f"Whoever has it can {may}." in page
    for words in ("twine upload", "UV_PUBLISH_PASSWORD=pcl_", "TWINE_PASSWORD=pcl_"):
        assert (words in page) is uploads
    for words in (
        "~/.netrc",
        "machine localhost login __token__ password pcl_",
        "pip install --index-url",
        "uv pip install --default-index",
    ):
        assert (words in page) is installs
    assert ("Authorization: Bearer" in page) is not (installs or uploads)
    idents = re.findall(r' id="([^"]+)"', page)
    assert sorted(idents) == sorted(set(idents))


def test_a_new_token_names_its_projects(bob: Visitor) -> None:
    """One for some projects is good for these alone."""
    page = bob.post("/account/tokens", name="x", expires_days="3", scopes="read", projects="acme-* tool").text
    assert ">acme-*, tool</span> alone." in page


def test_no_end_is_offered_where_it_is_allowed(open_server: Callable[..., Services]) -> None:
    """Where a longest life is set, the form has no such choice, and whoever sends it is told the longest."""
    one = open_server(auth_enabled="true", auth_token_max_days="30")
    one.users.create_user("bob", PASSWORDS["bob"], by=TESTER)
    bob = Visitor(create_app(one).test_client())
    bob.sign_in("bob")
    assert 'name="no_end"' not in bob.get("/account").text
    answer = bob.post("/account/tokens", name="x", no_end="yes", scopes="read")
    assert (answer.status_code, "at most here, so not for ever; choose 1 to 30 days" in answer.text) == (400, True)
    assert one.readers.tokens.of_user("bob") == []


def test_ones_own_projects_are_listed(bob: Visitor, secured: Services) -> None:
    """With the role, also what a team gives, and the way to the settings; page by page where there are many."""
    assert "You look after no project yet" in bob.get("/account/projects").text
    secured.rights.create_team("weavers", "Who weave", by=TESTER)
    secured.rights.add_member("weavers", "bob", by=TESTER)
    secured.rights.grant(MAIN, NormalizedName("loom"), Holder("weavers", is_team=True), "maintainer", by=TESTER)
    secured.rights.grant(MAIN, NormalizedName("attic"), Holder("alice"), "owner", by=TESTER)
    for number in range(60):
        secured.rights.grant(MAIN, NormalizedName(f"warp-{number:02}"), Holder("bob"), "owner", by=TESTER)
    first, second = bob.get("/account/projects").text, bob.get("/account/projects?page=2").text
    assert "61 roles" in first
    assert "through the team <bdi>weavers</bdi>" in first
    assert 'href="/project/loom/settings"' in first
    assert "There are only 2 pages." in bob.get("/account/projects?page=3").text
    assert ("warp-59" in first, "warp-59" in second, "attic" in first + second) == (False, True, False)


def test_only_people_have_projects_of_their_own(visitor: Visitor) -> None:
    """Who has not signed in is sent to do so."""
    assert visitor.get("/account/projects").headers["Location"] == "/login?next=/account/projects"
