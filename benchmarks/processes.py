"""Processes under measurement: what they and their children take of memory and processor time (Linux, ``/proc``)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 40.0


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _fields(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _fields(pid: int) -> list[str]:
    """What ``/proc/PID/stat`` says behind the name, from the state on; nothing if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(pid: int) -> float:
    """Processor time that the tree has used, user and system, with that of children that have ended."""
    return sum(sum(map(int, fields[11:15])) for one in tree(pid) if (fields := _fields(one))) / _TICKS


def _megabytes(pid: int, file: str, field: str) -> float:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def memory(pid: int) -> float:
    """Megabytes of the tree (PSS): pages that several processes share are counted once."""
    return sum(_megabytes(one, "smaps_rollup", "Pss") for one in tree(pid))


def resident(pid: int) -> dict[int, float]:
    """Megabytes that each process of the tree holds now (RSS)."""
    return {one: _megabytes(one, "status", "VmRSS") for one in tree(pid)}


def forget_peaks(pid: int) -> None:
    """Let the peaks begin anew (``clear_refs``, see proc(5))."""
    for one in tree(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


def peaks(pid: int) -> dict[int, float]:
    """Megabytes that each process of the tree held at most since ``forget_peaks`` (VmHWM)."""
    return {one: _megabytes(one, "status", "VmHWM") for one in tree(pid)}


class Running:
    """A process that was started here, in a session of its own."""

    def __init__(self, command: list[str], *, log: Path, environ: dict[str, str], cpu: str | None, cwd: Path) -> None:
        pinned = ["taskset", "-c", cpu, *command] if cpu is not None else command
        self.log = log
        with log.open("ab") as stream:
            self.process: subprocess.Popen[bytes] = _start(pinned, stream, environ, cwd)

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def must_live(self) -> None:
        """Raise SystemExit with the end of its log if it has ended."""
        code = self.process.poll()
        if code is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{self.process.args!r} ended with {code}:\n{tail}")

    def stop(self) -> None:
        """End it by SIGTERM, and if it hangs by SIGKILL."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def _start(command: list[str], stream: IO[bytes], environ: dict[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=stream, stderr=stream, env=environ, cwd=cwd, start_new_session=True)


def wait_until(answers: Callable[[], bool], running: Running, seconds: float = 60.0) -> float:
    """Call ``answers`` until it is true; the seconds that took. Raises SystemExit if the process ends, or too late."""
    started = time.perf_counter()
    while not answers():
        running.must_live()
        if time.perf_counter() - started > seconds:
            raise SystemExit(f"{running.process.args!r} gave no answer within {seconds:.0f} s; see {running.log}")
        time.sleep(0.005)
    return time.perf_counter() - started
