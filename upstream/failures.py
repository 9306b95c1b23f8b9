"""What went wrong with an upstream, in words."""

from __future__ import annotations

import socket
import ssl

from urllib3 import exceptions

_CUT_OFF = "its answer was cut off"


class CannotFetch(Exception):
    """Why something was not had from an upstream: words to stand after a colon, with "it" for the upstream.

    ``is_outage`` says whether it counts as trouble of the whole upstream, which is then left alone for a while.
    ``retry_after`` is in seconds.
    """

    def __init__(self, why: str, *, is_outage: bool = True, retry_after: int = 10) -> None:
        super().__init__(why)
        self.why = why
        self.is_outage = is_outage
        self.retry_after = retry_after


def failure_of(error: Exception) -> CannotFetch:
    """What an error of the network means."""
    causes = [error, *_causes(error)]
    for kind, why in _WORDS:
        if any(isinstance(one, kind) for one in causes):
            return CannotFetch(why)
    return CannotFetch(_CUT_OFF if isinstance(error, exceptions.HTTPError) else "it cannot be reached")


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate does not hold"),
    (exceptions.SSLError, "its TLS cannot be spoken"),
    (socket.gaierror, "its name cannot be looked up"),
    (exceptions.ReadTimeoutError, "it fell silent"),
    (exceptions.TimeoutError, "it does not answer in time"),
    (TimeoutError, "it does not answer in time"),
    (ConnectionRefusedError, "nothing listens there"),
    (exceptions.IncompleteRead, _CUT_OFF),
    (ConnectionResetError, _CUT_OFF),
)


def was_hung_up(error: Exception) -> bool:
    """Whether the other end closed the connection before it answered, as it may do with one that was kept."""
    return any(isinstance(one, ConnectionResetError | BrokenPipeError) for one in _causes(error))


def _causes(error: BaseException) -> list[BaseException]:
    """The errors that are wrapped in one: by ``raise from``, and as urllib3 does it, in the arguments."""
    inner = [one for one in (error.__cause__, *error.args) if isinstance(one, BaseException)]
    return [found for one in inner for found in (one, *_causes(one))]
