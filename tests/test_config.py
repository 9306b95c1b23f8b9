"""What config.py promises about settings: where they come from, what they take, how they are shown and kept."""

from __future__ import annotations

import os
import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

import config
from config import OPTIONS, Settings, ensure_secret_key, load_settings, prepare_directories
from errors import InvalidSetting

ROOT = Path(__file__).parent.parent
USER_SAMPLE = """
[server]
host = localhost
port = 8080
data_dir = ./packages
debug = true
secret_key = your-secret-key-here
max_file_size = 104857600

[auth]
enabled = false
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in an empty folder and without PYPI_* variables of the machine."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYPI_")]:
        monkeypatch.delenv(name)


def from_file(text: str, **environ: str) -> Settings:
    Path("pypi.conf").write_text(text, encoding="utf-8")
    return load_settings(environ=environ)


def refusal(text: str) -> str:
    with pytest.raises(InvalidSetting) as caught:
        from_file(text)
    return caught.value.sentence


def test_the_defaults_are_those_of_the_user_document() -> None:
    """Nothing set: localhost:8080, ./packages, no authentication, debug on, 100 MiB."""
    settings = load_settings(environ={})
    assert (settings.host, settings.port, settings.data_dir) == ("localhost", 8080, "./packages")
    assert (settings.auth_enabled, settings.debug, settings.max_file_size) == (False, True, 100 * 2**20)
    assert (settings.secret_key, settings.warnings, settings.origin("port")) == ("", (), "default")


def test_the_variables_are_those_of_the_user_document() -> None:
    """The six documented variables set the six settings."""
    environ = {
        "PYPI_HOST": "0.0.0.0", "PYPI_PORT": "9000", "PYPI_DATA_DIR": "/srv/my packages", "PYPI_AUTH": "True",
        "PYPI_DEBUG": "False", "PYPI_SECRET_KEY": "k" * 40,
    }  # fmt: skip
    settings = load_settings(environ=environ)
    assert (settings.host, settings.port, settings.data_dir) == ("0.0.0.0", 9000, "/srv/my packages")
    assert (settings.auth_enabled, settings.debug, settings.secret_key) == (True, False, "k" * 40)
    assert settings.warnings == ()


def test_the_users_sample_loads_and_its_key_counts_as_none() -> None:
    """The block of the user document is a good file; its placeholder key is no key, with one warning."""
    settings = from_file(USER_SAMPLE)
    assert settings == load_settings(environ={})
    assert settings.warnings == (
        "pypi.conf [server] secret_key is the placeholder of the sample file and counts as not set.",
    )


def test_a_later_place_wins() -> None:
    """default < file < environment < flags, and the origin says which it was."""
    text = "[server]\nhost = file.example\nport = 1\nthreads = 1\n"
    Path("pypi.conf").write_text(text)
    settings = load_settings(None, {"threads": 3, "host": None}, {"PYPI_PORT": "2", "PYPI_THREADS": "2"})
    assert (settings.workers, settings.host, settings.port, settings.threads) == (1, "file.example", 2, 3)
    origins = [settings.origin(name) for name in ("workers", "host", "port", "threads")]
    assert origins == ["default", "pypi.conf [server] host", "PYPI_PORT", "--threads"]


def test_the_file_is_the_named_one_then_that_of_the_environment_then_the_one_here() -> None:
    """--config, then PYPI_CONFIG, then ./pypi.conf; one that is named must be there."""
    for number, name in enumerate(["pypi.conf", "two.conf", "three.conf"], start=1):
        Path(name).write_text(f"[server]\nport = {number}\n")
    assert load_settings(environ={}).port == 1
    assert load_settings(environ={"PYPI_CONFIG": "two.conf"}).port == 2
    assert load_settings(Path("three.conf"), environ={"PYPI_CONFIG": "two.conf"}).port == 3
    with pytest.raises(InvalidSetting, match=r"'gone\.conf' cannot be read: No such file"):
        load_settings(Path("gone.conf"), environ={})


def test_an_empty_variable_counts_as_not_set() -> None:
    """PYPI_PORT= and PYPI_SECRET_KEY= change nothing."""
    settings = load_settings(environ={"PYPI_PORT": " ", "PYPI_SECRET_KEY": "", "PYPI_CONFIG": ""})
    assert (settings.port, settings.origin("port"), settings.warnings) == (8080, "default", ())


def test_a_strange_variable_is_a_warning_without_its_value() -> None:
    """Machines carry PYPI_* names for other ends: one warning each, which names the near setting."""
    settings = load_settings(environ={"PYPI_PROT": "x", "PYPI_TOKEN": "secret-value", "PATH": "/bin"})
    assert settings.warnings == (
        "'PYPI_PROT' names no setting and is not used (did you mean PYPI_PORT?).",
        "'PYPI_TOKEN' names no setting and is not used.",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprot = 1\n", "pypi.conf [server]: 'prot' is not known; did you mean port?"),
        ("[auth]\nport = 1\n", "pypi.conf [auth]: 'port' is not known; it belongs to [server]."),
        ("[serve]\nport = 1\n", "pypi.conf: section 'serve' is not known; did you mean server?"),
        (
            "[DEFAULT]\nport = 1\n",
            "pypi.conf: section 'DEFAULT' is not known; known are: auth, granian, ldap, openid, publishing, server",
        ),
        ("port = 1\n", "pypi.conf, line 1: neither [section] nor key = value"),
        ("[server]\nsecret_key hidden\n", "pypi.conf, line 2: neither [section] nor key = value"),
        ("[server]\nport = 1\nport = 2\n", "pypi.conf, line 3: [server] port is there twice"),
        ("[server]\n[server]\n", "pypi.conf, line 2: [server] is there twice"),
    ],
)
def test_a_file_that_is_not_understood_stops_the_start(text: str, sentence: str) -> None:
    """Unknown keys and sections, doubled and broken lines: one sentence with the place, never the line itself."""
    said = refusal(text)
    assert said.startswith(sentence)
    assert "hidden" not in said


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and a folder, are refused in a sentence; a byte order mark is no trouble."""
    Path("pypi.conf").write_bytes(b"[server]\nhost = \xff\n")
    with pytest.raises(InvalidSetting, match="not UTF-8"):
        load_settings(environ={})
    with pytest.raises(InvalidSetting, match="cannot be read"):
        load_settings(tmp_path, environ={})
    Path("pypi.conf").write_bytes(b"\xef\xbb\xbf[server]\r\nport = 5\r\n")
    assert load_settings(environ={}).port == 5


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("port = eighty", "a whole number from 0 to 65535"),
        ("port = 65536", "a whole number from 0 to 65535"),
        ("port = -1", "a whole number from 0 to 65535"),
        ("port = 8_0", "a whole number"),
        ("port = \u0663", "a whole number"),
        ("port =", "a whole number"),
        ("workers = 0", "a whole number from 1 to 64"),
        ("workers = 65", "a whole number from 1 to 64"),
        ("debug = maybe", "true, yes, on or 1"),
        ("host =", "a host name or address alone"),
        ("host = localhost:8080", "a host name or address alone"),
        ("host = http://localhost", "a host name or address alone"),
        ("host = a b", "a host name or address alone"),
        ("data_dir =", "the path of a folder"),
        ("data_dir = a\x07b", "the path of a folder"),
        ("max_file_size = 1.5GiB", "a whole number of bytes"),
        ("max_file_size = 10 parsecs", "a whole number of bytes"),
        ("server = gunicorn", "one of granian, waitress, auto"),
        ("log_format = xml", "one of console, json, or empty"),
        ("trusted_proxies = 10.0.0.1/8", "addresses or networks"),
        ("trusted_hosts = https://a.example", "host names without ports"),
        ("database_url = postgresql://me:hidden@db/index", "only SQLite is supported so far"),
        ("database_url = sqlite://", "only SQLite"),
        ("database_url = sqlite:///:memory:", "only SQLite"),
        ("base_url = index.example.com", "an address such as"),
        ("base_url = ftp://index.example.com", "an address such as"),
        ("base_url = https://me:hidden@index.example.com", "without user"),
        ("base_url = https://index.example.com:99999", "an address such as"),
        ("base_url = https://index.example.com/?a=b", "without user, query"),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_what_is_taken(line: str, allowed: str) -> None:
    """The sentence holds the place, the value and what is allowed, and no password of an address."""
    said = refusal(f"[server]\n{line}\n")
    key = line.partition(" ")[0]
    assert said.startswith(f"pypi.conf [server] {key} is '")
    assert allowed in said
    assert "hidden" not in said


def test_a_wrong_value_names_the_variable_or_the_flag() -> None:
    """Not only files: the variable and the flag are named too, and an unknown flag is refused."""
    with pytest.raises(InvalidSetting, match=r"^PYPI_AUTH is 'perhaps'; it takes true"):
        load_settings(environ={"PYPI_AUTH": "perhaps"})
    with pytest.raises(InvalidSetting, match=r"^--auth-session-days is '0'; it takes a whole number from 1 to 365"):
        load_settings(None, {"auth_session_days": 0}, {})
    with pytest.raises(InvalidSetting, match=r"There is no setting 'prot'; did you mean port\?"):
        load_settings(None, {"prot": 1}, {})


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("debug = OFF", "debug", False),
        ("debug = Yes", "debug", True),
        ("max_file_size = 200 MiB", "max_file_size", 200 * 2**20),
        ("max_file_size = 1GB", "max_file_size", 10**9),
        ("max_file_size = 3kib", "max_file_size", 3072),
        ("host = [::1]", "host", "::1"),
        ("host = 0.0.0.0", "host", "0.0.0.0"),
        ("data_dir = /srv/%(home)s 100%", "data_dir", "/srv/%(home)s 100%"),
        ("trusted_proxies = 10.0.0.0/8, ::1", "trusted_proxies", ("10.0.0.0/8", "::1/128")),
        ("trusted_hosts = A.example,\n  b.example", "trusted_hosts", ("a.example", "b.example")),
        ("base_url = https://index.example.com/pypi/", "base_url", "https://index.example.com/pypi"),
        ("server = AUTO", "server", "auto"),
        ("port = 0", "port", 0),
    ],
)
def test_values_are_read_as_people_write_them(line: str, name: str, value: object) -> None:
    """Words in any case, sizes with units, lists over lines, bracketed addresses; a % is a %."""
    assert getattr(from_file(f"[server]\n{line}\n"), name) == value


@given(st.text(), st.sampled_from(sorted(OPTIONS)))
def test_any_text_is_taken_or_refused_in_a_sentence(text: str, name: str) -> None:
    """No text makes a setting fail otherwise than with InvalidSetting, and what was taken reads back the same."""
    settings, sentence = None, ""
    try:
        settings = load_settings(None, {name: text}, {})
    except InvalidSetting as refused:
        sentence = refused.sentence
    assert sentence.isprintable()
    if settings and not OPTIONS[name].secret:
        assert getattr(load_settings(None, {name: settings.shown(name)}, {}), name) == getattr(settings, name)


def test_flags_may_be_values_or_text() -> None:
    """The command line hands on what it has: numbers, paths, lists or text."""
    flags = {"port": 0, "debug": False, "data_dir": Path("/srv/p"), "trusted_proxies": ["10.0.0.0/8", "::1"]}
    settings = load_settings(None, flags, {})
    assert (settings.port, settings.debug, settings.data_dir) == (0, False, "/srv/p")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")


def test_options_of_the_web_servers_are_passed_on() -> None:
    """[granian] and [waitress] take any key; they are shown like settings."""
    settings = from_file("[granian]\nbacklog = 99\n[waitress]\nchannel_timeout = 7\n")
    assert (settings.granian, settings.waitress) == ({"backlog": "99"}, {"channel_timeout": "7"})
    rows = [row for row in settings.rows() if row.section == "granian"]
    assert [(row.key, row.value, row.origin) for row in rows] == [("backlog", "99", "pypi.conf [granian] backlog")]


def test_secrets_are_never_shown() -> None:
    """Not by rows(), not by repr(), not in a refusal."""
    settings = load_settings(environ={"PYPI_SECRET_KEY": "hidden" * 9, "PYPI_ADMIN_PASSWORD": "hidden"})
    rows = {row.key: row.value for row in settings.rows()}
    assert (rows["secret_key"], rows["admin_password"]) == ("********", "********")
    assert "hidden" not in repr(settings)
    with pytest.raises(InvalidSetting) as caught:
        load_settings(environ={"PYPI_SECRET_KEY": "hidden", "PYPI_HOST": "0.0.0.0"})
    assert "hidden" not in caught.value.sentence


def test_a_secret_may_lie_in_a_file() -> None:
    """PYPI_..._FILE names a file with the secret, as containers hand them over; both at once are refused."""
    Path("password").write_text(" with spaces \n")
    settings = load_settings(environ={"PYPI_ADMIN_PASSWORD_FILE": "password"})
    assert (settings.admin_password, settings.origin("admin_password")) == (
        " with spaces ", "PYPI_ADMIN_PASSWORD_FILE",
    )  # fmt: skip
    with pytest.raises(InvalidSetting, match="both set"):
        load_settings(environ={"PYPI_ADMIN_PASSWORD_FILE": "password", "PYPI_ADMIN_PASSWORD": "x"})
    with pytest.raises(InvalidSetting, match=r"PYPI_SECRET_KEY_FILE names 'gone', which cannot be read: No such"):
        load_settings(environ={"PYPI_SECRET_KEY_FILE": "gone"})


def test_a_short_key_is_refused_where_others_can_connect() -> None:
    """A guessable key such as "dev" is a warning on this machine alone, and stops the start elsewhere."""
    assert "can be guessed" in load_settings(environ={"PYPI_SECRET_KEY": "dev"}).warnings[0]
    with pytest.raises(InvalidSetting, match=r"^PYPI_SECRET_KEY has fewer than 16 characters"):
        load_settings(environ={"PYPI_SECRET_KEY": "dev", "PYPI_HOST": "0.0.0.0"})


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


def test_the_database_url_reads_back_as_its_path(tmp_path: Path) -> None:
    """Spaces, question marks and percent signs in a folder's name survive the URL."""
    settings = Settings(data_dir=str(tmp_path / "a b%20?#"))
    assert make_url(settings.database_location).database == str(settings.database_path)


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


def test_the_sample_and_the_page_are_those_of_the_declarations() -> None:
    """pypi.conf.sample and docs/settings.md are what config.py makes."""
    assert (ROOT / "pypi.conf.sample").read_text(encoding="utf-8") == config.sample_file()
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == config.settings_document()


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_setting_is_documented(name: str) -> None:
    """Each setting is in the sample, under its sentence, and on the page with its variable and its option."""
    one = OPTIONS[name]
    assert re.search(rf"^# {re.escape(one.doc)}.*\n#?{one.key} =", config.sample_file(), re.MULTILINE)
    row = next(line for line in config.settings_document().splitlines() if f"`{one.env}`" in line)
    assert f"| `{one.key}` |" in row
    assert one.doc in row
    assert one.flag in row
    assert one.secret is not bool(one.flag)


def test_the_sample_says_the_defaults() -> None:
    """As it is, and with every # before a setting taken away, the sample means the defaults; it holds the user's."""
    assert from_file(config.sample_file()) == Settings()
    every = from_file(re.sub(r"(?m)^#(?!backlog|channel)(?=\w+ =)", "", config.sample_file()))
    assert every == Settings()
    assert set(OPTIONS) - set(every.origins) == {"secret_key"}
    lines = [line for line in config.sample_file("").splitlines() if line and not line.startswith(("#", "["))]
    assert lines == [
        "host = localhost", "port = 8080", "data_dir = ./packages", "debug = true", "secret_key =",
        "max_file_size = 104857600", "enabled = false",
    ]  # fmt: skip


def test_names_of_settings_are_not_shared() -> None:
    """No two settings share a variable, a flag, or a section and key."""
    for names in (
        [one.env for one in OPTIONS.values()],
        [one.flag for one in OPTIONS.values() if one.flag],
        [(one.section, one.key) for one in OPTIONS.values()],
    ):
        assert len(names) == len(set(names))


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """The first start makes 32 random bytes in hexadecimal, for the owner only; later ones read them."""
    settings = Settings(data_dir=str(tmp_path / "deep/packages"))
    key = ensure_secret_key(settings)
    assert re.fullmatch(rb"[0-9a-f]{64}", key)
    assert ensure_secret_key(settings) == key
    assert stat.S_IMODE(settings.secret_key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.state_path.stat().st_mode) == 0o700
    assert [path.name for path in settings.state_path.iterdir()] == ["secret_key"]


def test_a_key_that_is_set_wins(tmp_path: Path) -> None:
    """A secret_key of the settings is the key, and no file is made."""
    settings = Settings(data_dir=str(tmp_path / "packages"), secret_key="set by hand, long")
    assert ensure_secret_key(settings) == b"set by hand, long"
    assert not settings.data_path.exists()


def test_a_key_that_others_can_read_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file mode that lets others read the key is put right, with a warning that does not hold the key."""
    settings = Settings(data_dir=str(tmp_path))
    key = ensure_secret_key(settings)
    settings.secret_key_path.chmod(0o644)
    assert ensure_secret_key(settings) == key
    assert stat.S_IMODE(settings.secret_key_path.stat().st_mode) == 0o600
    assert "could be read by others (mode 644)" in caplog.text
    assert key.decode() not in caplog.text


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    """An empty or cut key file is never used as a key."""
    settings = Settings(data_dir=str(tmp_path))
    prepare_directories(settings)
    settings.secret_key_path.touch(0o600)
    with pytest.raises(InvalidSetting, match="is cut off; delete it"):
        ensure_secret_key(settings)


def test_those_that_start_together_get_one_key(tmp_path: Path) -> None:
    """Eight at once in each of forty new folders: all have the same key, whoever was first."""
    everybody = threading.Barrier(8)

    def key_of(data_dir: Path) -> bytes:
        everybody.wait()
        return ensure_secret_key(Settings(data_dir=str(data_dir)))

    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            assert len(set(pool.map(key_of, [tmp_path / str(number)] * 8))) == 1


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
