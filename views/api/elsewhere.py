"""What belongs to the API and is answered by other views: the search, the upload, the sign of life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from database.search import QUERY_CHARACTERS, RELEVANCE, SORTS
from distributions.facts import PYTHONS
from permissions import Permission
from views.api import shapes
from views.api.operations import JSON, PROBLEM_JSON, Operation, Parameter, Reply
from views.api.schemas import Schema, many, ref, text, whole

_TEXT: Final[Schema] = {"type": "string"}

_FORM: Final[Schema] = {
    "type": "object",
    "description": "The file alone is enough. What else the form says must agree with the file.",
    "properties": {
        "content": text("The wheel or source distribution, with its filename.", format="binary"),
        "name": text("The project's name."),
        "version": text("The version."),
        "filetype": text("What the file is.", enum=["bdist_wheel", "sdist"]),
        "sha256_digest": text("Digest of the file, in hex."),
        "md5_digest": text("Digest of the file, in hex."),
        "blake2_256_digest": text("Digest of the file, in hex."),
        "attestations": text("A JSON array of attestations (PEP 740)."),
        "comment": text("A word about the file."),
    },
    "required": ["content"],
}

FOUND_STATUSES: Final = ("active", "archived", "deprecated")  # of quarantined projects nothing is found
_MOST_CLASSIFIERS: Final = 5
_VALUE_CHARACTERS: Final = 120
_YES_NO: Final = ["true", "false"]

SEARCH_QUERY: Final = (
    Parameter("q", text("The words to look for.", maxLength=QUERY_CHARACTERS, default="")),
    Parameter("page", whole("Which page, from 1.", minimum=1, maximum=100_000, default=1)),
    Parameter(
        "sort",
        text(
            "The order: the best first; by name; the last changed first; the most downloaded first. Without q, "
            "relevance is updated.",
            enum=list(SORTS), default=RELEVANCE,
        ),
    ),
    Parameter(
        "classifier",
        many(
            text("A classifier.", maxLength=_VALUE_CHARACTERS),
            "Only projects with this classifier or one below it; given more than once, with all of them.",
            maxItems=_MOST_CLASSIFIERS, default=[],
        ),
    ),
    Parameter(
        "license",
        text(
            "Only projects under this licence: its SPDX identifier, in any case.",
            maxLength=_VALUE_CHARACTERS, default="",
        ),
    ),
    Parameter("python", text("Only projects that this version of Python may install.", enum=list(PYTHONS))),
    Parameter("has_wheel", text("Only projects whose latest release has a wheel; or has none.", enum=_YES_NO)),
    Parameter("yanked", text("Only projects of which every release is yanked; or is not.", enum=_YES_NO)),
    Parameter("status", text("Only projects with this status (PEP 792).", enum=list(FOUND_STATUSES))),
)  # fmt: skip

OPERATIONS: Final[Mapping[tuple[str, str], tuple[Permission | None, Operation]]] = {
    ("/search", "get"): (
        Permission.LIST,
        Operation(
            "Search the projects",
            "packages",
            {200: Reply("One page of what was found.", shapes.SEARCH, others=("text/html",))},
            description="Looks in names, then summaries and keywords, then, where those have few hits, descriptions. "
            "Every word must occur, begin a word, or stand in the middle of the name. Where the words are nowhere, "
            "others at one letter from them are looked for. Without q it lists all projects that fit the filters. "
            "Browsers get a page.",
            query=SEARCH_QUERY,
            refused={PROBLEM_JSON: shapes.PROBLEM, "text/html": _TEXT},
        ),
    ),
    ("/upload", "post"): (
        Permission.UPLOAD,
        Operation(
            "Upload a distribution",
            "packages",
            {200: Reply("It is listed now, or was before with the same bytes.", _TEXT, "text/plain")},
            description="The form that twine, uv, poetry, pdm, hatch and flit send. A file that is no sound wheel or "
            "source distribution, and a filename that is taken by other bytes, are 400; the sentence says why.",
            body=_FORM,
            media_type="multipart/form-data",
            refusals={410: "An old action that is no longer done."},
            refused={"text/plain": _TEXT, JSON: ref("UploadRefusal")},
        ),
    ),
    ("/health", "get"): (None, Operation("Is it alive?", "server", {200: Reply("It is.", shapes.HEALTH)})),
}
