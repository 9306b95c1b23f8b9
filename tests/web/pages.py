"""Every page of the web interface, told once.

``test_pages`` walks through them with axe and holds them against the routes; ``screenshots`` takes their pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from playwright.sync_api import FilePayload, Page

from services import Services
from tests.conftest import PASSWORDS
from tests.web import full_site, index_site, readmes
from tests.web.contents_site import HIDING_NAME, HOSTILE_NAME, serving_contents
from tests.web.site import serving

# Who looks: nobody has signed in; a reader has no role; bob owns looms and what he uploaded; alice administers.
WHO = {"nobody": "", "reader": "erin", "owner": "bob", "administrator": "alice"}
NOBODY, READER, OWNER, ADMIN = WHO
LONG = "a-project-with-a-very-long-name-that-goes-on-and-on-without-any-end-in-sight"
WEFT = "/project/weft/1.0/files/weft-1.0-py3-none-any.whl"
MANY = "/project/many/1.0/files/many-1.0-py3-none-any.whl"
SDIST = "/project/weft/2.0/files/weft-2.0.tar.gz"
LOOMS = "/project/looms/settings"
FILTERS = "license=MIT&python=3.12&classifier=Topic+::+Scientific/Engineering&has_wheel=true&yanked=false"


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page: the name that its pictures have, its address, who sees it so, on which of ``SITES``, with which status.

    ``go`` leads there where the address alone does not. On ``huge`` ones axe works for many seconds.
    """

    name: str
    path: str
    who: tuple[str, ...] = (NOBODY,)
    status: int = 200
    site: str = "full"
    go: Callable[[Page], None] | None = None
    huge: bool = False

    def open(self, page: Page) -> None:
        """Let a browser show it. Raises AssertionError if it shows something else."""
        if self.go is not None:
            self.go(page)
            return
        answer = page.goto(self.path)
        assert answer is not None
        assert (urlsplit(page.url).path, answer.status) == (urlsplit(self.path).path, self.status), self.name


def _sign_in(page: Page, username: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def _to_a_wrong_password(page: Page) -> None:
    _sign_in(page, "erin", "wrong")
    page.get_by_text("The username or password is wrong").wait_for()


def _to_too_many_passwords(page: Page) -> None:
    for number in range(12):
        _sign_in(page, "mallory", f"wrong {number}")  # the same one again counts once
        if page.get_by_role("heading", level=1, name="Too many requests").count():
            return
    raise AssertionError("wrong passwords were taken for ever")


def _to_the_second_factor(page: Page) -> None:
    _sign_in(page, "dave", PASSWORDS["dave"])
    page.get_by_role("heading", name="One more step").wait_for()


def _to_a_purge(page: Page) -> None:
    page.goto("/admin/deleted")
    page.get_by_role("link", name="Purge all of bygone").click()
    page.get_by_label("Type bygone to confirm").wait_for()


def _to_open_filters(page: Page) -> None:
    page.goto("/search?q=loom")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Classifier").wait_for()


def _to_chosen_files(page: Page) -> None:
    page.goto("/upload")
    names = ("looms-9.0-py3-none-any.whl", "notes.txt", "looms-1.1-py3-none-any.whl")
    files: list[FilePayload] = [{"name": name, "mimeType": "application/zip", "buffer": b"x"} for name in names]
    page.get_by_label("Wheels and source distributions").set_input_files(files)
    page.get_by_text("1 of 3 cannot be uploaded.").wait_for()


def _to_a_new_app(page: Page) -> None:
    page.goto("/account/security")
    page.get_by_role("button", name="Show a QR code").click()
    page.get_by_role("button", name="Set it up").wait_for()


def _to_a_purge_of_dev(page: Page) -> None:
    page.goto("/admin/deleted?index=dev")
    page.get_by_role("link", name="Purge all of bygone-too").click()
    page.get_by_label("Type bygone-too to confirm").wait_for()


def _to_the_switch(page: Page) -> None:
    page.goto("/index/dev/project/shuttle/")
    page.get_by_text("Index dev").click()
    page.get_by_role("link", name="What customers install").wait_for()


def _to_a_guessed_logout(page: Page) -> None:
    page.set_extra_http_headers({"Sec-Purpose": "prefetch"})
    page.goto("/logout")
    page.set_extra_http_headers({})
    assert urlsplit(page.url).path == "/logout"


PAGES = [
    WebPage("home", "/", (NOBODY, OWNER, ADMIN)),
    WebPage("search-results", "/search?q=loom"),
    WebPage("search-all", "/search"),
    WebPage("search-second-page", "/search?page=2"),
    WebPage("search-past-the-end", "/search?page=99"),
    WebPage("search-none", "/search?q=zzzz"),
    WebPage("search-passages", "/search?q=webstuhl"),
    WebPage("search-corrected", "/search?q=lomos"),
    WebPage("search-long-name", f"/search?q={LONG}"),
    WebPage("search-filters", f"/search?{FILTERS}"),
    WebPage("search-filters-open", "/search?q=loom", go=_to_open_filters),
    WebPage("search-filters-none", "/search?status=archived&q=zzz"),
    # Projects and their releases.
    WebPage("project", "/project/looms/", tuple(WHO)),
    WebPage("project-yanked", "/project/looms/0.9/"),
    WebPage("project-prerelease", "/project/looms/2.0rc1/", (NOBODY, OWNER)),
    WebPage("project-archived", "/project/attic/"),
    WebPage("project-quarantined", "/project/suspect/", (NOBODY, ADMIN)),
    WebPage("project-long-name", f"/project/{LONG}/"),
    WebPage("project-2000-releases", "/project/heaps/"),
    WebPage("project-files", "/project/looms/1.1/files"),
    WebPage("project-files-yanked", "/project/looms/0.9/files"),
    WebPage("project-300-files", "/project/wheelhouse/1.0/files"),
    WebPage("project-history", "/project/looms/history", (NOBODY, OWNER)),
    WebPage("project-history-2000-releases", "/project/heaps/history"),
    WebPage("project-dependencies", "/project/looms/1.1/dependencies"),
    WebPage("project-dependencies-conditions", "/project/weaving-mill/0.2/dependencies"),
    WebPage("project-dependencies-none", "/project/attic/3.4.5/dependencies"),
    WebPage("project-login-needed", "/project/weft/", (OWNER,), site="private"),
    WebPage("project-arabic-and-chinese", "/project/nawl/"),
    *(WebPage(f"description-{kind}", f"/project/{kind}/", huge=kind in {"long", "wide"}) for kind in readmes.KINDS),
    WebPage("statistics", "/project/looms/statistics"),
    WebPage("statistics-year", "/project/looms/statistics?days=365"),
    WebPage("statistics-none", f"/project/{LONG}/statistics"),
    # What is inside files, and what changed.
    WebPage("file-wheel", WEFT),
    WebPage("file-sdist", SDIST),
    WebPage("file-many", MANY),
    WebPage("file-folder", f"{MANY}?path=many/"),
    WebPage("file-folder-long", f"{MANY}?path=many/part1/"),
    WebPage("file-code", f"{WEFT}?path=weft/loom.py"),
    WebPage("file-hostile", f"{WEFT}?path={quote(HOSTILE_NAME)}"),
    WebPage("file-hiding", f"{WEFT}?path={quote(HIDING_NAME)}"),
    WebPage("file-arabic-and-chinese", f"{WEFT}?path=weft/arabic.txt"),
    WebPage("file-binary", f"{WEFT}?path=weft/_native.so"),
    WebPage("file-link", f"{SDIST}?path=weft-2.0/README"),
    WebPage("file-withheld", WEFT, site="closed"),
    WebPage("compare", "/project/weft/compare"),
    WebPage("compare-wheels", "/project/weft/compare?from=1.0&to=1.1"),
    WebPage("compare-kinds", "/project/weft/compare?from=1.0&to=2.0"),
    WebPage("compare-the-same", "/project/weft/compare?from=1.0&to=1.0"),
    WebPage("compare-nothing", "/project/first/compare"),
    WebPage("compare-withheld", "/project/weft/compare?from=1.0&to=1.1", site="closed"),
    # Signing in and out.
    WebPage("login", "/login"),
    WebPage("login-wrong-password", "/login", go=_to_a_wrong_password),
    WebPage("login-second-factor", "/login/factor", go=_to_the_second_factor),
    WebPage("login-passkey", "/login/passkey"),
    WebPage("login-confirm", "/login/confirm", (OWNER,)),
    WebPage("logout-asked", "/logout", (OWNER,), go=_to_a_guessed_logout),
    # One's own.
    WebPage("upload", "/upload", (OWNER,)),
    WebPage("upload-chosen", "/upload", (OWNER,), go=_to_chosen_files),
    WebPage("account", "/account", (READER, OWNER, ADMIN)),
    WebPage("account-projects", "/account/projects", (READER, OWNER)),
    WebPage("account-security", "/account/security", (OWNER,)),
    WebPage("account-security-app", "/account/security", (OWNER,), go=_to_a_new_app),
    WebPage("account-publishing", "/account/publishing", (READER, OWNER)),
    WebPage("project-settings", LOOMS, (OWNER, ADMIN)),
    WebPage("project-settings-deleted", "/project/bygone/settings", (ADMIN,)),
    WebPage("project-publishing", "/project/looms/publishing", (OWNER,)),
    WebPage("project-publishing-none", "/project/attic/publishing", (ADMIN,)),
    WebPage("release-settings", f"{LOOMS}/releases/1.1", (OWNER,)),
    WebPage("release-settings-yanked", f"{LOOMS}/releases/0.9", (OWNER,)),
    WebPage("delete-project", f"{LOOMS}/delete", (OWNER,)),
    WebPage("delete-release", f"{LOOMS}/delete?version=1.1", (OWNER,)),
    WebPage("delete-300-files", "/project/wheelhouse/settings/delete", (ADMIN,)),
    # The administration, stocked and with nothing to administer.
    *(
        WebPage(f"admin-{name or 'dashboard'}", f"/admin/{name}", (ADMIN,))
        for name in (
            "",
            "projects",
            "users",
            "teams",
            "roles",
            "uploads",
            "deleted",
            "tokens",
            "statistics",
            "journal",
            "jobs",
            "settings",
        )
    ),
    WebPage("admin-user", "/admin/users/bob", (ADMIN,)),
    WebPage("admin-team", "/admin/teams/weavers", (ADMIN,)),
    WebPage("admin-purge", "/admin/deleted/0123456789ab/purge", (ADMIN,), go=_to_a_purge),
    WebPage("admin-projects-quarantined", "/admin/projects?state=quarantined", (ADMIN,)),
    WebPage("admin-statistics-quarter", "/admin/statistics?days=90", (ADMIN,)),
    WebPage("admin-journal-none", "/admin/journal?actor=mallory", (ADMIN,)),
    *(
        WebPage(f"fresh-admin-{name or 'dashboard'}", f"/admin/{name}", (ADMIN,), site="fresh")
        for name in ("", "projects", "teams", "roles", "uploads", "deleted", "tokens", "statistics", "jobs")
    ),
    # A server of several indexes.
    WebPage("indexes-home", "/", (NOBODY, ADMIN), site="indexes"),
    WebPage("indexes-home-dev", "/index/dev/", (NOBODY, READER, ADMIN), site="indexes"),
    WebPage("indexes-switch", "/index/dev/project/shuttle/", (NOBODY, ADMIN), site="indexes", go=_to_the_switch),
    WebPage("indexes-home-long-name", f"/index/{index_site.LONG}/", site="indexes"),
    WebPage("indexes-search", "/index/dev/search?q=thread", (NOBODY, OWNER), site="indexes"),
    WebPage("indexes-search-none", "/index/prod/search?q=zzzz", site="indexes"),
    WebPage("indexes-project", "/index/dev/project/shuttle/", (NOBODY, OWNER), site="indexes"),
    WebPage("indexes-project-opened", "/index/dev/project/thread/", (NOBODY, ADMIN), site="indexes"),
    WebPage("indexes-project-not-there", "/index/dev/project/acme-new/", status=404, site="indexes"),
    WebPage("indexes-files", "/index/dev/project/shuttle/1.1/files", (OWNER,), site="indexes"),
    WebPage("indexes-promote", "/index/dev/project/shuttle/1.1/promote", (OWNER,), site="indexes"),
    WebPage("indexes-promote-copy", "/index/dev/project/thread/1.0/promote", (OWNER,), site="indexes"),
    WebPage("indexes-why", "/index/dev/project/thread/why", (NOBODY,), site="indexes"),
    WebPage("indexes-why-version", "/index/dev/project/shuttle/why?version=0.9", (NOBODY,), site="indexes"),
    WebPage("indexes-why-kept", "/index/dev/project/acme-new/why", (NOBODY, ADMIN), site="indexes"),
    WebPage("indexes-why-no-version", "/index/dev/project/thread/why?version=one", status=400, site="indexes"),
    WebPage("indexes-why-not-there", "/project/nothing-here/why", site="indexes"),
    WebPage("indexes-project-settings", "/index/dev/project/shuttle/settings", (OWNER,), site="indexes"),
    WebPage("indexes-project-settings-opened", "/index/dev/project/thread/settings", (ADMIN,), site="indexes"),
    WebPage("indexes-upload", "/index/dev/upload", (OWNER,), site="indexes"),
    WebPage("indexes-account", "/account", (READER, OWNER), site="indexes"),
    WebPage("indexes-closed", "/index/secret/", (READER,), status=403, site="indexes"),
    *(
        WebPage(
            f"indexes-admin-{name or 'dashboard'}{choice and '-dev'}",
            f"/admin/{name}{choice}",
            (ADMIN,),
            site="indexes",
        )
        for name, choice in (
            ("", ""),
            ("indexes", ""),
            ("roles", "?index=dev"),
            ("projects", "?index=dev"),
            ("uploads", "?index=dev"),
            ("deleted", "?index=dev"),
            ("statistics", "?index=dev"),
            ("tokens", ""),
        )
    ),
    WebPage("indexes-admin-index", "/admin/indexes/dev", (ADMIN,), site="indexes"),
    WebPage("indexes-admin-index-main", "/admin/indexes/main", (ADMIN,), site="indexes"),
    WebPage("indexes-admin-index-secret", "/admin/indexes/secret", (ADMIN,), site="indexes"),
    WebPage("indexes-admin-team", "/admin/teams/weavers", (ADMIN,), site="indexes"),
    WebPage(
        "indexes-admin-purge", "/admin/deleted/0123456789ab/purge", (ADMIN,), site="indexes", go=_to_a_purge_of_dev
    ),
    WebPage("fresh-admin-indexes", "/admin/indexes", (ADMIN,), site="fresh"),
    WebPage("fresh-admin-index", "/admin/indexes/main", (ADMIN,), site="fresh"),
    # A server without people and packages.
    WebPage("empty-home", "/", site="empty"),
    WebPage("empty-search", "/search", site="empty"),
    WebPage("empty-upload", "/upload", site="empty"),
    WebPage("empty-login", "/login", status=403, site="empty"),
    # Refusals and faults.
    WebPage("error-403", "/admin/", (READER,), status=403),
    WebPage("error-404", "/nothing-here", (NOBODY, OWNER), status=404),
    WebPage("error-404-project", "/project/nothing-here/", status=404),
    WebPage("error-404-project-near", "/project/lomos/", status=404),
    WebPage("error-429", "/login", go=_to_too_many_passwords),
    WebPage("error-500", "/search?q=loom", status=500, site="broken"),
    WebPage("api-docs", "/api/docs", huge=True),
]


def _break(services: Services, _: Path) -> None:
    services.at().search.database = None  # type: ignore[assignment] # a fault of ours, as the search meets it


SITES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "full": lambda folder: serving(folder, fill=full_site.fill, auth_enabled="true"),
    "closed": lambda folder: serving_contents(folder, auth_enabled="true", auth_require="download"),
    "private": lambda folder: serving_contents(folder, auth_enabled="true", auth_require="list, download, update"),
    "indexes": lambda folder: serving(folder, fill=index_site.fill, auth_enabled="true"),
    "fresh": lambda folder: serving(folder, stocked=False, auth_enabled="true"),
    "empty": lambda folder: serving(folder, stocked=False),
    "broken": lambda folder: serving(folder, stocked=False, fill=_break),
}


@contextmanager
def every_site(folder: Path, names: set[str] | None = None) -> Iterator[dict[str, str]]:
    """Servers for these sites, or for all; their addresses. By a name, since passkeys belong to names."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(start(folder / name)).replace("127.0.0.1", "localhost")
            for name, start in SITES.items()
            if names is None or name in names
        }
