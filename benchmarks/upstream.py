"""Installing popular projects directly, through an empty cache, again, and with the upstream off:
``python -m benchmarks.upstream [--pip PATH] [--uv PATH]``.

The upstream is what the settings say (``PYPI_UPSTREAM`` and so on; PyPI where they say nothing). Each installer has no
cache of its own. Printed are the seconds of each run, the requests and bytes that our server answered, and what it
fetched; then how many fetches twenty clients cause that ask for one cold file at the same time.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Running, wait_until
from upstream.addresses import default_url

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = (
    "requests", "urllib3", "certifi", "idna", "charset-normalizer", "click", "flask", "jinja2", "werkzeug", "attrs",
    "pydantic", "rich", "pytest", "packaging", "pyyaml", "python-dateutil", "six", "pytz", "tqdm", "sqlalchemy",
    "httpx", "typer", "cryptography", "aiohttp", "fastapi", "uvicorn", "pillow", "lxml", "psutil", "numpy",
)  # fmt: skip
CLIENTS = 20
COLD_FILE = "pandas"
_LINE = re.compile(r" (\d{3}) GET +(\S+) (\d+)B ")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its seconds, and how many requests and bytes our server answered."""

    what: str
    seconds: float
    requests: int
    size: int


class Server:
    """Our server over a folder, which caches the upstream that the environment names."""

    def __init__(self, folder: Path, *, offline: bool = False) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        environ = {**os.environ, "PYPI_UPSTREAM_MODE": "cache", "PYPI_OFFLINE": str(offline).lower()}
        command = [sys.executable, str(ROOT / "server.py"), "--host", "127.0.0.1", "--port", str(self.port)]
        self.log = folder.with_suffix(".log")
        self.running = Running([*command, "--data-dir", str(folder)], log=self.log, environ=environ, cpu=None, cwd=ROOT)
        wait_until(self._answers, self.running)

    @property
    def url(self) -> str:
        """What installers are given."""
        return f"http://127.0.0.1:{self.port}/simple/"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def answered(self, since: int) -> tuple[int, int, int]:
        """Requests and bytes that were answered since a place in the log, and the place where it ends now."""
        time.sleep(1.0)  # lines are written together
        text = self.log.read_bytes()
        lines = _LINE.findall(text[since:].decode(errors="replace"))
        return len(lines), sum(int(size) for _, _, size in lines), len(text)


def install(program: Sequence[str], folder: Path, url: str) -> float:
    """Install the projects into an empty environment; the seconds that took."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    begun = time.perf_counter()
    done = subprocess.run([*program, url, *PROJECTS], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{program[0]} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - begun


def programs(pip: str, uv: str, folder: Path) -> dict[str, list[str]]:
    """The commands up to the address, by the program's name."""
    python = str(folder / "bin" / "python")
    common = ["install", "--isolated", "--no-cache-dir", "-q", "--disable-pip-version-check", "--index-url"]
    return {
        "pip": [pip, "--python", python, *common],
        "uv": [uv, "pip", "install", "-q", "--no-config", "--no-cache", "--python", python, "--default-index"],
    }


def measure(name: str, program: Sequence[str], work: Path) -> list[Run]:
    """All runs of one installer."""
    venv, data = work / "venv", work / f"data-{name}"
    direct = os.environ.get("PYPI_UPSTREAM") or default_url()
    runs = [Run("direct", install(program, venv, direct), 0, 0)]
    server = Server(data)
    try:
        place = server.log.stat().st_size
        for what in ("cold", "warm"):
            seconds = install(program, venv, server.url)
            requests, size, place = server.answered(place)
            runs.append(Run(what, seconds, requests, size))
    finally:
        server.running.stop()
    server = Server(data, offline=True)
    try:
        place = server.log.stat().st_size
        seconds = install(program, venv, server.url)
        requests, size, _ = server.answered(place)
        runs.append(Run("offline", seconds, requests, size))
    finally:
        server.running.stop()
    return runs


def crowd(work: Path) -> None:
    """Let many clients ask for one cold file at once, and print what that caused."""
    server = Server(work / "data-crowd")
    try:
        with urllib.request.urlopen(f"{server.url}{COLD_FILE}/", timeout=60) as answer:
            links = re.findall(r'href="([^"#]+)#sha256=\w+"[^>]*>([^<]+\.whl)<', answer.read().decode())
        address, filename = links[-1]
        url = f"http://127.0.0.1:{server.port}/{address.replace('../', '')}"
        begun = time.perf_counter()

        def ask(_number: int) -> tuple[int, float, float]:
            with urllib.request.urlopen(url, timeout=300) as got:
                got.read(1)
                first = time.perf_counter() - begun
                return 1 + len(got.read()), first, time.perf_counter() - begun

        with ThreadPoolExecutor(CLIENTS) as pool:
            told = list(pool.map(ask, range(CLIENTS)))
        sizes, firsts, lasts = ({one[0] for one in told}, [one[1] for one in told], [one[2] for one in told])
        incoming = list((work / "data-crowd" / ".state" / "upstream" / "incoming").iterdir())
        print(
            f"{CLIENTS} clients asked for {filename} ({sizes.pop() / 1e6:.1f} MB) at once: the first byte came after "
            f"{min(firsts):.2f} to {max(firsts):.2f} s, the last after {max(lasts):.2f} s; {len(incoming)} are left."
        )
    finally:
        server.running.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pip", default=shutil.which("pip") or "pip")
    parser.add_argument("--uv", default=shutil.which("uv") or "uv")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        print(f"| {len(PROJECTS)} projects | seconds | requests | MB |\n| --- | ---: | ---: | ---: |")
        for name, program in programs(chosen.pip, chosen.uv, work / "venv").items():
            for run in measure(name, program, work):
                print(f"| {name}, {run.what} | {run.seconds:.1f} | {run.requests or ''} | {run.size / 1e6:.1f} |")
        crowd(work)


if __name__ == "__main__":
    main()
