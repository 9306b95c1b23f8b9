"""Environment markers, taken apart: what remains of one for whoever asks for an extra (dependency specifiers, PEP 508).

Pure and bounded: a marker that is too long, too deep or of too many extras is left as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from packaging.utils import canonicalize_name

_LONGEST: Final = 1000
_DEEPEST: Final = 20
_MOST_LOOKS: Final = 200  # each extra that a marker names is looked at with each of its conditions
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<paren>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'"""
    r"""|(?P<operator>===|[<>=!~]=|[<>]|not\s+in\b|in\b)|(?P<join>and\b|or\b)|(?P<variable>[a-z_]+))"""
)
_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: ``python_version < "3.13"``. ``is_turned`` where the value was written first.

    The value of ``extra`` is normalized.
    """

    variable: str
    operator: str
    value: str
    is_turned: bool = False

    def __str__(self) -> str:
        quote = "'" if '"' in self.value else '"'
        value = f"{quote}{self.value}{quote}"
        first, last = (value, self.variable) if self.is_turned else (self.variable, value)
        return f"{first} {self.operator} {last}"

    def straight(self) -> Condition:
        """The same with the variable first, where that can be said: ``"3.13" > python_version`` is turned round."""
        if not self.is_turned or self.operator not in _TURNED:
            return self
        return Condition(self.variable, _TURNED[self.operator], self.value)


@dataclass(frozen=True, slots=True)
class Joined:
    """Two conditions or more, all of which have to hold, or one."""

    join: Literal["and", "or"]
    parts: tuple[Tree, ...]

    def __str__(self) -> str:
        return f" {self.join} ".join(f"({one})" if isinstance(one, Joined) else str(one) for one in self.parts)


# A marker, or what remains of it: True holds always, False never.
Tree = Condition | Joined | bool


def parse(text: str) -> Tree | None:
    """A sound marker as a tree; None for one that is not taken apart."""
    if len(text) > _LONGEST:
        return None
    tokens = _Tokens(text)
    tree = _joined(tokens, "or", 0)
    if tree is None or tokens.kind != "end":
        return None
    looks = len(list(_conditions(tree))) * len(list(extras_of(tree)))
    return tree if looks <= _MOST_LOOKS else None


def extras_of(tree: Tree) -> Iterator[str]:
    """The extras that a marker speaks of, normalized, in the order of their names."""
    yield from sorted({one.value for one in _conditions(tree) if one.variable == "extra"})


def given(tree: Tree, extra: str) -> Tree:
    """What remains of a marker for whoever asks for one extra; "" for whoever asks for none."""
    match tree:
        case Condition(variable="extra", operator="==" | "!=" as operator, value=value):
            return (value == extra) is (operator == "==")
        case Joined(join=join, parts=parts):
            return _simple(join, [given(part, extra) for part in parts])
        case _:
            return tree


def _simple(join: Literal["and", "or"], parts: list[Tree]) -> Tree:
    decisive = join == "or"
    if any(part is decisive for part in parts):
        return decisive
    open_parts = tuple(part for part in parts if not isinstance(part, bool))
    if not open_parts:
        return not decisive
    return open_parts[0] if len(open_parts) == 1 else Joined(join, open_parts)


def _conditions(tree: Tree) -> Iterator[Condition]:
    if isinstance(tree, Condition):
        yield tree
    elif isinstance(tree, Joined):
        for part in tree.parts:
            yield from _conditions(part)


class _Tokens:
    """The tokens of a marker, one at a time: ``kind`` and ``text`` are those of the current one."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._at = 0
        self.kind = self.text = ""
        self.move()

    def move(self) -> None:
        """To the next token; "end" after the last, "none" where there is none."""
        if self._at == len(self._text):
            self.kind, self.text = "end", ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self.kind, self.text = "none", ""
            return
        self._at = found.end()
        self.kind, self.text = str(found.lastgroup), str(found[str(found.lastgroup)])

    def take(self, kind: str, text: str) -> bool:
        """Whether this is the current token; then it is passed."""
        if (self.kind, self.text) != (kind, text):
            return False
        self.move()
        return True


def _joined(tokens: _Tokens, join: Literal["and", "or"], depth: int) -> Tree | None:
    parts: list[Tree] = []
    while True:
        part = _joined(tokens, "and", depth) if join == "or" else _single(tokens, depth)
        if part is None:
            return None
        parts.append(part)
        if not tokens.take("join", join):
            return parts[0] if len(parts) == 1 else Joined(join, tuple(parts))


def _single(tokens: _Tokens, depth: int) -> Tree | None:
    if tokens.take("paren", "("):
        inner = _joined(tokens, "or", depth + 1) if depth < _DEEPEST else None
        return inner if tokens.take("paren", ")") else None
    first, operator, last = (_passed(tokens) for _ in range(3))
    if operator[0] != "operator" or {first[0], last[0]} != {"variable", "value"}:
        return None
    is_turned = first[0] == "value"
    variable, value = (last[1], first[1]) if is_turned else (first[1], last[1])
    if variable == "extra":
        value = canonicalize_name(value)
    return Condition(variable, " ".join(operator[1].split()), value, is_turned)


def _passed(tokens: _Tokens) -> tuple[str, str]:
    kind = "value" if tokens.kind in {"double", "single"} else tokens.kind
    text = tokens.text
    tokens.move()
    return kind, text
