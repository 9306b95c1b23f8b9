"""Indexes that a file declares: what it may say, what is refused, and what becomes of the indexes that are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config import load_settings
from database.indexes import IndexRow
from errors import Conflict, InvalidSetting
from indexes.declared import Declaration, check_admin, declaration_of, read
from indexes.declaring import release
from indexes.manager import NewUpstream
from services import Services
from tests.conftest import ROOT, TESTER
from tests.indexes.declared import THREE

Open = Callable[..., Services]
SECRETS = ("s3cret", "hunter2", "sesame")


def declared(text: str) -> Declaration:
    """What a text declares."""
    return read(text, "indexes.toml")


def refusal(text: str) -> str:
    """Why a text is refused; no secret of it is told."""
    with pytest.raises(InvalidSetting) as caught:
        declared(text)
    said = caught.value.sentence
    assert not any(secret in said for secret in SECRETS), said
    return said


def rows(services: Services) -> dict[str, IndexRow]:
    """The indexes that are there."""
    return {row.name: row for row in services.indexes.rows.all()}


def test_a_table_is_an_index() -> None:
    """Its name in lower case, the spelling as the title where it says no other; keys that are left out say nothing."""
    found = declared(THREE).indexes
    assert list(found) == ["team-a", "team-b", "prod"]
    assert (found["team-a"].title, found["team-b"].title, found["prod"].title) == ("Team-A", "The loom makers", "")
    assert (found["team-b"].sync_seconds, found["team-a"].sync_seconds) == (60, 0)
    assert read(THREE, "", 30).indexes["team-a"].sync_seconds == 30
    assert (found["prod"].bases, found["team-a"].bases) == (("team-a",), None)


def test_every_key_is_read() -> None:
    """With an upstream's address alone, or several of them with all that is to be said of each."""
    one = declared("""
        [dev]
        closed = false
        keep = ["acme-*", "Secret"]
        upstream = "https://index.example.com/simple/"
    """).indexes["dev"]
    assert (one.closed, one.keep) == (False, ("acme-*", "secret"))
    assert one.upstreams == (NewUpstream("https://index.example.com/simple/"),)
    (upstream,) = (
        declared("""
        [[dev.upstreams]]
        url = "https://index.example.com/simple/"
        mode = "redirect"
        username = "ci"
        password = "sesame"
        allow_private = true
    """)
        .indexes["dev"]
        .upstreams
        or ()
    )
    assert upstream == NewUpstream("https://index.example.com/simple/", "redirect", "ci", "sesame", True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", " declares no index; write a table such as [team-a] for each."),
        ("[dev\nread_secret = 's3cret'", ", line 1: this is not TOML; correct it."),
        ("read_secret = 's3cret'", ": 'read_secret' stands outside a table; put it under one"),
        ("[dev]\nreed_secret = 's3cret'", " ['dev']: 'reed_secret' is not known; did you mean read_secret?"),
        ("[dev]\nread_secret = ['s3cret']", " ['dev'] read_secret is of another kind than it should be; wr"),
        ("[dev]\nread_secret = ' '", " ['dev'] read_secret is empty; write a secret, or leave the key out."),
        ("[dev]\nclosed = 'hunter2'", " ['dev'] closed is of another kind than it should be; write true or"),
        ("[dev]\nbases = [1]", " ['dev'] bases is of another kind than it should be; write a list of texts"),
        ("[dev]\nsync_index_interval = true", " ['dev'] sync_index_interval is of another kind than it sho"),
        ("[dev]\nsync_index_interval = -1", " ['dev'] sync_index_interval is not within bounds; write seco"),
        ("[dev]\ntype = 'hunter2'", " ['dev'] type is not known; use \"file_system\", or leave it out."),
        ("[dev]\ntype = 'github'\nowner = 'acme'", " ['dev'] type is \"github\": releases of GitHub as a s"),
        ("[dev]\n[Dev]", ": two tables are called dev, in whatever case; keep one."),
        ("['-']", " ['-']: '-' cannot be an index's name; use up to 64 lower-case letters, digits and"),
        ("[dev]\nupstream = 'https://ci:sesame@index.example.com/'", " ['dev'] upstream url has a"),
        ("[dev]\nupstream = 'https://a.example.com/'\nupstreams = []", " ['dev'] has both upstream and upst"),
        ("[[dev.upstreams]]\nmode = 'cache'", " ['dev'] upstreams, number 1 url is missing; write the"),
        ("[[dev.upstreams]]\nurl = 'https://a.example.com/'\nmode = 'hunter2'", " ['dev'] upstreams, numbe"),
        ("[[dev.upstreams]]\npasword = 'sesame'", " ['dev'] upstreams, number 1: 'pasword' is not known"),
        ("[dev]\nupstreams = ['sesame']", " ['dev'] upstreams: write a table [[dev.upstreams]] for each."),
    ],
)  # fmt: skip
def test_what_is_not_understood_stops_the_start(text: str, sentence: str) -> None:
    """One sentence with table and key, and never a value."""
    said = refusal(text)
    assert said.startswith(f"indexes.toml{sentence}")
    assert said.endswith((".", "?"))


def test_the_second_file_has_to_agree(tmp_path: Path) -> None:
    """It has tables of the same names and types; what it says of a folder's secret is not needed."""
    first = declared(THREE)
    check_admin("[team-a]\ntype = 'file_system'\nraw = 's3cret'\n[PROD]\nraw = ''", "admin.toml", first)
    for text, sentence in {
        "[team-c]\nraw = 's3cret'": "admin.toml ['team-c']: indexes.toml has no table of this name; did you mean team-",
        "[team-a]\ntype = 'github'\nraw = 's3cret'": "admin.toml ['team-a'] type is \"github\": releases of GitHub",
        "[team-a]\nrow = 's3cret'": "admin.toml ['team-a']: 'row' is not known; did you mean raw?",
    }.items():
        with pytest.raises(InvalidSetting, match=re.escape(sentence)) as caught:
            check_admin(text, "admin.toml", first)
        assert "s3cret" not in caught.value.sentence


def test_settings_name_files_or_are_the_text(tmp_path: Path) -> None:
    """By flag, variable or settings file; naming one turns authentication on."""
    (tmp_path / "indexes.toml").write_text(THREE, encoding="utf-8")
    (tmp_path / "admin.toml").write_text("[team-a]\nraw = 'x'\n", encoding="utf-8")
    by_file = load_settings(None, {}, {
        "PYPI_INDEXES": str(tmp_path / "indexes.toml"), "PYPI_ADMIN_SECRET": str(tmp_path / "admin.toml"),
    })  # fmt: skip
    by_text = load_settings(None, {"indexes_file": THREE, "indexes_text": True}, {})
    for settings in (by_file, by_text):
        assert settings.auth_enabled
        found = declaration_of(settings)
        assert found is not None
        assert list(found.indexes) == ["team-a", "team-b", "prod"]
    assert declaration_of(load_settings(None, {}, {})) is None
    assert "a reads" not in repr(by_text)
    assert by_text.shown("indexes_file") == "********"
    assert by_file.shown("indexes_file") == str(tmp_path / "indexes.toml")


def test_settings_that_do_not_go_with_a_file_are_refused(tmp_path: Path) -> None:
    """Authentication off, a second file without the first, a file that is not there, the text without the flag."""
    refused: list[tuple[dict[str, object], str]] = [
        ({"indexes_file": THREE, "indexes_text": True, "auth_enabled": False}, "--auth turns authentication off, but "),
        ({"indexes_admin_secret": "x"}, "--admin-secret is set, but no file declares indexes; "),
        ({"indexes_file": str(tmp_path / "absent")}, "--indexes names '/"),
        ({"indexes_file": THREE}, "--indexes names what should be the path of a file, which cannot be read: "),
    ]
    for flags, sentence in refused:
        with pytest.raises(InvalidSetting) as caught:
            declaration_of(load_settings(None, flags, {}))
        assert caught.value.sentence.startswith(sentence)
        assert "a reads" not in caught.value.sentence


def test_a_start_makes_what_is_declared(open_server: Open) -> None:
    """Closed, unless the table says otherwise; a second start changes nothing and leaves no row in the journal."""
    services = open_server(indexes_file=THREE, indexes_text=True)
    found = rows(services)
    assert list(found) == ["main", "prod", "team-a", "team-b"]
    assert [(found[name].closed, found[name].declared) for name in ("prod", "team-a", "team-b")] == [(True, True)] * 3
    assert found["prod"].bases == ("team-a",)
    before = services.at("main").catalogue.changes_since(0)
    serial = services.accounts.access_serial()
    again = open_server(indexes_file=THREE, indexes_text=True)
    assert again.at("main").catalogue.changes_since(0) == before
    assert again.accounts.access_serial() == serial


def test_an_index_that_is_there_becomes_what_is_declared(open_server: Open) -> None:
    """What the table says nothing of stays, and nobody changes it elsewhere as long as it is declared."""
    before = open_server()
    before.indexes.create("team-a", "Ours", closed=False, by=TESTER)
    services = open_server(indexes_file="[team-a]\nkeep = ['acme-*']", indexes_text=True)
    row = rows(services)["team-a"]
    assert (row.title, row.closed, row.declared) == ("Ours", False, True)
    assert [(one.index, one.pattern) for one in services.indexes.rows.kept()] == [("team-a", "acme-*")]
    with pytest.raises(Conflict):
        services.indexes.change("team-a", title="Theirs", by=TESTER)
    changed = open_server(indexes_file="[team-a]\ntitle = 'T'\nclosed = true", indexes_text=True)
    row = rows(changed)["team-a"]
    assert (row.title, row.closed) == ("T", True)


def test_what_is_declared_no_more_is_an_ordinary_index(open_server: Open) -> None:
    """It stays with all that it has; a shell without the file changes nothing, a server's start without it does."""
    open_server(indexes_file=THREE, indexes_text=True)
    services = open_server(indexes_file="[prod]", indexes_text=True)
    found = rows(services)
    assert [name for name, row in found.items() if row.declared] == ["prod"]
    assert found["prod"].bases == ("team-a",)
    services.indexes.change("team-a", title="Again ours", by=TESTER)
    shell = open_server()
    assert rows(shell)["prod"].declared
    release(shell.indexes)
    assert not rows(shell)["prod"].declared


def test_bases_may_be_turned_round(open_server: Open) -> None:
    """In whatever order the tables stand: nothing is below itself on the way."""
    open_server(indexes_file="[a]\nbases = ['b']\n[b]\n[c]\nbases = ['a']", indexes_text=True)
    services = open_server(
        indexes_file="[b]\nbases = ['a']\n[a]\nbases = []\n[c]\nbases = ['b', 'a']", indexes_text=True
    )
    found = rows(services)
    assert [found[name].bases for name in "abc"] == [(), ("a",), ("b", "a")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[a]\nbases = ['absent']", "--indexes [a] bases: "),
        ("[a]\nbases = ['a']", "--indexes [a] bases: The index a cannot be below itself; "),
        ("[a]\nkeep = ['*']", "--indexes [a] keep: "),
        ("[main]\nclosed = true", "--indexes [main] closed: Who reads main is said by the settings"),
    ],
)
def test_what_cannot_be_is_refused_with_its_table(open_server: Open, text: str, sentence: str) -> None:
    """An unknown base, a ring, names that are none."""
    with pytest.raises(InvalidSetting) as caught:
        open_server(indexes_file=text, indexes_text=True)
    assert caught.value.sentence.startswith(sentence)


def test_main_may_be_declared(open_server: Open) -> None:
    """With secrets of its own, and what it adds."""
    text = "[main]\nread_secret = 'm reads'\nbases = ['dev']\n[dev]"
    services = open_server(indexes_file=text, indexes_text=True)
    assert (rows(services)["main"].bases, rows(services)["main"].declared) == (("dev",), True)


@pytest.mark.parametrize("program", [("server.py",), ("cli.py", "packages", "sync")], ids=["server", "shell"])
def test_a_start_says_what_is_wrong(tmp_path: Path, program: tuple[str, ...]) -> None:
    """In one line, with the exit code of a setting that cannot be used."""
    (tmp_path / "indexes.toml").write_text("[dev]\nreed_secret = 's3cret'\n", encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYPI_")}
    done = subprocess.run(
        [sys.executable, str(ROOT / program[0]), *program[1:]], cwd=tmp_path, capture_output=True, text=True,
        check=False, env=environ | {"PYPI_INDEXES": "indexes.toml", "PYPI_PORT": "0"},
    )  # fmt: skip
    assert done.stderr == "Error: indexes.toml ['dev']: 'reed_secret' is not known; did you mean read_secret?\n"
    assert done.returncode == 2
