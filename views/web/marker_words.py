"""What a requirement's marker says, in words: ``Python before 3.13, on Windows``."""

from __future__ import annotations

from typing import Final

from distributions.markers import Condition, Joined, Tree

_PYTHON: Final = {
    "<": "Python before {}", "<=": "Python up to {}", ">": "Python after {}", ">=": "Python {} and later",
    "==": "Python {}", "!=": "not Python {}",
}  # fmt: skip
_SYSTEMS: Final = {
    ("sys_platform", "win32"): "Windows",
    ("sys_platform", "linux"): "Linux",
    ("sys_platform", "darwin"): "macOS",
    ("sys_platform", "cygwin"): "Cygwin",
    ("sys_platform", "emscripten"): "Emscripten",
    ("platform_system", "Windows"): "Windows",
    ("platform_system", "Linux"): "Linux",
    ("platform_system", "Darwin"): "macOS",
    ("os_name", "nt"): "Windows",
    ("os_name", "posix"): "POSIX systems",
    ("implementation_name", "cpython"): "CPython",
    ("implementation_name", "pypy"): "PyPy",
    ("platform_python_implementation", "CPython"): "CPython",
    ("platform_python_implementation", "PyPy"): "PyPy",
}


def marker_words(tree: Tree | None) -> str | None:
    """The words for a marker; "" for one that always holds, None for one that is clearer as it was written."""
    match tree:
        case True:
            return ""
        case Condition():
            return _condition(tree.straight())
        case Joined(join=join, parts=parts):
            words = [marker_words(part) for part in parts]
            if None in words or any(isinstance(part, Joined) for part in parts):
                return None
            return (", " if join == "and" else " or ").join(word for word in words if word)
        case _:
            return None


def _condition(one: Condition) -> str | None:
    if one.is_turned:
        return None
    if one.variable in {"python_version", "python_full_version"} and one.operator in _PYTHON:
        return _PYTHON[one.operator].format(one.value)
    if one.variable == "platform_machine" and one.operator == "==":
        return f"on {one.value} machines"
    system = _SYSTEMS.get((one.variable, one.value))
    words = {"==": "on {}", "!=": "not on {}"}.get(one.operator)
    return words.format(system) if system and words else None
