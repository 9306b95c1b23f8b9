"""What is remembered of other indexes, as values between those who ask them and those who keep it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from packaging.utils import NormalizedName


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A project's page as it came from another index.

    ``body`` is the page in a form of our own, ``digest`` its sha256. ``etag`` and ``last_modified`` are what the other
    index called it, or "". ``serial`` is its X-PyPI-Last-Serial, 0 where there is none. ``fetched`` is when it was last
    known to be true, ``expires`` until when nobody asks again. ``is_gone``: the other index then said that there is no
    such project; the page stands for what it had before.
    """

    body: bytes
    digest: str
    etag: str
    last_modified: str
    serial: int
    fetched: datetime
    expires: datetime
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file that was taken in from another index: verified, and kept under ``location`` in the store.

    ``size`` is in bytes, ``sha256`` lower-case hex: what the file was when it was first seen, for ever.
    """

    project: NormalizedName
    filename: str
    version: str
    sha256: str
    size: int
    location: str
