"""What follows from the settings together: paths, hosts, warnings and refusals, in every process alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, ensure_secret_key, load_settings
from errors import InvalidSetting


def test_what_is_risky_is_a_warning() -> None:
    """Debug mode or no authentication where other machines can connect: allowed, and said."""
    risky = load_settings(environ={"PYPI_HOST": "0.0.0.0"}).warnings
    assert [text.partition(" ")[0] for text in risky] == ["debug", "Anybody"]
    safe = {"PYPI_HOST": "0.0.0.0", "PYPI_AUTH": "1", "PYPI_DEBUG": "0"}
    assert load_settings(environ=safe).warnings == ()


def test_workers_need_a_server_that_has_them() -> None:
    """waitress has one process: more workers are refused, not ignored."""
    with pytest.raises(InvalidSetting, match=r"^PYPI_WORKERS is 2, but waitress runs in one process"):
        load_settings(None, {"server": "waitress"}, {"PYPI_WORKERS": "2"})


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.1", False), ("index.example.com", False), ("localhost.example.com", False)],
)  # fmt: skip
def test_local_is_what_only_this_machine_reaches(host: str, local: bool) -> None:
    """Loopback addresses and localhost, nothing else."""
    assert Settings(host=host).is_local is local


def test_paths_follow_from_the_folders(tmp_path: Path) -> None:
    """State lies in .state of the data folder and the database there, unless said otherwise; all are absolute."""
    here = tmp_path.resolve()
    settings = Settings(data_dir="packages")
    assert settings.data_path == here / "packages"
    assert settings.secret_key_path == here / "packages/.state/secret_key"
    assert settings.database_path == here / "packages/.state/index.sqlite3"
    assert Settings(state_dir="/var/state").database_path == Path("/var/state/index.sqlite3")
    assert Settings(database_url="sqlite:////srv/a%20b.db").database_path == Path("/srv/a b.db")


def test_derived_answers_follow_their_settings() -> None:
    """Hosts come from base_url unless named, the log's form from debug unless named, auto from what is installed."""
    assert Settings().accepted_hosts == ()
    assert Settings(base_url="https://Index.Example.com:8443").accepted_hosts == ("index.example.com",)
    assert Settings(base_url="https://a.example", trusted_hosts=("b.example",)).accepted_hosts == ("b.example",)
    assert [Settings(debug=debug).json_logs for debug in (True, False)] == [False, True]
    assert [Settings(log_format=form).json_logs for form in ("console", "json")] == [False, True]
    assert Settings(server="auto").server_name in {"granian", "waitress"}
    assert [str(network) for network in Settings(trusted_proxies=("10.0.0.0/8",)).proxy_networks] == ["10.0.0.0/8"]


def test_settings_travel_to_other_processes() -> None:
    """What dump() wrote, restore() reads: values, options passed on, origins and warnings."""
    Path("pypi.conf").write_text("[server]\ntrusted_proxies = 10.0.0.0/8\n[granian]\nbacklog = 9\n")
    settings = load_settings(None, {"port": 0}, {"PYPI_SECRET_KEY": "k" * 20, "PYPI_PROT": "1"})
    restored = Settings.restore(settings.dump())
    assert restored == settings
    assert hash(restored) == hash(settings)
    assert (restored.origins, restored.warnings) == (settings.origins, settings.warnings)


@pytest.mark.parametrize("name", ["data_dir", "state_dir"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, name: str) -> None:
    """A file in the way: the sentence holds the path, where it was said, and what to do."""
    Path("in-the-way").touch()
    settings = load_settings(None, {"data_dir": "packages", name: "in-the-way/below"}, {})
    with pytest.raises(InvalidSetting) as caught:
        ensure_secret_key(settings)
    said = caught.value.sentence
    assert f"{tmp_path.resolve()}/in-the-way/below' (--{name.replace('_', '-')}) cannot be written" in said
    assert f"set {name} to another one" in said
