"""The pages in a real Chromium: accessible, quiet, without other hosts, usable with a keyboard and at 320 pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser

from tests.conftest import PASSWORDS
from tests.web.browser import faults_of, sign_in, violations, visit
from tests.web.site import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stocked server with authentication."""
    with serving(tmp_path_factory.mktemp("site"), auth_enabled="true") as url:
        yield url


def test_the_journey_to_a_token(chromium: Browser, site: str) -> None:
    """From a page that needs it, sign in, make a token, copy it, revoke it, sign out: axe finds nothing on the way."""
    with visit(chromium, site, width=320) as (page, faults):
        page.goto("/account")
        assert urlsplit(page.url).path == "/login"
        page.get_by_label("Username").fill("bob")
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        assert page.get_by_role("alert").inner_text().startswith("The username or password is wrong")
        assert violations(page) == []
        page.get_by_label("Password").fill(PASSWORDS["bob"])
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Your account").wait_for()
        page.get_by_label("Name", exact=True).fill("CI <of> bob")
        page.get_by_role("button", name="Make token").click()
        page.get_by_role("button", name="Copy the token").click()
        page.get_by_role("button", name="Copy the token").get_by_text("Copied").wait_for()
        assert re.fullmatch(r"pcl_\w{10}_\w{43}_\w{6}", page.evaluate("navigator.clipboard.readText()"))
        for summary in page.get_by_role("status").locator("summary").all():
            summary.click()
        assert faults_of(page) == []
        page.get_by_role("button", name="Revoke CI <of> bob").click()
        page.get_by_text("The token was revoked.").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in").wait_for()
        page.goto("/account")
        assert urlsplit(page.url).path == "/login"
        assert [fault for fault in faults if "status of 401" not in fault] == []


@pytest.mark.parametrize("width", [1280, 600, 320])
def test_a_button_keeps_its_words_on_one_line(chromium: Browser, site: str, width: int) -> None:
    """Also in a row whose other cells want all the room; the page grows no wider by it."""
    lines = (
        "button => { const r = document.createRange(); r.selectNodeContents(button); return r.getClientRects().length }"
    )
    with visit(chromium, site, width=width) as (page, _):
        sign_in(page, "erin")
        page.goto("/account")
        page.get_by_label("Name", exact=True).fill("a-name-without-any-place-to-break-in-sight-" * 4)
        page.get_by_label("Note").fill("a word " * 20)
        page.get_by_role("button", name="Make token").click()
        page.goto("/account")
        assert page.get_by_role("button", name="Revoke").first.evaluate(lines) == 1
        assert faults_of(page, with_axe=False) == []


@pytest.mark.parametrize(
    ("scheme", "width", "scripts"), [("light", 1280, True), ("dark", 320, True), ("light", 320, False)]
)
def test_a_deletion_is_undone(chromium: Browser, site: str, scheme: str, width: int, scripts: bool) -> None:
    """An owner deletes a release, types the project's name, sees that it is gone and presses Undo. With and without
    scripts; axe finds nothing on the way.
    """
    with visit(chromium, site, scheme=scheme, width=width, scripts=scripts) as (page, faults):
        sign_in(page, "bob")
        page.goto("/project/looms/")
        page.get_by_role("link", name="Manage this release").click()
        page.get_by_role("link", name="Delete the release").click()
        page.get_by_label("Reason").fill("Built on the wrong branch")
        page.get_by_label("Type looms to confirm").fill("plain")
        page.get_by_role("button", name="Delete 4 files").click()
        assert page.get_by_role("alert").inner_text().startswith("That is not the project's name")
        look_here = [violations(page)] if scripts else []
        page.get_by_label("Type looms to confirm").fill("Looms")
        page.get_by_role("button", name="Delete 4 files").click()
        page.get_by_role("status").get_by_text("Deleted: release 1.1 of looms").wait_for()
        assert page.get_by_role("link", name="Manage 1.1").count() == 0
        assert page.request.get("/project/looms/1.1/").status == 404
        look_here += [violations(page)] if scripts else []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("status").get_by_text("4 files of looms restored.").wait_for()
        page.get_by_role("link", name="Manage 1.1").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Manage looms 1.1"
        assert look_here == [[]] * len(look_here)
        assert [fault for fault in faults if "status of 400" not in fault] == []


def test_an_administrator_restores_and_purges(chromium: Browser, tmp_path: Path) -> None:
    """A whole project comes back from the list of all; what is purged does not. axe finds nothing on the way."""
    with serving(tmp_path, auth_enabled="true") as url, visit(chromium, url, width=320) as (page, faults):
        sign_in(page, "alice")
        for name in ("plain", "attic"):
            page.goto(f"/project/{name}/settings")
            page.get_by_role("link", name="Delete the project").click()
            page.get_by_label(f"Type {name} to confirm").fill(name)
            page.get_by_role("button", name="Delete 1 file").click()
            page.get_by_role("button", name="Undo").wait_for()
        page.get_by_role("link", name="Admin").click()
        page.get_by_role("link", name="Deleted").click()
        assert violations(page) == []
        page.get_by_role("button", name="Restore all of plain").click()
        page.get_by_role("status").get_by_text("1 file of plain restored.").wait_for()
        assert page.request.get("/project/plain/").status == 200
        page.get_by_role("link", name="Purge all of attic").click()
        assert violations(page) == []
        page.get_by_label("Type attic to confirm").fill("attic")
        page.get_by_role("button", name="Purge 1 file").click()
        page.get_by_text("Nothing that was deleted can be restored.").wait_for()
        assert violations(page) == []
        assert faults == []


def test_passkeys_in_a_real_browser(chromium: Browser, site: str) -> None:
    """Register one, keep the recovery codes, sign out, sign in by the passkey alone, then by password and passkey; a
    dismissed question leaves a sentence. Without a word on the console, and axe finds nothing.
    """
    named = site.replace("127.0.0.1", "localhost")  # passkeys belong to names
    with visit(chromium, named) as (page, faults):
        device = page.context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        made = device.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
        )
        sign_in(page, "carol")
        page.goto("/account/security")
        page.get_by_label("Name", exact=True).first.fill("Blue key")
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_role("heading", name="Your recovery codes").wait_for()
        assert violations(page) == []
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.goto("/login")
        page.get_by_role("link", name="Sign in with a passkey").click()
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_role("button", name="Sign out").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.goto("/login")
        page.get_by_label("Username").fill("carol")
        page.get_by_label("Password").fill(PASSWORDS["carol"])
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="One more step").wait_for()
        assert violations(page) == []
        device.send("WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": False})
        page.get_by_role("button", name="Use a passkey").click()
        page.locator("[data-passkey-error]:not([hidden])").wait_for()
        device.send("WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": True})
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_role("button", name="Sign out").wait_for()
        assert faults == []


def test_an_authenticator_app_is_set_up(chromium: Browser, site: str) -> None:
    """The QR code is drawn under the policy of the page, the code of the app is taken, and axe finds nothing."""
    with visit(chromium, site, width=320, scheme="dark") as (page, faults):
        sign_in(page, "dave")
        page.goto("/account/security")
        page.get_by_role("button", name="Show a QR code").click()
        drawing = page.locator("svg.qr").bounding_box()
        assert drawing is not None
        assert drawing["width"] > 150
        assert violations(page) == []
        seed = page.locator("[data-copy='the key'] code").inner_text()
        page.get_by_label("Code").fill(pyotp.TOTP(seed).now())
        page.get_by_role("button", name="Set it up").click()
        page.get_by_role("heading", name="Your recovery codes").wait_for()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert faults == []


def test_everything_works_without_scripts(chromium: Browser, site: str) -> None:
    """Search, project, sign in, the administration and signing out need no JavaScript."""
    with visit(chromium, site, scripts=False) as (page, faults):
        page.goto("/")
        page.get_by_role("searchbox").fill("loom")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="looms").click()
        assert page.get_by_role("heading", level=1).inner_text() == "looms 1.1"
        sign_in(page, "alice")
        page.get_by_role("link", name="Admin").click()
        page.get_by_role("heading", name="Dashboard").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in").wait_for()
        assert faults == []


def test_the_keyboard_is_enough(chromium: Browser, site: str) -> None:
    """The first Tab leads to the content, `/` to the search, Enter to the hit."""
    with visit(chromium, site) as (page, _):
        page.goto("/project/looms/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("/")
        page.keyboard.type("attic")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=attic")
        link = page.get_by_role("main").get_by_role("link", name="attic")
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/project/attic/")


def test_an_install_line_is_copied_whole(chromium: Browser, site: str) -> None:
    """The copy button gives the line as pip takes it, without the button's own words."""
    with visit(chromium, site) as (page, _):
        page.goto("/project/looms/")
        page.get_by_role("button", name="Copy the pip command").click()
        page.get_by_role("button", name="Copy the pip command").get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == f"pip install --index-url {site}/simple/ looms"


def test_a_drawing_tells_its_numbers(chromium: Browser, site: str) -> None:
    """A chart is a picture with a name, letters keep their size on a narrow screen, and the table behind it unfolds."""
    with visit(chromium, site, width=320) as (page, faults):
        page.goto("/project/looms/statistics")
        chart = page.get_by_role("img", name="downloads in the last 30 days")
        box = chart.bounding_box()
        assert box is not None
        assert 200 < box["width"] < 300
        letters = chart.locator("text").first.bounding_box()
        assert letters is not None
        assert letters["height"] > 11
        table = page.get_by_role("table", name="downloads in the last 30 days")
        assert not table.is_visible()
        page.get_by_text("The same as a table").click()
        assert table.get_by_role("row").count() == 31
        page.get_by_role("link", name="A year").click()
        page.get_by_role("heading", name="Downloads by week").wait_for()
        assert violations(page) == []
        assert faults == []


def test_pages_can_be_printed(chromium: Browser, site: str, tmp_path: Path) -> None:
    """On paper there are no forms, buttons or navigation."""
    with visit(chromium, site, scheme="dark") as (page, _):
        page.goto("/project/looms/1.1/files")
        page.emulate_media(media="print")
        assert not page.get_by_role("navigation").is_visible()
        assert not page.get_by_role("button").first.is_visible()
        assert page.get_by_role("heading", name="Files").is_visible()
