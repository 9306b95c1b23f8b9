"""The documents of the API about indexes."""

from __future__ import annotations

from typing import Final

from indexes.manager import MODES, MOST
from views.api.schemas import (
    INDEX_PATTERN,
    LABEL,
    NO_CONTROLS,
    PROJECT_PATTERN,
    Schema,
    flag,
    many,
    maybe,
    moment,
    record,
    ref,
    text,
    whole,
)

# Of a new index: no two dots in a row, which no path of a store or of an address could have.
_NEW_NAME: Final = "^[a-z0-9](([.]?[a-z0-9_-])*[.]?[a-z0-9])?$"
# Printable ASCII of an http address without credentials, query and fragment (RFC 3986).
_URL: Final = "^https?://[^\\u0000-\\u0020\\u007f-\\uffff@?#\\\\]+$"
_TITLE: Final[Schema] = {
    **LABEL,
    "description": "What it is, for people; empty or left out: nothing.",
    "minLength": 0,
    "pattern": f"^({LABEL['pattern'][1:-1]})?$",
}
_MODE: Final = text("Whether its pages and files are taken on demand and kept, or clients sent there.", enum=[*MODES])

INDEX = ref("Index")
INDEX_LIST = ref("IndexList")
INDEX_DELETED = ref("DeletedIndex")
KEPT = ref("KeptNames")
KEPT_LIST = ref("KeptNamesList")
RELEASED = ref("ReleasedNames")
EXPLANATION = ref("Explanation")
PROMOTED = ref("Promoted")
OPENED = ref("OpenedProject")

INDEX_NAME: Final = text("An index's name.", pattern=INDEX_PATTERN, maxLength=64)
_KEPT: Final[dict[str, Schema]] = {
    "index": maybe(text("The index; null: every one.")),
    "pattern": text("A project's name, or the beginning of names with * behind it."),
}

NAMED: Final[dict[str, Schema]] = {
    "IndexList": record(
        "The indexes that the asker may read.", indexes=many(ref("Index"), "main first, then by name.")
    ),
    "Index": record(
        "An index.",
        name=text("Its name."),
        title=text("What it is, for people; perhaps empty."),
        created=moment("When it was made."),
        closed=flag("Whether only those with a role on it read it; else whoever reads main does."),
        declared=flag("Whether a file declares it, so that it is changed there."),
        bases=many(text("An index."), "Whose projects it shows, too, in order, of those that the asker may read."),
        upstreams=many(ref("Upstream"), "From where it takes what is not here, in order."),
        opened=many(text("A project."), "Those of its projects to which bases and upstreams may add."),
        projects=whole("Projects that it holds itself.", minimum=0),
        files=whole("Files that it holds itself.", minimum=0),
        bytes=whole("Bytes of these files.", minimum=0),
    ),
    "Upstream": record(
        "An index elsewhere. How it is signed in to is told to administrators only, the password to nobody.",
        id=text("What names it here; settings: it is that of the settings."),
        url=text("Its simple address."),
        mode=_MODE,
        username=maybe(text("The name to sign in with, perhaps empty; null: this is not told.")),
        has_password={**flag("Whether there is a password; null: this is not told."), "type": ["boolean", "null"]},
        allow_private={
            **flag("Whether it may be at a private address; null: this is not told."),
            "type": ["boolean", "null"],
        },
    ),
    "DeletedIndex": record("An index that is no more.", deleted=text("Its name.")),
    "KeptNames": record(
        "Names for which no upstream is asked.",
        **_KEPT,
        team=maybe(text("The team that they belong to, where they are kept for that; null: somebody kept them.")),
        created=moment("Since when."),
        by=maybe(text("Who kept them; null: they are a team's.")),
    ),
    "KeptNamesList": record("Names for which no upstream is asked.", kept=many(ref("KeptNames"), "By pattern.")),
    "ReleasedNames": record(
        "Names for which upstreams may answer again.",
        index=_KEPT["index"],
        released=text("The pattern."),
    ),
    "Explanation": record(
        "Who answers for a project on an index, and why.",
        index=text("The index."),
        project=text("The normalized name."),
        version=maybe(text("The version that was asked about.")),
        sentence=text("The same in a sentence."),
        voices=many(ref("Voice"), "Each who might have answered, in the order in which they are asked."),
    ),
    "Voice": record(
        "One who might have answered, of those that the asker may read.",
        index=text("The index."),
        upstream=maybe(text("The id of its upstream; null: what the index holds itself.")),
        verdict=text(
            "What it does: adds is to an opened project.",
            enum=["answers", "adds", "shadowed", "knows nothing", "not asked", "sends clients on", "failed"],
        ),
        reason=text("Why, in a sentence."),
        versions=many(text("A version."), "Those that it has, as far as they are known."),
    ),
    "Promoted": record(
        "What a promotion did.",
        copied=many(text("A filename."), "Files that are on the other index since now."),
        already_there=many(text("A filename."), "Files that were there before, with the same bytes."),
        moved=flag("Whether they were taken off the first index, where they can be restored."),
    ),
    "OpenedProject": record(
        "Whether others may add files to a project.",
        name=text("The normalized name."),
        open=flag("Whether bases and upstreams may."),
        changed=flag("Whether that was otherwise."),
    ),
}

NEW_INDEX_BODY: Final = record(
    "The index to be made.",
    ("title", "closed"),
    name=text("Lower-case letters, digits and . _ - between them.", pattern=_NEW_NAME, maxLength=64),
    title=_TITLE,
    closed=flag("Whether only those with a role on it read it; left out: yes."),
)
CHANGED_INDEX_BODY: Final = record(
    "What is to be changed; what is left out stays.",
    ("title", "closed"),
    title=_TITLE,
    closed=flag("Whether only those with a role on it read it."),
)
BASES_BODY: Final = record(
    "All its bases.", bases=many(INDEX_NAME, "Whose projects it shows, too, in this order.", maxItems=MOST)
)
UPSTREAMS_BODY: Final = record(
    "All its upstreams.",
    upstreams=many(
        record(
            "An upstream.",
            ("mode", "username", "password", "allow_private"),
            url=text("Its simple address, without a name and a password in it.", pattern=_URL, maxLength=500),
            mode={**_MODE, "default": MODES[0]},
            username=text("The name to sign in with; left out: none.", pattern=NO_CONTROLS, maxLength=200),
            password=text(
                "The password; left out: that which an upstream of this address and name has; empty: none.",
                pattern=NO_CONTROLS,
                maxLength=1000,
                writeOnly=True,
            ),
            allow_private=flag("Whether it may be at a private or loopback address; left out: no."),
        ),
        "Who is asked for what is not here, in this order.",
        maxItems=MOST,
    ),
)
KEPT_BODY: Final = record(
    "Which names.",
    pattern=text(
        "A project's name, or the beginning of names with * behind it.", pattern=PROJECT_PATTERN, maxLength=128
    ),
)
PROMOTION_BODY: Final = record(
    "Where it goes.",
    ("move",),
    to={**INDEX_NAME, "description": "The index that is to have the release, too."},
    move=flag("Whether to delete it from the first one, where it can be restored; left out: no."),
)
