"""Core metadata: what a METADATA or PKG-INFO file says, as a value, with every fault told at once.

Core metadata specification, versions 1.0 to 2.6. What installers act on must be sound (name, version,
Requires-Python, Requires-Dist, licence); what people only read may be odd and gives a warning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from email.errors import MessageDefect
from email.parser import HeaderParser
from typing import Any, Final

from distributions.metadata_checks import Findings, check_values
from distributions.metadata_fields import BY_HEADER, BY_NAME, Field
from errors import InvalidMetadata

LARGEST: Final = 1 << 20  # bytes of METADATA or PKG-INFO
_MOST_FAULTS: Final = 5
_MOST_WARNINGS: Final = 20
# Fields that decide what an installer does; an sdist that marks them as dynamic cannot speak for its wheels.
_DECISIVE: Final = frozenset({"name", "version", "requires-dist", "requires-python", "provides-extra"})
_VERSION: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The fields of the core metadata specification in Python names; a field not given is None or empty.

    ``keywords`` is the text as sent, ``project_urls`` holds ``label, url`` texts.
    """

    metadata_version: str
    name: str
    version: str
    summary: str | None = None
    description: str | None = None
    description_content_type: str | None = None
    keywords: str | None = None
    home_page: str | None = None
    download_url: str | None = None
    author: str | None = None
    author_email: str | None = None
    maintainer: str | None = None
    maintainer_email: str | None = None
    license: str | None = None
    license_expression: str | None = None
    license_files: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    supported_platforms: tuple[str, ...] = ()
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    requires_external: tuple[str, ...] = ()
    project_urls: tuple[str, ...] = ()
    provides_extra: tuple[str, ...] = ()
    provides_dist: tuple[str, ...] = ()
    obsoletes_dist: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    import_names: tuple[str, ...] = ()
    import_namespaces: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """What was given, without the description, for JSON: lists for tuples, nothing for None."""
        given: dict[str, object] = {}
        for name in _NAMES:
            value = getattr(self, name)
            if isinstance(value, tuple):
                if value:
                    given[name] = list(value)
            elif value is not None and name != "description":
                given[name] = value
        return given

    @classmethod
    def from_json(cls, mapping: Mapping[str, object], description: str | None = None) -> CoreMetadata:
        """The value that ``to_json`` wrote. Raises InvalidMetadata where the mapping is no such thing."""
        values: dict[str, Any] = {}
        for name, value in mapping.items():
            if name in _TUPLES and isinstance(value, list) and all(isinstance(item, str) for item in value):
                values[name] = tuple(value)
            elif name in _TEXTS and isinstance(value, str):
                values[name] = value
            else:
                raise InvalidMetadata("The stored core metadata cannot be read; check the file again.")
        if not {"metadata_version", "name", "version"} <= values.keys():
            raise InvalidMetadata("The stored core metadata is not complete; check the file again.")
        return cls(**values, description=description)


_NAMES: Final = tuple(field.name for field in fields(CoreMetadata))
_TUPLES: Final = frozenset(field.name for field in fields(CoreMetadata) if field.default == ())
_TEXTS: Final = frozenset(_NAMES) - _TUPLES - {"description"}


def read_core_metadata(raw: bytes) -> tuple[CoreMetadata, tuple[str, ...]]:
    """Read METADATA or PKG-INFO; returns the metadata and warnings.

    Raises InvalidMetadata with all that is wrong in one sentence: the first five faults, and how many more.
    """
    if len(raw) > LARGEST:
        raise InvalidMetadata(f"The core metadata has {len(raw):,} bytes; {LARGEST:,} is the limit.")
    findings = Findings()
    values = _collect(_decoded(raw, findings), findings)
    check_values(values, findings)
    if findings.faults:
        told, more = findings.faults[:_MOST_FAULTS], len(findings.faults) - _MOST_FAULTS
        rest = f"; and {more} more" if more > 0 else ""
        raise InvalidMetadata(f"The core metadata is not sound: {'; '.join(told)}{rest}. Correct and build it again.")
    return CoreMetadata(**values), limited(findings.warnings)


def limited(warnings: list[str]) -> tuple[str, ...]:
    """Warnings for people: not more than they will read."""
    if len(warnings) <= _MOST_WARNINGS:
        return tuple(warnings)
    return (*warnings[:_MOST_WARNINGS], f"There are {len(warnings) - _MOST_WARNINGS} more warnings.")


def must_be_reliable_sdist(metadata: CoreMetadata) -> bool:
    """Whether an sdist's metadata holds for every wheel built from it, so that it may be served (PEP 643)."""
    version = _VERSION.match(metadata.metadata_version)
    if version is None or (int(version[1]), int(version[2])) < (2, 2):
        return False
    return not _DECISIVE.intersection(name.lower() for name in metadata.dynamic)


def _decoded(raw: bytes, findings: Findings) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        findings.warnings.append("The core metadata is not UTF-8 and was read as Latin-1.")
        text = raw.decode("latin-1")
    if "\x00" in text:
        findings.faults.append("it contains NUL characters")
    return text


def _collect(text: str, findings: Findings) -> dict[str, Any]:
    """The values by Python name, as given; single-use fields given twice are faults."""
    # Only the headers: "Content-Type: multipart/mixed" must not turn the description into something else.
    message = HeaderParser().parsestr(text)
    given: dict[str, list[str]] = {}
    for header, value in message.items():
        field = BY_HEADER.get(header.lower())
        if field is None:
            findings.unknown(header)
        else:
            _keep(given, field, value)
    _defects(message.defects, findings)
    body = message.get_payload()
    if isinstance(body, str) and body.strip():
        if "description" in given:
            findings.faults.append("Description is given as a header and as the body")
        given["description"] = [body]
    return {name: _value(BY_NAME[name], texts, findings) for name, texts in given.items()}


def _keep(given: dict[str, list[str]], field: Field, value: str) -> None:
    text = _lines(value) if field.keeps_lines else " ".join(value.split("\n")).strip()
    if text and text != "UNKNOWN":
        given.setdefault(field.name, []).append(text)
    elif field.header == "Import-Name":
        # The one field that says something by being empty: this project has no import names.
        given.setdefault(field.name, []).append("")


def _value(field: Field, texts: list[str], findings: Findings) -> str | tuple[str, ...]:
    if field.multiple:
        return tuple(texts)
    if len(texts) > 1:
        findings.faults.append(f"{field.header} is given {'twice' if len(texts) == 2 else f'{len(texts)} times'}")
    return texts[0]


def _lines(value: str) -> str:
    """A text of several lines, without the indent that headers put before all but the first."""
    first, *rest = value.strip().splitlines() or [""]
    return "\n".join([first, *(_unindented(line) for line in rest)])


def _unindented(line: str) -> str:
    if line.startswith("       |"):
        return line[8:]
    return line.removeprefix("        ") if line.startswith("        ") else line.lstrip()


def _defects(defects: list[MessageDefect], findings: Findings) -> None:
    if defects:
        findings.warnings.append("The core metadata has a line that is no header; what follows it is the description.")
