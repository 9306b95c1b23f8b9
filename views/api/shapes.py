"""The documents of the API, as schemas: what is answered, and the bodies that are taken."""

from __future__ import annotations

from typing import Any, Final

from config import Settings
from people.tokens import MOST_DAYS, MOST_PROJECTS, NOTE_CHARACTERS, USUAL_SCOPES
from permissions import SCOPES
from simple.model import ProjectStatus
from views.api import contents_shapes, dependency_shapes, index_shapes, people_shapes, statistics_shapes
from views.api.schemas import (
    FILENAME_PATTERN,
    INDEX_PATTERN,
    LABEL,
    NO_CONTROLS,
    PROJECT_PATTERN,
    REASON,
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

_STATUS = text("PEP 792: what may be done with the project.", enum=[status.value for status in ProjectStatus])
_STATUS_REASON = maybe(text("Why, where somebody said it."))

_FILE = record(
    "One distribution.",
    filename=text("Its name."),
    version=text("The release that it belongs to."),
    url=text("Where it is, absolute.", format="uri"),
    size=whole("Bytes.", minimum=0),
    sha256=text("Digest, in hex.", pattern="^[0-9a-f]{64}$"),
    md5=maybe(text("Digest, in hex.", pattern="^[0-9a-f]{32}$")),
    blake2b_256=maybe(text("Digest, in hex.", pattern="^[0-9a-f]{64}$")),
    upload_time=moment("When it was uploaded."),
    uploader=text("Who uploaded it."),
    requires_python=maybe(text("Versions of Python that it is for.")),
    yanked=flag("Whether installers pass it over (PEP 592)."),
    yanked_reason=maybe(text("Why it is yanked, perhaps empty; null where it is not.")),
    core_metadata_sha256=maybe(text("Digest of the file at url + '.metadata', null where there is none.")),
    kind=text("Wheel or source distribution.", enum=["bdist_wheel", "sdist"]),
    python_tag=text("The wheel's Python tag, or 'source'."),
)

_METADATA: Schema = {
    "type": "object",
    "description": "The core metadata that the release gives, under its Python names, without the description.",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
}

_RELEASE_LINE: Final[dict[str, Schema]] = {
    "created": moment("When its first file came."),
    "yanked": flag("Whether all its files are yanked."),
    "yanked_reason": maybe(text("Why, perhaps empty; null where it is not yanked.")),
}

_HEAD: Final[dict[str, Schema]] = {
    "name": text("The normalized name."),
    "display_name": text("The name as its owner spells it."),
    "summary": text("One line."),
    "description": text("The README as it was uploaded."),
    "metadata": _METADATA,
    "status": _STATUS,
    "status_reason": _STATUS_REASON,
}
_INSTALL = text("A command that installs it from here.")

FILE = ref("File")
PACKAGE_LIST = ref("PackageList")
PACKAGE = ref("Package")
RELEASE = ref("Release")
STATUS = ref("Status")
YANKED = ref("Yanked")
DELETED = ref("Deleted")
DELETION_LIST = ref("DeletionList")
RESTORED = ref("Restored")
PURGED = ref("Purged")
TOKEN_LIST = ref("TokenList")
NEW_TOKEN = ref("NewToken")
REVOKED = ref("RevokedToken")
STATS = ref("Stats")
INDEX_DOWNLOADS = ref("IndexDownloads")
PROJECT_DOWNLOADS = ref("ProjectDownloads")
SEARCH = ref("SearchResult")
JOURNAL_PAGE = ref("JournalPage")
JOURNAL_PROOF = ref("JournalProof")
HEALTH = ref("Health")
PROBLEM = ref("Problem")

_DELETION = record(
    "A deletion that can be undone.",
    id=text("What restores it."),
    name=text("The project's normalized name."),
    version=maybe(text("The release that was deleted, or whose file was; null: the whole project.")),
    filename=maybe(text("The file that was deleted; null: the whole release or project.")),
    files=whole("How many files it took.", minimum=1),
    bytes=whole("How many bytes they have.", minimum=0),
    reason=text("Why, where somebody said it."),
    deleted=moment("When."),
    deleted_by=text("Who did it."),
    restorable_until=moment("Until when it can be undone."),
)

_LISTED = record(
    "One project in a list.",
    name=text("The normalized name."),
    display_name=text("The name as its owner spells it."),
    version=maybe(text("The latest version.")),
    summary=text("One line."),
    status=_STATUS,
    files=whole("How many files it has.", minimum=1),
    created=moment("When its first file came."),
    updated=moment("When it was changed last."),
)

_FOUND = record(
    "One project that a search found.",
    name=text("The normalized name."),
    display_name=text("The name as its owner spells it."),
    version=maybe(text("The latest version.")),
    summary=text("One line."),
    passage=maybe(text("A piece of its description, where neither name nor summary has what was looked for.")),
    status=_STATUS,
    yanked=flag("Whether every release is yanked."),
    files=whole("How many files it has.", minimum=1),
    downloads=whole("Whole downloads of all time; the last minutes may be missing.", minimum=0),
    updated=moment("When it was changed last."),
    url=text("Its page for people, on this server."),
)

_LIMITED_TO: Final[dict[str, Schema]] = {
    "scopes": many(text("A scope.", enum=list(SCOPES)), "What it may be used for."),
    "index": maybe(text("The index that it is for; null: any.")),
    "projects": many(text("A name, or a beginning with * behind it."), "The projects that it is for; none: any."),
    "note": text("What its owner wrote about it."),
}

_TOKEN = record(
    "A token, without its secret.",
    id=text("The public part of the token; it revokes it."),
    name=text("The name that it was given."),
    created=moment("When it was made."),
    expires=maybe(moment("When it ends; null: never.")),
    last_used=maybe(moment("When it was used last, to the minute.")),
    last_address=maybe(text("From where it was used last.")),
    **_LIMITED_TO,
)

_ANCHOR = record(
    "A row's serial and hash. Kept elsewhere they show later whether anything up to it was changed.",
    serial=whole("The serial.", minimum=0),
    hash=text("The hash, in hex."),
)

_JOURNAL_ROW = record(
    "One change.",
    serial=whole("Its number; later changes have higher ones.", minimum=0),
    at=moment("When it was made."),
    action=text("What was done."),
    index=maybe(text("On which index; null for one of people, tokens and settings.")),
    project=maybe(text("On which project.")),
    version=maybe(text("On which version.")),
    filename=maybe(text("On which file.")),
    actor=text("Who did it."),
    token=maybe(text("With which token: its public id.")),
    address=maybe(text("From which address.")),
    request_id=maybe(text("In which request of the log.")),
    detail={"type": "object", "description": "What else is to be said of it, by action."},
    chain=text("The hash that binds it to all before it."),
)

NAMED: Final[dict[str, Schema]] = {
    "File": _FILE,
    "PackageList": record(
        "One page of projects.",
        packages=many(_LISTED, "The projects."),
        page=whole("Which page this is.", minimum=1),
        per_page=whole("Projects on a full page.", minimum=1),
        pages=whole("How many pages there are.", minimum=1),
        total=whole("How many projects there are on all pages.", minimum=0),
    ),
    "Package": record(
        "A project.",
        **_HEAD,
        version=maybe(text("The version that stands for the project; null where it is quarantined.")),
        releases=many(
            record(
                "One release.",
                version=text("Its version."),
                **_RELEASE_LINE,
                files=whole("How many files it has.", minimum=0),
            ),
            "Newest version first.",
        ),
        files=many(FILE, "Every file, by version and name."),
        downloads=whole("Whole downloads of its files; the last minutes may be missing.", minimum=0),
        install=_INSTALL,
    ),
    "Release": record(
        "A release.",
        **_HEAD,
        version=text("Its version."),
        **_RELEASE_LINE,
        files=many(FILE, "Its files."),
        install=_INSTALL,
    ),
    "Status": record("A project's status.", name=text("The normalized name."), status=_STATUS, reason=_STATUS_REASON),
    "Yanked": record(
        "What became of a yank.",
        name=text("The normalized name."),
        version=text("The version."),
        filename=maybe(text("The file; null: every file of the release.")),
        yanked=flag("Whether it is yanked now."),
        changed=whole("How many files changed; 0 where all was so before.", minimum=0),
    ),
    "Deleted": record(
        "What was deleted.",
        deleted=many(text("A filename."), "Names that are given out again only by restoring them."),
        deletion=maybe(text("What restores it; null where deletions cannot be undone.")),
        restorable_until=maybe(moment("Until when that can be done.")),
    ),
    "DeletionList": record(
        "One page of deletions.",
        deletions=many(_DELETION, "Newest first."),
        page=whole("Which page this is.", minimum=1),
        pages=whole("How many pages there are.", minimum=1),
        total=whole("How many deletions there are on all pages.", minimum=0),
    ),
    "Restored": record("What is there again.", restored=many(text("A filename."), "The files.")),
    "Purged": record(
        "What is gone for good.", purged=many(text("A filename."), "Names that are never given out again.")
    ),
    "TokenList": record("The asker's tokens.", tokens=many(_TOKEN, "Newest first, without those revoked.")),
    "NewToken": record(
        "A token that was made.",
        token=text("The token itself. It is shown this once and cannot be had again."),
        id=text("Its public part; it revokes it."),
        name=text("Its name."),
        created=moment("When it was made."),
        expires=maybe(moment("When it ends; null: never.")),
        **_LIMITED_TO,
    ),
    "RevokedToken": record("A token that was ended.", revoked=text("Its public id.")),
    "Stats": record(
        "How much the index holds.",
        projects=whole("Projects that have files.", minimum=0),
        releases=whole("Releases.", minimum=0),
        files=whole("Files.", minimum=0),
        bytes=whole("Bytes of all files.", minimum=0),
        yanked_files=whole("Files that are yanked.", minimum=0),
        downloads=whole("Whole downloads; the last minutes may be missing.", minimum=0),
        serial=whole("The serial of the last change.", minimum=0),
    ),
    "SearchResult": record(
        "One page of what a search found.",
        query=text("What was looked for."),
        total=whole("How many projects were found.", minimum=0),
        instead=maybe(text("The words that were looked for because the query's own are nowhere.")),
        suggestion=maybe(text("What may have been meant, where only descriptions have the words.")),
        page=whole("Which page this is.", minimum=1),
        pages=whole("How many pages there are.", minimum=1),
        results=many(_FOUND, "The projects, in the order that was asked for."),
    ),
    "JournalPage": record(
        "Rows of the journal.",
        rows=many(_JOURNAL_ROW, "The rows, in the order that was asked for."),
        head=maybe(_ANCHOR),
    ),
    "JournalProof": record(
        "What a walk along a piece of the journal found.",
        holds=flag("Whether every row fits."),
        complete=flag("Whether the journal's end was reached."),
        rows=whole("How many rows were looked at.", minimum=0),
        first=maybe(whole("The first serial that was.", minimum=0)),
        last=maybe(_ANCHOR),
        head=maybe(text("The same in a line, as `cli.py journal verify --expect` takes it.")),
        broken=whole("How many faults there are.", minimum=0),
        faults=many(
            record("One fault.", serial=whole("Where.", minimum=0), reason=text("What is wrong.")),
            "The first hundred of them.",
        ),
    ),
    **contents_shapes.NAMED,
    **people_shapes.NAMED,
    **statistics_shapes.NAMED,
    **dependency_shapes.NAMED,
    **index_shapes.NAMED,
    "Health": record("The process answers.", status=text("Always the same.", enum=["ok"])),
    "UploadRefusal": record(
        "Why an upload was refused, where the client accepts application/json.",
        message=text("What is wrong, and what to do."),
        code=text("The status line with the same sentence."),
        title=text("The status in words."),
    ),
    "Problem": record(
        "What went wrong (RFC 9457).",
        type=text("A stable word for programs.", pattern="^urn:pypi-clone:[a-z-]+$"),
        title=text("The status in words."),
        status=whole("The status.", minimum=400, maximum=599),
        detail=text("What is wrong, and what to do."),
        request_id=maybe(text("The number of this request in the server's log.")),
    ),
}

YANK_BODY = record(
    "Both may be left out, and so may the body.",
    ("reason", "filename"),
    reason=REASON,
    filename=text("One file of the release; left out: all.", pattern=FILENAME_PATTERN, maxLength=200),
)
DELETE_BODY = record("It may be left out.", ("reason",), reason=REASON)
STATUS_BODY = record("The new status.", ("reason",), status=_STATUS, reason=REASON)
REVOKE_BODY = record("Which token.", token=text("The token itself, or its public id.", minLength=1, maxLength=200))


def new_token_body(settings: Settings) -> Schema:
    """What makes a token; how long one may stand is a setting."""
    longest = settings.auth_token_max_days
    usual = settings.auth_token_days or longest
    endless = f"refused, since {longest} are the most here" if longest else "for ever"
    otherwise = f"{usual} days" if usual else endless
    days: dict[str, Any] = {"minimum": 0, "maximum": longest or MOST_DAYS}
    return record(
        "The token to be made.",
        ("expires_days", "scopes", "index", "projects", "note"),
        name=LABEL,
        expires_days=maybe(
            whole(f"Days that it stands; 0 or null: {endless}; left out: {otherwise}.", **days)
        ),
        scopes=many(
            text("A scope.", enum=list(SCOPES)), f"What it may be used for; left out: {', '.join(USUAL_SCOPES)}.",
            minItems=1, maxItems=len(SCOPES),
        ),
        index=text("The index that it is for; left out: any.", pattern=INDEX_PATTERN, maxLength=64),
        projects=many(
            text("A name, or a beginning with * behind it.", pattern=PROJECT_PATTERN, maxLength=128),
            "The projects that it is for; left out or none: any.", maxItems=MOST_PROJECTS,
        ),
        note=text("What it is about, for people.", maxLength=NOTE_CHARACTERS, pattern=NO_CONTROLS),
    )  # fmt: skip
