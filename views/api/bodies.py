"""Strict reading of what a client sends: JSON bodies and query parameters, checked by the published schema.

Whatever is wrong is a refusal that names the place; nothing is guessed, cut or passed over.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from flask import request

from errors import InvalidRequest, TooLarge, UnsupportedMedia, shown
from views.api.operations import Parameter
from views.api.schemas import Schema, check

LARGEST: Final = 64 << 10  # bytes of a body
_WHOLE: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)


def read_body(schema: Schema, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object of the request's body, with the defaults of the schema filled in.

    ``optional``: no body at all is an empty object. Raises TooLarge, UnsupportedMedia, InvalidRequest.
    """
    raw = _raw_body()
    if not raw and optional:
        body: dict[str, Any] = {}
    else:
        _must_be_json(is_empty=not raw)
        body = parse_object(raw)
    check(body, schema, "The body")
    defaults = {name: one["default"] for name, one in schema["properties"].items() if "default" in one}
    return {**defaults, **{name: _as_whole(value) for name, value in body.items()}}


def _raw_body() -> bytes:
    if request.content_length is not None and request.content_length > LARGEST:
        raise TooLarge(f"The body has more than {LARGEST:,} bytes; send less.")
    raw = request.stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise TooLarge(f"The body has more than {LARGEST:,} bytes; send less.")
    return raw


def _must_be_json(*, is_empty: bool) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("The body is in a content coding; send the JSON as it is.")
    if request.mimetype != "application/json":
        if is_empty:
            raise InvalidRequest("The request needs a JSON body, with Content-Type: application/json; send one.")
        raise UnsupportedMedia("The body must be JSON, with Content-Type: application/json; send it so.")


def parse_object(raw: bytes) -> dict[str, Any]:
    """The object that these bytes are in JSON, read to the letter of RFC 8259. Raises InvalidRequest."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("The body is not UTF-8 text; send JSON in UTF-8.") from error
    try:
        value = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_constant)
    except InvalidRequest:
        raise
    except RecursionError as error:
        raise InvalidRequest("The body is nested too deeply; send a flat object.") from error
    except ValueError as error:  # also a number with more digits than Python converts
        raise InvalidRequest(f"The body is not JSON ({_reason(error)}); correct it.") from error
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object; send one in { }.")
    _must_be_unicode(value)
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest(f"The body has the field {shown(name)} twice; send it once.")
        found[name] = value
    return found


def _no_constant(word: str) -> NoReturn:
    raise InvalidRequest(f"The body has {word}, which is not JSON; send a number.")


def _reason(error: ValueError) -> str:
    return f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "a number"


def _must_be_unicode(value: object) -> None:
    """Half a surrogate pair can be escaped in JSON; it is no character, and nothing could store or send it."""
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidRequest("The body has half a surrogate pair; send whole characters.") from error
    elif isinstance(value, dict):
        for member in (*value, *value.values()):
            _must_be_unicode(member)
    elif isinstance(value, list):
        for member in value:
            _must_be_unicode(member)


def _as_whole(value: object) -> object:
    return int(value) if isinstance(value, float) else value


def read_query(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """The query's values by name, with defaults; an array is given by repeating its name.

    Raises InvalidRequest for unknown, doubled, unfit and missing ones.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values = {name: parameter.schema.get("default") for name, parameter in known.items()}
    for name, given in request.args.lists():
        if name not in known:
            raise InvalidRequest(
                f"The query has the unknown parameter {shown(name)}; the parameters are: {', '.join(known) or 'none'}."
            )
        if known[name].schema["type"] == "array":
            check(given, known[name].schema, f"The parameter '{name}'")
            values[name] = given
            continue
        if len(given) > 1:
            raise InvalidRequest(f"The query has the parameter '{name}' twice; send it once.")
        values[name] = _read(name, given[0], known[name].schema)
    for name, parameter in known.items():
        if parameter.required and name not in request.args:
            raise InvalidRequest(f"The query has no parameter '{name}'; send it.")
    return values


def _read(name: str, text: str, schema: Schema) -> object:
    where = f"The parameter '{name}'"
    value: object = text
    if schema["type"] == "integer":
        if _WHOLE.fullmatch(text) is None:
            raise InvalidRequest(f"{where} must be a whole number, not {shown(text)}; send one.")
        value = int(text)
    check(value, schema, where)
    return value
