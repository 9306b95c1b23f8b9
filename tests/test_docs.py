"""What a person can set, call or see is documented; settings and commands have tests of their own beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

import errors
from permissions import Permission
from tests.test_floors import HOUSE
from views.errors import status_of

# The sign-in, XML-RPC, which only reads, and what has a credential of its own.
UNSAFE_FOR_ANYBODY = {
    "/login", "/login/", "/logout", "/logout/", "/login/factor", "/login/passkey", "/pypi", "/RPC2", "/api/register",
    "/register_user", "/_/oidc/mint-token", "/_/oidc/burn-token",
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
    """docs/errors.md has the code of each refusal with its status, and the tree in errors/ has its name."""
    status = status_of(refusal.__new__(refusal))
    page = (ROOT / "docs" / "errors.md").read_text()
    assert re.search(rf"^\| `{refusal.code}` \| {status} \| .+ \|$", page, re.MULTILINE)
    assert re.search(rf"[├└]── {refusal.__name__}\b", errors.__doc__ or "")


def test_a_refusal_about_somebody_fits_whoever_asks() -> None:
    """Of sessions, factors and tokens it is the owner who is told, or an administrator, or somebody at the shell."""
    for refusal in (errors.UnknownSession, errors.UnknownFactor, errors.UnknownToken):
        assert not re.search(r"\byours?\b", refusal().sentence)


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


PROSE = [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNS = ".venv/bin/python cli.py"


def copied() -> dict[str, str]:
    """What people copy, by where it stands: blocks that name their language, and the commands of the pages."""
    blocks = {
        f"{page.name} {number}": text
        for page in PROSE
        for number, (language, text) in enumerate(BLOCK.findall(page.read_text()))
        if language
    }
    for page in sorted(ROOT.glob("templates/**/*.html")):
        for number, text in enumerate(re.findall(r"\{\{ command\((.*)\) \}\}", page.read_text())):
            blocks[f"{page.name} {number}"] = text
    return {where: text for where, text in blocks.items() if "cli.py" in text}


COPIED = copied()


def test_commands_of_people_and_pages_are_looked_at() -> None:
    """The two tests below have something to say of documents and of templates."""
    assert {where.rpartition(".")[2].split()[0] for where in COPIED} == {"md", "html"}


@pytest.mark.parametrize("where", COPIED)
def test_a_command_that_is_copied_runs_in_the_folder(where: str) -> None:
    """It names the Python that start.sh has made ready, since another one lacks what cli.py needs."""
    text = COPIED[where]
    assert text.count("cli.py") == text.count(RUNS)


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_a_sentence_names_the_command_alone(page: Path) -> None:
    """`cli.py user password`, and how it is run is said where the blocks are."""
    sentences = BLOCK.sub("", page.read_text())
    assert not re.findall(r"\S*python3? cli\.py.*", sentences)


def test_messages_name_the_command_alone() -> None:
    """So do refusals, remarks and help texts."""
    for path in HOUSE:
        if path.name not in {"cli.py", "manual.py"}:  # which say how it is run
            assert not re.findall(r"python3? cli\.py.*", (ROOT / path).read_text()), path


def test_no_registry_is_named() -> None:
    """The public index is called PyPI; its hosts stand nowhere but in the library that knows them."""
    hosts = ["pypi" + ".org", "python" + "hosted.org"]
    for path in [*ROOT.glob("*.*"), *ROOT.glob("docs/**/*"), *ROOT.glob("templates/**/*"), *ROOT.glob("views/**/*.py")]:
        if path.is_file() and path.suffix in {".py", ".md", ".txt", ".html", ".sample", ".sh", ".in", ".toml"}:
            text = path.read_text().lower()
            assert not [host for host in hosts if host in text], path
