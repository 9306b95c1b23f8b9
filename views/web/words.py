"""Figures and tags in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from simple.model import utc_stamp

_UNITS = ("kB", "MB", "GB", "TB")
_MOST_TAGS = 3
_IMPLEMENTATIONS = {
    "cp": "CPython",
    "pp": "PyPy",
    "py": "Python",
    "ip": "IronPython",
    "jy": "Jython",
    "graalpy": "GraalPy",
}
_MACHINES = {
    "x86_64": "x86-64", "amd64": "x86-64", "i686": "x86-32", "i386": "x86-32", "aarch64": "ARM64", "arm64": "ARM64",
    "armv7l": "ARMv7", "universal2": "x86-64 and ARM64", "intel": "x86-32 and x86-64",
}  # fmt: skip
_OLD_MANYLINUX = {"1": "2.5", "2010": "2.12", "2014": "2.17"}
_INTERPRETER = re.compile(r"(cp|pp|py|ip|jy|graalpy)(\d)(?:_?(\d+))?")
_LINUX = re.compile(r"(many|musl)linux_(\d+)_(\d+)_(\w+)")
_OLD_LINUX = re.compile(r"manylinux(1|2010|2014)_(\w+)")
_MAC = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")


# The first that an agent names counts: Edge says that it is Chrome, and Chrome that it is Safari.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_words(agent: str) -> str:
    """What a User-Agent header says in words: ``Firefox on Linux``; else its beginning."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " on ".join(filter(None, (browser, system))) or agent[:60] or "unknown"


def size_words(size: int | None) -> str:
    """A number of bytes for people: ``512 bytes``, ``1.2 MB``; a kilobyte has 1,000 bytes. None is one not known."""
    if size is None:
        return "size not known"
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    units, value = iter(_UNITS), size / 1000
    unit = next(units)
    while round(value, 1) >= 1000 and (larger := next(units, "")):
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if value < 100 else f"{value:,.0f} {unit}"


def count_words(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 file``, ``1,204 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def stamp(moment: datetime) -> str:
    """The moment for programs, as in ``<time datetime>``."""
    return utc_stamp(moment.replace(microsecond=0)).replace(".000000", "")


def moment_words(moment: datetime) -> str:
    """The moment for people: ``3 Feb 2026, 09:05 UTC``."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def duration_words(span: timedelta) -> str:
    """How long something took: ``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 10 min``."""
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def tag_words(filename: str) -> str:
    """What a distribution fits, in words: ``CPython 3.12, Linux x86-64, glibc 2.28+``."""
    if not filename.endswith(".whl"):
        return "Source"
    pythons, abis, platforms = (part.split(".") for part in filename.removesuffix(".whl").rsplit("-", 3)[1:])
    stable = "abi3" in abis
    interpreters = [_interpreter(tag) + (" and later" if stable else "") for tag in pythons]
    if interpreters == ["Python 2", "Python 3"]:
        interpreters = ["Python 2 and 3"]
    free = ["free-threaded"] if any(re.fullmatch(r"cp\d+t", abi) for abi in abis) else []
    return ", ".join([*_few(interpreters), *free, *_few([_platform(tag) for tag in platforms])])


def _few(names: list[str]) -> list[str]:
    names = list(dict.fromkeys(names))
    more = len(names) - _MOST_TAGS
    return names if more <= 0 else [*names[:_MOST_TAGS], f"{more} more"]


def _interpreter(tag: str) -> str:
    found = _INTERPRETER.fullmatch(tag)
    if found is None:
        return tag
    minor = f".{found[3]}" if found[3] else ""
    return f"{_IMPLEMENTATIONS[found[1]]} {found[2]}{minor}"


def _machine(tag: str) -> str:
    return _MACHINES.get(tag, tag)


def _platform(tag: str) -> str:
    if found := _LINUX.fullmatch(tag):
        library = "glibc" if found[1] == "many" else "musl"
        return f"Linux {_machine(found[4])}, {library} {found[2]}.{found[3]}+"
    if found := _OLD_LINUX.fullmatch(tag):
        return f"Linux {_machine(found[2])}, glibc {_OLD_MANYLINUX[found[1]]}+"
    if found := _MAC.fullmatch(tag):
        return f"macOS {found[1]}.{found[2]}+ {_machine(found[3])}"
    if tag.startswith("linux_"):
        return f"Linux {_machine(tag.removeprefix('linux_'))}"
    whole = {"any": "any platform", "win32": "Windows x86-32"}
    if tag.startswith("win_"):
        return f"Windows {_machine(tag.removeprefix('win_'))}"
    return whole.get(tag, tag)
