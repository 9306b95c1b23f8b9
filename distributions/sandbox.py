"""Reading and rendering in a limited child process: what eats memory or time takes only the child with it.

Inspector (in the server) speaks with ``python -m distributions.sandboxed`` over pipes, in ``frames``: the request is
JSON, the answer JSON and raw bytes. Nothing is unpickled.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from distributions.core_metadata import CoreMetadata
from distributions.descriptions import LIMITS, Rendered
from distributions.filenames import parse_filename
from distributions.frames import PIPES_CAN_BE_WAITED_FOR, receive, send
from distributions.reading import Distribution
from distributions.sandboxed import IDLE
from errors import Invalid, InvalidArchive, NotFound, Refusal, StorageFailed, TooLarge, shown

SECONDS: Final = 10.0
BYTES_PER_SECOND: Final = 20_000_000  # each so many bytes of file allow one second more
RENDERING_SECONDS: Final = 2.0  # of processor time; rendering waits for nothing
COLOURING_SECONDS: Final = 1.0  # of processor time, rounded up to whole seconds of the child's
_OUT_OF_TIME: Final = int(getattr(signal, "SIGXCPU", 0))
_ROOT: Final = Path(__file__).resolve().parent.parent
_KEPT_ENVIRONMENT: Final = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")


class _Died(Exception):
    """The child is gone, or answers nonsense."""


class _Child:
    """One long-lived child; used by one thread at a time."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "distributions.sandboxed"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env={**environment, "PYTHONUTF8": "1"},
            bufsize=0,
        )
        self.used = False
        self.idle_since = 0.0

    def ask(self, request: dict[str, object], seconds: float) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for the answer; raises _Died where none comes in time."""
        source, sink = self.process.stdout, self.process.stdin
        assert source is not None  # noqa: S101 - both are pipes
        assert sink is not None  # noqa: S101
        until = time.monotonic() + seconds
        try:
            with _killed_after(seconds, self.process):
                send(sink, json.dumps(request).encode())
                return json.loads(receive(source, until)), receive(source, until)
        except (OSError, EOFError, ValueError) as error:
            raise _Died from error

    @property
    def ran_out(self) -> bool:
        """Whether it ended because its processor time was used up."""
        return _OUT_OF_TIME > 0 and self.process.returncode == -_OUT_OF_TIME

    def end(self) -> None:
        """Let it end by itself at the end of its input; kill it where it does not. Leaves no zombie."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.end()


class Inspector:
    """A small pool of limited children. Any number of threads may ask; ``size`` are served at once, others wait.

    Children start when they are first needed and end after a minute without work. After a fork the new process
    forgets its parent's children and starts its own.
    """

    def __init__(self, size: int = 2, *, seconds: float = SECONDS, idle: float = IDLE) -> None:
        self._size, self._seconds, self._idle_seconds = size, seconds, idle
        self._idle: list[_Child] = []
        self._reset()
        _inspectors.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self._size)
        self._reaper: threading.Timer | None = None
        self._closed = False

    def inspect(self, path: Path, filename: str, *, accept_legacy: bool = True) -> Distribution:
        """``read_distribution`` in a child. Raises what it raises, and InvalidArchive where the limits were passed."""
        parsed = parse_filename(filename, accept_legacy=accept_legacy)
        answer, raw = self.ask("inspect", [path], filename, accept_legacy=accept_legacy)
        metadata = CoreMetadata.from_json(answer["metadata"], answer["description"])
        served = raw if answer["served"] else None
        return Distribution(parsed, int(answer["size"]), metadata, served, tuple(answer["warnings"]))

    def ask(self, job: str, paths: Sequence[Path], filename: str, **more: object) -> tuple[dict[str, Any], bytes]:
        """Have a child do one of ``child_jobs.JOBS`` with these files; its answer and the bytes that came with it.

        Raises what the job raises, and InvalidArchive where the limits were passed.
        """
        seconds = self._seconds + sum(map(_size, paths)) / BYTES_PER_SECOND
        request = {
            "ask": job,
            "paths": [str(path.absolute()) for path in paths],
            "filename": filename,
            "cpu_seconds": seconds + 1,
            **more,
        }
        said = self._ask(request, seconds)
        if said is None:
            raise _beyond_limits(filename)
        answer, raw = said
        if "refusal" in answer:
            raise _refusal(str(answer["refusal"]), str(answer["sentence"]))
        return answer, raw

    def render(self, text: str, content_type: str | None) -> Rendered:
        """``rendering.render`` in a child; plain text with the note LIMITS where it takes too much time or memory."""
        said = self._of_text("render", text, RENDERING_SECONDS, content_type=content_type)
        return Rendered(None, (LIMITS,)) if said is None else Rendered.from_json(said[0])

    def colour(self, text: str, filename: str) -> bytes:
        """``colouring.colour`` in a child, joined by LF; nothing where it takes too much time or memory."""
        said = self._of_text("colour", text, COLOURING_SECONDS, filename=filename)
        return b"" if said is None else said[1]

    def _of_text(self, job: str, text: str, cpu_seconds: float, **more: object) -> tuple[dict[str, Any], bytes] | None:
        """What a child makes of a text, or None where the limits were passed."""
        request = {"ask": job, "paths": [], "text": text, "cpu_seconds": cpu_seconds, **more}
        return self._ask(request, self._seconds)

    def close(self) -> None:
        """End the idle children; those at work end when their answer is there."""
        with self._lock:
            self._closed = True
            children, self._idle = self._idle, []
            if self._reaper is not None:
                self._reaper.cancel()
                self._reaper = None
        for child in children:
            child.end()

    def _ask(self, request: dict[str, object], seconds: float) -> tuple[dict[str, Any], bytes] | None:
        """What a child answers, or None where the limits were passed."""
        with self._free:
            child = self._take()
            started = time.monotonic()
            answer = self._answer(child, request, seconds)
            # One that has worked before may have ended for reasons of its own; a fresh one tells.
            if answer is None and child.used and not child.ran_out and time.monotonic() - started < seconds:
                child = _Child()
                answer = self._answer(child, request, seconds)
            if answer is not None:
                self._give_back(child)
            return answer

    @staticmethod
    def _answer(child: _Child, request: dict[str, object], seconds: float) -> tuple[dict[str, Any], bytes] | None:
        """The child's answer, or None where it died; a child that does not answer is never used again."""
        try:
            return child.ask(request, seconds)
        except _Died:
            child.kill()
            return None
        except BaseException:
            child.kill()
            raise

    def _take(self) -> _Child:
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return _Child()
            if child.process.poll() is None:
                return child
            child.end()

    def _give_back(self, child: _Child) -> None:
        child.used, child.idle_since = True, time.monotonic()
        with self._lock:
            if not self._closed:
                self._idle.append(child)
                self._schedule()
                return
        child.end()

    def _schedule(self) -> None:
        """Have somebody look after idle children; called with the lock held."""
        if self._reaper is None:
            self._reaper = threading.Timer(self._idle_seconds, self._reap)
            self._reaper.daemon = True
            self._reaper.start()

    def _reap(self) -> None:
        oldest = time.monotonic() - self._idle_seconds
        with self._lock:
            self._reaper = None
            ended = [child for child in self._idle if child.idle_since <= oldest]
            self._idle = [child for child in self._idle if child.idle_since > oldest]
            if self._idle and not self._closed:
                self._schedule()
        for child in ended:
            child.end()

    def forget(self) -> None:
        """After a fork: the children are the parent's, only their pipes are closed here."""
        children, self._idle = self._idle, []
        self._reset()
        for child in children:
            for pipe in (child.process.stdin, child.process.stdout):
                if pipe is not None:
                    pipe.close()
            child.process.poll()  # finds that it is no child of this process and rests the case


_inspectors: weakref.WeakSet[Inspector] = weakref.WeakSet()


def _close_all() -> None:
    for inspector in list(_inspectors):
        inspector.close()


def _forget_all() -> None:
    for inspector in list(_inspectors):
        inspector.forget()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise StorageFailed(f"The uploaded file could not be read ({error.strerror}); try again.") from error


def _beyond_limits(filename: str) -> InvalidArchive:
    return InvalidArchive(
        f"The file {shown(filename, 200)} could not be read within the limits of time and memory; build it smaller."
    )


def _refusal(code: str, sentence: str) -> Refusal:
    """The refusal that the child met, as the same class."""
    kinds: list[type[Refusal]] = [Invalid, *Invalid.__subclasses__(), NotFound, TooLarge, StorageFailed]
    return next((kind for kind in kinds if kind.code == code), InvalidArchive)(sentence)


@contextmanager
def _killed_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """The deadline where pipes cannot be waited for, as on Windows: the child is killed, and its pipe ends."""
    if PIPES_CAN_BE_WAITED_FOR:
        yield
        return
    deadline = threading.Timer(seconds, process.kill)
    deadline.daemon = True
    deadline.start()
    try:
        yield
    finally:
        deadline.cancel()
