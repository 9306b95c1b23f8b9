"""A project's page as an upstream gave it: the value, the form in which it is kept, and what of an older one stands."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from packaging.utils import NormalizedName

from simple.kept import TakenFile
from simple.model import ProjectStatus

_FORM = 1  # of the bytes that are kept; another one is no page
_UNPACKED = 512 << 20


@dataclass(frozen=True, slots=True)
class UpstreamFile:
    """One file as the upstream lists it, checked to be one that may be listed here.

    ``url`` is absolute. ``digest`` is ``algorithm=hex``, the best that is told, or "". ``core_metadata`` is as in
    ``simple.model.File``: a sha256, "" where it is there without one, None where it is not offered.
    """

    filename: str
    url: str
    version: str
    kind: str
    python_tag: str
    digest: str = ""
    size: int | None = None
    uploaded: datetime | None = None
    requires_python: str | None = None
    yanked: str | None = None
    core_metadata: str | None = None
    provenance: str | None = None

    @property
    def sha256(self) -> str:
        """The sha256 in hex; "" where it is not told."""
        return self.digest.removeprefix("sha256=") if self.digest.startswith("sha256=") else ""


@dataclass(frozen=True, slots=True)
class UpstreamPage:
    """A project's page: files by filename in order of version and name, versions ascending.

    ``serial`` is the upstream's X-PyPI-Last-Serial, 0 where it has none. ``dropped`` is how many entries were not fit
    to be listed; ``changed`` names the files for which the upstream now tells other digests than when they were first
    seen, and that stand here as they were then.
    """

    name: NormalizedName
    files: Mapping[str, UpstreamFile]
    versions: tuple[str, ...]
    status: ProjectStatus = ProjectStatus.ACTIVE
    status_reason: str | None = None
    serial: int = 0
    dropped: int = 0
    changed: tuple[str, ...] = field(default=())

    def to_bytes(self) -> bytes:
        """The page in the form in which it is kept."""
        rows = [[getattr(file, name) for name in _COLUMNS] for file in self.files.values()]
        facts = [self.name, self.versions, self.status, self.status_reason, self.serial, self.dropped, self.changed]
        return zlib.compress(orjson.dumps([_FORM, facts, rows]), 3)

    @classmethod
    def from_bytes(cls, kept: bytes) -> UpstreamPage | None:
        """What ``to_bytes`` made; None where another version of this program made it, or the bytes are damaged."""
        try:
            form, *rest = orjson.loads(zlib.decompressobj().decompress(kept, _UNPACKED))
        except (zlib.error, ValueError):
            return None
        if form != _FORM:
            return None
        (name, versions, status, reason, serial, dropped, changed), rows = rest
        files = [_file(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
        return cls(
            name=name,
            files={file.filename: file for file in files},
            versions=tuple(versions),
            status=ProjectStatus(status),
            status_reason=reason,
            serial=serial,
            dropped=dropped,
            changed=tuple(changed),
        )


_COLUMNS = tuple(one.name for one in fields(UpstreamFile))


def _file(values: dict[str, Any]) -> UpstreamFile:
    uploaded = values.pop("uploaded")
    return UpstreamFile(**values, uploaded=None if uploaded is None else datetime.fromisoformat(uploaded))


def digest_of(kept: bytes) -> str:
    """The digest of a page in the form in which it is kept."""
    return hashlib.sha256(kept).hexdigest()


def keep_first_seen(new: UpstreamPage, old: UpstreamPage | None, taken: Mapping[str, TakenFile]) -> UpstreamPage:
    """A new page, on which no file is another than when it was first seen.

    That is when it was taken in, or else listed on the page before. A digest that the upstream has come to tell stays
    when it tells it no longer.
    """
    files, changed = {}, []
    for filename, listed in new.files.items():
        first = _first_seen(listed, old.files.get(filename) if old is not None else None, taken.get(filename))
        if first is not None and _is_other(first, listed):
            changed.append(filename)
        files[filename] = listed if first is None else _as_first_seen(listed, first)
    return replace(new, files=files, changed=tuple(changed))


def _first_seen(listed: UpstreamFile, old: UpstreamFile | None, taken: TakenFile | None) -> UpstreamFile | None:
    if taken is None:
        return old
    return replace(old or listed, digest=f"sha256={taken.sha256}", size=taken.size)


def _is_other(first: UpstreamFile, listed: UpstreamFile) -> bool:
    algorithm = first.digest.partition("=")[0]
    return bool(first.digest) and listed.digest.partition("=")[0] == algorithm and listed.digest != first.digest


def _as_first_seen(listed: UpstreamFile, first: UpstreamFile) -> UpstreamFile:
    """What the upstream says now of a file (yanks, where it lies), with what must never change about one."""
    if not first.digest:
        return listed
    is_other = _is_other(first, listed)
    metadata = listed.core_metadata
    if first.core_metadata or is_other:
        metadata = first.core_metadata  # its bytes never change for a file (PEP 658)
    return replace(
        listed,
        digest=first.digest,
        size=first.size if is_other or listed.size is None or first.size is not None else listed.size,
        uploaded=first.uploaded if is_other else listed.uploaded,
        core_metadata=metadata,
    )


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC; one without an offset is UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
