"""Tests of distributions.comparing and metadata_changes: what changed between two files and two releases."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from distributions import comparing
from distributions.comparing import Comparison, Untold, compare
from distributions.contents import EntryPoint
from distributions.metadata_changes import DependencyChange, FieldChange, compare_metadata
from distributions.sandbox import Inspector
from tests.factory import build_sdist, build_wheel, sdist_members, tar_bytes

POINTS = "sample-{}.dist-info/entry_points.txt"


def wheels(folder: Path, old: dict[str, bytes], new: dict[str, bytes]) -> Comparison:
    """Two wheels with these files compared."""
    before, after = build_wheel(folder, version="1.0", files=old), build_wheel(folder, version="1.1", files=new)
    return compare((before, before.name), (after, after.name))


def untold(changes: Comparison) -> dict[str, str]:
    """Why differences are not told, by name."""
    return {one.new.name: one.untold for one in changes.changed if "dist-info" not in one.new.name}


def test_files_are_added_removed_and_changed(tmp_path: Path) -> None:
    """Each kind of change is told; the folders with the version in their names are one, RECORD is left out."""
    found = wheels(
        tmp_path,
        {"sample/a.py": b"one\ntwo\n", "sample/gone.py": b"", "sample/same.py": b"same\n"},
        {"sample/a.py": b"one\nthree\n", "sample/come.py": b"1", "sample/same.py": b"same\n"},
    )
    assert [member.name for member in found.added] == ["sample/come.py"]
    assert [member.name for member in found.removed] == ["sample/gone.py"]
    assert [one.new.name for one in found.changed] == ["sample-1.1.dist-info/METADATA", "sample/a.py"]
    assert found.changed[0].old.name == "sample-1.0.dist-info/METADATA"
    assert found.changed[1].diff == ("@@ -1,2 +1,2 @@", " one", "-two", "+three")
    assert (found.same, found.omitted) == (2, 0)  # same.py and WHEEL


def test_a_line_end_that_is_lacking_is_told(tmp_path: Path) -> None:
    """Files that differ in nothing else still differ."""
    found = wheels(tmp_path, {"sample/a.py": b"x"}, {"sample/a.py": b"x\n"})
    assert found.changed[1].diff == ("@@ -1,2 +1 @@", " x", "-\\ No newline at end of file")


def test_equal_sizes_do_not_pass_for_equal_files(tmp_path: Path) -> None:
    """Files are compared by the digests of their bytes, not by sizes or checksums."""
    found = wheels(tmp_path, {"sample/a.py": b"x = 1\n"}, {"sample/a.py": b"x = 2\n"})
    assert found.changed[1].diff[1:3] == ("-x = 1", "+x = 2")


def test_sdists_are_compared_without_their_top_directory(tmp_path: Path) -> None:
    """Tar and zip alike; a link is compared by where it leads."""
    link = tarfile.TarInfo("sample-1.1/link")
    link.type, link.linkname = tarfile.SYMTYPE, "sample.py"
    old = build_sdist(tmp_path, version="1.0", extension=".zip")
    new = tmp_path / "sample-1.1.tar.gz"
    new.write_bytes(tar_bytes({**sdist_members(version="1.1"), "sample-1.1/link": link}))
    found = compare((old, old.name), (new, new.name))
    assert [(one.name, one.target) for one in found.added] == [("sample-1.1/link", "sample-1.1/sample.py")]
    assert [one.new.name for one in found.changed] == ["sample-1.1/PKG-INFO"]
    assert found.same == 2
    other = tarfile.TarInfo("sample-1.2/link")
    other.type, other.linkname = tarfile.SYMTYPE, "pyproject.toml"
    newer = tmp_path / "sample-1.2.tar.gz"
    newer.write_bytes(tar_bytes({**sdist_members(version="1.2"), "sample-1.2/link": other}))
    assert untold(compare((new, new.name), (newer, newer.name))) == {
        "sample-1.2/PKG-INFO": "",
        "sample-1.2/link": "link",
    }


def test_why_a_difference_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binary, large, too many changes, and what does not fit any more: each says so."""
    monkeypatch.setattr(comparing, "MOST_LINES", 40)
    many, others = b"".join(b"%d\n" % n for n in range(600)), b"".join(b"%d.\n" % n for n in range(600))
    lines, changed = b"".join(b"%d\n" % n for n in range(30)), b"".join(b"%d!\n" % n for n in range(30))
    found = wheels(
        tmp_path,
        {"a": b"\x00\x01", "b": bytes(300_000), "c": many, "d": lines, "e": b"1\n", "f": b"a\r\n"},
        {"a": b"\x00\x02", "b": b"1" + bytes(300_000), "c": others, "d": changed, "e": b"2\n", "f": b"a\n"},
    )
    assert untold(found) == {
        "a": Untold.BINARY, "b": Untold.LARGE, "c": Untold.MANY, "d": Untold.BUDGET, "e": "", "f": "",
    }  # fmt: skip
    assert found.changed[-1].diff == ("@@ -1 +1 @@", "-a\r", "+a")


def test_texts_are_read_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bytes that are read for texts, files are listed without a difference."""
    monkeypatch.setattr(comparing, "_MOST_READ", 800)
    old, new = (dict.fromkeys("xyz", char * 400) for char in (b"a", b"b"))
    assert untold(wheels(tmp_path, old, new)) == {"x": "", "y": Untold.BUDGET, "z": Untold.BUDGET}


def test_lists_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not listed is counted."""
    monkeypatch.setattr(comparing, "MOST_LISTED", 3)
    found = wheels(tmp_path, {f"a{n}": b"" for n in range(5)}, {f"b{n}": b"" for n in range(7)})
    assert (len(found.added), len(found.removed), found.omitted) == (3, 3, 6)


def test_entry_points_are_compared(tmp_path: Path) -> None:
    """A command that came, and one that went."""
    found = wheels(
        tmp_path,
        {POINTS.format("1.0"): b"[console_scripts]\na = m:a\nb = m:b\n"},
        {POINTS.format("1.1"): b"[console_scripts]\na = m:a\nb = m:c\n"},
    )
    assert found.entry_points_added == (EntryPoint("console_scripts", "b", "m:c"),)
    assert found.entry_points_removed == (EntryPoint("console_scripts", "b", "m:b"),)


def test_values_travel_through_the_child(tmp_path: Path) -> None:
    """Asked through the child process, the comparison is equal."""
    old, new = build_wheel(tmp_path, files={"a": b"1\n"}), build_wheel(tmp_path, version="1.1", files={"a": b"2\n"})
    here = compare((old, old.name), (new, new.name))
    assert Comparison.decode(here.encode()) == here
    inspector = Inspector(1)
    _, raw = inspector.ask("compare", [old, new], old.name, new_filename=new.name)
    inspector.close()
    assert Comparison.decode(raw) == here


def test_fields_are_compared() -> None:
    """A field given once changes as a whole; of one given often, what went and what came. Versions are left out."""
    old = {"version": "1", "summary": "Old.", "classifiers": ["A", "B"], "license": "MIT", "name": "Sample"}
    new = {"version": "2", "summary": "New.", "classifiers": ["B", "C"], "requires_python": ">=3.11", "name": "sample"}
    found = compare_metadata(old, new, description=True)
    assert found.fields == (
        FieldChange("Summary", ("Old.",), ("New.",)), FieldChange("License", ("MIT",), ()),
        FieldChange("Classifier", ("A",), ("C",)), FieldChange("Requires-Python", (), (">=3.11",)),
    )  # fmt: skip
    assert found.description
    same = compare_metadata({"classifiers": ["A", "B"]}, {"classifiers": ["B", "A"]}, description=False)
    assert (same.fields, same.dependencies, same.description) == ((), (), False)


def test_dependencies_are_compared() -> None:
    """By project, whatever the spelling; several requirements of one project stand for themselves."""
    old = [
        "A_b>=1",
        "gone",
        "same >=1,<2",
        "x; python_version<'3.9'",
        "x>1; python_version>='3.9'",
        "not a requirement!",
    ]
    new = ["a-b>=2", "come[extra]", "same<2,>=1", "x>2"]
    found = compare_metadata({"requires_dist": old}, {"requires_dist": new}, description=False).dependencies
    assert found == (
        DependencyChange("a-b", "A_b>=1", "a-b>=2"),
        DependencyChange("come", "", "come[extra]"),
        DependencyChange("gone", "gone", ""),
        DependencyChange("not a requirement!", "not a requirement!", ""),
        DependencyChange("x", 'x; python_version < "3.9"', ""),
        DependencyChange("x", 'x>1; python_version >= "3.9"', ""),
        DependencyChange("x", "", "x>2"),
    )
