"""pip resolves and installs from a server."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.clients.conftest import Index, Shelf, files_of
from tests.clients.programs import Programs, Project, Venv, requests_of
from tests.clients.uploaders import twine

pytestmark = pytest.mark.clients


def install(venv: Venv, shelf: Shelf, *arguments: str | Path) -> str:
    """Install into the environment; what pip wrote."""
    return venv.programs.well("pip", "--python", venv.python, "install", "--index-url", shelf.url, *arguments)


def test_it_installs_with_dependencies(venv: Venv, shelf: Shelf, name: str) -> None:
    """A project and what it depends on come from --index-url, the newest version of each that fits this Python."""
    shelf.put(name, "1.0", requires_dist=[f"{name}_dep[some]>=1,<2"])
    shelf.put(name, "2.0", requires_python=">=4")
    for version in ("0.9", "1.5", "2.0"):
        shelf.put(f"{name}-dep", version)
    install(venv, shelf, name)
    assert venv.versions() == {name: "1.0", f"{name}-dep": "1.5"}
    assert venv.imports(name.replace("-", "_"))


def test_it_takes_an_extra_index(venv: Venv, shelf: Shelf, other_shelf: Shelf, name: str) -> None:
    """With --extra-index-url each index gives what only it has."""
    other_shelf.put(name, requires_dist=[f"{name}-dep"])
    shelf.put(f"{name}-dep")
    install(venv, shelf, "--extra-index-url", other_shelf.url, name)
    assert venv.versions() == {name: "1.0", f"{name}-dep": "1.0"}


def test_it_resolves_without_a_wheel(venv: Venv, shelf: Shelf, name: str) -> None:
    """A dry run asks for pages and metadata files, and for no wheel."""
    shelf.put(name, requires_dist=[f"{name}-dep"])
    shelf.put(f"{name}-dep")
    said = install(venv, shelf, "--dry-run", name)
    assert f"Would install {name}-1.0 {name}-dep-1.0" in said
    asked = [one for one in requests_of(shelf.server, "pip/") if name in one.replace("_", "-")]
    assert [one.split()[0] for one in asked] == ["200"] * 4
    assert sum(one.endswith(".whl.metadata") for one in asked) == 2
    assert not any(one.endswith(".whl") for one in asked)


def test_it_demands_hashes(venv: Venv, shelf: Shelf, name: str, tmp_path: Path) -> None:
    """With --require-hashes the right digest installs, another one does not."""
    path = shelf.put(name)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{name}==1.0 --hash=sha256:{'0' * 64}\n")
    refused = venv.programs(
        "pip", "--python", venv.python, "install", "--index-url", shelf.url, "--require-hashes", "-r", requirements
    )
    assert refused.code != 0
    assert "DO NOT MATCH THE HASHES" in refused.text
    requirements.write_text(f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    install(venv, shelf, "--require-hashes", "-r", requirements)
    assert venv.versions() == {name: "1.0"}


def test_it_passes_a_yanked_release_over(venv: Venv, shelf: Shelf, name: str) -> None:
    """A yanked release is taken only when it is pinned, and then its reason is shown."""
    shelf.put(name, "1.0")
    shelf.put(name, "2.0")
    shelf.yank(name, "2.0", "broken <on> Sundays & so on")
    install(venv, shelf, name)
    assert venv.versions() == {name: "1.0"}
    assert "Reason for being yanked: broken <on> Sundays & so on" in install(venv, shelf, f"{name}==2.0")
    assert venv.versions() == {name: "2.0"}


def test_it_goes_back_in_time(venv: Venv, shelf: Shelf, name: str) -> None:
    """--uploaded-prior-to finds an upload time on every file, and takes an older release."""
    shelf.put(name, "1.0")
    newest = shelf.put(name, "2.0")
    moment = files_of(shelf.server, name)[newest.name]["upload-time"]
    install(venv, shelf, "--uploaded-prior-to", moment, name)
    assert venv.versions() == {name: "1.0"}


def test_it_lists_versions(programs: Programs, shelf: Shelf, name: str) -> None:
    """``pip index versions`` shows all of them, in whatever spelling the name is asked for."""
    for version in ("1.0", "1.10", "1.9"):
        shelf.put(name, version)
    said = programs.well("pip", "index", "versions", "--index-url", shelf.url, "--json", name.replace("-", "_").upper())
    assert json.loads(said)["versions"] == ["1.10", "1.9", "1.0"]


def test_it_searches(programs: Programs, shelf: Shelf, name: str) -> None:
    """``pip search`` finds a project by a word of its name."""
    shelf.put(name, summary="What it is for.")
    said = programs.well("pip", "search", "--index", f"{shelf.server.url}/pypi", name)
    assert f"{name} (1.0)" in said
    assert "What it is for." in said


def test_a_credential_in_the_address_is_checked(programs: Programs, guarded: Index, project: Project) -> None:
    """A name and password in --index-url are taken where they are right, and end the search where they are wrong."""
    assert twine(programs, project, f"{guarded.server.url}/legacy/", guarded.person).code == 0
    host = guarded.server.url.removeprefix("http://")
    good = f"http://{quote(guarded.person.username)}:{quote(guarded.person.password)}@{host}/simple/"
    command = ["download", "--no-deps", "--dest", str(programs.home)]
    programs.well("pip", *command, "--index-url", good, project.name)
    assert (programs.home / project.filenames[0]).read_bytes() == project.files[0].read_bytes()
    wrong = programs("pip", *command, "--index-url", f"http://admin:wrong@{host}/simple/", project.name)
    assert wrong.code != 0


def test_an_unknown_project_is_not_found(programs: Programs, shelf: Shelf) -> None:
    """A project that is not there is an error of pip's, at once."""
    outcome = programs("pip", "download", "--index-url", shelf.url, "no-such-project")
    assert outcome.code != 0
    assert "No matching distribution found for no-such-project" in outcome.text
