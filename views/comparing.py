"""Comparing two releases, for the page and the API alike: which two, by which files, and what changed."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import NormalizedName

from database.catalogue import ReleaseDetail
from distributions.comparing import Comparison
from distributions.metadata_changes import MetadataChanges, compare_metadata
from simple.model import File, ProjectDetail
from views import this_index
from views.contents import reader
from views.releases import common_kinds, latest_release, offered_release, releases_before


@dataclass(frozen=True, slots=True)
class Pair:
    """Two releases to be compared, and the kinds of file that both have, by one file of each."""

    old: ReleaseDetail
    new: ReleaseDetail
    kinds: dict[str, tuple[File, File]]

    @property
    def metadata(self) -> MetadataChanges:
        """What changed in their core metadata."""
        differ = self.old.description != self.new.description
        return compare_metadata(self.old.metadata, self.new.metadata, description=differ)


def chosen_pair(detail: ProjectDetail, old: str, new: str) -> Pair | None:
    """The releases of these versions; without a version the latest, and the one before that.

    None where there is none before. Raises UnknownRelease.
    """
    after = offered_release(detail, new) if new else latest_release(detail)
    before = old or releases_before(detail)[after.version]
    if before is None:
        return None
    found = offered_release(detail, before)
    return Pair(found, after, common_kinds(detail, found.version, after.version))


def compared_files(name: NormalizedName, files: tuple[File, File]) -> Comparison:
    """What changed from the one file to the other. Raises InvalidArchive, MissingBytes, Unavailable."""
    old, new = (this_index().catalogue.file(name, file.filename) for file in files)
    return reader().comparison(old, new)
