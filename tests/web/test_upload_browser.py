"""The upload page in a real Chromium: choosing, dropping, progress, refusals in words, scripts off, keyboard only."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.factory import build_sdist, build_wheel
from tests.web.browser import sign_in, violations, visit
from tests.web.site import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stocked server with authentication."""
    with serving(tmp_path_factory.mktemp("site"), auth_enabled="true") as url:
        yield url


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A new server without authentication."""
    with serving(tmp_path_factory.mktemp("open"), stocked=False, max_file_size="3000000") as url:
        yield url


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A project of the test's own."""
    return str(request.node.name.removeprefix("test_").partition("[")[0].replace("_", "-"))


def module_of(name: str) -> str:
    """How a project's files begin."""
    return name.replace("-", "_")


def row(page: Page, path: Path) -> Locator:
    """What the page shows of a file."""
    return page.get_by_role("listitem").filter(has=page.get_by_text(path.name, exact=True))


def upload_button(page: Page) -> Locator:
    """The button that sends."""
    return page.get_by_role("main").get_by_role("button", name="Upload")


def unexpected(faults: list[str]) -> list[str]:
    """What is wrong beside Chromium's own word that a file was refused."""
    return [fault for fault in faults if "status of 4" not in fault]


def test_several_files_in_a_row(chromium: Browser, site: str, tmp_path: Path, name: str) -> None:
    """Each is checked when it is chosen, sent by itself, and ends with its release or the server's refusal in words."""
    wheel, sdist = build_wheel(tmp_path, module_of(name)), build_sdist(tmp_path, module_of(name))
    broken, text = tmp_path / "broken-1.0-py3-none-any.whl", tmp_path / "notes.txt"
    for path in (broken, text):
        path.write_bytes(b"no archive")
    taken = build_wheel(tmp_path, "looms", "1.1", tag="cp312-cp312-macosx_11_0_arm64")
    with visit(chromium, site) as (page, faults):
        sign_in(page, "alice")
        page.get_by_role("link", name="Upload", exact=True).click()
        page.get_by_label("Wheels and source distributions").set_input_files([wheel, broken, text, taken])
        expect(row(page, wheel)).to_contain_text("ready")
        expect(row(page, wheel)).to_contain_text(f"{name} 1.0 · wheel for Python 3, any platform")
        expect(row(page, text)).to_contain_text("has an ending that is not taken here")
        expect(row(page, taken)).to_contain_text("A file of this name is here")
        expect(page.get_by_text("1 of 4 cannot be uploaded.")).to_be_visible()
        assert violations(page) == []
        page.get_by_label("Wheels and source distributions").set_input_files([sdist])
        expect(row(page, sdist)).to_contain_text("ready")
        page.get_by_role("button", name="Upload 4 files").click()
        expect(page.get_by_text("2 of 4 files are on the server.")).to_be_visible()
        expect(row(page, wheel)).to_contain_text(f"{wheel.name} was published as {name} 1.0.")
        expect(row(page, sdist)).to_contain_text("published")
        expect(page.get_by_role("button", name=f"Remove {wheel.name}")).to_have_count(0)
        expect(page.get_by_role("button", name=f"Remove {broken.name}")).to_be_visible()
        expect(row(page, broken)).to_contain_text("is not a zip file")
        expect(row(page, taken)).to_contain_text("File already exists")
        assert page.locator("progress:visible").count() == 0
        assert violations(page) == []
        row(page, wheel).get_by_role("link", name=f"Show {name} 1.0").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("1.0")
        assert urlsplit(page.url).path == f"/project/{name}/1.0/"
        assert unexpected(faults) == []


def test_files_are_dropped(chromium: Browser, open_site: str, tmp_path: Path, name: str) -> None:
    """Anywhere on the page: the browser does not leave it for the file, the place is marked, and they go up."""
    wheel = build_wheel(tmp_path, module_of(name))
    with visit(chromium, open_site, width=320, scheme="dark") as (page, faults):
        page.goto("/upload")
        files = page.evaluate_handle(
            """([name, content]) => {
                const held = new DataTransfer();
                held.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], name));
                return held;
            }""",
            [wheel.name, base64.b64encode(wheel.read_bytes()).decode()],
        )
        page.dispatch_event("h2", "dragover", {"dataTransfer": files})
        assert page.locator(".drop.over").count() == 1
        page.dispatch_event("h2", "drop", {"dataTransfer": files})
        assert page.locator(".drop.over").count() == 0
        expect(row(page, wheel)).to_contain_text("ready")
        upload_button(page).click()
        expect(page.get_by_text("1 of 1 file is on the server.")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert violations(page) == []
        assert faults == []


def test_progress_is_shown_and_can_be_cancelled(chromium: Browser, open_site: str, tmp_path: Path, name: str) -> None:
    """While a file goes up its bar has a name and a value; Cancel ends it, and the next one goes on."""
    noise = random.Random(5).randbytes(2_000_000)
    slow = build_wheel(tmp_path, module_of(name), files={"noise.bin": noise})
    quick = build_wheel(tmp_path, module_of(name), "2.0")
    with visit(chromium, open_site) as (page, faults):
        network = page.context.new_cdp_session(page)
        page.goto("/upload")
        page.get_by_label("Wheels and source distributions").set_input_files([slow, quick])
        expect(row(page, quick)).to_contain_text("ready")
        network.send("Network.enable")
        limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
        network.send("Network.emulateNetworkConditions", limits)
        upload_button(page).click()
        bar = page.get_by_role("progressbar", name=f"Progress of {slow.name}")
        expect(bar).to_be_visible()
        expect(bar).to_have_attribute("value", re.compile(r"0\.(0[1-9]|[1-9])"))
        assert violations(page) == []
        expect(row(page, quick)).to_contain_text("waiting")
        page.get_by_role("button", name=f"Cancel {slow.name}").click()
        expect(page.get_by_text("1 of 2 files are on the server.")).to_be_visible()
        expect(row(page, slow)).to_have_count(0)
        expect(row(page, quick)).to_contain_text("published")
        assert faults == []


def test_a_file_that_is_too_large_is_not_sent(chromium: Browser, open_site: str, tmp_path: Path, name: str) -> None:
    """It is refused by its size when it is chosen, in words; nothing is left to be uploaded."""
    large = tmp_path / f"{module_of(name)}-1.0.tar.gz"
    large.write_bytes(bytes(3_000_001))
    sent: list[str] = []
    with visit(chromium, open_site) as (page, faults):
        page.on("request", lambda request: sent.append(request.method))
        page.goto("/upload")
        page.get_by_label("Wheels and source distributions").set_input_files([large])
        expect(row(page, large)).to_contain_text("has 3,000,001 bytes; a file may have 3,000,000 here")
        expect(upload_button(page)).to_be_disabled()
        page.get_by_role("button", name=f"Remove {large.name}").click()
        expect(upload_button(page)).to_be_enabled()
        assert set(sent) == {"GET"}
        assert faults == []


def test_who_is_signed_out_meanwhile_is_told_so(chromium: Browser, site: str, tmp_path: Path, name: str) -> None:
    """The refusal stands beside the file, without a dialog of the browser, and the file can be sent once more later."""
    wheel = build_wheel(tmp_path, module_of(name))
    with visit(chromium, site) as (page, faults):
        sign_in(page, "alice")
        page.goto("/upload")
        page.get_by_label("Wheels and source distributions").set_input_files([wheel])
        expect(row(page, wheel)).to_contain_text("ready")
        page.context.clear_cookies()
        upload_button(page).click()
        expect(row(page, wheel)).to_contain_text("This needs a login")
        expect(page.get_by_text("0 of 1 file is on the server.")).to_be_visible()
        assert unexpected(faults) == []


def test_without_scripts_a_form_does_it(chromium: Browser, site: str, tmp_path: Path, name: str) -> None:
    """Several files at once, and a page that says of each what happened."""
    wheel, broken = build_wheel(tmp_path, module_of(name)), tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no archive")
    with visit(chromium, site, scripts=False) as (page, faults):
        sign_in(page, "alice")
        page.goto("/upload")
        assert not page.get_by_text("drop them").is_visible()
        page.get_by_label("Wheels and source distributions").set_input_files([wheel, broken])
        upload_button(page).click()
        expect(row(page, wheel)).to_contain_text(f"was published as {name} 1.0.")
        expect(row(page, broken)).to_contain_text("is not a zip file")
        page.get_by_role("link", name=f"Show {name} 1.0").click()
        assert urlsplit(page.url).path == f"/project/{name}/1.0/"
        assert faults == []


def test_the_keyboard_is_enough_to_upload(chromium: Browser, site: str, tmp_path: Path, name: str) -> None:
    """Choose, remove one, upload, follow the link: with Tab, Enter and Space, and the focus is never lost."""
    wheel, other = build_wheel(tmp_path, module_of(name)), build_wheel(tmp_path, module_of(name), "2.0")
    with visit(chromium, site) as (page, faults):
        sign_in(page, "alice")
        page.goto("/upload")
        chooser = page.get_by_label("Wheels and source distributions")
        chooser.focus()
        with page.expect_file_chooser() as chosen:
            page.keyboard.press("Space")
        chosen.value.set_files([other, wheel])
        expect(row(page, wheel)).to_contain_text("ready")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Remove {other.name}"
        page.keyboard.press("Space")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Remove {wheel.name}"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Upload"
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 of 1 file is on the server.")).to_be_visible()
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.textContent") == f"Show {name} 1.0"
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/project/{name}/1.0/")
        assert faults == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_what_happened_is_accessible(
    chromium: Browser, open_site: str, tmp_path: Path, scheme: str, width: int, name: str
) -> None:
    """The page before and the answer after, with long names, in both schemes: axe finds nothing, all has room."""
    long = build_wheel(tmp_path, f"a_{'very_' * 20}long_name", f"{width}.0")
    text = tmp_path / ("notes" * 30)
    text.write_text("x")
    with visit(chromium, open_site, scheme=scheme, width=width) as (page, faults):
        page.goto("/upload")
        assert violations(page) == []
        page.get_by_label("Wheels and source distributions").set_input_files([long, text])
        expect(row(page, long)).to_contain_text("ready")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.evaluate("document.querySelector('form[data-upload]').classList.remove('live')")
        page.evaluate("HTMLFormElement.prototype.submit.call(document.querySelector('form[data-upload]'))")
        page.get_by_role("heading", name="What happened").wait_for()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert faults == []
