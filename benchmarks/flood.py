"""What readers feel while wrong passwords rain down: ``python -m benchmarks.flood [--rate 200] [--seconds 15]``.

A server with authentication is asked for pages by a reader with a token, one with a password and one with neither,
first in peace, then while wrong passwords come at a fixed rate: all from one address, and from many.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.dataset import wheel
from benchmarks.load import Target, prepared, upload
from benchmarks.servers import ROOT, Ours, credentials

_PAUSE = 0.005  # a reader's, between two pages
_SENDERS = 20


@dataclass
class Reader:
    """Asks for one page again and again; latencies in milliseconds."""

    name: str
    target: Target
    headers: dict[str, str]
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def run(self, until: float) -> None:
        """Ask until then, on one connection."""
        connection = self.target.connect()
        while time.monotonic() < until:
            started = time.perf_counter()
            connection.request("GET", "/simple/flood/", headers=self.headers)
            response = connection.getresponse()
            response.read()
            self.milliseconds.append((time.perf_counter() - started) * 1000)
            self.statuses[response.status] += 1
            time.sleep(_PAUSE)
        connection.close()


@dataclass
class Flood:
    """Wrong passwords at a rate a second, from so many loopback addresses."""

    target: Target
    rate: float
    addresses: int
    statuses: Counter[int] = field(default_factory=Counter)

    def run(self, number: int, until: float) -> None:
        """One sender of several: its share of the rate."""
        every, turn = _SENDERS / self.rate, 0
        due = time.monotonic() + every * number / _SENDERS
        while due < until:
            time.sleep(max(0.0, due - time.monotonic()))
            due, turn = due + every, turn + 1
            self.statuses[self._try(number * 1000 + turn)] += 1

    def _try(self, turn: int) -> int:
        source = (f"127.0.1.{1 + turn % self.addresses}", 0)
        connection = http.client.HTTPConnection("127.0.0.1", self.target.port, timeout=60, source_address=source)
        credential = base64.b64encode(f"benchmark:wrong {turn}".encode()).decode()
        try:
            connection.request("GET", "/simple/flood/", headers={"Authorization": f"Basic {credential}"})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


def measure(
    target: Target, people: dict[str, dict[str, str]], rate: float, addresses: int, seconds: float
) -> dict[str, Any]:
    """One spell: what the readers felt, and how the flood was answered."""
    until = time.monotonic() + seconds
    readers = [Reader(name, target, headers) for name, headers in people.items()]
    flood = Flood(target, rate, addresses)
    threads = [threading.Thread(target=one.run, args=[until]) for one in readers]
    if rate:
        threads += [threading.Thread(target=flood.run, args=[number, until]) for number in range(_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "rate": rate, "addresses": addresses, "flood": {str(code): count for code, count in flood.statuses.items()},
        "readers": {
            one.name: {
                "pages": len(one.milliseconds), "p50": round(statistics.median(one.milliseconds), 2),
                "p99": round(statistics.quantiles(one.milliseconds, n=100)[98], 2),
                "statuses": {str(code): count for code, count in one.statuses.items()},
            }
            for one in readers
        },
    }  # fmt: skip


def main() -> int:
    """Measure, and print a line a spell and reader."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flood", description=__doc__, allow_abbrev=False)
    parser.add_argument("--rate", type=float, default=200, help="Wrong passwords a second.")
    parser.add_argument("--seconds", type=float, default=15, help="Length of each spell.")
    parser.add_argument("--json", type=Path, help="Write all figures here.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flood-") as folder:
        data = Path(folder) / "data"
        people = {"nobody": dict[str, str](), **credentials(data)}
        server = Ours("flood", ROOT, data, auth=True)
        server.start()
        try:
            upload(server.target(people["token"]), [prepared(wheel("flood", "1.0"))], clients=1)
            spells = [
                measure(server.target(), people, rate, addresses, asked.seconds)
                for rate, addresses in ((0, 1), (asked.rate, 1), (asked.rate, 250))
            ]
        finally:
            server.stop()
    for spell in spells:
        print(f"{spell['rate']:.0f} wrong passwords/s from {spell['addresses']} address(es): answered {spell['flood']}")
        for name, felt in spell["readers"].items():
            times = f"p50 {felt['p50']:7.2f} ms  p99 {felt['p99']:7.2f} ms"
            print(f"  reader with {name:9} {felt['pages']:6,} pages  {times}  {felt['statuses']}")
    if asked.json:
        asked.json.write_text(json.dumps(spells, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
