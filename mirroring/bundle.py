"""What was taken from upstreams as one file, to be carried to a server that reaches none of them.

A tar (POSIX.1-2001) whose first member is the manifest: every page and file that follows, with its sha256. It is taken
in by ``unbundling.py``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from packaging.utils import NormalizedName

from errors import InvalidRequest, StorageFailed, UnknownFile
from indexes.reading import Member
from simple.kept import TakenFile
from upstream.keeping import ByteStore, FileRecordKeeper, PageKeeper

FORMAT: Final = "pypi-clone mirror 1"
PIECE: Final = 1 << 20

Progress = Callable[[int, int], None]


def quietly(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Keepers:
    """Where pages, the record of files, and bytes are kept."""

    pages: PageKeeper
    files: FileRecordKeeper
    store: ByteStore


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. ``manifest`` is the manifest's sha256, to be read out where the bundle is imported."""

    projects: int
    files: int
    size: int
    manifest: str


def export(
    path: Path,
    member: Member,
    keepers: Keepers,
    only: frozenset[tuple[NormalizedName, str]] | None = None,
    progress: Progress = quietly,
) -> Exported:
    """Write what was taken from an upstream into a bundle: all files that are kept, or some, by project and filename.

    The bundle appears whole or not at all. Raises StorageFailed for bytes that are not those that were taken, and
    InvalidRequest where there is nothing to be written.
    """
    projects = list(_projects(member, keepers, only))
    total = sum(len(project["files"]) for project in projects)
    if not total:
        raise InvalidRequest("None of these files was taken in yet, so there is nothing to export; mirror them first.")
    manifest = json.dumps(
        {"format": FORMAT, "made": datetime.now(UTC).isoformat(timespec="seconds"), "projects": projects},
        indent=1,
    ).encode()
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, "manifest.json", len(manifest), io.BytesIO(manifest))
                size = _add_projects(tar, projects, member, keepers, lambda done: progress(done, total))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return Exported(len(projects), total, size, hashlib.sha256(manifest).hexdigest())


def _projects(
    member: Member, keepers: Keepers, only: frozenset[tuple[NormalizedName, str]] | None
) -> Iterator[dict[str, Any]]:
    for name in keepers.files.projects(member.upstream):
        page = keepers.pages.load(member.upstream, name)
        kept = keepers.files.kept(member.upstream, name)
        taken = keepers.files.of_project(member.upstream, name)
        files = [taken[one] for one in sorted(kept) if only is None or (name, one) in only]
        if page is None or not files:
            continue
        yield {
            "name": name,
            "page": hashlib.sha256(page.body).hexdigest(),
            "serial": page.serial,
            "fetched": page.fetched.isoformat(),
            "files": [_told(member, one) for one in files],
        }


def _told(member: Member, file: TakenFile) -> dict[str, Any]:
    metadata = None
    with suppress(UnknownFile):
        metadata = hashlib.sha256(member.core_metadata(file.project, file.filename)).hexdigest()
    return {
        "filename": file.filename, "version": file.version, "sha256": file.sha256, "size": file.size,
        "metadata": metadata,
    }  # fmt: skip


def _add_projects(
    tar: tarfile.TarFile, projects: list[dict[str, Any]], member: Member, keepers: Keepers,
    progress: Callable[[int], None],
) -> int:  # fmt: skip
    size, done, written = 0, 0, set()
    for project in projects:
        name = NormalizedName(project["name"])
        page = keepers.pages.load(member.upstream, name)
        if page is None or hashlib.sha256(page.body).hexdigest() != project["page"]:
            raise StorageFailed(f"The page of {name} changed while it was exported; export again.")
        _add(tar, f"pages/{name}", len(page.body), io.BytesIO(page.body))
        for file in project["files"]:
            done += 1
            progress(done)
            if file["sha256"] in written:
                continue
            written.add(file["sha256"])
            size += file["size"]
            _add_file(tar, member, name, file)
    return size


def _add_file(tar: tarfile.TarFile, member: Member, name: NormalizedName, file: Mapping[str, Any]) -> None:
    record = member.source.file(name, file["filename"])
    with closing(member.open(record)) as source:
        digesting = _Digesting(source)
        _add(tar, f"files/{file['sha256']}", file["size"], digesting)
    if digesting.hexdigest() != file["sha256"]:
        raise StorageFailed(f"The bytes of {file['filename']} are not those that were taken; run `cli.py check`.")
    if file["metadata"] is not None:
        body = member.core_metadata(name, file["filename"])
        _add(tar, f"metadata/{file['sha256']}", len(body), io.BytesIO(body))


def _add(tar: tarfile.TarFile, name: str, size: int, source: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, source)


class _Digesting:
    """A file whose bytes are digested while they are read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._source.read(size)
        self._digest.update(piece)
        return piece

    def hexdigest(self) -> str:
        """The sha256 of what was read."""
        return self._digest.hexdigest()
