"""The Pythons and platforms for which files are taken: their wheel tags (PEP 425, 600, 656) and markers (PEP 508)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from packaging import tags
from packaging.tags import Tag

from errors import InvalidRequest, shown

_PYTHON: Final = re.compile(r"3\.(\d{1,2})")
_OLDEST_GLIBC, _NEWEST_GLIBC = 5, 39  # manylinux_2_5 is manylinux1 (PEP 600)
_NEWEST_MUSL: Final = 2
_LEGACY: Final = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
_WORDS: Final = re.compile(r"(linux|musllinux|macos|windows)-(x86_64|aarch64|arm64|i686)")
PLATFORMS: Final = (
    "linux-x86_64", "linux-aarch64", "musllinux-x86_64", "musllinux-aarch64", "macos-arm64", "macos-x86_64",
    "windows-x86_64", "windows-arm64",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Environment:
    """One Python on one platform: ``python`` as 3.12, ``platform`` a word of PLATFORMS, or a platform tag."""

    python: str
    platform: str

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform}"

    def tags(self) -> list[Tag]:
        """The tags of the wheels that can be installed there, the best first."""
        version = (3, int(self.python.partition(".")[2]))
        platforms = list(_platform_tags(self.platform))
        return [
            *tags.cpython_tags(version, platforms=platforms),
            *tags.compatible_tags(version, f"cp{version[0]}{version[1]}", platforms=platforms),
        ]

    def markers(self) -> dict[str, str]:
        """What the marker variables are there (PEP 508)."""
        system, machine = _system(self.platform)
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "nt" if system == "Windows" else "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": system,
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}[system],
        }


def environments(pythons: Sequence[str], platforms: Sequence[str]) -> tuple[Environment, ...]:
    """Each Python on each platform; this machine's own where none is named. Raises InvalidRequest."""
    for python in pythons:
        if not _PYTHON.fullmatch(python):
            raise InvalidRequest(f"{shown(python)} is no version of Python; write it as 3.12.")
    checked = [_checked(platform) for platform in platforms or (own_platform(),)]
    wanted = pythons or (f"3.{sys.version_info.minor}",)
    return tuple(dict.fromkeys(Environment(python, platform) for python in wanted for platform in checked))


def own_platform() -> str:
    """This machine's platform tag, as pip takes it."""
    return next(tags.platform_tags())


def _checked(platform: str) -> str:
    tag = platform.lower().replace(".", "_")
    if _WORDS.fullmatch(platform):
        return platform
    if re.fullmatch(r"(manylinux_2_\d+|musllinux_1_\d+|linux|macosx_\d+_\d+)_\w+|win32|win_amd64|win_arm64", tag):
        return tag
    raise InvalidRequest(
        f"{shown(platform)} is no platform; choose from {', '.join(PLATFORMS)}, or name a tag such as "
        "manylinux_2_28_x86_64."
    )


def _platform_tags(platform: str) -> Iterator[str]:
    words = _WORDS.fullmatch(platform)
    if words is not None:
        system, machine = words[1], words[2]
        if system == "macos":
            yield from tags.mac_platforms((26, 0), machine)
        elif system == "windows":
            yield {"x86_64": "win_amd64", "arm64": "win_arm64", "aarch64": "win_arm64"}.get(machine, "win32")
        elif system == "musllinux":
            yield from _musllinux(_NEWEST_MUSL, machine)
        else:
            yield from _manylinux(_NEWEST_GLIBC, machine)
        return
    glibc = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", platform)
    musl = re.fullmatch(r"musllinux_1_(\d+)_(\w+)", platform)
    mac = re.fullmatch(r"macosx_(\d+)_(\d+)_(\w+)", platform)
    if glibc is not None:
        yield from _manylinux(int(glibc[1]), glibc[2])
    elif musl is not None:
        yield from _musllinux(int(musl[1]), musl[2])
    elif mac is not None:
        yield from tags.mac_platforms((int(mac[1]), int(mac[2])), mac[3])
    else:
        yield platform


def _manylinux(newest: int, machine: str) -> Iterator[str]:
    for minor in range(newest, _OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{minor}_{machine}"
        if minor in _LEGACY:
            yield f"{_LEGACY[minor]}_{machine}"
    yield f"linux_{machine}"


def _musllinux(newest: int, machine: str) -> Iterator[str]:
    for minor in range(newest, -1, -1):
        yield f"musllinux_1_{minor}_{machine}"
    yield f"linux_{machine}"


def _system(platform: str) -> tuple[str, str]:
    """``platform_system`` and ``platform_machine``."""
    if platform.startswith("win"):
        amd = platform in {"windows-x86_64", "win_amd64"}
        return "Windows", "AMD64" if amd else "ARM64" if "arm" in platform or "aarch64" in platform else "x86"
    machine = next((one for one in ("x86_64", "aarch64", "arm64", "i686") if platform.endswith(one)), "x86_64")
    return "Darwin" if platform.startswith("mac") else "Linux", machine
