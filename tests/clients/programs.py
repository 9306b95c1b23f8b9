"""Runs client programs in a world of the test's own: home, caches and settings in one folder, loopback only."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import LiveServer
from tests.factory import build_sdist, build_wheel, core_metadata

WINDOWS = os.name == "nt"
BIN = Path(__file__).resolve().parents[2] / ".venv-clients" / ("Scripts" if WINDOWS else "bin")
NOBODY_LISTENS = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: its exit code, and all that it wrote, on one line."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of .venv-clients, which see nothing of the machine's own settings and reach nothing but it.

    ``variables`` are set over those that keep them so.
    """

    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, program: str | Path, *arguments: str | Path, cwd: Path | None = None, seconds: float = 60, **more: str
    ) -> Outcome:
        """Run one, with more environment."""
        assert BIN.is_dir(), ".venv-clients is not there; ./test.sh makes it"
        path = BIN / program if isinstance(program, str) else program
        done = subprocess.run(
            [path, *arguments], cwd=cwd or self.home, env=self.environment() | more, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
            timeout=seconds, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, " ".join(done.stdout.split()))

    def well(
        self, program: str | Path, *arguments: str | Path, cwd: Path | None = None, seconds: float = 60, **more: str
    ) -> str:
        """Run one that must succeed; what it wrote."""
        outcome = self(program, *arguments, cwd=cwd, seconds=seconds, **more)
        assert outcome.code == 0, outcome.text
        return outcome.text

    def environment(self) -> dict[str, str]:
        """Settings, caches and passwords below the home; a proxy that is not there for all but loopback."""
        own = {name: os.environ[name] for name in ("SYSTEMROOT", "PATHEXT") if name in os.environ}
        folders = {
            "HOME": "", "USERPROFILE": "", "APPDATA": "config", "LOCALAPPDATA": "local", "XDG_CONFIG_HOME": "config",
            "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "run",
            "TMPDIR": "tmp", "TEMP": "tmp",
        }  # fmt: skip
        for variable, folder in folders.items():
            (self.home / folder).mkdir(parents=True, exist_ok=True)
            own[variable] = str(self.home / folder)
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOBODY_LISTENS)
        return {
            **own,
            **proxies,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PATH": os.pathsep.join([str(BIN), os.defpath]),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "500",
            "NO_COLOR": "1",
            "SOURCE_DATE_EPOCH": "1580601600",
            "PYTHONWARNINGS": "ignore",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_RETRIES": "0",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "POETRY_KEYRING_ENABLED": "false",
            "POETRY_VIRTUALENVS_CREATE": "false",
            "PDM_CHECK_UPDATE": "false",
            **self.variables,
        }


@dataclass(frozen=True, slots=True)
class Venv:
    """A virtual environment without pip."""

    programs: Programs
    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / BIN.name / ("python.exe" if WINDOWS else "python")

    def versions(self) -> dict[str, str]:
        """What is installed in it, with versions."""
        script = (
            "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
        )
        found = json.loads(self.programs.well(self.python, "-I", "-c", script))
        return {str(name): str(version) for name, version in found.items()}

    def imports(self, module: str) -> bool:
        """Whether a module of ``tests.factory`` can be imported and has its answer."""
        said = self.programs(self.python, "-I", "-c", f"import {module}; print({module}.answer)")
        return said.text == "42"


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and its password, or ``__token__`` and a token."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Project:
    """The source of a small project, for clients that build, with a ready wheel and sdist in ``dist``."""

    folder: Path
    name: str
    version: str = "1.0"

    @property
    def module(self) -> str:
        """The name with underscores, which is how its files begin."""
        return self.name.replace("-", "_")

    @property
    def files(self) -> list[Path]:
        """The ready files."""
        return sorted((self.folder / "dist").iterdir())

    @property
    def filenames(self) -> list[str]:
        """The names of the ready files, which are also those of what flit builds."""
        return [path.name for path in self.files]

    def write(self, summary: str = "A sample.") -> Project:
        """Write source and ready files; another summary makes other bytes."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{self.module}.py").write_text(f'"""{summary}"""\n__version__ = "{self.version}"\n')
        (self.folder / "README.md").write_text(f"# {self.name}\n\n{summary} Größe: 5 µm.\n", encoding="utf-8")
        (self.folder / "pyproject.toml").write_text(
            f"""[build-system]
requires = ["flit_core >=3.2,<5"]
build-backend = "flit_core.buildapi"
[project]
name = "{self.name}"
version = "{self.version}"
description = "{summary}"
{PROJECT_TABLE}""",
            encoding="utf-8",
        )
        dist = self.folder / "dist"
        dist.mkdir(exist_ok=True)
        metadata = core_metadata(
            self.name, self.version, metadata_version="2.4", requires_python=REQUIRES_PYTHON,
            requires_dist=REQUIRES_DIST, summary=summary, description=f"# {self.name}\n\nGröße: 5 µm.",
            extra_headers=HEADERS,
        )  # fmt: skip
        build_wheel(dist, self.name, self.version, metadata=metadata)
        build_sdist(dist, self.name, self.version, metadata=metadata)
        return self


REQUIRES_PYTHON = ">=3.8,!=3.9.0"
REQUIRES_DIST = (
    'Charset_Normalizer[unicode]<4,>=2; python_version < "3.13"',
    'rich>=13,!=13.1; extra == "cli"',
    "typing.extensions~=4.0",
)
HEADERS = (
    "License-Expression: MIT OR Apache-2.0",
    "Classifier: Development Status :: 4 - Beta",
    "Classifier: Programming Language :: Python :: 3",
    "Project-URL: Source, https://index.example.com/source",
    "Keywords: one,two words",
    "Author-email: Jürgen Müller <jm@index.example.com>",
    "Provides-Extra: cli",
    "Description-Content-Type: text/markdown",
)
PROJECT_TABLE = """\
readme = "README.md"
license = "MIT OR Apache-2.0"
requires-python = ">=3.8,!=3.9.0"
authors = [{name = "Jürgen Müller", email = "jm@index.example.com"}]
keywords = ["one", "two words"]
classifiers = ["Development Status :: 4 - Beta", "Programming Language :: Python :: 3"]
dependencies = ["Charset_Normalizer[unicode]<4,>=2; python_version < '3.13'", "typing.extensions ~= 4.0"]
[project.optional-dependencies]
cli = ["rich>=13,!=13.1"]
[project.urls]
Source = "https://index.example.com/source"
"""


def requests_of(server: LiveServer, agent: str = "") -> list[str]:
    """The requests so far as ``"200 GET /path"``, in order, of clients in whose name of themselves ``agent`` stands."""
    marker = f"/simple/{uuid.uuid4().hex}/"
    try:
        urllib.request.urlopen(server.url + marker, timeout=10).close()
    except urllib.error.HTTPError as error:
        error.close()
    until = time.monotonic() + 10
    while marker not in server.log:
        assert time.monotonic() < until, "the server's log does not show a request"
        time.sleep(0.02)
    lines = [
        line.split() for line in server.log.splitlines() if " GET " in line or " HEAD " in line or " POST " in line
    ]
    return [" ".join(line[2:5]) for line in lines if marker not in line and agent in " ".join(line[9:])]
