"""What ``cli.py`` promises: the commands of the document, options, settings and exit codes."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import cli
import console.packages
import server
from config import OPTIONS, Settings, load_settings
from console import manual
from database.catalogue import SORT_KEYS
from simple.model import ProjectStatus
from tests.conftest import LiveServer
from tests.console.running import (
    ROOT,
    WHEEL,
    build_dist,
    data,
    good,
    leave_the_machine,
    program,
    refusal,
    run,
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in a folder of its own and without PYPI_* variables of the machine."""
    leave_the_machine(tmp_path, monkeypatch)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A folder with a wheel and an sdist of one project and a wheel of another."""
    return build_dist(tmp_path / "dist")


@pytest.fixture
def filled(dist: Path) -> Path:
    """The default data directory, ./packages, with those three files in it."""
    good("packages", "import", dist, "--jobs", "1")  # one after the other: the wheel's metadata is the release's
    return Path("packages").absolute()


# -- the document


@pytest.mark.parametrize(
    "command",
    [
        "stats",
        "packages list",
        "packages search --query 'search term'",
        "packages info --package-name sample",
        "user create --username newuser --password secret --email user@example.com",
        "user create --username myadmin --password strongpassword --admin",
        "user list",
        "user token --username olduser --token-name 'CI/CD Token' --expires-days 30",
        "user delete --username olduser",
        "init",
        "init --config other.conf --force",
    ],
)
def test_the_commands_of_the_user_document_work_as_written(filled: Path, command: str) -> None:
    """Each line of its command line reference, on a server without authentication."""
    good("user", "create", "--username", "theadmin", "--password", "x", "--admin")
    good("user", "create", "--username", "olduser", "--password", "x")
    words = [one[1:-1] if one.startswith("'") else one for one in re.findall(r"'[^']*'|\S+", command)]
    good(*words)


def test_the_page_of_all_commands_is_current() -> None:
    """docs/cli.md is what the commands say of themselves."""
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == manual.document(cli.main)


ALL = {ctx.command_path: ctx for ctx in manual.contexts(cli.main)}


@pytest.mark.parametrize("path", ALL)
def test_every_command_and_option_is_explained_and_documented(path: str) -> None:
    """Each has a help text, and stands in docs/cli.md under its name."""
    ctx = ALL[path]
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert f"\n## {path}\n" in text
    section = text.split(f"\n## {path}\n")[1].split("\n## ")[0]
    assert ctx.command.help
    for option in ctx.command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert all(f"`{flag}" in section or f", {flag}" in section or f" {flag}" in section for flag in option.opts)


@pytest.mark.parametrize("path", [path for path, ctx in ALL.items() if not isinstance(ctx.command, click.Group)])
def test_every_command_that_answers_also_answers_scripts(path: str) -> None:
    """--json is there for all but start and init, which have nothing to say."""
    names = {option.name for option in ALL[path].command.params}
    assert ("json_" in names) is (path not in {"cli.py start", "cli.py init"})


def test_words_that_the_commands_repeat_are_those_of_their_owners() -> None:
    """Orders and statuses are spelled out for a quick --help; they are those of the catalogue and of PEP 792."""
    assert set(console.packages.SORTED_BY) == set(SORT_KEYS)
    assert set(console.packages.STATUSES) == {status.value for status in ProjectStatus}


# -- the whole program


def test_help_is_quick() -> None:
    """Nothing heavy is imported for it: not the server, not the database, not rich."""
    code = "import sys, cli; print([one for one in ('server', 'flask', 'sqlalchemy', 'rich') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert program("--help").returncode == 0


# Root may write anywhere, unless this right is taken from the processes that it starts (PR_CAPBSET_DROP of
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH).
WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
if os.geteuid() == 0:
    for capability in (1, 2):
        assert ctypes.CDLL(None, use_errno=True).prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_reading_needs_no_right_to_write_the_store(filled: Path, tmp_path: Path) -> None:
    """Beyond the state folder, where SQLite keeps its log, nothing must be writable for a listing or a check."""
    state = tmp_path / "state"
    state.mkdir()
    for path in filled.joinpath(".state").glob("*"):
        if path.is_file():
            path.rename(state / path.name)
    store = [filled, *filled.rglob("*")]
    for path in store:
        path.chmod(0o555 if path.is_dir() else 0o444)
    Path("pypi.conf").write_text("[server]\nstate_dir = state\n")
    launch = [sys.executable, "-c", WITHOUT_ROOTS_RIGHTS, str(ROOT / "cli.py")]
    try:
        for command in ("packages list", "packages info --package-name sample", "stats", "user list", "check"):
            done = subprocess.run([*launch, *command.split()], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        done = subprocess.run([*launch, "packages", "sync"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("cannot be written")) == (2, 1)
    finally:
        for path in store:
            path.chmod(0o755)


def test_it_works_beside_a_running_server(live: Callable[..., LiveServer], dist: Path) -> None:
    """What is imported from the shell is on the server's page at once."""
    one = live()
    done = program("--data-dir", one.data, "packages", "import", dist)
    assert done.returncode == 0, done.stderr
    with urllib.request.urlopen(f"{one.url}/simple/sample/") as page:
        assert WHEEL in page.read().decode()
    assert (
        program(
            "--data-dir", one.data, "packages", "yank", "--package-name", "sample", "--package-version", "1"
        ).returncode
        == 0
    )
    with urllib.request.urlopen(f"{one.url}/simple/sample/") as page:
        assert "data-yanked" in page.read().decode()
    assert program("--data-dir", one.data, "check").returncode == 0


# -- where the data is


def test_the_global_options_stand_before_or_after_the_command(dist: Path, tmp_path: Path) -> None:
    """--data-dir and --config mean the same in both places; after wins."""
    good("packages", "import", dist, "--data-dir", "here")
    for arguments in (
        ("--data-dir", "here", "packages", "list"),
        ("packages", "--data-dir", "here", "list"),
        ("packages", "list", "--data-dir", "here"),
        ("--data-dir", "elsewhere", "packages", "list", "--data-dir", "here"),
    ):
        assert len(data(*arguments)) == 2
    Path("mine.conf").write_text("[server]\ndata_dir = here\n")
    assert len(data("--config", "mine.conf", "packages", "list")) == 2
    assert len(data("packages", "list", "-c", "mine.conf")) == 2
    assert not Path("elsewhere").exists()


def test_bad_settings_are_exit_code_2(tmp_path: Path) -> None:
    """A file that is not there, an unknown key, a folder that cannot be made: one line each."""
    assert "nowhere.conf" in refusal("packages", "list", "--config", "nowhere.conf", code=2)
    Path("pypi.conf").write_text("[server]\nprot = 1\n")
    assert "port" in refusal("stats", code=2)
    Path("pypi.conf").unlink()
    Path("file").write_text("")
    assert "cannot be written" in refusal("packages", "sync", "--data-dir", "file/inner", code=2)


def test_an_unknown_command_or_option_is_exit_code_2() -> None:
    """As everywhere on a command line."""
    for arguments in (
        ["nonsense"],
        ["packages", "nonsense"],
        ["stats", "--nonsense"],
        ["packages", "import", "nowhere"],
    ):
        assert run(*arguments).exit_code == 2


# -- server management


def test_start_hands_the_settings_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags become settings with their origin, and the server's exit code is the command's."""
    seen: list[tuple[Settings, bool]] = []

    def serve(settings: Settings, *, reload: bool = False) -> int:
        seen.append((settings, reload))
        return 7

    monkeypatch.setattr(server, "serve", serve)
    Path("my.conf").write_text("[server]\nport = 1\nthreads = 9\n")
    arguments = "--host 0.0.0.0 --port 8081 --auth --config my.conf --data-dir D --workers 2 --no-debug --reload"
    assert run("start", *arguments.split()).exit_code == 7
    (settings, reload) = seen[0]
    assert (settings.host, settings.port, settings.auth_enabled, settings.debug) == ("0.0.0.0", 8081, True, False)
    assert (settings.data_dir, settings.workers, settings.threads, reload) == ("D", 2, 9, True)
    assert settings.origin("port") == "--port"


@pytest.mark.parametrize("name", [name for name, one in OPTIONS.items() if one.flag])
def test_every_setting_with_a_flag_can_be_given_to_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flags are those that config.py declares; none is left out."""
    monkeypatch.setattr(server, "serve", lambda settings, reload: int(settings.origin(name) != OPTIONS[name].flag))
    others = {"host": "h", "data_dir": "d", "server": "granian", "log_format": "json", "trusted_proxies": "10.0.0.1"}
    others |= {"trusted_hosts": "h", "base_url": "https://h", "state_dir": "s", "database_url": "sqlite:///x"}
    others |= {"auth_require": "list", "auth_htpasswd_role": "reader", "auth_default_role": "none"}
    others |= {"auth_require_factor": "everybody", "openid_issuer": "https://h", "openid_groups": "a=b"}
    others |= {"ldap_groups": "a=b", **dict.fromkeys(["publishing_github", "publishing_gitlab"], "https://h")}
    others |= dict.fromkeys(["publishing_google", "publishing_issuers", "upstream_url"], "https://h")
    others |= {"upstream_mode": "redirect"}
    value = [] if isinstance(OPTIONS[name].default, bool) else [others.get(name, "1")]
    assert run("start", OPTIONS[name].flag, *value).exit_code == 0


def test_start_refuses_a_bad_flag_by_its_name() -> None:
    """One line, exit code 2, before anything is started."""
    assert "--port is '99999'" in refusal("start", "--port", "99999", code=2)


def test_init_writes_a_private_file_with_a_fresh_key() -> None:
    """Mode 0600, all settings, a key that is no placeholder; two files have two keys."""
    good("init")
    good("init", "--config", "other.conf")
    first, second = load_settings(Path("pypi.conf"), {}, {}), load_settings(Path("other.conf"), {}, {})
    assert stat.S_IMODE(Path("pypi.conf").stat().st_mode) == 0o600
    assert len(first.secret_key) == 64
    assert first.secret_key != second.secret_key
    assert first.warnings == ()
    assert sorted(path.name for path in Path().iterdir()) == ["other.conf", "pypi.conf"]


def test_init_refuses_to_overwrite_without_force() -> None:
    """The file stays as it was; --force replaces it."""
    Path("pypi.conf").write_text("[server]\n")
    assert "--force" in refusal("init")
    assert Path("pypi.conf").read_text() == "[server]\n"
    good("init", "--force")
    assert "secret_key" in Path("pypi.conf").read_text()
    assert "cannot be written" in refusal("init", "--config", "no/such/folder.conf")
    assert run("init", "--data-dir", "x").exit_code == 2


def test_config_shows_values_origins_and_warnings_but_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting with where it came from; a secret is masked in the table and in JSON."""
    monkeypatch.setenv("PYPI_PORT", "8090")
    monkeypatch.setenv("PYPI_SECRET_KEY", "a-secret-key-of-some-length")
    monkeypatch.setenv("PYPI_PROT", "1")
    result = run("config", "--data-dir", "D")
    assert re.search(r"\[server\] port +8090 +PYPI_PORT", result.stdout)
    assert re.search(r"\[server\] data_dir +D +--data-dir", result.stdout)
    assert "PYPI_PROT" in result.stderr
    found = data("config")
    rows = {(row["section"], row["key"]): row for row in found["settings"]}
    assert rows["server", "port"]["value"] == "8090"
    assert rows["auth", "enabled"]["origin"] == "default"
    assert found["warnings"]
    assert "a-secret-key" not in result.output + json.dumps(found)
    assert not Path("D").exists()


def test_stats_counts_what_is_there(filled: Path) -> None:
    """Projects, files, bytes, downloads, users, the folder and the SQLite in use."""
    found = data("stats")
    assert (found["projects"], found["releases"], found["files"]) == (2, 2, 3)
    assert (found["downloads"], found["users"], found["data_dir"]) == (0, 0, str(filled))
    assert found["data_dir_bytes"] > found["bytes"] > 0
    assert re.fullmatch(r"3\.\d+\.\d+", found["sqlite"])
    assert re.search(r"projects +2\n", good("stats"))


def test_stats_of_an_index_that_was_never_started_are_zeros() -> None:
    """A first look at a folder that is there is no error."""
    Path("packages").mkdir()
    assert data("stats")["files"] == 0
    assert data("packages", "list") == []


def test_the_version_is_that_of_the_project() -> None:
    """--version and version say what pyproject.toml says."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert good("--version") == f"pypi-clone {declared}\n"
    assert data("version")["pypi-clone"] == declared
