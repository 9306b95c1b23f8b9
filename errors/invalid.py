"""What was sent cannot be taken as it is."""

from __future__ import annotations

from errors.base import Refusal


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
