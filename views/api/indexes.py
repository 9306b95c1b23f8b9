"""``/api/indexes`` and ``/api/why``: which indexes there are, what each adds, and who answers for a name."""

from __future__ import annotations

from typing import Any, Final

from flask import Response
from packaging.utils import NormalizedName

from distributions.filenames import check_version
from errors import InvalidVersion, UnknownRelease
from indexes.assembly import IndexServices
from indexes.documents import index_document
from indexes.manager import NewUpstream
from indexes.why import explain
from permissions import MAIN, Permission
from views import services
from views.api import blueprint, index_shapes
from views.api.bodies import read_body, read_query
from views.api.operations import Operation, Parameter, Reply, described
from views.api.packages import answer
from views.api.schemas import NAME_PATTERN, VERSION_PATTERN, text
from views.guards import actor, identity, may_read, must, requires
from views.simple import normalized

_NOW: Final = {200: Reply("The index as it is now.", index_shapes.INDEX)}
_DECLARED: Final = {409: "A file declares the index; it is changed there."}
_WHY_QUERY: Final = (
    Parameter("index", {**index_shapes.INDEX_NAME, "description": "On which index.", "default": MAIN}),
    Parameter("project", text("Which project, in any spelling.", pattern=NAME_PATTERN, maxLength=128), required=True),
    Parameter("version", text("Which version of it.", pattern=VERSION_PATTERN, maxLength=128)),
)


def _document(index: IndexServices) -> dict[str, Any]:
    return index_document(
        index.row,
        index.catalogue.stats(),
        services().settings,
        may_read=_may_list,
        whole=identity().is_admin,
    )


def _may_list(name: str) -> bool:
    return may_read(services().at(name), Permission.LIST)


@blueprint.get("/indexes")
@requires(Permission.LIST, asked_inside=True, names_index=True)
@described(
    Operation("List the indexes", "indexes", {200: Reply("Those that the asker may read.", index_shapes.INDEX_LIST)})
)
def list_indexes() -> Response:
    """The indexes that the asker may read."""
    found = [index for index in services().registry.all().values() if may_read(index, Permission.LIST)]
    if not found:
        must(Permission.LIST, index=MAIN)
    return answer({"indexes": [_document(index) for index in found]})


@blueprint.post("/indexes")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Make an index",
        "indexes",
        {201: Reply("The index.", index_shapes.INDEX)},
        description="It holds nothing, and shows nothing else, yet.",
        body=index_shapes.NEW_INDEX_BODY,
        refusals={409: "There is an index of that name."},
    )
)
def create_index() -> Response:
    """Make an index."""
    body = read_body(index_shapes.NEW_INDEX_BODY)
    name, closed = body["name"], body.get("closed", True)
    services().indexes.create(name, body.get("title", ""), closed=closed, by=actor())
    return answer(_document(services().at(name)), 201)


@blueprint.get("/indexes/<index>")
@requires(Permission.LIST, asked_inside=True, names_index=True)
@described(Operation("Describe an index", "indexes", {200: Reply("The index.", index_shapes.INDEX)}))
def show_index(index: str) -> Response:
    """One index, to whoever may read it."""
    must(Permission.LIST, index=index)
    return answer(_document(services().at(index)))


@blueprint.patch("/indexes/<index>")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Change an index",
        "indexes",
        _NOW,
        description="Who reads main is not said here but by the settings of [auth].",
        body=index_shapes.CHANGED_INDEX_BODY,
        refusals={409: "A file declares the index; it is changed there. Or it is main, which is not closed here."},
    )
)
def change_index(index: str) -> Response:
    """Set an index's title, or who reads it."""
    body = read_body(index_shapes.CHANGED_INDEX_BODY)
    services().indexes.change(index, title=body.get("title"), closed=body.get("closed"), by=actor())
    return answer(_document(services().at(index)))


@blueprint.delete("/indexes/<index>")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Delete an index",
        "indexes",
        {200: Reply("The index is no more.", index_shapes.INDEX_DELETED)},
        description="With the roles and names on it; tokens that are for it alone end.",
        refusals={409: "It holds files, or deleted ones that can come back, or is a base; or it is main, or declared."},
    )
)
def delete_index(index: str) -> Response:
    """Delete an index that holds nothing."""
    services().indexes.delete(index, by=actor())
    return answer({"deleted": index})


@blueprint.put("/indexes/<index>/bases")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Say what an index's bases are",
        "indexes",
        _NOW,
        description="What it does not hold is looked for there, before any upstream; the first that has a project owns "
        "it whole. An index cannot be below itself.",
        body=index_shapes.BASES_BODY,
        refusals=_DECLARED,
    )
)
def set_bases(index: str) -> Response:
    """Say whose projects an index shows, too."""
    body = read_body(index_shapes.BASES_BODY)
    services().indexes.set_bases(index, body["bases"], by=actor())
    return answer(_document(services().at(index)))


@blueprint.put("/indexes/<index>/upstreams")
@requires(Permission.ADMIN)
@described(
    Operation(
        "Say what an index's upstreams are",
        "indexes",
        _NOW,
        description="Passwords are kept sealed and are never answered. That of the settings is not among these.",
        body=index_shapes.UPSTREAMS_BODY,
        refusals=_DECLARED,
    )
)
def set_upstreams(index: str) -> Response:
    """Say from where an index takes what is not here."""
    body = read_body(index_shapes.UPSTREAMS_BODY)
    wanted = [
        NewUpstream(
            one["url"],
            one.get("mode", "cache"),
            one.get("username", ""),
            one.get("password"),
            one.get("allow_private", False),
        )
        for one in body["upstreams"]
    ]
    services().indexes.set_upstreams(index, wanted, by=actor())
    return answer(_document(services().at(index)))


@blueprint.get("/why")
@requires(Permission.LIST, asked_inside=True, names_index=True)
@described(
    Operation(
        "Show who answers for a project",
        "indexes",
        {200: Reply("Who does, what is shadowed, and why.", index_shapes.EXPLANATION)},
        description="Upstreams are asked as they are for an installer; for a name that is kept none is.",
        query=_WHY_QUERY,
        refusals={404: "There is no such index, or the version is none."},
    )
)
def why() -> Response:
    """Who answers for a project, or for one version of it."""
    asked = read_query(_WHY_QUERY)
    project = normalized(asked["project"])
    must(Permission.LIST, project, index=asked["index"])
    version = None if asked["version"] is None else _version(project, asked["version"])
    return answer(explain(services().at(asked["index"]).reader, project, version, _may_list).document())


def _version(project: NormalizedName, text: str) -> str:
    """The version that is asked about. Raises UnknownRelease for what is none at all, as paths do."""
    try:
        return str(check_version(text))
    except InvalidVersion:
        raise UnknownRelease(project, text) from None
