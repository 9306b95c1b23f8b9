"""Where the tests of commands run, and what they have there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.running import (
    build_dist,
    good,
    leave_the_machine,
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in a folder of its own and without PYPI_* variables of the machine."""
    leave_the_machine(tmp_path, monkeypatch)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A folder with a wheel and an sdist of one project and a wheel of another."""
    return build_dist(tmp_path / "dist")


@pytest.fixture
def filled(dist: Path) -> Path:
    """The default data directory, ./packages, with those three files in it."""
    good("packages", "import", dist, "--jobs", "1")  # one after the other: the wheel's metadata is the release's
    return Path("packages").absolute()
