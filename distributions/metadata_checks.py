"""Are the values of core metadata sound? Faults refuse the file, warnings are kept beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import InvalidMetadata as UnsoundMetadata
from packaging.metadata import Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from distributions.filenames import check_project_name, check_version
from distributions.metadata_fields import BY_HEADER, BY_NAME
from errors import Invalid, shown

_KNOWN: Final = {(1, 0), (1, 1), (1, 2), *((2, minor) for minor in range(1, 7))}
_NEWEST: Final = (2, 6)
_FORM: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\Z", re.ASCII)
_WEB: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)
# Below the digits at which int() raises ValueError, which installers would meet later.
_LONGEST_SPECIFIER: Final = 1000
_LONGEST_REQUIREMENT: Final = 4000
_USUAL_SUMMARY: Final = 512
_LONGEST_SUMMARY: Final = 2000
_LONGEST_KEYWORDS: Final = 10_000
_MOST_VALUES: Final = 2000
_LONGEST_EXPRESSION: Final = 2000
_LONGEST_LABEL: Final = 32
Values = Mapping[str, Any]


@dataclass(slots=True)
class Findings:
    """What was found: ``faults`` are parts of one sentence, ``warnings`` are sentences."""

    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def unknown(self, header: str) -> None:
        """Note a header that no specification knows."""
        self.warnings.append(f"The field {shown(header)} is unknown and was ignored.")


def check_values(values: Values, findings: Findings) -> None:
    """Look at every value; ``values`` are as read from the headers, by Python name."""
    version = _check_metadata_version(values, findings)
    if not _is_bounded(values, findings):
        return
    for check in _CHECKS:
        check(values, findings)
    _check_licence(values, version, findings)
    for name in values:
        # setuptools wrote License-File under version 2.1 for years.
        if BY_NAME[name].since > version and name != "license_files":
            since = ".".join(map(str, BY_NAME[name].since))
            findings.warnings.append(
                f"{BY_NAME[name].header} came with metadata version {since}, this is {version[0]}.{version[1]}."
            )


def _check_metadata_version(values: Values, findings: Findings) -> tuple[int, int]:
    text = values.get("metadata_version")
    if text is None:
        findings.faults.append("Metadata-Version is missing")
        return _NEWEST
    match = _FORM.match(text)
    version = (int(match[1]), int(match[2])) if match is not None else (0, 0)
    if version == (2, 0):
        findings.warnings.append("Metadata-Version 2.0 was never a standard.")
    elif version not in _KNOWN and (version[0] != 2 or version < _NEWEST):
        findings.faults.append(f"Metadata-Version {shown(text)} is unknown (1.0 to 2.6 are taken)")
        return _NEWEST
    elif version > _NEWEST:
        findings.warnings.append(f"Metadata-Version {text} is newer than this server; unknown fields are ignored.")
    return version


def _check_identity(values: Values, findings: Findings) -> None:
    checks: tuple[tuple[str, Callable[[str], object]], ...] = (("name", check_project_name), ("version", check_version))
    for name, check in checks:
        text = values.get(name)
        if text is None:
            findings.faults.append(f"{name.title()} is missing")
            continue
        try:
            check(text)
        except Invalid:
            findings.faults.append(f"{name.title()} {shown(text)} is not valid")


def _is_bounded(values: Values, findings: Findings) -> bool:
    """Whether no field has so many values that looking at each would take long."""
    many = [name for name, value in values.items() if isinstance(value, tuple) and len(value) > _MOST_VALUES]
    findings.faults += [
        f"{BY_NAME[name].header} is given {len(values[name]):,} times ({_MOST_VALUES:,} is the limit)" for name in many
    ]
    return not many


def _check_texts(values: Values, findings: Findings) -> None:
    """What lists and pages show whole."""
    for name, longest in (("summary", _LONGEST_SUMMARY), ("keywords", _LONGEST_KEYWORDS)):
        length = len(values.get(name, ""))
        if length > longest:
            findings.faults.append(
                f"{BY_NAME[name].header} has {length:,} characters ({longest:,} is the limit; "
                "a long text belongs in the description)"
            )
    if len(values.get("summary", "")) > _USUAL_SUMMARY:
        findings.warnings.append(f"Summary has more than {_USUAL_SUMMARY} characters.")


def _check_requires_python(values: Values, findings: Findings) -> None:
    text = values.get("requires_python")
    if text is not None and not _is_specifier_set(text):
        findings.faults.append(f"Requires-Python {shown(text)} is not a set of version specifiers such as '>=3.9'")


def _is_specifier_set(text: str) -> bool:
    if len(text) > _LONGEST_SPECIFIER:
        return False
    try:
        SpecifierSet(text)
    except ValueError:  # InvalidSpecifier, and what int() says
        return False
    return True


def _check_requires_dist(values: Values, findings: Findings) -> None:
    for text in values.get("requires_dist", ()):
        try:
            if len(text) > _LONGEST_REQUIREMENT:
                raise InvalidRequirement("too long")
            requirement = Requirement(text)
        except (ValueError, RecursionError):  # InvalidRequirement is a ValueError
            findings.faults.append(f"Requires-Dist {shown(text)} is not a requirement such as 'name>=1.0'")
            continue
        if requirement.url is not None:
            findings.warnings.append(f"Requires-Dist {shown(text)} points to an address, not to a project of an index.")


def _check_extras(values: Values, findings: Findings) -> None:
    for text in values.get("provides_extra", ()):
        try:
            check_project_name(text)
        except Invalid:
            findings.warnings.append(f"Provides-Extra {shown(text)} is not a valid name.")


def _check_dynamic(values: Values, findings: Findings) -> None:
    for text in values.get("dynamic", ()):
        if text.lower() not in BY_HEADER or text.lower() in {"name", "version", "metadata-version"}:
            findings.warnings.append(f"Dynamic names {shown(text)}, which is no field that can be dynamic.")


def _check_addresses(values: Values, findings: Findings) -> None:
    for name in ("home_page", "download_url"):
        text = values.get(name)
        if text is not None and _WEB.match(text) is None:
            findings.warnings.append(f"{BY_NAME[name].header} {shown(text)} is not an http or https address.")
    for text in values.get("project_urls", ()):
        label, _, address = text.partition(",")
        if not label.strip() or len(label) > _LONGEST_LABEL or _WEB.match(address.strip()) is None:
            findings.warnings.append(f"Project-URL {shown(text)} is not a short label, a comma and an http address.")


def _check_content_type(values: Values, findings: Findings) -> None:
    text = values.get("description_content_type")
    if text is not None and not _is_content_type(text[:200]):
        findings.faults.append(
            f"Description-Content-Type {shown(text)} is none of text/plain, text/x-rst and text/markdown in UTF-8"
        )


@lru_cache(maxsize=64)
def _is_content_type(text: str) -> bool:
    return _is_sound("description_content_type", text)


def _is_sound(name: str, value: object) -> bool:
    """What ``packaging`` says of one field."""
    try:
        getattr(Metadata.from_raw(cast("RawMetadata", {name: value}), validate=False), name)
    except UnsoundMetadata:
        return False
    return True


def _check_import_names(values: Values, findings: Findings) -> None:
    for name in ("import_names", "import_namespaces"):
        texts = [text for text in values.get(name, ()) if text]
        if texts and not _is_sound(name, texts):
            findings.warnings.append(f"{BY_NAME[name].header} {shown(', '.join(texts))} is not sound.")


def _check_licence(values: Values, version: tuple[int, int], findings: Findings) -> None:
    expression = values.get("license_expression")
    if expression is not None and not _is_expression(expression):
        findings.faults.append(f"License-Expression {shown(expression)} is not an SPDX expression such as 'MIT'")
    # Before 2.4 these fields did not exist, and tools wrote what they liked.
    serious = findings.faults if version >= (2, 4) else findings.warnings
    if expression is not None and "license" in values:
        serious.append("License and License-Expression are both given")
    paths = values.get("license_files", ())
    if paths and not _is_sound("license_files", list(paths)):
        serious.append(f"License-File {shown(', '.join(paths))} is not a relative path with '/' and without '..'")


@lru_cache(maxsize=256)
def _is_expression(text: str) -> bool:
    if len(text) > _LONGEST_EXPRESSION:
        return False
    try:
        canonicalize_license_expression(text)
    except (InvalidLicenseExpression, RecursionError, MemoryError):  # it compiles the expression
        return False
    return True


_CHECKS: Final = (
    _check_identity,
    _check_texts,
    _check_requires_python,
    _check_requires_dist,
    _check_extras,
    _check_dynamic,
    _check_addresses,
    _check_content_type,
    _check_import_names,
)
