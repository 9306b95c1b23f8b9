"""JSON Schemas of what comes and goes, and the check of what comes by the same schema that is published.

Only the words of JSON Schema that are used here are understood by ``check``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from errors import InvalidRequest, shown

Schema = dict[str, Any]
_CREDENTIALS: Final = re.compile(r"//[^/]*@")  # in an address: no refusal repeats them

# Patterns are anchored at both ends, and mean the same to Python and to ECMAScript, which JSON Schema asks for.
NAME_PATTERN: Final = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
VERSION_PATTERN: Final = "^[vV]?[0-9][0-9A-Za-z.!+_-]*$"
FILENAME_PATTERN: Final = "^[A-Za-z0-9_][A-Za-z0-9._+!-]*$"
USERNAME_PATTERN: Final = "^[A-Za-z0-9]([A-Za-z0-9._@-]*[A-Za-z0-9])?$"
TEAM_PATTERN: Final = NAME_PATTERN
INDEX_PATTERN: Final = "^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"
PROJECT_PATTERN: Final = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?([._-]?\\*)?$"
PREFIX_PATTERN: Final = "^[A-Za-z0-9._-]*$"
NO_CONTROLS: Final = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"
# Letters, digits and signs of the scripts that stand whole in Unicode since long: printable in every version of it.
_LETTERS: Final = (
    "!-~\\u00a1-\\u00ac\\u00ae-\\u0377\\u03a3-\\u0481\\u048a-\\u052f\\u1e00-\\u1eff\\u2010-\\u2027\\u20a0-\\u20bf"
    "\\u3041-\\u3096\\u30a1-\\u30fa\\u4e00-\\u9fef\\uac00-\\ud7a3"
)
_LABEL: Final = f"^[{_LETTERS}]([ {_LETTERS}]*[{_LETTERS}])?$"


def text(description: str, **words: Any) -> Schema:
    """A string."""
    return {"type": "string", "description": description, **words}


def whole(description: str, **words: Any) -> Schema:
    """An integer."""
    return {"type": "integer", "description": description, **words}


def flag(description: str) -> Schema:
    """A boolean."""
    return {"type": "boolean", "description": description}


def moment(description: str) -> Schema:
    """A time in UTC."""
    return {"type": "string", "format": "date-time", "description": description}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def many(items: Schema, description: str, **words: Any) -> Schema:
    """An array."""
    return {"type": "array", "items": items, "description": description, **words}


def record(description: str, optional: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object with exactly these properties, all there but the optional ones."""
    required = [name for name in properties if name not in optional]
    schema: Schema = {"type": "object", "description": description, "properties": properties}
    if required:
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def ref(name: str) -> Schema:
    """The component schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


REASON: Final = text(
    "Why, for people; it may be empty. No control characters.", maxLength=500, pattern=NO_CONTROLS, default=""
)
LABEL: Final = text(
    "A name for people: Latin, Greek, Cyrillic, Chinese, Japanese or Korean letters, digits, signs, spaces between.",
    minLength=1, maxLength=200, pattern=_LABEL,
)  # fmt: skip


def check(value: object, schema: Schema, where: str) -> None:
    """Refuse a value that does not fit its schema. Raises InvalidRequest, naming the place."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = next((kind for kind in kinds if _is(value, kind)), None)
    if kind is None:
        raise InvalidRequest(f"{where} must be {_words(kinds)}, not {_kind_of(value)}; send one.")
    if "enum" in schema and value not in schema["enum"]:
        raise InvalidRequest(f"{where} may not be {shown(value)}; send one of: {', '.join(schema['enum'])}.")
    if isinstance(value, str):
        _check_text(value, schema, where)
    elif kind == "integer":
        _check_whole(value, schema, where)
    elif isinstance(value, dict):
        _check_record(value, schema, where)
    elif isinstance(value, list):
        _check_list(value, schema, where)


def _check_text(value: str, schema: Schema, where: str) -> None:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < shortest or (longest is not None and len(value) > longest):
        limits = f"at most {longest}" if not shortest else f"{shortest} to {longest}"
        raise InvalidRequest(f"{where} has {len(value)} characters; {limits} are taken.")
    pattern = schema.get("pattern")
    if pattern is not None and re.fullmatch(pattern[1:-1], value) is None:
        what = "what was sent" if schema.get("writeOnly") else shown(_CREDENTIALS.sub("//...@", value))
        raise InvalidRequest(f"{where} may not be {what}: {schema['description']}")


def _check_whole(value: Any, schema: Schema, where: str) -> None:
    least, most = schema.get("minimum"), schema.get("maximum")
    if (least is not None and value < least) or (most is not None and value > most):
        raise InvalidRequest(f"{where} must be from {least} to {most}; {shown(value)} is not.")


def _check_list(value: list[object], schema: Schema, where: str) -> None:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < least or (most is not None and len(value) > most):
        raise InvalidRequest(f"{where} has {len(value)} items; {least} to {most} are taken.")
    for item in value:
        check(item, schema["items"], f"An item of {where[0].lower()}{where[1:]}")


def _check_record(value: Mapping[str, object], schema: Schema, where: str) -> None:
    properties: Mapping[str, Schema] = schema["properties"]
    for name in value:
        if name not in properties:
            known = ", ".join(properties)
            raise InvalidRequest(f"{where} has the unknown field {shown(name)}; the fields are: {known}.")
    for name in schema.get("required", ()):
        if name not in value:
            raise InvalidRequest(f"{where} has no field '{name}'; send it.")
    for name, member in value.items():
        check(member, properties[name], f"The field '{name}'")


def _is(value: object, kind: str) -> bool:
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":  # JSON has one kind of number: 30.0 is an integer
            return not isinstance(value, bool) and (
                isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            )
        case "string":
            return isinstance(value, str)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case _:
            raise ValueError(kind)


_WORDS: Final = {
    "null": "null", "boolean": "true or false", "integer": "a whole number", "string": "a text", "object": "an object",
    "array": "an array",
}  # fmt: skip


def _words(kinds: list[str]) -> str:
    return " or ".join(_WORDS[kind] for kind in kinds)


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "such a number"
        case str():
            return "a text"
        case list():
            return "an array"
        case _:
            return "an object"
