"""The documents about what is inside files and what changed between releases, as schemas."""

from __future__ import annotations

from typing import Final

from distributions.comparing import Untold
from views.api.schemas import Schema, flag, many, maybe, record, ref, text, whole

CONTENTS = ref("Contents")
MEMBER_TEXT = ref("MemberText")
COMPARISON = ref("Comparison")

_MEMBER = record(
    "A file or link in a distribution.",
    path=text("Its name in the archive."),
    size=whole("Bytes, unpacked.", minimum=0),
    compressed_size=maybe(whole("Bytes in a zip; null in a tar, which is compressed as a whole.", minimum=0)),
    target=maybe(text("Where a link points, as a name in the archive; null for a file.")),
)
_POINT = record(
    "An entry point.",
    group=text("Its group, such as console_scripts."),
    name=text("Its name."),
    reference=text("What it refers to."),
)
_CHANGED = record(
    "A file that both have, with other bytes.",
    old_path=text("Its name in the older file."),
    path=text("Its name in the newer file."),
    old_size=whole("Bytes before.", minimum=0),
    size=whole("Bytes now.", minimum=0),
    diff=maybe(text("The difference in unified form, without file headers; null where untold says why.")),
    untold=maybe(text("Why the difference is not told.", enum=[*(one.value for one in Untold), None])),
)
_OMITTED = whole("How many more there are than are listed.", minimum=0)

NAMED: Final[dict[str, Schema]] = {
    "Contents": record(
        "What is inside a distribution.",
        filename=text("The file."),
        version=text("Its release."),
        sha256=text("Its digest, in hex.", pattern="^[0-9a-f]{64}$"),
        members=many(_MEMBER, "The files and links, in the order of the archive."),
        omitted=_OMITTED,
        metadata_path=maybe(text("The member that holds the core metadata.")),
        entry_points=many(_POINT, "The entry points that it declares."),
    ),
    "MemberText": record(
        "The text of a file in a distribution.",
        path=text("Its name in the archive."),
        size=whole("Bytes that the file has.", minimum=0),
        encoding=maybe(text("How it was decoded; null where it is no text.")),
        text=maybe(text("The text, or its beginning; null where it is no text.")),
        truncated=flag("Whether there is more than is shown."),
    ),
    "Comparison": record(
        "What changed from one release to another.",
        name=text("The project's normalized name."),
        old=text("The older of the two, or what was asked for as such."),
        new=text("The other."),
        fields=many(
            record(
                "A field of the core metadata that changed.",
                field=text("Its name."),
                removed=many(text("A value."), "What is there no more."),
                added=many(text("A value."), "What is new."),
            ),
            "The fields, without versions and dependencies.",
        ),
        description_changed=flag("Whether the descriptions differ."),
        dependencies=many(
            record(
                "A dependency that changed.",
                name=text("The project that is depended on."),
                old=maybe(text("The requirement before; null: it is new.")),
                new=maybe(text("The requirement now; null: it is gone.")),
            ),
            "The dependencies.",
        ),
        compared=many(text("A filename."), "The two files that were compared; none where no kind is on both sides."),
        kinds=many(text("sdist, or a wheel's tags."), "The kinds of file that both releases have."),
        entry_points_added=many(_POINT, "New entry points."),
        entry_points_removed=many(_POINT, "Entry points that are there no more."),
        added=many(_MEMBER, "Files that are new."),
        removed=many(_MEMBER, "Files that are there no more."),
        changed=many(_CHANGED, "Files that changed; a wheel's RECORD is left out."),
        same=whole("How many files are equal.", minimum=0),
        omitted=_OMITTED,
    ),
}
