"""It clashes with what is there, or with what was."""

from __future__ import annotations

from errors.base import Refusal, shown


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
