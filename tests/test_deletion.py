"""Deleting and undoing it: everything comes back as it was, and no crash loses what was promised."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName
from sqlalchemy import update
from werkzeug.test import Client

from database import deletions
from database.journal import Actor
from database.kept_rows import tables_beside
from database.models import Base, File
from errors import Conflict, FilenameBurned, Gone, MissingBytes, NotFound, StorageFailed, UnknownProject
from people.rights import Holder
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER, basic
from tests.factory import build_sdist, build_wheel
from tests.multipart_form import upload
from tests.test_package_manager import SAMPLE, journal, publish, stored
from tests.undoing import SDIST, WHEEL, age, count_of, fill, the_one, told


@pytest.fixture
def filled(services: Services, tmp_path: Path) -> Services:
    """An open server with sample 1.0 (wheel with attestations, yanked; sdist) and 2.0, and other 1.0."""
    return fill(services, tmp_path)


# -- there and back


@pytest.mark.parametrize(
    ("version", "filename", "files"), [(None, None, 3), ("1.0.0", None, 2), ("1.0", WHEEL, 1), (None, SDIST, 1)]
)
def test_what_comes_back_is_what_was_there(
    filled: Services, version: str | None, filename: str | None, files: int
) -> None:
    """Metadata, attestations, yanks, uploaders, times and search: every reader tells the same as before."""
    before = told(filled)
    taken = filled.manager.delete("main", SAMPLE, version, filename, by=TESTER)
    assert len(taken.filenames) == files
    assert filled.at().catalogue.stats()["files"] == 4 - files
    assert taken.id is not None
    assert filled.manager.restore("main", SAMPLE, taken.id, by=TESTER) == list(taken.filenames)
    assert told(filled) == before
    assert [count_of(filled, name) for name in ("deletions", "deleted_releases", "deleted_files")] == [0, 0, 0]
    assert count_of(filled, "burned_filenames") == 0


def test_a_release_comes_back_with_any_of_its_files(filled: Services) -> None:
    """Its files were deleted one by one and the release with the last: each deletion brings what it needs."""
    before = told(filled)
    first = filled.manager.delete("main", SAMPLE, "1.0", WHEEL, by=TESTER)
    second = filled.manager.delete("main", SAMPLE, "1.0", SDIST, by=TESTER)
    assert filled.at().catalogue.project_detail(SAMPLE).versions == ("2.0",)
    assert first.id is not None
    assert second.id is not None
    filled.manager.restore("main", SAMPLE, first.id, by=TESTER)
    assert filled.at().catalogue.releases(SAMPLE) == before["releases"]
    filled.manager.restore("main", SAMPLE, second.id, by=TESTER)
    assert told(filled) == before


def test_many_files_come_back_in_pieces(filled: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read and written at a time is bounded; nothing is lost between two pieces."""
    monkeypatch.setattr(deletions, "_AT_ONCE", 1)
    before = told(filled)
    filled.manager.delete("main", SAMPLE, by=TESTER)
    filled.manager.restore("main", None, the_one(filled).id, by=TESTER)
    assert told(filled) == before


def test_all_that_speaks_of_a_file_is_kept() -> None:
    """A table that hangs on files or releases goes with them; nothing may hang on such a table, which would be lost."""
    beside = {name: {table.name for table, _ in tables_beside(name)} for name in ("files", "releases")}
    assert beside["files"] >= {"core_metadata_files", "attestations", "provenances"}
    assert not beside["files"] & beside["releases"]
    moved = {"files", "releases"} | beside["files"] | beside["releases"]
    for table in Base.metadata.sorted_tables:
        targets = {key.column.table.name for key in table.foreign_keys}
        assert not targets & (moved - {"files", "releases"}), f"{table.name} would be lost with a deletion"
        if targets & {"files", "releases"}:
            assert table.name in moved


def test_serials_and_the_journal_tell_of_it(filled: Services) -> None:
    """Deleting and restoring move the project and the index and say who did it; purging moves no page."""
    serials = [filled.at().catalogue.validity(None)]
    for change in ("delete", "restore", "delete", "purge"):
        match change:
            case "delete":
                filled.manager.delete("main", SAMPLE, "1.0", reason="a slip", by=Actor("bob"))
            case "restore":
                filled.manager.restore("main", SAMPLE, the_one(filled).id, by=Actor("carol"))
            case _:
                filled.manager.purge("main", the_one(filled).id, by=Actor("alice"))
        serials.append(filled.at().catalogue.validity(None))
    assert serials[0] < serials[1] < serials[2] < serials[3] == serials[4]
    rows = [row for row in journal(filled) if row.actor in {"alice", "bob", "carol"} and row.serial > serials[0]]
    assert [(row.actor, row.action) for row in rows] == [
        *[("bob", "file.delete")] * 2,
        ("carol", "release.restore"), *[("carol", "file.restore")] * 2,
        *[("bob", "file.delete")] * 2,
        *[("alice", "file.purge")] * 2,
    ]  # fmt: skip
    assert {row.detail.get("deletion") is None for row in rows} == {True, False}  # only the release's row has none
    assert {row.detail["reason"] for row in rows if row.action == "file.delete"} == {"a slip"}


def test_pages_and_files_follow_at_once(filled: Services, front: Any) -> None:
    """The fast path and the rest: 200, 404 while it is deleted, and 200 again with the same bytes."""
    browser = Client(front)
    paths = ["/simple/sample/", f"/packages/sample/{WHEEL}", f"/packages/sample/{WHEEL}.metadata", "/project/sample/"]
    before = [browser.get(path) for path in paths]
    assert [answer.status_code for answer in before] == [200] * 4
    filled.manager.delete("main", SAMPLE, by=TESTER)
    assert [browser.get(path).status_code for path in paths] == [404, 404, 404, 302]  # to where it can be undone
    assert b"sample" not in browser.get("/simple/").data
    filled.manager.restore("main", SAMPLE, the_one(filled).id, by=TESTER)
    after = [browser.get(path) for path in paths]
    assert [answer.data for answer in after[1:3]] == [answer.data for answer in before[1:3]]
    assert [answer.status_code for answer in after] == [200] * 4


def test_mirrors_are_told(filled: Services, client: FlaskClient) -> None:
    """The change feed has what was restored as what it is for a mirror: a new release and its files."""
    since = filled.at().catalogue.validity(None)
    filled.manager.delete("main", SAMPLE, "2.0", by=TESTER)
    filled.manager.restore("main", SAMPLE, the_one(filled).id, by=TESTER)
    call = (
        f"<methodCall><methodName>changelog_since_serial</methodName><params><param><value><int>{since}</int></value>"
    )
    answer = client.post("/pypi", data=f"{call}</param></params></methodCall>", content_type="text/xml").text
    words = ["remove file sample-2.0", "new release", "add py3 file sample-2.0"]
    assert [answer.index(word) for word in words] == sorted(answer.index(word) for word in words)


# -- what is refused


def test_what_cannot_be_undone_is_refused(filled: Services) -> None:
    """No such deletion, another project's, one that was undone already: 404."""
    filled.manager.delete("main", SAMPLE, "2.0", by=TESTER)
    deletion = the_one(filled).id
    for project, named in ((SAMPLE, "0" * 12), (NormalizedName("other"), deletion), (None, "")):
        with pytest.raises(NotFound):
            filled.manager.restore("main", project, named, by=TESTER)
    filled.manager.restore("main", SAMPLE, deletion, by=TESTER)
    with pytest.raises(NotFound):
        filled.manager.restore("main", SAMPLE, deletion, by=TESTER)


def test_time_ends_it(filled: Services) -> None:
    """Once over it is listed no more and refused with the moment; the background job lets the bytes go."""
    filled.manager.delete("main", SAMPLE, "2.0", by=TESTER)
    deleted = the_one(filled)
    assert deleted.expires - deleted.deleted == timedelta(days=14)
    assert filled.manager.purge_overdue(by=TESTER) == 0
    age(filled)
    assert filled.at().deletions.standing() == []
    assert filled.at().deletions.count() == 0
    for attempt in (filled.manager.restore, lambda index, _, one, by: filled.manager.purge(index, one, by=by)):
        with pytest.raises(Gone, match="could be undone until"):
            attempt("main", SAMPLE, deleted.id, by=TESTER)
    assert filled.manager.purge_overdue(by=Actor("purge")) == 1
    assert "sample/sample-2.0-py3-none-any.whl" not in stored(filled)
    assert (journal(filled)[-1].action, journal(filled)[-1].actor) == ("file.purge", "purge")
    with pytest.raises(NotFound):
        filled.manager.restore("main", SAMPLE, deleted.id, by=TESTER)


def test_a_second_source_distribution_keeps_the_first_out(filled: Services, tmp_path: Path) -> None:
    """A release has one; what was published meanwhile is named, and once it is deleted the first can come back."""
    filled.manager.delete("main", SAMPLE, "1.0", by=TESTER)
    first = the_one(filled).id
    publish(filled, build_sdist(tmp_path, extension=".zip"))
    with pytest.raises(Conflict, match=r"sample-1\.0\.zip"):
        filled.manager.restore("main", SAMPLE, first, by=TESTER)
    assert filled.at().catalogue.project_detail(SAMPLE).versions == ("1.0", "2.0")
    filled.manager.delete("main", SAMPLE, "1.0", "sample-1.0.zip", by=TESTER)
    assert len(filled.manager.restore("main", SAMPLE, first, by=TESTER)) == 2


def test_a_file_in_the_place_is_named(filled: Services) -> None:
    """However it came there: nothing is overwritten, and nothing comes back by half."""
    filled.manager.delete("main", SAMPLE, "1.0", by=TESTER)
    with filled.database.writing() as change:
        change.connection.execute(
            update(File).where(File.filename == "other-1.0-py3-none-any.whl").values(location=f"sample/{WHEEL}")
        )
    with pytest.raises(Conflict, match=r"other-1\.0"):
        filled.manager.restore("main", SAMPLE, the_one(filled).id, by=TESTER)
    assert filled.at().catalogue.project_detail(SAMPLE).versions == ("2.0",)


@pytest.mark.parametrize(("damage", "refusal"), [("gone", MissingBytes), ("changed", StorageFailed)])
def test_nothing_is_listed_without_its_bytes(filled: Services, damage: str, refusal: type[Exception]) -> None:
    """Bytes that a person took away or changed are noticed before, and the deletion still stands afterwards."""
    filled.manager.delete("main", SAMPLE, by=TESTER)
    path = filled.settings.data_path / "sample" / WHEEL
    whole = path.read_bytes()
    path.unlink()
    if damage == "changed":
        path.write_bytes(b"?" + whole[1:])
    with pytest.raises(refusal):
        filled.manager.restore("main", SAMPLE, the_one(filled).id, by=TESTER)
    with pytest.raises(UnknownProject):
        filled.at().catalogue.project_detail(SAMPLE)
    path.write_bytes(whole)
    assert len(filled.manager.restore("main", SAMPLE, the_one(filled).id, by=TESTER)) == 3


def test_a_deleted_filename_is_not_given_out_again(filled: Services, tmp_path: Path) -> None:
    """Neither to the same bytes nor to others, before and after the purge; the refusal says that it can come back."""
    filled.manager.delete("main", SAMPLE, "1.0", WHEEL, by=TESTER)
    for _ in range(2):
        with pytest.raises(FilenameBurned, match="restore that file while it can be"):
            publish(filled, build_wheel(tmp_path))
        if filled.at().deletions.count():
            filled.manager.purge("main", the_one(filled).id, by=TESTER)
    assert f"sample/{WHEEL}" not in stored(filled)


def test_roles_and_status_stand_meanwhile(secured: Services, tmp_path: Path) -> None:
    """They are the project's, not the deletion's: what was changed meanwhile stays changed."""
    publish(secured, build_wheel(tmp_path))
    secured.rights.grant("main", SAMPLE, Holder("bob"), "owner", by=TESTER)
    secured.manager.set_status("main", SAMPLE, ProjectStatus.DEPRECATED, "Use looms.", by=TESTER)
    secured.manager.delete("main", SAMPLE, by=TESTER)
    secured.rights.grant("main", SAMPLE, Holder("alice"), "maintainer", by=TESTER)
    secured.manager.restore("main", SAMPLE, the_one(secured).id, by=TESTER)
    assert secured.at().catalogue.project_detail(SAMPLE).status is ProjectStatus.DEPRECATED
    assert {row.holder: row.role for row in secured.readers.rights.grants(project="sample")} == {
        "bob": "owner", "alice": "maintainer",
    }  # fmt: skip


def test_the_name_of_a_deleted_project_stays_its_owners(
    secured: Services, secured_client: FlaskClient, tmp_path: Path
) -> None:
    """Nobody else can start it to be installed in its place: not while it can come back, and not afterwards."""
    secured.users.create_user("carol", "carol's long password", by=TESTER)
    assert upload(secured_client, build_wheel(tmp_path), headers=basic("bob")).status_code == 200
    secured.manager.delete("main", SAMPLE, by=TESTER)
    newer = build_wheel(tmp_path, version="9.0")
    for _ in range(2):
        assert upload(secured_client, newer, headers=basic("carol")).status_code == 403
        if secured.at().deletions.count():
            secured.manager.purge("main", the_one(secured).id, by=TESTER)
    assert upload(secured_client, newer, headers=basic("bob")).status_code == 200
