"""The packages that are measured with: always the same bytes, made here, nothing taken from anywhere."""

from __future__ import annotations

import hashlib
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.factory import wheel_bytes, wheel_members, zip_bytes

BIG_PROJECT = "big-project"
HUGE_PROJECT = "huge-project"
MEGABYTE = 1_000_000
_HEADERS = """Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: {name} does one thing of many
Author-email: Somebody <somebody@example.com>
License: MIT
Classifier: Programming Language :: Python :: 3
Classifier: License :: OSI Approved :: MIT License
Classifier: Operating System :: OS Independent
Requires-Python: >=3.9
Requires-Dist: first-dependency>=1.2
Requires-Dist: second-dependency~=3.4 ; extra == "more"
Provides-Extra: more
Description-Content-Type: text/markdown

# {name}

{text}
"""
_WORDS = ("index", "project", "release", "file", "digest", "metadata", "serial", "journal", "upstream", "provenance")


@dataclass(frozen=True)
class Sizes:
    """How much is made: projects of ``versions`` files each, one project of many files, one huge file, an import."""

    projects: int
    versions: int
    big: int
    huge_megabytes: int
    imported: int
    uploads: int


FULL = Sizes(projects=200, versions=5, big=2_000, huge_megabytes=200, imported=20_000, uploads=400)
QUICK = Sizes(projects=30, versions=2, big=200, huge_megabytes=50, imported=1_000, uploads=100)


@dataclass(frozen=True)
class Wheel:
    """One wheel in memory."""

    project: str
    version: str
    filename: str
    body: bytes

    @property
    def sha256(self) -> str:
        """Its digest, in hex."""
        return hashlib.sha256(self.body).hexdigest()


def wheel(project: str, version: str) -> Wheel:
    """A small wheel of about two kilobytes, with a description and dependencies as real ones have them."""
    chance = random.Random(f"{project} {version}")
    text = " ".join(chance.choices(_WORDS, k=120))
    metadata = _HEADERS.format(name=project, version=version, text=text)
    body = wheel_bytes(project, version, metadata=metadata)
    return Wheel(project, version, f"{project.replace('-', '_')}-{version}-py3-none-any.whl", body)


def huge_wheel(folder: Path, project: str, megabytes: int) -> Path:
    """A wheel of so many megabytes that cannot be compressed, on disk."""
    payload = random.Random(megabytes).randbytes(megabytes * MEGABYTE)
    members = wheel_members(project, "1.0", files={f"{project.replace('-', '_')}/data.bin": payload})
    path = folder / f"{project.replace('-', '_')}-1.0-py3-none-any.whl"
    path.write_bytes(zip_bytes(members, compression=zipfile.ZIP_STORED))
    return path


def project_names(sizes: Sizes) -> list[str]:
    """The names of the ordinary projects."""
    return [f"sample-project-{number:05}" for number in range(sizes.projects)]


def small_wheels(sizes: Sizes) -> Iterator[Wheel]:
    """All that the read scenarios ask for, but the huge file."""
    for project in project_names(sizes):
        for version in range(1, sizes.versions + 1):
            yield wheel(project, f"1.{version}")
    for version in range(sizes.big):
        yield wheel(BIG_PROJECT, f"{version // 100}.{version % 100}")


def new_wheels(count: int, label: str) -> list[Wheel]:
    """Wheels of new projects that no server has seen, five files a project; another ``label`` gives others."""
    return [wheel(f"new-{label}-{number // 5:05}", f"1.{number % 5}") for number in range(count)]


def import_folder(folder: Path, count: int) -> Path:
    """A folder with so many wheels, flat, ten a project; kept from one run to the next."""
    place = folder / f"import-{count}"
    finished = place.with_suffix(".finished")
    if not finished.exists():
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            one = wheel(f"imported-{number // 10:05}", f"1.{number % 10}")
            (place / one.filename).write_bytes(one.body)
        finished.touch()
    return place
