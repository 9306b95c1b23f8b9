"""What ``cli.py packages`` promises of looking at the index and changing it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import console.packages
from tests.console.running import (
    WHEEL,
    data,
    good,
    refusal,
    run,
)


def test_list_orders_and_cuts_as_asked(filled: Path, dist: Path) -> None:
    """All by default; --sort, --limit, --offset and --prefix as they say."""

    def names(*arguments: str) -> list[str]:
        return [one["name"] for one in data("packages", "list", *arguments)]

    assert names() == ["other-thing", "sample"]
    assert names("--sort", "-name") == ["sample", "other-thing"]
    assert names("--limit", "1", "--offset", "1") == ["sample"]
    assert names("--prefix", "OTHER") == ["other-thing"]
    assert re.search(r"sample +1\.0 +2 .* active +The first one\.", good("packages", "list"))


def test_a_list_longer_than_a_page_is_whole(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading in pages loses and doubles nothing."""
    monkeypatch.setattr(console.packages, "_PAGE", 1)
    assert [one["name"] for one in data("packages", "list")] == ["other-thing", "sample"]
    assert len(data("packages", "list", "--limit", "1")) == 1


def test_search_finds_and_says_so_when_it_does_not(filled: Path) -> None:
    """Hits with their total; no hits are exit code 0 and a word on stderr."""
    found = data("packages", "search", "--query", "something")
    assert (found["total"], found["hits"][0]["name"]) == (1, "other-thing")
    assert "other-thing" in good("packages", "search", "--query", "else", "--limit", "1")
    result = run("packages", "search", "--query", "zzzzzz")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr


def test_info_shows_metadata_and_files_under_any_spelling(filled: Path) -> None:
    """The name is normalized; files come with their size, digest and uploader."""
    found = data("packages", "info", "--package-name", "SAMPLE")
    assert (found["name"], found["latest_version"], found["versions"]) == ("sample", "1.0", ["1.0"])
    assert found["metadata"]["requires_python"] == ">=3.9"
    assert {one["filename"] for one in found["files"]} == {WHEEL, "sample-1.0.tar.gz"}
    assert all(re.fullmatch("[0-9a-f]{64}", one["sha256"]) for one in found["files"])
    text = good("packages", "info", "--package-name", "sample")
    assert re.search(r"requires_python +>=3\.9", text)
    assert found["files"][0]["sha256"] in text


def test_what_is_not_there_is_refused_in_one_line(filled: Path) -> None:
    """Projects, releases, files and users: exit code 1."""
    assert "'nothing'" in refusal("packages", "info", "--package-name", "nothing")
    assert "release" in refusal("packages", "yank", "--package-name", "sample", "--package-version", "9")
    assert "'bad name'" in refusal("packages", "info", "--package-name", "bad name")
    refusal("packages", "delete", "--package-name", "sample", "--file", "no.whl", "--yes")
    refusal("packages", "status", "--package-name", "nothing", "--set", "archived")
    assert "'nobody'" in refusal("user", "deactivate", "--username", "nobody", "--yes")
    assert "'nobody'" in refusal("user", "tokens", "--username", "nobody")


def yanked() -> dict[str, str | None]:
    """What each file of ``sample`` says of being yanked."""
    files = data("packages", "info", "--package-name", "sample")["files"]
    return {one["filename"]: one["yanked"] for one in files}


def test_yanking_and_taking_it_back(filled: Path) -> None:
    """A release with its reason, or one file; the shell's user is in the journal; a second time changes nothing."""
    of_it = ("--package-name", "sample", "--package-version", "1.0.0")
    assert data("packages", "yank", *of_it, "--reason", "broken") == {"changed": 2}
    assert set(yanked().values()) == {"broken"}
    assert "already" in good("packages", "yank", *of_it, "--reason", "broken")
    assert data("packages", "unyank", *of_it, "--file", WHEEL) == {"changed": 1}
    assert yanked() == {WHEEL: None, "sample-1.0.tar.gz": "broken"}
    assert "Unyanked 1 file" in good("packages", "unyank", *of_it)


def test_deleting_with_yes_in_a_script(filled: Path) -> None:
    """One file, then the rest; the names are told, and are not given out again."""
    of_it = ("packages", "delete", "--package-name", "sample", "--yes")
    assert data(*of_it, "--file", WHEEL)["deleted"] == [WHEEL]
    assert "sample-1.0.tar.gz" in good(*of_it, "--package-version", "1.0", "--reason", "test")
    assert [one["name"] for one in data("packages", "list")] == ["other-thing"]
    result = run("packages", "import", "dist", "--json")
    assert {one["code"] for one in json.loads(result.stdout)["refused"]} == {"filename-burned"}


def test_status_is_shown_and_set(filled: Path) -> None:
    """Setting it needs --set; a quarantined project can still be looked at from the shell."""
    of_it = ("packages", "status", "--package-name", "sample")
    assert data(*of_it) == {"name": "sample", "status": "active", "reason": None}
    assert data(*of_it, "--set", "quarantined", "--reason", "malware") == {
        "name": "sample", "status": "quarantined", "reason": "malware",
    }  # fmt: skip
    assert "quarantined" in good(*of_it)
    assert data("packages", "info", "--package-name", "sample")["status_reason"] == "malware"
    assert run(*of_it, "--reason", "x").exit_code == 2
    assert run(*of_it, "--set", "unknown").exit_code == 2


def test_changes_from_the_shell_carry_the_users_name(filled: Path) -> None:
    """The journal says who was at the shell."""
    files = data("packages", "info", "--package-name", "sample")["files"]
    assert all(one["uploader"].endswith("@shell") for one in files)
