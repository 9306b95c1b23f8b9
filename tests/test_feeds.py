"""The Atom feeds: sound documents for whatever text, stable ids, moments from the journal, rights as for lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from sqlalchemy import event

from database.feeds import newest_projects, newest_releases
from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import PASSWORDS, TESTER, basic
from tests.factory import build_sdist, build_wheel, core_metadata
from tests.web.conftest import Visitor, publish, publish_wheel
from views.atom import Feed, FeedEntry, draw

ATOM = "{http://www.w3.org/2005/Atom}"
RELEASES, PROJECTS = "/feeds/releases.atom", "/feeds/projects.atom"
SAMPLE = NormalizedName("sample")
EPOCH = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


def feed_of(client: FlaskClient, path: str = RELEASES, **options: str) -> Element:
    """A feed, parsed."""
    answer = client.get(path, **options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    found: Element = fromstring(answer.data)
    return found


def entries(feed: Element) -> list[Element]:
    """Its entries."""
    return feed.findall(f"{ATOM}entry")


def said(place: Element, name: str) -> str:
    """The text of an element; empty without it."""
    return place.findtext(ATOM + name) or ""


def titles(client: FlaskClient, path: str = RELEASES) -> list[str]:
    """The titles of a feed's entries."""
    return [said(entry, "title") for entry in entries(feed_of(client, path))]


def project_feed(name: str = "sample") -> str:
    """The address of a project's feed."""
    return f"/feeds/projects/{name}/releases.atom"


def test_new_releases_come_first(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """One entry for each release, however many files it has, by when it came, with its author, summary and page."""
    publish_wheel(services, tmp_path, "sample", "2.0", summary="Second <b>thing</b> & more")
    publish(services, build_sdist(tmp_path, "sample", "2.0"), by="carol")
    publish_wheel(services, tmp_path, "sample", "1.0rc1")
    publish_wheel(services, tmp_path, "other", "1.0")
    assert titles(client) == ["other 1.0", "sample 1.0rc1", "sample 2.0"]
    assert titles(client, project_feed()) == ["sample 1.0rc1", "sample 2.0"]
    assert titles(client, PROJECTS) == ["other", "sample"]
    _, candidate, second = entries(feed_of(client))
    assert said(second, "summary") == "Second <b>thing</b> & more"
    assert second.findtext(f"{ATOM}author/{ATOM}name") == "bob"
    assert [link.get("href") for link in second.findall(f"{ATOM}link")] == ["http://localhost/project/sample/2.0/"]
    assert [mark.get("term") for mark in candidate.findall(f"{ATOM}category")] == ["pre-release"]


@pytest.mark.parametrize("path", [RELEASES, PROJECTS, project_feed()])
def test_a_feed_has_what_the_standard_demands(
    client: FlaskClient, services: Services, tmp_path: Path, path: str
) -> None:
    """RFC 4287, 4.1: one id, title and updated each, an author for every entry, links to itself and to its page, whose
    addresses are whole; no id twice.
    """
    for version in ("1.0", "1.1"):
        publish_wheel(services, tmp_path, "sample", version)
    feed = feed_of(client, path)
    for place in (feed, *entries(feed)):
        for name in ("id", "title", "updated"):
            assert len(place.findall(ATOM + name)) == 1
        assert datetime.fromisoformat(said(place, "updated")).tzinfo is not None
        assert said(place, "id").startswith("urn:uuid:")
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    links = {link.get("rel"): link.get("href") or "" for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == f"http://localhost{path}"
    assert client.get(links["alternate"].removeprefix("http://localhost")).status_code == 200
    ids = [said(place, "id") for place in (feed, *entries(feed))]
    assert len(set(ids)) == len(ids)


def test_an_empty_index_has_a_feed(client: FlaskClient) -> None:
    """Without entries, sound all the same."""
    for path in (RELEASES, PROJECTS):
        feed = feed_of(client, path)
        assert entries(feed) == []
        assert datetime.fromisoformat(said(feed, "updated")).year >= 2026


def test_ids_stay(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Neither the address nor another file nor a yank makes an entry a new one; nor does another spelling of 1.0."""
    services = open_server()
    client = create_app(services).test_client()
    publish_wheel(services, tmp_path, "sample", "1.0")
    (before,) = entries(feed_of(client))
    publish(services, build_sdist(tmp_path, "sample", "1.0.0"))
    services.manager.yank(MAIN, SAMPLE, "1.0", None, "", by=TESTER)
    moved = create_app(open_server(base_url="https://index.example.com/pypi")).test_client()
    (after,) = entries(feed_of(moved))
    assert said(before, "id") == said(after, "id")
    assert said(before, "updated") < said(after, "updated")
    assert said(before, "published") == said(after, "published")


def test_another_index_has_other_ids(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """The same release on two servers is two entries for who reads both."""
    found = set()
    for number in (1, 2):
        services = open_server(data_dir=str(tmp_path / f"data{number}"))
        publish_wheel(services, tmp_path)
        (entry,) = entries(feed_of(create_app(services).test_client()))
        found.add(said(entry, "id"))
    assert len(found) == 2


def test_moments_are_those_of_the_journal(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """A change of one release leaves the others', and moves the feeds that show it."""
    publish_wheel(services, tmp_path, "sample", "1.0")
    publish_wheel(services, tmp_path, "sample", "2.0")
    publish_wheel(services, tmp_path, "other", "1.0")
    paths = (RELEASES, project_feed(), project_feed("other"))
    before = [feed_of(client, path) for path in paths]
    services.manager.yank(MAIN, SAMPLE, "1.0", None, "", by=TESTER)
    after = [feed_of(client, path) for path in paths]
    assert [said(old, "updated") < said(new, "updated") for old, new in zip(before, after, strict=True)] == [
        True, True, False,
    ]  # fmt: skip
    changed = [
        said(old, "updated") != said(new, "updated")
        for old, new in zip(*map(entries, (before[0], after[0])), strict=True)
    ]
    assert changed == [False, False, True]
    assert said(entries(after[0])[2], "updated") == said(after[0], "updated")


def test_a_yanked_release_is_marked(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """Title, category and summary say it, with the reason or without; not while a file of it is left."""
    publish_wheel(services, tmp_path, "sample", "1.0", summary="A thing.")
    sdist = build_sdist(tmp_path, "sample", "1.0")
    publish(services, sdist)
    services.manager.yank(MAIN, SAMPLE, "1.0", sdist.name, "Broken <here>", by=TESTER)
    assert titles(client) == ["sample 1.0"]
    services.manager.yank(MAIN, SAMPLE, "1.0", None, "Broken <here>", by=TESTER)
    (entry,) = entries(feed_of(client))
    assert said(entry, "title") == "sample 1.0 (yanked)"
    assert said(entry, "summary") == "Yanked: Broken <here>. A thing."
    assert [mark.get("term") for mark in entry.findall(f"{ATOM}category")] == ["yanked"]
    services.manager.yank(MAIN, SAMPLE, "1.0", None, "", by=TESTER)
    assert said(entries(feed_of(client))[0], "summary") == "Yanked: no reason was given. A thing."
    services.manager.unyank(MAIN, SAMPLE, "1.0", None, by=TESTER)
    assert titles(client) == ["sample 1.0"]


def test_quarantined_and_deleted_ones_are_left_out(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """Nothing is said of a quarantined project, in its own feed either; a deleted one has none."""
    publish_wheel(services, tmp_path, "sample")
    publish_wheel(services, tmp_path, "other")
    services.manager.set_status(MAIN, SAMPLE, ProjectStatus.QUARANTINED, "Looks bad", by=TESTER)
    assert titles(client) == ["other 1.0"]
    assert titles(client, PROJECTS) == ["other"]
    assert titles(client, project_feed()) == []
    assert b"Looks bad" not in client.get(project_feed()).data
    services.manager.delete(MAIN, NormalizedName("other"), by=TESTER)
    assert titles(client) == titles(client, PROJECTS) == []
    assert client.get(project_feed("other")).status_code == 404


def test_a_feed_is_bounded(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """The fifty newest, of whatever many."""
    for number in range(51):
        publish_wheel(services, tmp_path, "sample" if number % 2 else f"sample{number}", f"{number}.0")
    assert len(titles(client)) == 50
    assert titles(client)[0] == "sample50 50.0"
    assert "sample0 0.0" not in titles(client)
    assert len(titles(client, project_feed())) == 25


def test_the_newest_are_found_without_reading_all(services: Services) -> None:
    """SQLite goes through the releases in the order of their coming, and stops at the fiftieth."""
    plans = []

    def explain(_connection: object, cursor: Any, statement: str, parameters: Any, *_more: object) -> None:
        if statement.startswith("SELECT") and "ORDER BY" in statement and "LIMIT" in statement:
            rows = cursor.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.append(" ".join(row[3] for row in rows))

    with services.database.reading() as connection:
        event.listen(connection.engine, "before_cursor_execute", explain)
    newest_releases(services.database, MAIN, 50)
    newest_projects(services.database, MAIN, 50)
    assert len(plans) == 2
    assert "ix_releases_created" in plans[0]
    assert "ix_projects_index_id_created" in plans[1]
    assert not any("TEMP B-TREE" in plan for plan in plans)


def test_addresses_are_whole(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """By base_url where it is set, with its path; else by the host and the prefix that were asked."""
    services = open_server()
    publish_wheel(services, tmp_path)
    client = create_app(services).test_client()
    (entry,) = entries(feed_of(client, base_url="https://other.example.com/pypi"))
    assert entry.find(f"{ATOM}link").get("href") == "https://other.example.com/pypi/project/sample/1.0/"  # type: ignore[union-attr]
    based = create_app(open_server(base_url="https://index.example.com/own")).test_client()
    feed = feed_of(based, base_url="http://localhost/own")
    assert said(feed, "title") == "New releases on index.example.com/own"
    links = [link.get("href") or "" for link in feed.iter(f"{ATOM}link")]
    assert [link for link in links if not link.startswith("https://index.example.com/own/")] == []
    assert "https://index.example.com/own/feeds/releases.atom" in links


def test_who_has_the_feed_is_told_so(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """The ETag stands until something changes: 304 without a body, then the whole anew. HEAD has the same headers."""
    publish_wheel(services, tmp_path)
    for number, path in enumerate((RELEASES, PROJECTS, project_feed()), 2):
        first = client.get(path)
        etag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache"
        again = client.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
        assert client.head(path).headers["ETag"] == etag
        publish_wheel(services, tmp_path, "sample", f"{number}.0")
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_other_spellings_lead_to_the_feed(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """The name is normalized as in every address; what is no name, and no project, is 404 in text."""
    publish_wheel(services, tmp_path, "sample")
    answer = client.get(project_feed("SAMPLE"))
    assert (answer.status_code, urljoin(project_feed("SAMPLE"), answer.headers["Location"])) == (301, project_feed())
    for name in ("nothing", "no name", "-"):
        missing = client.get(project_feed(name))
        assert (missing.status_code, missing.mimetype) == (404, "text/plain")


def test_rights_are_those_of_lists(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Where listing needs a login: 401 with a challenge without one, 403 without the right, for names that are there
    and names that are not; Basic and a browser's session do, and no cache on the way may keep the answer.
    """
    services = open_server(auth_enabled="true", auth_require="list,download,update", auth_default_role="none")
    for name in ("alice", "bob"):
        services.users.create_user(name, PASSWORDS[name], is_admin=name == "alice", by=TESTER)
    publish_wheel(services, tmp_path, by="alice")
    app = create_app(services)
    client = app.test_client()
    for path in (RELEASES, PROJECTS, project_feed(), project_feed("nothing"), project_feed("Not-Normal")):
        nobody, bob = client.get(path), client.get(path, headers=basic("bob"))
        assert (nobody.status_code, nobody.headers["WWW-Authenticate"][:5]) == (401, "Basic"), path
        assert bob.status_code == 403, path
        assert client.get(path, headers=basic("bob", "wrong")).status_code == 401
    assert client.get(project_feed("nothing"), headers=basic("alice")).status_code == 404
    answer = client.get(RELEASES, headers=basic("alice"))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-cache")
    assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))
    visitor = Visitor(app.test_client())
    visitor.sign_in("alice")
    assert visitor.get(RELEASES).status_code == 200


def test_pages_name_their_feeds(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """Readers find them by ``<link rel="alternate">``: on the home page and on those of projects and releases."""
    publish_wheel(services, tmp_path)
    link = '<link rel="alternate" type="application/atom+xml" title="{}" href="{}">'
    home = client.get("/").text
    assert link.format("New releases", RELEASES) in home
    assert link.format("New projects", PROJECTS) in home
    for page in ("/project/sample/", "/project/sample/1.0/"):
        assert link.format("Releases of sample", project_feed()) in client.get(page).text


def test_text_of_strangers_is_text(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """What a summary and a reason hold of XML, of control characters and of other scripts comes out as what it says."""
    summary = "]]> <script>&amp; &#0; <?xml?> <!-- سلام 织布机 \N{SKULL}"
    metadata = core_metadata("sample", "1.0", summary=summary)
    publish(services, build_wheel(tmp_path, metadata=metadata))
    services.manager.yank(MAIN, SAMPLE, "1.0", None, "bell \x07 nul \x00 end \x1b[31m", by=TESTER)
    (entry,) = entries(feed_of(client))
    assert said(entry, "summary") == f"Yanked: bell \ufffd nul \ufffd end \ufffd[31m. {summary}"


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_makes_a_sound_document(text: str) -> None:
    """Whatever is written into any place, lone surrogates too, an XML parser reads the document."""
    entry = FeedEntry("urn:uuid:1", text, f"http://a/{text!a}", EPOCH, EPOCH, text, text)
    feed = fromstring(draw(Feed("urn:uuid:2", text, "http://a/", "http://a/", EPOCH, [entry])))
    assert said(feed, "updated") == "2026-01-02T03:04:05.000006Z"
    kept = said(entries(feed)[0], "title")
    assert len(kept) <= len(text)
    if text.isprintable():
        assert kept == text
