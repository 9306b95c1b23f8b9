"""Our own trouble: nothing was changed, and it is worth trying again."""

from __future__ import annotations

from errors.base import Refusal, shown


class Unavailable(Refusal):
    """Our own trouble; nothing was changed. Try again after ``retry_after`` seconds."""

    code = "unavailable"

    def __init__(self, sentence: str, retry_after: int = 10) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class StorageFull(Unavailable):
    """The disk or quota under the store is used up."""

    code = "storage-full"

    def __init__(self) -> None:
        super().__init__("The package store is full and nothing was stored; free some space and try again.", 60)


class StorageFailed(Unavailable):
    """The store could not be read or written."""

    code = "storage-failed"


class MissingBytes(StorageFailed):
    """A listed file whose bytes are not in the store: 503, not 404, since it was published and should come back."""

    code = "missing-bytes"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The bytes of {shown(key, 200)} are missing from the store; an administrator has to restore them."
        )
        self.key = key


class DatabaseBusy(Unavailable):
    """Another writer held the database for too long."""

    code = "database-busy"

    def __init__(self) -> None:
        super().__init__("The database is busy with other changes and nothing was changed; try again.", 5)


class IssuerUnavailable(Unavailable):
    """The keys of an identity provider cannot be had, so nothing that it signed can be checked."""

    code = "issuer-unavailable"


class DataDirectoryInUse(Unavailable):
    """Another server runs on this data directory."""

    code = "data-directory-in-use"


class PortInUse(Unavailable):
    """The address cannot be listened on."""

    code = "port-in-use"

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"Cannot listen on {host} port {port}: {why}; choose another with --port {port + 1}.")


class UpstreamFailed(Unavailable):
    """Another index did not give what was asked of it, and nothing of it was kept here."""

    code = "upstream-failed"
