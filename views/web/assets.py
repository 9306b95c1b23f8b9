"""The style sheet, the script and the icons. Their addresses carry a digest, so browsers keep them for ever."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import url_for

from errors import NotFound, shown
from simple.pages import coded

FOLDER = Path(__file__).resolve().parents[2] / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/vnd.microsoft.icon",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of ``static/``; ``digest`` is the beginning of its sha256."""

    body: bytes
    digest: str
    content_type: str


def asset(name: str) -> Asset:
    """One file of ``static/`` by its name. Raises NotFound for any other name."""
    path = FOLDER / name
    if path.parent != FOLDER or path.suffix not in _TYPES or not path.is_file():
        raise NotFound(f"There is no file {shown(name)} at this address; start from the home page.")
    return _read(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> Asset:
    body = path.read_bytes()
    return Asset(body, hashlib.sha256(body).hexdigest()[:8], _TYPES[path.suffix])


@functools.lru_cache(maxsize=128)
def in_coding(found: Asset, coding: str) -> bytes:
    """Its bytes in a content coding, made once."""
    return coded(found.body, coding)


def static_url(name: str) -> str:
    """The address of a file of ``static/``, with its digest."""
    return url_for("web.static", name=name, v=asset(name).digest)
