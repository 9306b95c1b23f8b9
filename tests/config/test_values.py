"""What a setting takes: values as people write them, and a sentence for those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import OPTIONS, load_settings
from errors import InvalidSetting
from tests.config.files import from_file, refusal


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
