"""What a release requires: Requires-Dist as values (core metadata; dependency specifiers, PEP 508)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from distributions import markers
from distributions.markers import Tree

_NAME: Final = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")


@dataclass(frozen=True, slots=True)
class Case:
    """When a requirement is needed: for an extra, or always where that is "".

    ``marker`` is what else has to hold of the installing Python, as it is written in metadata, "" for nothing; ``tree``
    the same taken apart, None where it was not.
    """

    extra: str = ""
    marker: str = ""
    tree: Tree | None = True


@dataclass(frozen=True, slots=True)
class Required:
    """One requirement. ``text`` is as the metadata has it; ``name`` is None for one that cannot be read.

    ``extras`` are those of the other project that are asked for, ``specifier`` the versions that fit, perhaps "", and
    ``url`` where it is to be had instead of on an index.
    """

    text: str
    name: NormalizedName | None = None
    display_name: str = ""
    extras: tuple[str, ...] = ()
    specifier: str = ""
    url: str | None = None
    cases: tuple[Case, ...] = (Case(),)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read one."""
        try:
            read = Requirement(text)
        except InvalidRequirement:  # a later reader may be stricter than the one that took it
            return cls(text)
        return cls(
            text=text,
            name=canonicalize_name(read.name),
            display_name=read.name,
            extras=tuple(sorted(read.extras)),
            specifier=",".join(sorted(str(read.specifier).split(","))[::-1]),
            url=read.url,
            cases=_cases(str(read.marker)) if read.marker else (Case(),),
        )


def _cases(marker: str) -> tuple[Case, ...]:
    """The cases of a marker: without any extra, and for each extra that changes what is needed."""
    tree = markers.parse(marker)
    if tree is None:
        return (Case("", marker, None),)
    plain = markers.given(tree, "")
    found = [] if plain is False else [_case("", plain)]
    for extra in markers.extras_of(tree):
        needed = markers.given(tree, extra)
        if needed is not False and needed != plain:
            found.append(_case(extra, needed))
    # What nobody ever needs is shown with the marker that says so.
    return tuple(found) or (Case("", marker, None),)


def _case(extra: str, tree: Tree) -> Case:
    return Case(extra, "" if isinstance(tree, bool) else str(tree), tree)


def required_by(metadata: Mapping[str, Any], most: int | None = None) -> list[Required]:
    """What metadata in the form of ``CoreMetadata.to_json`` requires, in its order: all, or the first ``most``."""
    return [Required.of(text) for text in (metadata.get("requires_dist") or ())[:most]]


def by_project(metadata: Mapping[str, Any]) -> dict[NormalizedName, list[str]]:
    """The requirements of metadata, as written, by the project that they name; each begins with that name."""
    found: dict[NormalizedName, list[str]] = {}
    for text in metadata.get("requires_dist") or ():
        named = _NAME.match(text)
        if named is not None:
            found.setdefault(canonicalize_name(named[1]), []).append(text)
    return found


def by_extra(requirements: Sequence[Required], extras: Iterable[str] = ()) -> dict[str, list[tuple[Required, Case]]]:
    """The requirements by the extra that needs them, "" first; ``extras`` are those that the release provides."""
    groups: dict[str, list[tuple[Required, Case]]] = {"": []}
    for extra in extras:
        groups.setdefault(canonicalize_name(extra), [])
    for one in requirements:
        for case in one.cases:
            groups.setdefault(case.extra, []).append((one, case))
    return groups
