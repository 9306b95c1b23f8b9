"""What ``cli.py packages delete``, ``deleted``, ``restore`` and ``purge`` promise."""

from __future__ import annotations

import re
from pathlib import Path

from tests.console.running import WHEEL, data, good, missing, on_a_terminal, refusal, run

OF_IT = ("--package-name", "sample")


def names() -> list[str]:
    """The projects that are listed."""
    return [one["name"] for one in data("packages", "list")]


def test_deleting_tells_how_to_undo_it(filled: Path) -> None:
    """For scripts and for people; the command that is shown restores everything as it was."""
    before = data("packages", "info", *OF_IT)
    said = data("packages", "delete", *OF_IT, "--yes", "--reason", "a slip")
    assert sorted(said["deleted"]) == [WHEEL, "sample-1.0.tar.gz"]
    assert names() == ["other-thing"]
    (line,) = data("packages", "deleted")
    assert (line["id"], line["restorable_until"]) == (said["deletion"], said["restorable_until"])
    assert (line["name"], line["version"], line["files"], line["reason"]) == ("sample", None, 2, "a slip")
    assert line["deleted_by"].endswith("@shell")
    assert data("packages", "restore", "--deletion", said["deletion"]) == {"restored": said["deleted"]}
    after = data("packages", "info", *OF_IT)
    assert {**after, "updated": ""} == {**before, "updated": ""}
    text = good("packages", "delete", *OF_IT, "--yes")
    command = re.search(r"cli\.py (packages restore --deletion [0-9a-f]{12})$", text, re.MULTILINE)
    assert command is not None, text
    assert good(*command[1].split()).splitlines() == ["Restored 2 files:", *said["deleted"]]


def test_the_table_says_what_was_deleted(filled: Path) -> None:
    """A file by its name, a release, a project; of one project only if asked; a remark where there is nothing."""
    good("packages", "delete", *OF_IT, "--file", WHEEL, "--yes")
    good("packages", "delete", *OF_IT, "--package-version", "1.0.0", "--yes")
    good("packages", "delete", "--package-name", "other-thing", "--yes")
    lines = good("packages", "deleted").splitlines()
    assert lines[0].split()[:2] == ["ID", "WHAT"]
    assert [re.split(r"  +", line)[1] for line in lines[1:]] == ["all of other-thing", "sample 1.0", WHEEL]
    assert [one["filename"] for one in data("packages", "deleted", *OF_IT)] == [None, WHEEL]
    result = run("packages", "deleted", "--package-name", "nothing")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Nothing that was deleted can be restored.\n")


def test_purging_is_for_good(filled: Path) -> None:
    """It asks, or wants --yes; afterwards the bytes are gone and nothing is restored."""
    deletion = data("packages", "delete", *OF_IT, "--yes")["deletion"]
    assert (filled / "sample" / WHEEL).exists()
    missing("--yes", "packages", "purge", "--deletion", deletion)
    code, shown = on_a_terminal(["packages", "purge", "--deletion", deletion], ("[y/N]: ", "n\n"))
    assert (code, "Nothing was changed." in shown) == (1, True)
    assert len(data("packages", "purge", "--deletion", deletion, "--yes")["purged"]) == 2
    assert not (filled / "sample").exists()
    assert "no deletion" in refusal("packages", "restore", "--deletion", deletion)


def test_without_days_nothing_is_promised(filled: Path, tmp_path: Path) -> None:
    """undo_days = 0: no command that undoes it is shown, and the bytes are gone."""
    Path("pypi.conf").write_text("[server]\nundo_days = 0\n")
    said = data("packages", "delete", *OF_IT, "--file", WHEEL, "--yes")
    assert said == {"deleted": [WHEEL], "deletion": None, "restorable_until": None}
    assert "restore" not in good("packages", "delete", *OF_IT, "--yes")
    assert not (filled / "sample").exists()


def test_what_is_missing_is_named(filled: Path) -> None:
    """Without a terminal nobody is asked for the id."""
    missing("--deletion", "packages", "restore")
    missing("--deletion", "packages", "purge", "--yes")


def test_sync_and_check_count_them(filled: Path) -> None:
    """A deleted file is neither taken in again nor called strange."""
    good("packages", "delete", *OF_IT, "--yes")
    assert re.search(r"^deleted +2$", good("packages", "sync"), re.MULTILINE)
    assert re.search(r"^deleted of them +2$", good("check"), re.MULTILINE)
    assert data("check")["unlisted"] == []
