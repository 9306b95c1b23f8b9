"""The limited child of ``distributions.sandbox``, run as ``python -m distributions.sandboxed``: it answers requests.

A request is a frame of JSON that says under ``ask`` what is wanted; an answer is such a frame and one of raw bytes.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Final

from distributions.child_jobs import answer, prepare
from distributions.frames import receive, send

MEMORY: Final = 512 << 20  # bytes beyond what the child has when it starts
IDLE: Final = 60.0  # seconds until a child without work ends


def _limit_for_ever() -> None:
    """Memory, files and core dumps of the child; where the system has no such limits, the deadline is all there is."""
    try:
        import resource
    except ImportError:
        return
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        pages = 0
    memory = pages * resource.getpagesize() + MEMORY
    if sys.platform == "linux":  # macOS refuses limits of address space
        _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(limit: int, value: int) -> None:
    import resource

    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def _limit_cpu(seconds: float) -> None:
    """Let this request use so much processor time beyond what was used before it; rounded up to whole seconds."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + seconds)
    if hard == resource.RLIM_INFINITY or soft <= hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _waits(source: int) -> bool:
    """Whether a request comes before the child has been idle for twice its time: then its parent forgot it."""
    if sys.platform == "win32":
        return True
    import select

    return bool(select.select([source], [], [], 2 * IDLE)[0])


def _serve() -> None:
    """Answer requests until the input ends."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its children itself
    sys.dont_write_bytecode = True
    source = io.FileIO(os.dup(0))
    sink = io.FileIO(os.dup(1), "w")
    os.dup2(2, 1)  # whatever prints must not break the frames
    _limit_for_ever()
    while _waits(source.fileno()):
        try:
            request = json.loads(receive(source))
        except EOFError:
            return
        prepare(request["ask"])
        _limit_cpu(request["cpu_seconds"])
        told, raw = answer(request)
        try:
            send(sink, json.dumps(told).encode())
            send(sink, raw)
        except BrokenPipeError:
            return


if __name__ == "__main__":
    _serve()
