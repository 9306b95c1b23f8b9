"""The documents of dependencies, as schemas."""

from __future__ import annotations

from typing import Final

from simple.model import ProjectStatus
from views.api.schemas import Schema, flag, many, maybe, record, ref, text, whole

DEPENDENCIES: Final = ref("Dependencies")
USED_BY: Final = ref("UsedBy")

_CASE: Final = record(
    "A case in which a requirement is needed.",
    extra=maybe(text("For whoever asks for this extra, normalized; null: for everybody.")),
    marker=maybe(text("What else has to hold, as an environment marker; null: nothing.")),
)

_REQUIREMENT: Final = record(
    "One requirement.",
    requirement=text("It as the metadata has it (dependency specifiers, PEP 508)."),
    name=maybe(text("The normalized name of the project; null where it cannot be read.")),
    extras=many(text("An extra."), "Those of its extras that are asked for."),
    specifier=text("The versions that fit, perhaps empty."),
    url=maybe(text("Where it is to be had instead of on an index.")),
    needed=many(_CASE, "When it is needed: in any of these cases."),
    in_index=maybe(flag("Whether this index has the project; null for a token that is not for that project.")),
    latest_version=maybe(text("Its latest version here; null where it is not here, quarantined or not told.")),
)

NAMED: Final[dict[str, Schema]] = {
    "Dependencies": record(
        "What a release requires.",
        name=text("The normalized name."),
        version=maybe(text("The release; null where the project is quarantined.")),
        requires_python=maybe(text("The versions of Python that it is for; null: any.")),
        extras=many(text("An extra."), "The extras that it has."),
        requirements=many(_REQUIREMENT, "In the order of its metadata."),
    ),
    "UsedBy": record(
        "One page of the projects that require a project.",
        name=text("The normalized name of the project that they require."),
        projects=many(
            record(
                "One project.",
                name=text("The normalized name."),
                display_name=text("The name as its owner spells it."),
                version=maybe(text("Its latest version.")),
                status=text(
                    "PEP 792: what may be done with the project.", enum=[status.value for status in ProjectStatus]
                ),
                requirements=many(
                    text("A requirement."), "How it requires the project, as its metadata has it; the first 20."
                ),
            ),
            "By name; none that is quarantined.",
        ),
        page=whole("Which page this is.", minimum=1),
        per_page=whole("Projects on a full page.", minimum=1),
        pages=whole("How many pages there are.", minimum=1),
        total=whole("How many projects there are on all pages.", minimum=0),
    ),
}
