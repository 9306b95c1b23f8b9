"""The documents of what was downloaded, as schemas."""

from __future__ import annotations

from typing import Final

from views.api.schemas import Schema, many, maybe, record, ref, text, whole

_COUNT: Final = whole("Whole downloads.", minimum=0)
_FIGURES: Final[dict[str, Schema]] = {
    "days": whole("How many days the period has, today among them.", minimum=1),
    "total": whole("All downloads since counting began; the last half minute may be missing.", minimum=0),
    "in_period": whole("The downloads of the period.", minimum=0),
    "lately": record(
        "The downloads of the last days, whatever the period is.",
        last_7_days=_COUNT,
        last_30_days=_COUNT,
        last_90_days=_COUNT,
    ),
    "by_day": many(
        record("One day.", day=text("The day, UTC.", format="date"), downloads=_COUNT),
        "Every day of the period, oldest first.",
    ),
    "by_python": many(ref("DownloadShare"), "By minor version of Python, most first; without parts."),
    "by_installer": many(ref("DownloadShare"), "By program, most first; the parts are its versions."),
    "by_platform": many(ref("DownloadShare"), "By system and machine, most first; the parts are C libraries."),
}

NAMED: Final[dict[str, Schema]] = {
    "DownloadShare": record(
        "The downloads of one value.",
        name=maybe(text("The value; null: the client did not say; other: what it said is not told apart.")),
        downloads=whole("Whole downloads.", minimum=1),
        parts=many(
            record(
                "One part.",
                name=maybe(text("What it is; null: it is not known.")),
                downloads=whole("Whole downloads.", minimum=1),
            ),
            "The same downloads told apart further, most first.",
        ),
    ),
    "IndexDownloads": record(
        "What was downloaded of the whole index.",
        **_FIGURES,
        by_project=many(
            record(
                "One project.",
                name=text("The normalized name."),
                downloads=whole("Whole downloads.", minimum=1),
            ),
            "The hundred most downloaded projects of those that are listed, most first.",
        ),
    ),
    "ProjectDownloads": record(
        "What was downloaded of a project.",
        name=text("The normalized name."),
        **_FIGURES,
        by_version=many(ref("DownloadShare"), "By version, most first; the parts are its files."),
    ),
}
