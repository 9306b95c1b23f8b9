"""Indexes from the shell: ``cli.py index``, ``why`` and ``packages promote``, and what they share with the API."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from database.engine import Database
from database.indexes import IndexRows
from server import create_app
from services import Services
from tests.conftest import TESTER, LiveServer, basic
from tests.console.running import WHEEL, build_dist, data, good, leave_the_machine, missing, program, refusal, run

UPSTREAM = "https://index.example.com/simple/"
ANOTHER = "https://other.example.com/simple/"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in a folder of its own and without PYPI_* variables of the machine."""
    leave_the_machine(tmp_path, monkeypatch)


@pytest.fixture
def staged(tmp_path: Path) -> None:
    """The indexes dev, which holds sample 1.0 and other-thing 2.0, and prod."""
    good("index", "create", "dev", "--title", "Development")
    good("index", "create", "prod", "--open")
    good("packages", "import", build_dist(tmp_path / "dist"), "--index", "dev", "--jobs", "1")


def listed(index: str) -> list[str]:
    """The projects that an index holds."""
    return [one["name"] for one in data("packages", "list", "--index", index)]


# -- indexes


@pytest.mark.usefixtures("staged")
def test_indexes_are_listed_and_shown() -> None:
    """With who reads them and how much they hold; main is always there."""
    found = {one["name"]: one for one in data("index", "list")}
    assert list(found) == ["main", "dev", "prod"]
    assert [(one["closed"], one["files"]) for one in found.values()] == [(False, 0), (True, 3), (False, 0)]
    assert re.search(r"dev +Development +those with a role +0 +2 +3 ", good("index", "list"))
    assert data("index", "show", "dev") == found["dev"]
    assert re.search(r"title +Development\n", good("index", "show", "dev"))
    assert "'absent'" in refusal("index", "show", "absent")


@pytest.mark.usefixtures("staged")
def test_what_is_said_is_set_and_the_rest_stays() -> None:
    """Title, readers and bases each by itself; a second time changes nothing."""
    assert data("index", "set", "prod", "--base", "dev", "--base", "main")["bases"] == ["dev", "main"]
    now = data("index", "set", "prod", "--title", "For users", "--closed")
    assert (now["title"], now["closed"], now["bases"]) == ("For users", True, ["dev", "main"])
    assert "so already" in good("index", "set", "prod", "--closed")
    assert data("index", "set", "prod", "--no-bases")["bases"] == []
    assert data("index", "set", "prod", "--base", "main", "--also")["bases"] == ["main"]
    assert data("index", "set", "prod", "--base", "dev", "--also")["bases"] == ["main", "dev"]
    assert "below itself" in refusal("index", "set", "dev", "--base", "prod", "--title", "New")
    assert data("index", "show", "dev")["title"] == "Development"  # all that is said, or nothing
    assert run("index", "set", "prod", "--base", "dev", "--no-bases").exit_code == 2


@pytest.mark.usefixtures("staged")
def test_an_index_that_holds_nothing_is_deleted() -> None:
    """After a question, and not while it holds files."""
    assert "has files" in refusal("index", "delete", "dev", "--yes")
    missing("--yes", "index", "delete", "prod")
    assert data("index", "delete", "prod", "--yes") == {"deleted": "prod"}
    assert [one["name"] for one in data("index", "list")] == ["main", "dev"]


# -- upstreams


def test_an_upstreams_password_is_kept_apart_and_never_shown(tmp_path: Path) -> None:
    """Out of the address, or from a file; only that there is one is told, and it stays where none is said."""
    good("index", "create", "dev")
    with_password = UPSTREAM.replace("https://", "https://ro%40bot:s%3Aecret@")
    result = run("index", "set", "dev", "--upstream", with_password, "--json")
    (first,) = json.loads(result.stdout)["upstreams"]
    assert (first["url"], first["username"], first["has_password"], first["mode"]) == (
        UPSTREAM, "ro@bot", True, "cache",
    )  # fmt: skip
    Path("password").write_text("from a file\n")
    named = ANOTHER.replace("https://", "https://robot@")
    also = ("--upstream", named, "--upstream-password-file", "password", "--mode", "redirect", "--also")
    both = data("index", "set", "dev", *also)["upstreams"]
    assert [(one["url"], one["mode"], one["has_password"]) for one in both] == [
        (UPSTREAM, "cache", True), (ANOTHER, "redirect", True),
    ]  # fmt: skip
    shown = good("index", "show", "dev") + good("journal", "list", "--json") + result.output
    for secret in ("s:ecret", "s%3Aecret", "from a file"):
        assert secret not in shown
    again = data("index", "set", "dev", "--upstream", UPSTREAM.replace("https://", "https://ro%40bot@"))["upstreams"]
    assert again == [first]
    assert data("index", "set", "dev", "--no-upstreams")["upstreams"] == []


def test_options_of_upstreams_that_do_not_fit_are_a_wrong_use() -> None:
    """A password for two, a private address for none."""
    good("index", "create", "dev")
    Path("password").write_text("x")
    two = ("--upstream", UPSTREAM, "--upstream", ANOTHER, "--upstream-password-file", "password")
    assert run("index", "set", "dev", *two).exit_code == 2
    assert run("index", "set", "dev", "--allow-private").exit_code == 2
    assert "secret" not in refusal("index", "set", "dev", "--upstream", "https://robot:secret@[index/")


# -- names


def test_names_are_kept_and_released() -> None:
    """On one index or on every one; `kept` lists both."""
    good("index", "create", "dev")
    assert data("index", "keep", "Acme_*", "--index", "dev") == {"index": "dev", "pattern": "acme-*", "changed": True}
    assert "already" in good("index", "keep", "acme-*", "--index", "dev")
    assert data("index", "keep", "corp", "--everywhere")["index"] is None
    assert [one["pattern"] for one in data("index", "kept", "--index", "dev")] == ["corp", "acme-*"]
    assert [one["pattern"] for one in data("index", "kept")] == ["corp"]
    assert re.search(r"corp +everywhere", good("index", "show", "dev"))
    assert "keeps names like acme-*" in good("why", "acme-tool", "--index", "dev")
    missing("--yes", "index", "release", "acme-*", "--index", "dev")
    assert data("index", "release", "acme-*", "--index", "dev", "--yes") == {"index": "dev", "released": "acme-*"}
    refusal("index", "release", "acme-*", "--index", "dev", "--yes")
    assert "'absent'" in refusal("index", "keep", "x", "--index", "absent")


@pytest.mark.usefixtures("staged")
def test_why_says_who_answers() -> None:
    """A sentence, and each who was looked at; an upstream by its address."""
    good("index", "set", "prod", "--base", "dev", "--upstream", UPSTREAM, "--mode", "redirect")
    told = good("why", "Sample", "1.0.0", "--index", "prod")
    assert told.startswith("sample 1.0.0 is answered by the index dev.\n")
    assert re.search(r"dev +answers +It holds the project\. +1\.0\n", told)
    assert re.search(rf"prod +{UPSTREAM} +not asked ", told)
    assert "clients are sent to" in data("why", "absent", "--index", "prod")["sentence"]
    assert "not a version" in refusal("why", "sample", "one")


# -- packages of an index


@pytest.mark.usefixtures("staged")
def test_a_release_is_promoted() -> None:
    """Copied, or after a question moved, where it can be restored."""
    way = ("packages", "promote", "sample", "1.0", "--from", "dev", "--to", "prod")
    assert sorted(data(*way)["copied"]) == [WHEEL, "sample-1.0.tar.gz"]
    assert "Nothing to copy" in good(*way)
    assert (listed("dev"), listed("prod")) == (["other-thing", "sample"], ["sample"])
    missing("--yes", *way, "--move")
    assert data(*way, "--move", "--yes")["moved"] is True
    assert listed("dev") == ["other-thing"]
    (deletion,) = data("packages", "deleted", "--index", "dev")
    assert data("packages", "deleted") == []
    good("packages", "restore", "--deletion", deletion["id"], "--index", "dev")
    assert listed("dev") == ["other-thing", "sample"]


@pytest.mark.usefixtures("staged")
def test_a_project_is_opened_and_closed() -> None:
    """With a word of warning, if there is one of that name."""
    result = run("packages", "open", "sample", "--index", "dev")
    assert (result.exit_code, result.stdout) == (0, "sample on dev is open to others.\n")
    assert "decides what is installed" in result.stderr
    assert data("index", "show", "dev")["opened"] == ["sample"]
    assert data("packages", "close", "sample", "--index", "dev") == {"name": "sample", "open": False, "changed": True}
    assert "'sample'" in refusal("packages", "open", "sample")


@pytest.mark.usefixtures("staged")
def test_commands_of_packages_are_of_one_index() -> None:
    """main unless another one is named, and one that is not there is refused by each."""
    of_it = ("--package-name", "sample", "--index", "dev")
    release = (*of_it, "--package-version", "1.0")
    assert listed("main") == []
    assert data("packages", "search", "--query", "something", "--index", "dev")["total"] == 1
    assert data("packages", "info", *of_it)["versions"] == ["1.0"]
    assert data("packages", "yank", *release) == data("packages", "unyank", *release) == {"changed": 2}
    assert data("packages", "status", *of_it, "--set", "archived")["status"] == "archived"
    assert data("stats", "--index", "dev")["files"] == 3
    assert data("stats")["files"] == 0
    deletion = data("packages", "delete", *of_it, "--yes")["deletion"]
    assert len(data("packages", "purge", "--deletion", deletion, "--index", "dev", "--yes")["purged"]) == 2
    assert [one["project"] for one in data("publisher", "list", "--index", "dev")] == []
    for command in (
        "packages list", "packages search --query x", "packages info --package-name x", "packages deleted", "stats",
        "packages yank --package-name x --package-version 1", "packages status --package-name x --set active",
        "packages delete --package-name x --yes", "packages import dist",
        "publisher list", "packages open x", "packages close x", "why x", "index kept",
    ):  # fmt: skip
        assert "There is no index 'absent'" in refusal(*command.split(), "--index", "absent"), command


@pytest.mark.usefixtures("staged")
def test_a_sync_is_of_one_index_or_of_all(tmp_path: Path) -> None:
    """`index sync` looks into that index's folder alone."""
    for folder in ("@prod", "."):
        target = tmp_path / "packages" / folder / "sample" / WHEEL
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((tmp_path / "dist" / WHEEL).read_bytes())
    assert data("index", "sync", "prod")["adopted"] == [f"@prod/sample/{WHEEL}"]
    assert (listed("prod"), listed("main")) == (["sample"], [])
    assert data("packages", "sync")["adopted"] == [f"sample/{WHEEL}"]
    assert "'absent'" in refusal("index", "sync", "absent")


def test_a_token_for_an_index_that_is_not_there_is_refused() -> None:
    """It would be for a later one of that name."""
    good("user", "create", "--username", "bob", "--password", "a long one")
    made = ("user", "token", "--username", "bob", "--token-name", "ci", "--index")
    assert "'dev'" in refusal(*made, "dev")
    good("index", "create", "dev")
    assert data(*made, "dev")["index"] == "dev"


# -- beside the API and a server


def test_shell_and_api_tell_the_same(secured: Services) -> None:
    """The list of indexes, one of them, the names kept, and who answers."""
    secured.indexes.create("dev", "Development", by=TESTER)
    secured.indexes.set_bases("dev", ["main"], by=TESTER)
    secured.indexes.keep("dev", "acme-*", by=TESTER)
    client = create_app(secured).test_client()

    def api(path: str) -> Any:
        return client.get(f"/api/{path}", headers=basic("alice")).json

    def shell(*arguments: str) -> Any:
        return data(*arguments, "--data-dir", secured.settings.data_dir)

    assert shell("index", "list") == api("indexes")["indexes"]
    assert shell("index", "show", "dev") == api("indexes/dev")
    assert shell("index", "kept", "--index", "dev") == api("indexes/dev/kept")["kept"]
    assert shell("why", "acme-x", "--index", "dev") == api("why?project=acme-x&index=dev")


def test_it_works_beside_a_running_server(live: Callable[..., LiveServer], tmp_path: Path) -> None:
    """The real program: an index that is made, filled and put under another is read there at once."""
    one = live()
    dist = build_dist(tmp_path / "dist")
    for arguments in (
        ["index", "create", "dev"],
        ["packages", "import", str(dist), "--index", "dev"],
        ["index", "set", "main", "--base", "dev"],
    ):
        done = program("--data-dir", one.data, *arguments)
        assert done.returncode == 0, done.stderr
    for place in ("/index/dev/simple/sample/", "/simple/sample/"):
        with urllib.request.urlopen(f"{one.url}{place}") as page:
            assert WHEEL in page.read().decode()
    done = program("--data-dir", one.data, "why", "sample")
    assert done.stdout.startswith("sample is answered by the index dev.\n")


def test_the_settings_upstream_is_told_with_those_of_main(tmp_path: Path) -> None:
    """First, under the id "settings"; what is set for main stands behind it and does not repeat it."""
    Path("pypi.conf").write_text(f"[upstream]\nurl = {UPSTREAM}\nmode = redirect\npassword = secret\n")
    Path("packages").mkdir()
    now = run("index", "set", "main", "--upstream", ANOTHER, "--also", "--json")
    assert now.exit_code == 0, now.output
    found = json.loads(now.stdout)["upstreams"]
    assert [(one["url"], one["has_password"]) for one in found] == [(UPSTREAM, True), (ANOTHER, False)]
    assert found[0]["id"] == "settings"
    assert "secret" not in now.output
    database = Database(tmp_path / "packages" / ".state" / "index.sqlite3")
    assert [row.url for row in IndexRows(database).all()[0].upstreams] == [ANOTHER]
    database.close()
