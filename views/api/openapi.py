"""The description of the API: for programs at ``/api/openapi.json`` (OpenAPI 3.1), for people at ``/api/docs``.

It is made from what is declared beside each view, and says what this very server does: one without authentication
asks for no credential.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from flask import Response, current_app, render_template, request
from werkzeug.routing import Rule

from config import Settings
from permissions import Permission, allows
from views import services
from views.api import blueprint, elsewhere, shapes
from views.api.operations import PATH_PARAMETERS, Operation, Reply, described
from views.api.packages import answer_read
from views.api.schemas import Schema, text
from views.guards import SAFE_METHODS, requires
from views.web import HEADERS as PAGE_HEADERS
from views.web.urls import own_url

_API_VERSION: Final = "1"
_PASSWORD, _TOKEN = {"password": list[str]()}, {"token": list[str]()}
_TAGS: Final = {
    "packages": "Projects, their releases and files.",
    "indexes": "Which indexes there are, who answers for a name, and the names that stay.",
    "tokens": "One's own API tokens.",
    "people": "Accounts, teams, roles, and the names that belong to teams.",
    "server": "The server itself.",
}
_SENTENCES: Final = {
    400: "What was sent cannot be taken as it is; the detail names the place.",
    401: "No credential where one is needed, or a wrong one.",
    403: "A known asker without the right, or a request made by another site's page.",
    404: "There is no such thing here.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is not of the content type that is taken.",
    429: "Too many wrong passwords; try again after Retry-After.",
    503: "The server's own trouble; nothing was changed. Try again after Retry-After.",
}
_OF_PEOPLE: Final = {Permission.ACCOUNT, Permission.MANAGE, Permission.ADMIN}  # who are not there without accounts
_BY_THE_FRONT: Final = {400, 414}  # also said in one plain line, before any view is asked
_HEADERS: Final[Mapping[int, Mapping[str, Schema]]] = {
    401: {"WWW-Authenticate": text("How to send a credential.")},
    429: {"Retry-After": {"type": "integer", "description": "Seconds."}},
    503: {"Retry-After": {"type": "integer", "description": "Seconds."}},
}


class Described(NamedTuple):
    """One method of one address: its path as OpenAPI writes it, what it needs, and what is said of it."""

    path: str
    method: str
    permission: Permission | None
    operation: Operation


@blueprint.get("/openapi.json")
@requires(None)
@described(
    Operation(
        "This description",
        "server",
        {200: Reply("An OpenAPI 3.1 document.", {"type": "object"})},
        is_cached=True,
    )
)
def openapi() -> Response:
    """The description for programs."""
    response = answer_read(document())
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/docs")
@requires(None)
@described(Operation("This description for people", "server", {200: Reply("A page.", {"type": "string"}, "text/html")}))
def docs() -> Response:
    """The description for people."""
    described_here = document()
    page = render_template("api_docs.html", document=described_here, tags=_TAGS, base=own_url())
    response = Response(page, content_type="text/html; charset=utf-8")
    for name, value in PAGE_HEADERS.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Cookie", "Authorization"))
    return response


def document() -> dict[str, Any]:
    """The OpenAPI document of the running application."""
    settings = services().settings
    paths: dict[str, dict[str, Any]] = {}
    for one in sorted(operations(), key=lambda one: (one.path, one.method)):
        paths.setdefault(one.path, {})[one.method] = _operation(one, settings)
    schemes: dict[str, Any] = {
        "registration": {"type": "http", "scheme": "bearer", "description": "The setting admin_token."}
    }
    components: dict[str, Any] = {"schemas": shapes.NAMED, "securitySchemes": schemes}
    if settings.auth_enabled:
        schemes |= {
            "password": {
                "type": "http",
                "scheme": "basic",
                "description": "A username and its password; or the name __token__ and a token.",
            },
            "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PyPI Clone",
            "version": _API_VERSION,
            "description": "Refusals are problem+json (RFC 9457). Unknown fields and parameters are refused. What is "
            "said here of the index is of main; below /index/NAME it is of the index of that name.",
        },
        "servers": [{"url": request.script_root or "/"}],
        "tags": [{"name": name, "description": sentence} for name, sentence in _TAGS.items()],
        "paths": paths,
        "components": components,
    }


def operations() -> Iterator[Described]:
    """Every operation of the API, and those elsewhere that belong to it."""
    for rule in current_app.url_map.iter_rules():
        view = current_app.view_functions[rule.endpoint]
        if rule.endpoint.startswith("api.") and hasattr(view, "operation"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Described(_path(rule), method.lower(), getattr(view, "permission", None), view.operation)
    for (path, method), (permission, operation) in elsewhere.OPERATIONS.items():
        yield Described(path, method, permission, operation)


def _path(rule: Rule) -> str:
    parts = (f"{{{part}}}" if is_variable else part for is_variable, part in _parts(rule))
    return "".join(parts)


def _parts(rule: Rule) -> Iterator[tuple[bool, str]]:
    for piece in rule.rule.split("/")[1:]:
        yield False, "/"
        is_variable = piece.startswith("<")
        yield is_variable, piece.strip("<>").rpartition(":")[2] if is_variable else piece


def _operation(one: Described, settings: Settings) -> dict[str, Any]:
    path, method, permission, operation = one
    said: dict[str, Any] = {
        "operationId": _identifier(path, method),
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": {str(status): reply for status, reply in sorted(_responses(one, settings).items())},
    }
    if operation.description:
        said["description"] = operation.description
    parameters = [*_path_parameters(path), *_query_parameters(operation)]
    if parameters:
        said["parameters"] = parameters
    if operation.body is not None:
        schema = operation.body(settings) if callable(operation.body) else operation.body
        content = {operation.media_type: {"schema": schema}}
        said["requestBody"] = {"required": not operation.body_optional, "content": content}
    if operation.security:
        said["security"] = [{operation.security: list[str]()}]
    elif settings.auth_enabled and permission is not None:
        said["security"] = _security(permission)
    return said


def _identifier(path: str, method: str) -> str:
    words = path.removeprefix("/api").replace(".", "-").replace("{", "").replace("}", "").strip("/").split("/")
    return "-".join([method, *words])


def _security(permission: Permission) -> list[dict[str, list[str]]]:
    if permission is Permission.ACCOUNT:
        return [_PASSWORD]
    anybody: list[dict[str, list[str]]] = [{}] if allows(services().authenticator.nobody, permission) else []
    return [*anybody, _PASSWORD, _TOKEN]


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            yield {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]}


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for parameter in operation.query:
        yield {
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.schema["description"],
            "schema": parameter.schema,
        }


def _responses(one: Described, settings: Settings) -> dict[int, dict[str, Any]]:
    operation = one.operation
    responses = {status: _reply(reply, operation) for status, reply in operation.replies.items()}
    if operation.is_cached:
        responses[304] = {"description": "The client has it already (If-None-Match).", "headers": _etag()}
    sentences = {status: _SENTENCES[status] for status in _refusals(one, settings)} | dict(operation.refusals)
    return responses | {status: _refusal(status, said, operation) for status, said in sentences.items()}


def _refusals(one: Described, settings: Settings) -> set[int]:
    """The statuses that follow from what the operation takes and needs."""
    operation = one.operation
    statuses = set() if one.permission is None else {503}
    if operation.query:
        statuses |= {400, 414}
    if operation.body is not None:
        statuses |= {400, 413, 415}
    if "{" in one.path:
        statuses |= {400, 404}
    if one.permission is not None and settings.auth_enabled:
        statuses |= {401, 403, 429}
    if one.permission in _OF_PEOPLE or one.method.upper() not in SAFE_METHODS:
        statuses.add(403)
    return statuses


def _reply(reply: Reply, operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {"description": reply.description}
    if reply.schema is not None:
        said["content"] = {reply.media_type: {"schema": reply.schema}}
        for other in reply.others:
            said["content"][other] = {"schema": {"type": "string"}}
    headers = {name: _header(schema) for name, schema in reply.headers.items()}
    if operation.is_cached:
        headers |= _etag()
    if headers:
        said["headers"] = headers
    return said


def _etag() -> dict[str, Any]:
    return {"ETag": _header(text("What If-None-Match takes next time."))}


def _header(schema: Schema) -> dict[str, Any]:
    return {"description": schema["description"], "schema": {"type": schema["type"]}}


def _refusal(status: int, sentence: str, operation: Operation) -> dict[str, Any]:
    refused = dict(operation.refused)
    if status in _BY_THE_FRONT:
        refused["text/plain"] = {"type": "string"}
    said: dict[str, Any] = {
        "description": sentence,
        "content": {media_type: {"schema": schema} for media_type, schema in refused.items()},
    }
    headers = {name: _header(schema) for name, schema in _HEADERS.get(status, {}).items()}
    return {**said, "headers": headers} if headers else said
