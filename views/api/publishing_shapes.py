"""The documents of ``/api/packages/<name>/publishers``, as schemas."""

from __future__ import annotations

from typing import Any, Final

from credentials.publishers import KINDS, LONGEST_FIELD, MOST_CLAIMS
from views.api.schemas import Schema, flag, many, maybe, moment, record, text

_KIND: Final = text("Which provider runs the job.", enum=list(KINDS))
_LABELS: Final = {one.name: one.label for kind in KINDS.values() for one in kind.fields}
FIELD_NAMES: Final = tuple(_LABELS)

PUBLISHER: Final = record(
    "A job that may upload to the project.",
    id=text("It removes the publisher."),
    project=text("The project's normalized name."),
    kind=_KIND,
    issuer=text("Who signs for the job.", format="uri"),
    fields={
        "type": "object",
        "description": "What the job is told by: the fields of its kind, or the claims that are demanded.",
        "additionalProperties": {"type": "string"},
    },
    description=text("The same in a line."),
    created=moment("When it was added."),
    created_by=maybe(text("Who added it; null: at the server's shell.")),
    last_used=maybe(moment("When it got a token last.")),
    pending=flag("Whether the project has no file yet."),
)
PUBLISHERS: Final = record("The project's trusted publishers.", publishers=many(PUBLISHER, "Newest first."))
REMOVED: Final = record("A publisher that is trusted no more.", removed=text("Its id."))

_FIELDS: Final[dict[str, Schema]] = {
    name: text(f"{label}, for the kinds that have it.", maxLength=LONGEST_FIELD) for name, label in _LABELS.items()
}
_OPTIONAL: Final[dict[str, Any]] = {
    "issuer": text("Who signs for the job; left out: the usual one of the kind.", maxLength=300),
    **_FIELDS,
    "claims": many(
        text("name=value; * in the value stands for any characters.", maxLength=2 * LONGEST_FIELD),
        "For kind oidc: what the provider has to say of the job.",
        maxItems=MOST_CLAIMS,
    ),
}
NEW_PUBLISHER: Final = record("The job, with the fields of its kind.", tuple(_OPTIONAL), kind=_KIND, **_OPTIONAL)
REMOVE: Final = record("Which publisher.", id=text("Its id.", minLength=1, maxLength=20))
