"""Taking in a bundle (``bundle.py``) on a server that reaches no upstream.

Nothing in it is taken on trust: what does not have the digest that the manifest names is refused, and so is a manifest
that does not have the one that was read out to the importer.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from packaging.utils import NormalizedName, canonicalize_name

from errors import DigestMismatch, InvalidRequest, Refusal, StorageFailed, shown
from mirroring.bundle import FORMAT, PIECE, Keepers, Progress, quietly
from mirroring.taking import Failure
from simple.kept import KeptPage, TakenFile
from upstream.source import UpstreamSource

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LARGEST_MANIFEST: Final = 256 << 20
_LARGEST_PAGE: Final = 100 << 20
_LARGEST_METADATA: Final = 16 << 20


@dataclass(slots=True)
class Imported:
    """What came of a bundle: names of files that are here now, or were before; sentences about those refused."""

    manifest: str
    taken: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    refused: list[Failure] = field(default_factory=list)


def import_(
    path: Path,
    upstream: str,
    source: UpstreamSource,
    keepers: Keepers,
    take_in: Callable[[TakenFile], None],
    *,
    manifest: str = "",
    progress: Progress = quietly,
) -> Imported:
    """Take a bundle in as if its files had come from an upstream of this server.

    ``manifest`` is the sha256 that its manifest has to have, where somebody read it out. A file of which other bytes
    were seen here before is refused, as is one whose bytes are not what the manifest says; the rest is taken. Raises
    InvalidRequest for what is no bundle, DigestMismatch for another manifest.
    """
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r|") as tar:
            return _Importing(upstream, source, keepers, take_in, progress).run(tar, manifest)
    except tarfile.TarError as error:
        raise InvalidRequest(f"{path} is no bundle, or was cut off: {error}.") from error
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror or error}.") from error


class _Importing:
    """One import under way."""

    def __init__(
        self, upstream: str, source: UpstreamSource, keepers: Keepers, take_in: Callable[[TakenFile], None],
        progress: Progress,
    ) -> None:  # fmt: skip
        self._upstream = upstream
        self._source = source
        self._keepers = keepers
        self._take_in = take_in
        self._progress = progress
        self._of_digest: dict[str, list[tuple[NormalizedName, Mapping[str, Any]]]] = {}
        self._pages: dict[str, Mapping[str, Any]] = {}

    def run(self, tar: tarfile.TarFile, manifest: str) -> Imported:
        """Take it all in."""
        report = Imported(self._read_manifest(tar, manifest))
        total = sum(len(one) for one in self._of_digest.values())
        while (info := tar.next()) is not None:
            kind, _, name = info.name.partition("/")
            body = tar.extractfile(info) if info.isreg() else None
            if body is None:
                raise InvalidRequest(f"The bundle has {shown(info.name)}, which is no file of one.")
            if kind == "pages" and name in self._pages:
                self._page(NormalizedName(name), body.read(_LARGEST_PAGE))
            elif kind == "files" and name in self._of_digest:
                self._file(name, body, report)
                self._progress(len(report.taken) + len(report.there) + len(report.refused), total)
            elif kind == "metadata" and name in self._of_digest:
                self._metadata(name, body.read(_LARGEST_METADATA))
            else:
                raise InvalidRequest(f"The bundle has {shown(info.name)}, which its manifest does not name.")
        self._must_be_complete(report)
        return report

    def _read_manifest(self, tar: tarfile.TarFile, expected: str) -> str:
        first = tar.next()
        body = tar.extractfile(first) if first is not None and first.name == "manifest.json" else None
        if first is None or body is None or first.size > _LARGEST_MANIFEST:
            raise InvalidRequest("The file is no bundle: its first member is no manifest.")
        text = body.read()
        digest = hashlib.sha256(text).hexdigest()
        if expected and digest != expected.lower():
            raise DigestMismatch(
                f"The manifest of the bundle has the sha256 {digest}; it is not the one that was exported."
            )
        try:
            manifest = json.loads(text)
            if manifest["format"] != FORMAT:
                raise InvalidRequest(
                    f"The bundle's format is {shown(manifest['format'])}; this program reads {FORMAT}."
                )
            for project in manifest["projects"]:
                name = canonicalize_name(project["name"], validate=True)
                _check(project)
                self._pages[name] = project
                for file in project["files"]:
                    self._of_digest.setdefault(str(file["sha256"]), []).append((name, file))
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise InvalidRequest("The manifest of the bundle cannot be read; export it again.") from error
        return digest

    def _page(self, name: NormalizedName, body: bytes) -> None:
        told = self._pages[name]
        digest = hashlib.sha256(body).hexdigest()
        if digest != told["page"]:
            raise DigestMismatch(
                f"The page of {name} in the bundle is not what its manifest says; carry it over again."
            )
        fetched = datetime.fromisoformat(str(told["fetched"]))
        kept = self._keepers.pages.load(self._upstream, name)
        if kept is None or kept.is_gone or kept.fetched < fetched:
            page = KeptPage(body, digest, "", "", int(told["serial"]), fetched, fetched)
            self._keepers.pages.save(self._upstream, name, page)

    def _file(self, sha256: str, body: IO[bytes], report: Imported) -> None:
        files = self._of_digest[sha256]
        location = self._source.location(sha256)
        try:
            is_new = self._keepers.store.size(location) is None
            if is_new:
                self._store(sha256, location, body, int(files[0][1]["size"]))
            for name, file in files:
                self._record(name, file, location)
        except Refusal as refusal:
            report.refused.extend(Failure(str(file["filename"]), refusal.sentence) for _, file in files)
            return
        (report.taken if is_new else report.there).extend(str(file["filename"]) for _, file in files)

    def _store(self, sha256: str, location: str, body: IO[bytes], size: int) -> None:
        part = self._keepers.store.begin(location)
        if part is None:
            raise StorageFailed("Another process takes this file in just now; import the bundle again.")
        digest, came = hashlib.sha256(), 0
        try:
            while piece := body.read(PIECE):
                digest.update(piece)
                came += len(piece)
                part.write(piece)
            if came != size or digest.hexdigest() != sha256:
                raise DigestMismatch(
                    "Its bytes are not what the manifest says, so it was not taken; carry it over again."
                )
            part.finish(location)
        finally:
            part.drop()

    def _record(self, name: NormalizedName, file: Mapping[str, Any], location: str) -> None:
        filename, sha256 = str(file["filename"]), str(file["sha256"])
        before = self._keepers.files.of_project(self._upstream, name).get(filename)
        if before is not None and before.sha256 != sha256:
            raise DigestMismatch(
                f"Other bytes of {filename} were taken in before (sha256 {before.sha256}); those stand."
            )
        self._take_in(TakenFile(name, filename, str(file["version"]), sha256, int(file["size"]), location))

    def _metadata(self, sha256: str, body: bytes) -> None:
        told = {file["metadata"] for _, file in self._of_digest[sha256]}
        if hashlib.sha256(body).hexdigest() in told:
            self._keepers.store.put(f"{self._source.location(sha256)}.metadata", body)

    def _must_be_complete(self, report: Imported) -> None:
        seen = {*report.taken, *report.there, *(one.filename for one in report.refused)}
        for files in self._of_digest.values():
            for _, file in files:
                if file["filename"] not in seen:
                    report.refused.append(
                        Failure(str(file["filename"]), "The bundle ends before it; carry it over again.")
                    )


def _check(project: Mapping[str, Any]) -> None:
    """Raises KeyError, TypeError or ValueError for what a manifest does not say so of a project and its files."""
    int(project["serial"])
    if datetime.fromisoformat(project["fetched"]).tzinfo is None:
        raise ValueError("a time without a zone")
    digests = [project["page"]]
    for file in project["files"]:
        int(file["size"])
        digests += [file["sha256"], *([file["metadata"]] if file["metadata"] else [])]
        if not file["filename"].isprintable() or not file["version"].isprintable():
            raise ValueError("a name that is none")
    if not all(_SHA256.fullmatch(digest) for digest in digests):
        raise ValueError("a digest that is none")
