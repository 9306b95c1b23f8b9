"""What HTTP itself has a status for."""

from __future__ import annotations

from errors.base import Refusal


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


class TooLarge(Refusal):
    """More bytes than are taken here."""

    code = "too-large"


class UnsupportedMedia(Refusal):
    """A content type or coding that this address does not take."""

    code = "unsupported-media"
