"""The refusals of this server, as one tree.

Every refusal is one class here. It carries its facts as attributes and one sentence for a person: what is wrong and
what to do. ``views/errors.py`` alone knows which family has which status and form.

    Refusal
    ├── Invalid                 what was sent cannot be taken as it is
    │   ├── InvalidRequest      the request or form itself
    │   ├── InvalidName         ├── InvalidVersion      ├── InvalidFilename     ├── InvalidArchive
    │   ├── InvalidMetadata     its core metadata is not sound
    │   ├── Disagreement        form, filename and file do not say the same
    │   ├── DigestMismatch      the bytes are not those that the form describes
    │   ├── InvalidAttestation  it does not hold for this file and publisher
    │   └── InvalidSetting      a setting that cannot be used
    ├── NotAuthenticated        nobody known is asking
    ├── Forbidden               a known person without the right
    │   ├── ProofNeeded         it must be proved anew who one is
    │   ├── ReadOnlyProject     archived or quarantined
    │   └── InvalidIdentityToken  a CI provider's token that is not taken
    ├── NotFound
    │   ├── UnknownProject      ├── UnknownRelease      ├── UnknownFile         ├── UnknownUser
    │   │   └── NotKept         not taken in from an upstream, and upstreams are not asked
    │   ├── UnknownTeam         ├── UnknownRole         ├── UnknownIndex        ├── UnknownPublisher
    │   └── UnknownSession      └── UnknownFactor       └── UnknownToken
    ├── MethodNotAllowed
    ├── NotAcceptable           no representation that the client takes
    ├── Conflict                it clashes with what is there
    │   ├── FilenameTaken       same name, other bytes
    │   ├── FilenameBurned      the name was used by a file since deleted
    │   └── NameTaken           a user, token or index of that name is there
    ├── Gone                    an old action that is no longer done, a deletion that is past undoing
    ├── TooLarge                ├── UnsupportedMedia
    ├── TooManyAttempts         carries ``retry_after`` in seconds
    └── Unavailable             our own trouble; carries ``retry_after`` in seconds
        ├── StorageFull
        ├── StorageFailed
        │   └── MissingBytes    listed, but not in the store
        ├── UpstreamFailed      another index did not answer as it should, and nothing of it is kept
        ├── DatabaseBusy        ├── IssuerUnavailable   ├── DataDirectoryInUse  └── PortInUse
"""

from __future__ import annotations

from errors.absent import (
    NotFound,
    NotKept,
    UnknownFactor,
    UnknownFile,
    UnknownIndex,
    UnknownProject,
    UnknownPublisher,
    UnknownRelease,
    UnknownRole,
    UnknownSession,
    UnknownTeam,
    UnknownToken,
    UnknownUser,
)
from errors.access import (
    Forbidden,
    InvalidIdentityToken,
    NotAuthenticated,
    ProofNeeded,
    ReadOnlyProject,
    TooManyAttempts,
)
from errors.base import Refusal, shown
from errors.clashes import Conflict, FilenameBurned, FilenameTaken, Gone, NameTaken
from errors.invalid import (
    DigestMismatch,
    Disagreement,
    Invalid,
    InvalidArchive,
    InvalidAttestation,
    InvalidFilename,
    InvalidMetadata,
    InvalidName,
    InvalidRequest,
    InvalidSetting,
    InvalidVersion,
)
from errors.protocol import MethodNotAllowed, NotAcceptable, TooLarge, UnsupportedMedia
from errors.unavailable import (
    DatabaseBusy,
    DataDirectoryInUse,
    IssuerUnavailable,
    MissingBytes,
    PortInUse,
    StorageFailed,
    StorageFull,
    Unavailable,
    UpstreamFailed,
)

__all__ = [
    "Conflict",
    "DataDirectoryInUse",
    "DatabaseBusy",
    "DigestMismatch",
    "Disagreement",
    "FilenameBurned",
    "FilenameTaken",
    "Forbidden",
    "Gone",
    "Invalid",
    "InvalidArchive",
    "InvalidAttestation",
    "InvalidFilename",
    "InvalidIdentityToken",
    "InvalidMetadata",
    "InvalidName",
    "InvalidRequest",
    "InvalidSetting",
    "InvalidVersion",
    "IssuerUnavailable",
    "MethodNotAllowed",
    "MissingBytes",
    "NameTaken",
    "NotAcceptable",
    "NotAuthenticated",
    "NotFound",
    "NotKept",
    "PortInUse",
    "ProofNeeded",
    "ReadOnlyProject",
    "Refusal",
    "StorageFailed",
    "StorageFull",
    "TooLarge",
    "TooManyAttempts",
    "Unavailable",
    "UnknownFactor",
    "UnknownFile",
    "UnknownIndex",
    "UnknownProject",
    "UnknownPublisher",
    "UnknownRelease",
    "UnknownRole",
    "UnknownSession",
    "UnknownTeam",
    "UnknownToken",
    "UnknownUser",
    "UnsupportedMedia",
    "UpstreamFailed",
    "shown",
]
