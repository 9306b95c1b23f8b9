"""What ``simple.clients`` reads from User-Agent headers."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple.clients import LONGEST, OTHER, Client, client_of

PIP = {
    "ci": None, "cpu": "x86_64", "distro": {"id": "bookworm", "libc": {"lib": "glibc", "version": "2.36"}},
    "implementation": {"name": "CPython", "version": "3.11.7"}, "installer": {"name": "pip", "version": "26.3"},
    "openssl_version": "OpenSSL 3.0.19 27 Jan 2026", "python": "3.11.7", "system": {"name": "Linux", "release": "6.18"},
}  # fmt: skip


def spoken(name: str, facts: object) -> str:
    """A header as pip and uv send it."""
    return f"{name} {json.dumps(facts)}"


@pytest.mark.parametrize(
    ("agent", "client"),
    [
        (spoken("pip/26.3", PIP), Client("3.11", "pip", "26.3", "Linux x86-64", "glibc 2.36")),
        (spoken("uv/0.13.8", {**PIP, "cpu": "aarch64"}), Client("3.11", "uv", "0.13.8", "Linux ARM64", "glibc 2.36")),
        (
            spoken("pip/24.1.dev0", {**PIP, "distro": {"libc": {"lib": "musl", "version": "1.2"}}}),
            Client("3.11", "pip", "24.1", "Linux x86-64", "musl 1.2"),
        ),
        (
            spoken("pip/23.0", {"python": "3.12.0rc1", "cpu": "arm64", "system": {"name": "Darwin"}}),
            Client("3.12", "pip", "23.0", "macOS ARM64", ""),
        ),
        (
            spoken("pip/23.0", {"python": "2.7.18", "cpu": "AMD64", "system": {"name": "Windows"}}),
            Client("2.7", "pip", "23.0", "Windows x86-64", ""),
        ),
        ("poetry/2.5.1 CPython/3.11.7 Linux/6.18.44", Client("3.11", "Poetry", "2.5.1", "Linux", "")),
        ("pdm/2.29.3 CPython/3.12.1 Darwin/23.1", Client("3.12", "PDM", "2.29.3", "macOS", "")),
        (
            "bandersnatch/6.8.0 (cpython 3.11.7-final0, Linux x86_64) (aiohttp 3.14.5)",
            Client("3.11", "bandersnatch", "6.8.0", "Linux x86-64", ""),
        ),
        (
            "conda/24.1 requests/2.31 CPython/3.11.2 Linux/6.1 debian/12 glibc/2.36",
            Client("3.11", "conda", "24.1", "Linux", "glibc 2.36"),
        ),
        ("setuptools/69.1 Python-urllib/3.9", Client("3.9", "setuptools", "69.1", "", "")),
        ("python-requests/2.32.3", Client("", "requests", "2.32.3", "", "")),
        ("Python/3.11 aiohttp/3.9.1", Client("3.11", "aiohttp", "", "", "")),
        ("curl/8.1", Client("", "curl", "8.1", "", "")),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", Client("", "browser", "", "Linux x86-64", "")),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", Client("", "browser", "", "Windows x86-64", "")),
        ("Mozilla/5.0 (Linux; Android 14; Pixel)", Client("", "browser", "", "Android", "")),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17 like Mac OS X)", Client("", "browser", "", "iOS", "")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", Client("", "browser", "", "macOS", "")),
        ("", Client()),
        ("   ", Client()),
    ],
)
def test_real_clients_are_understood(agent: str, client: Client) -> None:
    """Headers as the programs send them."""
    assert client_of(agent) == client


@pytest.mark.parametrize(
    ("agent", "client"),
    [
        ("Evil<script>/1.0", Client(installer=OTHER)),
        ("💥", Client(installer=OTHER)),
        ('{"python": "3.12"}', Client(installer=OTHER)),
        ("pip", Client(installer="pip")),
        ("pip/<b>", Client(installer="pip")),
        ("pip/99999.1", Client(installer="pip")),
        ("pip/1.2.3.4.5", Client(installer="pip", installer_version="1.2.3")),
        ("pip/٣.٤", Client(installer="pip")),
        (spoken("pip/26", ["python"]), Client(installer="pip", installer_version="26")),
        (spoken("pip/26", {"python": 3.12, "system": "x", "distro": {"libc": [1]}}), Client("", "pip", "26", "", "")),
        (spoken("pip/26", {"python": "banana"}), Client(OTHER, "pip", "26", "", "")),
        (spoken("pip/26", {"python": "3.99"}), Client(OTHER, "pip", "26", "", "")),
        (spoken("pip/26", {"system": {"name": "<b>"}, "cpu": "x86_64"}), Client("", "pip", "26", OTHER, "")),
        (spoken("pip/26", {"system": {"name": "Linux"}, "cpu": "abacus"}), Client("", "pip", "26", "Linux", "")),
        ("pip/26 " + "[" * 5_000, Client(installer="pip", installer_version="26")),
        ('pip/26 {"python":' + "[" * 1_500, Client(installer="pip", installer_version="26")),
        ('pip/26 {"python": "3.12", "x": "' + "y" * LONGEST + '"}', Client(installer="pip", installer_version="26")),
        ('pip/26 {"python": "\\ud800"}', Client(installer="pip", installer_version="26")),
    ],
)  # fmt: skip
def test_whatever_else_is_sent_is_no_harm(agent: str, client: Client) -> None:
    """Wrong types, depths, sizes and words become "other" or nothing."""
    assert client_of(agent) == client


PLATFORMS = r"|other|(Linux|macOS|Windows|Android|iOS|\w+BSD|Solaris|AIX|Emscripten)( [\w-]{3,9})?"
LETTERS = st.sampled_from([*'pipuv/0123456789.{}[]":, ', "pip/", "CPython/", "Linux", "x86_64", '{"python":"'])


@given(st.one_of(st.text(), st.lists(LETTERS).map("".join)))
def test_only_known_words_come_out(agent: str) -> None:
    """Nothing that was sent is handed on, but short numbers; nothing is raised."""
    client = client_of(agent)
    assert re.fullmatch(r"|other|[23]\.\d{1,2}", client.python)
    assert re.fullmatch(r"|(\d{1,4}\.){0,2}\d{1,4}", client.installer_version)
    assert re.fullmatch(r"|(glibc|musl) \d{1,2}\.\d{1,2}", client.libc)
    assert len(client.installer) <= 20
    assert re.fullmatch(
        r"|other|(Linux|macOS|Windows|Android|iOS|\w+BSD|Solaris|AIX|Emscripten)( [\w-]{3,9})?", client.platform
    )
