"""The house: a module imports only from lower floors, and some libraries are spoken in one place only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOOR = {
    "errors": 0.0,
    "options": 0.1,
    "auth_options": 0.15,
    "index_options": 0.15,
    "config": 0.2,
    "outbound": 0.3,
    "simple": 1,
    "distributions": 1,
    "database": 2,
    "storage": 2,
    "upstream": 2,
    "credentials": 2,
    "permissions": 2.5,
    "identities": 2.8,
    "deletion": 2.9,
    "promotion": 2.95,
    "package_manager": 3,
    "people": 3,
    "auth": 3,
    "indexes": 3.2,
    "mirroring": 3.3,
    "services": 3.5,
    "views": 4,
    "jobs": 4,
    "console": 4,
    "server": 5,
    "cli": 5.5,
}
ONLY_IN = {
    "resolvelib": {"mirroring"},
    "flask": {"views", "server"},
    "flask_login": {"views"},
    "sqlalchemy": {"database"},
    "alembic": {"database"},
    "click": {"console", "cli"},
    "rich": {"console", "cli"},
    "granian": {"server"},
    "waitress": {"server"},
    "requests": {"upstream", "storage", "credentials"},
    "urllib3": {"upstream", "storage", "credentials"},
    "pypi_simple": {"upstream"},
    "certifi": {"upstream"},
    "pkginfo": {"distributions"},
    "readme_renderer": {"distributions"},
    "nh3": {"distributions"},
    "pygments": {"distributions"},
    "argon2": {"credentials"},
    "bcrypt": {"credentials"},
    "passlib": {"credentials"},
    "jwt": {"credentials"},
    "authlib": {"credentials"},
    "ldap3": {"credentials"},
    "pyotp": {"credentials"},
    "segno": {"credentials"},
    "webauthn": {"credentials"},
    "cryptography": {"credentials", "distributions"},
    "pypi_attestations": {"distributions"},
    "sigstore": {"distributions"},
}
# Not of the house: a check from outside, and what measures it.
OUTSIDE = {"test_server.py", "live_check", "tests", "benchmarks", "deployments", "scripts"}


def tracked_modules() -> list[Path]:
    """The Python files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [Path(name) for name in sorted(listed) if (ROOT / name).is_file()]


def home_of(path: Path) -> str:
    """The room that a module is in: its folder or its own name at the top."""
    return path.parts[0].removesuffix(".py")


HOUSE = [path for path in tracked_modules() if path.parts[0] not in OUTSIDE]


def imports(path: Path) -> Iterator[str]:
    """The first parts of all names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", HOUSE, ids=str)
def test_imports_go_down(path: Path) -> None:
    """No module knows its neighbours or what stands above it."""
    home = home_of(path)
    assert home in FLOOR, f"{home} has no floor: say in docs/architecture.md where it stands, and here"
    for name in set(imports(path)) - {home}:
        assert home in ONLY_IN.get(name, {home}), f"{path}: {name} is spoken only in {ONLY_IN[name]}"
        if name in FLOOR:
            assert FLOOR[name] < FLOOR[home], f"{path}: {home} may not import {name}"


@pytest.mark.parametrize("path", HOUSE, ids=str)
def test_modules_stay_small(path: Path) -> None:
    """A module that passes 400 lines sends a step down, a function that passes 60 is two."""
    text = (ROOT / path).read_text()
    if "migrations" in path.parts:
        return
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno <= 60, f"{path}:{node.lineno} {node.name}"


def test_test_modules_stay_small() -> None:
    """So do those of the tests: each has one promise, or a few that belong together."""
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in (ROOT / "tests").rglob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


@pytest.mark.parametrize("path", HOUSE, ids=str)
def test_what_is_public_is_documented(path: Path) -> None:
    """Every module, class and function that others may use says what it is."""
    tree = ast.parse((ROOT / path).read_text())
    assert ast.get_docstring(tree), f"{path} says nothing of itself"
    for node in _public(tree):
        assert ast.get_docstring(node), f"{path}:{node.lineno} {node.name} has no docstring"


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def test_no_name_of_ours_hides_another() -> None:
    """Nothing at the top is called like a module of the standard library."""
    assert set(FLOOR) & set(sys.stdlib_module_names) == set()


def test_floors_are_drawn() -> None:
    """Every room of the house is in the picture that readers have."""
    picture = (ROOT / "docs" / "architecture.md").read_text()
    for room in FLOOR:
        assert f"`{room}" in picture, f"docs/architecture.md does not say what {room} is"
