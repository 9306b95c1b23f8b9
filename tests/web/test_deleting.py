"""Deleting, undoing it and yanking in the browser, and what administrators see of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from people.rights import Holder
from server import create_app
from services import Services
from tests.conftest import PASSWORDS, TESTER
from tests.factory import build_sdist
from tests.web.conftest import Visitor, publish, publish_wheel
from tests.web.test_security import long_ago
from tests.web.test_teams import another

SAMPLE = NormalizedName("sample")
WHEEL, SDIST = "sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"
SETTINGS, RELEASE = "/project/sample/settings", "/project/sample/settings/releases/1.0"


@pytest.fixture(autouse=True)
def _project(secured: Services, tmp_path: Path) -> None:
    """Bob owns the project sample, with two releases, carol maintains it, dave maintains the index."""
    for version in ("1.0", "2.0"):
        publish_wheel(secured, tmp_path, version=version)
    publish(secured, build_sdist(tmp_path))
    for name in ("carol", "dave"):
        secured.users.create_user(name, PASSWORDS[name], by=TESTER)
    secured.rights.grant("main", SAMPLE, Holder("bob"), "owner", by=TESTER)
    secured.rights.grant("main", SAMPLE, Holder("carol"), "maintainer", by=TESTER)
    secured.rights.grant("main", None, Holder("dave"), "maintainer", by=TESTER)


def versions(services: Services) -> tuple[str, ...]:
    """The versions that are listed."""
    return services.at().catalogue.project_detail(SAMPLE).versions


def yanked(services: Services) -> dict[str, str | None]:
    """What each file of 1.0 says of being yanked."""
    files = services.at().catalogue.project_detail(SAMPLE).files
    return {file.filename: file.yanked for file in files if file.version == "1.0"}


def delete(visitor: Visitor, **fields: str) -> str:
    """Go through the confirming step; where it leads."""
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    assert visitor.get(f"{SETTINGS}/delete?{query}").status_code == 200
    answer = visitor.post(f"{SETTINGS}/delete", typed="Sample", **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def undo_of(page: str) -> str:
    """The deletion that a page offers to undo first."""
    found = re.search(r'name="deletion" value="([0-9a-f]{12})"', page)
    assert found, page
    return found[1]


# -- who sees what


def test_each_sees_what_they_may(bob: Visitor, secured: Services) -> None:
    """An owner all; a maintainer of the index no roles; a maintainer of the project only the yank; others nothing."""
    parts = {"bob": {"collaborators", "status", "danger"}, "dave": {"status", "danger"}, "alice": {"collaborators"}}
    for name, seen in parts.items():
        visitor = bob if name == "bob" else another(secured, name)
        page = visitor.get(SETTINGS).text
        assert seen <= set(re.findall(r'<h2 id="(\w+)"', page))
        assert "Manage this release" in visitor.get("/project/sample/").text
        assert visitor.get(RELEASE).status_code == 200
    assert "collaborators" not in another(secured, "dave").get(SETTINGS).text
    carol = another(secured, "carol")
    assert carol.get(SETTINGS).status_code == carol.get(f"{SETTINGS}/delete").status_code == 403
    release = carol.get(RELEASE).text
    assert ("Take" in release, "Delete" in release) == (False, False)
    project = carol.get("/project/sample/").text
    assert ("Manage this release" in project, "Settings" in project) == (True, False)
    secured.users.create_user("erin", PASSWORDS["carol"], by=TESTER)
    erin = Visitor(create_app(secured).test_client())
    erin.sign_in("erin", PASSWORDS["carol"])
    assert erin.get(RELEASE).status_code == erin.get(SETTINGS).status_code == 403
    assert "Manage this release" not in erin.get("/project/sample/").text


def test_without_accounts_anybody_deletes_and_undoes(anybody: Visitor, services: Services, tmp_path: Path) -> None:
    """As over the API of such a server; roles there are none."""
    publish_wheel(services, tmp_path)
    page = anybody.get(SETTINGS).text
    assert ('id="danger"' in page, 'id="collaborators"' in page) == (True, False)
    led_to = delete(anybody)
    assert anybody.get("/project/sample/").headers["Location"] == SETTINGS
    deletion = undo_of(anybody.get(led_to).text)
    assert anybody.post(f"{SETTINGS}/restore", deletion=deletion).status_code == 303
    assert anybody.get("/project/sample/").status_code == 200
    assert anybody.get("/admin/deleted").status_code == 403


# -- yanks and status


def test_a_release_is_yanked_and_taken_back(bob: Visitor, secured: Services) -> None:
    """With its reason; a second time nothing changes, and the page says so."""
    assert bob.get("/project/Sample/settings/releases/1.0.0").headers["Location"] == RELEASE
    bob.get(RELEASE)
    assert bob.post(f"{RELEASE}/yank", do="yank", reason="Breaks <everything>").status_code == 303
    assert yanked(secured) == {WHEEL: "Breaks <everything>", SDIST: "Breaks <everything>"}
    page = bob.get(RELEASE).text
    assert "sample 1.0 is yanked." in page
    assert "Breaks &lt;everything&gt;" in page
    assert bob.post(f"{RELEASE}/yank", do="unyank").status_code == 303
    assert yanked(secured) == {WHEEL: None, SDIST: None}
    bob.post(f"{RELEASE}/yank", do="unyank")
    assert "nothing changed" in bob.get(RELEASE).text


def test_one_file_is_yanked(bob: Visitor, secured: Services) -> None:
    """A maintainer may, too; a file that is not there and an unfit reason are said on the page."""
    carol = another(secured, "carol")
    carol.get(RELEASE)
    assert carol.post(f"{RELEASE}/yank", do="yank", filename=WHEEL).status_code == 303
    assert yanked(secured) == {WHEEL: "", SDIST: None}
    for status, fields in ((404, {"filename": "no.whl"}), (400, {"reason": "a\tb"}), (400, {"reason": "x" * 501})):
        answer = carol.post(f"{RELEASE}/yank", do="yank", **fields)
        assert (answer.status_code, 'role="alert"' in answer.text) == (status, True)
    assert carol.get("/project/sample/settings/releases/9.9").status_code == 404


def test_the_status_is_set(bob: Visitor, secured: Services) -> None:
    """With a reason, which the page shows; what is no status is refused, and so is a project without files."""
    bob.get(SETTINGS)
    assert bob.post(f"{SETTINGS}/status", status="archived", reason="Use looms.").status_code == 303
    detail = secured.at().catalogue.project_detail(SAMPLE)
    assert (detail.status.value, detail.status_reason) == ("archived", "Use looms.")
    assert "sample is archived." in bob.get(SETTINGS).text
    refused = bob.post(f"{SETTINGS}/status", status="sleepy")
    assert (refused.status_code, 'role="alert"' in refused.text) == (400, True)
    assert another(secured, "carol").post(f"{SETTINGS}/status", status="active").status_code == 403
    delete(bob)
    assert bob.post(f"{SETTINGS}/status", status="active").status_code == 404


# -- deleting


def test_the_name_has_to_be_typed(bob: Visitor, secured: Services) -> None:
    """Before anything goes the page tells what would; another name deletes nothing; any spelling of the name does."""
    page = bob.get(f"{SETTINGS}/delete?version=1.0.0").text
    assert WHEEL in page
    assert SDIST in page
    assert "You can undo this until" in page
    for typed in ("", "other", "sample 1.0"):
        refused = bob.post(f"{SETTINGS}/delete", version="1.0", typed=typed, reason="kept")
        assert (refused.status_code, 'role="alert"' in refused.text, 'value="kept"' in refused.text) == (
            400, True, True,
        )  # fmt: skip
    assert versions(secured) == ("1.0", "2.0")
    delete(bob, version="1.0")
    assert versions(secured) == ("2.0",)


@pytest.mark.parametrize("fields", [{}, {"version": "1.0"}, {"version": "1.0", "filename": WHEEL}, {"filename": SDIST}])
def test_a_deletion_leads_to_its_undoing(bob: Visitor, secured: Services, fields: dict[str, str]) -> None:
    """The page after it has an Undo button, and after that everything is there again."""
    before = secured.at().catalogue.project_detail(SAMPLE).files
    led_to = delete(bob, reason="a slip", **fields)
    assert led_to.startswith(f"{SETTINGS}?deleted=")
    page = bob.get(led_to).text
    assert ("Undo</button>" in page, "a slip" in page) == (True, True)
    undone = bob.post(f"{SETTINGS}/restore", deletion=undo_of(page))
    assert (undone.status_code, undone.headers["Location"]) == (303, SETTINGS)
    assert "restored." in bob.get(SETTINGS).text
    assert secured.at().catalogue.project_detail(SAMPLE).files == before
    assert "Undo</button>" not in bob.get(led_to).text


def test_the_page_of_a_deleted_project_leads_its_owner_to_the_undoing(bob: Visitor, secured: Services) -> None:
    """Others find nothing there; after the purge nobody does."""
    delete(bob)
    assert bob.get("/project/sample/").headers["Location"] == SETTINGS
    page = bob.get(SETTINGS).text
    assert "nobody else can publish under it" in page
    assert "Restore</button>" in page
    assert another(secured, "carol").get("/project/sample/").status_code == 404
    assert Visitor(create_app(secured).test_client()).get("/project/sample/").status_code == 404
    secured.manager.purge("main", undo_of(page), by=TESTER)
    assert bob.get("/project/sample/").status_code == 404
    assert bob.get(SETTINGS).status_code == 200


def test_what_cannot_be_undone_is_said_on_the_page(bob: Visitor, secured: Services, tmp_path: Path) -> None:
    """Something in the place, an unknown deletion, missing bytes: the sentence stands beside the list."""
    delete(bob, version="1.0", filename=SDIST)
    deletion = undo_of(bob.get(SETTINGS).text)
    publish(secured, build_sdist(tmp_path, extension=".zip"))
    refused = bob.post(f"{SETTINGS}/restore", deletion=deletion)
    assert (refused.status_code, "another source distribution" in refused.text) == (409, True)
    unknown = bob.post(f"{SETTINGS}/restore", deletion="0" * 12)
    assert (unknown.status_code, 'role="alert"' in unknown.text) == (404, True)
    delete(bob, version="2.0")
    (secured.settings.data_path / "sample" / "sample-2.0-py3-none-any.whl").unlink()
    missing = bob.post(f"{SETTINGS}/restore", deletion=undo_of(bob.get(SETTINGS).text))
    assert (missing.status_code, "are missing from the store" in missing.text) == (503, True)


def test_what_is_not_there_cannot_be_deleted(bob: Visitor) -> None:
    """404 for an unknown version or file, asked or sent."""
    bob.get(SETTINGS)
    for fields in ({"version": "9.9"}, {"version": "1.0", "filename": "no.whl"}, {"version": "nonsense"}):
        query = "&".join(f"{name}={value}" for name, value in fields.items())
        assert bob.get(f"{SETTINGS}/delete?{query}").status_code == 404
        assert bob.post(f"{SETTINGS}/delete", typed="sample", **fields).status_code == 404


def test_who_sat_there_long_ago_proves_it_again(bob: Visitor, secured: Services) -> None:
    """Deleting wants a recent proof and comes back to the confirming step; undoing it does not."""
    page = f"{SETTINGS}/delete?version=1.0"
    bob.get(page)
    long_ago(secured)
    sent = {"csrf_token": bob.token, "typed": "sample", "version": "1.0"}
    headers = {"Accept": "text/html", "Referer": f"http://localhost{page}"}
    answer = bob.client.post(f"{SETTINGS}/delete", data=sent, headers=headers)
    assert answer.headers["Location"].startswith("/login/confirm?next=/project/sample/settings/delete")
    assert versions(secured) == ("1.0", "2.0")
    deletion = secured.manager.delete("main", SAMPLE, "1.0", by=TESTER).id
    assert deletion is not None
    assert bob.post(f"{SETTINGS}/restore", deletion=deletion).status_code == 303


def test_a_form_of_another_site_deletes_nothing(bob: Visitor, secured: Services) -> None:
    """Without the token of the page it is 403, for each of the forms."""
    bob.token = "wrong"
    for form in ("delete", "restore", "status", "releases/1.0/yank"):
        assert bob.post(f"{SETTINGS}/{form}", typed="sample", status="archived", do="yank").status_code == 403
    assert versions(secured) == ("1.0", "2.0")


def test_a_server_that_keeps_nothing_says_so(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """undo_days = 0: before and after."""
    services = open_server(undo_days="0", data_dir=str(tmp_path / "kept-nothing"))
    publish_wheel(services, tmp_path)
    visitor = Visitor(create_app(services).test_client())
    assert "This cannot be undone" in visitor.get(f"{SETTINGS}/delete").text
    assert "1 file of sample deleted." in visitor.get(delete(visitor)).text


# -- administrators


def test_administrators_see_restore_and_purge(alice: Visitor, secured: Services) -> None:
    """Of every project; purging asks for the name; what is refused is said there."""
    assert "Nothing that was deleted can be restored." in alice.get("/admin/deleted").text
    first, second = (secured.manager.delete("main", SAMPLE, version, by=TESTER).id for version in ("1.0", "2.0"))
    assert first is not None
    assert second is not None
    page = alice.get("/admin/deleted").text
    assert page.index(second) < page.index(first)
    restored = alice.post(f"{SETTINGS}/restore", deletion=first, **{"from": "admin"})
    assert restored.headers["Location"] == "/admin/deleted"
    assert versions(secured) == ("1.0",)
    again = alice.post(f"{SETTINGS}/restore", deletion=first, **{"from": "admin"})
    assert (again.status_code, "<h1>Deleted</h1>" in again.text) == (404, True)
    purge = f"/admin/deleted/{second}/purge"
    assert "This cannot be undone." in alice.get(purge).text
    assert alice.post(purge, typed="nope").status_code == 400
    assert alice.post(purge, typed="sample").status_code == 303
    assert "1 file of sample gone for good." in alice.get("/admin/deleted").text
    assert alice.get(purge).status_code == 404
    assert not (secured.settings.data_path / "sample" / "sample-2.0-py3-none-any.whl").exists()


def test_others_do_not(bob: Visitor, secured: Services) -> None:
    """Neither the list of all nor the purge, also of what one deleted oneself."""
    deletion = secured.manager.delete("main", SAMPLE, by=TESTER).id
    bob.get(SETTINGS)
    for path in ("/admin/deleted", f"/admin/deleted/{deletion}/purge"):
        assert bob.get(path).status_code == 403
    assert bob.post(f"/admin/deleted/{deletion}/purge", typed="sample").status_code == 403
    assert secured.at().deletions.count() == 1
