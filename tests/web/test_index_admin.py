"""The administration of a server with several indexes: what they are, and what is on each."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.utils import NormalizedName

from database.activity import stored_bytes
from database.journal_reading import JournalFilter, read
from indexes.manager import NewUpstream
from services import Services
from tests.conftest import TESTER
from tests.web import index_site
from tests.web.conftest import Person, publish_wheel

# -- the administration of indexes


def test_an_index_is_made_and_changed(somebody: Person, secured: Services) -> None:
    """By administrators, who see it listed; it is closed unless that is said otherwise."""
    alice = somebody("alice")
    alice.get("/admin/indexes")
    assert alice.post("/admin/indexes", name="test", title="For <tests>").headers["Location"] == "/admin/indexes/test"
    assert secured.at("test").row.closed
    assert "For &lt;tests&gt;" in alice.get("/admin/indexes").text
    alice.post("/admin/indexes/test", title="Trials", closed="no")
    assert (secured.at("test").row.title, secured.at("test").row.closed) == ("Trials", False)
    alice.post("/admin/indexes/main", title="Ours", closed="yes")
    assert (secured.at().row.title, secured.at().row.closed) == ("Ours", False)


REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("/admin/indexes", {"name": "Dev"}, 400),
    ("/admin/indexes", {"name": "dev"}, 409),
    ("/admin/indexes/dev", {"title": "x" * 201}, 400),
    ("/admin/indexes/prod/bases", {"base": "dev"}, 400),
    (
        "/admin/indexes/dev/upstreams",
        {"url-0": "https://a.example.com/", "mode-0": "cache", "place-0": "first"},
        400,
    ),
    ("/admin/indexes/dev/upstreams", {"url-0": "https://a.example.com/", "mode-0": "push", "place-0": "1"}, 400),
    ("/admin/indexes/dev/kept", {"pattern": "***", "do": "keep"}, 400),
    ("/admin/indexes/dev/kept", {"pattern": "unknown-*", "do": "release"}, 404),
    ("/admin/kept", {"pattern": "unknown-*", "do": "release"}, 404),
    ("/admin/indexes/dev/delete", {"typed": "prod"}, 400),
    ("/admin/indexes/dev/delete", {"typed": "dev"}, 409),
    ("/admin/indexes/nowhere", {"title": ""}, 404),
]


def test_what_cannot_be_is_said_on_the_form(somebody: Person, secured: Services) -> None:
    """And nothing is changed."""
    alice = somebody("alice")
    alice.get("/admin/indexes")
    before = secured.indexes.rows.all(), secured.indexes.rows.kept()
    for path, fields, status in REFUSED:
        answer = alice.post(path, **fields)
        assert (answer.status_code, path) == (status, path)
        assert 'role="alert"' in answer.text or "There is no index" in answer.text
    assert (secured.indexes.rows.all(), secured.indexes.rows.kept()) == before


def test_only_administrators_look_after_indexes(somebody: Person) -> None:
    """No page and no form is for others."""
    bob = somebody("bob")
    for path in ("/admin/indexes", "/admin/indexes/dev"):
        assert bob.get(path).status_code == 403
    for path in ("/admin/indexes", "/admin/indexes/dev/bases", "/admin/indexes/dev/upstreams", "/admin/kept"):
        assert bob.post(path, name="x").status_code == 403


def test_bases_are_chosen_in_order(somebody: Person, secured: Services) -> None:
    """Each field is one, and empty ones are none."""
    alice = somebody("alice")
    alice.get("/admin/indexes/dev")
    alice.client.post(
        "/admin/indexes/dev/bases", data={"csrf_token": alice.token, "base": ["main", "", "prod"]},
        headers={"Accept": "text/html"},
    )  # fmt: skip
    assert secured.at("dev").row.bases == ("main", "prod")


def test_upstreams_are_changed_and_their_passwords_kept(somebody: Person, secured: Services) -> None:
    """The form puts them in another order, removes and adds; a password that is not typed anew stays, and is shown
    nowhere, nor is one in an address."""
    alice = somebody("alice")
    page = alice.get("/admin/indexes/dev").text
    assert "a password" not in page
    first, second = secured.at("dev").row.upstreams
    answer = alice.post(
        "/admin/indexes/dev/upstreams",
        **{
            "url-0": first.url, "mode-0": "redirect", "username-0": "reader", "password-0": "", "place-0": "2",
            "url-1": "", "mode-1": "redirect", "place-1": "1",
            "url-2": "https://me:hush@new.example.com/simple", "mode-2": "cache", "place-2": "1",
        },
    )  # fmt: skip
    assert answer.status_code == 303
    new, kept = secured.at("dev").row.upstreams
    assert (kept.id, secured.indexes.password_of(kept)) == (first.id, "a password")
    assert (new.url, new.username, new.mode) == ("https://new.example.com/simple/", "me", "cache")
    assert secured.indexes.password_of(new) == "hush"
    assert "hush" not in alice.get("/admin/indexes/dev").text
    assert second.id not in {new.id, kept.id}
    journal = read(secured.database, JournalFilter(action="index.upstreams"), limit=1, newest_first=True)
    assert "hush" not in str(journal)


def test_a_refused_form_of_upstreams_keeps_what_was_typed(somebody: Person) -> None:
    """But no password."""
    alice = somebody("alice")
    alice.get("/admin/indexes/dev")
    fields = {"url-0": "https://me:hush@a.example.com/", "mode-0": "push", "place-0": "1", "password-0": "hush"}
    page = alice.post("/admin/indexes/dev/upstreams", **fields).text
    assert 'value="https://a.example.com/"' in page
    assert "hush" not in page


def test_names_are_kept_and_released(somebody: Person, secured: Services) -> None:
    """On one index, or on all of them; those of teams are listed and released with the team's."""
    alice = somebody("alice")
    secured.rights.create_team("weavers", "", by=TESTER)
    secured.rights.set_pattern("dev", "loom-*", "weavers", by=TESTER)
    page = alice.get("/admin/indexes/dev").text
    assert "acme-*" in page
    assert "the team <a" in page
    for path, index in (("/admin/indexes/dev/kept", "dev"), ("/admin/kept", "")):
        alice.post(path, pattern="new-*", do="keep")
        assert ("new-*", index) in {(row.pattern, row.index) for row in secured.indexes.rows.kept()}
        alice.post(path, pattern="new-*", do="release")
        assert ("new-*", index) not in {(row.pattern, row.index) for row in secured.indexes.rows.kept()}


def test_an_empty_index_is_deleted(somebody: Person, secured: Services) -> None:
    """After its name was typed."""
    alice = somebody("alice")
    alice.get(f"/admin/indexes/{index_site.LONG}")
    answer = alice.post(f"/admin/indexes/{index_site.LONG}/delete", typed=index_site.LONG)
    assert answer.headers["Location"] == "/admin/indexes"
    assert index_site.LONG not in secured.registry.all()


def test_an_index_from_a_file_is_read_only(somebody: Person, secured: Services) -> None:
    """Its page has no form for what the file says, and a form that is sent all the same is refused."""
    secured.indexes.create("fixed", declared=True, by=TESTER)
    secured.indexes.set_bases("fixed", ["main"], by=TESTER, declaring=True)
    secured.indexes.set_upstreams(
        "fixed", [NewUpstream("https://a.example.com/", "redirect")], by=TESTER, declaring=True
    )
    alice = somebody("alice")
    page = alice.get("/admin/indexes/fixed").text
    assert "declares this index" in page
    assert re.findall(r'action="/admin/indexes/fixed([^"]*)"', page) == ["/kept"]
    assert alice.post("/admin/indexes/fixed/bases").status_code == 409


# -- the administration of what is on them


def test_administrators_choose_an_index(somebody: Person) -> None:
    """Each page about what is on an index shows that of the chosen one, and leads there."""
    alice = somebody("alice")
    for path, said, link in (
        ("/admin/uploads", "shuttle-1.1-py3", "/index/dev/project/shuttle/1.1/"),
        ("/admin/projects", "shuttle", "/index/dev/project/shuttle/settings"),
        ("/admin/deleted", "bygone-too", "/index/dev/project/bygone-too/settings"),
    ):
        page = alice.get(f"{path}?index=dev").text
        assert said in page
        assert f'href="{link}"' in page
        assert said not in alice.get(path).text
        assert alice.get(f"{path}?index=nowhere").status_code == 404


def test_roles_are_given_on_the_chosen_index(somebody: Person, secured: Services) -> None:
    """And names to teams; the page that follows is about that index still."""
    secured.rights.create_team("weavers", "", by=TESTER)
    alice = somebody("alice")
    alice.get("/admin/roles?index=dev")
    answer = alice.post("/admin/roles", index="dev", kind="user", holder="erin", role="uploader")
    assert answer.headers["Location"] == "/admin/roles?index=dev"
    alice.post("/admin/patterns", index="dev", pattern="loom-*", team="weavers")
    alice.post("/admin/teams/weavers/roles", index="prod", project="", role="reader")
    rights = secured.readers.rights
    assert [row.holder for row in rights.grants(index="dev", project="")] == ["erin"]
    assert [row.index for row in rights.patterns()] == ["dev"]
    page = alice.get("/admin/teams/weavers").text
    assert "on dev" in page
    assert "the index prod" in page
    alice.post("/admin/roles/take?index=dev", kind="user", holder="erin")
    alice.post("/admin/teams/weavers/roles/take", index="prod", project="")
    assert rights.grants(index="dev", project="") == []
    assert rights.grants(team="weavers") == []


def test_what_another_index_deleted_is_restored_and_purged(somebody: Person, secured: Services) -> None:
    """From the page of that index, and back to it."""
    alice = somebody("alice")
    alice.get("/admin/deleted?index=dev")
    (deletion,) = secured.at("dev").deletions.standing()
    fields = {"deletion": deletion.id, "from": "admin"}
    answer = alice.post("/index/dev/project/bygone-too/settings/restore", **fields)
    assert answer.headers["Location"] == "/admin/deleted?index=dev"
    secured.manager.delete("dev", NormalizedName("bygone-too"), by=TESTER)
    (deletion,) = secured.at("dev").deletions.standing()
    alice.get(f"/admin/deleted/{deletion.id}/purge?index=dev")
    answer = alice.post(f"/admin/deleted/{deletion.id}/purge", index="dev", typed="bygone-too")
    assert answer.headers["Location"] == "/admin/deleted?index=dev"
    assert secured.at("dev").deletions.standing() == []


def test_the_dashboard_counts_all_indexes(somebody: Person) -> None:
    """A file that two of them list needs its place in the store once."""
    page = somebody("alice").get("/admin/").text
    tiles = dict(re.findall(r"<dt>(\w+)</dt><dd>([^<]*)</dd>", page))
    assert (tiles["Projects"], tiles["Files"]) == ("5", "6")
    sizes = [int(size) for size in re.findall(r'data-label="Size" class="number">(\d+) bytes<', page)]
    assert "on secret" in page
    assert sizes
    assert '<a class="name" href="/admin/indexes/dev">dev</a>' in page


def test_stored_bytes_are_counted_once(secured: Services, tmp_path: Path) -> None:
    """Promoting takes no room."""
    publish_wheel(secured, tmp_path, "looms")
    before = stored_bytes(secured.database)
    secured.indexes.create("prod", by=TESTER)
    secured.manager.promote("main", "prod", NormalizedName("looms"), "1.0", by=TESTER)
    assert stored_bytes(secured.database) == before > 0
