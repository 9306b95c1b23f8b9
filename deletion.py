"""Deleting, undoing it, and letting the bytes go for good: the half of ``package_manager`` that takes away.

A deletion takes rows off the listing and keeps them aside; the bytes stay where they lie, where no reading path looks.
Undoing it puts the rows back. Each is one transaction, so a crash leaves the one state or the other. Bytes go only
after it was written down that they are going, and a crash in between is made good by ``purge_overdue``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from packaging.utils import NormalizedName

from database import deletions, holdings
from database.deletions import Deleted, KeptFile
from database.engine import Database
from database.holdings import HeldFile
from database.journal import Actor, Change, Entry
from distributions.filenames import check_version, release_key
from errors import StorageFailed, UnknownFile, UnknownRelease
from simple.model import utc_stamp
from storage import Storage

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Taken:
    """What a deletion took: filenames, and what undoes it until when; both None where nothing is kept."""

    filenames: tuple[str, ...]
    id: str | None
    expires: datetime | None

    def document(self) -> dict[str, Any]:
        """As the API answers with it and the shell prints it."""
        until = utc_stamp(self.expires) if self.expires else None
        return {"deleted": list(self.filenames), "deletion": self.id, "restorable_until": until}


def deletion_line(deleted: Deleted) -> dict[str, Any]:
    """A deletion that can be undone, as the API answers with it and the shell prints it."""
    return {
        "id": deleted.id,
        "name": deleted.project,
        "version": deleted.version,
        "filename": deleted.filename,
        "files": deleted.files,
        "bytes": deleted.size,
        "reason": deleted.reason,
        "deleted": utc_stamp(deleted.deleted),
        "deleted_by": deleted.by,
        "restorable_until": utc_stamp(deleted.expires),
    }


class Deleting:
    """Takes files off an index and brings them back. ``undo_days`` is for how long that can be done."""

    def __init__(self, database: Database, storage: Storage, undo_days: int) -> None:
        self.database = database
        self.storage = storage
        self.undo_days = undo_days

    def delete(
        self,
        index: str,
        project: NormalizedName,
        version: str | None = None,
        filename: str | None = None,
        *,
        reason: str = "",
        by: Actor,
    ) -> Taken:
        """Delete a project's files, a release's or one. Their filenames are given out again by ``restore`` alone.

        The project's name and the roles on it stand. Raises UnknownProject, UnknownRelease, UnknownFile.
        """
        with self.database.writing() as change:
            files = self.files_named(change, index, project, version, filename)
            named = self._take_off(change, index, files, project, version, filename, reason, by)
        return self._taken(files, named)

    def _take_off(
        self,
        change: Change,
        index: str,
        files: list[HeldFile],
        project: NormalizedName,
        version: str | None,
        filename: str | None,
        reason: str,
        by: Actor,
    ) -> Deleted:
        """Take files off an index's listing within a transaction, after which ``_taken`` has to follow."""
        named = self._named(change, files, project, version, filename, reason, by)
        deletions.keep(change.connection, files, named)
        if not self.undo_days:
            deletions.end(change.connection, named.id, change.at)
        holdings.remove_files(change.connection, holdings.index_id_of(change.connection, index), files, change.at)
        for file in files:
            detail = {"reason": reason, "sha256": file.sha256, "size": file.size, "deletion": named.id}
            change.record(by, Entry("file.delete", index, project, file.version, file.filename, detail))
        return named

    def _taken(self, files: list[HeldFile], named: Deleted) -> Taken:
        """What a deletion took, whose bytes are let go where nothing is undone."""
        filenames = tuple(file.filename for file in files)
        if self.undo_days:
            return Taken(filenames, named.id, named.expires)
        self._let_go(named.id)
        return Taken(filenames, None, None)

    def _named(
        self,
        change: Change,
        files: list[HeldFile],
        project: NormalizedName,
        version: str | None,
        filename: str | None,
        reason: str,
        by: Actor,
    ) -> Deleted:
        return Deleted(
            id=deletions.new_id(),
            project=project,
            version=files[0].version if version is not None or filename is not None else None,
            filename=filename,
            reason=reason,
            by=by.name,
            deleted=change.at,
            expires=change.at + timedelta(days=self.undo_days),
            files=len(files),
            size=sum(file.size for file in files),
        )

    def restore(self, index: str, project: NormalizedName | None, deletion: str, *, by: Actor) -> list[str]:
        """Undo a deletion of this project, or of whichever for None; the filenames that are listed again, as they were.

        Raises NotFound; Gone once the time is over; Conflict where something else has its place by now; MissingBytes
        and StorageFailed where the bytes are not there or not the same, so that nothing is listed without them.
        """
        with self.database.reading() as connection:
            deletions.must_stand(connection, index, project, deletion, datetime.now(UTC))
            files = deletions.kept_files(connection, deletion)
        for file in files:
            self._must_be_whole(file)
        with self.database.writing() as change:
            found = deletions.must_stand(change.connection, index, project, deletion, change.at)
            for version in deletions.bring_back(change.connection, found, change.at):
                change.record(by, Entry("release.restore", index, found.project, version))
            for file in files:
                detail = {"sha256": file.sha256, "size": file.size, "deletion": found.id}
                change.record(by, Entry("file.restore", index, found.project, file.version, file.filename, detail))
        return [file.filename for file in files]

    def _must_be_whole(self, file: KeptFile) -> None:
        digest = hashlib.sha256()
        try:
            with self.storage.open(file.location) as source:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise StorageFailed(
                f"The disk could not read {file.filename} ({error.strerror}), so nothing was restored; "
                "an administrator has to look at it.",
                60,
            ) from error
        if digest.hexdigest() != file.sha256:
            raise StorageFailed(
                f"The bytes of {file.filename} are not those that were deleted, so nothing was restored; "
                "an administrator has to put the right ones back.",
                60,
            )

    def purge(self, index: str, deletion: str, *, by: Actor) -> list[str]:
        """Let the bytes of a deletion go for good, before its time is over; their filenames.

        Raises NotFound, Gone, StorageFailed.
        """
        with self.database.writing() as change:
            found = deletions.must_stand(change.connection, index, None, deletion, change.at)
            files = self._end(change, index, found, by)
        self._let_go(found.id)
        return files

    def purge_overdue(self, *, by: Actor) -> int:
        """Let go what can be undone no more, also what a crash left half-way; how many files.

        Raises StorageFailed for the first that the store did not let go, after all others went.
        """
        with self.database.reading() as connection:
            overdue = deletions.overdue(connection, datetime.now(UTC))
        gone, failure = 0, None
        for index, found, is_ended in overdue:
            if not is_ended:
                with self.database.writing() as change:
                    self._end(change, index, found, by)
            try:
                self._let_go(found.id)
                gone += found.files
            except StorageFailed as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return gone

    def _end(self, change: Change, index: str, found: Deleted, by: Actor) -> list[str]:
        deletions.end(change.connection, found.id, change.at)
        files = deletions.kept_files(change.connection, found.id)
        for file in files:
            # Without an index: it moves no page.
            detail = {"index": index, "sha256": file.sha256, "size": file.size, "deletion": found.id}
            change.record(by, Entry("file.purge", None, found.project, file.version, file.filename, detail))
        return [file.filename for file in files]

    def _let_go(self, deletion: str) -> None:
        with self.database.reading() as connection:
            locations = {file.location for file in deletions.kept_files(connection, deletion)}
            locations -= deletions.wanted(connection, deletion)
        self.storage.remove(sorted(locations))
        with self.database.writing() as change:
            deletions.forget(change.connection, deletion)

    def files_named(
        self, change: Change, index: str, project: NormalizedName, version: str | None, filename: str | None
    ) -> list[HeldFile]:
        """The files of a project, of a release or one. Raises UnknownProject, UnknownRelease, UnknownFile."""
        key = release_key(check_version(version)) if version is not None else None
        index_id = holdings.index_id_of(change.connection, index)
        try:
            files = holdings.files_of(change.connection, index_id, project, key, filename)
        except UnknownRelease as error:
            raise UnknownRelease(project, version or "") from error  # as it was spelled
        if not files:
            raise UnknownFile(filename or "")
        return files
