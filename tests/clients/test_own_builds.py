"""What the builders write is taken, and what the uploaders say of it in the form agrees with it."""

from __future__ import annotations

import shutil

import pytest
from packaging.specifiers import SpecifierSet

from tests.clients.conftest import Index
from tests.clients.programs import BIN, PROJECT_TABLE, REQUIRES_PYTHON, Programs, Project
from tests.clients.uploaders import UPLOADERS

pytestmark = pytest.mark.clients

SETUPTOOLS = "from setuptools import build_meta as b; b.build_sdist('dist'); b.build_wheel('dist')"
# Who builds it, from which backend, and how; none of them fetches anything.
BUILDERS = {
    "uv": ("uv_build >=0.13,<0.14", "uv_build", ["uv", "build", "--offline", "--no-config"]),
    "poetry": ("poetry-core", "poetry.core.masonry.api", ["poetry", "build", "--no-interaction", "--no-plugins"]),
    "hatch": ("hatchling", "hatchling.build", ["hatchling", "build"]),
    "pdm": ("hatchling", "hatchling.build", ["pdm", "build", "--no-isolation"]),
    "twine": ("setuptools", "setuptools.build_meta", ["python", "-c", SETUPTOOLS]),
}


@pytest.fixture
def source(project: Project) -> Project:
    """The project's source alone: a package, with a README in more than ASCII."""
    shutil.rmtree(project.folder / "dist")
    package = project.folder / "src" / project.module
    package.mkdir(parents=True)
    (project.folder / f"{project.module}.py").rename(package / "__init__.py")
    return project


@pytest.mark.parametrize("client", sorted(BUILDERS))
def test_a_build_is_published(client: str, source: Project, programs: Programs, guarded: Index) -> None:
    """A project with dependencies, markers, extras, an SPDX licence and Unicode goes through its own tool's hands."""
    requirement, backend, build = BUILDERS[client]
    (source.folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{backend}"\n[project]\n'
        f'name = "{source.name}"\nversion = "1.0"\ndescription = "Größe: 5 µm."\n{PROJECT_TABLE}'
        f'[tool.poetry]\npackages = [{{include = "{source.module}", from = "src"}}]\n',
        encoding="utf-8",
    )
    programs.well(*build, cwd=source.folder, VIRTUAL_ENV=str(BIN.parent))
    (source.folder / "dist" / ".gitignore").unlink(missing_ok=True)
    outcome = UPLOADERS[client](programs, source, f"{guarded.server.url}/legacy/", guarded.token)
    assert outcome.code == 0, outcome.text
    page = guarded.page(source.name)
    assert sorted(page) == source.filenames
    assert len(page) == 2
    assert {SpecifierSet(file["requires-python"]) for file in page.values()} == {SpecifierSet(REQUIRES_PYTHON)}
