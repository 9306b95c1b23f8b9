"""Passkeys in a real Chromium, with the device that it pretends to have: they work, and the page says what failed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.credentials.passkeys.site import Site

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


@pytest.fixture
def site() -> Iterator[Site]:
    """A site that nobody has a passkey for."""
    with Site() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of a browser, and the device that Chromium pretends to have."""

    page: Page
    cdp: CDPSession
    faults: list[str]
    device: str = ""

    def plug_in(self, *, verifies: bool = True) -> None:
        """A new device in place of the former one."""
        if self.device:
            self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.device})
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "isUserVerified": verifies,
            "hasUserVerification": verifies, "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.device = made["authenticatorId"]

    def passkey(self) -> dict[str, Any]:
        """The one passkey that the device holds, with its private key."""
        (held,) = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.device})["credentials"]
        return dict(held)

    def press(self, name: str) -> None:
        """Send one of the forms."""
        self.page.get_by_role("button", name=name).click()

    def outcome(self, site: Site, name: str) -> str:
        """What the site says to a form that is sent from a fresh page."""
        self.page.goto(site.url)
        self.press(name)
        return self.page.locator("#outcome").inner_text()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """A fresh browser with a device; its page complained of nothing in the end."""
    context = chromium.new_context()
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    made = Visit(page, cdp, [])
    made.plug_in()
    page.on("pageerror", lambda error: made.faults.append(str(error)))
    page.on("console", lambda line: made.faults.append(line.text) if line.type in {"error", "warning"} else None)
    yield made
    context.close()
    assert made.faults == []


@pytest.mark.browser
def test_a_browser_registers_and_signs_in(site: Site, visit: Visit) -> None:
    """Under the strict policy, and twice, with a counter that rises."""
    assert visit.outcome(site, "register") == "Registered"
    assert visit.passkey()["isResidentCredential"]
    assert visit.outcome(site, "sign-in") == "Signed in user 7"
    first = site.sign_count
    assert visit.outcome(site, "sign-in") == "Signed in user 7"
    assert site.sign_count > first


@pytest.mark.browser
def test_a_browser_s_answer_is_good_once(site: Site, visit: Visit) -> None:
    """Sent again, it answers a challenge that is gone."""
    visit.outcome(site, "register")
    visit.outcome(site, "sign-in")
    visit.page.goto(site.url)
    assert "answers another request than the last one" in site.take("sign-in", site.answers[-1])


@pytest.mark.browser
def test_a_copied_device_is_noticed(site: Site, visit: Visit) -> None:
    """The same key in another device, whose counter stands where it was when it was copied."""
    visit.outcome(site, "register")
    copied = visit.passkey()
    for _ in range(3):
        assert visit.outcome(site, "sign-in") == "Signed in user 7"
    visit.plug_in()
    visit.cdp.send("WebAuthn.addCredential", {"authenticatorId": visit.device, "credential": copied})
    assert "so there may be a copy of it" in visit.outcome(site, "sign-in")


def complaint(visit: Visit, name: str) -> str:
    """What the page itself says when a form could not be sent; its button works again."""
    visit.press(name)
    alert = visit.page.locator(f'form[data-passkey="{name}"]').get_by_role("alert")
    alert.wait_for()
    assert visit.page.get_by_role("button", name=name).is_enabled()
    return alert.inner_text()


@pytest.mark.browser
def test_a_device_is_registered_once(site: Site, visit: Visit) -> None:
    """The page says that it holds a passkey already, and nothing is sent."""
    visit.outcome(site, "register")
    visit.page.goto(site.url)
    assert complaint(visit, "register").startswith("This device holds a passkey of this account already")
    assert len(site.answers) == 1


@pytest.mark.browser
def test_a_device_that_verifies_nobody_is_of_no_use(site: Site, visit: Visit) -> None:
    """The browser asks for verification as the options want, and the page says what failed."""
    visit.plug_in(verifies=False)
    visit.page.goto(site.url)
    assert complaint(visit, "register").endswith(".")
    assert site.answers == []


@pytest.mark.browser
def test_at_another_address_the_page_says_so(site: Site, visit: Visit) -> None:
    """A relying party that is not the page's host is refused by the browser, in our words."""
    site.rp_id = "index.example.com"
    visit.page.goto(site.url)
    for name in ("register", "sign-in"):
        assert complaint(visit, name).startswith("Passkeys do not work at this address")
    assert site.answers == []


@pytest.mark.browser
@pytest.mark.parametrize(
    "lacking",
    [
        "delete window.PublicKeyCredential",
        "delete PublicKeyCredential.parseRequestOptionsFromJSON",
        "Object.defineProperty(navigator, 'credentials', {value: undefined})",
    ],
)
def test_a_browser_without_passkeys_is_told(site: Site, visit: Visit, lacking: str) -> None:
    """Both buttons are off, with a sentence why, and Enter sends nothing either."""
    visit.page.add_init_script(lacking)
    visit.page.goto(site.url)
    for form in visit.page.locator("form").all():
        assert form.get_by_role("button").is_disabled()
        assert form.get_by_role("alert").inner_text().startswith("This browser has no passkeys here")
        form.evaluate("form => form.requestSubmit()")
    assert urlpath(visit.page) == "/"
    assert site.answers == []


def urlpath(page: Page) -> str:
    """The path that a page is at, when everything it began is done."""
    page.wait_for_load_state()
    return str(page.evaluate("location.pathname"))


@pytest.mark.browser
def test_what_is_said_disappears_when_it_works(site: Site, visit: Visit) -> None:
    """After a failure, the same form is sent with another device."""
    visit.plug_in(verifies=False)
    visit.page.goto(site.url)
    complaint(visit, "register")
    visit.plug_in()
    visit.press("register")
    assert visit.page.locator("#outcome").inner_text() == "Registered"
