"""poetry and pdm lock and install a project whose packages come from a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.conftest import Shelf, files_of
from tests.clients.programs import Venv, requests_of

pytestmark = pytest.mark.clients

HEAD = """[project]
name = "application"
version = "1"
requires-python = ">=3.11,<4"
dependencies = ["{name}>=1"]
"""


@pytest.fixture
def application(tmp_path: Path, name: str) -> Path:
    """A folder with a project that depends on another one."""
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(HEAD.format(name=name))
    return folder


def add(application: Path, text: str) -> None:
    """Add to the project's settings."""
    with (application / "pyproject.toml").open("a") as file:
        file.write(text)


def poetry(application: Path, venv: Venv, *arguments: str) -> None:
    """Run poetry with this environment active."""
    venv.programs.well(
        "poetry", *arguments, "--no-interaction", "--no-plugins", cwd=application, VIRTUAL_ENV=str(venv.folder)
    )


def pdm(application: Path, venv: Venv, *arguments: str) -> None:
    """Run pdm with this environment active."""
    venv.programs.well("pdm", *arguments, cwd=application, VIRTUAL_ENV=str(venv.folder))


def wheels_asked(shelf: Shelf, name: str) -> list[str]:
    """The whole wheels of a project that were asked for so far."""
    asked = [one for one in requests_of(shelf.server) if name in one.replace("_", "-")]
    return [one for one in asked if one.endswith(".whl")]


def test_poetry_locks_and_installs(application: Path, venv: Venv, shelf: Shelf, name: str) -> None:
    """With a primary source poetry locks from metadata alone, with the page's digests, and installs."""
    wheel = shelf.put(name, "1.1", requires_dist=[f"{name}-dep<2"])
    shelf.put(name, "1.0")
    for version in ("1.0", "2.0"):
        shelf.put(f"{name}-dep", version)
    add(
        application,
        f'[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "ours"\nurl = "{shelf.url}"\n',
    )
    poetry(application, venv, "lock")
    assert wheels_asked(shelf, name) == []
    digest = files_of(shelf.server, name)[wheel.name]["hashes"]["sha256"]
    assert f"sha256:{digest}" in (application / "poetry.lock").read_text()
    poetry(application, venv, "install")
    assert venv.versions() == {name: "1.1", f"{name}-dep": "1.0"}
    assert venv.imports(name.replace("-", "_"))


def test_poetry_takes_an_extra_index(
    application: Path, venv: Venv, shelf: Shelf, other_shelf: Shelf, name: str
) -> None:
    """With a supplemental source each index gives what only it has."""
    other_shelf.put(name, requires_dist=[f"{name}-dep"])
    shelf.put(f"{name}-dep")
    add(
        application,
        "[tool.poetry]\npackage-mode = false\n"
        f'[[tool.poetry.source]]\nname = "base"\nurl = "{shelf.url}"\npriority = "primary"\n'
        f'[[tool.poetry.source]]\nname = "extra"\nurl = "{other_shelf.url}"\npriority = "supplemental"\n',
    )
    poetry(application, venv, "lock")
    poetry(application, venv, "install")
    assert venv.versions() == {name: "1.0", f"{name}-dep": "1.0"}


def test_pdm_locks_and_installs(application: Path, venv: Venv, shelf: Shelf, name: str) -> None:
    """With the source in place of PyPI pdm locks from metadata alone, with the page's digests, and installs."""
    wheel = shelf.put(name, "1.1", requires_dist=[f"{name}-dep<2"])
    shelf.put(name, "1.0")
    for version in ("1.0", "2.0"):
        shelf.put(f"{name}-dep", version)
    add(application, f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{shelf.url}"\n')
    pdm(application, venv, "lock")
    assert wheels_asked(shelf, name) == []
    digest = files_of(shelf.server, name)[wheel.name]["hashes"]["sha256"]
    assert f"sha256:{digest}" in (application / "pdm.lock").read_text()
    pdm(application, venv, "install", "--no-self")
    assert venv.versions() == {name: "1.1", f"{name}-dep": "1.0"}
    assert venv.imports(name.replace("-", "_"))


def test_pdm_takes_an_extra_index(application: Path, venv: Venv, shelf: Shelf, other_shelf: Shelf, name: str) -> None:
    """With two sources each index gives what only it has."""
    other_shelf.put(name, requires_dist=[f"{name}-dep"])
    shelf.put(f"{name}-dep")
    add(
        application,
        f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{shelf.url}"\n'
        f'[[tool.pdm.source]]\nname = "extra"\nurl = "{other_shelf.url}"\n',
    )
    pdm(application, venv, "install", "--no-self")
    assert venv.versions() == {name: "1.0", f"{name}-dep": "1.0"}
