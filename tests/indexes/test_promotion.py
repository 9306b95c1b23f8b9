"""A release is taken from one index to another; its bytes are shared, and are let go when nobody lists them."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from distributions.claims import Claim
from errors import FilenameBurned, FilenameTaken, InvalidRequest, ReadOnlyProject, UnknownIndex, UnknownRelease
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.factory import build_sdist, build_wheel

SAMPLE = NormalizedName("sample")
WHEEL = "sample-1.0-py3-none-any.whl"


@pytest.fixture
def staged(services: Services, tmp_path: Path) -> Services:
    """The indexes dev, with sample 1.0 as wheel and sdist, the wheel yanked, and prod, which is empty."""
    for name in ("dev", "prod"):
        services.indexes.create(name, by=TESTER)
    for path in (build_wheel(tmp_path, summary="A loom.", description="Of *looms*."), build_sdist(tmp_path)):
        put(services, "dev", path)
    services.manager.yank("dev", SAMPLE, "1.0", WHEEL, "broken", by=TESTER)
    return services


def put(services: Services, index: str, path: Path) -> None:
    """Publish a file on an index."""
    with services.manager.receive() as incoming:
        incoming.write(path.read_bytes())
        services.manager.publish(index, incoming, Claim(path.name), by=TESTER)


def names(services: Services, index: str) -> list[str]:
    """The files of sample on an index."""
    return sorted(file.filename for file in services.at(index).catalogue.project_detail(SAMPLE).files)


def stored(services: Services) -> list[str]:
    """Where the bytes of all files lie."""
    return [file.key for file in services.storage.walk()]


def test_a_promoted_release_is_as_it_was(staged: Services) -> None:
    """With its files, their times and yanks, its metadata and description; no byte is copied."""
    before = stored(staged)
    promoted = staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)
    assert sorted(promoted.copied) == names(staged, "prod") == names(staged, "dev")
    assert stored(staged) == before
    assert all(key.startswith("@dev/sample/") for key in before)
    dev, prod = (staged.at(index).catalogue for index in ("dev", "prod"))
    assert prod.project_detail(SAMPLE).files == dev.project_detail(SAMPLE).files
    assert prod.releases(SAMPLE) == dev.releases(SAMPLE)
    assert prod.core_metadata(SAMPLE, WHEEL) == dev.core_metadata(SAMPLE, WHEEL)
    assert staged.at("prod").descriptions.rendered(SAMPLE, "1") == staged.at("dev").descriptions.rendered(SAMPLE, "1")
    assert [hit.name for hit in staged.at("prod").search.near("sampel")] == ["sample"]


def test_promoting_again_changes_nothing(staged: Services) -> None:
    """And says what was there already."""
    staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)
    serial = staged.at("prod").catalogue.validity(SAMPLE)
    again = staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)
    assert (again.copied, sorted(again.there)) == ((), names(staged, "prod"))
    assert staged.at("prod").catalogue.validity(SAMPLE) == serial


def test_a_moved_release_leaves_its_index(staged: Services) -> None:
    """It can be brought back there as after any deletion."""
    staged.manager.promote("dev", "prod", SAMPLE, "1.0", move=True, by=TESTER)
    assert len(names(staged, "prod")) == 2
    (deletion,) = staged.at("dev").deletions.standing()
    staged.manager.restore("dev", SAMPLE, deletion.id, by=TESTER)
    assert names(staged, "dev") == names(staged, "prod")


def test_a_file_that_comes_while_its_release_is_moved_stays(staged: Services) -> None:
    """It was not promoted, so it is not deleted either: a move is one step."""
    last = staged.at("dev").catalogue.validity(None)
    staged.manager.promote("dev", "prod", SAMPLE, "1.0", move=True, by=TESTER)
    rows = staged.at("dev").catalogue.changes_since(last)
    assert {row.action for row in rows} == {"file.delete"}
    moments = {row.at for row in (*rows, *staged.at("prod").catalogue.changes_since(last))}
    assert len(moments) == 1  # that of one transaction


def test_bytes_stay_while_any_index_lists_them(staged: Services) -> None:
    """Letting go what one index deleted takes nothing from another."""
    staged.manager.promote("dev", "prod", SAMPLE, "1.0", move=True, by=TESTER)
    (deletion,) = staged.at("dev").deletions.standing()
    staged.manager.purge("dev", deletion.id, by=TESTER)
    for file in staged.at("prod").catalogue.project_detail(SAMPLE).files:
        record = staged.at("prod").catalogue.file(SAMPLE, file.filename)
        with staged.storage.open(record.location) as source:
            assert len(source.read()) == file.size
    taken = staged.manager.delete("prod", SAMPLE, by=TESTER)
    assert taken.id is not None
    staged.manager.purge("prod", taken.id, by=TESTER)
    assert stored(staged) == []


def test_an_index_that_was_made_anew_takes_no_bytes_from_another(staged: Services, tmp_path: Path) -> None:
    """The first dev is gone, its files live on at prod; another dev gets a file of the same name."""
    staged.manager.promote("dev", "prod", SAMPLE, "1.0", move=True, by=TESTER)
    (deletion,) = staged.at("dev").deletions.standing()
    staged.manager.purge("dev", deletion.id, by=TESTER)
    staged.indexes.delete("dev", by=TESTER)
    staged.indexes.create("dev", by=TESTER)
    put(staged, "dev", build_wheel(tmp_path, summary="Another one."))
    records = [staged.at(index).catalogue.file(SAMPLE, WHEEL) for index in ("dev", "prod")]
    assert records[0].location != records[1].location
    for record in records:
        with staged.storage.open(record.location) as source:
            assert len(source.read()) == record.size


def test_a_clash_promotes_nothing(staged: Services, tmp_path: Path) -> None:
    """Other bytes under one name, on the target: also the file that would have fitted stays away."""
    put(staged, "prod", build_wheel(tmp_path, summary="Another loom."))
    with pytest.raises(FilenameTaken):
        staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)
    assert names(staged, "prod") == [WHEEL]


def test_a_burned_name_is_not_promoted_to(staged: Services) -> None:
    """What was deleted on the target comes back by restoring only."""
    staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)
    staged.manager.delete("prod", SAMPLE, by=TESTER)
    with pytest.raises(FilenameBurned):
        staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)


def test_what_is_not_there_is_not_promoted(staged: Services) -> None:
    """Nor to where it is."""
    with pytest.raises(UnknownRelease):
        staged.manager.promote("dev", "prod", SAMPLE, "2.0", by=TESTER)
    with pytest.raises(UnknownIndex):
        staged.manager.promote("dev", "nowhere", SAMPLE, "1.0", by=TESTER)
    with pytest.raises(InvalidRequest):
        staged.manager.promote("dev", "dev", SAMPLE, "1.0", by=TESTER)


def test_a_quarantined_project_goes_nowhere(staged: Services) -> None:
    """Until somebody has looked at it."""
    staged.manager.set_status("dev", SAMPLE, ProjectStatus.QUARANTINED, "malware?", by=TESTER)
    with pytest.raises(ReadOnlyProject):
        staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)


def test_the_journal_says_from_where(staged: Services) -> None:
    """In rows of the target, whose pages they move."""
    staged.manager.promote("dev", "prod", SAMPLE, "1.0", by=TESTER)
    rows = staged.at("prod").catalogue.changes_since(0)
    assert [row.action for row in rows] == ["release.create", "file.promote", "file.promote"]
