"""Figures as a table for the terminal, as JSON, and drawn as bars."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, yardsticks
from database.engine import sqlite_version

_PROCESSORS = Path("/proc/cpuinfo")
_BAR, _LABEL, _WIDTH, _TOP = 26, 350, 700, 64
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2937}.s{fill:#6b7280}.t{font-size:16px;font-weight:600}"
    ".b{fill:#2563eb}.r{fill:#d1d5db}"
    "@media(prefers-color-scheme:dark){text{fill:#e5e7eb}.s{fill:#9ca3af}.b{fill:#60a5fa}.r{fill:#374151}}"
)


def machine() -> dict[str, str]:
    """Where and with what the figures were taken."""
    names = [line.partition(":")[2].strip() for line in _PROCESSORS.read_text().splitlines() if "model name" in line]
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.strip()
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "processor": f"{os.cpu_count()} x {names[0] if names else platform.machine()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "granian": version("granian"),
        "sqlite": ".".join(map(str, sqlite_version())),
        "nginx": nginx.rpartition("/")[2],
        "load": " ".join(f"{one:.2f}" for one in os.getloadavg()),
    }


def table(figures: list[Figure], title: str) -> Table:
    """Every figure, with its ratio to the first of its scenario."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for name in ("Scenario", "Server", "Median", "Unit", "Spread", "Ratio", "p99 ms", "Busy", "Pinned", "Remarks"):
        made.add_column(name, justify="right" if name in {"Median", "Spread", "Ratio", "p99 ms", "Busy"} else "left")
    first = yardsticks(figures)
    last = ""
    for one in figures:
        if last and last != one.scenario:
            made.add_section()
        made.add_row(
            one.title if one.scenario != last else "",
            one.target,
            "void" if one.void else _number(one.median),
            one.unit,
            f"{_number(min(one.values))} .. {_number(max(one.values))}" if len(one.values) > 1 else "one run",
            "" if one.void or first[one.scenario] is one else f"{one.ratio_to(first[one.scenario]):.2f}",
            f"{sorted(one.p99)[len(one.p99) // 2]:.1f}" if one.p99 else "",
            f"{sorted(one.busy)[len(one.busy) // 2]:.0%}" if one.busy else "",
            "yes" if one.pinned else "no",
            one.void or one.note,
        )
        last = one.scenario
    return made


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show(figures: list[Figure], facts: dict[str, str]) -> None:
    """Print the table."""
    console = Console()
    wide = console if console.is_terminal else Console(width=190)
    wide.print(table(figures, ", ".join(f"{name} {value}" for name, value in facts.items())))


def write_json(figures: list[Figure], facts: dict[str, str], path: Path) -> None:
    """Write everything that was measured."""
    told = {"machine": facts, "figures": [figure.to_json() for figure in figures]}
    path.write_text(json.dumps(told, indent=1) + "\n")


def write_svg(figures: list[Figure], facts: dict[str, str], path: Path) -> None:
    """Draw what can be compared with nginx as one bar each, nginx being the whole width."""
    first = yardsticks(figures)
    rows = [
        one
        for one in figures
        if not one.void and one is not first[one.scenario] and first[one.scenario].target == "nginx"
        and one.unit in {"requests/s", "MB/s"}
    ]  # fmt: skip
    height = _TOP + _BAR * len(rows) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LABEL + _WIDTH + 20} {height}" role="img">',
        f"<title>Rates as a share of nginx</title><style>{_STYLE}</style>",
        '<text class="t" x="12" y="24">Rates, as a share of nginx with the same bytes</text>',
        f'<text class="s" x="12" y="44">{escape(facts["processor"])}, {escape(facts["at"][:10])}; grey is nginx</text>',
    ]
    for number, one in enumerate(rows):
        parts += _bar(one, one.ratio_to(first[one.scenario]), _TOP + _BAR * number)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def _bar(one: Figure, ratio: float, top: int) -> list[str]:
    unit = "/s" if one.unit == "requests/s" else f" {one.unit}"
    full = _WIDTH * 0.75
    return [
        f'<text x="{_LABEL - 10}" y="{top + 16}" text-anchor="end">{escape(one.title)}</text>',
        f'<rect class="r" x="{_LABEL}" y="{top + 3}" width="{full:.0f}" height="{_BAR - 8}" rx="3"/>',
        f'<rect class="b" x="{_LABEL}" y="{top + 3}" width="{min(ratio, 1.0) * full:.0f}" height="{_BAR - 8}" rx="3"/>',
        f'<text x="{_LABEL + full + 10:.0f}" y="{top + 16}">{ratio:.2f} ({_number(one.median)}{unit})</text>',
    ]
