"""Where settings come from: defaults, the file, variables and flags, and which of them wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import load_settings
from errors import InvalidSetting
from tests.config.files import from_file, refusal

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
            "pypi.conf: section 'DEFAULT' is not known; known are: auth, granian, indexes, ldap, openid, publishing, s",
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


def test_options_of_the_web_servers_are_passed_on() -> None:
    """[granian] and [waitress] take any key; they are shown like settings."""
    settings = from_file("[granian]\nbacklog = 99\n[waitress]\nchannel_timeout = 7\n")
    assert (settings.granian, settings.waitress) == ({"backlog": "99"}, {"channel_timeout": "7"})
    rows = [row for row in settings.rows() if row.section == "granian"]
    assert [(row.key, row.value, row.origin) for row in rows] == [("backlog", "99", "pypi.conf [granian] backlog")]
