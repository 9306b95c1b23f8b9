"""Who asks for a file, as far as the User-Agent header says: installer, Python, platform.

pip and uv send a JSON object behind their name, the others words such as ``CPython/3.12.1 Linux/6.1`` (RFC 9110,
10.1.5). Anybody can send anything, so the answer is made of words that are known here and of short numbers, never of
what was sent; a header of any size costs microseconds.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final, NamedTuple

import orjson

OTHER: Final = "other"  # something was said that is not told apart here; "": nothing was said
LONGEST: Final = 2_048  # characters that are looked at; pip sends 450
_SPOKEN: Final = 300  # the same of a header without JSON
_KEPT: Final = 1_024  # headers whose meaning is remembered


class Client(NamedTuple):
    """One kind of client. Each field is "" where the header does not say it.

    ``python`` is ``3.12`` or OTHER; ``installer`` a name, with at most three numbers as ``installer_version``;
    ``platform`` a system with its machine, ``Linux x86-64``; ``libc`` a C library, ``glibc 2.36``.
    """

    python: str = ""
    installer: str = ""
    installer_version: str = ""
    platform: str = ""
    libc: str = ""


NOT_TOLD_APART: Final = Client(OTHER, OTHER, "", OTHER, "")

_INSTALLERS: Final = {
    "pip": "pip", "uv": "uv", "poetry": "Poetry", "pdm": "PDM", "unearth": "unearth", "hatch": "Hatch",
    "pipenv": "Pipenv", "pixi": "pixi", "conda": "conda", "mamba": "mamba", "micromamba": "mamba",
    "setuptools": "setuptools", "bazel": "Bazel", "bandersnatch": "bandersnatch", "devpi-server": "devpi",
    "artifactory": "Artifactory", "nexus": "Nexus", "pulpcore": "Pulp", "proxpi": "proxpi", "pypi-clone": "PyPI Clone",
    "python-requests": "requests", "python-httpx": "httpx", "python-urllib": "urllib", "python-urllib3": "urllib3",
    "python": "aiohttp", "curl": "curl", "wget": "Wget", "mozilla": "browser",
}  # fmt: skip
_WITHOUT_VERSION: Final = {"browser", "urllib", "aiohttp"}  # theirs is that of something else
# In the order in which they are looked for among words: Android says that it is Linux, an iPhone that it is a Mac.
_SYSTEMS: Final = {
    "android": "Android", "ios": "iOS", "ipados": "iOS", "iphone": "iOS", "ipad": "iOS", "windows": "Windows",
    "darwin": "macOS", "macos": "macOS", "macintosh": "macOS", "linux": "Linux", "freebsd": "FreeBSD",
    "openbsd": "OpenBSD", "netbsd": "NetBSD", "sunos": "Solaris", "aix": "AIX", "emscripten": "Emscripten",
}  # fmt: skip
_MACHINES: Final = {
    "x86_64": "x86-64", "amd64": "x86-64", "x64": "x86-64", "i386": "x86-32", "i686": "x86-32", "x86": "x86-32",
    "aarch64": "ARM64", "arm64": "ARM64", "armv6l": "ARMv6", "armv7l": "ARMv7", "ppc64le": "POWER64",
    "s390x": "s390x", "riscv64": "RISC-V", "loongarch64": "LoongArch",
}  # fmt: skip
_LIBRARIES: Final = ("glibc", "musl")
_LAST_PYTHON: Final = 49  # minor versions beyond it are nobody's

_PRODUCT: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,30})(?:/(\S{0,40}))?")
_WORD: Final = re.compile(r"[a-z0-9._-]+")
_VERSION: Final = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,2}(?!\d)", re.ASCII)
_SHORT_VERSION: Final = re.compile(r"(\d{1,2})\.(\d{1,2})(?!\d)", re.ASCII)


def client_of(agent: str) -> Client:
    """What a User-Agent header says. Never raises; the same header costs 0.1 microseconds from the second time on."""
    return _read(agent[: LONGEST + 1])


@functools.lru_cache(maxsize=_KEPT)
def _read(agent: str) -> Client:
    product = _PRODUCT.match(agent)
    if product is None:
        return Client(installer=OTHER if agent.strip() else "")
    installer = _INSTALLERS.get(product[1].lower(), OTHER)
    version = "" if installer == OTHER or installer in _WITHOUT_VERSION else _version(product[2] or "")
    facts = _facts(agent[product.end() :])
    if facts is None:
        return _spoken(agent, installer, version)
    return Client(
        _python(_said(facts, "python")),
        installer,
        version,
        _platform(_said(facts, "system", "name"), _said(facts, "cpu")),
        _libc(_said(facts, "distro", "libc", "lib"), _said(facts, "distro", "libc", "version")),
    )


def _spoken(agent: str, installer: str, version: str) -> Client:
    """What the words of a header without JSON say."""
    words = _WORD.findall(agent[:_SPOKEN].lower())
    after = dict(zip(words, [*words[1:], ""], strict=True))  # each word's follower: CPython/3.12, glibc 2.36
    python = next((after[name] for name in ("cpython", "python", "python-urllib") if name in after), "")
    system = next((name for name in _SYSTEMS if name in after), "")
    machine = next((word for word in words if word in _MACHINES), "")
    library = next((name for name in _LIBRARIES if name in after), "")
    return Client(
        _python(python), installer, version, _platform(system, machine), _libc(library, after.get(library, ""))
    )


def _facts(rest: str) -> dict[str, Any] | None:
    """The JSON object behind the name, empty if it is broken; None if there is none."""
    rest = rest.strip()
    if not rest.startswith("{"):
        return None
    try:
        found: dict[str, Any] = orjson.loads(rest)
    except orjson.JSONDecodeError:
        return {}
    return found


def _said(facts: dict[str, Any], *path: str) -> str:
    """The text at a place of the object; "" where there is none, whatever else is there."""
    here: Any = facts
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return here if isinstance(here, str) else ""


def _version(text: str) -> str:
    found = _VERSION.match(text)
    return found[0] if found else ""


def _python(text: str) -> str:
    if not text:
        return ""
    found = _SHORT_VERSION.match(text)
    if found is None:
        return OTHER
    major, minor = int(found[1]), int(found[2])
    known = (major == 3 and minor <= _LAST_PYTHON) or (major, minor) in {(2, 6), (2, 7)}
    return f"{major}.{minor}" if known else OTHER


def _platform(system: str, machine: str) -> str:
    name = _SYSTEMS.get(system.lower(), OTHER) if system else ""
    if name in {"", OTHER}:
        return name
    return f"{name} {_MACHINES.get(machine.lower(), '')}".rstrip()


def _libc(library: str, version: str) -> str:
    found = _SHORT_VERSION.match(version)
    return f"{library} {int(found[1])}.{int(found[2])}" if library in _LIBRARIES and found else ""
