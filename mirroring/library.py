"""An index as a library: what an installer would be told, upstreams included."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from packaging.utils import NormalizedName

from errors import UnknownFile, UnknownProject
from indexes.reading import IndexReader, source_of
from simple.model import ProjectDetail


@dataclass(frozen=True, slots=True)
class ReaderLibrary:
    """Looks projects up on an index, as ``closure.Library``."""

    reader: IndexReader

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """One project. Raises UnknownProject, UpstreamFailed."""
        members = self.reader.ruling(name).members
        if not members:
            raise UnknownProject(name)
        return source_of(members).project_detail(name)

    def core_metadata(self, name: NormalizedName, filename: str) -> bytes:
        """The core metadata of a file. Raises UnknownFile, UpstreamFailed."""
        for member in self.reader.ruling(name).members:
            with suppress(UnknownFile):
                return member.core_metadata(name, filename)
        raise UnknownFile(filename)
