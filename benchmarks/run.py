"""Measure this server beside nginx: ``python -m benchmarks.run [--quick] [--scenario NAME ...]``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import report, scenarios
from benchmarks.dataset import FULL, QUICK
from benchmarks.servers import ROOT
from benchmarks.world import World

_NEEDED = {"wrk": "wrk", "nginx": "nginx", "taskset": "util-linux"}


def main() -> int:
    """Run what the command line asks for; the exit code: 0, 1 if something is missing, 2 for a wrong argument."""
    asked = _parser().parse_args()
    problem = _problem(asked)
    if problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1
    chosen = tuple(asked.scenario or scenarios.ALL)
    asked.work.mkdir(parents=True, exist_ok=True)
    facts = report.machine()
    with tempfile.TemporaryDirectory(dir=asked.work, prefix="run-") as folder:
        Path(folder).chmod(0o755)  # nginx started by root reads it as another user
        world = World(
            asked.work.resolve(), QUICK if asked.quick else FULL, place=Path(folder).resolve(),
            checkouts=_checkouts(asked.checkout), rounds=asked.rounds, seconds=asked.seconds,
            server_cpu=asked.server_cpu, load_cpu=asked.load_cpu,
        )  # fmt: skip
        figures = []
        for figure in scenarios.measure(world, chosen):
            figures.append(figure)
            said = figure.void or " ".join(f"{value:,.5g}" for value in figure.values)
            print(f"{figure.scenario:16} {figure.target:16} {said} {figure.unit}", file=sys.stderr, flush=True)
    report.show(figures, facts)
    if asked.json:
        report.write_json(figures, facts, asked.json)
    if asked.svg:
        report.write_svg(figures, facts, asked.svg)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="A small set and short runs, to see that all works.")
    parser.add_argument("--scenario", action="append", choices=scenarios.ALL, help="Run this one; may be repeated.")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "package-index-benchmarks",
        help="Folder of the data set and of the servers' data.",
    )
    parser.add_argument("--rounds", type=int, default=3, help="Runs of each figure, interleaved.")
    parser.add_argument("--seconds", type=int, default=3, help="Seconds of one run of wrk.")
    parser.add_argument("--server-cpu", default="0", help="Processor of the servers in pinned scenarios.")
    parser.add_argument("--load-cpu", default="1", help="Processor of the load in pinned scenarios.")
    parser.add_argument(
        "--checkout",
        action="append",
        metavar="NAME=DIR",
        help="Measure the program in this folder; may be repeated to compare. This one, if none is named.",
    )
    parser.add_argument("--json", type=Path, help="Write all figures here.")
    parser.add_argument("--svg", type=Path, help="Draw the comparison with nginx here.")
    return parser


def _problem(asked: argparse.Namespace) -> str:
    """Why nothing can be measured here, in one sentence; empty if something can."""
    if sys.platform != "linux":
        return "Only Linux can be measured on: memory and processor time are read from /proc."
    missing = [f"{program} (package {package})" for program, package in _NEEDED.items() if not shutil.which(program)]
    if missing:
        return f"Not found: {', '.join(missing)}; install them."
    allowed = os.sched_getaffinity(0)
    if {int(asked.server_cpu), int(asked.load_cpu)} - allowed:
        return f"This process may use processors {sorted(allowed)} only; choose --server-cpu and --load-cpu from them."
    return ""


def _checkouts(named: list[str] | None) -> dict[str, Path]:
    if not named:
        return {"ours": ROOT}
    return {name: Path(folder).resolve() for name, _, folder in (one.partition("=") for one in named)}


if __name__ == "__main__":
    sys.exit(main())
