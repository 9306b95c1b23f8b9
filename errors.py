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
        ├── DatabaseBusy        ├── IssuerUnavailable   ├── DataDirectoryInUse  └── PortInUse
"""

from __future__ import annotations

from typing import ClassVar


def shown(value: object, limit: int = 60) -> str:
    """A stranger's value, made fit for a sentence: quoted, escaped, at most ``limit`` characters."""
    text = ascii(value if isinstance(value, str) else str(value))
    return text if len(text) <= limit + 2 else f"{text[: limit - 2]}...'"


class Refusal(Exception):
    """The root. ``sentence`` is one line for a person; ``code`` a stable word for programs."""

    code: ClassVar[str] = "refused"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Invalid(Refusal):
    """What was sent cannot be taken as it is."""

    code = "invalid"


class InvalidRequest(Invalid):
    """The request or the form itself is not sound."""

    code = "invalid-request"


class InvalidName(Invalid):
    """Not a project name (core metadata specification, "Name")."""

    code = "invalid-name"


class InvalidVersion(Invalid):
    """Not a version (version specifiers specification)."""

    code = "invalid-version"


class InvalidFilename(Invalid):
    """Not the filename of a wheel or sdist."""

    code = "invalid-filename"


class InvalidArchive(Invalid):
    """The file is not a sound wheel or sdist."""

    code = "invalid-archive"


class InvalidMetadata(Invalid):
    """The core metadata is missing or not sound."""

    code = "invalid-metadata"


class Disagreement(Invalid):
    """Form, filename and file do not say the same."""

    code = "disagreement"


class DigestMismatch(Invalid):
    """The bytes received are not those that the form describes."""

    code = "digest-mismatch"


class InvalidAttestation(Invalid):
    """An attestation is not sound, or not of this file and its publisher (PEP 740)."""

    code = "invalid-attestation"


class InvalidSetting(Invalid):
    """A setting has a value that cannot be used, or is not known."""

    code = "invalid-setting"


class NotAuthenticated(Refusal):
    """No credential was sent, or a wrong one."""

    code = "not-authenticated"


class Forbidden(Refusal):
    """The identity is known and lacks the right."""

    code = "forbidden"


class InvalidIdentityToken(Forbidden):
    """What an identity provider is said to have signed does not hold: form, signature, issuer, audience or time."""

    code = "invalid-identity-token"

    def __init__(self, sentence: str, why: str = "invalid-token") -> None:
        super().__init__(sentence)
        self.why = why  # PyPI's word for the reason


class ProofNeeded(Forbidden):
    """It was proved too long ago who is asking; the browser is sent to prove it anew."""

    code = "proof-needed"


class ReadOnlyProject(Forbidden):
    """The project's status takes no uploads (PEP 792)."""

    code = "read-only-project"


class NotFound(Refusal):
    """There is no such thing here; made with its sentence or, where a class ``said`` one, with the names in it."""

    code = "not-found"
    said: ClassVar[str] = "{}"

    def __init__(self, *names: str) -> None:
        plain = type(self).said == NotFound.said
        super().__init__(names[0] if plain else self.said.format(*map(shown, names)))
        self.names = names


class UnknownProject(NotFound):
    """The index holds no project of that name."""

    code = "unknown-project"
    said = "There is no project {} here; check the spelling or search for it."


class UnknownRelease(NotFound):
    """The project has no release of that version."""

    code = "unknown-release"
    said = "Project {} has no release {}; its page lists those it has."


class UnknownFile(NotFound):
    """The project has no file of that name."""

    code = "unknown-file"
    said = "There is no file {} here; the project's page lists those there are."


class UnknownUser(NotFound):
    """There is no user of that name."""

    code = "unknown-user"
    said = "There is no user {}; `cli.py user list` shows who there is."


class UnknownTeam(NotFound):
    """There is no team of that name."""

    code = "unknown-team"
    said = "There is no team {}; `cli.py team list` shows which there are."


class UnknownRole(NotFound):
    """Nobody of that name holds a role there."""

    code = "unknown-role"
    said = "{} holds no role on {}; list the roles to see who does."


class UnknownIndex(NotFound):
    """There is no index of that name."""

    code = "unknown-index"
    said = "There is no index {}; the first one is called main."


class UnknownPublisher(NotFound):
    """The project has no such trusted publisher."""

    code = "unknown-publisher"
    said = "There is no such trusted publisher of this project; list them to see those that stand."


class UnknownSession(NotFound):
    """There is no such session, or it is another account's."""

    code = "unknown-session"
    said = "The account has no such session; list its sessions to see those that stand."


class UnknownFactor(NotFound):
    """There is no such second factor, or it is another account's."""

    code = "unknown-factor"
    said = "The account has no such second factor; its security page shows those that it has."


class UnknownToken(NotFound):
    """There is no such token, or it is another account's."""

    code = "unknown-token"
    said = "There is no such token here; list the tokens to see those that stand."


class MethodNotAllowed(Refusal):
    """The address knows other methods; ``allowed`` names them."""

    code = "method-not-allowed"

    def __init__(self, sentence: str, allowed: tuple[str, ...]) -> None:
        super().__init__(sentence)
        self.allowed = allowed


class NotAcceptable(Refusal):
    """None of the representations is one that the client takes; ``offered`` names them."""

    code = "not-acceptable"

    def __init__(self, offered: tuple[str, ...]) -> None:
        super().__init__(f"Nothing here fits the Accept header; ask for one of: {', '.join(offered)}.")
        self.offered = offered


class Conflict(Refusal):
    """It clashes with what is there."""

    code = "conflict"


class FilenameTaken(Conflict):
    """A file of that name is there with other bytes; twine, poetry and pdm look for the words "already exist"."""

    code = "filename-taken"

    def __init__(self, filename: str, sha256: str) -> None:
        super().__init__(
            f"File already exists: {shown(filename, 200)} is here with other contents (sha256 {sha256}); "
            "publish the change under a new version."
        )
        self.filename, self.sha256 = filename, sha256


class FilenameBurned(Conflict):
    """A file of that name was here and was deleted; its name is not given out again."""

    code = "filename-burned"

    def __init__(self, filename: str) -> None:
        super().__init__(
            f"The filename {shown(filename, 200)} belonged to a file that was deleted and is not used again; "
            "restore that file while it can be, or choose a new version or build number."
        )
        self.filename = filename


class NameTaken(Conflict):
    """A user, token or index of that name is there."""

    code = "name-taken"


class Gone(Refusal):
    """An old action that is no longer done, or a deletion whose time to be undone is over."""

    code = "gone"


class TooLarge(Refusal):
    """More bytes than are taken here."""

    code = "too-large"


class UnsupportedMedia(Refusal):
    """A content type or coding that this address does not take."""

    code = "unsupported-media"


class TooManyAttempts(Refusal):
    """Too many wrong passwords or requests; try again after ``retry_after`` seconds."""

    code = "too-many-attempts"

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


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
