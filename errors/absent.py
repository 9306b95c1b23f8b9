"""There is no such thing."""

from __future__ import annotations

from typing import ClassVar

from errors.base import Refusal, shown


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


class NotKept(UnknownProject):
    """The project was never taken in from an upstream, and no upstream is asked now."""

    code = "not-kept"
    said = "Nothing of project {} was taken in before, and no upstream is asked now (offline); go online for it."


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
