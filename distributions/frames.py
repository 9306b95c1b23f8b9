"""What the server and its limited child say to each other over pipes: frames of a length in four bytes and the data."""

from __future__ import annotations

import io
import select
import struct
import time
from typing import IO, Final

PIPES_CAN_BE_WAITED_FOR: Final = hasattr(select, "poll")  # not on Windows
_LARGEST: Final = 32 << 20
_LENGTH: Final = struct.Struct(">L")


def send(sink: io.RawIOBase | IO[bytes], data: bytes) -> None:
    """Write one frame whole. Raises OSError where the other end is gone."""
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[sink.write(view) :]


def receive(source: io.RawIOBase | IO[bytes], until: float | None = None) -> bytes:
    """The next frame. Raises EOFError at the end of the input or, where pipes can be waited for, when the monotonic
    clock reaches ``until``; ValueError for a frame that is too large.
    """
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size, until))
    if length > _LARGEST:
        raise ValueError("a frame of the sandbox is too large")
    return _exactly(source, length, until)


def _exactly(source: io.RawIOBase | IO[bytes], size: int, until: float | None) -> bytes:
    pieces = []
    while size:
        if until is not None and not _has_more(source, until):
            raise EOFError
        more = source.read(size)
        if not more:
            raise EOFError
        pieces.append(more)
        size -= len(more)
    return b"".join(pieces)


def _has_more(source: io.RawIOBase | IO[bytes], until: float) -> bool:
    """Whether something can be read before the deadline."""
    if not PIPES_CAN_BE_WAITED_FOR:
        return True
    poll = select.poll()
    poll.register(source.fileno(), select.POLLIN)
    return bool(poll.poll(max(0.0, until - time.monotonic()) * 1000))
