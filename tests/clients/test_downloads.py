"""What the server counts when real installers download: each file once, told apart by what they say of themselves."""

from __future__ import annotations

import json
import platform
import random
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import opened_shelf
from tests.clients.programs import Programs, Venv

pytestmark = pytest.mark.clients


def version_of(programs: Programs, program: str) -> str:
    """The version of a program, as it says it: ``pip 26.3 from ...``, ``uv 0.13.8``."""
    return programs.well(program, "--version").split()[1]


def test_pip_and_uv_count_once_each(programs: Programs, venv: Venv, tmp_path: Path) -> None:
    """A project of two files is installed with either: exact figures by day, version, Python, installer and platform.

    Resolving without installing, HEAD, a part, and a file that is there already add nothing.
    """
    noise = {"counted/noise.bin": random.Random(1).randbytes(200_000)}
    with opened_shelf(tmp_path) as shelf:
        small = shelf.put("counted-dep")
        big = shelf.put("counted", files=noise, requires_dist=["counted-dep"])
        shelf.put("counted", "0.9")
        uv = ["uv", "pip", "install", "--no-config", "--python", str(venv.python), "--default-index", shelf.url]
        pip = ["pip", "--python", str(venv.python), "install", "--index-url", shelf.url, "--no-cache-dir"]
        programs.well(pip[0], *pip[1:], "--dry-run", "counted")
        programs.well(pip[0], *pip[1:], "counted")
        programs.well(uv[0], *uv[1:], "--reinstall", "--no-cache", "counted")
        for path in (small, big):
            ask_otherwise(f"{shelf.server.url}/packages/{path.name.partition('-')[0].replace('_', '-')}/{path.name}")
        shelf.server.stop()  # writes what it counted
        shelf.server.start()
        found = figures(f"{shelf.server.url}/api/packages/counted/statistics?days=1")
        whole = figures(f"{shelf.server.url}/api/stats/downloads?days=1")
    python = ".".join(platform.python_version_tuple()[:2])
    libc = "{} {}".format(*platform.libc_ver())
    machine = {"x86_64": "x86-64", "aarch64": "ARM64"}[platform.machine()]
    assert (found["total"], found["in_period"]) == (2, 2)
    assert named(found["by_version"]) == {("1.0", big.name): 2}
    assert named(found["by_python"]) == {(python, None): 2}
    assert named(found["by_installer"]) == {
        ("pip", version_of(programs, "pip")): 1, ("uv", version_of(programs, "uv")): 1,
    }  # fmt: skip
    assert named(found["by_platform"]) == {(f"Linux {machine}", libc): 2}
    assert whole["total"] == 4
    assert whole["by_project"] == [{"name": "counted", "downloads": 2}, {"name": "counted-dep", "downloads": 2}]


def ask_otherwise(url: str) -> None:
    """Ask for a file in the ways that do not count."""
    head = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(head, timeout=10) as answer:
        tag = answer.headers["ETag"]
    part = urllib.request.Request(url, headers={"Range": "bytes=0-"})
    with urllib.request.urlopen(part, timeout=10) as answer:
        assert answer.status == 206
        answer.read()
    known = urllib.request.Request(url, headers={"If-None-Match": tag})
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(known, timeout=10)


def figures(url: str) -> dict[str, Any]:
    """A document of the API."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def named(shares: list[dict[str, Any]]) -> dict[tuple[str | None, str | None], int]:
    """The downloads by the names of value and part."""
    return {(share["name"], part["name"]): part["downloads"] for share in shares for part in share["parts"]}
