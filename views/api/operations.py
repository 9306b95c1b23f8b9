"""What the published description says of one view, declared beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from config import Settings
from views.api.schemas import (
    FILENAME_PATTERN,
    INDEX_PATTERN,
    NAME_PATTERN,
    TEAM_PATTERN,
    USERNAME_PATTERN,
    VERSION_PATTERN,
    Schema,
    ref,
    text,
)

View = TypeVar("View", bound=Callable[..., Any])
Body = Schema | Callable[[Settings], Schema]

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query. One that is ``required`` has no default."""

    name: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``headers`` are those that belong to it alone, by name; ``others`` further media types."""

    description: str
    schema: Schema | None = None
    media_type: str = JSON
    headers: Mapping[str, Schema] = field(default_factory=dict)
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    ``replies`` are those of success; the refusals follow from the rest, and ``refusals`` adds more by status, in the
    media types of ``refused``. ``body`` may depend on the settings. ``is_cached``: with an ETag, so that it can be 304.
    ``security`` names a way to prove oneself that is this operation's alone.
    """

    summary: str
    tag: str
    replies: Mapping[int, Reply]
    description: str = ""
    query: tuple[Parameter, ...] = ()
    body: Body | None = None
    body_optional: bool = False
    media_type: str = JSON
    refusals: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[str, Schema] = field(default_factory=lambda: {PROBLEM_JSON: ref("Problem")})
    is_cached: bool = False
    security: str = ""


PATH_PARAMETERS: Mapping[str, Schema] = {
    "name": text("The project's name, in any spelling.", pattern=NAME_PATTERN, maxLength=128),
    "version": text("The version, in any spelling.", pattern=VERSION_PATTERN, maxLength=128),
    "username": text("The user's name, in whatever case.", pattern=USERNAME_PATTERN, maxLength=100),
    "team": text("The team's name, in whatever case.", pattern=TEAM_PATTERN, maxLength=100),
    "filename": text("The file's name, exactly.", pattern=FILENAME_PATTERN, maxLength=200),
    "index": text("The index's name.", pattern=INDEX_PATTERN, maxLength=64),
    "deletion": text("The id of a deletion.", pattern="^[0-9a-f]{12}$"),
}


def described(operation: Operation) -> Callable[[View], View]:
    """Declare what the published description says of a view."""

    def declare(view: View) -> View:
        view.operation = operation  # type: ignore[attr-defined]
        return view

    return declare
