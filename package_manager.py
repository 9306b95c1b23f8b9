"""Every change to what an index holds: publish, yank, delete, status, adopt. Nothing else writes.

The bytes go first: they are received, checked, synced and named before one short transaction lists them, so a crash
leaves at most an unlisted file. Deleting and undoing it are a step down, in ``deletion.py``, taking
releases to other indexes in ``promotion.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from packaging.utils import NormalizedName

from database import admission, holdings, rights, search_index, upstream_files
from database.engine import Database
from database.holdings import HeldFile, NewFile, Proven
from database.journal import Actor, Change, Entry
from distributions import attestations
from distributions.claims import Claim
from distributions.descriptions import Rendered
from distributions.filenames import DistributionFilename, parse_filename, release_key, ultranormalize
from distributions.reading import Distribution, must_have_bytes
from errors import MissingBytes, Refusal, StorageFull, TooLarge, shown
from promotion import Permit, Promoting
from simple.kept import TakenFile
from simple.model import ProjectStatus
from storage import Digests, Incoming, Storage, StoredFile
from storage.digests import Evicted
from storage.keys import key_of

_REFRESHED_AT_ONCE = 200  # projects; others may write in between


class Reader(Protocol):
    """What reads and checks a distribution: ``distributions.sandbox.Inspector``."""

    def inspect(self, path: Path, filename: str, *, accept_legacy: bool = True) -> Distribution:
        """Read one. Raises the refusals of ``distributions``."""
        ...

    def render(self, text: str, content_type: str | None) -> Rendered:
        """Render a description; what cannot be rendered is plain text."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of uploads and deletions. ``min_free_space`` and ``largest_file`` are in bytes."""

    overwrite: bool = False
    accept_legacy: bool = True
    refuse_similar: bool = False
    min_free_space: int = 0
    largest_file: int = 104_857_600
    undo_days: int = 14


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who uploads, beside their name in the journal: may they, and who owns a project that begins with it.

    ``attested_as`` is the trusted publisher against whom attestations are verified (``distributions.attestations``).
    """

    permit: Permit | None = None
    owner: str | None = None
    attested_as: Mapping[str, str | None] | None = None


ANYBODY = Uploader()


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an upload; ``changed`` is False for the same file sent again."""

    project: NormalizedName
    version: str
    filename: str
    sha256: str
    changed: bool
    warnings: tuple[str, ...] = ()


class PackageManager(Promoting):
    """The changes. Each takes ``by``: nobody changes anything without a name in the journal."""

    def __init__(self, database: Database, storage: Storage, reader: Reader, rules: Rules) -> None:
        super().__init__(database, storage, rules.undo_days)
        self.reader = reader
        self.rules = rules

    # -- in

    def receive(self) -> Incoming:
        """A place for an upload's bytes. Raises StorageFull below the low-water mark, StorageFailed."""
        if self.storage.free_bytes() < self.rules.min_free_space:
            raise StorageFull
        return self.storage.receive()

    def foresee(self, index: str, filename: DistributionFilename, size: int) -> HeldFile | None:
        """What can be said of an upload by its filename and size in bytes: the file that has the name already.

        Nothing is kept. Raises InvalidArchive for an empty file, TooLarge, and as ``database.admission.would_take``.
        """
        must_have_bytes(filename.filename, size)
        if size > self.rules.largest_file:
            raise TooLarge(
                f"The file {shown(filename.filename, 200)} has {size:,} bytes; a file may have "
                f"{self.rules.largest_file:,} here, and an administrator can raise max_file_size."
            )
        with self.database.reading() as connection:
            index_id = holdings.index_id_of(connection, index)
            refusing = self._refusing(overwrite=self.rules.overwrite)
            return admission.would_take(connection, index_id, filename, **refusing)

    def publish(
        self, index: str, incoming: Incoming, claim: Claim, *, uploader: Uploader = ANYBODY, by: Actor
    ) -> Published:
        """Take one distribution into an index. On return it is on stable storage, listed and in the journal.

        Attestations of a trusted publisher are verified, others are kept as they came and never offered. Raises what
        ``uploader`` raises, the refusals of ``distributions``, DigestMismatch, Disagreement, FilenameTaken,
        FilenameBurned, ReadOnlyProject, Conflict; StorageFull, StorageFailed and DatabaseBusy when it is our fault.
        """
        digests = incoming.finish()
        filename = parse_filename(claim.filename, accept_legacy=self.rules.accept_legacy)
        claim.must_agree_with_filename(filename)
        if uploader.permit is not None:
            with self.database.reading() as connection:
                uploader.permit(connection, filename.project)
        claim.must_match({"sha256": digests.sha256, "md5": digests.md5, "blake2b": digests.blake2b})
        distribution = self.reader.inspect(incoming.path, claim.filename, accept_legacy=self.rules.accept_legacy)
        claim.must_agree_with(distribution)
        proven = _proven(claim, digests.sha256, uploader.attested_as)
        location = key_of(index, filename.project, filename.filename)
        with self.storage.claimed(location):
            new = _new_file(distribution, digests, location, by)
            new = replace(new, attestations=claim.attestations, proven=proven, comment=claim.comment)
            return self._place(index, incoming, new, distribution.warnings, uploader, by)

    def _place(
        self,
        index: str,
        incoming: Incoming,
        new: NewFile,
        warnings: tuple[str, ...],
        uploader: Uploader,
        by: Actor,
    ) -> Published:
        held = self._meets(index, new, overwrite=self.rules.overwrite)
        if held is not None and held.sha256 == new.sha256:
            self._restore_if_lost(held, incoming)
            return Published(new.project, held.version, new.filename, new.sha256, changed=False)
        if held is not None or self._is_elsewhere(index, new.location):
            # Overwriting: the old bytes stay listed and whole until the row points to the new ones.
            new = replace(new, location=key_of(index, new.project, new.filename, new.sha256))
        new, said = self._rendered(index, new, replaces=held is not None)
        warnings = (*warnings, *said)
        self.storage.put(incoming, new.location)
        try:
            with self.database.writing() as change:
                if uploader.permit is not None:
                    uploader.permit(change.connection, new.project)  # it may be another's since it was asked
                version = self._list(change, index, new, warnings, by, overwrite=self.rules.overwrite)
                self._give_to(uploader.owner, change, index, new, by)
        except Refusal:
            self._withdraw(index, new)
            raise
        if held is not None and not self._is_elsewhere(index, held.location):
            self.storage.set_aside(held.location)
        return Published(new.project, version, new.filename, new.sha256, changed=True, warnings=warnings)

    def _rendered(self, index: str, new: NewFile, *, replaces: bool) -> tuple[NewFile, tuple[str, ...]]:
        """The file with its description rendered, where it begins a release or speaks anew for one; warnings of it."""
        if not new.description or not (replaces or self._begins_release(index, new)):
            return new, ()
        said = new.metadata.get("description_content_type")
        content_type = None if said is None else str(said)
        rendered = self.reader.render(new.description, content_type)
        return replace(new, rendered=rendered), rendered.warnings(content_type)

    def _begins_release(self, index: str, new: NewFile) -> bool:
        with self.database.reading() as connection:
            return not holdings.has_release(connection, holdings.index_id_of(connection, index), new)

    def _give_to(self, owner: str | None, change: Change, index: str, new: NewFile, by: Actor) -> None:
        """Who uploads a project's first file owns it, unless somebody does already."""
        if owner is None or not holdings.began_with(
            change.connection, holdings.index_id_of(change.connection, index), new
        ):
            return
        if rights.own_if_ownerless(change.connection, index, new.project, owner, change.at):
            change.moves_access()
            detail = {"user": owner, "role": rights.OWNER, "before": None, "index": index}
            change.record(by, Entry("role.grant", project=new.project, detail=detail))

    def _meets(self, index: str, new: NewFile, *, overwrite: bool) -> HeldFile | None:
        with self.database.reading() as connection:
            index_id = holdings.index_id_of(connection, index)
            return admission.must_take(connection, index_id, new, **self._refusing(overwrite=overwrite))

    def _is_elsewhere(self, index: str, location: str) -> bool:
        with self.database.reading() as connection:
            return holdings.is_elsewhere(connection, holdings.index_id_of(connection, index), location)

    def _refusing(self, *, overwrite: bool) -> admission.Refusing:
        return {"overwrite": overwrite, "refuse_similar": self.rules.refuse_similar}

    def _withdraw(self, index: str, new: NewFile) -> None:
        """What was refused after its bytes had their name must not be adopted later, as if it had been taken."""
        with self.database.reading() as connection:
            held = holdings.held_file(connection, holdings.index_id_of(connection, index), new.filename)
        if held is None or held.location != new.location:
            self.storage.set_aside(new.location)

    def _restore_if_lost(self, held: HeldFile, incoming: Incoming) -> None:
        try:
            self.storage.open(held.location).close()
        except MissingBytes:
            self.storage.put(incoming, held.location)

    def _list(
        self, change: Change, index: str, new: NewFile, warnings: tuple[str, ...], by: Actor, *, overwrite: bool
    ) -> str:
        index_id = holdings.index_id_of(change.connection, index)
        held = admission.must_take(change.connection, index_id, new, **self._refusing(overwrite=overwrite))
        detail: dict[str, object] = {"sha256": new.sha256, "size": new.size}
        if warnings:
            detail["warnings"] = list(warnings)
        if held is not None:
            holdings.replace_bytes(change.connection, index_id, held, new, change.at)
            detail["replaced"] = held.sha256
            change.record(by, Entry("file.replace", index, new.project, held.version, new.filename, detail))
            return held.version
        if holdings.add_file(change.connection, index_id, new, change.at):
            change.record(by, Entry("release.create", index, new.project, new.version))
        change.record(by, Entry("file.publish", index, new.project, new.version, new.filename, detail))
        return new.version

    def adopt(self, index: str, stored: StoredFile, *, by: Actor) -> Published:
        """List a file that lies in the store already, where it lies: dropped there by a person, or left by a crash.

        Raises as ``publish`` does.
        """
        name = stored.key.rpartition("/")[2]
        filename = parse_filename(name, accept_legacy=self.rules.accept_legacy)
        with self.storage.claimed(key_of(index, filename.project, name)), self.storage.local(stored.key) as path:
            digests = digests_of(path)
            distribution = self.reader.inspect(path, name, accept_legacy=self.rules.accept_legacy)
            new = replace(_new_file(distribution, digests, stored.key, by), uploaded=stored.modified)
            held = self._meets(index, new, overwrite=False)
            if held is not None:
                self._relocate_if_lost(index, held, stored.key, by)
                return Published(new.project, held.version, name, new.sha256, changed=False)
            new, said = self._rendered(index, new, replaces=False)
            warnings = (*distribution.warnings, *said)
            with self.database.writing() as change:
                version = self._list(change, index, new, warnings, by, overwrite=False)
        return Published(new.project, version, name, new.sha256, changed=True, warnings=warnings)

    def _relocate_if_lost(self, index: str, held: HeldFile, location: str, by: Actor) -> None:
        """The file was moved by a person: its row follows it."""
        if held.location == location or self._is_there(held.location):
            return
        with self.database.writing() as change:
            holdings.set_location(change.connection, held, location)
            detail = {"from": held.location, "to": location}
            change.record(by, Entry("file.relocate", index, held.project, held.version, held.filename, detail))

    def _is_there(self, location: str) -> bool:
        try:
            self.storage.open(location).close()
        except MissingBytes:
            return False
        return True

    def take_in(self, index: str, upstream: str, file: TakenFile) -> None:
        """Record that a file of one of an index's upstreams is here now, whose bytes are on stable storage."""
        with self.database.writing() as change:
            upstream_files.record_taken(change, upstream, file)
            detail = {"upstream": upstream, "sha256": file.sha256, "size": file.size}
            entry = Entry("file.fetch", index, file.project, file.version, file.filename, detail)
            change.record(Actor("upstream"), entry)

    def let_go(self, evicted: Evicted) -> None:
        """Record that files of upstreams went, to keep the limit of what may be kept of them."""
        with self.database.writing() as change:
            upstream_files.record_evicted(change, evicted.keys)

    # -- about what is there

    def yank(
        self, index: str, project: NormalizedName, version: str, filename: str | None, reason: str, *, by: Actor
    ) -> int:
        """Yank a release or one of its files (PEP 592), with a reason, perhaps empty; how many files changed.

        Raises UnknownProject, UnknownRelease, UnknownFile.
        """
        return self._set_yanked(index, project, version, filename, reason, by)

    def unyank(self, index: str, project: NormalizedName, version: str, filename: str | None, *, by: Actor) -> int:
        """Take a yank back; how many files changed. Raises as ``yank`` does."""
        return self._set_yanked(index, project, version, filename, None, by)

    def _set_yanked(
        self, index: str, project: NormalizedName, version: str, filename: str | None, reason: str | None, by: Actor
    ) -> int:
        with self.database.writing() as change:
            files = self.files_named(change, index, project, version, filename)
            changed = [file for file in files if file.yanked != reason]
            if not changed:
                return 0
            holdings.set_yanked(change.connection, changed, reason, change.at)
            action = "file.unyank" if reason is None else "file.yank"
            detail = {} if reason is None else {"reason": reason}
            for file in changed:
                change.record(by, Entry(action, index, project, file.version, file.filename, detail))
        return len(changed)

    def set_status(
        self, index: str, project: NormalizedName, status: ProjectStatus, reason: str | None, *, by: Actor
    ) -> None:
        """Set a project's status marker (PEP 792). Raises UnknownProject."""
        with self.database.writing() as change:
            index_id = holdings.index_id_of(change.connection, index)
            holdings.set_status(change.connection, index_id, project, status, reason)
            detail = {"status": status.value, "reason": reason or ""}
            change.record(by, Entry("project.status", index, project, detail=detail))

    def catch_up_search(self) -> int:
        """Let the search know again what it should; how many projects it did not know as they are."""
        last, refreshed = 0, 0
        while True:
            with self.database.reading() as connection:
                behind = search_index.behind(connection, after=last, most=_REFRESHED_AT_ONCE)
            if not behind:
                return refreshed
            with self.database.writing() as change:
                for project_id in behind:
                    search_index.refresh(change.connection, project_id)
            last, refreshed = behind[-1], refreshed + len(behind)


def _proven(claim: Claim, sha256: str, publisher: Mapping[str, str | None] | None) -> Proven | None:
    """What the attestations of an upload prove, where they are verified. Raises InvalidAttestation."""
    if claim.attestations is None or publisher is None:
        return None
    verified = attestations.verify(
        claim.attestations, filename=claim.filename, sha256=sha256, publisher=publisher
    )  # fmt: skip
    return Proven(attestations.provenance(verified), verified.as_dict())


def _new_file(distribution: Distribution, digests: Digests, location: str, by: Actor) -> NewFile:
    filename, metadata = distribution.filename, distribution.metadata
    core_metadata = distribution.core_metadata
    return NewFile(
        project=filename.project,
        display_name=metadata.name,
        lookalike=ultranormalize(metadata.name),
        version=str(filename.version),
        key=release_key(filename.version),
        filename=filename.filename,
        location=location,
        kind=filename.kind,
        python_tag=filename.python_tag,
        size=distribution.size,
        sha256=digests.sha256,
        md5=digests.md5,
        blake2b=digests.blake2b,
        requires_python=metadata.requires_python,
        uploaded=datetime.now(UTC),
        uploader=by.name,
        metadata=metadata.to_json(),
        description=metadata.description or "",
        core_metadata=core_metadata,
        core_metadata_sha256=hashlib.sha256(core_metadata).hexdigest() if core_metadata is not None else None,
    )


def digests_of(path: Path) -> Digests:
    """The digests of a file that lies on disk."""
    hashes = (hashlib.sha256(), hashlib.md5(usedforsecurity=False), hashlib.blake2b(digest_size=32))
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            for digest in hashes:
                digest.update(chunk)
    sha256, md5, blake2b = (digest.hexdigest() for digest in hashes)
    return Digests(sha256, md5, blake2b)
