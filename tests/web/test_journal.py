"""The journal in the administration: filtered, paged, readable, with a proof."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from database.journal import Actor, Entry
from services import Services
from tests.conftest import TESTER
from tests.web.conftest import Visitor, publish_wheel


def rows(page: str) -> list[int]:
    """The serials of the rows that a page shows."""
    return [int(serial) for serial in re.findall(r'<tr id="row-(\d+)">', page)]


def link(page: str, label: str) -> str:
    """Where a link leads."""
    found = re.search(rf'href="([^"]+)">{label}</a>', page)
    assert found, page
    return unescape(found[1])


def note(services: Services, *entries: Entry, by: Actor = TESTER) -> None:
    """Write rows in one change."""
    with services.database.writing() as change:
        for entry in entries:
            change.record(by, entry)


def test_it_is_for_administrators(visitor: Visitor) -> None:
    """Others are sent to sign in, or refused."""
    assert visitor.get("/admin/journal").headers["Location"] == "/login?next=/admin/journal"
    visitor.sign_in("bob")
    assert visitor.get("/admin/journal").status_code == 403


def test_changes_are_shown_newest_first(alice: Visitor, secured: Services, tmp_path: Path) -> None:
    """With who, from where, on what, and the detail in words; the tab is marked."""
    publish_wheel(secured, tmp_path, "looms", "1.0")
    who = Actor("carol", "tok1", "192.0.2.1", "req-00001")
    detail = {"before": {"size": 1234567, "roles": []}, "after": {"size": None, "roles": ["a", "b"]}, "is_admin": True}
    detail["expires"] = "2027-02-23T17:38:47.241358+00:00"
    note(secured, Entry("later", detail=detail), by=who)
    page = alice.get("/admin/journal").text
    assert rows(page) == sorted(rows(page), reverse=True)
    assert rows(page)
    for words in (
        "<bdi>carol</bdi>", "token tok1", "from 192.0.2.1", "request req-00001", "before size: <bdi>1,234,567</bdi>",
        "before roles: <bdi>none</bdi>", "after size: <bdi>none</bdi>", "after roles: <bdi>a, b</bdi>",
        "is admin: <bdi>yes</bdi>", "expires: <bdi>23 Feb 2027, 17:38 UTC</bdi>",
        'href="/project/looms/">looms</a> 1.0', "looms-1.0-py3-none-any.whl",
        'href="/admin/journal" aria-current="page"',
    ):  # fmt: skip
        assert words in page


def test_the_form_narrows_and_keeps_what_was_said(alice: Visitor, secured: Services, tmp_path: Path) -> None:
    """By action, person, project in any spelling, and days, the last one taken in whole."""
    publish_wheel(secured, tmp_path, "looms", "1.0")
    page = alice.get("/admin/journal?action=file.*&actor=bob&project=LOOMS&since=2020-01-01&until=2999-12-31").text
    assert len(rows(page)) == 1
    for value in ("file.*", "bob", "LOOMS", "2020-01-01", "2999-12-31"):
        assert f'value="{value}"' in page
    assert rows(alice.get("/admin/journal?action=&actor=&project=&since=&until=").text)
    page = alice.get("/admin/journal?actor=nobody").text
    assert "There are no such changes." in page


@pytest.mark.parametrize("query", ["since=soon", "until=2026-02-30", "before=x", "after=-1"])
def test_what_is_no_day_is_said_on_the_form(alice: Visitor, query: str) -> None:
    """400, and the form is there to try again."""
    answer = alice.get(f"/admin/journal?{query}")
    assert (answer.status_code, 'role="alert"' in answer.text, "<form" in answer.text) == (400, True, True)


def test_pages_lead_back_and_forth(alice: Visitor, secured: Services) -> None:
    """Older, newer and newest, fifty rows each, with the filter kept, each row once."""
    note(secured, *[Entry("later.one")] * 120, Entry("other"))
    first = alice.get("/admin/journal?action=later.*").text
    second = alice.get(link(first, "Older")).text
    third = alice.get(link(second, "Older")).text
    pages = [rows(page) for page in (first, second, third)]
    assert [len(page) for page in pages] == [50, 50, 20]
    every = [serial for page in pages for serial in page]
    assert every == sorted(every, reverse=True)
    assert ">Older<" not in third
    assert ">Newer<" not in first
    assert rows(alice.get(link(third, "Newer")).text) == pages[1]
    assert rows(alice.get(link(second, "Newer")).text) == pages[0]
    assert ">Newer<" not in alice.get(link(second, "Newer")).text
    assert rows(alice.get(link(third, "Newest")).text) == pages[0]


def test_what_is_seen_can_be_taken_away(alice: Visitor, secured: Services) -> None:
    """The links lead to the export with the same filter, which the browser's session opens."""
    note(secured, Entry("later", detail={"a": "b"}), Entry("other"))
    page = alice.get("/admin/journal?action=later&until=2999-12-31").text
    as_csv, as_json = (alice.client.get(link(page, label)) for label in ("CSV", "JSON lines"))
    assert (as_csv.status_code, len(as_csv.text.splitlines())) == (200, 2)
    assert (as_json.status_code, len(as_json.text.splitlines())) == (200, 1)


def test_strangers_words_stay_words(alice: Visitor, secured: Services) -> None:
    """Markup, controls and changes of direction are shown, not done."""
    hostile = "<b>x</b>\u202e\x1b\ud800"
    shown = "&lt;b&gt;x&lt;/b&gt;\\u202e\\x1b\\ud800"
    by = Actor(hostile[:-1], address=hostile[:-1])
    note(secured, Entry("later", project="=x", filename=hostile[:-1], detail={hostile: hostile}), by=by)
    page = alice.get("/admin/journal?action=later").text
    assert page.count(shown) == 2
    assert "<b>" not in page
    assert "\u202e" not in page


def test_the_proof_is_on_the_page(alice: Visitor, secured: Services) -> None:
    """The newest rows are verified at each look; the head is there to be kept; a changed row is an alert."""
    page = alice.get("/admin/journal").text
    assert "fit together" in page
    assert re.search(r"journal verify --expect \d+:[0-9a-f]{64}<", page)
    connection = secured.database._connect()
    connection.execute("UPDATE journal SET actor = 'nobody' WHERE action = 'user.create'")
    connection.close()
    page = alice.get("/admin/journal").text
    assert "The journal was changed." in page
    assert "does not fit the chain" in page


def test_an_unreadable_row_is_said_so(alice: Visitor, secured: Services) -> None:
    """503 with what to do, not a fault of ours."""
    connection = secured.database._connect()
    connection.execute("UPDATE journal SET at = 'x' WHERE action = 'user.create'")
    connection.close()
    answer = alice.get("/admin/journal")
    assert (answer.status_code, "journal verify" in answer.text) == (503, True)
