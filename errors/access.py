"""Who is asking is not known, may not, or asked too often."""

from __future__ import annotations

from errors.base import Refusal


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


class TooManyAttempts(Refusal):
    """Too many wrong passwords or requests; try again after ``retry_after`` seconds."""

    code = "too-many-attempts"

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
