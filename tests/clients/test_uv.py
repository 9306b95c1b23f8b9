"""uv resolves, locks and installs from a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Shelf, files_of
from tests.clients.programs import Programs, Venv, requests_of

pytestmark = pytest.mark.clients


def install(venv: Venv, shelf: Shelf, *arguments: str | Path) -> str:
    """Install into the environment; what uv wrote."""
    command = ["pip", "install", "--no-config", "--python", str(venv.python), "--default-index", shelf.url]
    return venv.programs.well("uv", *command, *arguments)


def asked_of(shelf: Shelf, name: str) -> list[str]:
    """What uv asked about a project and its dependency."""
    return [one for one in requests_of(shelf.server, "uv/") if name in one.replace("_", "-")]


def test_it_installs_with_dependencies(venv: Venv, shelf: Shelf, name: str) -> None:
    """A project and what it depends on are installed, the newest version of each that fits this Python."""
    shelf.put(name, "1.0", requires_dist=[f"{name}.dep[some]>=1,<2"])
    shelf.put(name, "2.0", requires_python=">=4")
    for version in ("0.9", "1.5", "2.0"):
        shelf.put(f"{name}-dep", version)
    install(venv, shelf, name)
    assert venv.versions() == {name: "1.0", f"{name}-dep": "1.5"}
    assert venv.imports(name.replace("-", "_"))


def test_it_takes_an_extra_index(venv: Venv, shelf: Shelf, other_shelf: Shelf, name: str) -> None:
    """What an extra index does not have, which it says with 404, comes from the default one."""
    other_shelf.put(name, requires_dist=[f"{name}-dep"])
    shelf.put(f"{name}-dep")
    install(venv, shelf, "--index", other_shelf.url, name)
    assert venv.versions() == {name: "1.0", f"{name}-dep": "1.0"}


def test_it_resolves_without_a_wheel(programs: Programs, shelf: Shelf, name: str, tmp_path: Path) -> None:
    """``uv pip compile`` asks for pages and metadata files, not for a wheel, and pins with the right digests."""
    wheels = [shelf.put(name, requires_dist=[f"{name}-dep"]), shelf.put(f"{name}-dep")]
    (tmp_path / "requirements.in").write_text(f"{name}\n")
    command = ["uv", "pip", "compile", "--no-config", "--no-header", "--no-annotate", "--generate-hashes"]
    said = programs.well(*command, "--default-index", shelf.url, tmp_path / "requirements.in")
    assert f"{name}==1.0" in said
    pages = {**files_of(shelf.server, name), **files_of(shelf.server, f"{name}-dep")}
    assert all(f"--hash=sha256:{pages[wheel.name]['hashes']['sha256']}" in said for wheel in wheels)
    asked = asked_of(shelf, name)
    assert sum(one.endswith(".whl.metadata") for one in asked) == 2
    assert not any(one.endswith(".whl") for one in asked)


def test_it_revalidates(venv: Venv, shelf: Shelf, name: str) -> None:
    """A second run sends the page's ETag and is told 304; after an upload it sees the new release at once."""
    shelf.put(name, "1.0")
    install(venv, shelf, name)
    install(venv, shelf, "--upgrade", name)
    assert [one for one in asked_of(shelf, name) if "/simple/" in one] == [
        f"200 GET /simple/{name}/",
        f"304 GET /simple/{name}/",
    ]
    shelf.put(name, "2.0")
    install(venv, shelf, "--upgrade", name)
    assert venv.versions() == {name: "2.0"}


def test_it_goes_back_in_time(venv: Venv, shelf: Shelf, name: str) -> None:
    """--exclude-newer finds an upload time on every file, and takes an older release."""
    shelf.put(name, "1.0")
    newest = shelf.put(name, "2.0")
    moment = files_of(shelf.server, name)[newest.name]["upload-time"]
    install(venv, shelf, "--exclude-newer", moment, name)
    assert venv.versions() == {name: "1.0"}


def test_it_passes_a_yanked_release_over(venv: Venv, shelf: Shelf, name: str) -> None:
    """A yanked release is taken only when it is pinned, and then its reason is shown."""
    shelf.put(name, "1.0")
    shelf.put(name, "2.0")
    shelf.yank(name, "2.0", "broken on Sundays")
    install(venv, shelf, name)
    assert venv.versions() == {name: "1.0"}
    assert "broken on Sundays" in install(venv, shelf, f"{name}==2.0")
    assert venv.versions() == {name: "2.0"}


def test_it_demands_hashes(venv: Venv, shelf: Shelf, name: str, tmp_path: Path) -> None:
    """With --require-hashes another digest than that of the page does not install."""
    shelf.put(name)
    (tmp_path / "requirements.txt").write_text(f"{name}==1.0 --hash=sha256:{'0' * 64}\n")
    refused = venv.programs(
        "uv", "pip", "install", "--no-config", "--python", venv.python, "--default-index", shelf.url,
        "--require-hashes", "-r", tmp_path / "requirements.txt",
    )  # fmt: skip
    assert refused.code != 0
    assert "hash mismatch" in refused.text.lower()


def test_it_locks_and_syncs(venv: Venv, shelf: Shelf, name: str, tmp_path: Path) -> None:
    """``uv lock`` writes sizes and upload times into the lock, and ``uv sync`` installs from it."""
    wheel = shelf.put(name, requires_dist=[f"{name}-dep"])
    shelf.put(f"{name}-dep")
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "application"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{name}"]\n'
        f'[[tool.uv.index]]\nname = "ours"\nurl = "{shelf.url}"\ndefault = true\n'
    )
    environ: dict[str, Any] = {"VIRTUAL_ENV": str(venv.folder), "UV_PYTHON": str(venv.python)}
    venv.programs.well("uv", "lock", cwd=folder, **environ)
    lock = (folder / "uv.lock").read_text()
    assert f"size = {wheel.stat().st_size}" in lock
    moment = files_of(shelf.server, name)[wheel.name]["upload-time"]
    assert f'upload-time = "{moment[:19]}' in lock  # uv keeps milliseconds
    venv.programs.well("uv", "sync", "--active", "--locked", cwd=folder, **environ)
    assert venv.versions() == {name: "1.0", f"{name}-dep": "1.0"}
