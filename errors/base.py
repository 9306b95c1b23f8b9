"""The root of the tree of refusals, and how a stranger's value is put into a sentence."""

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
