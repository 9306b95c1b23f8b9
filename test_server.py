#!/usr/bin/env python3
"""Check a running server from outside: upload, pages, files, pip, search, API, tokens, yanking; then clean up.

    python3 test_server.py [--url URL] [--username NAME --password PASSWORD] [--json]

It needs Python 3.11 or newer with pip, and the folder ``live_check`` beside it; nothing is to be installed. A small
project is published under a name of its own and deleted again. Exit code: 0 if everything passed, 1 if something
failed, 2 if it could not begin.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from live_check.checks import CHECKS, Check, Run
from live_check.server import Failure, Server, basic


@dataclass(frozen=True)
class Result:
    """What became of a check; ``detail`` is what was wrong, or why it was left out."""

    name: str
    result: str
    milliseconds: float
    detail: str = ""


def outcome(name: str, function: Check, run: Run) -> Result:
    """Run one check."""
    began = time.perf_counter()
    detail = ""
    try:
        function(run)
    except Failure as failure:
        detail = str(failure)
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # an answer of another shape than ours
        detail = f"the answer is not as it should be: {error!r}"
    return Result(name, "failed" if detail else "passed", round((time.perf_counter() - began) * 1000, 1), detail)


def results_of(run: Run) -> Generator[Result, None, None]:
    """Run all checks in turn, and clean up whatever happens."""
    try:
        for name, (function, of_files, of_accounts) in CHECKS.items():
            if of_accounts and not run.is_guarded:
                yield Result(name, "left out", 0, "authentication is off")
            elif of_files and not run.is_published:
                yield Result(name, "left out", 0, "nothing could be uploaded")
            else:
                yield outcome(name, function, run)
    finally:
        last = outcome("clean-up", Run.clean_up, run)
        if last.detail:
            print(f"Clean-up failed: {last.detail}", file=sys.stderr)  # also where nobody reads the results any more
    yield last


def is_address(url: str) -> bool:
    """Whether this is the address of a server, without user, query or fragment."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False


def begin(options: argparse.Namespace) -> Run:
    """A run for what the command line says. Raises Failure."""
    if not is_address(options.url):
        raise Failure(f"{options.url!r} is not an address such as http://localhost:8080.")
    if options.timeout <= 0:
        raise Failure("The timeout must be more than 0 seconds.")
    if (options.username is None) != (options.password is None):
        raise Failure("Give both --username and --password, or neither.")
    server = Server(options.url.rstrip("/") + "/", options.timeout)
    try:
        is_guarded = server.ask("api/tokens").status == 401
    except Failure as failure:
        raise Failure(f"{options.url}: {failure}; start the server, or name another one with --url.") from failure
    if is_guarded and options.username is None:
        raise Failure(f"Authentication is on at {options.url}: give --username and --password of an administrator.")
    login = None if options.username is None else basic(options.username, options.password)
    return Run(server, login, is_guarded)


def report(results: Iterable[Result]) -> list[Result]:
    """Print each result as it comes."""
    seen = []
    print(f"{'Check':<36} {'Result':<9} {'ms':>8}  What was wrong")
    for one in results:
        print(f"{one.name:<36} {one.result:<9} {one.milliseconds:>8.1f}  {one.detail}".rstrip(), flush=True)
        seen.append(one)
    counts = {word: sum(one.result == word for one in seen) for word in ("passed", "failed", "left out")}
    print(", ".join(f"{count} {word}" for word, count in counts.items() if count))
    return seen


def main(arguments: list[str] | None = None) -> int:
    """Check a server; the exit code."""
    parser = argparse.ArgumentParser(description="Check a running server from outside, and clean up afterwards.")
    parser.add_argument("--url", default="http://localhost:8080", help="the server; default: %(default)s")
    parser.add_argument("--username", help="an account that may upload and delete, where authentication is on")
    parser.add_argument("--password", help="its password")
    parser.add_argument("--timeout", type=float, default=30, help="seconds to wait for an answer; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(arguments)
    try:
        run = begin(options)
    except Failure as reason:
        print(f"Error: {reason}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ended in order, so that it cleans up
    with closing(results_of(run)) as each:
        results = list(each) if options.json else report(each)
    passed = not any(one.result == "failed" for one in results)
    if options.json:
        print(json.dumps({"url": options.url, "passed": passed, "checks": [vars(one) for one in results]}, indent=2))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
