"""What the database keeps of upstreams: pages and the record of files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from packaging.utils import NormalizedName

from database.upstream_files import forget_files, record_evicted, record_taken
from database.upstream_pages import forget_pages
from simple.kept import KeptPage, TakenFile
from tests.upstream.conftest import DEMO, KEY, Room
from upstream.keeping import FileRecordKeeper, PageKeeper

OTHER = NormalizedName("other")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PAGE = KeptPage(b"body", "ab" * 32, '"tag"', "", 7, NOW, NOW)


def a_record(
    filename: str = "demo_pkg-1.0.tar.gz", sha256: str = "ab" * 32, project: NormalizedName = DEMO
) -> TakenFile:
    """A file that was taken in."""
    return TakenFile(project, filename, "1.0", sha256, 12, sha256)


def take(room: Room, *files: TakenFile, upstream: str = KEY) -> None:
    """Record files."""
    with room.database.writing() as change:
        for file in files:
            record_taken(change, upstream, file)


def test_the_database_keeps_what_upstreams_need(room: Room) -> None:
    """The protocols, as the type checker sees them."""
    pages: PageKeeper = room.pages
    files: FileRecordKeeper = room.files
    assert pages.load(KEY, DEMO) is None
    assert files.of_project(KEY, DEMO) == {}


def test_a_page_is_kept_by_upstream_and_name(room: Room) -> None:
    """And comes back as it was."""
    room.pages.save(KEY, DEMO, PAGE)
    assert room.pages.load(KEY, DEMO) == PAGE
    assert room.pages.load("another", DEMO) is None
    assert room.pages.load(KEY, OTHER) is None
    gone = replace(PAGE, is_gone=True, etag='"new"', serial=8)
    room.pages.save(KEY, DEMO, gone)
    assert room.pages.load(KEY, DEMO) == gone
    new = replace(PAGE, body=b"new", digest="cd" * 32)
    room.pages.save(KEY, DEMO, new)
    assert room.pages.load(KEY, DEMO) == new
    room.pages.forget(KEY, DEMO)
    assert room.pages.load(KEY, DEMO) is None


def test_pages_of_projects_that_are_gone_are_not_counted(room: Room) -> None:
    """They are kept for what was first seen."""
    room.pages.save(KEY, DEMO, PAGE)
    room.pages.save(KEY, OTHER, replace(PAGE, is_gone=True))
    assert room.pages.count(KEY) == 1
    assert room.pages.count("another") == 0


def test_a_page_moves_no_serial(room: Room) -> None:
    """That one was asked for again is no change of an index."""
    before = room.database.quick("SELECT serial FROM indexes", ())
    room.pages.save(KEY, DEMO, PAGE)
    assert room.database.quick("SELECT serial FROM indexes", ()) == before
    assert room.database.quick("SELECT count(*) FROM journal", ())[0] == 0


def test_what_a_file_was_when_it_was_first_seen_stands(room: Room) -> None:
    """Another one of its name changes nothing, whether its bytes are kept or not."""
    first = a_record()
    take(room, first)
    take(room, replace(first, sha256="cd" * 32, location="cd" * 32))
    assert room.files.of_project(KEY, DEMO) == {first.filename: first}
    assert room.files.of_project("another", DEMO) == {}


def test_what_was_evicted_is_remembered_and_not_listed(room: Room) -> None:
    """Until it is taken in again."""
    one, two = a_record(), a_record("other-1.0.tar.gz", "cd" * 32, OTHER)
    take(room, one, two)
    before = room.files.revision(KEY)
    assert room.files.projects(KEY) == [DEMO, OTHER]
    assert room.files.totals(KEY) == (2, 24)
    with room.database.writing() as change:
        record_evicted(change, [one.location])
    assert room.files.revision(KEY) != before
    assert room.files.projects(KEY) == [OTHER]
    assert not room.files.kept(KEY, DEMO)
    assert room.files.kept(KEY, OTHER) == {two.filename}
    assert room.files.of_project(KEY, DEMO) == {one.filename: one}
    take(room, one)
    assert room.files.revision(KEY) == before


def test_a_revision_is_read_once_while_nothing_changes(room: Room) -> None:
    """A page of the list is asked for far more often than files come."""
    take(room, a_record())
    assert room.files.revision(KEY) == room.files.revision(KEY)
    reader = room.files
    first = reader.revision(KEY)
    reader._revisions[KEY] = (reader._revisions[KEY][0], "believed")
    assert reader.revision(KEY) == "believed"
    take(room, a_record("other-1.0.tar.gz", "cd" * 32, OTHER))
    assert reader.revision(KEY) not in {first, "believed"}


def test_changes_are_noted_for_files_that_were_taken_in(room: Room) -> None:
    """Others have nothing that could be compared."""
    take(room, a_record())
    for filename in ("demo_pkg-1.0.tar.gz", "demo_pkg-2.0.tar.gz"):
        room.files.note_change(KEY, filename, "sha256=" + "ef" * 32)
    (told,) = room.files.changed(KEY)
    assert (told.project, told.filename, told.sha256) == (DEMO, "demo_pkg-1.0.tar.gz", "ab" * 32)
    assert told.told_digest == "sha256=" + "ef" * 32


def test_an_upstream_that_is_removed_leaves_nothing(room: Room) -> None:
    """Nor does one project that is forgotten; others stay."""
    for upstream in (KEY, "another"):
        room.pages.save(upstream, DEMO, PAGE)
        take(room, a_record(), a_record("other-1.0.tar.gz", "cd" * 32, OTHER), upstream=upstream)
    with room.database.writing() as change:
        forget_files(change, "another", OTHER)
    assert set(room.files.of_project("another", DEMO)) == {"demo_pkg-1.0.tar.gz"}
    assert room.files.of_project("another", OTHER) == {}
    with room.database.writing() as change:
        forget_pages(change, KEY)
        forget_files(change, KEY)
    assert room.pages.load(KEY, DEMO) is None
    assert room.files.projects(KEY) == []
    assert room.pages.load("another", DEMO) == PAGE
    assert room.files.projects("another") == [DEMO]
