"""The part of ``package_manager.py`` that takes releases from one index to another: their bytes stay where they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from packaging.utils import NormalizedName

from database import admission, holdings, promotions, rights
from database.holdings import HeldFile
from database.journal import Actor, Change, Entry
from deletion import Deleting
from distributions.filenames import parse_filename
from errors import FilenameTaken, InvalidRequest

# Raises Forbidden where somebody may not add to a project of the index; asked within a transaction, on its connection.
Permit = Callable[[Any, NormalizedName], None]


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did: the files that are now on the target, and those that were there already, by name."""

    copied: tuple[str, ...]
    there: tuple[str, ...]
    moved: bool

    def document(self) -> dict[str, Any]:
        """As the API answers with it and the shell prints it."""
        return {"copied": list(self.copied), "already_there": list(self.there), "moved": self.moved}


class Promoting(Deleting):
    """Copies and moves releases between indexes."""

    def promote(
        self,
        source: str,
        target: str,
        project: NormalizedName,
        version: str,
        *,
        move: bool = False,
        permit: Permit | None = None,
        owner: str | None = None,
        by: Actor,
    ) -> Promoted:
        """List a release of one index on another one, too; with ``move``, on that one only.

        A file keeps its time, uploader, yank and attestations. ``owner`` owns a project that this begins on the target.
        Raises UnknownIndex, UnknownProject, UnknownRelease; InvalidRequest for one index; what ``permit`` raises;
        FilenameTaken, FilenameBurned, ReadOnlyProject and Conflict, as for an upload to the target, and then nothing is
        promoted.
        """
        if source == target:
            raise InvalidRequest(f"The release is on {target} already; name another index to promote it to.")
        with self.database.writing() as change:
            files = self.files_named(change, source, project, version, None)
            promotions.must_be_offered(change.connection, source, project)
            if permit is not None:
                permit(change.connection, project)
            new = self._new_there(change, target, files)
            if new:
                self._copy(change, source, target, project, new, owner, by)
            named = None
            if move:  # in the same transaction, so that no file that comes meanwhile goes unpromoted
                reason = f"Moved to the index {target}."
                named = self._take_off(change, source, files, project, version, None, reason, by)
        if named is not None:
            self._taken(files, named)
        copied = tuple(file.filename for file in new)
        return Promoted(copied, tuple(file.filename for file in files if file.filename not in copied), move)

    def _new_there(self, change: Change, target: str, files: list[HeldFile]) -> list[HeldFile]:
        """Those files that the target does not have yet. Raises as ``promote`` does."""
        target_id = holdings.index_id_of(change.connection, target)
        new = []
        for file in files:
            named = parse_filename(file.filename, accept_legacy=True)
            held = admission.would_take(change.connection, target_id, named, overwrite=False, refuse_similar=False)
            if held is None:
                new.append(file)
            elif held.sha256 != file.sha256:
                raise FilenameTaken(held.filename, held.sha256)
        return new

    def _copy(
        self,
        change: Change,
        source: str,
        target: str,
        project: NormalizedName,
        files: list[HeldFile],
        owner: str | None,
        by: Actor,
    ) -> None:
        began = promotions.copy(change.connection, source, target, project, files, change.at)
        version = files[0].version
        if began.release:
            change.record(by, Entry("release.create", target, project, version))
        for file in files:
            detail = {"sha256": file.sha256, "size": file.size, "from": source}
            change.record(by, Entry("file.promote", target, project, file.version, file.filename, detail))
        if owner is None or not began.project:
            return
        if rights.own_if_ownerless(change.connection, target, project, owner, change.at):
            change.moves_access()
            given = {"user": owner, "role": rights.OWNER, "before": None, "index": target}
            change.record(by, Entry("role.grant", project=project, detail=given))
