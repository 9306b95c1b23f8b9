"""Teams, roles and names in the browser, and the settings of a project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from people.rights import Holder
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import PASSWORDS, TESTER
from tests.web.conftest import Visitor, publish_wheel

SAMPLE = NormalizedName("sample")


@pytest.fixture(autouse=True)
def _project(secured: Services, tmp_path: Path) -> None:
    """Bob owns the project sample; there is carol, and a team."""
    secured.users.create_user("carol", PASSWORDS["carol"], by=TESTER)
    publish_wheel(secured, tmp_path)
    secured.rights.grant("main", SAMPLE, Holder("bob"), "owner", by=TESTER)
    secured.rights.create_team("web", "The <website>", by=TESTER)


def roles(services: Services, project: str = "") -> dict[str, str]:
    """Who is what on a project, or on the index."""
    return {row.holder: row.role for row in services.readers.rights.grants(index="main", project=project)}


def another(services: Services, name: str) -> Visitor:
    """Somebody else, signed in with a browser of their own."""
    visitor = Visitor(create_app(services).test_client())
    assert visitor.sign_in(name).status_code == 303
    return visitor


# -- administration


def test_people_are_shown_what_they_are_on_the_index(alice: Visitor, secured: Services) -> None:
    """An administrator, else by their own role or a team's, else by the setting, in the list and on their page."""
    told = {"alice": "administrator", "bob": "reader", "carol": "maintainer", "dave": "uploader"}
    secured.users.create_user("dave", "a long password", by=TESTER)
    secured.rights.add_member("web", "carol", by=TESTER)
    secured.rights.grant("main", None, Holder("bob"), "reader", by=TESTER)
    secured.rights.grant("main", None, Holder("web", is_team=True), "maintainer", by=TESTER)
    users = alice.get("/admin/users").text
    listed = re.findall(r'/admin/users/(\w+)"><bdi>.*?data-label="Role">([^<]*)<', users, re.DOTALL)
    assert dict(listed) == told
    pages = {name: alice.get(f"/admin/users/{name}").text for name in told}
    assert {name: re.findall(r"<dt>Role</dt><dd>([^<]*)<", page) for name, page in pages.items()} == {
        name: [role] for name, role in told.items()
    }
    assert "there they are maintainer, by a team." in pages["carol"]
    assert "as the setting <code>default_role</code> of <code>[auth]</code> says" in pages["dave"]
    assert "No role of their own" not in pages["bob"]


def test_a_team_is_made_filled_and_deleted(alice: Visitor, secured: Services) -> None:
    """What cannot be is said on the form, which keeps what was typed."""
    refused = alice.post("/admin/teams", team="WEB", title="Again")
    assert (refused.status_code, 'value="WEB"' in refused.text, 'role="alert"' in refused.text) == (409, True, True)
    made = alice.post("/admin/teams", team="ops", title="")
    assert made.headers["Location"] == "/admin/teams/ops"
    assert alice.post("/admin/teams/ops/members", username="Carol").status_code == 303
    page = alice.get("/admin/teams/ops").text
    assert "Carol is in the team." in page
    assert 'href="/admin/users/carol"' in page
    unknown = alice.post("/admin/teams/ops/members", username="nobody")
    assert (unknown.status_code, "There is no user" in unknown.text, 'value="nobody"' in unknown.text) == (
        404,
        True,
        True,
    )
    assert alice.post("/admin/teams/ops/members/remove", username="carol").status_code == 303
    assert "Nobody is in it." in alice.get("/admin/teams/ops").text
    assert alice.post("/admin/teams/OPS/delete").headers["Location"] == "/admin/teams"
    assert [team.name for team in secured.readers.rights.teams()] == ["web"]
    assert "The &lt;website&gt;" in alice.get("/admin/teams").text


def test_a_team_gets_roles_and_names(alice: Visitor, secured: Services) -> None:
    """On a project and on the index; what cannot be is said at its place."""
    assert alice.post("/admin/teams/web/roles", project="Sample", role="maintainer").status_code == 303
    assert alice.post("/admin/teams/web/roles", project="", role="reader").status_code == 303
    assert (roles(secured), roles(secured, "sample")["web"]) == ({"web": "reader"}, "maintainer")
    for project, role in (("sample", "reader"), ("no name", "owner")):
        refused = alice.post("/admin/teams/web/roles", project=project, role=role)
        assert (refused.status_code, 'role="alert"' in refused.text, f'value="{project}"' in refused.text) == (
            400,
            True,
            True,
        )
    assert alice.post("/admin/teams/web/patterns", pattern="Acme_*").status_code == 303
    assert "acme-*" in alice.get("/admin/teams/web").text
    refused = alice.post("/admin/teams/web/patterns", pattern="*")
    assert (refused.status_code, 'role="alert"' in refused.text) == (400, True)
    refused = alice.post("/admin/teams/web/delete")
    assert (refused.status_code, "give them to another team first" in refused.text) == (409, True)
    assert alice.post("/admin/teams/web/patterns/remove", pattern="acme-*").status_code == 303
    for project in ("sample", ""):
        assert alice.post("/admin/teams/web/roles/take", project=project).status_code == 303
    assert alice.post("/admin/teams/web/roles/take", project="").status_code == 404
    assert (roles(secured), roles(secured, "sample")) == ({}, {"bob": "owner"})


def test_roles_on_the_index(alice: Visitor, secured: Services) -> None:
    """Given to users and teams, taken again; the page says what all others are."""
    assert "usually <strong>uploader</strong>" in alice.get("/admin/roles").text
    assert alice.post("/admin/roles", kind="user", holder="carol", role="owner").status_code == 303
    assert alice.post("/admin/roles", kind="team", holder="web", role="none").status_code == 303
    assert roles(secured) == {"carol": "owner", "web": "none"}
    refused = alice.post("/admin/roles", kind="team", holder="carol", role="owner")
    assert (refused.status_code, "There is no team" in refused.text, 'value="carol"' in refused.text) == (
        404,
        True,
        True,
    )
    assert alice.post("/admin/roles", kind="user", holder="carol", role="king").status_code == 400
    for kind, holder in (("user", "carol"), ("team", "web")):
        assert alice.post("/admin/roles/take", kind=kind, holder=holder).status_code == 303
    assert roles(secured) == {}
    assert alice.post("/admin/roles/take", kind="user", holder="carol").status_code == 404


def test_names_of_teams(alice: Visitor, secured: Services) -> None:
    """Set and given up on the page of roles."""
    secured.rights.grant("main", NormalizedName("web-hers"), Holder("alice"), "owner", by=TESTER)
    assert alice.post("/admin/patterns", pattern="web-*", team="web").status_code == 303
    assert "left to them: web-hers." in alice.get("/admin/roles").text
    assert 'value="web-*"' in alice.get("/admin/roles").text
    refused = alice.post("/admin/patterns", pattern="web*x", team="web")
    assert (refused.status_code, 'role="alert"' in refused.text, 'value="web*x"' in refused.text) == (400, True, True)
    assert alice.post("/admin/patterns", pattern="web-*", team="none").status_code == 404
    assert alice.post("/admin/patterns/remove", pattern="web-*").status_code == 303
    assert secured.readers.rights.patterns() == []


def test_a_user_has_roles_teams_and_a_switch(alice: Visitor, secured: Services) -> None:
    """The page of a user shows what they may; the switch makes an administrator, and the last one stays."""
    secured.rights.add_member("web", "bob", by=TESTER)
    page = alice.get("/admin/users/bob").text
    assert 'href="/project/sample/settings"' in page
    assert 'href="/admin/teams/web"' in page
    assert alice.post("/admin/users/alice/admin", admin="no").status_code == 409
    assert alice.post("/admin/users/bob/admin", admin="yes").headers["Location"] == "/admin/users/bob"
    assert another(secured, "bob").get("/admin/").status_code == 200
    assert alice.post("/admin/users/alice/admin", admin="no").headers["Location"] == "/"
    assert alice.get("/admin/").status_code == 403


@pytest.mark.parametrize("path", ["/admin/teams", "/admin/teams/web", "/admin/roles"])
def test_others_are_refused(bob: Visitor, visitor: Visitor, secured: Services, path: str) -> None:
    """Nobody is sent to sign in, an uploader gets 403; an administrator sees the page."""
    assert bob.get(path).status_code == 403
    assert Visitor(create_app(secured).test_client()).get(path).headers["Location"] == f"/login?next={path}"
    assert another(secured, "alice").get(path).status_code == 200


def test_an_unknown_team_is_404(alice: Visitor) -> None:
    """For the page and its forms."""
    assert alice.get("/admin/teams/none").status_code == 404
    for form in ("members", "members/remove", "roles", "roles/take", "patterns", "delete"):
        assert alice.post(f"/admin/teams/none/{form}", username="bob", role="reader", pattern="a-*").status_code == 404


# -- settings of a project


def test_only_who_may_manage_sees_the_settings(bob: Visitor, secured: Services) -> None:
    """The owner and the administrator have the link and the page; others neither, also where nothing is."""
    carol, alice, nobody = (
        another(secured, "carol"),
        another(secured, "alice"),
        Visitor(create_app(secured).test_client()),
    )
    link = 'href="/project/sample/settings"'
    everybody = ((bob, True), (alice, True), (carol, False), (nobody, False))
    for visitor, sees in everybody:
        assert (link in visitor.get("/project/sample/").text) is sees
    assert bob.get("/project/Sample/settings").headers["Location"] == "/project/sample/settings"
    assert bob.get("/project/sample/settings").status_code == alice.get("/project/sample/settings").status_code == 200
    assert [carol.get(f"/project/{name}/settings").status_code for name in ("sample", "none", "x y")] == [403] * 3
    assert nobody.get("/project/sample/settings").headers["Location"] == "/login?next=/project/sample/settings"
    assert alice.get("/project/none/settings").status_code == 404
    secured.manager.set_status("main", SAMPLE, ProjectStatus.QUARANTINED, None, by=TESTER)
    for visitor, sees in everybody:
        assert (link in visitor.get("/project/sample/").text) is sees


def test_an_owner_gives_and_takes_roles(bob: Visitor, secured: Services) -> None:
    """To users and teams; what was there before is told, and what cannot be is said on the page."""
    bob.get("/project/sample/settings")
    give, take = "/project/sample/settings/roles", "/project/sample/settings/roles/take"
    assert bob.post(give, kind="user", holder="Carol", role="owner").status_code == 303
    assert "carol is owner of sample." in bob.get("/project/sample/settings").text
    assert bob.post(give, kind="user", holder="Carol", role="maintainer").status_code == 303
    assert "carol is maintainer of sample, no longer owner." in bob.get("/project/sample/settings").text
    assert bob.post(give, kind="team", holder="web", role="owner").status_code == 303
    assert roles(secured, "sample") == {"bob": "owner", "carol": "maintainer", "web": "owner"}
    assert bob.post(take, kind="team", holder="web").status_code == 303
    for status, said in (
        (409, {"kind": "user", "holder": "bob", "role": "maintainer"}),
        (404, {"kind": "user", "holder": "nobody", "role": "owner"}),
        (400, {"kind": "user", "holder": "carol", "role": "reader"}),
    ):
        answer = bob.post(give, **said)
        assert (answer.status_code, 'role="alert"' in answer.text) == (status, True)
    assert "last owner" in bob.post(take, kind="user", holder="bob").text
    assert another(secured, "carol").post(give, kind="user", holder="carol", role="owner").status_code == 403
    assert roles(secured, "sample") == {"bob": "owner", "carol": "maintainer"}


def test_whoever_gives_the_last_right_away_is_led_to_the_project(bob: Visitor, secured: Services) -> None:
    """Not to a page that they may no longer see."""
    bob.get("/project/sample/settings")
    bob.post("/project/sample/settings/roles", kind="user", holder="carol", role="owner")
    answer = bob.post("/project/sample/settings/roles/take", kind="user", holder="bob")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/project/sample/")
    assert bob.get("/project/sample/settings").status_code == 403
    assert roles(secured, "sample") == {"carol": "owner"}


def test_a_form_of_another_site_changes_nothing(bob: Visitor, secured: Services) -> None:
    """Without the token of the page it is 403."""
    bob.token = "wrong"
    assert bob.post("/project/sample/settings/roles", kind="user", holder="carol", role="owner").status_code == 403
    assert roles(secured, "sample") == {"bob": "owner"}


def test_a_role_on_a_project_to_come_is_shown(alice: Visitor, secured: Services) -> None:
    """The page says that the name is kept."""
    secured.rights.grant("main", NormalizedName("to-come"), Holder("carol"), "owner", by=TESTER)
    assert "its name is kept" in alice.get("/project/to-come/settings").text
    assert another(secured, "carol").get("/project/to-come/settings").status_code == 200
