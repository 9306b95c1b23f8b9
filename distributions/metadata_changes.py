"""What changed in the core metadata from one release to another: fields and dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from distributions.metadata_fields import FIELDS

# A release's own version always differs; dependencies are told apart; names differ in spelling only.
_LEFT_OUT: Final = frozenset({"version", "name", "requires_dist", "description"})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that changed: what is there no more, and what is new. A field given once has one value at most."""

    header: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DependencyChange:
    """A dependency that changed: the requirement before and now; empty where it was added or removed."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class MetadataChanges:
    """The differences of two releases' metadata; ``description`` is whether the descriptions differ."""

    fields: tuple[FieldChange, ...]
    dependencies: tuple[DependencyChange, ...]
    description: bool


def compare_metadata(old: Mapping[str, Any], new: Mapping[str, Any], *, description: bool) -> MetadataChanges:
    """Compare metadata in the form of ``CoreMetadata.to_json``; ``description``: whether the descriptions differ."""
    fields = []
    for field in FIELDS:
        before, after = _values(old.get(field.name)), _values(new.get(field.name))
        if field.name not in _LEFT_OUT and before != after:
            were, are = set(before), set(after)
            removed = tuple(value for value in before if value not in are)
            added = tuple(value for value in after if value not in were)
            if removed or added:
                fields.append(FieldChange(field.header, removed, added))
    dependencies = _compare_dependencies(_values(old.get("requires_dist")), _values(new.get("requires_dist")))
    return MetadataChanges(tuple(fields), dependencies, description)


def _values(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))  # type: ignore[call-overload]


def _compare_dependencies(old: Iterable[str], new: Iterable[str]) -> tuple[DependencyChange, ...]:
    """By project: one that has one requirement on each side changed; else each is removed or added by itself."""
    before, after = dict(map(_normal, old)), dict(map(_normal, new))
    gone = _by_project({text: name for text, name in before.items() if text not in after})
    come = _by_project({text: name for text, name in after.items() if text not in before})
    changes = []
    for name in sorted(gone.keys() | come.keys()):
        removed, added = gone.get(name, []), come.get(name, [])
        if len(removed) == len(added) == 1:
            changes.append(DependencyChange(name, removed[0], added[0]))
        else:
            changes += [DependencyChange(name, text, "") for text in removed]
            changes += [DependencyChange(name, "", text) for text in added]
    return tuple(changes)


def _normal(text: str) -> tuple[str, str]:
    """A requirement in one spelling, and its project; what is none stands for itself."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text, text
    return str(requirement), canonicalize_name(requirement.name)


def _by_project(requirements: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text, name in requirements.items():
        found.setdefault(name, []).append(text)
    return found
