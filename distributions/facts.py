"""What a search filters by, read from core metadata: licences, classifiers, the Python versions that are welcome.

Metadata is a stranger's: lists and texts are cut, and what cannot be understood narrows nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

PYTHONS: Final = ("2.7", *(f"3.{minor}" for minor in range(30)))
_PATCHES: Final = (0, 99)
_SPECIFIER_CHARACTERS: Final = 300
_CLASSIFIERS: Final = 100
_VALUE_CHARACTERS: Final = 120
_LICENSE_CHARACTERS: Final = 60
_OF_EXPRESSION: Final = re.compile(r"[()]|\s+WITH\s+\S+|\s+(?:AND|OR)\s+")
_LICENSE: Final = "License :: "
# The classifiers of licences that are in wide use, and how people write them, as SPDX identifiers.
_SPDX: Final = {
    "mit license": "MIT", "the mit license": "MIT", "mit no attribution license (mit-0)": "MIT-0",
    "apache software license": "Apache-2.0", "apache license 2.0": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0", "apache2": "Apache-2.0", "apache 2": "Apache-2.0",
    "bsd license": "BSD", "bsd 3-clause": "BSD-3-Clause", "3-clause bsd": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause", "bsd 2-clause": "BSD-2-Clause",
    "isc license (iscl)": "ISC", "isc license": "ISC", "the unlicense (unlicense)": "Unlicense",
    "zlib/libpng license": "Zlib", "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "python software foundation license": "PSF-2.0",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "gnu affero general public license v3 or later (agplv3+)": "AGPL-3.0-or-later",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "other/proprietary license": "Proprietary",
}  # fmt: skip


def licenses_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The licences that metadata names, as SPDX identifiers where they are known, else as it writes them.

    An expression (PEP 639) gives each of its licences; without one the classifiers count, and then the old free field
    where it is a name and no text.
    """
    expression = str(metadata.get("license_expression") or "")
    if expression:
        return _of_expression(expression)
    classified = [one for one in metadata.get("classifiers") or () if one.startswith(_LICENSE)]
    named = [one.rpartition(" :: ")[2] for one in classified[:_CLASSIFIERS]]
    free = str(metadata.get("license") or "").strip()
    if not (named := [one for one in named if one != "OSI Approved"]) and "\n" not in free:
        named = [free]
    found = (license_name(one) for one in named if one and len(one) <= _LICENSE_CHARACTERS)
    return tuple(dict.fromkeys(found))


def license_name(text: str) -> str:
    """A licence as it is filtered by: the SPDX identifier that the text is or stands for, else the text itself."""
    text = " ".join(text.split())
    known = _SPDX.get(text.lower())
    if known is not None:
        return known
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression  # a large table

    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return text


def _of_expression(expression: str) -> tuple[str, ...]:
    text = license_name(expression)
    parts = (part.strip() for part in _OF_EXPRESSION.split(text))
    return tuple(dict.fromkeys(part[:_VALUE_CHARACTERS] for part in parts if part))


def classifiers_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The classifiers, and those that stand above them: ``Framework :: Django :: 5.2`` is ``Framework :: Django`` too.

    Licences are left out: they have a filter of their own.
    """
    found: dict[str, None] = {}
    for classifier in list(metadata.get("classifiers") or ())[:_CLASSIFIERS]:
        if not classifier.startswith(_LICENSE) and len(classifier) <= _VALUE_CHARACTERS:
            found.update(dict.fromkeys(_upwards(classifier)))
    return tuple(found)


def _upwards(classifier: str) -> Iterator[str]:
    parts = [part.strip() for part in classifier.split("::")]
    for length in range(len(parts), min(len(parts), 2) - 1, -1):
        yield " :: ".join(parts[:length])


@functools.lru_cache(maxsize=2_000)
def pythons_of(requires_python: str) -> tuple[str, ...]:
    """Those of PYTHONS of which some patch release fulfils a Requires-Python; all where there is none to be read.

    Installers read an unreadable one so, too.
    """
    if not requires_python or len(requires_python) > _SPECIFIER_CHARACTERS:
        return PYTHONS
    try:
        specifiers = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return PYTHONS
    mentioned = {int(found) for found in re.findall(r"\d+\.\d+\.(\d{1,3})", requires_python)}
    patches = {*_PATCHES, *mentioned, *(patch + 1 for patch in mentioned)}
    return tuple(
        python for python in PYTHONS if any(specifiers.contains(f"{python}.{patch}", True) for patch in patches)
    )
