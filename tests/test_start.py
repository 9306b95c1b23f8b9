"""What start.sh and the shared functions of scripts/environment.sh promise, in a copy with a stub server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import LiveServer

ROOT = Path(__file__).parent.parent
STUB_SERVER = "import json, os, sys; print(json.dumps([os.getcwd(), sys.argv[1:]]))"
# A stand-in for the environment's Python: it counts the runs of pip, and does the rest as the real one.
COUNTING_PYTHON = """#!/bin/sh
case "$*" in
    *"-m pip install"*) echo "$@" >>"{log}"; {outcome} ;;
    *"-m pip"*) exit 0 ;;
esac
exec "{python}" "$@"
"""


class Copy:
    """A copy of the scripts in a folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a folder"
        self.log = folder / "pip.log"
        shutil.copytree(ROOT / "scripts", self.folder / "scripts")
        shutil.copy(ROOT / "start.sh", self.folder)
        (self.folder / "server.py").write_text(STUB_SERVER)
        (self.folder / "requirements.txt").write_text("")

    def stand_in(self, path: Path, outcome: str = "exit 0") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(COUNTING_PYTHON.format(log=self.log, python=sys.executable, outcome=outcome))
        path.chmod(0o755)
        return path

    def start(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if name != "PYTHON"}
        return subprocess.run(
            [self.folder / "start.sh", *arguments],
            cwd="/", env=plain | environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def installations(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.fixture
def ready(copy: Copy) -> Copy:
    """A copy whose environment stands, with a stand-in for its Python."""
    copy.stand_in(copy.folder / ".venv/bin/python")
    return copy


def test_a_first_start_makes_the_environment_with_a_real_pip_and_runs_the_server_there(copy: Copy) -> None:
    """One command on a machine with only Python: environment, requirements, server; progress goes to stderr."""
    first = copy.start("--port", "0", PYTHON=sys.executable)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == [str(copy.folder.resolve()), ["--port", "0"]]
    assert "Making .venv" in first.stderr
    assert "Installing requirements.txt" in first.stderr
    assert (copy.folder / ".venv/.gitignore").read_text() == "*\n"
    second = copy.start(PYTHON=sys.executable)
    assert (second.returncode, second.stderr) == (0, "")


def test_arguments_are_handed_on_as_they_are(ready: Copy) -> None:
    """Spaces, quotes, stars, dollars and empty arguments reach server.py unchanged."""
    said = ["--data-dir", "my packages", "it's", '"', "*", "$HOME", "", "--", "\\"]
    assert json.loads(ready.start(*said).stdout)[1] == said


def test_an_unchanged_environment_is_not_installed_again(ready: Copy) -> None:
    """The second start asks pip nothing and says nothing."""
    ready.start()
    assert ready.installations() == 1
    again = ready.start()
    assert (again.returncode, again.stderr, ready.installations()) == (0, "", 1)


def test_changed_requirements_are_installed(ready: Copy) -> None:
    """After an update of requirements.txt the next start installs it, with hashes demanded."""
    ready.start()
    (ready.folder / "requirements.txt").write_text("# changed\n")
    ready.start()
    ready.start()
    assert ready.installations() == 2
    assert ready.log.read_text().count("--require-hashes -r requirements.txt") == 2


def test_an_installation_that_failed_is_done_again(ready: Copy) -> None:
    """A broken installation stops the start with a sentence, and is not taken for a finished one."""
    ready.start()
    (ready.folder / "requirements.txt").write_text("# changed\n")
    ready.stand_in(ready.folder / ".venv/bin/python", outcome="exit 3")
    failed = ready.start()
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "Installing requirements.txt failed" in failed.stderr
    (ready.folder / "requirements.txt").write_text("")  # back to what was installed before the broken attempt
    ready.stand_in(ready.folder / ".venv/bin/python")
    assert ready.start().returncode == 0
    assert ready.installations() == 3


def test_an_old_python_is_refused(ready: Copy, tmp_path: Path) -> None:
    """A PYTHON before 3.11 is named in one clear sentence, and what stands is left as it is."""
    ready.start()
    old = tmp_path / "old python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = ready.start(PYTHON=str(old))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"PYTHON is '{old}', which is no Python 3.11 or newer; name another one.\n"
    assert ready.start().stderr == ""


def test_a_python_without_venv_is_told_what_to_install(copy: Copy, tmp_path: Path) -> None:
    """On Debian without python3-venv the sentence holds the very command."""
    bare = tmp_path / "bare-python"
    bare.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"\n')
    bare.chmod(0o755)
    refused = copy.start(PYTHON=str(bare))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert refused.returncode == 1
    assert f"apt-get install python{version}-venv" in refused.stderr


def test_a_machine_without_python_is_told_so(copy: Copy, tmp_path: Path) -> None:
    """Where no Python is found the sentence says which one to install."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "dirname", "cat", "cmp"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    refused = copy.start(PATH=str(tools))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "No Python 3.11 or newer was found" in refused.stderr


@pytest.mark.parametrize("script", ["start.sh", "test.sh", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    """Each script is executable, and a shell can read it."""
    assert os.access(ROOT / script, os.X_OK)
    shell = (ROOT / script).read_text().splitlines()[0].split("/")[-1].split()[-1]
    checked = subprocess.run([shell, "-n", ROOT / script], capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")


def test_the_start_says_who_may_do_what(live: Callable[..., LiveServer]) -> None:
    """Open, with accounts, and closed: the screen tells which it is."""
    for arguments, said in (
        (("--no-auth",), "May list    anybody; download: anybody; upload: anybody"),
        (("--auth",), "May list    anybody; download: anybody; upload: people who sign in"),
        (
            ("-a", "list, download, update"),
            "May list    people who sign in; download: people who sign in; upload: people who sign in",
        ),
    ):
        server = live(*arguments)
        assert said in server.log
        server.stop()
