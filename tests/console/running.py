"""Running commands, in this process or as the real program, with or without a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli
from tests.factory import build_sdist, build_wheel

ROOT = Path(cli.__file__).parent
WHEEL = "sample-1.0-py3-none-any.whl"


def leave_the_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder and without PYPI_* variables of the machine."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("PYPI_")]:
        monkeypatch.delenv(name)


def build_dist(folder: Path) -> Path:
    """A folder with a wheel and an sdist of one project and a wheel of another."""
    folder.mkdir()
    build_wheel(folder, summary="The first one.", requires_python=">=3.9")
    build_sdist(folder)
    build_wheel(folder, "other-thing", "2.0", summary="Something else.")
    return folder


def run(*arguments: str | Path, said: str = "") -> Result:
    """Run a command in this process, where no stream is a terminal; stdin has what is said."""
    return CliRunner().invoke(cli.main, [str(one) for one in arguments], input=said, prog_name="cli.py")


def good(*arguments: str | Path) -> str:
    """The stdout of a command that succeeds."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def data(*arguments: str | Path) -> Any:
    """The JSON of a command that succeeds."""
    return json.loads(good(*arguments, "--json"))


def refusal(*arguments: str | Path, code: int = 1) -> str:
    """The one line on stderr of a command that is refused."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    return lines[0].removeprefix("Error: ")


def missing(option: str, *arguments: str) -> None:
    """The command is a wrong use: exit code 2, and the option is named."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Missing option '{option}'" in result.stderr


def program(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the real program."""
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


def on_a_terminal(arguments: list[str], *conversation: tuple[str, str]) -> tuple[int, str]:
    """Run the program on a terminal, answer each question; its exit code and all that was shown."""
    master, slave = pty.openpty()
    command = [sys.executable, str(ROOT / "cli.py"), *arguments]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    shown = ""
    try:
        for question, said in conversation:
            while question not in shown:
                shown += os.read(master, 4096).decode()
            before, shown = shown, ""
            time.sleep(0.1)  # a password prompt turns the echo off after it was written
            os.write(master, said.encode())
            shown = before.replace(question, "") + shown
        while piece := _rest(master):
            shown += piece
        return process.wait(30), shown
    finally:
        process.kill()
        os.close(master)


def _rest(master: int) -> str:
    try:
        return os.read(master, 4096).decode()
    except OSError:  # the other end was closed
        return ""
