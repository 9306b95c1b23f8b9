"""What ``cli.py`` and ``server.py`` say to a Python that has not what they need, tried with one that has nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import venv
from pathlib import Path

import pytest

from tests.console.running import ROOT


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the standard library alone."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"


def told(python: Path, *arguments: str, **environment: str) -> str:
    """The one line on stderr of a program that ends with exit code 2."""
    done = subprocess.run([python, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("arguments", [["--help"], ["user", "list"]])
def test_the_command_line_says_with_which_python_it_runs(bare: Path, arguments: list[str]) -> None:
    """Whatever the command, one sentence: what is missing, and the command that works."""
    assert told(bare, str(ROOT / "cli.py"), *arguments) == (
        f"Error: {bare} has no module click; "
        "./start.sh makes .venv with all that is needed, then run `.venv/bin/python cli.py ...`."
    )


def test_what_only_a_command_needs_is_said_as_well(bare: Path, tmp_path: Path) -> None:
    """A system's Python often has click and not the rest: the same sentence, once the command misses it."""
    click = importlib.util.find_spec("click")
    assert click is not None
    (tmp_path / "click").symlink_to(Path(click.origin or "").parent)
    line = told(bare, str(ROOT / "cli.py"), "user", "list", "--data-dir", "data", PYTHONPATH=str(tmp_path))
    assert ".venv/bin/python cli.py" in line
    assert "has no module click" not in line


def test_the_server_is_started_by_its_script(bare: Path) -> None:
    """server.py names start.sh, which installs what it needs."""
    line = told(bare, str(ROOT / "server.py"), "--help")
    assert line.startswith(f"Error: {bare} has no module ")
    assert line.endswith("; start it with ./start.sh, which makes .venv with all that is needed.")


def test_a_fault_of_ours_is_not_explained_away(bare: Path) -> None:
    """A module of our own that is not there, and any other error, show their trace."""
    for fault in ("import console.nothing", "1 / 0"):
        code = f"from console import entrance; entrance.explain_missing_modules('Install it.')\n{fault}"
        done = subprocess.run([bare, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "Traceback" in done.stderr
        assert "Install it." not in done.stderr
