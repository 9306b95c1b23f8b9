"""Comparing two releases, for the page and the API alike: which two, by which files, and what changed."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import NormalizedName

from database.catalogue import ReleaseDetail
from distributions.comparing import Comparison
from distributions.filenames import check_version, release_key
from distributions.metadata_changes import MetadataChanges, compare_metadata
from errors import InvalidVersion, UnknownRelease
from simple.model import File, ProjectDetail, offered_versions
from views import this_index
from views.contents import reader
from views.releases import common_kinds, release_before
from views.web.release import latest_of


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
    after = _release(detail, new) if new else _release(detail, latest_of(detail))
    before = old or release_before(detail, after.version)
    if before is None:
        return None
    found = _release(detail, before)
    return Pair(found, after, common_kinds(detail, found.version, after.version))


def compared_files(name: NormalizedName, files: tuple[File, File]) -> Comparison:
    """What changed from the one file to the other. Raises InvalidArchive, MissingBytes, Unavailable."""
    old, new = (this_index().catalogue.file(name, file.filename) for file in files)
    return reader().comparison(old, new)


def _release(detail: ProjectDetail, version: str) -> ReleaseDetail:
    try:
        key = release_key(check_version(version))
    except InvalidVersion as error:
        raise UnknownRelease(detail.name, version) from error
    found = this_index().catalogue.release(detail.name, key)
    if found.version not in offered_versions(detail):
        raise UnknownRelease(detail.name, version)
    return found
