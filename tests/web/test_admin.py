"""The administration."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.utils import NormalizedName

from people.rights import Holder
from permissions import MAIN
from server import create_app
from services import Services
from tests.conftest import TESTER, basic
from tests.web.conftest import Visitor, publish_wheel

PAGES = [
    "/admin", "/admin/", "/admin/users", "/admin/users/bob", "/admin/uploads", "/admin/statistics", "/admin/projects",
    "/admin/tokens", "/admin/jobs", "/admin/settings",
]  # fmt: skip


def test_anonymous_people_are_sent_to_sign_in(visitor: Visitor) -> None:
    """And come back to the page afterwards."""
    for address in PAGES:
        answer = visitor.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={address}")


def test_others_are_refused(bob: Visitor) -> None:
    """An uploader gets 403 and a page that says what is missing."""
    for address in PAGES:
        answer = bob.get(address)
        assert answer.status_code == 403
        assert "it is for administrators" in answer.text


def test_administrators_see_every_page(alice: Visitor) -> None:
    """Each page answers, also on an empty server, and is kept by nobody."""
    for address in PAGES[1:]:
        answer = alice.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def test_admin_leads_to_the_dashboard(alice: Visitor) -> None:
    """/admin without a slash is where people are told to go."""
    assert alice.get("/admin").headers["Location"] == "/admin/"


def test_a_basic_credential_opens_it_too(secured: Services) -> None:
    """An administrator's script may read the pages with username and password."""
    client = create_app(secured).test_client()
    assert client.get("/admin/", headers=basic("alice")).status_code == 200
    assert client.get("/admin/", headers=basic("bob")).status_code == 403


def test_a_new_user_can_sign_in(alice: Visitor, secured: Services) -> None:
    """The form makes an account with the role that was ticked."""
    assert alice.post("/admin/users", username="carol", password="a long password", is_admin="yes").status_code == 303
    assert "carol can sign in now." in alice.get("/admin/users").text
    carol = Visitor(create_app(secured).test_client())
    assert carol.sign_in("carol", "a long password").status_code == 303
    assert carol.get("/admin/").status_code == 200


def test_a_user_form_is_checked(alice: Visitor, secured: Services) -> None:
    """What cannot be is said on the form, which keeps what was typed but the password."""
    for status, fields in (
        (409, {"username": "Bob", "password": "x"}),
        (400, {"username": "a b", "password": "x"}),
        (400, {"username": "dave", "password": ""}),
        (400, {"username": "dave", "password": "x", "email": "nonsense"}),
    ):
        answer = alice.post("/admin/users", **fields)
        assert (answer.status_code, 'role="alert"' in answer.text) == (status, True)
        assert f'value="{fields["username"]}"' in answer.text
    assert len(secured.accounts.users()) == 2


def test_deactivating_and_bringing_back(alice: Visitor, secured: Services) -> None:
    """A deactivated person cannot sign in until they are brought back."""
    bob = Visitor(create_app(secured).test_client())
    bob.sign_in("bob")
    alice.post("/admin/users/bob/active", active="no")
    assert bob.get("/account").status_code == 302
    assert bob.sign_in("bob").status_code == 401
    alice.get("/admin/users/bob")
    alice.post("/admin/users/bob/active", active="yes")
    assert bob.sign_in("bob").status_code == 303


def test_the_last_administrator_stays(alice: Visitor) -> None:
    """Nobody locks everybody out."""
    assert alice.post("/admin/users/alice/active", active="no").status_code == 409
    assert alice.get("/admin/").status_code == 200


def test_resetting_a_password(alice: Visitor, secured: Services) -> None:
    """The new one works, the old one does not; an empty one is refused on the form."""
    assert alice.post("/admin/users/bob/password", password="").status_code == 400
    assert alice.post("/admin/users/bob/password", password="a fresh password").status_code == 303
    bob = Visitor(create_app(secured).test_client())
    assert bob.sign_in("bob").status_code == 401
    assert bob.sign_in("bob", "a fresh password").status_code == 303


def test_an_unknown_user_is_404(alice: Visitor) -> None:
    """For pages and forms alike."""
    assert alice.get("/admin/users/nobody").status_code == 404
    assert alice.post("/admin/users/nobody/active", active="no").status_code == 404


def test_the_roles_of_somebody_with_many_projects_are_paged(alice: Visitor, secured: Services) -> None:
    """So that what can be done with the account stays in sight."""
    for number in range(45):
        secured.rights.grant(MAIN, NormalizedName(f"loom-{number:02}"), Holder("bob"), "owner", by=TESTER)
    first, last = alice.get("/admin/users/bob").text, alice.get("/admin/users/bob?page=3").text
    assert "45 roles" in first
    assert "Page 1 of 3" in first
    assert ("loom-19" in first, "loom-20" in first, "loom-40" in last, "loom-44" in last) == (True, False, True, True)
    assert "No role of their own on" in last
    assert "There are only 3 pages." in alice.get("/admin/users/bob?page=4").text


def test_uploads_are_paged(alice: Visitor, secured: Services, tmp_path: Path) -> None:
    """Every file is listed, newest first, fifty on a page."""
    for minor in range(51):
        publish_wheel(secured, tmp_path, "looms", f"1.{minor}")
    first, second = (alice.get(f"/admin/uploads?page={page}").text for page in (1, 2))
    assert "looms-1.50-py3-none-any.whl" in first
    assert "looms-1.0-py3-none-any.whl" not in first
    assert "looms-1.0-py3-none-any.whl" in second
    behind = alice.get("/admin/uploads?page=9").text
    assert "There are only 2 pages" in behind
    assert 'rel="prev"' not in behind


def test_a_page_behind_the_only_one_is_told_so(alice: Visitor, secured: Services, tmp_path: Path) -> None:
    """In words that fit one page, with the way back, on every list."""
    publish_wheel(secured, tmp_path, "looms")
    for address in ("/admin/uploads", "/admin/projects", "/project/looms/history", "/project/looms/1.0/files"):
        page = alice.get(f"{address}?page=2").text
        told = re.search(r'There is only 1 page\. <a href="([^"?]+)(\?[^"]*)?">Back to the first\.</a>', page)
        assert told is not None, address
        assert told[1] == address


def test_the_dashboard_tells_what_is_wrong(alice: Visitor, secured: Services) -> None:
    """The default password and risky settings stand at its top."""
    secured.users._add("admin", "admin", "", is_admin=True, default=True, by=TESTER)
    page = alice.get("/admin/").text
    assert "The default password still stands" in page
    assert "Disk free" in page
    assert "SQLite" in page
