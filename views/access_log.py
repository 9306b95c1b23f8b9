"""One line for each request, written by a thread of its own, so that a warm page does not wait for it.

Secrets never come here: no query string, no header but the client's name of itself.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TextIO

import orjson
import structlog

_EVERY_SECONDS = 0.2
_MOST_WAITING = 100_000
_LONGEST_TRACE = 8_000


class Line(NamedTuple):
    """What is said of one request. ``milliseconds`` until its last byte was handed over."""

    at: float
    method: str
    path: str
    status: int
    size: int
    milliseconds: float
    user: str
    client: str
    request_id: str
    agent: str


class AccessLog:
    """Takes lines and writes them soon after, all that wait at once."""

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self._written = _as_json if as_json else _as_text
        self._waiting: deque[str] = deque(maxlen=_MOST_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def add(self, line: Line) -> None:
        """Take a line; if writing hangs, the oldest are dropped rather than requests held up."""
        self._waiting.append(self._written(line))

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines = []
        while self._waiting:
            lines.append(self._waiting.popleft())
        if lines:
            try:
                self._stream.write("".join(lines))
                self._stream.flush()
            except (OSError, ValueError):
                return  # a full log disk must not stop answers; audit rows are in the database

    def close(self) -> None:
        """Write the rest and end the thread."""
        self._stop.set()
        self.flush()


def _clean(text: str) -> str:
    """A stranger's text on one line, without terminal codes."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


@lru_cache(maxsize=2)
def _second(moment: int) -> str:
    """A whole second since 1970 as text; most lines share it with the one before."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    """A text as JSON; paths, clients and agents come again and again."""
    return orjson.dumps(text).decode()


def _as_text(line: Line) -> str:
    return (
        f"{_second(int(line.at)).replace('T', ' ')} {line.status} {line.method:<6} {_clean(line.path)} {line.size}B "
        f"{line.milliseconds:.1f}ms {line.client} {_clean(line.user)} {line.request_id} {_clean(line.agent)}\n"
    )


def _as_json(line: Line) -> str:
    at, method, path, status, size, milliseconds, user, client, request_id, agent = line
    second = int(at)
    return (
        f'{{"at":"{_second(second)}.{int((at - second) * 1000):03}+00:00","event":"request","method":{_quoted(method)},'
        f'"path":{_quoted(path)},"status":{status},"bytes":{size},"ms":{milliseconds:.2f},"user":{_quoted(user)},'
        f'"client":{_quoted(client)},"request_id":"{request_id}","agent":{_quoted(agent)}}}\n'
    )


def configure(*, as_json: bool) -> None:
    """Set the form of all other log lines."""
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def log_failure(environ: Mapping[str, Any], error: BaseException) -> None:
    """Write a fault of ours to the log, with its trace, under the request's number.

    A long trace, as of an endless recursion or with a stranger's text in it, keeps its end, which names the fault.
    """
    trace = "".join(traceback.format_exception(error))
    if len(trace) > _LONGEST_TRACE:
        trace = f"[{len(trace) - _LONGEST_TRACE:,} characters left out]\n{trace[-_LONGEST_TRACE:]}"
    structlog.get_logger().error(
        "fault",
        request_id=environ.get("pypi.request_id"),
        method=environ.get("REQUEST_METHOD"),
        path=environ.get("PATH_INFO"),
        trace=trace,
        at=time.time(),
    )
