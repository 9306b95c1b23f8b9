"""What a person can set, call or see is documented; settings and commands have tests of their own beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

import errors
from permissions import Permission
from views.errors import status_of

# The sign-in, XML-RPC, which only reads, and what has a credential of its own.
UNSAFE_FOR_ANYBODY = {
    "/login", "/logout", "/login/factor", "/login/passkey", "/pypi", "/RPC2", "/api/register", "/register_user",
    "/_/oidc/mint-token", "/_/oidc/burn-token",
}  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent


def rules(app: Flask) -> list[tuple[str, set[str], Rule]]:
    """Every address with its methods, converters left out."""
    found = []
    for rule in app.url_map.iter_rules():
        methods = set(rule.methods or ()) - {"HEAD", "OPTIONS"}
        found.append((re.sub(r"<\w+:", "<", rule.rule), methods, rule))
    return found


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """The rows of docs/addresses.md: methods and needs by address; an address may have two rows."""
    rows: dict[str, tuple[set[str], set[str]]] = {}
    for line in (ROOT / "docs" / "addresses.md").read_text().splitlines():
        found = re.fullmatch(r"\| `([^`]+)` \| ([A-Z, ]+) \| ([a-z, -]+) \| .+ \|", line)
        if found:
            methods, needs = rows.setdefault(found[1], (set(), set()))
            methods |= set(found[2].split(", "))
            needs |= set(found[3].split(", "))
    return rows


def test_every_address_is_documented(app: Flask) -> None:
    """docs/addresses.md names every address with its methods, and none that is not there."""
    served: dict[str, set[str]] = {}
    for address, methods, _ in rules(app):
        served.setdefault(address, set()).update(methods)
    assert served == {address: methods for address, (methods, _) in documented().items()}


def test_every_view_declares_what_it_needs(app: Flask) -> None:
    """S111: no view without a declared permission; none that changes something is open to anybody but the sign-in."""
    rows = documented()
    for address, methods, rule in rules(app):
        view = app.view_functions[rule.endpoint]
        assert hasattr(view, "permission"), f"{address} declares no permission"
        needs: Permission | None = view.permission
        assert (needs.value if needs else "-") in rows[address][1], f"{address} needs {needs}"
        if needs in {Permission.YANK, Permission.DELETE, Permission.MANAGE}:
            assert getattr(view, "project_argument", ""), f"{address} does not say which project the right has to be on"
        if methods - {"GET"} and rule.endpoint.startswith("web.") and needs in {Permission.ADMIN, Permission.MANAGE}:
            assert getattr(view, "proved", False), f"{address} asks for no recent proof"
        if methods - {"GET"} and needs in {None, Permission.LIST}:
            assert address in UNSAFE_FOR_ANYBODY


def refusals(family: type[errors.Refusal] = errors.Refusal) -> list[type[errors.Refusal]]:
    """Every class of the tree below a family."""
    return [one for child in family.__subclasses__() for one in (child, *refusals(child))]


@pytest.mark.parametrize("refusal", refusals(), ids=lambda one: one.__name__)
def test_every_refusal_is_documented(refusal: type[errors.Refusal]) -> None:
    """docs/errors.md has the code of each refusal with its status, and the tree in errors.py has its name."""
    status = status_of(refusal.__new__(refusal))
    page = (ROOT / "docs" / "errors.md").read_text()
    assert re.search(rf"^\| `{refusal.code}` \| {status} \| .+ \|$", page, re.MULTILINE)
    assert re.search(rf"[├└]── {refusal.__name__}\b", errors.__doc__ or "")


def test_codes_are_told_apart() -> None:
    """No two refusals share a code."""
    codes = [refusal.code for refusal in refusals()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link in the documentation names a file that is there."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_no_registry_is_named() -> None:
    """The public index is called PyPI; its hosts stand nowhere but in the library that knows them."""
    hosts = ["pypi" + ".org", "python" + "hosted.org"]
    for path in [*ROOT.glob("*.*"), *ROOT.glob("docs/**/*"), *ROOT.glob("templates/**/*"), *ROOT.glob("views/**/*.py")]:
        if path.is_file() and path.suffix in {".py", ".md", ".txt", ".html", ".sample", ".sh", ".in", ".toml"}:
            text = path.read_text().lower()
            assert not [host for host in hosts if host in text], path
