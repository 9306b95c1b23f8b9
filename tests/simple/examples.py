"""The values that these tests share: one project with a wheel and an sdist, and a source that holds projects."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from packaging.utils import NormalizedName

from errors import UnknownFile, UnknownProject
from simple.model import File, ListedProject, ProjectDetail, ProjectList
from simple.sources import FileRecord

UPLOADED = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)
HOSTILE = """"><script>alert('x')</script>&amp;"""


def name(text: str) -> NormalizedName:
    """A name that is known to be normalized."""
    return NormalizedName(text)


def a_file(version: str = "1.0", **changes: Any) -> File:
    """A wheel of demo-pkg, with what the test needs otherwise."""
    filename = f"demo_pkg-{version}-py3-none-any.whl"
    wheel = File(
        filename=filename,
        url=f"../../packages/demo-pkg/{filename}",
        version=version,
        sha256="a1" * 32,
        size=1431,
        uploaded=UPLOADED,
        python_tag="py3",
    )
    return replace(wheel, **changes)


def an_sdist(version: str = "1.0") -> File:
    """The sdist of demo-pkg."""
    filename = f"demo_pkg-{version}.tar.gz"
    return a_file(version, filename=filename, url=f"../../packages/demo-pkg/{filename}", kind="sdist", sha256="b2" * 32)


def a_project(*files: File, **changes: Any) -> ProjectDetail:
    """demo-pkg with these files, or with a wheel and an sdist of 1.0."""
    listed = files or (a_file(), an_sdist())
    versions = tuple(dict.fromkeys(file.version for file in listed))
    detail = ProjectDetail(name("demo-pkg"), listed, versions, 42, display_name="Demo_Pkg")
    return replace(detail, **changes)


@dataclass
class Shelf:
    """A source in memory, which counts how often a project detail was asked for."""

    projects: dict[NormalizedName, ProjectDetail] = field(default_factory=dict)
    serial: int = 42
    asked: int = 0

    def project_list(self) -> ProjectList:
        """The projects, sorted by normalized name."""
        listed = [
            ListedProject(detail.display_name or detail.name, detail.name, detail.serial)
            for _, detail in sorted(self.projects.items())
        ]
        return ProjectList(tuple(listed), self.serial)

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """One project."""
        self.asked += 1
        if name not in self.projects:
            raise UnknownProject(name)
        return self.projects[name]

    def file(self, name: NormalizedName, filename: str) -> FileRecord:
        """One file."""
        for file in self.projects[name].files if name in self.projects else ():
            if file.filename == filename:
                return FileRecord(
                    project=name,
                    filename=filename,
                    version=file.version,
                    location=f"{name}/{filename}",
                    size=file.size or 0,
                    sha256=file.sha256,
                    uploaded=file.uploaded,
                )
        raise UnknownFile(filename)

    def validity(self, name: NormalizedName | None) -> Hashable:
        """The serial of the project, or of the shelf."""
        if name is None:
            return self.serial
        if name not in self.projects:
            raise UnknownProject(name)
        return self.projects[name].serial


def a_shelf(*details: ProjectDetail) -> Shelf:
    """A shelf with these projects, or with demo-pkg."""
    return Shelf({detail.name: detail for detail in details or (a_project(),)})
