"""What belongs to the API and is answered by other views: the search, the upload, the sign of life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from permissions import Permission
from views.api import shapes
from views.api.operations import JSON, PROBLEM_JSON, Operation, Parameter, Reply
from views.api.schemas import Schema, ref, text, whole

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

OPERATIONS: Final[Mapping[tuple[str, str], tuple[Permission | None, Operation]]] = {
    ("/search", "get"): (
        Permission.LIST,
        Operation(
            "Search the projects",
            "packages",
            {200: Reply("One page of what was found.", shapes.SEARCH, others=("text/html",))},
            description="Looks in names, summaries, keywords and descriptions; every word must occur, or begin one. "
            "Without q it lists all projects, those changed last first. Browsers get a page.",
            query=(
                Parameter("q", text("The words to look for.", maxLength=200, default="")),
                Parameter("page", whole("Which page, from 1.", minimum=1, maximum=100_000, default=1)),
            ),
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
