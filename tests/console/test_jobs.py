"""What ``cli.py packages import``, ``packages sync`` and ``check`` promise of reports and exit codes."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.console.running import (
    ROOT,
    WHEEL,
    data,
    run,
)
from tests.factory import build_wheel


def test_import_reports_and_its_exit_code_tells_of_refusals(dist: Path) -> None:
    """0 if all were taken, 1 if any was refused; the report names it on stdout, in JSON and in the file."""
    assert data("packages", "import", dist)["imported"] == 3
    (dist / "broken-1.0-py3-none-any.whl").write_bytes(b"no zip")
    result = run("packages", "import", dist, "--report", "report.json")
    assert result.exit_code == 1
    assert re.search(r"there already +3\n", result.stdout)
    assert "broken-1.0-py3-none-any.whl" in result.stdout
    written = json.loads(Path("report.json").read_text())
    assert [one["code"] for one in written["refused"]] == ["invalid-archive"]
    result = run("packages", "import", dist, "--json", "--jobs", "1")
    assert (result.exit_code, json.loads(result.stdout)["skipped"]) == (1, 3)


def test_import_refuses_the_data_directory_itself(filled: Path) -> None:
    """What lies there is for sync."""
    result = run("packages", "import", filled)
    assert result.exit_code == 2
    assert "sync" in result.stderr


def test_import_fails_on_a_full_store(dist: Path) -> None:
    """Exit code 1 and the reason, though no file was at fault."""
    Path("pypi.conf").write_text("[server]\nmin_free_space = 1000000 GB\n")
    result = run("packages", "import", dist)
    assert result.exit_code == 1
    assert "full" in result.stderr


def test_sync_takes_in_and_names_what_is_gone(filled: Path) -> None:
    """0 when all is well; 1 and the names when bytes are gone."""
    build_wheel(filled, "dropped")
    assert data("packages", "sync")["adopted"] == ["dropped-1.0-py3-none-any.whl"]
    (filled / "sample" / WHEEL).unlink()
    result = run("packages", "sync")
    assert result.exit_code == 1
    assert f"sample/{WHEEL}" in result.stdout
    assert len(data("packages", "list")) == 3


def test_render_fills_what_an_older_version_left(tmp_path: Path) -> None:
    """What waits is rendered and counted, by `render` and by `sync`; a second run has nothing to do."""
    build_wheel(tmp_path / "packages", "looms", description="# Looms")
    assert data("packages", "sync", "--data-dir", tmp_path / "packages")["rendered"] == 0  # with its taking in

    def forget() -> None:
        with closing(sqlite3.connect(tmp_path / "packages" / ".state" / "index.sqlite3")) as connection, connection:
            connection.execute("DELETE FROM rendered_descriptions")

    forget()
    found = data("packages", "render", "--data-dir", tmp_path / "packages")
    assert (found["rendered"], found["plain"], found["stopped"]) == (1, 0, False)
    forget()
    assert data("packages", "sync", "--data-dir", tmp_path / "packages")["rendered"] == 1
    result = run("packages", "render", "--data-dir", tmp_path / "packages", "--jobs", "1")
    assert (result.exit_code, bool(re.search(r"rendered +0\n", result.stdout))) == (0, True)


def test_check_names_damage(filled: Path) -> None:
    """0 for a sound index, 1 with the file and the kind of damage; unlisted files go to stderr only."""
    build_wheel(filled, "dropped")
    result = run("check")
    assert result.exit_code == 0
    assert "dropped" in result.stderr
    content = bytearray((filled / "sample" / WHEEL).read_bytes())
    content[50] ^= 1
    (filled / "sample" / WHEEL).write_bytes(content)
    result = run("check")
    assert result.exit_code == 1
    assert re.search(rf"damaged +sample/{WHEEL}", result.stdout)
    result = run("check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"][0]["kind"] == "damaged"


def test_ctrl_c_stops_an_import_between_two_files(tmp_path: Path) -> None:
    """Exit code 130, a report of what was done, and the next run takes in the rest."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(400):
        build_wheel(folder, f"p{number}")
    command = [sys.executable, str(ROOT / "cli.py"), "packages", "import", str(folder), "--jobs", "2", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while not list(Path("packages").glob("p*/*.whl")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Stopping" in err
    first = json.loads(out)
    assert 0 < first["imported"] < 400
    assert first["refused"] == []
    second = data("packages", "import", folder)
    assert (second["imported"], second["skipped"]) == (400 - first["imported"], first["imported"])
