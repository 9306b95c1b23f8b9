"""How long a search takes: ``python -m benchmarks.search [--projects 100000] [--rounds 25] [--json FILE]``.

Each kind of search is asked again and again with other words: the search itself in this process, by the clock and by
the processor, which tells more on a machine that others use too; then its page as a browser gets it from a server.
Milliseconds, p50 and p95.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.library import Vocabulary, fill
from benchmarks.servers import ROOT, Ours
from database.engine import Database
from database.search import Filters, Search

_BROWSER = {"Accept": "text/html"}
_PER_PAGE = 20
_COLUMNS = ("search", "processor", "page")
_WORK = Path(tempfile.gettempdir()) / "package-index-benchmarks"
Asked = dict[str, str]


def kinds(words: Vocabulary) -> dict[str, list[Asked]]:
    """What is asked, by kind, as queries of ``/search``."""
    common, rare = words.words[:30], words.words[5_000:5_030]
    wheels = {"has_wheel": "true", "python": "3.12", "license": "MIT"}
    return {
        "one letter": [{"q": letter} for letter in "abcdefghijklmnoprstvwz"],
        "two letters": [{"q": word[:2]} for word in rare],
        "the most common word": [{"q": "python"}],
        "a common word": [{"q": word} for word in common if len(word) > 3],
        "a rare word": [{"q": word} for word in rare],
        "the middle of a name": [{"q": word[1:5]} for word in rare],
        "two words": [{"q": f"{one} {other}"} for one, other in zip(common[4:], rare, strict=False)],
        "a misspelt word": [{"q": _misspelt(word)} for word in rare if len(word) > 4],
        "a word that is nowhere": [{"q": "qqqqqq" + word} for word in rare],
        "filtered": [{"q": word, **wheels} for word in common if len(word) > 3],
        "filtered and sorted": [{"q": word, "sort": "updated", **wheels} for word in common if len(word) > 3],
        "no word, filtered and sorted": [{"sort": sort, **wheels} for sort in ("updated", "name", "downloads")],
        "a deep page": [{"q": word, "page": "50"} for word in common if len(word) > 3],
        "a deep page, sorted": [{"q": word, "page": "50", "sort": "downloads"} for word in common if len(word) > 3],
        "a deep page of all projects": [{"page": str(page)} for page in range(4_000, 4_030)],
    }


def _misspelt(word: str) -> str:
    """The word with two neighbours swapped."""
    middle = len(word) // 2
    return word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]


def milliseconds(asked: list[Asked], rounds: int, ask: Callable[[Asked], None]) -> tuple[list[float], list[float]]:
    """How long each took by the clock and by the processor, ``rounds`` in all; the first is not counted."""
    ask(asked[0])
    clock, processor = [], []
    for number in range(rounds):
        started, busy = time.perf_counter(), time.thread_time()
        ask(asked[number % len(asked)])
        clock.append((time.perf_counter() - started) * 1000)
        processor.append((time.thread_time() - busy) * 1000)
    return clock, processor


def summed_up(taken: list[float]) -> dict[str, float]:
    """p50 and p95."""
    return {"p50": round(statistics.median(taken), 1), "p95": round(statistics.quantiles(taken, n=20)[18], 1)}


def find(search: Search, asked: Asked) -> None:
    """Ask the search itself."""
    has_wheel = True if "has_wheel" in asked else None
    filters = Filters(license=asked.get("license", ""), python=asked.get("python", ""), has_wheel=has_wheel)
    offset = (int(asked.get("page", "1")) - 1) * _PER_PAGE
    search.find(asked.get("q", ""), filters=filters, sort=asked.get("sort", "relevance"), offset=offset)


def measure(data: Path, rounds: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and figures of each."""
    server = Ours("search", ROOT, data)
    server.start()
    try:
        target = server.target()
        with closing(Database(data / ".state" / "index.sqlite3")) as database:
            search = Search(database)

            def page(asked: Asked) -> None:
                status, _, body = target.get(f"/search?{urlencode(asked)}", _BROWSER)
                if status != 200 or b"<html" not in body:
                    raise SystemExit(f"/search?{urlencode(asked)} answers {status}")

            for kind, asked in kinds(Vocabulary()).items():
                clock, processor = milliseconds(asked, rounds, lambda one: find(search, one))
                figure = {"search": summed_up(clock), "processor": summed_up(processor)}
                yield kind, {**figure, "page": summed_up(milliseconds(asked, rounds, page)[0])}
    finally:
        server.stop()


def main() -> int:
    """Fill the index if it is not kept from another run, measure, and print a line for each kind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__, allow_abbrev=False)
    parser.add_argument("--projects", type=int, default=100_000, help="How many projects there are.")
    parser.add_argument("--rounds", type=int, default=25, help="How often each kind is asked.")
    parser.add_argument("--work", type=Path, default=_WORK, help="Where the index is kept.")
    parser.add_argument("--json", type=Path, help="Write all figures here.")
    asked = parser.parse_args()
    data = asked.work / f"library-{asked.projects}"
    fill(data / ".state" / "index.sqlite3", asked.projects)
    figures = {}
    heads = " | ".join(f"{what} {rank}" for what in _COLUMNS for rank in ("p50", "p95"))
    print(f"| {asked.projects:,} projects | {heads} |\n|{' --- |' * (1 + 2 * len(_COLUMNS))}")
    for kind, figure in measure(data, asked.rounds):
        figures[kind] = figure
        cells = [f"{figure[what][rank]:.1f} ms" for what in _COLUMNS for rank in ("p50", "p95")]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
